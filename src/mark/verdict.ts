import { emphases } from "./code.ts"
import { strongest, type Strongest } from "./score.ts"
import { added, saidBy, statistics, type Statistic, type Testimony } from "./testimony.ts"
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

/** All files together, and those together that show little. Which they are is fixed before anybody is judged. */
export const poolings = 2

/** log₁₀ of the number of tests that a case makes at most. */
export function log10Tried({ originals, holders, files, runs }: Tried): number {
  const each = [originals, holders, files, runs].map(count => Math.log10(Math.max(1, count)))
  return each.reduce(
    (sum, log) => sum + log,
    Math.log10(statistics.length * Object.keys(emphases).length * poolings),
  )
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
  const both = (statistic: Statistic) =>
    added(saidBy(one.testimony, statistic), saidBy(other.testimony, statistic))
  const testimony = { plain: both("plain"), even: both("even"), quantised: both("quantised") }
  return { codeword: one.codeword, testimony }
}

/** How much speaks for somebody, with everything that was tried reckoned in. */
export interface Weight extends Strongest {
  readonly statistic: Statistic
}

/**
 * How much one file, or several of different originals, speak for a holder: by the statistic and the emphasis by which it is
 * most. Several files add up: score and variance.
 */
export function weightOf(files: readonly Held[], tried: Tried): Weight {
  const spent = log10Tried(tried)
  return statistics
    .map(statistic => {
      const parts = files.map(({ testimony, codeword }) => ({
        evidence: saidBy(testimony, statistic),
        codeword,
      }))
      const found = strongest(parts)
      return { ...found, log10_bound: Math.min(0, found.log10_bound + spent), statistic }
    })
    .reduce((best, each) => (each.log10_bound < best.log10_bound ? each : best))
}
