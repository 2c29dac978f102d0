import sharp from "sharp"
import { assert } from "../fault.ts"
import { lettering } from "./lettering.ts"
import type { Pixels } from "./pixels.ts"

/** A line of text as it is laid over a copy: how much of each pixel it covers, 0 to 255. */
export interface Label {
  readonly alpha: Uint8Array
  readonly width_px: number
  readonly height_px: number
}

const height_px = 28
const capHeight_px = 15
const most = 80

/** Between two lines of the text over the picture. */
const every_px = 112

/** Of the text over the picture, of 256: to be read by who looks for it, and not to hide a plate. */
const faint = 40

/** Draws a line of text, outside of the children: they load no such drawings. @param text  at most 80 characters. */
export async function drawLabel(text: string): Promise<Label> {
  assert(text.length <= most, "a label has at most 80 characters")
  const { d, width_px } = lettering(text, capHeight_px, 1)
  const width = Math.ceil(width_px) + 24
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height_px}"><path transform="translate(12 ${height_px - 7})" fill="#fff" d="${d}"/></svg>`
  const { data, info } = await sharp(Buffer.from(svg))
    .flatten({ background: "#000" })
    .greyscale()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const alpha =
    info.channels === 1
      ? data
      : Uint8Array.from({ length: width * height_px }, (_, i) => data[i * info.channels] as number)
  return { alpha: new Uint8Array(alpha), width_px: width, height_px }
}

/** A copy with the label in a strip below it, and faintly again and again over what it shows. */
export function labelled({ rgb, width_px, height_px: height }: Pixels, label: Label): Pixels {
  const result = new Uint8Array(width_px * (height + label.height_px) * 3)
  result.set(rgb)
  for (let y = 0; y < label.height_px; y += 1) {
    for (let x = 0; x < width_px; x += 1) {
      const covered = x < label.width_px ? (label.alpha[y * label.width_px + x] as number) : 0
      result.fill(covered, 3 * ((height + y) * width_px + x), 3 * ((height + y) * width_px + x) + 3)
    }
  }
  for (let top = every_px / 2, line = 0; top + label.height_px <= height; top += every_px, line += 1)
    for (let y = 0; y < label.height_px; y += 1)
      for (let x = 0; x < width_px; x += 1) {
        const across = (x + (line * label.width_px) / 3) % (label.width_px + every_px)
        if (across >= label.width_px) continue
        const covered = (label.alpha[y * label.width_px + Math.floor(across)] as number) * faint
        const at = 3 * ((top + y) * width_px + x)
        for (let c = at; c < at + 3; c += 1) {
          const value = result[c] as number
          result[c] = value + (((value < 128 ? 255 : 0) - value) * covered) / 65_280
        }
      }
  return { rgb: result, width_px, height_px: height + label.height_px }
}
