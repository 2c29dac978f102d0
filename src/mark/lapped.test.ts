import { expect, test } from "vitest"
import { chanceOf } from "../drawing/chance.ts"
import { band, chipsIn, fieldOf, gridOf } from "./lapped.ts"

const size = { width_px: 144, height_px: 96 }
const area = { left: 0, top: 0, right: 144, bottom: 96 }

function amplitudes(seed: string): Float32Array {
  const chance = chanceOf(seed)
  return Float32Array.from({ length: gridOf(size).count }, () => chance.between(-1, 1))
}

test("the functions are orthonormal: away from the edges each chip comes back as it went in", () => {
  const sent = amplitudes("orthonormal")
  const got = chipsIn({ ...size, values: fieldOf(sent, size, area).values }, area)
  const { across, down } = gridOf(size)
  for (let j = 1; j < down - 1; j += 1)
    for (let i = 1; i < across - 1; i += 1)
      for (let c = 0; c < band.length; c += 1) {
        const at = (j * across + i) * band.length + c
        expect(got[at]).toBeCloseTo(sent[at]!, 4)
      }
})

test("a part of a picture gets the field that the whole has there", () => {
  const sent = amplitudes("part")
  const [whole, part] = [fieldOf(sent, size, area), { left: 37, top: 19, right: 101, bottom: 70 }]
  const { values, left, top, width_px } = fieldOf(sent, size, part)
  expect([left, top, width_px, values.length]).toEqual([37, 16, 64, 64 * 64])
  values.forEach((value, i) => {
    const [x, y] = [left + (i % width_px), top + Math.floor(i / width_px)]
    expect(value).toBeCloseTo(whole.values[y * size.width_px + x]!, 4)
  })
})

test("no edge of a block shows: the field is as smooth across them as within", () => {
  const { values } = fieldOf(amplitudes("smooth"), size, area)
  const steps = (at: (x: number) => boolean) => {
    let [sum, count] = [0, 0]
    for (let y = 16; y < 80; y += 1)
      for (let x = 17; x < 127; x += 1) {
        if (!at(x)) continue
        sum += (values[y * size.width_px + x]! - values[y * size.width_px + x - 1]!) ** 2
        count += 1
      }
    return sum / count
  }
  expect(steps(x => x % 16 === 0) / steps(x => x % 16 === 8)).toBeLessThan(1.5)
})
