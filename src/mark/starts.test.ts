import { expect, test } from "vitest"
import { chanceOf } from "../drawing/chance.ts"
import { startOf, type Match } from "./starts.ts"
import { scaleAt, warpedX, warpedY, type Warp } from "./warp.ts"

const tilted: Warp = [0.72, -0.13, 122, -0.04, 0.78, 46, -0.0002, -0.0001]
const turned: Warp = [0.6, -0.2, 80, 0.2, 0.6, 10, 0, 0]

/** Corners of a leak of 800 × 600 where `warp` puts them, by up to a pixel, and as many that lie anywhere. */
function matchesBy(warp: Warp, right: number, wrong: number): Match[] {
  const chance = chanceOf("starts", right, wrong)
  const corner = () => ({ x_px: chance.between(0, 800), y_px: chance.between(0, 600), scale: 1, angle: 0 })
  return Array.from({ length: right + wrong }, (_, i) => {
    const leak = corner()
    if (i >= right) return { leak, original: { ...corner(), scale: chance.between(0.5, 2) } }
    const { x_px, y_px } = leak
    const angle = (Math.atan2(warp[3], warp[0]) * 128) / Math.PI
    const place = {
      x_px: warpedX(warp, x_px, y_px) + chance.between(-1, 1),
      y_px: warpedY(warp, x_px, y_px) + chance.between(-1, 1),
    }
    return { leak, original: { ...place, scale: scaleAt(warp, x_px, y_px), angle } }
  })
}

function farthest(one: Warp, other: Warp): number {
  const corners = [0, 800].flatMap(x => [0, 600].map(y => [x, y] as const))
  return Math.max(
    ...corners.map(([x, y]) =>
      Math.hypot(warpedX(one, x, y) - warpedX(other, x, y), warpedY(one, x, y) - warpedY(other, x, y)),
    ),
  )
}

test.each([
  ["a photograph from the side", tilted],
  ["a turned copy", turned],
])("corners tell how %s lies, however many others tell otherwise", (_, warp) => {
  const start = startOf(matchesBy(warp, 120, 240), 800)
  expect(start!.agreeing).toBeGreaterThanOrEqual(115)
  expect(farthest(start!.warp, warp)).toBeLessThan(3)
  expect(start!.flat.slice(6)).toEqual([0, 0])
  expect(farthest(start!.flat, warp)).toBeLessThan(80)
})

test("three corners tell no perspective, and none tells nothing", () => {
  const start = startOf(matchesBy(turned, 3, 0), 800)
  expect(start!.warp.slice(6)).toEqual([0, 0])
  expect(startOf([], 800)).toBeNull()
})
