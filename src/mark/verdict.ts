import { assert } from "../fault.ts"
import { log10Bound, scoreOf, type Evidence, type Judged } from "./score.ts"
import type { Codeword } from "./embed.ts"

/** Accused is who would be so by chance with at most this probability, whatever was tried in the case. */
export const accuseAt_log10 = -9

/** How much was tried in a case: each of them is a chance to name somebody who had no part. */
export interface Tried {
  readonly originals: number
  readonly holders: number
  readonly files: number
  readonly runs: number
}

/** Plain, and through the quantiser. */
export const statistics = 2

/** All files together, and those together that show little. Which they are is fixed before anybody is judged. */
export const poolings = 2

/** log₁₀ of the number of tests that a case makes at most. */
export function log10Tried({ originals, holders, files, runs }: Tried): number {
  const each = [originals, holders, files, runs].map(count => Math.log10(Math.max(1, count)))
  return each.reduce((sum, log) => sum + log, Math.log10(statistics * poolings))
}

/** What a file says, by each statistic; `null` where one does not apply. */
export interface Testimony {
  readonly plain: Evidence
  readonly quantised: Evidence | null
}

/** A file's testimony beside the codeword that somebody's copy of its original carries. */
export interface Held {
  readonly testimony: Testimony
  readonly codeword: Codeword
}

/**
 * Two files of one original as one: his chips are the same in both, so that their evidence adds up chip by chip. Taken for
 * two independent files they would count the same chips twice.
 */
export function together(one: Held, other: Held): Held {
  const plain = sum(one.testimony.plain, other.testimony.plain)
  const quantised = sum(
    one.testimony.quantised ?? one.testimony.plain,
    other.testimony.quantised ?? other.testimony.plain,
  )
  return { codeword: one.codeword, testimony: { plain, quantised } }
}

function sum(one: Evidence, other: Evidence): Evidence {
  assert(one.length === other.length, "both are of one original")
  return one.map((value, i) => value + (other[i] as number))
}

/** How much speaks for somebody. */
export interface Weight {
  /** log₁₀ of the probability that chips which had no part reach as much, times what was tried; at most 0. */
  readonly log10_bound: number
  /** The same in standard deviations of chips that had no part. */
  readonly deviations: number
  readonly statistic: "plain" | "quantised"
}

/**
 * How much one file, or several of different originals, speak for a holder: the likelier of both statistics, with everything that was
 * tried reckoned in. Several files add up: score and variance.
 */
export function weightOf(files: readonly Held[], tried: Tried): Weight {
  const weights = (["plain", "quantised"] as const).map(statistic => {
    const parts: Judged[] = []
    let [sum, variance] = [0, 0]
    for (const { testimony, codeword } of files) {
      // A file that has no second statistic speaks in its first: which it is depends on the file alone.
      const evidence = testimony[statistic] ?? testimony.plain
      const score = scoreOf(evidence, codeword)
      sum += score.sum
      variance += score.variance
      parts.push({ evidence, biases: codeword.biases })
    }
    const deviations = variance > 0 ? sum / Math.sqrt(variance) : 0
    // Below this no bound comes near: the search for it is spared.
    const bound = deviations < 3 ? 0 : log10Bound(parts, sum)
    return { log10_bound: Math.min(0, bound + log10Tried(tried)), deviations, statistic }
  })
  return weights.reduce((best, each) => (each.log10_bound < best.log10_bound ? each : best))
}
