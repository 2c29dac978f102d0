import { assert } from "../fault.ts"
import type { Evidence } from "./score.ts"

/** In how many ways a file is asked. Each of them is a chance to name somebody who had no part. */
export const statistics = ["plain", "even", "quantised"] as const

export type Statistic = (typeof statistics)[number]

/** What a file says of an original's chips, by each statistic. */
export interface Testimony {
  /** By local variance. */
  readonly plain: Evidence
  /** By local variance and that of the whole: a codec leaves calm where it took the mark with all else. */
  readonly even: Evidence
  /** `even`, and what is seen through the rounding of the file itself; `null` where it is no JPEG as it was written. */
  readonly quantised: Evidence | null
}

/** A file that has no such statistic speaks in its plain one: which it is depends on the file alone. */
export function saidBy(testimony: Testimony, statistic: Statistic): Evidence {
  return testimony[statistic] ?? testimony.plain
}

/** Chip by chip. */
export function added(one: Evidence, other: Evidence): Evidence {
  assert(one.length === other.length, "both are of one original")
  return one.map((value, i) => value + (other[i] as number))
}
