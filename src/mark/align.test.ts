import { describe, expect, test } from "vitest"
import { chanceOf } from "../drawing/chance.ts"
import { align, levelOf, momentsOf, pairOf } from "./align.ts"
import { planeOf, type Plane } from "./plane.ts"
import { viewAt, type View } from "./view.ts"
import { warpedX, warpedY, type Warp } from "./warp.ts"

const [width_px, height_px] = [300, 220]

/** Waves of many lengths and directions: known at any place. */
const waves = (() => {
  const chance = chanceOf("align")
  return Array.from({ length: 40 }, () => ({
    x: chance.between(-0.5, 0.5),
    y: chance.between(-0.5, 0.5),
    phase: chance.between(0, 7),
  }))
})()

function lightAt(x: number, y: number): number {
  return 128 + waves.reduce((sum, wave) => sum + 8 * Math.sin(wave.x * x + wave.y * y + wave.phase), 0)
}

function planeBy(width: number, height: number, light: (x: number, y: number) => number): Plane {
  const plane = planeOf(width, height)
  for (let i = 0; i < plane.values.length; i += 1)
    plane.values[i] = light((i % width) + 0.5, Math.floor(i / width) + 0.5)
  return plane
}

const original = planeBy(width_px, height_px, lightAt)

/** A leak whose pixels come from where `warp` says, in other light. */
function leakBy(warp: Warp): View {
  const luma = planeBy(240, 180, (x, y) => 20 + 0.7 * lightAt(warpedX(warp, x, y), warpedY(warp, x, y)))
  return { luma, valid: { ...luma, values: new Float32Array(luma.values.length).fill(1) } }
}

function farthest(one: Warp, other: Warp): number {
  const corners = [0, 240].flatMap(x => [0, 180].map(y => [x, y] as const))
  return Math.max(
    ...corners.map(([x, y]) =>
      Math.hypot(warpedX(one, x, y) - warpedX(other, x, y), warpedY(one, x, y) - warpedY(other, x, y)),
    ),
  )
}

describe("a leak is laid onto its original to a tenth of a pixel", () => {
  test.each([
    ["turned and scaled", [0.98, -0.05, 20, 0.05, 0.98, 15, 0, 0], "affine"],
    ["sheared", [1.02, 0.06, 14, -0.01, 0.95, 22, 0, 0], "affine"],
    ["seen from the side", [1, 0.02, 18, -0.02, 1, 16, 0.0002, -0.0001], "perspective"],
  ] as const)("%s", (_, warp, freedom) => {
    const [a, b, c, ...rest] = warp
    const start: Warp = [a, b, c + 2, ...rest]
    const { warp: found, likeness } = align(original, leakBy(warp), start, { sides_px: [120, 240], freedom })
    expect(farthest(start, warp)).toBeGreaterThan(1.5)
    expect(farthest(found, warp)).toBeLessThan(0.1)
    expect(likeness).toBeGreaterThan(0.98)
  })
})

test("tiles hold between them what one that is all of them holds, however their sides fall", () => {
  const warp: Warp = [1, 0, 30.4, 0, 1, 20.3, 0, 0]
  const pair = pairOf(levelOf(original, leakBy(warp), warp, 240), [1, 0, 29.6, 0, 1, 20, 0, 0], null)
  const [all] = [momentsOf(pair, 1, 1)]
  for (const [across, down] of [
    [7, 5],
    [40, 30],
    [241, 190],
  ] as const) {
    const tiles = momentsOf(pair, across, down)
    const sums = [0, 1, 2, 3, 4].map(m => tiles.reduce((sum, each, i) => sum + (i % 5 === m ? each : 0), 0))
    sums.forEach((sum, m) => expect(sum / all[m]!).toBeCloseTo(1, 6))
  }
})

test("a view is made smaller once for each size, and what counts stays 0 or 1", () => {
  const view = leakBy([1, 0, 0, 0, 1, 0, 0, 0])
  view.valid.values.fill(0, 0, 240 * 21)
  const half = viewAt(view, 0.5)
  expect(viewAt(view, 0.5)).toBe(half)
  expect(viewAt(view, 1)).toBe(view)
  expect([half.luma.width_px, half.luma.height_px]).toEqual([120, 90])
  expect([...new Set(half.valid.values)].sort()).toEqual([0, 1])
  expect(half.valid.values.indexOf(1)).toBe(120 * 11)
})
