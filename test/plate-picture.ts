import sharp from "sharp"
import { chanceOf } from "../src/drawing/chance.ts"
import { drawPlate, plateSize } from "../src/drawing/plate.ts"
import type { Box } from "../src/picture/level.ts"

/** A small picture with one plate that our own finder sees: what a test needs for L2 to show something. */
export interface PlatePicture {
  /** JPEG, 320 × 240. */
  readonly picture: Uint8Array
  readonly plate: { readonly text: string; readonly box: Box }
}

const size = { width: 320, height: 240 } as const

/** @param text  letters and digits that exist on no car. */
export async function platePicture(text = "SP7X042"): Promise<PlatePicture> {
  const box = { x_px: 100, y_px: 110, width_px: plateSize.width_px / 2, height_px: plateSize.height_px / 2 }
  const drawn = `<g transform="translate(${box.x_px} ${box.y_px}) scale(0.5)">${drawPlate(text, chanceOf("plate"))}</g>`
  const road = `<rect width="320" height="240" fill="#4d5a66"/><rect y="150" width="320" height="90" fill="#3a3f45"/>`
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}">${road}${drawn}</svg>`
  const picture = await sharp(Buffer.from(svg)).jpeg({ quality: 95 }).toBuffer()
  return { picture: new Uint8Array(picture), plate: { text, box } }
}
