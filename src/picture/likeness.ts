import sharp from "sharp"
import { align, type Alignment } from "../mark/align.ts"
import { planeOf, scaled, type Plane } from "../mark/plane.ts"
import { viewOf, type View } from "../mark/view.ts"
import { composed, inverted, scaling, shifting, type Warp } from "../mark/warp.ts"
import { flopped } from "./leak.ts"
import type { Pixels } from "./pixels.ts"
import { sketchLimits, type SketchPart } from "./sketch.ts"

/** How a leak may lie on an original, and what that looks like. */
export interface Guess {
  /** From the leak, or its mirror image, to the original: how its corners say, in one way or more. */
  readonly warps: readonly Warp[]
  readonly isMirrored: boolean
  readonly parts: readonly Pick<SketchPart, "box" | "likeness">[]
}

/**
 * The longer side at which a leak is held against likenesses, coarsely and closely. Vehicles of one make are as alike as one at
 * the first, and not at the second.
 */
const [coarse_px, close_px] = [160, 320]

/** So many are held against the leak closely: the first that are named, and those that are most alike coarsely. */
const mostClose = 6
const firstClose = 2

/**
 * How alike a leak and the likenesses of some originals are, −1 to 1 for each: the whole's or a region's, whichever is more alike; −1
 * for those that are not among the most alike already when they are looked at coarsely.
 * @param guesses  the likeliest first.
 * Costs about 15 ms for each part and warp, and 80 for each original that is looked at closely.
 */
export async function likenessesTo(leak: Pixels, guesses: readonly Guess[]): Promise<readonly number[]> {
  const views = new Map<boolean, readonly [Small, Small]>()
  for (const { isMirrored } of guesses) {
    if (views.has(isMirrored)) continue
    const view = viewOf(isMirrored ? flopped(leak) : leak)
    views.set(isMirrored, [reduced(view, coarse_px), reduced(view, close_px)])
  }
  const laid: (Laid & { readonly n: number; readonly close: Small })[] = []
  for (const [n, guess] of guesses.entries()) {
    const [coarse, close] = views.get(guess.isMirrored) as readonly [Small, Small]
    const best = await coarselyLaid(coarse, guess)
    if (best !== null) laid.push({ ...best, n, close })
  }
  const rank = ({ n, alignment }: (typeof laid)[number]) => (n < firstClose ? 2 : alignment.likeness)
  laid.sort((a, b) => rank(b) - rank(a))
  const told = new Array<number>(guesses.length).fill(-1)
  for (const { n, close, likeness, toLeak, alignment } of laid.slice(0, mostClose)) {
    const warp = composed(alignment.warp, composed(inverted(toLeak) as Warp, close.toLeak))
    const options = { sides_px: [close_px], freedom: "perspective" } as const
    told[n] = align(likeness, close.view, warp, options).likeness
  }
  return told.map(each => (Number.isFinite(each) ? each : -1))
}

/** A leak, or its mirror image, brought to a size. */
interface Small {
  readonly view: View
  /** To the leak's own pixels. */
  readonly toLeak: Warp
}

interface Laid {
  readonly likeness: Plane
  readonly toLeak: Warp
  readonly alignment: Alignment
}

/** The part and the warp with which both are most alike; `null` where nothing is. */
async function coarselyLaid({ view, toLeak }: Small, { warps, parts }: Guess): Promise<Laid | null> {
  let best: Laid | null = null
  for (const { box, likeness: file } of parts) {
    const likeness = await planeIn(file)
    if (likeness === null) continue
    const toPart = composed(
      scaling(likeness.width_px / box.width_px, likeness.height_px / box.height_px),
      shifting(-box.x_px, -box.y_px),
    )
    for (const warp of warps) {
      const start = composed(toPart, composed(warp, toLeak))
      const alignment = align(likeness, view, start, { sides_px: [coarse_px], freedom: "affine" })
      if (alignment.likeness > (best?.alignment.likeness ?? -1)) best = { likeness, toLeak, alignment }
    }
  }
  return best
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

function reduced({ luma, valid }: View, side_px: number): Small {
  const factor = Math.min(1, side_px / Math.max(luma.width_px, luma.height_px))
  const shares = scaled(valid, factor)
  const shown = planeOf(shares.width_px, shares.height_px)
  for (let i = 0; i < shown.values.length; i += 1)
    shown.values[i] = (shares.values[i] as number) > 0.95 ? 1 : 0
  const small = { luma: scaled(luma, factor), valid: shown }
  const { width_px, height_px } = small.luma
  return { view: small, toLeak: scaling(luma.width_px / width_px, luma.height_px / height_px) }
}
