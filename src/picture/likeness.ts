import { align } from "../mark/align.ts"
import { planeOf, scaled, type Plane } from "../mark/plane.ts"
import { viewOf, type View } from "../mark/view.ts"
import { composed, scaling, shifting, type Warp } from "../mark/warp.ts"
import { flopped } from "./leak.ts"
import type { Pixels } from "./pixels.ts"
import type { Sketch, SketchPart } from "./sketch.ts"

/** How a leak may lie on an original, and what is known of that. */
export interface Guess {
  /** From the leak, or its mirror image, to the original. */
  readonly warp: Warp
  readonly isMirrored: boolean
  readonly parts: Sketch["parts"]
}

/** The longer side at which a leak is held against likenesses, and to which it is reduced first. */
const [side_px, reduced_px] = [160, 512]

/**
 * How alike a leak and the likenesses of some originals are, −1 to 1 for each: the whole's or a region's, whichever is more alike.
 * Costs about 30 ms for each part.
 */
export function likenessesTo(leak: Pixels, guesses: readonly Guess[]): readonly number[] {
  const isAsked = (isMirrored: boolean) => guesses.some(guess => guess.isMirrored === isMirrored)
  const views = [false, true].map(isMirrored =>
    isAsked(isMirrored) ? reduced(viewOf(isMirrored ? flopped(leak) : leak)) : null,
  )
  return guesses.map(({ warp, isMirrored, parts }) => {
    const view = views[isMirrored ? 1 : 0]
    if (view == null) return -1
    const { width_px, height_px } = view.luma
    const fromReduced = composed(warp, scaling(leak.width_px / width_px, leak.height_px / height_px))
    return Math.max(-1, ...parts.map(part => likenessOf(view, part, fromReduced)))
  })
}

function likenessOf(view: View, { box, likeness }: SketchPart, toOriginal: Warp): number {
  const { width_px, height_px, values } = likeness
  const small: Plane = { width_px, height_px, values: Float32Array.from(values) }
  const toPart = composed(
    scaling(width_px / box.width_px, height_px / box.height_px),
    shifting(-box.x_px, -box.y_px),
  )
  const laid = align(small, view, composed(toPart, toOriginal), { sides_px: [side_px], freedom: "affine" })
  return Number.isFinite(laid.likeness) ? laid.likeness : -1
}

function reduced({ luma, valid }: View): View {
  const factor = Math.min(1, reduced_px / Math.max(luma.width_px, luma.height_px))
  const shares = scaled(valid, factor)
  const shown = planeOf(shares.width_px, shares.height_px)
  for (let i = 0; i < shown.values.length; i += 1)
    shown.values[i] = (shares.values[i] as number) > 0.95 ? 1 : 0
  return { luma: scaled(luma, factor), valid: shown }
}
