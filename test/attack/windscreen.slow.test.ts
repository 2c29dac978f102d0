import sharp from "sharp"
import { afterAll, beforeAll, expect, test } from "vitest"
import { writeRests } from "../../src/custody/alerts.ts"
import { release } from "../../src/custody/release.ts"
import { drawCapture, type DrawnCapture } from "../../src/drawing/capture.ts"
import type { Box } from "../../src/picture/level.ts"
import { grantOf, openTestPort, releaseCaller, takeIn, type TestPort } from "../port.ts"

/**
 * A reader is the vendor's, and so is the grant for plates that follows: what it calls a plate is shown at L2. Here it lies in
 * every way that came to mind. Judged by the drawing's own truth, which nobody in the vault knows: not one pixel of a face may
 * leave, and the true plate still does.
 */
let port: TestPort
beforeAll(async () => {
  port = await openTestPort()
})
afterAll(() => port.close())

/** How often somebody is told that this reader calls faces plates. */
async function told(): Promise<number> {
  const rows = await port.house.ledger.records("alert", { limit: 1000 })
  const alerts = rows.map(row => JSON.parse(row.body) as { what: string; count: number })
  await writeRests(port.house, { isLast: true })
  return alerts.filter(({ what }) => what === "boxes_doubted").reduce((sum, { count }) => sum + count, 0)
}

type Lie = (truth: DrawnCapture) => readonly Box[]

const around = (boxes: readonly Box[], by: number): Box => {
  const left = Math.min(...boxes.map(box => box.x_px)) - by
  const top = Math.min(...boxes.map(box => box.y_px)) - by
  const right = Math.max(...boxes.map(box => box.x_px + box.width_px)) + by
  const bottom = Math.max(...boxes.map(box => box.y_px + box.height_px)) + by
  const [x_px, y_px] = [Math.max(0, Math.round(left)), Math.max(0, Math.round(top))]
  return { x_px, y_px, width_px: Math.round(right) - x_px, height_px: Math.round(bottom) - y_px }
}

const lies: Readonly<Record<string, Lie>> = {
  "the windscreen": ({ faces }) => [around(faces, 30)],
  "each face": ({ faces }) => faces.map(face => around([face], 4)),
  "each face, as wide as a plate": ({ faces }) =>
    faces.map(({ x_px, y_px, width_px, height_px }) => ({
      x_px: Math.max(0, x_px - width_px),
      y_px: y_px + 8,
      width_px: 3 * width_px,
      height_px: height_px - 16,
    })),
  "windscreen and plate in one": ({ faces, plate }) => [around([...faces, plate.box], 0)],
  "the plate, drawn up to the faces": ({ faces, plate }) => {
    const top = Math.min(...faces.map(face => face.y_px))
    return [{ ...plate.box, y_px: top, height_px: plate.box.y_px + plate.box.height_px - top }]
  },
  "the plate, four times as high": ({ plate }) => {
    const { y_px, height_px } = plate.box
    return [{ ...plate.box, y_px: y_px - 3 * height_px, height_px: 4 * height_px }]
  },
  "thirty tiles over the cabin": ({ faces }) => {
    const { x_px, y_px, width_px, height_px } = around(faces, 20)
    return Array.from({ length: 30 }, (_, i) => ({
      x_px: Math.round(x_px + ((i % 6) * width_px) / 6),
      y_px: Math.round(y_px + (Math.floor(i / 6) * height_px) / 5),
      width_px: Math.floor(width_px / 6),
      height_px: Math.floor(height_px / 5),
    }))
  },
  "the true plate, and the windscreen too": ({ faces, plate }) => [plate.box, around(faces, 10)],
}

/** Pixels of a copy inside a box that are not solid. */
async function shownIn(copy: Uint8Array, box: Box): Promise<number> {
  const { data, info } = await sharp(copy).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  let shown = 0
  for (let y = box.y_px; y < Math.min(info.height, box.y_px + box.height_px); y += 1) {
    for (let x = box.x_px; x < Math.min(info.width, box.x_px + box.width_px); x += 1) {
      const at = 3 * (y * info.width + x)
      if (data[at] !== 128 || data[at + 1] !== 128 || data[at + 2] !== 128) shown += 1
    }
  }
  return shown
}

/** The middle of a face: its box has corners of roof and seat in it. */
function middleOf({ x_px, y_px, width_px, height_px }: Box): Box {
  return {
    x_px: Math.round(x_px + width_px / 4),
    y_px: Math.round(y_px + height_px / 4),
    width_px: Math.round(width_px / 2),
    height_px: Math.round(height_px / 2),
  }
}

test.each(Object.entries(lies))(
  "a plate's box is claimed around %s: at L2 no pixel of a face leaves, and the plate does",
  async (name, lie) => {
    const grant = await grantOf(port, { terms: { images: 4 } })
    let [faces, plates] = [0, 0]
    for (let index = 0; index < 4; index += 1) {
      const truth = await drawCapture({ seed: `lie ${name}`, lane: 1 + (index % 4), hour: 6 * index, index })
      const plates_ = lie(truth).map(box => ({ text: truth.plate.text, box }))
      const event = { v: 1, source: "index", file: null, plates: plates_, faces: [] } as const
      const { capture } = await takeIn(port, { picture: truth.picture, event })
      const { bytes } = await release(port.house, await releaseCaller(port, { grant, capture }))
      for (const face of truth.faces) faces += await shownIn(bytes, middleOf(face))
      plates += (await shownIn(bytes, middleOf(truth.plate.box))) > 0 ? 1 : 0
    }
    expect(faces).toBe(0)
    if (name !== "the plate, four times as high") expect(await told()).toBeGreaterThan(0)
    expect(plates).toBeGreaterThanOrEqual(3)
  },
)
