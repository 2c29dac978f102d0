import sharp from "sharp"
import { describe, expect, test } from "vitest"
import { chanceOf } from "../drawing/chance.ts"
import type { Plane } from "./plane.ts"
import { stepsOf, throughQuantiser } from "./quantiser.ts"

async function jpeg(quality: number, progressive: boolean): Promise<Uint8Array> {
  const rgb = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251)
  return sharp(rgb, { raw: { width: 64, height: 64, channels: 3 } })
    .jpeg({ quality, progressive })
    .toBuffer()
}

/** ITU-T T.81, table K.1. */
const firstRow = [16, 11, 10, 16, 24, 40, 51, 61]

test("the luma steps of a JPEG file are read in the order of frequencies, at quality 50 those of the standard", async () => {
  for (const progressive of [false, true]) {
    const steps = stepsOf(await jpeg(50, progressive))!
    expect([...steps.subarray(0, 8)]).toEqual(firstRow)
    expect([steps[8], steps[63]]).toEqual([12, 99])
  }
  expect(stepsOf(await jpeg(92, false))![0]).toBeLessThan(4)
})

test("what is no JPEG has none, and no bent or cut file throws", async () => {
  expect(stepsOf(new Uint8Array())).toBeNull()
  expect(stepsOf(Uint8Array.of(0x89, 0x50, 0x4e, 0x47))).toBeNull()
  const file = await jpeg(50, false)
  for (let at = 0; at < 700; at += 1) {
    stepsOf(file.subarray(0, at))
    stepsOf(file.map((byte, i) => (i === at ? byte ^ 0xff : byte)))
  }
})

describe("what a JPEG says through its rounding", () => {
  const side_px = 96
  const chance = chanceOf("quantiser")
  const plane = (light: (x: number, y: number) => number): Plane => ({
    ...{ width_px: side_px, height_px: side_px },
    values: Float32Array.from({ length: side_px ** 2 }, (_, i) =>
      light(i % side_px, Math.floor(i / side_px)),
    ),
  })
  const expected = plane((x, y) => 128 + 50 * Math.sin(x / 5) * Math.cos(y / 7))
  const valid = plane(() => 1)
  const steps = new Uint16Array(64).fill(6)
  const leak = plane((x, y) => expected.values[y * side_px + x]! + chance.between(-8, 8))
  const field = (highest: number) => throughQuantiser(leak, { expected, valid }, steps, highest).values

  /** The DCT-II of the block of 8 × 8 at the upper left, orthonormal, by its definition. */
  function frequencies(values: Float32Array): number[] {
    const scale = (k: number) => Math.sqrt((k === 0 ? 1 : 2) / 8)
    const wave = (k: number, n: number) => scale(k) * Math.cos((Math.PI * (2 * n + 1) * k) / 16)
    return Array.from({ length: 64 }, (_, i) => {
      let sum = 0
      for (let y = 0; y < 8; y += 1)
        for (let x = 0; x < 8; x += 1) sum += values[y * side_px + x]! * wave(i & 7, x) * wave(i >> 3, y)
      return sum
    })
  }

  test("goes with how the leak lies off, and is nothing where there is no whole block", () => {
    const all = field(7)
    const products = all.reduce((sum, each, i) => sum + each * (leak.values[i]! - expected.values[i]!), 0)
    expect(products).toBeGreaterThan(0)
    const holed = { ...valid, values: valid.values.map((_, i) => (i === 20 * side_px + 20 ? 0 : 1)) }
    const without = throughQuantiser(leak, { expected, valid: holed }, steps, 7).values
    for (const [x, y, isThere] of [
      [16, 16, false],
      [23, 23, false],
      [24, 23, true],
      [16, 15, true],
    ] as const)
      expect(without[y * side_px + x] !== 0).toBe(isThere)
  })

  test.each([0, 3, 6])("holds of the frequencies those up to %i, as all of them together do", highest => {
    const [some, all] = [frequencies(field(highest)), frequencies(field(7))]
    some.forEach((each, i) => {
      const isLow = (i & 7) <= highest && i >> 3 <= highest
      expect(each).toBeCloseTo(isLow ? all[i]! : 0, 4)
    })
  })
})
