import { expect, test } from "vitest"
import { chanceOf } from "../drawing/chance.ts"
import { busyBox } from "./busy.ts"
import { planeOf } from "./plane.ts"
import type { View } from "./view.ts"

const [width_px, height_px] = [640, 400]

type Box = readonly [left: number, top: number, right: number, bottom: number]

/** Grain as a camera's in these boxes, flat paint elsewhere, with these bars of other paint over all. */
function drawn(boxes: readonly Box[], bars: readonly Box[]): View {
  const chance = chanceOf("busy")
  const luma = planeOf(width_px, height_px)
  luma.values.fill(90)
  const paint = ([left, top, right, bottom]: Box, level: () => number) => {
    for (let y = top; y < bottom; y += 1)
      for (let x = left; x < right; x += 1) luma.values[y * width_px + x] = level()
  }
  for (const box of boxes) paint(box, () => 120 + chance.between(-6, 6))
  bars.forEach((bar, n) => paint(bar, () => 20 + 200 * (n % 2)))
  const valid = planeOf(width_px, height_px)
  valid.values.fill(1)
  return { luma, valid }
}

const all: Box = [0, 0, width_px, height_px]
const inside: Box = [160, 80, 480, 320]

test("a whole picture is busy all over", () => {
  expect(busyBox(drawn([all], []))).toEqual({ left: 0, top: 0, right: 640, bottom: 400 })
})

test("bars across it, their edges and a row of dashes are not what a picture is, but for a cell", () => {
  const dashes = Array.from({ length: 16 }, (_, n): Box => [20 + 40 * n, 16, 30 + 40 * n, 52])
  const view = drawn([inside], [[0, 12, 640, 56], ...dashes, [0, 204, 640, 236]])
  expect(busyBox(view)).toEqual({ left: 152, top: 80, right: 488, bottom: 320 })
})

test("two pieces are told together, and one a tenth of the other's size is not", () => {
  const pieces: readonly Box[] = [
    [40, 80, 240, 240],
    [320, 160, 480, 320],
  ]
  expect(busyBox(drawn([...pieces, [560, 320, 600, 360]], []))).toEqual({
    left: 40,
    top: 80,
    right: 480,
    bottom: 320,
  })
})

test("what is solid is not busy, whatever its grain", () => {
  const { luma, valid } = drawn([all], [])
  valid.values.fill(0, 0, 200 * width_px)
  expect(busyBox({ luma, valid })).toEqual({ left: 0, top: 200, right: 640, bottom: 400 })
})

test("flat paint, and a picture smaller than a cell, have nothing busy", () => {
  expect(busyBox(drawn([], [[0, 204, 640, 236]]))).toBeNull()
  const tiny = planeOf(5, 5)
  expect(busyBox({ luma: tiny, valid: tiny })).toBeNull()
})
