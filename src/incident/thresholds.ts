import { Fault } from "../fault.ts"
import type { Count, ScopeResult, Unit } from "./scope.ts"

/** A count with its bounds: of a scope, or as somebody states it. `estimate` is an interval of 95 %. */
export interface Bounds extends Pick<Count, "at_least" | "at_most"> {
  readonly estimate?: { readonly low: number; readonly high: number } | undefined
}

export const thresholdStates = ["crossed", "possible", "unlikely", "not"] as const
export type ThresholdState = (typeof thresholdStates)[number]

/** L0 ≤ L95 ≤ U95 ≤ U0. */
export interface Interval {
  readonly l0: number
  readonly l95: number
  readonly u95: number
  readonly u0: number
}

/** An estimate never says more than the bounds that always hold: it is cut to them. Without one, L95 = L0 and U95 = U0. */
export function intervalOf({ at_least, at_most, estimate }: Bounds): Interval {
  const within = (value: number) => Math.min(at_most, Math.max(at_least, value))
  return {
    l0: at_least,
    l95: estimate === undefined ? at_least : within(estimate.low),
    u95: estimate === undefined ? at_most : within(estimate.high),
    u0: at_most,
  }
}

/**
 * How a count stands to a threshold T: crossed if L95 ≥ T, not if U0 < T, unlikely if U95 < T ≤ U0, else possible.
 * @param threshold  the least count that crosses it; for "more than 1,000" it is 1,001.
 */
export function thresholdState(bounds: Bounds, threshold: number): ThresholdState {
  const { l95, u95, u0 } = intervalOf(bounds)
  if (l95 >= threshold) return "crossed"
  if (u0 < threshold) return "not"
  return u95 < threshold ? "unlikely" : "possible"
}

/** A day's count of all that had left by its end. */
export interface Cumulative {
  /** YYYY-MM-DD, UTC. */
  readonly day: string
  readonly bounds: Bounds
}

export interface Crossing {
  readonly state: ThresholdState
  /** The first day whose cumulative L95 reaches the threshold. */
  readonly crossed_on: string | null
  /** The first day on which it could have been reached: U0 ≥ T. */
  readonly possible_from: string | null
}

/**
 * When a growing count crossed a threshold, and how it stands after the last day; an empty series is a count of nothing.
 * @param series  by day, ascending. @throws Fault INVALID where days do not ascend.
 */
export function crossingOf(series: readonly Cumulative[], threshold: number): Crossing {
  series.forEach(({ day }, i) => {
    const before = series[i - 1]
    if (before !== undefined && before.day >= day)
      throw new Fault("INVALID", `the days of a series ascend, and ${day} stands after ${before.day}`)
  })
  const last = series.at(-1)?.bounds ?? { at_least: 0, at_most: 0 }
  const firstWith = (holds: (interval: Interval) => boolean) =>
    series.find(({ bounds }) => holds(intervalOf(bounds)))?.day ?? null
  return {
    state: thresholdState(last, threshold),
    crossed_on: firstWith(({ l95 }) => l95 >= threshold),
    possible_from: firstWith(({ u0 }) => u0 >= threshold),
  }
}

/** Cumulative counts of the units that are counted by day. */
export type Series = { readonly [U in Unit]?: readonly Cumulative[] }

/**
 * What had left by day, as a result has it. An estimate is of all that left: who had left by an earlier day are no more than its upper end, and
 * no fewer than its lower end less those who can have come since, which are at most as many as U0 grew by.
 */
export function seriesOf({ left, left_series }: Pick<ScopeResult, "left" | "left_series">): Series {
  if (left_series === undefined) return {}
  const { at_most, estimate } = left.people
  const people = left_series.map(({ day, people }) => {
    if (estimate === undefined) return { day, bounds: people }
    const low = Math.max(0, estimate.low - (at_most - people.at_most))
    return { day, bounds: { ...people, estimate: { low, high: estimate.high } } }
  })
  return { people, images: left_series.map(({ day, images }) => ({ day, bounds: images })) }
}
