import { sha256 } from "@noble/hashes/sha2.js"
import { utf8 } from "../bytes.ts"

/** A run of drawn numbers that is the same for the same seed, everywhere. Not for secrets. */
export interface Chance {
  /** At least `low`, below `high`. */
  between(low: number, high: number): number
  /** A whole number, at least 0 and below `count`. */
  index(count: number): number
  /** Whether something of this probability happens. */
  happens(probability: number): boolean
  /** One of `list`, each as likely. */
  pick<T>(list: readonly [T, ...T[]]): T
}

/** The run that belongs to `seeds`. Source: sfc32 of PractRand, started from SHA-256 of the seeds' JSON. */
export function chanceOf(...seeds: readonly (string | number)[]): Chance {
  const start = new DataView(sha256(utf8(JSON.stringify(seeds))).buffer)
  let [a, b, c, counter] = [start.getInt32(0), start.getInt32(4), start.getInt32(8), start.getInt32(12)]
  function unit(): number {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return (sum >>> 0) / 4_294_967_296
  }
  const index = (count: number) => Math.floor(unit() * count)
  return {
    between: (low, high) => low + unit() * (high - low),
    index,
    happens: probability => unit() < probability,
    pick: list => list[index(list.length)] ?? list[0],
  }
}
