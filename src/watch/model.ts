import { canonical } from "../canonical.ts"
import { Fault } from "../fault.ts"
import { levelCount, levelOf } from "./ratio.ts"
import { betCount } from "./state.ts"
import { alphabet } from "./symbols.ts"

/** Probabilities are whole parts of this. */
export const whole = 1 << 20

export type Alphabet = keyof typeof alphabet
export const alphabets = ["order", "roam", "session"] as const satisfies readonly Alphabet[]

/** Contexts of each alphabet: the symbol before under the same ticket (0 for none); a session's beginning has none. */
export const contexts: Readonly<Record<Alphabet, number>> = {
  order: alphabet.order + 1,
  roam: alphabet.roam + 1,
  session: 1,
}

/** Where sums of evidence ask, and where they stop. */
export interface Thresholds {
  readonly stepUp_micronats: number
  readonly suspend_micronats: number
}

/** Rows of probabilities by context, each of the alphabet's size and adding up to `whole`; contexts that were never seen are left out. */
export type Rows = Readonly<Record<string, readonly number[]>>

/** Where a model comes from: enough to make it again, and to say who is in it. */
export interface Provenance {
  /** Given, never the clock's. */
  readonly trained_at: string
  readonly sources: readonly { readonly name: string; readonly sha256: string }[]
  readonly requests: number
  readonly people: number
  readonly organizations: number
  /** People whose requests were left out, since they would have been suspended by a model without them. */
  readonly left_out: readonly string[]
}

/** The model file (docs/formats/watch.md). */
export interface ModelFile {
  readonly v: 1
  readonly provenance: Provenance
  readonly thresholds: { readonly person: Thresholds; readonly organization: Thresholds }
  /** What a grab is bet to look like after each context, in parts of `whole`; one row stands for all contexts. */
  readonly bets: Readonly<Record<Alphabet, readonly (readonly number[])[]>>
  /** ln(1 − stake + stake · ratio) of each level of the ratio: of the three stakes, and of the session's one. */
  readonly micronats: { readonly stakes: readonly (readonly number[])[]; readonly session: readonly number[] }
  /** Over all purposes: complete, for contexts that a purpose has not seen, and for purposes that nobody has. */
  readonly pool: Readonly<Record<Alphabet, readonly (readonly number[])[]>>
  readonly purposes: Readonly<Record<string, Readonly<Record<Alphabet, Rows>>>>
  /** How often honest requests had each symbol of `order`, in parts of `whole`: for sentences, never for evidence. */
  readonly shares: readonly number[]
}

/** A model made ready: evidence of each symbol in each context, by purpose. */
export interface Model {
  readonly file: ModelFile
  /** SHA-256 of the file's canonical text is its name; given by who read it. */
  readonly purposes: ReadonlyMap<string, Tables>
  readonly pool: Tables
}

/** Micronats at `(context · size + symbol) · betCount + bet`; of the session at `symbol`. */
export interface Tables {
  readonly order: Int32Array
  readonly roam: Int32Array
  readonly session: Int32Array
}

/**
 * The model of a file's text.
 * @throws Fault WATCH_MODEL for text that is not canonical JSON of this form, for rows that do not add up, and for bets that are
 *   not fair: in every context the expected e-value of every stake must be at most 1.
 */
export function parseModel(text: string): Model {
  const file = parsedFile(text)
  const pool = tablesOf(file, file.pool, {})
  const purposes = Object.entries(file.purposes).map(
    ([purpose, rows]) => [purpose, tablesOf(file, file.pool, rows)] as const,
  )
  return { file, purposes: new Map(purposes), pool }
}

export function formatModel(file: ModelFile): string {
  return `${canonical(file)}\n`
}

