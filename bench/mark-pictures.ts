import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import sharp from "sharp"
import { drawCapture } from "../src/drawing/capture.ts"
import type { Box } from "../src/picture/level.ts"
import { decode, type Pixels } from "../src/picture/pixels.ts"

/** What the mark is measured on: drawn captures, and photographs of vehicles where they lie beside the repository. */

export type Source =
  | { readonly kind: "drawn"; readonly index: number }
  | { readonly kind: "photograph"; readonly region: string; readonly file: string; readonly plate: Box }

export interface Picture {
  readonly name: string
  readonly file: Uint8Array
  readonly pixels: Pixels
  readonly plate: Box
}

const folder = new URL("../../../shared/data/plates/", import.meta.url)
const regions = ["eu", "us", "br"] as const

/** Photographs of more pixels than this are taken with `--full` alone. */
const usual_px = 1_300_000

export interface Counts {
  readonly drawn: number
  readonly photographs: number
  readonly isFull: boolean
}

/** The drawn ones first; without photographs as many more of them. The same on every run. */
export async function sourcesOf({ drawn, photographs, isFull }: Counts): Promise<readonly Source[]> {
  const index = new URL("index.csv", folder)
  const count = existsSync(index) ? drawn : drawn + photographs
  const sources: Source[] = Array.from({ length: count }, (_, i) => ({ kind: "drawn", index: i }))
  if (!existsSync(index)) return sources
  const lines = (await readFile(index, "utf8")).trim().split("\n").slice(1)
  const rows = lines.map(line => line.split(","))
  for (const region of regions) {
    const fitting: string[][] = []
    for (const row of rows.filter(each => each[1] === region)) {
      const { width, height } = await sharp(await readFile(new URL(row[0]!, folder))).metadata()
      if (isFull || width * height <= usual_px) fitting.push(row)
    }
    const wanted = Math.min(fitting.length, Math.round(photographs / regions.length))
    for (let i = 0; i < wanted; i += 1) {
      const row = fitting[Math.floor(((i + 0.5) * fitting.length) / wanted)]!
      const [x_px, y_px, width_px, height_px] = row.slice(2, 6).map(Number) as [
        number,
        number,
        number,
        number,
      ]
      sources.push({
        kind: "photograph",
        region,
        file: row[0]!,
        plate: { x_px, y_px, width_px, height_px },
      })
    }
  }
  return sources
}

export async function pictureOf(source: Source): Promise<Picture> {
  if (source.kind === "drawn") {
    const { index } = source
    const hour = (6 + 5 * index) % 24
    const drawn = await drawCapture({ seed: "mark", lane: 1 + (index % 4), hour, index })
    const pixels = await decode(drawn.picture)
    return { name: `drawn ${index}`, file: drawn.picture, pixels, plate: drawn.plate.box }
  }
  const file = await readFile(new URL(source.file, folder))
  return { name: source.file, file, pixels: await decode(file), plate: source.plate }
}

export function cut({ rgb, width_px }: Pixels, box: Box): Pixels {
  const part = new Uint8Array(box.width_px * box.height_px * 3)
  for (let y = 0; y < box.height_px; y += 1) {
    const from = 3 * ((box.y_px + y) * width_px + box.x_px)
    part.set(rgb.subarray(from, from + 3 * box.width_px), 3 * y * box.width_px)
  }
  return { rgb: part, width_px: box.width_px, height_px: box.height_px }
}
