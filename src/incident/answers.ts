import { Type, type Static } from "typebox"
import { Compile } from "typebox/compile"
import { keyOf } from "./adjudication.ts"
import type { Pair, Plan } from "./plan-shape.ts"
import { errorsOf, type Control, type Controls, type Dependence, type LooksNeeded } from "./looks.ts"
import { estimateOf, type Adjudicated, type Interval, type Told } from "./people.ts"

/** What adjudicators said of a plan's pairs: who is asked what next, how each pair ends, and what the sample says. */

/** "no-face": what is shown as the pair's subject is nobody. */
export const answerWords = ["same", "different", "unsure", "no-face"] as const
export type AnswerWord = (typeof answerWords)[number]

const answerShape = Type.Object(
  {
    subject: Type.String({ minLength: 1, maxLength: 200 }),
    other: Type.String({ minLength: 1, maxLength: 200 }),
    /** Who says so; two people of one name are one. */
    by: Type.String({ minLength: 1, maxLength: 100 }),
    answer: Type.Union([
      Type.Literal("same"),
      Type.Literal("different"),
      Type.Literal("unsure"),
      Type.Literal("no-face"),
    ]),
  },
  { additionalProperties: false },
)

export type Answer = Static<typeof answerShape>

const isAnswer = Compile(answerShape)

/** An answer out of JSON, or `null`. */
export function answerFrom(value: unknown): Answer | null {
  return isAnswer.Check(value) ? value : null
}

/** What one person said of pairs, by their places in the plan; a place that it does not have says nothing. */
export function saidIn(
  plan: Plan,
  by: string,
  answers: readonly { readonly pair: number; readonly answer: AnswerWord }[],
): Answer[] {
  return answers.flatMap(({ pair, answer }) => {
    const named = plan.pairs[pair]
    return named === undefined ? [] : [{ subject: named.subject, other: named.other, by, answer }]
  })
}

/** Answers by pair and person, the newest of each person. */
export class Answers {
  readonly #of = new Map<string, Map<string, AnswerWord>>()
  readonly #noFace = new Map<string, Set<string>>()

  constructor(answers: Iterable<Answer> = []) {
    for (const answer of answers) this.add(answer)
  }

  add(answer: Answer): void {
    const key = keyOf(answer)
    const said = this.#of.get(key) ?? new Map<string, AnswerWord>()
    this.#of.set(key, said.set(answer.by, answer.answer))
    const sayers = this.#noFace.get(answer.subject) ?? new Set<string>()
    if (answer.answer === "no-face") this.#noFace.set(answer.subject, sayers.add(answer.by))
    else sayers.delete(answer.by)
  }

  /** In the order in which each person first answered. */
  of(pair: Pair): ReadonlyMap<string, AnswerWord> {
    return this.#of.get(keyOf(pair)) ?? new Map<string, AnswerWord>()
  }

  /** Who says, last of this subject, that it shows nobody. They are not asked of it again. */
  noFace(subject: string): ReadonlySet<string> {
    return this.#noFace.get(subject) ?? new Set<string>()
  }
}

/** What the machine says of a pair; of a control, what a duplicate or foil in two clusters would be taken for. */
function machineWord({ kind, own }: Pair): AnswerWord {
  return (own ?? kind) === "inside" ? "same" : "different"
}

function isControl({ kind }: Pair): boolean {
  return kind === "duplicate" || kind === "foil"
}

/**
 * How a pair ends, or `null` while somebody has yet to look. Where two are needed, an answer against the machine counts
 * once a second person has given it too; against one who agrees with the machine it does not.
 */
export function outcomeOf(pair: Pair, said: readonly AnswerWord[], needed: LooksNeeded): AnswerWord | null {
  const [first, second] = said
  if (first === undefined) return null
  const machine = machineWord(pair)
  if (needed === 1 || first === machine) return first
  if (second === undefined) return null
  if (second === machine) return machine
  return first === second ? first : "unsure"
}

/** Whether this pair is for `by` to look at. Controls are for both, so that the second look is not at doubts alone. */
function isFor(pair: Pair, answers: Answers, { by, needed }: Asked): boolean {
  const said = answers.of(pair)
  const nobody = answers.noFace(pair.subject)
  if (said.has(by) || nobody.has(by) || nobody.size >= needed) return false
  if (said.size === 0) return true
  const words = [...said.values()]
  return needed === 2 && words.length === 1 && (isControl(pair) || outcomeOf(pair, words, 2) === null)
}

export interface Asked {
  readonly by: string
  readonly needed: LooksNeeded
}

/** The first pair of the plan, from place `from` on, for `by` to look at; `null` when there is none. */
export function nextFor(
  plan: Plan,
  answers: Answers,
  asked: Asked & { readonly from?: number },
): number | null {
  for (let nth = asked.from ?? 0; nth < plan.pairs.length; nth += 1) {
    const pair = plan.pairs[nth]
    if (pair !== undefined && isFor(pair, answers, asked)) return nth
  }
  return null
}

/** What is known so far. */
export interface Findings {
  /** The plan's first sampled faces, as far as every pair of theirs has ended: a uniform sample of that many. */
  readonly sampled: readonly Adjudicated[]
  readonly controls: Omit<Controls, "searched">
  /** Of the sampled: in a group too large to be shown whole, and the same as few of what was shown. How many faces its person has is a guess. */
  readonly unresolved: number
  /** Pairs without an end. */
  readonly open: number
  readonly agreement: Agreement
}

