import { mkdir, readFile, writeFile } from "node:fs/promises"
import sharp, { type Sharp } from "sharp"
import { marked, redacted, shownAt, type Pixels } from "../src/picture/pixels.ts"
import type { Region } from "../src/grant/level.ts"
import { undoubted, type Box } from "../src/picture/level.ts"
import { copyFor, keysOf } from "./mark-copies.ts"
import { cut, pictureOf } from "./mark-pictures.ts"

/** Writes a run's tables and drawn pictures of the mark into docs. */

const docs = new URL("../../docs/", import.meta.url)
const [opening, closing] = ["<!-- measured -->", "<!-- /measured -->"]

/** How many times what the mark changes is shown. */
const amplified = 12

export async function writeDocs(tables: string): Promise<void> {
  const file = new URL("mark.md", docs)
  const text = await readFile(file, "utf8")
  const [before, after] = [text.indexOf(opening), text.indexOf(closing)]
  if (before < 0 || after < before) throw new Error(`docs/mark.md has no ${opening} … ${closing}`)
  await writeFile(file, `${text.slice(0, before)}${opening}\n\n${tables}\n\n${text.slice(after)}`)
  await mkdir(new URL("mark/", docs), { recursive: true })
  await drawn("day", 1, { x_px: 330, y_px: 330, width_px: 360, height_px: 270 })
  await drawn("night", 3, { x_px: 330, y_px: 330, width_px: 360, height_px: 270 })
  for (const region of ["close", "wide"] as const) await shown(region)
}

/** A whole drawn capture as its L2 copy shows it, at half its size. */
async function shown(region: Region): Promise<void> {
  const picture = await pictureOf({ kind: "drawn", index: 1 })
  const { pixels } = await copyFor(picture, "L2", "holder", region)
  await write(
    raw(pixels)
      .resize(pixels.width_px >> 1)
      .jpeg({ quality: 90 }),
    `shown-${region}.jpg`,
  )
}

/** A part of a drawn capture: as it is, marked as an L4 copy is, and what differs. */
async function drawn(name: string, index: number, part: Box): Promise<void> {
  const picture = await pictureOf({ kind: "drawn", index })
  const { width_px, height_px } = picture.pixels
  const found = { width_px, height_px, plates: [picture.plate], faces: [], doubted: undoubted }
  const whole = shownAt("L4", found)
  const copy = redacted(picture.pixels, whole)
  marked(picture.pixels, copy, { keys: keysOf(picture.name, "holder"), policy: "usual", shown: whole })
  const [plain, changed] = [cut(picture.pixels, part), cut(copy, part)]
  const difference = Uint8ClampedArray.from(
    plain.rgb,
    (value, i) => 128 + amplified * (changed.rgb[i]! - value),
  )
  const photograph = (image: Sharp) => image.jpeg({ quality: 95, chromaSubsampling: "4:4:4" })
  await write(photograph(raw(plain)), `${name}-unmarked.jpg`)
  await write(photograph(raw(changed)), `${name}-marked.jpg`)
  await write(
    raw({ ...plain, rgb: Uint8Array.from(difference) })
      .greyscale()
      .png(),
    `${name}-difference.png`,
  )
}

async function write(image: Sharp, name: string): Promise<void> {
  await writeFile(new URL(`mark/${name}`, docs), await image.toBuffer())
}

function raw({ rgb, width_px, height_px }: Pixels): Sharp {
  return sharp(rgb, { raw: { width: width_px, height: height_px, channels: 3 } })
}
