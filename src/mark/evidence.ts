import { align, levelOf, type Alignment, type Displacements, type Level } from "./align.ts"
import { displacements, flowOf, type Flow } from "./flow.ts"
import { band, chipsIn, type Area } from "./lapped.ts"
import { boxSums, lumaOf, planeOf, type Plane, type Rgb } from "./plane.ts"
import { predict } from "./predict.ts"
import { throughQuantiser, type Steps } from "./quantiser.ts"
import type { Evidence } from "./score.ts"
import { added, type Testimony } from "./testimony.ts"
import { cellsOf, roomAlong, strengthRow, strengthsAlong, strengthsOf } from "./strength.ts"
import type { View } from "./view.ts"
import { inverted, scaleAt, warpedX, warpedY, type Warp } from "./warp.ts"

export interface Compared extends Testimony {
  readonly alignment: Alignment
  /** Pixels of the leak that show something of the original. */
  readonly shown_px: number
}

/** Deviations beyond this many standard deviations count as this many. */
const clip = 2.5
const clipChip = 3.5

/** Around a pixel, within which what is not explained tells how much more is not. */
const noise_px = 4

/** Grey levels squared: what rounding alone leaves. */
const plainFloor = 0.1

/** How much of the whole leak's mean variance is added to the local one. */
const evenness = 2

/** As a share of the J that marks 44 dB. */
const factor = 1

/**
 * What a leak says of each chip of an original that it was laid onto.
 * It sees no holder's chips, and no biases: so that what it says is fixed before anyone is judged by it.
 */
export function evidenceIn(original: Rgb, leak: View, alignment: Alignment, steps: Steps | null): Compared {
  const luma = lumaOf(original)
  const { width_px, height_px } = leak.luma
  const flow = flowOf(luma, leak, alignment.warp)
  const each = scaleAt(alignment.warp, width_px / 2, height_px / 2)
  const longest_px = Math.max(width_px, height_px)
  const at = (side_px: number) => foreseenAt(levelOf(luma, leak, alignment.warp, side_px), flow, original)
  const enough = at(Math.min(longest_px, Math.ceil(longest_px * each * enoughScale)))
  const highest = Math.min(7, Math.ceil(16 * highest_cpp * each))
  const shown_px = enough.shown_px * ((width_px * height_px) / enough.valid.values.length)
  const weighed = byVariance(enough)
  return {
    alignment: { ...alignment, likeness: flow.likeness },
    shown_px: Math.round(shown_px),
    ...weighed,
    // What both say of a chip is in part other noise: together they say more than either.
    quantised: steps === null ? null : added(quantisedAt(at(longest_px), steps, highest), weighed.even),
  }
}

/** Of the mark, in cycles per pixel of the original; a little beyond its band. */
const highest_cpp = 0.17

/** A leak is looked at in so much of the original's size, where the mark's band ends at a quarter of a cycle per pixel. */
const enoughScale = 0.55

interface Foreseen extends Laid {
  readonly expected: Plane
  readonly valid: Plane
  readonly shown_px: number
}

function foreseenAt(level: Level, flow: Flow, original: Rgb): Foreseen {
  const { width_px, height_px } = level.leak.luma
  const displaced = displacements(flow, width_px, height_px)
  const { expected, valid } = predict(level, displaced)
  return {
    level,
    displaced,
    original,
    expected,
    valid,
    shown_px: valid.values.reduce((sum, v) => sum + v, 0),
  }
}

function byVariance(foreseen: Foreseen): Pick<Testimony, "plain" | "even"> {
  const { level, expected, valid, shown_px } = foreseen
  const deviations = planeOf(valid.width_px, valid.height_px)
  const squares = planeOf(valid.width_px, valid.height_px)
  let all = 0
  for (let i = 0; i < valid.values.length; i += 1) {
    if (valid.values[i] === 0) continue
    const deviation = (level.leak.luma.values[i] as number) - (expected.values[i] as number)
    deviations.values[i] = deviation
    squares.values[i] = deviation * deviation
    all += deviation * deviation
  }
  const variances = boxSums(squares, noise_px)
  const counts = boxSums(valid, noise_px)
  for (let i = 0; i < valid.values.length; i += 1)
    variances.values[i] = (variances.values[i] as number) / Math.max(1, counts.values[i] as number)
  const told = (floor: number) => evidenceOf(byFloor(deviations, { valid, variances, floor }), foreseen)
  return { plain: told(plainFloor), even: told(plainFloor + (evenness * all) / Math.max(1, shown_px)) }
}

/** A file's blocks lie where its pixels are: nothing is rescaled here. */
function quantisedAt(foreseen: Foreseen, steps: Steps, highest: number): Evidence {
  return evidenceOf(throughQuantiser(foreseen.level.leak.luma, foreseen, steps, highest), foreseen)
}

