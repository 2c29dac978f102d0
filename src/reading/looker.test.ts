import { existsSync } from "node:fs"
import sharp from "sharp"
import { afterEach, expect, test } from "vitest"
import { drawCapture } from "../drawing/capture.ts"
import { lookMemory_mb, openLooker, type Looker, type LookerOptions } from "./looker.ts"
import { lookOf } from "./look-shape.ts"

const isBuilt = existsSync(new URL("../../dist/reading/look-child.js", import.meta.url))
const isLinux = process.platform === "linux"

const open: Looker[] = []

function looker(options: Partial<LookerOptions> = {}): Looker {
  const one = openLooker({ processes: 1, timeout_ms: 60_000, memory_mb: lookMemory_mb, ...options })
  open.push(one)
  return one
}

afterEach(async () => {
  await Promise.all(open.splice(0).map(one => one.close()))
})

const asked = {
  region: "any",
  claims: [],
  readsAgreed: true,
  faces: { ownModel: null },
  sketches: false,
} as const
const code = (work: Promise<unknown>) =>
  work.then(
    () => "looked",
    error => error.code ?? String(error),
  )

test.skipIf(!isBuilt)(
  "a child reads the plate and finds the faces of a drawn capture; what does not decode is refused, and the next is served (skipped: dist is not built)",
  async () => {
    const one = looker()
    const drawn = await drawCapture({ seed: "look", lane: 1, hour: 12, index: 2 })
    const look = await one.look({ picture: drawn.picture, ...asked })
    expect(look).toMatchObject({ width_px: drawn.width_px, height_px: drawn.height_px })
    expect(look.plate!.candidates[0]!.text).toBe(drawn.plate.text)
    expect(look.faces!.length).toBeGreaterThanOrEqual(drawn.faces.length)
    expect(look.models.plates).toMatch(/sha256:30a86f57.*sha256:06b3e6af/)
    expect(look.cpu_ms).toBeGreaterThan(0)
    const cut = drawn.picture.subarray(0, drawn.picture.length / 2)
    expect(await code(one.look({ picture: cut, ...asked }))).toBe("PICTURE")
    const only = await one.look({ ...asked, picture: drawn.picture, region: null, faces: null })
    expect([only.plate, only.faces]).toEqual([null, null])
  },
)

test.skipIf(!isBuilt)("an operator's model that is none is refused by its name", async () => {
  const { picture } = await drawCapture({ seed: "look", lane: 1, hour: 12, index: 2 })
  const faces = { ownModel: "/nowhere/own.onnx" }
  await expect(looker().look({ ...asked, picture, region: null, faces })).rejects.toMatchObject({
    code: "MODEL",
    message: expect.stringContaining("/nowhere/own.onnx"),
  })
})

test.skipIf(!isBuilt || !isLinux)(
  "a child that outgrows its memory ends, and the picture is refused",
  async () => {
    const wide = { width: 16_000, height: 3_000, channels: 3 as const, background: "#000" }
    const picture = await sharp({ create: wide }).png().toBuffer()
    expect(await code(looker({ memory_mb: 256 }).look({ picture, ...asked }))).toBe("PICTURE")
  },
)

test("what is no picture never reaches a child, and options out of range are refused", async () => {
  expect(await code(looker().look({ picture: new Uint8Array(9), ...asked }))).toBe("PICTURE")
  expect(() => looker({ processes: 0 })).toThrow("1 to 16")
})

test("an answer of another shape is no look", () => {
  const face = { box: { x_px: 0, y_px: 0, width_px: 9, height_px: 9 }, score: 0.5 }
  const faces = [face]
  const models = { plates: null, faces: "m" }
  const quality = { brightness: 0.5, clipped: 0, sharpness: 0.1 }
  const good = {
    width_px: 9,
    height_px: 9,
    quality,
    agreed: [null],
    sketch: null,
    plate: null,
    faces,
    models,
    cpu_ms: 1,
  }
  expect(lookOf(good)).toBe(good)
  for (const bent of [
    null,
    {},
    { ...good, more: 1 },
    { ...good, width_px: "9" },
    { ...good, cpu_ms: NaN },
    { ...good, faces: { model: "m", found: [{ ...face, score: 2 }] } },
    { ...good, faces: { model: "m", found: Array(33).fill(face) } },
    { ...good, plate: { state: "read", plate: "<b>" } },
  ])
    expect(lookOf(bent)).toBeNull()
})
