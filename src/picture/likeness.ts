import sharp from "sharp"
import { align, type Alignment } from "../mark/align.ts"
import { planeOf, scaled, type Plane } from "../mark/plane.ts"
import { viewOf, type View } from "../mark/view.ts"
import { composed, scaling, shifting, type Warp } from "../mark/warp.ts"
import { flopped } from "./leak.ts"
import type { Pixels } from "./pixels.ts"
import { sketchLimits, type SketchPart } from "./sketch.ts"

/** How a leak may lie on an original, and what that looks like. */
export interface Guess {
  /** From the leak, or its mirror image, to the original. */
  readonly warp: Warp
  readonly isMirrored: boolean
  readonly parts: readonly Pick<SketchPart, "box" | "likeness">[]
}

/**
 * The longer side at which a leak is held against likenesses, coarsely and closely, and to which it is reduced first. Vehicles of
 * one make are as alike as one at the first, and not at the second.
 */
const [coarse_px, close_px, reduced_px] = [160, 320, 512]

/**
 * How alike a leak and the likenesses of some originals are, −1 to 1 for each: the whole's or a region's, whichever is more alike.
 * Costs about 30 ms for each part, and 80 for each original.
 */
export async function likenessesTo(leak: Pixels, guesses: readonly Guess[]): Promise<readonly number[]> {
  const isAsked = (isMirrored: boolean) => guesses.some(guess => guess.isMirrored === isMirrored)
  const views = [false, true].map(isMirrored =>
    isAsked(isMirrored) ? reduced(viewOf(isMirrored ? flopped(leak) : leak)) : null,
  )
  const told: number[] = []
  for (const guess of guesses) {
    const view = views[guess.isMirrored ? 1 : 0]
    told.push(view == null ? -1 : await likenessOf(leak, view, guess))
  }
  return told
}

async function likenessOf(leak: Pixels, view: View, { warp, parts }: Guess): Promise<number> {
  const { width_px, height_px } = view.luma
  const toOriginal = composed(warp, scaling(leak.width_px / width_px, leak.height_px / height_px))
  let best: { readonly small: Plane; readonly alignment: Alignment } | null = null
  for (const { box, likeness } of parts) {
    const small = await planeIn(likeness)
    if (small === null) continue
    const toPart = composed(
      scaling(small.width_px / box.width_px, small.height_px / box.height_px),
      shifting(-box.x_px, -box.y_px),
    )
    const alignment = laid(small, view, composed(toPart, toOriginal), coarse_px)
    if (best === null || alignment.likeness > best.alignment.likeness) best = { small, alignment }
  }
  if (best === null || !Number.isFinite(best.alignment.likeness)) return -1
  const { likeness } = laid(best.small, view, best.alignment.warp, close_px)
  return Number.isFinite(likeness) ? likeness : -1
}

function laid(small: Plane, view: View, warp: Warp, side_px: number): Alignment {
  return align(small, view, warp, { sides_px: [side_px], freedom: "affine" })
}

/** `null` for what is no likeness. */
async function planeIn(likeness: Uint8Array): Promise<Plane | null> {
  try {
    const limitInputPixels = sketchLimits.likeness_px ** 2
    const image = sharp(likeness, { limitInputPixels, failOn: "error" }).toColourspace("b-w").raw()
    const { data, info } = await image.toBuffer({ resolveWithObject: true })
    return { width_px: info.width, height_px: info.height, values: Float32Array.from(data) }
  } catch {
    return null
  }
}

function reduced({ luma, valid }: View): View {
  const factor = Math.min(1, reduced_px / Math.max(luma.width_px, luma.height_px))
  const shares = scaled(valid, factor)
  const shown = planeOf(shares.width_px, shares.height_px)
  for (let i = 0; i < shown.values.length; i += 1)
    shown.values[i] = (shares.values[i] as number) > 0.95 ? 1 : 0
  return { luma: scaled(luma, factor), valid: shown }
}
