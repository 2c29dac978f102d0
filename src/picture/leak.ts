import sharp from "sharp"
import { Fault } from "../fault.ts"
import { busyBox } from "../mark/busy.ts"
import type { Plane } from "../mark/plane.ts"
import { shownBox } from "../mark/view.ts"
import { stepsOf, type Steps } from "../mark/quantiser.ts"
import { colours, type Pixels } from "./pixels.ts"
import { areaOf, sideOf, smallShare } from "./sides.ts"

/** What a found file may be at most. */
export const leakLimits = { bytes: 48 * 1024 * 1024, pixels: 120_000_000, least_px: 16 } as const

/** A larger one is looked at reduced to this many pixels. */
const working_px = 6_000_000

/** A found file, decoded to be compared: the part of it that shows something. */
export interface Leak {
  readonly pixels: Pixels
  /** How its own file rounded its luma; `null` where it is no JPEG, or was turned or reduced since. */
  readonly steps: Steps | null
}

/** What a leak is looked for by, and its mirrored self. */
export interface LeakLook {
  readonly side_px: number
  /** Packed, docs/formats/descriptors.md. */
  readonly descriptors: Uint8Array
  readonly mirrored: Uint8Array
}

/** A file with less of it solid is of a whole picture. */
const leastSolid = 0.1

/**
 * Decodes what somebody found: whatever its format, depth, colours and transparency, its first page alone.
 * @param isNegative  whether its negative is wanted: what was light is dark.
 * @throws Fault PICTURE for what does not decode, or is smaller than 16 pixels; PICTURE_SIZE over `leakLimits`.
 */
export async function decodeLeak(
  file: Uint8Array,
  { isNegative }: { readonly isNegative: boolean } = { isNegative: false },
): Promise<Leak> {
  if (file.length > leakLimits.bytes)
    throw new Fault("PICTURE_SIZE", `the file has over ${leakLimits.bytes / 1_048_576} MB; reduce it`)
  try {
    const image = sharp(file, { failOn: "error", limitInputPixels: leakLimits.pixels, pages: 1 })
    const { width, height, orientation = 1 } = await image.metadata()
    if (width * height > leakLimits.pixels)
      throw new Fault(
        "PICTURE_SIZE",
        "the picture has over 120 million pixels; reduce it, and trace what is left",
      )
    if (Math.min(width, height) < leakLimits.least_px)
      throw new Fault("PICTURE", "the picture is smaller than 16 pixels: too little of a mark is in it")
    const reduces = Math.sqrt(Math.min(1, working_px / (width * height)))
    const { data, info } = await image
      .autoOrient()
      .resize(reduces < 1 ? { width: Math.round((orientation > 4 ? height : width) * reduces) } : {})
      .toColourspace("srgb")
      .flatten({ background: { r: colours.solid[0], g: colours.solid[1], b: colours.solid[2] } })
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true })
    const rgb = info.channels === 3 ? data : spread(data, info.channels)
    if (isNegative) for (let i = 0; i < rgb.length; i += 1) rgb[i] = 255 - (rgb[i] as number)
    const pixels = { rgb, width_px: info.width, height_px: info.height }
    return { pixels: shownPart(pixels), steps: reduces < 1 || orientation !== 1 ? null : stepsOf(file) }
  } catch (error) {
    if (error instanceof Fault) throw error
    const isOverLimit = error instanceof Error && error.message.includes("exceeds pixel limit")
    if (isOverLimit)
      throw new Fault(
        "PICTURE_SIZE",
        "the picture has over 120 million pixels; reduce it, and trace what is left",
      )
    throw new Fault("PICTURE", "the file does not decode as a picture")
  }
}

/**
 * What lies around what a copy of L2 shows is solid: left out, so that it costs nothing and its edges count as no corners. Where
 * something else shows on the solid (bars, a desktop around it), what looks like a picture is all that is left.
 */
function shownPart(pixels: Pixels): Pixels {
  const { rgb, width_px } = pixels
  const { view } = sideOf(pixels, false)
  const shown = shownBox(view.valid)
  const busy = solidShare(view.valid) < leastSolid ? null : busyBox(view)
  const isPart = busy !== null && areaOf(busy) < smallShare * areaOf(shown)
  const { left, top, right, bottom } = isPart ? busy : shown
  const part = {
    rgb: new Uint8Array(3 * (right - left) * (bottom - top)),
    width_px: right - left,
    height_px: bottom - top,
  }
  if (part.rgb.length === rgb.length) return pixels
  for (let y = top; y < bottom; y += 1)
    part.rgb.set(
      rgb.subarray(3 * (y * width_px + left), 3 * (y * width_px + right)),
      3 * (y - top) * part.width_px,
    )
  return part
}

function solidShare({ values }: Plane): number {
  let shown = 0
  for (let i = 0; i < values.length; i += 1) shown += values[i] as number
  return 1 - shown / values.length
}

function spread(data: Uint8Array, channels: number): Uint8Array {
  const rgb = new Uint8Array((data.length / channels) * 3)
  for (let i = 0, at = 0; i < rgb.length; i += 3, at += channels) rgb.fill(data[at] as number, i, i + 3)
  return rgb
}

/** What a leak is looked for by. */
export function lookAtLeak({ pixels }: Leak): LeakLook {
  return {
    side_px: Math.max(pixels.width_px, pixels.height_px),
    descriptors: sideOf(pixels, false).corners,
    mirrored: sideOf(pixels, true).corners,
  }
}
