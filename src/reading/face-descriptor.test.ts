import { existsSync, readFileSync } from "node:fs"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { hasShared, sharedData } from "../../test/beside.ts"
import { drawCapture } from "../drawing/capture.ts"
import { decode, type Pixels } from "../picture/pixels.ts"
import { openDescriber, forget } from "./describer.ts"
import { leastFace_px, openFaceDescriber, type FaceDescriber } from "./face-descriptor.ts"
import { openFaceFinder } from "./face-finder.ts"
import { lookMemory_mb } from "./looker.ts"
import { resized } from "./sampling.ts"

let describer: FaceDescriber
beforeAll(async () => {
  describer = await openFaceDescriber()
})

const apart = (a: Float32Array, b: Float32Array) => Math.hypot(...a.map((value, i) => value - b[i]!))
const whole = ({ width_px, height_px }: Pixels) => ({ x_px: 0, y_px: 0, width_px, height_px })

test("the network written as a graph answers what face-api's own code answers", async () => {
  // The first eight of 128 numbers that FaceRecognitionNet of @vladmandic/face-api 1.7.15 gave on its backend for
  // processors for these pixels, 150 × 150, and the length of all.
  const expected = [-0.080685, 0.073088, 0.066505, 0.010054, -0.157971, -0.057683, -0.053501, -0.08515]
  const rgb = Uint8Array.from({ length: 150 * 150 * 3 }, (_, i) => (i * 7919 + (i >> 3) * 104_729) % 256)
  const pixels = { rgb, width_px: 150, height_px: 150 }
  const descriptor = (await describer.describe(pixels, whole(pixels)))!
  expected.forEach((value, i) => expect(descriptor[i]).toBeCloseTo(value, 5))
  expect(Math.hypot(...descriptor)).toBeCloseTo(1.306888, 5)
})

test("a drawn face is described the same way every time, and one that is too small is not", async () => {
  const { picture, faces } = await drawCapture({ seed: "faces", lane: 1, hour: 12, index: 3 })
  const pixels = await decode(picture)
  const face = { ...faces[0]!, width_px: 60, height_px: 60 }
  const [one, other] = [await describer.describe(pixels, face), await describer.describe(pixels, face)]
  expect(one).toHaveLength(128)
  expect(one).toEqual(other)
  expect(one!.every(Number.isFinite)).toBe(true)
  expect(await describer.describe(pixels, { ...face, width_px: leastFace_px - 1 })).toBeNull()
  expect(await describer.describe(pixels, { x_px: 0, y_px: 0, width_px: 500, height_px: 500 })).toHaveLength(
    128,
  )
})

const isBuilt = existsSync(new URL("../../dist/reading/describe-child.js", import.meta.url))
const child = openDescriber({ processes: 1, timeout_ms: 60_000, memory_mb: lookMemory_mb })
afterAll(() => child.close())

test.skipIf(!isBuilt)(
  "a child describes the faces of a picture as this process does, and they can be forgotten (skipped: dist is not built)",
  async () => {
    const { picture, faces } = await drawCapture({ seed: "faces", lane: 1, hour: 12, index: 3 })
    const large = { ...faces[0]!, width_px: 60, height_px: 60 }
    const { descriptors, model, cpu_ms } = await child.describe({
      picture,
      faces: [large, { ...large, width_px: 5 }],
    })
    expect(descriptors).toEqual([await describer.describe(await decode(picture), large), null])
    expect(model).toMatch(/^face-recognition sha256:b413e420/)
    expect(cpu_ms).toBeGreaterThan(0)
    forget(descriptors)
    expect(descriptors[0]!.every(value => value === 0)).toBe(true)
    await expect(child.describe({ picture, faces: Array(33).fill(large) })).rejects.toMatchObject({
      code: "INVALID",
    })
    await expect(child.describe({ picture: picture.subarray(0, 900), faces: [] })).rejects.toMatchObject({
      code: "PICTURE",
    })
  },
)

const isThere = hasShared("faces/astronaut.png")
describe.skipIf(!isThere)(`a portrait${isThere ? "" : " (skipped: no ../shared/data/faces)"}`, () => {
  test("shrunk to the least size it is still nearer to itself than to a drawn face", async () => {
    const pixels = await decode(readFileSync(sharedData("faces/astronaut.png")))
    const [face] = await (await openFaceFinder(null)).find(pixels)
    const own = (await describer.describe(pixels, face!.box))!
    const drawn = await drawCapture({ seed: "faces", lane: 1, hour: 12, index: 3 })
    const other = (await describer.describe(await decode(drawn.picture), {
      ...drawn.faces[0]!,
      width_px: 60,
      height_px: 60,
    }))!
    for (const share of [0.8, 0.6, 0.4, 0.35]) {
      const of = (length: number) => Math.round(length * share)
      const small = await resized(pixels, whole(pixels), {
        width_px: of(pixels.width_px),
        height_px: of(pixels.height_px),
      })
      const { x_px, y_px, width_px, height_px } = face!.box
      const box = { x_px: of(x_px), y_px: of(y_px), width_px: of(width_px), height_px: of(height_px) }
      const again = (await describer.describe(small, box))!
      expect(apart(own, again), String(share)).toBeLessThan(0.4)
      expect(apart(own, other)).toBeGreaterThan(0.6)
    }
  })
})
