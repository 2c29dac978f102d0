import type { ClockFacts } from "./clock-facts.ts"
import type { Pack } from "./clock-pack.ts"
import { places } from "./clock-words.ts"
import { thresholdOf, type Condition } from "./conditions.ts"
import { intervalOf, thresholdState, type Interval, type ThresholdState } from "./thresholds.ts"

/** How one threshold of the packs stands under the facts: what stands beside each number that a duty hangs on. */
export interface Gauge {
  /** A unit, or `residents of …`. */
  readonly of: string
  readonly threshold: number
  /** `pack/rule` of those that hang on it. */
  readonly rules: readonly string[]
  /** `null` where nobody has counted. */
  readonly interval: Interval | null
  readonly state: ThresholdState | "unknown"
}

/** Each threshold once, in the order of packs. */
export function gaugesOf(packs: readonly Pack[], facts: ClockFacts): Gauge[] {
  const gauges = new Map<string, Gauge>()
  for (const pack of packs)
    for (const rule of pack.rules)
      for (const limit of limitsIn(rule.trigger)) {
        const gauge = gaugeOf(limit, facts)
        const key = `${gauge.of} ${gauge.threshold}`
        const name = `${pack.id}/${rule.id}`
        const before = gauges.get(key)?.rules ?? []
        gauges.set(key, { ...gauge, rules: before.includes(name) ? before : [...before, name] })
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

function gaugeOf(limit: Counted, facts: ClockFacts): Gauge {
  const threshold = thresholdOf(limit)
  const of = "count" in limit ? limit.count : `residents of ${places[limit.residents]}`
  const bounds = "count" in limit ? facts.counts[limit.count] : facts.residents[limit.residents]
  const shared = { of, threshold, rules: [] }
  if (bounds === undefined || bounds === null) return { ...shared, interval: null, state: "unknown" }
  return { ...shared, interval: intervalOf(bounds), state: thresholdState(bounds, threshold) }
}
