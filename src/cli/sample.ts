import type { Command } from "commander"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import sharp from "sharp"
import type { Geometry } from "../custody/geometry.ts"
import { drawCapture, type DrawnCapture } from "../drawing/capture.ts"
import { Fault } from "../fault.ts"
import type { Box } from "../picture/level.ts"
import { contextOf } from "./context.ts"
import { answer, progress, tell } from "./say.ts"

interface SampleOptions {
  readonly count: string
  readonly out: string
}

interface Sample {
  readonly file: string
  readonly plate: { readonly text: string; readonly box: Box }
}

/** lane sample: what an engineer may have at once. Nothing of it was ever in front of a camera. */
export function sampleCommand(lane: Command): void {
  lane
    .command("sample <lane>")
    .description("drawn pictures of the lane's size, with plates that exist nowhere: no grant, no image")
    .option("--count <number>", "1 to 200", "8")
    .requiredOption("--out <folder>")
    .action(async (id: string, options: SampleOptions, self: Command) => {
      const context = await contextOf(self)
      const count = /^\d{1,3}$/.test(options.count) ? Number(options.count) : 0
      if (count < 1 || count > 200) throw new Fault("INVALID", "--count is a whole number from 1 to 200")
      const path = `/v1/lanes/${encodeURIComponent(id)}/geometry`
      const { geometry } = await context.client.json<{ geometry: Geometry | null }>({ method: "GET", path })
      await mkdir(options.out, { recursive: true })
      const samples: Sample[] = []
      for (let index = 1; index <= count; index += 1) {
        const drawn = fitted(
          await drawCapture({ seed: id, lane: 1, hour: (7 * index) % 24, index }),
          geometry,
        )
        const file = `sample-${String(index).padStart(3, "0")}.jpg`
        await writeFile(join(options.out, file), await drawn.picture)
        samples.push({ file, plate: drawn.plate })
        progress(context.voice, index, count, "drawn")
      }
      await writeFile(
        join(options.out, "index.json"),
        `${JSON.stringify({ lane: id, geometry, samples }, null, 2)}\n`,
      )
      const size =
        geometry === null
          ? "the drawing's own size: the lane has too few captures yet"
          : `${geometry.width_px} × ${geometry.height_px} pixels, as the lane's are`
      answer(context.voice, { lane: id, geometry, samples }, [`${count} samples in ${options.out}, ${size}`])
      tell(context.voice, "their plates and boxes are in index.json; nothing of them is real")
    })
}

/** The drawn picture in the lane's size; its plate's box grows and shrinks with it. */
function fitted(
  { picture, plate, width_px, height_px }: DrawnCapture,
  geometry: Geometry | null,
): { readonly picture: Promise<Uint8Array>; readonly plate: Sample["plate"] } {
  if (geometry === null) return { picture: Promise.resolve(picture), plate }
  const [x, y] = [geometry.width_px / width_px, geometry.height_px / height_px]
  const { box, text } = plate
  const scaled = {
    x_px: Math.floor(box.x_px * x),
    y_px: Math.floor(box.y_px * y),
    width_px: Math.max(1, Math.floor(box.width_px * x)),
    height_px: Math.max(1, Math.floor(box.height_px * y)),
  }
  const resized = sharp(picture)
    .resize(geometry.width_px, geometry.height_px, { fit: "fill" })
    .jpeg({ quality: 84 })
    .toBuffer()
  return { picture: resized, plate: { text, box: scaled } }
}
