import { assert } from "../fault.ts"
import { canonical } from "../canonical.ts"
import { thresholdWords } from "./clock-say.ts"
import { standingTo, type Gauge } from "./gauges.ts"
import { units, type Count, type ScopeResult } from "./scope.ts"

/**
 * The statement: sentences whose every number, date and name is a reference to a field of a document that anybody can hold
 * it against. Text alone never carries a digit, so a number without a source cannot be written.
 */

/** Where a reference comes from: the scope's result, this statement's own facts, clocks and thresholds, or a rule that is cited. */
export type Source = "scope" | "facts" | "clocks" | "thresholds" | "rule"

export interface Reference {
  /** `1`, `2`, …: as the sources' page numbers them. */
  readonly id: string
  /** As the sentences say it. */
  readonly text: string
  readonly source: Source
  /** JSON pointer (RFC 6901) into the source; for a rule its citation. */
  readonly at: string
  /** How the text is made of the value: see `said`. */
  readonly form: Form
  /** Singular and plural of what is counted; `null` where nothing is. */
  readonly unit: readonly [one: string, many: string] | null
  /** How it was counted, in the source's words; `null` where nothing was. */
  readonly how: string | null
}

/** `moment`: a time (RFC 3339 UTC) or a date, as people write it. */
export type Form = "bounds" | "number" | "moment" | "text" | "rule"

/** A piece of a sentence: words, a reference, or a field of the one letter that it is printed in. */
export type Piece = string | { readonly ref: string } | { readonly letter: LetterField }
export type LetterField = "code" | "hour" | "port" | "visible"

export interface Section {
  readonly heading: string
  /** Each sentence is a list of pieces. */
  readonly sentences: readonly (readonly Piece[])[]
}

export const audiences = ["press", "congress", "individuals"] as const
export type Audience = (typeof audiences)[number]

/** What people say of the incident and the log does not. Texts are one sentence each, or `null`: then it is said as unknown. */
export interface StatementFacts {
  readonly agency: string
  /** Where to ask: an address, a telephone number. */
  readonly contact: string
  /** Where a letter's code is checked. */
  readonly check_url: string
  readonly happened: string | null
  readonly doing: string | null
  /** Names of the ports, and of which organization each holder is, by their ids; of nobody else. */
  readonly names: Readonly<Record<string, string>>
}

/** One duty as the clocks have it. */
export interface ClockLine {
  readonly rule: string
  readonly citation: string
  /** Who must tell whom. */
  readonly party: string
  readonly recipient: string
  /** Whether its duty was found not to apply. */
  readonly triggered: boolean
  /** How it stands, in one sentence, with times by the clock of its zone. */
  readonly says: string
}

/** A number that a law names, and how what left stands to it. */
export interface ThresholdLine extends Gauge {
  /** How it stands, in one sentence: `thresholdWords` of the rest. */
  readonly says: string
}

/** The machine file: canonical JSON of this is what is signed. */
export interface Statement {
  readonly v: 1
  readonly format: "sallyport-statement/1"
  readonly incident: string
  /** RFC 3339 UTC: of the newest entry that it rests on. */
  readonly as_of: string
  readonly checkpoint: ScopeResult["checkpoint"]
  /** SHA-256 of canonical JSON, lowercase hexadecimal. */
  readonly scope: { readonly query_sha256: string; readonly result_sha256: string }
  readonly facts: StatementFacts
  readonly clocks: readonly ClockLine[]
  /** Missing in statements of before they were written. */
  readonly thresholds?: readonly ThresholdLine[]
  readonly references: readonly Reference[]
  readonly texts: Readonly<Record<Audience, readonly Section[]>>
}

export interface StatementAsk {
  readonly result: ScopeResult
  readonly scope: Statement["scope"]
  readonly as_of: string
  readonly facts: StatementFacts
  readonly clocks: readonly ClockLine[]
  readonly thresholds: readonly ThresholdLine[]
}

/** Gathers references while sentences are written; the same field is one reference. */
export class Sources {
  readonly references: Reference[] = []
  readonly #result: ScopeResult
  readonly #ask: StatementAsk

