import { sha256 } from "@noble/hashes/sha2.js"
import { hex, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { covers, wide_px, type Level } from "./level.ts"

/** Why images may leave or be looked at; a closed vocabulary, with usual and highest level. Free text is never a purpose. */
export const purposes = {
  "calibrate-reader": { usual: "L2", highest: "L2" },
  "repair-reader": { usual: "L1", highest: "L2" },
  "verify-reads": { usual: "L2", highest: "L2" },
  "dispute-crossing": { usual: "L2", highest: "L4" },
  audit: { usual: "L1", highest: "L4" },
  incident: { usual: "L2", highest: "L4" },
} as const satisfies Record<string, { readonly usual: Level; readonly highest: Level }>

export type Purpose = keyof typeof purposes

/** What a grant (for a vendor's person) or a case (for the agency's own) allows. Every field is a limit. */
export interface Terms {
  /** `release`: copies leave to a holder; `reveal`: one look at a time by the agency's own people. */
  readonly for: "release" | "reveal"
  readonly purpose: Purpose
  /** The number of the work order or case file. */
  readonly work_order: string
  /** The contract it rests on; `null` for a case. */
  readonly contract: string | null
  readonly holder: string
  /** Base64 of the Ed25519 key of the one device that may take the images, or `null` for any. */
  readonly device: string | null
  /** Lane ids, ascending, 1 to 64. */
  readonly lanes: readonly string[]
  /** Port-local hours of the day of capture: from ≤ hour < until, 0 to 24. */
  readonly hours: { readonly from: number; readonly until: number }
  /** Port-local dates of capture, both inclusive. */
  readonly dates: { readonly first: string; readonly last: string }
  readonly level: Level
  /** Absent for the close region: terms that were signed before there was another keep their digest. */
  readonly region?: "wide"
  /** `frozen`: only captures that were admitted before the approval; `open`: also those that come after it. */
  readonly selection: "frozen" | "open"
  /** The manifest: only these captures, ascending, 1 to 1,000; `null` for all that lanes, hours and dates select. */
  readonly captures: readonly string[] | null
  /** The budget: number of distinct images, 1 to 100,000. */
  readonly images: number
  /**
   * At most so many people: faces that the examinations found, added up over distinct images, 0 to 1,000,000. An image
   * that no face finder has looked at does not leave. `null`: people are not counted.
   */
  readonly people: number | null
  /** How often images leave in all, re-reading included: images to 10 × images; 3 × images unless agreed otherwise. */
  readonly releases: number
  /** RFC 3339 UTC. */
  readonly starts_at: string
  readonly ends_at: string
  /** RFC 3339 UTC: until when every copy must be destroyed; for a case, which leaves no copy, its end. */
  readonly destroy_by: string
  /** Commitment to a free-text comment, or `null`. */
  readonly comment_commitment: string | null
}

/** Lowercase hexadecimal SHA-256 of the terms' canonical JSON: what approvers sign. */
export function termsDigest(terms: Terms): string {
  return hex(sha256(utf8(canonical(terms))))
}

/** The rule that the terms break, as a sentence that says what would pass. */
interface TermsRule {
  readonly broken: string
  readonly holds: (terms: Terms, now_ms: number) => boolean
}

const day_ms = 86_400_000

/** In the order judged. */
export const termsRules: readonly TermsRule[] = [
  {
    broken: "a grant for release rests on a contract, a case for reveals on none",
    holds: t => (t.for === "release") === (t.contract !== null),
  },
  {
    broken: "the level is higher than the purpose allows (calibrate-reader, repair-reader, verify-reads: L2)",
    holds: t => covers(purposes[t.purpose].highest, t.level),
  },
  { broken: "level L0 shows no image; ask for L1 to L4", holds: t => t.level !== "L0" },
  {
    broken: "a wide region lies around plates: it goes with level L2 and no other",
    holds: t => t.region === undefined || t.level === "L2",
  },
  {
    broken: "lanes are named once each, in ascending order",
    holds: t => isAscending(t.lanes),
  },
  {
    broken: "hours run from a smaller to a larger hour of 0 to 24",
    holds: t => t.hours.from < t.hours.until,
  },
  {
    broken: "releases are at least as many as images, and at most ten times as many",
    holds: t => t.images <= t.releases && t.releases <= 10 * t.images,
  },
  {
    broken: "the manifest names each capture once, in ascending order, and not fewer than images",
    holds: t => t.captures === null || (isAscending(t.captures) && t.images <= t.captures.length),
  },
  { broken: "dates are real dates, the first not after the last", holds: t => areDates(t.dates) },
  { broken: "the end comes after the start", holds: t => Date.parse(t.starts_at) < Date.parse(t.ends_at) },
  { broken: "the end is in the future", holds: (t, now_ms) => now_ms < Date.parse(t.ends_at) },
  {
    broken: "a grant lasts at most 31 days",
    holds: t => Date.parse(t.ends_at) - Date.parse(t.starts_at) <= 31 * day_ms,
  },
  {
    broken: "copies are destroyed at the end, or at most 366 days after it",
    holds: t =>
      isWithin(Date.parse(t.destroy_by) - Date.parse(t.ends_at), t.for === "reveal" ? 0 : 366 * day_ms),
  },
]

/** Where terms go beyond what is usual, as sentences for whoever approves them. */
export function unusual(t: Terms): string[] {
  const { usual } = purposes[t.purpose]
  const days = (Date.parse(t.ends_at) - Date.parse(t.starts_at)) / day_ms
  const keeps = (Date.parse(t.destroy_by) - Date.parse(t.ends_at)) / day_ms
  return [
    ...(covers(usual, t.level) ? [] : [`level ${t.level}; usual for ${t.purpose} is ${usual}`]),
    ...(t.level === "L2" && t.region === undefined
      ? [
          `copies show what lies close around plates alone: where several holders put small ones together, a trace may name none of them; usual are ${wide_px.toLocaleString("en-US")} pixels`,
        ]
      : []),
    ...(t.selection === "open" ? ["captures that come after the approval count too; usual is frozen"] : []),
    ...(t.images > 200 ? [`${t.images} images; usual are at most 200`] : []),
    ...(t.releases > 3 * t.images
      ? [`${t.releases} releases; usual are three for each image: ${3 * t.images}`]
      : []),
    ...(days > 7 ? [`${Math.ceil(days)} days; usual are at most 7`] : []),
    ...(keeps > 30 ? [`copies are kept ${Math.ceil(keeps)} days after the end; usual are at most 30`] : []),
    ...(t.lanes.length > 4 ? [`${t.lanes.length} lanes; usual are at most 4`] : []),
  ]
}

/** The first rule that the terms break, as a sentence, or `null` when they hold together. */
export function brokenRule(terms: Terms, now_ms: number): string | null {
  return termsRules.find(rule => !rule.holds(terms, now_ms))?.broken ?? null
}

function isWithin(late_ms: number, most_ms: number): boolean {
  return 0 <= late_ms && late_ms <= most_ms
}

function isAscending(names: readonly string[]): boolean {
  return names.every((name, i) => i === 0 || name > (names[i - 1] ?? ""))
}

function areDates(dates: Terms["dates"]): boolean {
  return isDate(dates.first) && isDate(dates.last) && dates.first <= dates.last
}

function isDate(text: string): boolean {
  const time_ms = Date.parse(`${text}T00:00:00.000Z`)
  return Number.isFinite(time_ms) && new Date(time_ms).toISOString().slice(0, 10) === text
}
