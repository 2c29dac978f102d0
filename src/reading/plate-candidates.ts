import type { Size } from "./sampling.ts"
import type { TextOdds } from "./text-recogniser.ts"
import type { Likely } from "./ctc.ts"
import { heightOf, widthOf, type Region } from "./region.ts"

/** A line of text that may be a plate's, as the first look reads it. */
export interface Line {
  readonly region: Region
  readonly odds: TextOdds
  /** Its likeliest text. */
  readonly text: Likely
  /** Made of two lines that the detector parts. */
  readonly isJoined: boolean
}

/** Whether a line found by the detector is worth reading at all. */
export function isReadable(region: Region): boolean {
  const [width, height] = [widthOf(region), heightOf(region)]
  return width >= 16 && height >= 6 && width >= height
}

/**
 * How much a line looks like a plate's, as a sum of natural logarithms: surely read, as long as a plate's text, letters
 * with digits, high in its picture, and of a plate's shape. Of 193 photographs it puts the plate first in 192 and second
 * in one; what it has to beat are signs, names of makes and dealers, and dates that a camera writes into its picture.
 */
export function plateLikeness({ region, text: { text, log }, isJoined }: Line, picture: Size): number {
  const digits = text.replace(/[^0-9]/g, "").length
  const mixture = digits > 0 && digits < text.length ? 1.2 : digits > 0 ? 0 : -1.8
  const size = 0.5 * Math.log(heightOf(region) / picture.height_px / 0.05)
  const shape = ofShape(widthOf(region) / heightOf(region)) - (isJoined ? 1 : 0)
  return 0.6 * Math.max(log, -4) + ofLength(text.length) + mixture + size + shape
}

function ofLength(count: number): number {
  if (count >= 5 && count <= 8) return 0
  return { 3: -2.5, 4: -1.2, 9: -1.2, 10: -3 }[count] ?? -5
}

function ofShape(aspect: number): number {
  if (aspect >= 1.6 && aspect <= 6) return 0
  return aspect >= 1.2 && aspect <= 8 ? -1.2 : -3
}

/**
 * The plate's line again, as the second look sees it: the highest of those that lie on it and are long enough, and only
 * where there is none, of two joined.
 */
export function sameLine(first: Region, seen: readonly Region[]): Region | null {
  const [width, height] = [widthOf(first), heightOf(first)]
  const highest = (regions: readonly Region[]) =>
    regions
      .filter(
        region =>
          Math.abs(region.x_px - first.x_px) < 0.8 * width &&
          Math.abs(region.y_px - first.y_px) < 0.9 * height &&
          widthOf(region) > 0.6 * width,
      )
      .sort((a, b) => heightOf(b) - heightOf(a))[0]
  return highest(seen) ?? highest(joined(seen)) ?? null
}

/** Each two lines beside each other on one height, as one: plates are written in groups, which the detector may part. */
export function joined(regions: readonly Region[]): Region[] {
  return regions.flatMap((left, i) =>
    regions.flatMap((right, k) => (i !== k && continues(left, right) ? [together(left, right)] : [])),
  )
}

function continues(left: Region, right: Region): boolean {
  const height = Math.max(heightOf(left), heightOf(right))
  const gap = right.x_px - left.x_px - (widthOf(left) + widthOf(right)) / 2
  return (
    Math.min(heightOf(left), heightOf(right)) > 0.65 * height &&
    Math.abs(right.y_px - left.y_px) < 0.35 * height + 0.15 * (right.x_px - left.x_px) &&
    gap > -0.3 * height &&
    gap < 1.2 * height
  )
}

/** The smallest straight box along the line between both middles. */
function together(left: Region, right: Region): Region {
  const [dx, dy] = [right.x_px - left.x_px, right.y_px - left.y_px]
  const length = Math.hypot(dx, dy)
  const unit = [dx / length, dy / length] as const
  const width = length + (widthOf(left) + widthOf(right)) / 2
  const height = Math.max(heightOf(left), heightOf(right))
  const shift = (widthOf(right) - widthOf(left)) / 4
  return {
    x_px: (left.x_px + right.x_px) / 2 + shift * unit[0],
    y_px: (left.y_px + right.y_px) / 2 + shift * unit[1],
    along: [width * unit[0], width * unit[1]],
    down: [-height * unit[1], height * unit[0]],
  }
}
