import { beforeAll, expect, test } from "vitest"
import { drawCapture } from "../drawing/capture.ts"
import { decode } from "../picture/pixels.ts"
import { openPlateReader, type PlateReader } from "./plate-reader.ts"

let reader: PlateReader
beforeAll(async () => {
  reader = await openPlateReader()
})

test.each([
  ["by day", 12],
  ["at night", 1],
])("a drawn plate is read %s, where it is drawn", async (_, hour) => {
  const drawn = await drawCapture({ seed: "plates", lane: 2, hour, index: 5 })
  const reading = await reader.read(await decode(drawn.picture), "any")
  expect(reading.candidates[0]?.text).toBe(drawn.plate.text)
  const { box } = drawn.plate
  expect(Math.abs(reading.box!.x_px + reading.box!.width_px / 2 - box.x_px - box.width_px / 2)).toBeLessThan(
    box.width_px / 4,
  )
  expect(reading.box!.width_px).toBeLessThan(box.width_px * 1.3)
  if (reading.state === "read") expect(reading.plate).toBe(drawn.plate.text)
})

test("where nothing is written, nothing is read, and nothing is sure", async () => {
  const empty = { rgb: new Uint8Array(320 * 240 * 3).fill(120), width_px: 320, height_px: 240 }
  expect(await reader.read(empty, "any")).toEqual({
    state: "unread",
    plate: null,
    confidence: 0,
    candidates: [],
    box: null,
    raw: null,
  })
})

test("a picture as small as can be does not trip it", async () => {
  const dot = { rgb: new Uint8Array(3), width_px: 1, height_px: 1 }
  expect((await reader.read(dot, "eu")).state).toBe("unread")
})
