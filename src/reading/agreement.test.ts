import { beforeAll, describe, expect, test } from "vitest"
import { platePicture, type PlatePicture } from "../../test/plate-picture.ts"
import { drawCapture } from "../drawing/capture.ts"
import type { Box } from "../picture/level.ts"
import { decode, type Pixels } from "../picture/pixels.ts"
import { agreedWith } from "./agreement.ts"
import { openPlateReader, type PlateReader } from "./plate-reader.ts"

const box = (x_px: number, y_px: number, width_px: number, height_px: number): Box => {
  return { x_px, y_px, width_px, height_px }
}
const picture = { width_px: 1000, height_px: 800 }

describe("a claim around lines of text", () => {
  const text = box(410, 305, 180, 40)

  test("holds when the text fills it, and is cut to what a plate around the text covers", () => {
    expect(agreedWith(box(400, 300, 200, 50), [text], picture)).toEqual(box(400, 300, 200, 50))
    expect(agreedWith(box(300, 260, 380, 120), [text], picture)).toEqual(box(365, 275, 270, 100))
  })

  test("is refused without text, and where the text is little beside it", () => {
    expect(agreedWith(box(400, 300, 200, 50), [], picture)).toBeNull()
    expect(agreedWith(box(300, 300, 500, 50), [text], picture)).toBeNull()
    expect(agreedWith(box(400, 200, 200, 160), [text], picture)).toBeNull()
  })

  test("takes two rows for one plate, and two stickers in its corners for none", () => {
    const rows = [box(410, 305, 180, 40), box(420, 350, 160, 38)]
    expect(agreedWith(box(400, 300, 200, 96), rows, picture)).toEqual(box(400, 300, 200, 96))
    const stickers = [box(400, 300, 70, 20), box(730, 380, 70, 20)]
    expect(agreedWith(box(400, 300, 400, 100), stickers, picture)).toBeNull()
  })
})

let reader: PlateReader
let pixels: Pixels
let plate: PlatePicture["plate"]
beforeAll(async () => {
  const drawn = await platePicture()
  plate = drawn.plate
  ;[reader, pixels] = [await openPlateReader(), await decode(drawn.picture)]
})

test("the plate where it is claimed is agreed with, never beyond the claim; the road beside it is not", async () => {
  const agreed = await reader.agree(pixels, plate.box)
  expect(agreed).not.toBeNull()
  expect(agreed!.x_px).toBeGreaterThanOrEqual(plate.box.x_px)
  expect(agreed!.y_px + agreed!.height_px).toBeLessThanOrEqual(plate.box.y_px + plate.box.height_px)
  expect(await reader.agree(pixels, { ...plate.box, y_px: 10 })).toBeNull()
  expect(await reader.agree(pixels, box(5000, 5000, 90, 30))).toBeNull()
})

test("a face is no text, however it is claimed", async () => {
  for (let index = 0; index < 3; index += 1) {
    const drawn = await drawCapture({ seed: "agreement", lane: 1, hour: 9 + index, index })
    const whole = await decode(drawn.picture)
    for (const { x_px, y_px, width_px, height_px } of drawn.faces) {
      const claims = [
        box(x_px - 4, y_px - 4, width_px + 8, height_px + 8),
        box(x_px, y_px + 10, width_px, Math.round(height_px * 0.45)),
      ]
      for (const claim of claims) expect(await reader.agree(whole, claim)).toBeNull()
    }
  }
})
