import { biases, emphases, weights, type Emphasis } from "./code.ts"
import type { Codeword } from "./embed.ts"

/** What a leaked picture says of each chip of its original: above 0 for 1, below for 0. Made without any holder's chips. */
export type Evidence = Float32Array

export interface Score {
  /** Σ evidence · weight of the chip. */
  readonly sum: number
  /** Its variance over chips that had no part in the leak. */
  readonly variance: number
}

/** How much speaks for a codeword, by each emphasis. Costs about 3 ns a chip. */
export function scoresOf(evidence: Evidence, { biases: bias, chips }: Codeword): Record<Emphasis, Score> {
  const sums: [number, number, number] = [0, 0, 0]
  const squares: [number, number, number] = [0, 0, 0]
  for (let i = 0; i < evidence.length; i += 1) {
    const z = evidence[i] as number
    if (z === 0) continue
    const which = bias[i] as 0 | 1 | 2
    sums[which] += z * ((weights[which] as readonly [number, number])[chips[i] as number] as number)
    squares[which] += z * z
  }
  const by = ([low, middle, high]: readonly [number, number, number]) => {
    return {
      sum: low * sums[0] + middle * sums[1] + high * sums[2],
      variance: low ** 2 * squares[0] + middle ** 2 * squares[1] + high ** 2 * squares[2],
    }
  }
  return { all: by(emphases.all), rarer: by(emphases.rarer) }
}

/** Evidence with the biases that it is judged by. */
export interface Judged {
  readonly evidence: Evidence
  readonly biases: Uint8Array
}

/**
 * log₁₀ of an upper bound of the probability that chips drawn by the biases, independent of the evidence, reach `sum`:
 * min over λ > 0 of exp(−λ sum) Π [p exp(λ z g(1)) + (1 − p) exp(λ z g(0))], z with its emphasis. It holds for every λ, so
 * that no search for the best one can make it wrong; at most 0. Source: Chernoff 1952; the proof stands in docs/formats/mark.md.
 * Costs about 60 ns a chip for each of up to 40 steps.
 */
export function log10Bound(parts: readonly Judged[], sum: number, emphasis: Emphasis = "all"): number {
  if (!(sum > 0)) return 0
  const factors = emphases[emphasis]
  const variance = parts.reduce(
    (all, { evidence, biases: bias }) =>
      all + evidence.reduce((v, z, i) => v + (z * factors[bias[i] as 0 | 1 | 2]) ** 2, 0),
    0,
  )
  if (!(variance > 0)) return 0
  let [low, high] = [0, Infinity]
  let lambda = sum / variance
  let best = 0
  for (let step = 0; step < 40; step += 1) {
    const { value, slope, bend } = exponent(parts, factors, lambda)
    best = Math.min(best, value - lambda * sum)
    const excess = slope - sum
    if (Math.abs(excess) < 1e-6 * sum) break
    if (excess < 0) low = lambda
    else high = lambda
    const newton = lambda - excess / bend
    lambda = newton > low && newton < high ? newton : high === Infinity ? 2 * lambda : (low + high) / 2
  }
  return best / Math.LN10
}

/** Σ log [p exp(λ z g(1)) + (1 − p) exp(λ z g(0))], and its first two derivatives by λ. */
function exponent(
  parts: readonly Judged[],
  factors: readonly [number, number, number],
  lambda: number,
): { value: number; slope: number; bend: number } {
  let [value, slope, bend] = [0, 0, 0]
  for (const { evidence, biases: bias } of parts) {
    for (let i = 0; i < evidence.length; i += 1) {
      const which = bias[i] as 0 | 1 | 2
      const z = (evidence[i] as number) * factors[which]
      if (z === 0) continue
      const p = biases[which]
      const [g0, g1] = weights[which] as readonly [number, number]
      const [a, b] = [z * g0, z * g1]
      const most = Math.max(lambda * a, lambda * b)
      const none = (1 - p) * Math.exp(lambda * a - most)
      const one = p * Math.exp(lambda * b - most)
      const share = one / (one + none)
      value += most + Math.log(one + none)
      slope += a + share * (b - a)
      bend += share * (1 - share) * (b - a) ** 2
    }
  }
  return { value, slope, bend }
}

/** How much speaks for somebody, by the emphasis by which it is most. */
export interface Strongest {
  /** At most 0. */
  readonly log10_bound: number
  /** The score in standard deviations of chips that had no part. */
  readonly deviations: number
  readonly emphasis: Emphasis
}

/** Below so many deviations no bound comes near: the search for it is spared. */
const leastDeviations = 3

/** @param parts  evidence of different originals, with his codeword of each. */
export function strongest(
  parts: readonly { readonly evidence: Evidence; readonly codeword: Codeword }[],
): Strongest {
  const scores = parts.map(({ evidence, codeword }) => scoresOf(evidence, codeword))
  const judged = parts.map(({ evidence, codeword: { biases: bias } }) => ({ evidence, biases: bias }))
  return (Object.keys(emphases) as Emphasis[])
    .map(emphasis => {
      const sum = scores.reduce((all, each) => all + each[emphasis].sum, 0)
      const variance = scores.reduce((all, each) => all + each[emphasis].variance, 0)
      const deviations = variance > 0 ? sum / Math.sqrt(variance) : 0
      const log10_bound = deviations < leastDeviations ? 0 : log10Bound(judged, sum, emphasis)
      return { log10_bound, deviations, emphasis }
    })
    .reduce((best, each) => (each.log10_bound < best.log10_bound ? each : best))
}