function parsedFile(text: string): ModelFile {
  let file: ModelFile
  try {
    file = JSON.parse(text) as ModelFile
  } catch (cause) {
    throw new Fault("WATCH_MODEL", "the model file is not JSON", { cause })
  }
  const broken = brokenRule(file)
  if (broken !== null) throw new Fault("WATCH_MODEL", `the model file does not hold: ${broken}`)
  if (formatModel(file) !== text) throw new Fault("WATCH_MODEL", "the model file is not in canonical form")
  return file
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function isRow(row: unknown, size: number): row is number[] {
  if (!Array.isArray(row) || row.length !== size || !row.every(part => isSize(part) && part > 0)) return false
  return row.reduce((sum: number, part: number) => sum + part, 0) === whole
}

function isBet(rows: unknown, of: Alphabet): boolean {
  if (!Array.isArray(rows) || (rows.length !== 1 && rows.length !== contexts[of])) return false
  return rows.every(row => isRow(row, alphabet[of]))
}

/** What a grab is bet to look like after a context. */
export function betOf({ bets }: ModelFile, of: Alphabet, context: number): readonly number[] {
  return bets[of][context] ?? bets[of][0] ?? []
}

function isRows(rows: unknown, of: Alphabet): boolean {
  if (typeof rows !== "object" || rows === null) return false
  return Object.entries(rows).every(
    ([context, row]) =>
      /^(0|[1-9]\d{0,3})$/.test(context) && Number(context) < contexts[of] && isRow(row, alphabet[of]),
  )
}

/** Whether it asks somewhere, and before it suspends. */
export function isThresholds(given: Thresholds | undefined): boolean {
  return (
    isSize(given?.stepUp_micronats) &&
    isSize(given.suspend_micronats) &&
    0 < given.stepUp_micronats &&
    given.stepUp_micronats < given.suspend_micronats &&
    given.suspend_micronats <= 100_000_000
  )
}

const isLevels = (levels: unknown) =>
  Array.isArray(levels) &&
  levels.length === levelCount &&
  levels.every(
    (level, i) => Number.isSafeInteger(level) && Math.abs(level) < 1e9 && level >= levels[Math.max(0, i - 1)],
  )

interface ModelRule {
  readonly says: string
  readonly holds: (file: ModelFile) => boolean
}

/** What a model file must be, in the order judged. */
export const modelRules: readonly ModelRule[] = [
  { says: "it is of version 1", holds: file => file?.v === 1 },
  { says: "it says where it comes from", holds: file => typeof file.provenance?.trained_at === "string" },
  {
    says: "a step-up comes before a suspension",
    holds: ({ thresholds }) => isThresholds(thresholds?.person) && isThresholds(thresholds?.organization),
  },
  { says: "bets add up", holds: ({ bets }) => alphabets.every(each => isBet(bets?.[each], each)) },
  {
    says: "there are three stakes and the session's",
    holds: ({ micronats }) =>
      micronats?.stakes?.length === betCount && [...micronats.stakes, micronats.session].every(isLevels),
  },
  {
    says: "the pool has a row for each context",
    holds: ({ pool }) =>
      alphabets.every(
        each =>
          pool?.[each]?.length === contexts[each] && pool[each].every(row => isRow(row, alphabet[each])),
      ),
  },
  {
    says: "rows of each purpose add up",
    holds: ({ purposes }) =>
      typeof purposes === "object" &&
      purposes !== null &&
      Object.values(purposes).every(rows => alphabets.every(each => isRows(rows?.[each], each))),
  },
  { says: "shares add up", holds: ({ shares }) => isRow(shares, alphabet.order) },
  { says: "its bets are fair in every context", holds: file => unfairContext(file) === null },
]

function brokenRule(file: ModelFile): string | null {
  return modelRules.find(rule => !rule.holds(file))?.says ?? null
}

/** More than rounding can make of 1. */
const tolerance = 1e-9

/**
 * The first context in which the expected e-value of some stake is above 1, or `null`: Σ p · e over the alphabet, for every
 * row that evidence is ever taken from. A file that passes cannot gather evidence against people who are as it says.
 */
export function unfairContext(file: ModelFile): string | null {
  for (const each of alphabets) {
    const stakes = each === "session" ? [file.micronats.session] : file.micronats.stakes
    const rows = Object.entries(file.pool[each]).map(([context, row]) => ({ of: "pool", context, row }))
    for (const [of, own] of Object.entries(file.purposes))
      for (const [context, row] of Object.entries(own[each])) rows.push({ of, context, row })
    for (const { of, context, row } of rows)
      for (const levels of stakes)
        if (expectation(row, betOf(file, each, Number(context)), levels) > 1 + tolerance)
          return `${of} ${each} ${context}`
  }
  return null
}

/** Σ p · e of one row. */
export function expectation(
  row: readonly number[],
  bet: readonly number[],
  levels: readonly number[],
): number {
  return row.reduce((sum, part, symbol) => {
    const level = levelOf((bet[symbol] ?? 0) / part)
    return sum + (part / whole) * Math.exp((levels[level] ?? 0) / 1e6)
  }, 0)
}

type OwnRows = Partial<Readonly<Record<Alphabet, Rows>>>

function tablesOf(file: ModelFile, pool: ModelFile["pool"], own: OwnRows): Tables {
  const table = (each: Alphabet, stakes: readonly (readonly number[])[]) => {
    const values = pool[each].flatMap((pooled, context) => {
      const row = own[each]?.[String(context)] ?? pooled
      const bet = betOf(file, each, context)
      return row.flatMap((part, symbol) => {
        const level = levelOf((bet[symbol] ?? 0) / part)
        return stakes.map(levels => levels[level] ?? 0)
      })
    })
    return Int32Array.from(values)
  }
  const { stakes, session } = file.micronats
  return { order: table("order", stakes), roam: table("roam", stakes), session: table("session", [session]) }
}
