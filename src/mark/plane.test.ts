import { describe, expect, test } from "vitest"
import { chanceOf } from "../drawing/chance.ts"
import { boxSums, planeOf, type Plane } from "./plane.ts"
import { normalised, surroundings } from "./view.ts"

function grain(width_px: number, height_px: number): Plane {
  const chance = chanceOf("plane", width_px, height_px)
  const plane = planeOf(width_px, height_px)
  for (let i = 0; i < plane.values.length; i += 1) plane.values[i] = chance.between(0, 255)
  return plane
}

/** The places within the radius of a place, as far as the plane goes. */
function around({ width_px, height_px }: Plane, at: number, radius: number): readonly number[] {
  const [x, y] = [at % width_px, Math.floor(at / width_px)]
  const places: number[] = []
  for (let j = Math.max(0, y - radius); j <= Math.min(height_px - 1, y + radius); j += 1)
    for (let i = Math.max(0, x - radius); i <= Math.min(width_px - 1, x + radius); i += 1)
      places.push(j * width_px + i)
  return places
}

describe.each([
  { width_px: 31, height_px: 23, radius: 4 },
  { width_px: 40, height_px: 5, radius: 7 },
  { width_px: 3, height_px: 30, radius: 7 },
  { width_px: 2, height_px: 1, radius: 3 },
])("of $width_px × $height_px pixels, within $radius", ({ width_px, height_px, radius }) => {
  const plane = grain(width_px, height_px)

  test("sums are of what lies around each", () => {
    const sums = boxSums(plane, radius).values
    sums.forEach((sum, at) => {
      const told = around(plane, at, radius).reduce((all, i) => all + plane.values[i]!, 0)
      expect(sum).toBeCloseTo(told, 1)
    })
  })

  test("what counts is brought to mean 0 and variance 1 by what counts around it", () => {
    const valid = planeOf(width_px, height_px)
    for (let i = 0; i < valid.values.length; i += 1) valid.values[i] = i % 5 === 2 ? 0 : 1
    const normal = normalised(plane, surroundings(valid, radius)).values
    normal.forEach((value, at) => {
      const counted = around(plane, at, radius).filter(i => valid.values[i] === 1)
      const mean = counted.reduce((all, i) => all + plane.values[i]!, 0) / counted.length
      const variance = counted.reduce((all, i) => all + (plane.values[i]! - mean) ** 2, 0) / counted.length
      const told = (plane.values[at]! - mean) / Math.sqrt(variance + 9)
      expect(value).toBeCloseTo(valid.values[at] === 1 ? told : 0, 4)
    })
  })
})
