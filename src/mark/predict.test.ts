import { describe, expect, test } from "vitest"
import { chanceOf } from "../drawing/chance.ts"
import type { Level } from "./align.ts"
import { planeOf, type Plane } from "./plane.ts"
import { predict } from "./predict.ts"
import { identity, shifting, type Warp } from "./warp.ts"

const [width_px, height_px] = [120, 90]

/** Slow waves, so that what lies between pixels is known, with a grain. */
function planeBy(light: (x: number, y: number) => number): Plane {
  const plane = planeOf(width_px, height_px)
  for (let i = 0; i < plane.values.length; i += 1)
    plane.values[i] = light(i % width_px, Math.floor(i / width_px))
  return plane
}

const waves = (x: number, y: number) =>
  128 + 40 * Math.sin(x / 6 + y / 11) + 30 * Math.cos(x / 9 - y / 5) + 15 * Math.sin(x / 2.5)

const still = { x: new Float32Array(width_px * height_px), y: new Float32Array(width_px * height_px) }

function levelOf(original: Plane, luma: Plane, warp: Warp): Level {
  const valid = { ...luma, values: new Float32Array(luma.values.length).fill(1) }
  return { original, leak: { luma, valid }, warp, originalScale: { x: 1, y: 1 } }
}

/** How far off what is expected is, where something is. */
function worst({ expected, valid }: { expected: Plane; valid: Plane }, leak: Plane): number {
  return expected.values.reduce(
    (most, value, i) => (valid.values[i] === 0 ? most : Math.max(most, Math.abs(value - leak.values[i]!))),
    0,
  )
}

describe("what a leak should look like is told by its original", () => {
  const original = planeBy(waves)

  test("in other light and contrast", () => {
    const leak = planeBy((x, y) => 15 + 0.8 * waves(x, y))
    const told = predict(levelOf(original, leak, identity), still)
    expect(worst(told, leak)).toBeLessThan(0.5)
    expect(told.valid.values.reduce((sum, each) => sum + each, 0)).toBe((width_px - 4) * (height_px - 4))
  })

  test("a part of a pixel away, and displaced", () => {
    const leak = planeBy((x, y) => waves(x + 0.4, y + 0.3))
    expect(worst(predict(levelOf(original, leak, shifting(0.4, 0.3)), still), leak)).toBeLessThan(1)
    const displaced = { x: still.x.map(() => 0.4), y: still.y.map(() => 0.3) }
    expect(worst(predict(levelOf(original, leak, identity), displaced), leak)).toBeLessThan(1)
  })

  test("blurred, which the filter learns", () => {
    const chance = chanceOf("predict")
    const grainy = planeBy((x, y) => waves(x, y) + chance.between(-20, 20))
    const at = (x: number, y: number) =>
      grainy.values[
        Math.max(0, Math.min(height_px - 1, y)) * width_px + Math.max(0, Math.min(width_px - 1, x))
      ]!
    const leak = planeBy(
      (x, y) => (at(x - 1, y) + 2 * at(x, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1)) / 6,
    )
    expect(worst(predict(levelOf(grainy, leak, identity), still), leak)).toBeLessThan(2)
  })

  test("up to its edge and not beyond", () => {
    const leak = planeBy((x, y) => waves(x + 60, y))
    const { expected, valid } = predict(levelOf(original, leak, shifting(60, 0)), still)
    expect(valid.values.subarray(40 * width_px, 41 * width_px).lastIndexOf(1)).toBe(59 - 2)
    expect(expected.values.every(Number.isFinite)).toBe(true)
  })
})
