import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import { Type } from "typebox"
import { utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import type { Calendar, Duration } from "./calendar.ts"
import { confidences, keysOf, moments, parties, roles } from "./clock-words.ts"
import type { Confidence, Moment, Party, Role } from "./clock-words.ts"
import type { Condition } from "./conditions.ts"
import type { Problem } from "./json-lines.ts"
import { packMisfits } from "./pack-rules.ts"
import { closed, date, fitter, id, line, nullable, oneOf, refuseProblems, word, zone } from "./shape.ts"

/** A clock pack: the duties of one body of law, as data with their sources (docs/formats/clock-pack.md). */

/** Local dates; `from` inclusive, `until` exclusive, `null`: not stated. */
export interface Effective {
  readonly from: string | null
  readonly until: string | null
}

/** Where a fact stands in the law; `read`: the month in which that source was read, YYYY-MM, or `null` where none was. */
export interface Citation {
  readonly text: string
  readonly read: string | null
  /** What was read: the text of the law, or who reports it. Missing: what was read is not kept. */
  readonly sources?: readonly Source[]
}

export interface Source {
  readonly title: string
  /** Of the text: YYYY, YYYY-MM or YYYY-MM-DD; `null` where it bears none. */
  readonly dated: string | null
  readonly address: string
}

/** Each part of a rule is known by its own source. */
export interface Confidences {
  readonly duty: Confidence
  readonly trigger: Confidence
  readonly starts: Confidence
  readonly duration: Confidence
  readonly contents: Confidence
}

export interface Recipient {
  readonly id: string
  readonly name: string
  /** Whose confirmation ends the clock: the receiver's own, or the carrier's where there are too many to answer. */
  readonly confirmed_by: "receiver" | "carrier"
}

export interface Rule {
  readonly id: string
  /** Rules of one duty are held against each other, in whichever packs they are. */
  readonly duty: string
  readonly title: string
  readonly citation: Citation
  readonly confidence: Confidences
  /** Missing: as the pack's. */
  readonly effective?: Effective
  /** Whose clock: these parties, where they are one of these; no roles: whatever they are. */
  readonly whose: { readonly parties: readonly Party[]; readonly roles: readonly Role[] }
  readonly trigger: Condition
  readonly starts: Moment
  readonly duration: Duration
  /** By whose clock days are counted: a zone, or the party's own. */
  readonly zone: string
  /** One of the pack's calendars; business days need it. */
  readonly calendar: string | null
  /** The clock is met when each of them has confirmed. */
  readonly recipients: readonly Recipient[]
  readonly contents: readonly string[]
  readonly note: string | null
}

/** Law that was looked at and has no clock of a breach. */
export interface WithoutClock {
  readonly title: string
  readonly citation: Citation
  readonly confidence: Confidence
  readonly why: string
}

export type PackCalendar = Calendar & { readonly citation: Citation; readonly confidence: Confidence }

export interface PackFile {
  readonly v: 1
  readonly id: string
  readonly version: number
  readonly title: string
  readonly effective: Effective
  readonly calendars: readonly PackCalendar[]
  readonly rules: readonly Rule[]
  readonly without_clock: readonly WithoutClock[]
}

export interface Pack extends PackFile {
  /** SHA-256 of the pack's canonical JSON (RFC 8785), lowercase hexadecimal. */
  readonly sha256: string
}

const whole = (least: number, most: number) => Type.Integer({ minimum: least, maximum: most })
const effective = closed({ from: nullable(date), until: nullable(date) })
const source = closed({
  title: line,
  dated: nullable(Type.String({ pattern: "^\\d{4}(-(0[1-9]|1[0-2])(-\\d\\d)?)?$" })),
  address: Type.String({ pattern: "^https?://[!-~]+$", maxLength: 400 }),
})
const citation = closed({
  text: line,
  read: nullable(Type.String({ pattern: "^\\d{4}-(0[1-9]|1[0-2])$" })),
  sources: Type.Optional(Type.Array(source, { minItems: 1, maxItems: 8 })),
})
const confidence = oneOf(keysOf(confidences))
const year = whole(1900, 2200)

const calendar = closed({
  id,
  citation,
  confidence,
  known: nullable(closed({ from: year, until: year })),
  observed: oneOf(["nearest_weekday", "same_day"]),
  holidays: Type.Array(Type.Unknown(), { maxItems: 64 }),
  days: Type.Array(date, { maxItems: 512, uniqueItems: true }),
})

const rule = closed({
  id,
  duty: id,
  title: line,
  citation,
  confidence: closed({
    duty: confidence,
    trigger: confidence,
    starts: confidence,
    duration: confidence,
    contents: confidence,
  }),
  effective: Type.Optional(effective),
  whose: closed({
    parties: Type.Array(oneOf(parties), { minItems: 1, maxItems: 3, uniqueItems: true }),
    roles: Type.Array(oneOf(keysOf(roles)), { maxItems: 16, uniqueItems: true }),
  }),
  trigger: Type.Unknown(),
  starts: oneOf(keysOf(moments)),
  duration: Type.Unknown(),
  zone,
  calendar: nullable(id),
  recipients: Type.Array(closed({ id: word, name: line, confirmed_by: oneOf(["receiver", "carrier"]) }), {
    minItems: 1,
    maxItems: 8,
  }),
  contents: Type.Array(line, { maxItems: 32 }),
  note: nullable(line),
})

const schema = closed({
  v: Type.Literal(1),
  id,
  version: whole(1, 1_000_000),
  title: line,
  effective,
  calendars: Type.Array(calendar, { maxItems: 16 }),
  rules: Type.Array(rule, { minItems: 1, maxItems: 256 }),
  without_clock: Type.Array(closed({ title: line, citation, confidence, why: line }), { maxItems: 64 }),
})

const fit = fitter<PackFile>({ schema, rules: packMisfits })

/** @param name  of the file, for the refusal. @throws Fault CLOCK_PACK with line and path. */
export function parsePack(text: string, name = "pack"): Pack {
  const fitted = fit(text)
  if ("problems" in fitted) refuseProblems("CLOCK_PACK", name, fitted.problems)
  return { ...fitted.value, sha256: bytesToHex(sha256(utf8(canonical(fitted.value)))) }
}

/** Everything that is wrong with a text of a pack, by line, at most 8. */
export function packProblems(text: string): readonly Problem[] {
  const fitted = fit(text)
  return "problems" in fitted ? fitted.problems : []
}
