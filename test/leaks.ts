import sharp, { type Region } from "sharp"
import { drawCapture } from "../src/drawing/capture.ts"
import { parseDescriptors } from "../src/picture/descriptors.ts"
import { decodeLeak, lookAtLeak } from "../src/picture/leak.ts"
import { keptBoxes, undoubted, type Box } from "../src/picture/level.ts"
import { Originals } from "../src/picture/originals.ts"
import { decode, keepRegions } from "../src/picture/pixels.ts"
import { parseSketch, sketchOf, type Sketch } from "../src/picture/sketch.ts"

/** Originals of a drawn lane, what leaks of their copies look like, and which original a leak is led back to. */

export interface Original {
  readonly sketch: Sketch
  readonly l2: Uint8Array
  readonly l4: Uint8Array
  /** What L2 shows. */
  readonly region: Box
}

export async function drawOriginals(count: number, hour: number): Promise<readonly Original[]> {
  const originals: Original[] = []
  for (let index = 0; index < count; index += 1) {
    const { picture, plate, width_px, height_px } = await drawCapture({ seed: "trace", lane: 1, hour, index })
    const findings = { width_px, height_px, plates: [plate.box], faces: [], doubted: undoubted }
    originals.push({
      sketch: parseSketch(await sketchOf(await decode(picture), [plate.box]))!,
      l2: (await keepRegions(picture, { level: "L2" }, findings, null)).bytes,
      l4: (await keepRegions(picture, { level: "L4" }, findings, null)).bytes,
      region: keptBoxes("L2", findings).keep[0]!,
    })
  }
  return originals
}

export type Leak = (original: Original) => Promise<Uint8Array>

export const leaks: Readonly<Record<string, Leak>> = {
  "L2 as it is": async ({ l2 }) => l2,
  "L2, JPEG 50 at half size": ({ l2 }) => sharp(l2).resize(512).jpeg({ quality: 50 }).toBuffer(),
  "L2, turned by 5°": ({ l2 }) => sharp(l2).rotate(5).jpeg({ quality: 90 }).toBuffer(),
  "L2, half of the region": ({ l2, region }) => sharp(l2).extract(halfOf(region)).png().toBuffer(),
  "L2, at quarter size": ({ l2 }) => sharp(l2).resize(256).png().toBuffer(),
  "L4, at quarter size": ({ l4 }) => sharp(l4).resize(256).png().toBuffer(),
  "L4, JPEG 30": ({ l4 }) => sharp(l4).jpeg({ quality: 30 }).toBuffer(),
  "L4, a quarter of it, turned by 5°, JPEG 50": async ({ l4 }) => {
    const cut = await sharp(l4).extract({ left: 256, top: 300, width: 512, height: 384 }).png().toBuffer()
    return sharp(cut).rotate(5).jpeg({ quality: 50 }).toBuffer()
  },
}

/** The left half: of a vehicle's front, which is the same on both sides, no more than one. */
function halfOf({ x_px, y_px, width_px, height_px }: Box): Region {
  return { left: x_px, top: y_px, width: Math.floor(width_px / 2), height: height_px }
}

/** All of them, each under its number. */
export function indexOf(originals: readonly Original[]): Originals {
  const index = new Originals()
  originals.forEach(({ sketch }, number) => index.add(String(number), sketch))
  return index
}

/** At which place the right original comes, from 1; 6 where it is not among the first five. */
export async function placeOf(file: Uint8Array, number: number, index: Originals): Promise<number> {
  const { side_px, descriptors } = lookAtLeak(await decodeLeak(file))
  const found = await index.find(parseDescriptors(descriptors)!, side_px, 5)
  const place = found.findIndex(({ name }) => name === String(number))
  return place < 0 ? 6 : place + 1
}
