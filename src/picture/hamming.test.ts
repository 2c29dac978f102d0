import { describe, expect, test } from "vitest"
import { chanceOf } from "../drawing/chance.ts"
import { distance, matchLimit_bits, wordsOf } from "./hamming.ts"

/** A descriptor's bytes, and the same with so many bits of each half the other way. */
function pairOf(seed: number, ofFirst: number, ofSecond: number): readonly [Uint32Array, Uint32Array] {
  const chance = chanceOf("hamming", seed)
  const one = Uint8Array.from({ length: 32 }, () => chance.index(256))
  const other = one.slice()
  const flip = (bit: number) => (other[bit >> 3]! ^= 1 << (bit & 7))
  for (let n = 0; n < ofFirst; n += 1) flip((n * 37) % 128)
  for (let n = 0; n < ofSecond; n += 1) flip(128 + ((n * 53) % 128))
  return [wordsOf(one), wordsOf(other)]
}

describe("how many bits differ", () => {
  test.each([0, 1, 20, 36, 71])("is told where it is less than enough: %i", bits => {
    const first = Math.ceil(bits / 2)
    const [own, other] = pairOf(bits, first, bits - first)
    expect(distance(own, other, 0, matchLimit_bits)).toBe(bits)
  })

  test("is told however uneven both halves are, up to what enough allows", () => {
    const [own, other] = pairOf(7, 52, 3)
    expect(distance(own, other, 0, matchLimit_bits)).toBe(55)
  })

  test.each([
    [36, 36],
    [53, 18],
    [64, 64],
    [128, 0],
    [0, 128],
  ])("is enough where it is, or as good as: %i and %i", (first, second) => {
    const [own, other] = pairOf(9, first, second)
    expect(distance(own, other, 0, matchLimit_bits)).toBeGreaterThanOrEqual(matchLimit_bits)
  })

  test("is told among others, by where they start", () => {
    const [own, other] = pairOf(3, 5, 6)
    expect(distance(own, Uint32Array.from([...new Uint32Array(8), ...other]), 8, 256)).toBe(11)
  })
})
