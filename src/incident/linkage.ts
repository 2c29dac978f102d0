import { assert } from "../fault.ts"

/** Fellegi and Sunter's linkage: how much each pair's agreements speak for one and the same. Plain data in, plain data out. */

/** For each field the level of agreement of a pair, from 0; `levels` says how many there are of each field. */
export type Agreements = readonly number[]

export interface LinkModel {
  /** The share of pairs that match. */
  readonly prior: number
  /** For each field and level: its probability among pairs that match, and among those that do not. */
  readonly m: readonly (readonly number[])[]
  readonly u: readonly (readonly number[])[]
}

/** Counted as if each level had been seen so often, half as match: a level that no pair has says nothing. */
const smoothing = 0.5

const settings = { steps: 200, still: 1e-7 } as const

/**
 * m, u and prior by expectation and maximization from a first guess, which says which of the two kinds is the matches.
 * Fields are taken as independent within each kind, which real fields are not quite: weights are too sure rather than too
 * little. Source: Fellegi and Sunter 1969; Winkler 1988. Costs pairs' distinct patterns × fields × steps.
 */
export function fitted(pairs: readonly Agreements[], first: LinkModel): LinkModel {
  const patterns = new Map<string, { of: Agreements; count: number }>()
  for (const of of pairs) {
    assert(of.length === first.m.length, "a pair has a level of every field")
    const known = patterns.get(of.join())
    if (known === undefined) patterns.set(of.join(), { of, count: 1 })
    else known.count += 1
  }
  const all = [...patterns.values()]
  let model = first
  for (let step = 0; step < settings.steps && all.length > 0; step += 1) {
    const next = better(all, model, pairs.length)
    const moved = Math.abs(next.prior - model.prior)
    model = next
    if (moved < settings.still) break
  }
  return model
}

function better(
  all: readonly { readonly of: Agreements; readonly count: number }[],
  model: LinkModel,
  pairs: number,
): LinkModel {
  const blank = () => model.m.map(levels => levels.map(() => smoothing))
  const [m, u] = [blank(), blank()]
  let matches = 0
  for (const { of, count } of all) {
    const match = count * matchOdds(model, of)
    matches += match
    of.forEach((level, field) => {
      add(m[field], level, match)
      add(u[field], level, count - match)
    })
  }
  return { prior: Math.min(0.999, Math.max(0.001, matches / pairs)), m: m.map(shares), u: u.map(shares) }
}

function add(list: number[] | undefined, level: number, value: number): void {
  assert(list?.[level] !== undefined, "a level is one of its field's")
  list[level] += value
}

function shares(counts: readonly number[]): number[] {
  const all = counts.reduce((sum, count) => sum + count, 0)
  return counts.map(count => count / all)
}

/** Σ log₂(m ÷ u) over the fields: 0 says nothing, each one more doubles the odds of a match. */
export function weightOf({ m, u }: LinkModel, of: Agreements): number {
  return of.reduce(
    (sum, level, field) => sum + Math.log2((m[field]?.[level] ?? 1) / (u[field]?.[level] ?? 1)),
    0,
  )
}

/** The probability of a match: prior odds × 2^weight. */
export function matchOdds(model: LinkModel, of: Agreements): number {
  const odds = (model.prior / (1 - model.prior)) * 2 ** weightOf(model, of)
  return odds / (1 + odds)
}
