import { biases, weights } from "./code.ts"
import type { Codeword } from "./embed.ts"

/** What a leaked picture says of each chip of its original: above 0 for 1, below for 0. Made without any holder's chips. */
export type Evidence = Float32Array

export interface Score {
  /** Σ evidence · weight of the chip. */
  readonly sum: number
  /** Its variance over chips that had no part in the leak. */
  readonly variance: number
}

/** How much speaks for a codeword. Costs about 3 ns a chip. */
export function scoreOf(evidence: Evidence, { biases: bias, chips }: Codeword): Score {
  let [sum, variance] = [0, 0]
  for (let i = 0; i < evidence.length; i += 1) {
    const z = evidence[i] as number
    if (z === 0) continue
    sum += z * ((weights[bias[i] as number] as readonly [number, number])[chips[i] as number] as number)
    variance += z * z
  }
  return { sum, variance }
}

/** Evidence with the biases that it is judged by. */
export interface Judged {
  readonly evidence: Evidence
  readonly biases: Uint8Array
}

/**
 * log₁₀ of an upper bound of the probability that chips drawn by the biases, independent of the evidence, reach `sum`:
 * min over λ > 0 of exp(−λ sum) Π [p exp(λ z g(1)) + (1 − p) exp(λ z g(0))]. It holds for every λ, so that no search for
 * the best one can make it wrong; at most 0. Source: Chernoff 1952; the proof stands in docs/formats/mark.md.
 * Costs about 60 ns a chip for each of up to 40 steps.
 */
export function log10Bound(parts: readonly Judged[], sum: number): number {
  if (!(sum > 0)) return 0
  const variance = parts.reduce((all, { evidence }) => all + evidence.reduce((v, z) => v + z * z, 0), 0)
  if (!(variance > 0)) return 0
  let [low, high] = [0, Infinity]
  let lambda = sum / variance
  let best = 0
  for (let step = 0; step < 40; step += 1) {
    const { value, slope, bend } = exponent(parts, lambda)
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
function exponent(parts: readonly Judged[], lambda: number): { value: number; slope: number; bend: number } {
  let [value, slope, bend] = [0, 0, 0]
  for (const { evidence, biases: bias } of parts) {
    for (let i = 0; i < evidence.length; i += 1) {
      const z = evidence[i] as number
      if (z === 0) continue
      const which = bias[i] as 0 | 1 | 2
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
