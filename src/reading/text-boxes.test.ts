import { describe, expect, test } from "vitest"
import { boxAround, changed, cornersOf, heightOf, placed, regionOf, widthOf, type Region } from "./region.ts"
import { hullOf, smallestRectangle, textsOf } from "./text-boxes.ts"

/** A map with one filled parallelogram. */
function mapOf(region: Region, odds = 0.9) {
  const [width_px, height_px] = [120, 80]
  const map = new Float32Array(width_px * height_px)
  for (let y = 0; y < height_px; y += 1)
    for (let x = 0; x < width_px; x += 1) {
      const [rx, ry] = [x + 0.5 - region.x_px, y + 0.5 - region.y_px]
      const u = (rx * region.along[0] + ry * region.along[1]) / widthOf(region) ** 2
      const v = (rx * region.down[0] + ry * region.down[1]) / heightOf(region) ** 2
      if (Math.abs(u) <= 0.5 && Math.abs(v) <= 0.5) map[y * width_px + x] = odds
    }
  return { odds: map, width_px, height_px }
}

const turned = (degrees: number): Region => {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]
  return { x_px: 60, y_px: 40, along: [60 * cos, 60 * sin], down: [-12 * sin, 12 * cos] }
}

test.each([0, 7, -11, 20])("a line of text at %i° is found where it lies and as it leans", degrees => {
  const [found, ...others] = textsOf(mapOf(turned(degrees)))
  expect(others).toEqual([])
  expect(found!.region.x_px).toBeCloseTo(60, 0)
  expect(found!.region.y_px).toBeCloseTo(40, 0)
  const angle = (Math.atan2(found!.region.along[1], found!.region.along[0]) * 180) / Math.PI
  expect(Math.abs(angle - degrees)).toBeLessThan(4)
  // Grown by area × 1.6 ÷ half the perimeter.
  expect(widthOf(found!.region)).toBeGreaterThan(70)
  expect(heightOf(found!.region)).toBeGreaterThan(24)
})

test("two lines are two, what is faint is none, and a speck is none", () => {
  const one = mapOf({ x_px: 60, y_px: 20, along: [60, 0], down: [0, 10] })
  const two = mapOf({ x_px: 60, y_px: 60, along: [60, 0], down: [0, 10] })
  const both = { ...one, odds: one.odds.map((value, i) => Math.max(value, two.odds[i]!)) }
  expect(textsOf(both)).toHaveLength(2)
  expect(textsOf(mapOf(turned(0), 0.28))).toEqual([])
  expect(textsOf(mapOf(turned(0), 0.4))).toEqual([])
  expect(textsOf(mapOf({ x_px: 60, y_px: 40, along: [2, 0], down: [0, 2] }))).toEqual([])
})

test("the smallest rectangle of a turned square is that square, not the upright box around it", () => {
  const diamond = hullOf([
    [0, 5],
    [5, 0],
    [10, 5],
    [5, 10],
    [5, 5],
  ])
  expect(diamond).toHaveLength(4)
  const found = smallestRectangle(diamond)!
  expect(widthOf(found) * heightOf(found)).toBeCloseTo(50)
  expect(smallestRectangle([])).toBeNull()
})

describe("regions", () => {
  const part = regionOf({ x_px: 10, y_px: 20, width_px: 40, height_px: 20 })
  test("the whole of a part is the part", () => {
    const shown = { width_px: 160, height_px: 64 }
    expect(placed(regionOf({ x_px: 0, y_px: 0, ...shown }), part, shown)).toEqual(part)
  })
  test("the box around a region of a box is that box, clipped to the picture", () => {
    expect(boxAround(part, { width_px: 100, height_px: 100 })).toEqual({
      x_px: 10,
      y_px: 20,
      width_px: 40,
      height_px: 20,
    })
    expect(boxAround(part, { width_px: 30, height_px: 30 })).toMatchObject({ width_px: 20, height_px: 10 })
    expect(boxAround(part, { width_px: 5, height_px: 5 })).toBeNull()
  })
  test("a change keeps what it does not name, and leaning moves the edges against each other", () => {
    expect(changed(part, {})).toEqual(part)
    expect(widthOf(changed(part, { wider: 0.5 }))).toBe(60)
    const [upper, , lower] = cornersOf(changed(part, { lean: 0.5 }))
    expect(upper![0] - 10).toBeCloseTo(5)
    expect(lower![0] - 50).toBeCloseTo(-5)
  })
})
