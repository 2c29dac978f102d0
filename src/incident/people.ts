import type { Count } from "./scope.ts"
import type { Bounds } from "./occupancy.ts"
import { oddsOf, valuesOf, variancesOf, type LookErrors, type SameOdds } from "./looks.ts"
import { legendre } from "./quadrature.ts"

/** How many people are in a set of faces: an interval of 95 % from clusters that are wrong and a sample that was looked at. */

/** One sampled face: the machine's cluster, and what adjudicators said of the pairs they were shown. */
export interface Adjudicated {
  /** Whether it shows anybody: a face finder's box may hold a headrest. */
  readonly isFace: boolean
  /** Faces in its cluster, itself among them. */
  readonly clusterSize: number
  /** Of the others in its cluster. Where not all of them were shown, as if all had been. */
  readonly inside: Told
  /** Of its nearest neighbours in other clusters. */
  readonly outside: Told
}

export interface Told {
  readonly same: number
  readonly different: number
  /** Each makes the interval wider: the same at its lower end, different at its upper. */
  readonly unsure: number
}

export interface PeopleSample {
  /** Faces that were clustered, M, and clusters, K. */
  readonly faces: number
  readonly clusters: number
  /** Drawn uniformly from the faces, without replacement. */
  readonly sampled: readonly Adjudicated[]
  readonly errors: LookErrors
}

export interface Interval {
  readonly point: number
  readonly low: number
  readonly high: number
}

/** The fewest sampled faces of which an interval is made. */
export const leastSampled = 100

const z = 1.959964

/**
 * N = Σ 1/kᵢ over faces, kᵢ the faces of that same person (0 for what is no face); K = Σ 1/cᵢ, cᵢ the faces of its cluster. So
 * N̂ = K + M · mean(g(told) − 1/cᵢ) over the sample, g an unbiased 1/k where adjudicators err at the rates that controls
 * measured (`reciprocalOf`). Its variance: that of the sample with one observation of +½ and one of −½ more, since wrong
 * clusters are rare and a sample without one is no proof of none, less what was seen of the population; and, by the delta
 * method, that of each measured rate.
 * Source: reciprocal multiplicity, Sirken 1970; prediction-powered inference, Angelopoulos and others 2023; two
 * observations more, after Agresti and Coull 1998.
 * @returns `null` for fewer than `leastSampled`. Of whole people; `low` at least 1.
 */
export function estimateOf(sample: PeopleSample): Interval | null {
  const { faces, clusters, sampled, errors } = sample
  if (sampled.length < leastSampled) return null
  const values = valuesOf(errors)
  const ends = [0, 1].map(unsureAsSame => {
    const each = differencesOf(sample, values, unsureAsSame)
    const mean = meanOf(each)
    const seen = Math.max(0, 1 - sampled.length / faces)
    const variance = (spreadOf(each, mean) * seen) / sampled.length + rateVariance(sample, unsureAsSame)
    return { people: clusters + faces * mean, half: z * faces * Math.sqrt(variance) }
  })
  const [most, least] = ends as [(typeof ends)[number], (typeof ends)[number]]
  const whole = (people: number) => Math.max(1, Math.min(faces, people))
  return {
    point: whole(Math.round((least.people + most.people) / 2)),
    low: whole(Math.floor(least.people - least.half)),
    high: whole(Math.ceil(most.people + most.half)),
  }
}

/** g(told) − 1/c of each sampled face, at these rates. */
function differencesOf(
  { sampled, errors }: PeopleSample,
  values: readonly number[],
  unsureAsSame: number,
): number[] {
  const odds = oddsOf(values, errors.needed)
  // Most faces were told the same of.
  const known = new Map<string, number>()
  return sampled.map(each => {
    if (!each.isFace) return -1 / each.clusterSize
    const key = Object.values(each.inside).concat(Object.values(each.outside)).join()
    const reciprocal = known.get(key) ?? reciprocalOf(each, odds, unsureAsSame)
    known.set(key, reciprocal)
    return reciprocal - 1 / each.clusterSize
  })
}

/** The variance that a measured rate lends to the mean: (its slope)² × its own. */
function rateVariance(sample: PeopleSample, unsureAsSame: number): number {
  const values = valuesOf(sample.errors)
  const mean = meanOf(differencesOf(sample, values, unsureAsSame))
  return variancesOf(sample.errors).reduce((sum, variance, i) => {
    if (variance === 0) return sum
    const step = (values[i] ?? 0) > 0.5 ? -1e-3 : 1e-3
    const moved = values.map((value, j) => (j === i ? value + step : value))
    const slope = (meanOf(differencesOf(sample, moved, unsureAsSame)) - mean) / step
    return sum + slope * slope * variance
  }, 0)
}

function meanOf(list: readonly number[]): number {
  return list.reduce((sum, value) => sum + value, 0) / list.length
}

function spreadOf(list: readonly number[], mean: number): number {
  const squares = list.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return (squares + (0.5 - mean) ** 2 + (0.5 + mean) ** 2) / (list.length + 1)
}

/** Exact for persons of up to 32 faces; far beyond, 1/k is as good as nothing. */
const places = legendre(16)

/**
 * An unbiased estimate of 1/k from what was told. With z(x) = (x − 1 + found) ÷ found for each of the two kinds of pairs,
 * g = ∫₀¹ Π z^same ÷ (1 − mistaken + mistaken · z)^different dx: its mean over misses and mistakes is ∫ x^(k−1) dx = 1/k.
 * Without errors it is 1 ÷ (1 + same).
 * @param unsureAsSame  the share of unsure pairs that count as the same.
 */
export function reciprocalOf({ inside, outside }: Adjudicated, odds: SameOdds, unsureAsSame: number): number {
  const kinds = [
    { told: inside, found: odds.foundInside, mistaken: odds.mistakenInside },
    { told: outside, found: odds.foundOutside, mistaken: odds.mistakenOutside },
  ]
  return places.at.reduce((sum, x, i) => {
    const product = kinds.reduce((value, { told, found, mistaken }) => {
      const unsure = told.unsure * unsureAsSame
      const [same, different] = [told.same + unsure, told.different + told.unsure - unsure]
      const at = (x - 1 + found) / found
      return (value * at ** same) / (1 - mistaken + mistaken * at) ** different
    }, 1)
    return sum + (places.weights[i] ?? 0) * product
  }, 0)
}

/**
 * The count for a scope: bounds that always hold, and the estimate between them.
 * @param unclustered  faces that were never clustered (too small), and undetermined images at their fullest: nobody knows
 * whether they show somebody new, so the estimate's upper end rises by all of them.
 */
export function peopleCount(
  bounds: Bounds,
  {
    interval,
    unclustered,
    method,
  }: { readonly interval: Interval | null; readonly unclustered: number; readonly method: string },
): Count {
  const how =
    "Everybody in every image is somebody else, at most; seen at one time in places apart, at least."
  if (interval === null) return { ...bounds, how }
  const { at_least, at_most } = bounds
  const within = (people: number) => Math.max(at_least, Math.min(at_most, people))
  const [low, high] = [within(interval.low), within(interval.high + unclustered)]
  return { ...bounds, how, estimate: { point: within(interval.point), low, high, method } }
}
