import { levelOf, pairOf } from "./align.ts"
import { boxSums, planeOf, resized, type Plane } from "./plane.ts"
import { cutTo, shownBox, type View } from "./view.ts"
import { composed, shifting, type Warp } from "./warp.ts"

/** The longer side at which leak and original are held against each other. */
const side_px = 240

/** Within so many pixels around each. */
const radius_px = 6

/** The original is busy where its locally normalised variance is above this, and explains a leak where they correlate so. */
const busy = 0.4
const alike = 0.25

/** Less than this is a misfit here and there; more than `most` and the leak lies wrong. */
const [least, most] = [0.12, 0.97]

/**
 * The leak without what the original does not explain: solid grey whose tone was changed or which noise lies over, bars, a
 * desktop around it. Where the original is flat, by what is nearest. The same view where there is little of that; else cut to
 * what is left, and the warp from there.
 * @param warp  from the leak's pixels to the original's, a pixel or two off at most at that size.
 */
export function explained(original: Plane, leak: View, warp: Warp): Laid {
  const level = levelOf(original, leak, warp, side_px)
  const pair = pairOf(level, level.warp, null)
  const { width_px, height_px } = pair.leak
  const [xx, yy, xy] = [
    planeOf(width_px, height_px),
    planeOf(width_px, height_px),
    planeOf(width_px, height_px),
  ]
  for (let i = 0; i < xx.values.length; i += 1) {
    const a = pair.leak.values[i] as number
    const b = pair.original.values[i] as number
    xx.values[i] = a * a
    yy.values[i] = b * b
    xy.values[i] = a * b
  }
  const counts = boxSums(pair.valid, radius_px)
  const [sxx, syy, sxy] = [boxSums(xx, radius_px), boxSums(yy, radius_px), boxSums(xy, radius_px)]
  const [told, foreign] = [planeOf(width_px, height_px), planeOf(width_px, height_px)]
  for (let i = 0; i < told.values.length; i += 1) {
    if (pair.valid.values[i] === 0) continue
    const own = syy.values[i] as number
    if (own < busy * (counts.values[i] as number)) continue
    told.values[i] = 1
    const likeness = (sxy.values[i] as number) / Math.sqrt((sxx.values[i] as number) * own + 1e-6)
    foreign.values[i] = likeness < alike ? 1 : 0
  }
  const hidden = byNeighbours(foreign, told)
  const share = sumOf(hidden) / hidden.values.length
  return share < least || share > most ? { view: leak, warp } : cut({ view: without(leak, hidden), warp })
}

interface Laid {
  readonly view: View
  /** From the view's pixels to the original's. */
  readonly warp: Warp
}

function cut({ view, warp }: Laid): Laid {
  const box = shownBox(view.valid)
  return { view: cutTo(view, box), warp: composed(warp, shifting(box.left, box.top)) }
}

/** 1 where most of what is told nearby is foreign; where nothing is told nearby, as everywhere. */
function byNeighbours(foreign: Plane, told: Plane): Plane {
  const isForeignMostly = 2 * sumOf(foreign) > sumOf(told)
  const hidden = planeOf(told.width_px, told.height_px)
  const [near, all] = [boxSums(foreign, radius_px), boxSums(told, radius_px)]
  for (let i = 0; i < hidden.values.length; i += 1) {
    const count = all.values[i] as number
    const isForeign = count < 1 ? isForeignMostly : 2 * (near.values[i] as number) > count
    hidden.values[i] = isForeign ? 1 : 0
  }
  return hidden
}

function sumOf({ values }: Plane): number {
  let sum = 0
  for (let i = 0; i < values.length; i += 1) sum += values[i] as number
  return sum
}

function without({ luma, valid }: View, hidden: Plane): View {
  const { values } = resized(hidden, luma.width_px, luma.height_px)
  return {
    luma,
    valid: { ...valid, values: valid.values.map((shows, i) => ((values[i] as number) > 0.5 ? 0 : shows)) },
  }
}