/** What two people said of the same controls. */
export interface Agreement {
  readonly pairs: number
  readonly agreed: number
  /** Cohen 1960: (observed − by chance) ÷ (1 − by chance); `null` for no pair, or where chance alone agrees always. */
  readonly kappa: number | null
}

export function findingsOf(plan: Plan, answers: Answers, needed: LooksNeeded): Findings {
  const words = (pair: Pair) => [...answers.of(pair).values()]
  const isNobody = (face: string) => answers.noFace(face).size >= needed
  const controlsOf = (kind: Pair["kind"]) => {
    return controlOf(plan.pairs.filter(pair => pair.kind === kind).map(words), kind, needed)
  }
  const isOpen = (pair: Pair) => {
    if (isNobody(pair.subject)) return false
    return isControl(pair) ? words(pair).length < needed : outcomeOf(pair, words(pair), needed) === null
  }
  const sampled = adjudicated(plan, pair => outcomeOf(pair, words(pair), needed), isNobody)
  return {
    sampled: sampled.map(scaled),
    unresolved: sampled.filter(isUnresolved).length,
    controls: { duplicates: controlsOf("duplicate"), foils: controlsOf("foil") },
    open: plan.pairs.filter(isOpen).length,
    agreement: agreementOf(plan.pairs.filter(isControl).map(words)),
  }
}

/** The interval that the findings so far give, or `null` while controls or sampled faces are too few, or where the machine has told too few apart. */
export function intervalOf(
  { faces, clusters }: Plan,
  { sampled, controls, unresolved }: Findings,
  of: {
    readonly needed: LooksNeeded
    readonly dependence: Dependence
    readonly searched: Controls["searched"]
  },
): Interval | null {
  if (unresolved > mostUnresolved * sampled.length) return null
  const errors = errorsOf({ ...controls, searched: of.searched }, of.needed, of.dependence)
  return errors === null ? null : estimateOf({ faces, clusters, sampled, errors })
}

function controlOf(all: readonly AnswerWord[][], kind: Pair["kind"], needed: LooksNeeded): Control {
  const wrong: AnswerWord = kind === "duplicate" ? "different" : "same"
  const done = all
    .map(said => said.slice(0, needed))
    .filter(said => said.length === needed && said.every(word => word === "same" || word === "different"))
  return {
    pairs: done.length,
    looks: done.length * needed,
    wrong: done.flat().filter(word => word === wrong).length,
    bothWrong: done.filter(said => said.every(word => word === wrong)).length,
  }
}

/** The pairs of each sampled face: those it was shown with, and those that another sampled face was shown with. */
function adjudicated(
  plan: Plan,
  endOf: (pair: Pair) => AnswerWord | null,
  isNobody: (face: string) => boolean,
): Adjudicated[] {
  const pairs = new Map(plan.sampled.map(({ face }) => [face, [] as Pair[]]))
  for (const pair of plan.pairs) {
    if (isControl(pair) && pair.own === undefined) continue
    pairs.get(pair.subject)?.push(pair)
    pairs.get(pair.other)?.push(pair)
  }
  const all: Adjudicated[] = []
  for (const { face, cluster_size } of plan.sampled) {
    // With somebody who shows nobody it has nothing in common.
    const own = (pairs.get(face) ?? []).map(pair => {
      return { kind: pair.own ?? pair.kind, end: isNobody(pair.subject) ? "different" : endOf(pair) }
    })
    if (own.some(({ end }) => end === null)) break
    const told = (kind: Pair["kind"]): Told => {
      const ends = own
        .filter(pair => pair.kind === kind)
        .map(({ end }) => (end === "no-face" ? "different" : end))
      const count = (word: AnswerWord) => ends.filter(end => end === word).length
      return { same: count("same"), different: count("different"), unsure: count("unsure") }
    }
    const isFace = !isNobody(face)
    all.push({ isFace, clusterSize: cluster_size, inside: told("inside"), outside: told("outside") })
  }
  return all
}

/** Of what is shown of a large group, the share from which on it is taken for one person's, and the most sampled faces below it. */
const [mostlyOne, mostUnresolved] = [2 / 3, 0.02]

function isUnresolved({ inside, clusterSize, isFace }: Adjudicated): boolean {
  const shown = inside.same + inside.different + inside.unsure
  return isFace && shown < clusterSize - 1 && inside.same < mostlyOne * shown
}

/** Where a cluster is larger than what is shown of it, the rest is as what was shown. */
function scaled(each: Adjudicated): Adjudicated {
  const { same, different, unsure } = each.inside
  const [shown, others] = [same + different + unsure, each.clusterSize - 1]
  if (shown === others || shown === 0) return each
  const as = (count: number) => Math.round((count * others) / shown)
  const [scaledSame, scaledUnsure] = [as(same), as(unsure)]
  const rest = Math.max(0, others - scaledSame - scaledUnsure)
  return { ...each, inside: { same: scaledSame, unsure: scaledUnsure, different: rest } }
}

function agreementOf(all: readonly AnswerWord[][]): Agreement {
  const both = all.filter(said => said.length >= 2)
  const agreed = both.filter(([a, b]) => a === b).length
  if (both.length === 0) return { pairs: 0, agreed: 0, kappa: null }
  const share = (who: 0 | 1, word: AnswerWord) => both.filter(said => said[who] === word).length / both.length
  const byChance = answerWords.reduce((sum, word) => sum + share(0, word) * share(1, word), 0)
  const kappa = byChance === 1 ? null : (agreed / both.length - byChance) / (1 - byChance)
  return { pairs: both.length, agreed, kappa }
}