  constructor(ask: StatementAsk) {
    this.#ask = ask
    this.#result = ask.result
  }

  /** A count with its unit and bounds, of the scope's result. */
  count(at: string, unit: readonly [string, string]): Piece {
    const value = valueAt(this.#result, at) as Count
    return this.#add({ source: "scope", at, form: "bounds", unit, how: value.how })
  }

  /** A plain integer of the scope's result. */
  number(at: string, unit: readonly [string, string], how: string): Piece {
    return this.#add({ source: "scope", at, form: "number", unit, how })
  }

  text(source: "scope" | "facts" | "clocks" | "thresholds", at: string): Piece {
    return this.#add({ source, at, form: "text", unit: null, how: null })
  }

  moment(at: string): Piece {
    return this.#add({ source: "scope", at, form: "moment", unit: null, how: null })
  }

  rule(citation: string): Piece {
    return this.#add({ source: "rule", at: citation, form: "rule", unit: null, how: null })
  }

  #add(of: Omit<Reference, "id" | "text">): Piece {
    const held = this.references.find(each => each.source === of.source && each.at === of.at)
    if (held !== undefined) return { ref: held.id }
    const id = String(this.references.length + 1)
    this.references.push({ id, text: said(of, this.#ask), ...of })
    return { ref: id }
  }
}

/** What the reference's text must be by its source. @returns `null` where the source has no such field. */
export function textOf(reference: Omit<Reference, "id" | "text">, of: Documents): string | null {
  try {
    return said(reference, of)
  } catch {
    return null
  }
}

/** What of a statement does not follow from its sources, as a sentence; `null` where all of it does. */
export function brokenSource(statement: Statement, result: ScopeResult): string | null {
  const { references, facts, clocks, thresholds = [], texts } = statement
  const wrong = references.find(each => textOf(each, { result, facts, clocks, thresholds }) !== each.text)
  if (wrong !== undefined) return `reference ${wrong.id} says "${wrong.text}", and ${wrong.at} does not`
  const known = new Set(references.map(({ id }) => id))
  const pieces = Object.values(texts).flatMap(each => each.flatMap(({ sentences }) => sentences.flat()))
  for (const piece of pieces) {
    if (typeof piece === "string" && /\d/.test(piece)) return `"${piece}" has a number without a source`
    if (typeof piece === "object" && "ref" in piece && !known.has(piece.ref))
      return `a sentence names the reference ${piece.ref}, which is not there`
  }
  return brokenThreshold(thresholds, result)
}

/** Residents are stated by people: of these only the words are held against the rest. */
function brokenThreshold(thresholds: readonly ThresholdLine[], result: ScopeResult): string | null {
  const wrong = thresholds.find(line => {
    const unit = units.find(each => each === line.of)
    const counted = unit === undefined ? line : { ...line, ...standingTo(line.threshold, unit, result) }
    return canonical(counted) !== canonical(line) || thresholdWords(line) !== line.says
  })
  return wrong === undefined
    ? null
    : `${wrong.of} against ${numeral(wrong.threshold)} is "${wrong.says}", and the scope does not say so`
}

type Documents = Pick<StatementAsk, "result" | "facts" | "clocks" | "thresholds">

function said({ source, at, form, unit }: Omit<Reference, "id" | "text">, of: Documents): string {
  if (form === "rule") return at
  const documents = {
    scope: of.result,
    facts: of.facts,
    clocks: of.clocks,
    thresholds: of.thresholds,
    rule: {},
  }
  const value = valueAt(documents[source], at)
  if (form === "text" || form === "moment") {
    assert(typeof value === "string", `${at} is a text`)
    return form === "text" ? value : momentSaid(value)
  }
  assert(unit !== null, "what is counted has a unit")
  if (form === "number") {
    assert(typeof value === "number", `${at} is a number`)
    return `${numeral(value)} ${value === 1 ? unit[0] : unit[1]}`
  }
  return boundsSaid(value as Count, unit)
}

/** "At least … and at most …" in plain words; one number only where both bounds are it. */
export function boundsSaid({ at_least, at_most, estimate }: Count, unit: readonly [string, string]): string {
  const name = (n: number) => (n === 1 ? unit[0] : unit[1])
  if (at_least === at_most) return `exactly ${numeral(at_least)} ${name(at_least)}`
  const bounds = `at least ${numeral(at_least)} and at most ${numeral(at_most)} ${name(at_most)}`
  if (estimate === undefined) return bounds
  const { point, low, high } = estimate
  return `${bounds} (our best estimate is ${numeral(point)}, and it is likely between ${numeral(low)} and ${numeral(high)})`
}

const months = "January February March April May June July August September October November December".split(
  " ",
)

/** `2026-11-09`, or a time of that day in UTC, as "9 November 2026" and "9 November 2026, 16:21 UTC". */
export function momentSaid(text: string): string {
  const [, year, month, day, time] = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d:\d\d)[\d:.]*Z)?$/.exec(text) ?? []
  const name = months[Number(month) - 1]
  assert(name !== undefined, "a moment is a date or a time in UTC")
  return `${Number(day)} ${name} ${year}${time === undefined ? "" : `, ${time} UTC`}`
}

export function numeral(value: number): string {
  assert(Number.isSafeInteger(value) && value >= 0, "what is counted is a whole number")
  return value.toLocaleString("en-US")
}

/** RFC 6901. @throws where there is nothing. */
export function valueAt(document: unknown, pointer: string): unknown {
  const names = pointer.split("/").slice(1)
  return names.reduce<unknown>((value, name) => {
    const key = name.replaceAll("~1", "/").replaceAll("~0", "~")
    assert(typeof value === "object" && value !== null && Object.hasOwn(value, key), `${pointer} is there`)
    return (value as Record<string, unknown>)[key]
  }, document)
}

/** The text of an audience. Each reference is followed by its number in brackets, unless `marks` is `none`. */
export function textFor(
  statement: Statement,
  audience: Audience,
  marks: "numbers" | "none" = "numbers",
): string {
  const title = `${statement.facts.agency}: incident ${statement.incident}`
  const sections = statement.texts[audience].map(
    ({ heading, sentences }) =>
      `${heading.toUpperCase()}\n${sentences.map(sentence => sentenceSaid(statement, sentence, marks)).join("\n")}`,
  )
  const sources = marks === "none" ? [] : [`SOURCES\n${sourceLines(statement, audience).join("\n")}`]
  return `${[title, ...sections, ...sources].join("\n\n")}\n`
}

/** One sentence. A field of the letter stands as «field». */
export function sentenceSaid(
  { references }: Pick<Statement, "references">,
  sentence: readonly Piece[],
  marks: "numbers" | "none",
): string {
  return sentence
    .map(piece => {
      if (typeof piece === "string") return piece
      if ("letter" in piece) return `«${piece.letter}»`
      const { text, id } = references.find(each => each.id === piece.ref) ?? { text: "", id: "" }
      return marks === "none" ? text : `${text} [${id}]`
    })
    .join("")
}

/** A line for each reference that the audience's text uses: what it says, where it comes from, how it was counted. */
export function sourceLines(statement: Statement, audience: Audience): string[] {
  const pieces = statement.texts[audience].flatMap(({ sentences }) => sentences.flat())
  const used = new Set(
    pieces.flatMap(piece => (typeof piece === "object" && "ref" in piece ? [piece.ref] : [])),
  )
  return statement.references.filter(({ id }) => used.has(id)).map(each => sourceLine(statement, each))
}

function sourceLine({ scope }: Statement, { id, text, source, at, how }: Reference): string {
  const where =
    source === "scope"
      ? `scope result ${scope.result_sha256.slice(0, 16)}…, field ${at}`
      : source === "rule"
        ? "for counsel to confirm"
        : `this statement, ${source}${at}${source === "thresholds" ? ", for counsel to confirm" : ""}`
  return `[${id}] ${text}: ${where}${how === null ? "" : `. ${how}`}`
}
