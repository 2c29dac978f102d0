import sharp from "sharp"
import { align, type Freedom } from "../mark/align.ts"
import type { Plane } from "../mark/plane.ts"
import { viewAt, type View } from "../mark/view.ts"
import { composed, inverted, scaling, shifting, warpedX, warpedY, type Warp } from "../mark/warp.ts"
import type { Lie } from "./compare.ts"
import type { Box } from "./level.ts"
import type { Pixels } from "./pixels.ts"
import { sideOf } from "./sides.ts"
import { sketchLimits, type SketchPart } from "./sketch.ts"

/** How a leak, or its mirror image, may lie on an original: as its corners say, in one way or more. */
export interface Way {
  /** To the original. */
  readonly warps: readonly Warp[]
  readonly isMirrored: boolean
}

/** What a leak may show, and how it may lie there. */
export interface Guess {
  readonly ways: readonly Way[]
  readonly parts: readonly Pick<SketchPart, "box" | "likeness">[]
}

/** What a leak and a likeness of an original are to each other where they lie on each other. */
export interface Likened {
  /** −1 to 1. */
  readonly likeness: number
  /** Of what the leak shows, the share that the likeness has something to be held against. */
  readonly share: number
  /** How the leak lies there, and where the other way round is about as alike, how it lies so. */
  readonly lies: readonly Lie[]
}

/**
 * The longer side at which a leak is held against likenesses, one after the other, and how many of the guesses go on from each
 * to the next: the first that were named, and those that are most alike. Vehicles of one make are as alike as one at the first,
 * and not at the last; and so is a front to itself in a mirror, of which one way may have its perspective and the other none yet.
 */
const stages = [
  { side_px: 80, freedom: "affine", steps: 6, going: { most: 8, spares: 2, unlikeWay: 4 } },
  { side_px: 160, freedom: "affine", steps: 8, going: { most: 4, spares: 0, unlikeWay: 4 } },
  { side_px: 320, freedom: "perspective", steps: 12, going: { most: 4, spares: 0, unlikeWay: 1.6 } },
] as const

const firstGoing = 2

interface Going {
  readonly most: number
  /** So many of the first go on however unlike they are. */
  readonly spares: number
  /** What is more unlike than so many times what it is the other way round lies the other way round. */
  readonly unlikeWay: number
}

/** What is more unlike than so many times what is most alike is another vehicle. */
const mostUnlike = 4

/** Nothing is told better than so: what two are unlike by counts, and not below a hundredth. */
export const mostAlike = 0.99

/** A part, or a way round, that explains less than this share of what another of the same original explains is not the leak's. */
const partShare = 0.6

/**
 * How alike a leak and the likenesses of some originals are: the whole's or a region's, whichever explains more of the leak; `null`
 * for those that are not among the most alike already when they are looked at coarsely.
 * @param guesses  the likeliest first.
 * Costs about 0.35 s for twenty guesses.
 */
export async function likenessesTo(
  leak: Pixels,
  guesses: readonly Guess[],
): Promise<readonly (Likened | null)[]> {
  let laid: Laid[] = []
  for (const [n, { ways, parts }] of guesses.entries())
    for (const { box, likeness } of parts) {
      const plane = await planeIn(likeness)
      if (plane === null) continue
      for (const { warps, isMirrored } of ways)
        for (const warp of warps) laid.push({ n, isMirrored, plane, box, warp, likeness: 0, share: 0 })
    }
  for (const { going, ...stage } of stages) {
    const ways = new Set(laid.map(({ isMirrored }) => isMirrored))
    const views = new Map([...ways].map(way => [way, reduced(sideOf(leak, way).view, stage.side_px)]))
    laid = laid.map(each => nearer(each, views.get(each.isMirrored) as Small, stage))
    laid = goingOn(laid, going)
  }
  return guesses.map((_, n) => {
    const own = laid.filter(each => each.n === n)
    const [best] = own
    if (best === undefined || best.share === 0) return null
    const ways = own.filter(
      ({ isMirrored }, i) => own.findIndex(each => each.isMirrored === isMirrored) === i,
    )
    const lies = ways.map(({ warp, isMirrored }) => ({ warp, isMirrored }))
    return { likeness: best.likeness, share: best.share, lies }
  })
}

/** Of the guesses that go on each part that may be what the leak shows, in each way round that may be; what explains most first. */
function goingOn(laid: readonly Laid[], { most, spares, unlikeWay }: Going): Laid[] {
  const ranked = [...laid].sort((a, b) => explained(b) - explained(a))
  const isPart = (each: Laid, best: Laid) => explained(each) >= partShare * explained(best)
  const least = Math.min(...ranked.filter(each => isPart(each, ranked[0] as Laid)).map(unlikeness))
  const likely = ranked
    .filter(each => isPart(each, ranked.find(({ n }) => n === each.n) as Laid))
    .filter(each => each.n < spares || unlikeness(each) <= mostUnlike * least)
  const isFirst = ({ n }: Laid) => n < firstGoing
  const inOrder = [...likely.filter(isFirst), ...likely.filter(each => !isFirst(each))]
  const going = [...new Set(inOrder.map(({ n }) => n))].slice(0, most)
  return likely
    .filter(({ n }) => going.includes(n))
    .filter((each, i, all) => all.findIndex(other => isOf(each, other, each.isMirrored)) === i)
    .filter((each, _, all) => {
      const other = all.find(other => isOf(each, other, !each.isMirrored))
      return other === undefined || unlikeness(each) <= unlikeWay * unlikeness(other)
    })
}

/** Whether the other lies on the same part, this way round. */
function isOf({ plane }: Laid, other: Laid, isMirrored: boolean): boolean {
  return other.plane === plane && other.isMirrored === isMirrored
}

/** What is shown where both lie on each other is unlike by so much. */
function unlikeness({ likeness }: Pick<Likened, "likeness">): number {
  return 1 - Math.min(mostAlike, likeness)
}

/** How much of a leak a likeness explains: a region of another vehicle of one make may be more alike, and explains less. */
export function explained({ likeness, share }: Pick<Likened, "likeness" | "share">): number {
  return Math.max(0, likeness) ** 2 * share
}

/** A leak, or its mirror image, brought to a size. */
interface Small {
  readonly view: View
  /** To the leak's own pixels. */
  readonly toLeak: Warp
}

interface Laid extends Omit<Likened, "lies">, Lie {
  /** Of which guess. */
  readonly n: number
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
      const u = warpedX(warp, x + 0.5, y + 0.5)
      const v = warpedY(warp, x + 0.5, y + 0.5)
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

function reduced(view: View, side_px: number): Small {
  const { width_px, height_px } = view.luma
  const small = viewAt(view, side_px / Math.max(width_px, height_px))
  return {
    view: small,
    toLeak: scaling(width_px / small.luma.width_px, height_px / small.luma.height_px),
  }
}