function evidenceOf(telling: Plane, laid: Laid): Evidence {
  const { plane, area } = pulledBack(telling, laid)
  return whitened(chipsIn(plane, area))
}

interface Weighing {
  readonly valid: Plane
  /** Around each pixel, in grey levels squared. */
  readonly variances: Plane
  /** Added to each of them. */
  readonly floor: number
}

/** Each deviation by the variance around it. */
function byFloor(deviations: Plane, { valid, variances, floor }: Weighing): Plane {
  const result = planeOf(deviations.width_px, deviations.height_px)
  for (let i = 0; i < valid.values.length; i += 1) {
    if (valid.values[i] === 0) continue
    const sigma = Math.sqrt((variances.values[i] as number) + floor)
    const value = (deviations.values[i] as number) / sigma
    result.values[i] = Math.max(-clip, Math.min(clip, value)) / sigma
  }
  return result
}

interface Laid {
  readonly level: Level
  readonly displaced: Displacements
  readonly original: Rgb
}

/** The field in the original's pixels, by how strongly each was marked. */
function pulledBack(telling: Plane, { level, displaced, original }: Laid): { plane: Plane; area: Area } {
  const { width_px, height_px } = original
  const [a, b, c, d, e, f, g, k] = inverted(level.warp) as Warp
  const area = coveredArea(level, original)
  const cells = cellsOf(original, area)
  const strengths = strengthsOf(cells, factor)
  const middles = roomAlong(cells)
  const row = new Float32Array(width_px)
  const plane = planeOf(width_px, height_px)
  const { values, width_px: w, height_px: h } = telling
  for (let y = area.top; y < area.bottom; y += 1) {
    strengthsAlong(cells, strengths, y, middles)
    strengthRow(middles, row)
    const v0 = (y + 0.5) * level.originalScale.y
    for (let x = area.left; x < area.right; x += 1) {
      const u0 = (x + 0.5) * level.originalScale.x
      const nearness = 1 / (g * u0 + k * v0 + 1)
      let u = nearness * (a * u0 + b * v0 + c) - 0.5
      let v = nearness * (d * u0 + e * v0 + f) - 0.5
      if (!(u >= 0 && v >= 0 && u < w - 1 && v < h - 1)) continue
      const near = Math.round(v) * w + Math.round(u)
      u -= displaced.x[near] as number
      v -= displaced.y[near] as number
      if (!(u >= 0 && v >= 0 && u < w - 1 && v < h - 1)) continue
      const column = u | 0
      const line = v | 0
      const at = line * w + column
      const right = u - column
      const above = (values[at] as number) * (1 - right) + (values[at + 1] as number) * right
      const below = (values[at + w] as number) * (1 - right) + (values[at + w + 1] as number) * right
      plane.values[y * width_px + x] = (above + (v - line) * (below - above)) * (row[x] as number)
    }
  }
  return { plane, area }
}

/** The box of the original that the leak's picture covers. */
function coveredArea(level: Level, { width_px, height_px }: Rgb): Area {
  const { width_px: w, height_px: h } = level.leak.luma
  const corners = [
    [0, 0],
    [w, 0],
    [0, h],
    [w, h],
  ] as const
  const xs = corners.map(([x, y]) => warpedX(level.warp, x, y) / level.originalScale.x)
  const ys = corners.map(([x, y]) => warpedY(level.warp, x, y) / level.originalScale.y)
  const within = (value: number, most: number) => Math.max(0, Math.min(most, Math.round(value)))
  return {
    left: within(Math.min(...xs), width_px),
    top: within(Math.min(...ys), height_px),
    right: within(Math.max(...xs), width_px),
    bottom: within(Math.max(...ys), height_px),
  }
}

/** Every frequency brought to variance 1, so that one that a codec drowned does not drown the others. */
function whitened(found: Float32Array): Evidence {
  const chips = band.length
  for (let c = 0; c < chips; c += 1) {
    let [squares, count] = [0, 0]
    for (let i = c; i < found.length; i += chips) {
      const value = found[i] as number
      if (value === 0) continue
      squares += value * value
      count += 1
    }
    if (count === 0) continue
    const sigma = Math.sqrt(squares / count)
    for (let i = c; i < found.length; i += chips) {
      const value = (found[i] as number) / sigma
      found[i] = Math.max(-clipChip, Math.min(clipChip, value))
    }
  }
  return found
}

/** Lays a leak onto its original from a start that is some pixels off, well enough to tell a right start from a wrong one. */
export function roughlyLaid(original: Plane, leak: View, start: Warp): Alignment {
  return align(original, leak, start, { sides_px: [120, 240], freedom: "affine" })
}

/** Lays a leak onto its original, from where it was laid roughly, to a fraction of a pixel. */
export function laidOnto(original: Plane, leak: View, rough: Warp): Alignment {
  return align(original, leak, rough, { sides_px: [240, 480], freedom: "perspective" })
}
