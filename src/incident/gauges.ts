import type { ClockFacts } from "./clock-facts.ts"
import type { Pack } from "./clock-pack.ts"
import { places } from "./clock-words.ts"
import type { Evaluation } from "./clocks.ts"
import { thresholdOf, type Condition } from "./conditions.ts"
import type { ScopeResult, Unit } from "./scope.ts"
import { crossingOf, intervalOf, seriesOf, thresholdState } from "./thresholds.ts"
import type { Bounds, Interval, Series, ThresholdState } from "./thresholds.ts"

/** How one threshold of the packs stands under the facts: what stands beside each number that a duty hangs on. */
export interface Gauge {
  /** A unit, or `residents of …`. */
  readonly of: string
  readonly threshold: number
  /** `pack/rule` of those that hang on it, and where the law says so. */
  readonly rules: readonly string[]
  readonly citations: readonly string[]
  /** `null` where nobody has counted. */
  readonly interval: Interval | null
  readonly state: ThresholdState | "unknown"
  /** YYYY-MM-DD, UTC: the first day by whose end it was crossed, and from which on it was possible; `null` where there is none, or `missing` says why. */
  readonly crossed_on: string | null
  readonly possible_from: string | null
  /** What is not known of it, as a sentence; `null` where nothing is. */
  readonly missing: string | null
}

/** How clocks and thresholds stand. */
export interface Standing extends Evaluation {
  readonly thresholds: readonly Gauge[]
}

/** Each threshold once, in the order of packs. @param series  of what left, by day. */
export function gaugesOf(packs: readonly Pack[], facts: ClockFacts, series: Series = {}): Gauge[] {
  const gauges = new Map<string, Gauge>()
  for (const pack of packs)
    for (const rule of pack.rules)
      for (const limit of limitsIn(rule.trigger)) {
        const gauge = gaugeOf(limit, facts, series)
        const key = `${gauge.of} ${gauge.threshold}`
        const { rules, citations } = gauges.get(key) ?? gauge
        gauges.set(key, {
          ...gauge,
          rules: [...new Set([...rules, `${pack.id}/${rule.id}`])],
          citations: [...new Set([...citations, rule.citation.text])],
        })
      }
  return [...gauges.values()]
}

type Counted = Extract<Condition, { readonly count: unknown } | { readonly residents: unknown }>

/** Every limit that a condition mentions, even where another part of it decides. */
function limitsIn(condition: Condition): Counted[] {
  if ("all" in condition) return condition.all.flatMap(limitsIn)
  if ("any" in condition) return condition.any.flatMap(limitsIn)
  if ("not" in condition) return limitsIn(condition.not)
  return "count" in condition || "residents" in condition ? [condition] : []
}

function gaugeOf(limit: Counted, facts: ClockFacts, series: Series): Gauge {
  const threshold = thresholdOf(limit)
  const of = "count" in limit ? limit.count : `residents of ${places[limit.residents]}`
  const bounds = "count" in limit ? facts.counts[limit.count] : facts.residents[limit.residents]
  const byDay = "count" in limit ? series[limit.count] : undefined
  const shared = { of, threshold, rules: [], citations: [], crossed_on: null, possible_from: null }
  if (bounds === undefined || bounds === null) {
    const missing =
      "count" in limit ? `nobody has counted ${of}` : `nobody has stated how many ${of} are concerned`
    return { ...shared, interval: null, state: "unknown", missing }
  }
  return { ...shared, ...countedTo(threshold, { of, bounds, byDay }) }
}

type Stands = Pick<Gauge, "interval" | "state" | "crossed_on" | "possible_from" | "missing">

/** How a unit of a result stands to a threshold: what anybody reckons again who has the result. */
export function standingTo(threshold: number, unit: Unit, result: ScopeResult): Stands {
  return countedTo(threshold, { of: unit, bounds: result.left[unit], byDay: seriesOf(result)[unit] })
}

function countedTo(
  threshold: number,
  { of, bounds, byDay }: { readonly of: string; readonly bounds: Bounds; readonly byDay: Series[Unit] },
): Stands {
  const interval = intervalOf(bounds)
  if (byDay !== undefined) return { interval, ...crossingOf(byDay, threshold), missing: null }
  const state = thresholdState(bounds, threshold)
  return { interval, state, crossed_on: null, possible_from: null, missing: `${of} are not counted by day` }
}
