import { createHash } from "node:crypto"
import { canonical } from "../src/canonical.ts"
import { thresholdWords } from "../src/incident/clock-say.ts"
import { standingTo, type Gauge } from "../src/incident/gauges.ts"
import { units, type Count, type Counts, type ScopeResult, type Unit } from "../src/incident/scope.ts"
import type { ClockLine, StatementAsk, StatementFacts, ThresholdLine } from "../src/incident/statement.ts"

/** A scope as `custody/scope.ts` answers it, of a breach that never was. */

export function exactly(n: number): Count {
  return { at_least: n, at_most: n, how: "Counted from the log." }
}

export function counts(changed: Partial<Record<Unit, Count>> = {}, each: Count = exactly(0)): Counts {
  return { ...(Object.fromEntries(units.map(unit => [unit, each])) as Counts), ...changed }
}

export function scopeResult(changed: Partial<ScopeResult> = {}): ScopeResult {
  const part = (key: string, images: number) => ({ key, images, files: images })
  const people = {
    ...{ at_least: 604, at_most: 3_680, how: "Faces that were found, and pictures without any." },
    estimate: { point: 1_120, low: 1_090, high: 1_150, method: "sampling" },
  }
  return {
    ...{ v: 1, incident: "inc_01KB0000000000000000000000" },
    query: {
      cause: { of: "organizations", organizations: ["org_01KB0000000000000000000000"] },
      ...{ from: "2018-11-02T00:00:00Z", until: "2019-05-13T00:00:00Z" },
    },
    checkpoint: { origin: "sallyport.example/test", size: 41_220, root: "ab".repeat(32) },
    left: counts({
      ...{ files: exactly(1_903), images: exactly(1_840), people },
      plates: { at_least: 900, at_most: 1_012, how: "Reads of one plate are one." },
    }),
    left_by: {
      ...{ port: [part("prt_01KB0000000000000000000000", 1_840)], lane: [part("lan_1", 1_840)] },
      capture_day: [part("2018-12-15", 840), part("2018-11-03", 1_000)],
      release_day: [part("2019-01-08", 1_840)],
      both_days: [{ captured: "2018-11-03", released: "2019-01-08", images: 1_000 }],
      level: [part("L2", 1_800), part("L4", 40)],
      holder: [part("per_01KB0000000000000000000000", 1_840)],
    },
    left_series: [
      {
        day: "2019-01-07",
        images: { at_least: 1_300, at_most: 1_300 },
        people: { at_least: 500, at_most: 2_600 },
      },
      {
        day: "2019-01-08",
        images: { at_least: 1_840, at_most: 1_840 },
        people: { at_least: 604, at_most: 3_680 },
      },
    ],
    refused: counts({ images: exactly(212) }),
    takeable: counts({ images: exactly(60) }),
    live_grants: [{ grant: "grt_1", holder: "per_1", images_left: 60, takeable: 60 }],
    window_30d: { narrower: 1_700, wider: 1_990 },
    unknowns: [
      { what: "screens", sentence: "Nobody can see whether a screen was photographed.", count: null },
      { what: "before_sallyport", sentence: "What left before the first entry is not known.", count: null },
    ],
    ids_sha256: { left: "0".repeat(64), refused: "1".repeat(64), takeable: "2".repeat(64) },
    canaries_left: [],
    engines: [
      { name: "bitmaps", left: 1_840, refused: 212, takeable: 60 },
      { name: "sql", left: 1_840, refused: 212, takeable: 60 },
    ],
    ...changed,
  }
}

export const facts: StatementFacts = {
  agency: "Border Agency",
  contact: "privacy@agency.example",
  check_url: "https://agency.example/notice",
  happened: "A contractor copied pictures to its own network and was then broken into.",
  doing: "We ended all of its grants.",
  names: { prt_01KB0000000000000000000000: "Port One" },
}

export const clocks: readonly ClockLine[] = [
  {
    ...{ rule: "dhs/hsar-1h", citation: "HSAR 3052.204-72(c)", party: "subcontractor" },
    ...{ recipient: "the agency", triggered: true, says: "missed by 18 d, not confirmed by agency" },
  },
  {
    ...{ rule: "tx/individuals", citation: "Tex. Bus. & Com. 521.053", party: "agency", recipient: "people" },
    ...{ triggered: false, says: "not triggered, because no name came with the pictures" },
  },
]

/** Of people as the result counts them, and of residents whom nobody has stated. */
export function thresholdsOf(result: ScopeResult): readonly ThresholdLine[] {
  const missing = "nobody has stated how many residents of Arizona are concerned"
  const open = { interval: null, state: "unknown", crossed_on: null, possible_from: null, missing } as const
  const gauges: readonly Gauge[] = [
    {
      ...{
        of: "people",
        threshold: 1_001,
        rules: ["nm/authorities"],
        citations: ["New Mexico Statutes 57-12C", "Another Code"],
      },
      ...standingTo(1_001, "people", result),
    },
    {
      ...{ of: "residents of Arizona", threshold: 1, rules: ["az/authorities"] },
      ...{ citations: ["Arizona Revised Statutes 18-552"], ...open },
    },
  ]
  return gauges.map(each => ({ ...each, says: thresholdWords(each) }))
}

export const digestOf = (value: unknown) => createHash("sha256").update(canonical(value)).digest("hex")

export function statementAsk(changed: Partial<StatementAsk> = {}): StatementAsk {
  const result = changed.result ?? scopeResult()
  const scope = { query_sha256: digestOf(result.query), result_sha256: digestOf(result) }
  const thresholds = thresholdsOf(result)
  return { result, scope, as_of: "2026-11-27T14:03:00Z", facts, clocks, thresholds, ...changed }
}
