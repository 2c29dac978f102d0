import { readFileSync } from "node:fs"
import { beforeAll, describe, expect, test } from "vitest"
import { hasShared, sharedData } from "../../test/beside.ts"
import { drawCapture } from "../drawing/capture.ts"
import { decode } from "../picture/pixels.ts"
import { distinct, openFaceFinder, type FaceFinder } from "./face-finder.ts"

const guess = (left: number, score: number) => ({ left, top: 0, right: left + 10, bottom: 10, score })

test("of guesses that lie on each other the surest stays, and those apart all stay", () => {
  const kept = distinct([guess(0, 0.4), guess(1, 0.9), guess(3, 0.5), guess(30, 0.3)], 0.4)
  expect(kept).toEqual([guess(1, 0.9), guess(30, 0.3)])
  expect(
    distinct(
      Array.from({ length: 50 }, (_, i) => guess(i * 20, 0.5)),
      0.4,
    ),
  ).toHaveLength(32)
})

let finder: FaceFinder
beforeAll(async () => {
  finder = await openFaceFinder(null)
})

test("the drawn driver is found where he is drawn", async () => {
  const { picture, faces } = await drawCapture({ seed: "faces", lane: 1, hour: 12, index: 3 })
  const found = await finder.find(await decode(picture))
  for (const { x_px, y_px, width_px, height_px } of faces) {
    const [x, y] = [x_px + width_px / 2, y_px + height_px / 2]
    const over = found.filter(
      ({ box }) =>
        x > box.x_px && x < box.x_px + box.width_px && y > box.y_px && y < box.y_px + box.height_px,
    )
    expect(over).not.toEqual([])
  }
})

test("a picture without anything has no face", async () => {
  const empty = { rgb: new Uint8Array(64 * 48 * 3).fill(90), width_px: 64, height_px: 48 }
  expect(await finder.find(empty)).toEqual([])
})

const astronaut = sharedData("faces/astronaut.png")
const ownModel = sharedData("models/yunet_n_dynamic.onnx")
const isThere = hasShared("faces/astronaut.png") && hasShared("models/yunet_n_dynamic.onnx")

describe.skipIf(!isThere)(
  `the face of a portrait${isThere ? "" : " (skipped: no ../shared/data/faces)"}`,
  () => {
    test.each([
      ["with the model that is installed", null],
      ["with an operator's own model", ownModel],
    ])("is found first, %s", async (_, model) => {
      const own = await openFaceFinder(model)
      const [first] = await own.find(await decode(readFileSync(astronaut)))
      expect(first!.score).toBeGreaterThan(0.8)
      // Between the hair line and the chin, left to right, as a person sees it.
      expect(Math.abs(first!.box.x_px + first!.box.width_px / 2 - 224)).toBeLessThan(25)
      expect(Math.abs(first!.box.y_px + first!.box.height_px / 2 - 125)).toBeLessThan(30)
      expect(own.model).toMatch(/sha256:[0-9a-f]{64}$/)
    })
  },
)
