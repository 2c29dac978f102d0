import sharp from "sharp"
import { align, type Freedom } from "../mark/align.ts"
import { planeOf, scaled, type Plane } from "../mark/plane.ts"
import type { View } from "../mark/view.ts"
import { composed, inverted, scaling, shifting, warpedX, warpedY, type Warp } from "../mark/warp.ts"
import type { Box } from "./level.ts"
import type { Pixels } from "./pixels.ts"
import { sideOf } from "./sides.ts"
import { sketchLimits, type SketchPart } from "./sketch.ts"

/** How a leak may lie on an original, and what that looks like. */
export interface Guess {
  /** From the leak, or its mirror image, to the original: how its corners say, in one way or more. */
  readonly warps: readonly Warp[]
  readonly isMirrored: boolean
  readonly parts: readonly Pick<SketchPart, "box" | "likeness">[]
}

/** What a leak and a likeness of an original are to each other where they lie on each other. */
export interface Likened {
  /** −1 to 1. */
  readonly likeness: number
  /** Of what the leak shows, the share that the likeness has something to be held against. */
  readonly share: number
  /** From the leak, or its mirror image, to the original. */
  readonly warp: Warp
}

/**
 * The longer side at which a leak is held against likenesses, one after the other, and how many of them go on from each to the
 * next: those that are most alike, and the first that were named. Vehicles of one make are as alike as one at the first, and
 * not at the last.
 */
const stages = [
  { side_px: 80, freedom: "affine", steps: 6, going: 8 },
  { side_px: 160, freedom: "affine", steps: 8, going: 4 },
  { side_px: 320, freedom: "perspective", steps: 12, going: 4 },
] as const
const firstGoing = 2

/** A part that explains less than this share of what another of the same original explains is not what the leak shows. */
const partShare = 0.6

/**
 * How alike a leak and the likenesses of some originals are: the whole's or a region's, whichever explains more of the leak; `null`
 * for those that are not among the most alike already when they are looked at coarsely.
 * @param guesses  the likeliest first.
 * Costs about 0.6 s for twenty guesses.
 */
export async function likenessesTo(
  leak: Pixels,
  guesses: readonly Guess[],
): Promise<readonly (Likened | null)[]> {
  let laid: Laid[] = []
  for (const [n, { warps, isMirrored, parts }] of guesses.entries())
    for (const part of parts) {
      const plane = await planeIn(part.likeness)
      if (plane === null) continue
      for (const warp of warps)
        laid.push({ n, isMirrored, plane, box: part.box, warp, likeness: 0, share: 0 })
    }
  for (const { going, ...stage } of stages) {
    const ways = new Set(laid.map(({ isMirrored }) => isMirrored))
    const views = new Map([...ways].map(way => [way, reduced(sideOf(leak, way).view, stage.side_px)]))
    laid = laid.map(each => nearer(each, views.get(each.isMirrored) as Small, stage))
    laid = goingOn(laid, going)
  }
  return guesses.map((_, n) => {
    const best = laid.find(each => each.n === n)
    return best === undefined || best.share === 0
      ? null
      : { likeness: best.likeness, share: best.share, warp: best.warp }
  })
}

/** Of so many guesses each part that may be what the leak shows, the way in which it explains most; what explains most first. */
function goingOn(laid: readonly Laid[], guesses: number): Laid[] {
  const ranked = [...laid].sort((a, b) => explained(b) - explained(a))
  const best = new Map<number, Laid>()
  for (const each of ranked) if (!best.has(each.n)) best.set(each.n, each)
  const first = [...best.keys()].filter(n => n < firstGoing)
  const others = [...best.keys()].filter(n => n >= firstGoing)
  const going = new Set([...first, ...others].slice(0, guesses))
  return ranked
    .filter(each => going.has(each.n) && explained(each) >= partShare * explained(best.get(each.n) as Laid))
    .filter(({ plane }, i, all) => all.findIndex(other => other.plane === plane) === i)
}

/** How much of a leak a likeness explains: a region of another vehicle of one make may be more alike, and explains less. */
function explained({ likeness, share }: Pick<Likened, "likeness" | "share">): number {
  return Math.max(0, likeness) ** 2 * share
}

/** A leak, or its mirror image, brought to a size. */
interface Small {
  readonly view: View
  /** To the leak's own pixels. */
  readonly toLeak: Warp
}

interface Laid extends Likened {
  /** Of which guess. */
  readonly n: number
  readonly isMirrored: boolean
  readonly plane: Plane
  readonly box: Box
}

/** The same, laid closer from where it lies. */
function nearer(
  laid: Laid,
  { view, toLeak }: Small,
  { side_px, ...options }: { readonly side_px: number; readonly freedom: Freedom; readonly steps: number },
): Laid {
  const { plane, box } = laid
  const toPart = composed(
    scaling(plane.width_px / box.width_px, plane.height_px / box.height_px),
    shifting(-box.x_px, -box.y_px),
  )
  const start = composed(toPart, composed(laid.warp, toLeak))
  const { warp, likeness } = align(plane, view, start, { sides_px: [side_px], ...options })
  const back = composed(inverted(toPart) as Warp, composed(warp, inverted(toLeak) as Warp))
  if (!Number.isFinite(likeness) || !back.every(Number.isFinite)) return { ...laid, likeness: -1, share: 0 }
  return { ...laid, warp: back, likeness, share: shareOn(plane, view, warp) }
}

function shareOn(plane: Plane, { luma, valid }: View, warp: Warp): number {
  let [shown, on] = [0, 0]
  for (let y = 0, i = 0; y < luma.height_px; y += 1)
    for (let x = 0; x < luma.width_px; x += 1, i += 1) {
      if (valid.values[i] === 0) continue
      shown += 1
      const [u, v] = [warpedX(warp, x + 0.5, y + 0.5), warpedY(warp, x + 0.5, y + 0.5)]
      if (u >= 0 && v >= 0 && u <= plane.width_px && v <= plane.height_px) on += 1
    }
  return on / Math.max(1, shown)
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
