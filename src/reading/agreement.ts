import type { Box } from "../picture/level.ts"
import type { Pixels } from "../picture/pixels.ts"
import { likeliestTexts } from "./ctc.ts"
import { isReadable } from "./plate-candidates.ts"
import { boxAround, changed, heightOf, regionOf, widthOf, type Region } from "./region.ts"
import { readLine } from "./rereading.ts"
import type { Size } from "./sampling.ts"
import type { TextDetector } from "./text-detector.ts"
import type { TextRecogniser } from "./text-recogniser.ts"

/**
 * How far a claimed plate may be from the text in it. Of 193 photographs, claims as tight as the truth hold text over at
 * least 0.70 of their width and 0.52 of their height in 19 of 20; claims half as large again, 0.52 and 0.37.
 */
const limits = {
  /** The text's least share of the claim's width and height. */
  across: 0.45,
  down: 0.3,
  /** How far beyond the text a plate reaches, in the text's widths and heights: 0.2 and 0.6 in 19 of 20. */
  sides: 0.25,
  edges: 0.75,
  /** Lines of one plate are this close, in heights of the larger, and not smaller than half of it. */
  near: 0.6,
  height: 0.5,
  /**
   * What is read of it: characters, and the mean logarithm of their odds. Of 97 photographs every plate that the detector
   * saw was read with 4 and more, none below -0.37; of 106 claims around drawn faces the detector took 13 for text, and
   * the recogniser read nothing in any.
   */
  characters: 3,
  log: -0.8,
} as const

/** How wide the claim is shown to the detector: as a plate in the reader's second look. */
const shown_px = 192
const leastShown_px = 96
const mostShown_px = 512

export interface Networks {
  readonly detector: TextDetector
  readonly recogniser: TextRecogniser
}

/**
 * Where a reader claims a plate, and our own networks see and read the text that makes it one: the claim, cut to what a
 * plate around that text can cover. `null` where they see no text or cannot read it, or where it is little beside the size
 * of the claim: a box around a windscreen with a sticker in it is none. What is written without Latin letters and digits
 * is not read, and so not agreed with.
 * Costs about 25 ms of one core.
 */
export async function agreedBox(
  { detector, recogniser }: Networks,
  pixels: Pixels,
  claim: Box,
): Promise<Box | null> {
  const inside = boxAround(regionOf(claim), pixels)
  const part = boxAround(changed(regionOf(claim), { wider: 0.3, higher: 0.6 }), pixels)
  if (inside === null || part === null) return null
  const zoomed_px = (shown_px * Math.max(part.width_px, part.height_px)) / inside.width_px
  const longest_px = Math.round(Math.max(leastShown_px, Math.min(mostShown_px, zoomed_px)))
  const found = await detector.find(pixels, part, longest_px)
  const lines = found
    .map(({ region }) => region)
    .filter(region => isReadable(region) && isInside([region.x_px, region.y_px], inside))
    .sort((a, b) => widthOf(b) * heightOf(b) - widthOf(a) * heightOf(a))
  const [largest] = lines
  const boxes = lines.flatMap(region => boxAround(region, pixels) ?? [])
  const agreed = agreedWith(inside, boxes, pixels)
  return agreed !== null && largest !== undefined && (await isRead(recogniser, pixels, largest))
    ? agreed
    : null
}

async function isRead(recogniser: TextRecogniser, pixels: Pixels, line: Region): Promise<boolean> {
  const [best] = likeliestTexts(await readLine(recogniser, pixels, line), 2)
  const count = best?.text.length ?? 0
  return best !== undefined && count >= limits.characters && best.log / count >= limits.log
}

/** The claim cut to its text, or `null`; `lines` are the lines of text whose middles lie in it. */
export function agreedWith(claim: Box, lines: readonly Box[], picture: Size): Box | null {
  const text = largestText(lines)
  if (text === null) return null
  if (text.width_px < limits.across * claim.width_px || text.height_px < limits.down * claim.height_px)
    return null
  const reach = boxAround(
    changed(regionOf(text), { wider: 2 * limits.sides, higher: 2 * limits.edges }),
    picture,
  )
  return reach === null ? null : shared(claim, reach)
}

/** The largest line with those that touch it, line by line: a plate of two rows or of groups. */
function largestText(lines: readonly Box[]): Box | null {
  const [largest, ...others] = [...lines].sort((a, b) => area(b) - area(a))
  if (largest === undefined) return null
  const high = others.filter(line => line.height_px >= limits.height * largest.height_px)
  const near_px = limits.near * largest.height_px
  let text = largest
  for (let grown = true; grown;) {
    const touching = high.filter(line => !covers(text, line) && touches(text, line, near_px))
    grown = touching.length > 0
    for (const line of touching) text = together(text, line)
  }
  return text
}

function area({ width_px, height_px }: Box): number {
  return width_px * height_px
}

function isInside([x, y]: readonly [number, number], box: Box): boolean {
  return x >= box.x_px && y >= box.y_px && x <= box.x_px + box.width_px && y <= box.y_px + box.height_px
}

function covers(box: Box, other: Box): boolean {
  const cut = shared(box, other)
  return cut !== null && area(cut) === area(other)
}

function touches(a: Box, b: Box, near_px: number): boolean {
  const { x_px, y_px, width_px, height_px } = a
  const around = {
    x_px: x_px - near_px,
    y_px: y_px - near_px,
    width_px: width_px + 2 * near_px,
    height_px: height_px + 2 * near_px,
  }
  return shared(around, b) !== null
}

function together(a: Box, b: Box): Box {
  const [x_px, y_px] = [Math.min(a.x_px, b.x_px), Math.min(a.y_px, b.y_px)]
  const right = Math.max(a.x_px + a.width_px, b.x_px + b.width_px)
  const bottom = Math.max(a.y_px + a.height_px, b.y_px + b.height_px)
  return { x_px, y_px, width_px: right - x_px, height_px: bottom - y_px }
}

function shared(a: Box, b: Box): Box | null {
  const [x_px, y_px] = [Math.max(a.x_px, b.x_px), Math.max(a.y_px, b.y_px)]
  const width_px = Math.min(a.x_px + a.width_px, b.x_px + b.width_px) - x_px
  const height_px = Math.min(a.y_px + a.height_px, b.y_px + b.height_px) - y_px
  return width_px > 0 && height_px > 0 ? { x_px, y_px, width_px, height_px } : null
}
