import { describe, expect, test } from "vitest"
import { chanceOf } from "../drawing/chance.ts"
import type { Rgb } from "./plane.ts"
import {
  cellsOf,
  factorFor,
  strengthRow,
  strengthsAlong,
  strengthsOf,
  roomAlong,
  type Cells,
} from "./strength.ts"

function grain(width_px: number, height_px: number): Rgb {
  const chance = chanceOf("strength", width_px, height_px)
  const rgb = Uint8Array.from({ length: 3 * width_px * height_px }, () => chance.index(256))
  return { rgb, width_px, height_px }
}

const whole = ({ width_px, height_px }: Rgb) => ({ left: 0, top: 0, right: width_px, bottom: height_px })

/** The variances of luma within a cell's quarters; one that would reach over the edge lies at it. */
function variancesOf({ rgb, width_px, height_px }: Rgb, column: number, row: number): readonly number[] {
  return [0, 1, 2, 3].map(quarter => {
    const left = Math.max(0, Math.min(8 * column + 4 * (quarter & 1), width_px - 4))
    const top = Math.max(0, Math.min(8 * row + 4 * (quarter >> 1), height_px - 4))
    const values = Array.from({ length: 16 }, (_, i) => {
      const [x, y] = [Math.min(left + (i & 3), width_px - 1), Math.min(top + (i >> 2), height_px - 1)]
      const at = 3 * (y * width_px + x)
      return (77 * rgb[at]! + 150 * rgb[at + 1]! + 29 * rgb[at + 2]!) / 256
    })
    const mean = values.reduce((sum, value) => sum + value, 0) / 16
    return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 16
  })
}

describe("what a cell hides", () => {
  test.each([
    [40, 24],
    [37, 19],
    [9, 33],
    [3, 2],
  ])("goes by its two calmest quarters, in a picture of %i × %i", (width_px, height_px) => {
    const picture = grain(width_px, height_px)
    const { texture, cap, across } = cellsOf(picture, whole(picture))
    texture.forEach((each, i) => {
      const variances = variancesOf(picture, i % across, Math.floor(i / across))
      expect(each / (variances.reduce((sum, one) => sum + one, 0) / 4)).toBeCloseTo(1, 2)
      const [calmest, calm] = [...variances].sort((a, b) => a - b)
      const activity = (Math.sqrt(calmest!) + Math.sqrt(calm!)) / 2
      expect(cap[i]! / Math.min(7, 1 + 0.9 * activity)).toBeCloseTo(1, 2)
    })
  })

  test("is little where it is dark, and nothing outside the part that was asked for", () => {
    const dark = { rgb: new Uint8Array(3 * 64 * 64), width_px: 64, height_px: 64 }
    const { wish, cap } = cellsOf(dark, { left: 16, top: 8, right: 40, bottom: 24 })
    expect([wish[0], cap[0]]).toEqual([0, 0])
    expect([wish[8 + 2], cap[8 + 2]].map(each => Math.round(1000 * each!))).toEqual([600, 750])
    expect(wish.filter(each => each > 0).length).toBe(3 * 2)
  })
})

describe("the factor", () => {
  const picture = grain(64, 48)
  const cells = cellsOf(picture, whole(picture))
  const energies = Float64Array.from(cells.wish, (_, i) => 20 + ((i * 37) % 90))
  const kept_px = 64 * 48

  /** What is changed with this factor by what `strengthRow` makes of it, for a field that is as strong all over each cell. */
  function changed(factor: number): number {
    const strengths = strengthsOf(cells, factor)
    const middles = roomAlong(cells)
    const row = new Float32Array(64)
    let sum = 0
    for (let y = 0; y < 48; y += 1) {
      strengthsAlong(cells, strengths, y, middles)
      strengthRow(middles, row)
      row.forEach((strength, x) => {
        sum += (strength ** 2 * energies[Math.floor(y / 8) * cells.across + (x >> 3)]!) / 64
      })
    }
    return sum
  }

  test.each([0.4, 1.6, 5, 20])("is the largest within a budget of noise of %d", noise => {
    const factor = factorFor(cells, energies, { kept_px, noise, dissimilarity: 1 })
    expect(changed(factor) / (noise * kept_px)).toBeGreaterThan(0.98)
    expect(changed(factor) / (noise * kept_px)).toBeLessThan(1.01)
  })

  test("is the largest within what structure may be lost", () => {
    const calm: Cells = { ...cells, texture: cells.texture.map(() => 0) }
    const tight = factorFor(calm, energies, { kept_px, noise: 1e6, dissimilarity: 0.01 })
    const loose = factorFor(calm, energies, { kept_px, noise: 1e6, dissimilarity: 0.02 })
    expect(tight).toBeLessThan(loose)
    expect(changed(tight) / 58.5225 / kept_px).toBeCloseTo(0.01, 3)
  })

  test("has every cell at its cap where a budget knows no end, and is none where there is no budget", () => {
    const all = factorFor(cells, energies, { kept_px, noise: 1e9, dissimilarity: 1e9 })
    expect(strengthsOf(cells, all)).toEqual(cells.cap)
    expect(factorFor(cells, energies, { kept_px, noise: 0, dissimilarity: 1 })).toBe(0)
  })
})
