import { planeOf, scaled, type Plane } from "./plane.ts"
import { normalised, surroundings, viewAt, type View } from "./view.ts"
import { composed, scaleAt, scaling, solved, type Warp } from "./warp.ts"

/** A leak laid onto its original. */
export interface Alignment {
  /** From the leak's pixels to the original's. */
  readonly warp: Warp
  /** How alike both are there, −1 to 1: the correlation of what is left when light and contrast are taken out. */
  readonly likeness: number
}

/** How a pixel may be displaced: shift, turn, scale and shear; and perspective too. */
export type Freedom = "affine" | "perspective"

export interface AlignOptions {
  /** The longer side at which the leak is looked at, one after the other, coarse first. */
  readonly sides_px: readonly number[]
  readonly freedom: Freedom
  /** At most so many at each size; 14 where none is said. */
  readonly steps?: number
}

const radius_px = 7
const maxSteps = 14
/** A step that moves no corner by more than this many pixels is the last. */
const settled_px = 0.02

/**
 * The warp near `start` at which leak and original are most alike: Gauss–Newton on locally normalised luma, robust against
 * what covers a part of it. Source: Lucas and Kanade 1981; Baker and Matthews 2004, §3.1 (forwards compositional).
 * Costs about 120 ns for each pixel of each step.
 */
export function align(original: Plane, leak: View, start: Warp, options: AlignOptions): Alignment {
  let warp = start
  let likeness = -1
  for (const side_px of options.sides_px) {
    const level = levelOf(original, leak, warp, side_px)
    const [x, y] = [
      level.leak.luma.width_px / leak.luma.width_px,
      level.leak.luma.height_px / leak.luma.height_px,
    ]
    const nearest = nearestOf(level, options.freedom, options.steps ?? maxSteps)
    likeness = nearest.likeness
    const toOriginal = scaling(1 / level.originalScale.x, 1 / level.originalScale.y)
    warp = composed(composed(toOriginal, nearest.warp), scaling(x, y))
    if (side_px >= Math.max(leak.luma.width_px, leak.luma.height_px)) break
  }
  return { warp, likeness }
}

/** Of all that its steps lead through the one at which both are most alike: too much freedom may lead away from it. */
function nearestOf(level: Level, freedom: Freedom, steps: number): Alignment {
  let best: Alignment = { warp: level.warp, likeness: -Infinity }
  let warp = level.warp
  for (let step = 0; step <= steps; step += 1) {
    const pair = pairOf(level, warp, null)
    const likeness = likenessOf(pair)
    if (likeness > best.likeness) best = { warp, likeness }
    const move = step < steps ? stepOf(pair, freedom) : null
    if (move === null) break
    warp = composed(warp, move.warp)
    if (move.most_px < settled_px) break
  }
  return best
}

export interface Level {
  readonly original: Plane
  readonly leak: View
  /** From the leak's pixels to the original's, both of this level. */
  readonly warp: Warp
  readonly originalScale: { readonly x: number; readonly y: number }
}

/** Both pictures brought to the size at which the leak's longer side has so many pixels. */
export function levelOf(original: Plane, leak: View, warp: Warp, side_px: number): Level {
  const { width_px, height_px } = leak.luma
  const factor = Math.min(1, side_px / Math.max(width_px, height_px))
  const view = viewAt(leak, factor)
  const [x, y] = [view.luma.width_px / width_px, view.luma.height_px / height_px]
  const each = scaleAt(warp, width_px / 2, height_px / 2)
  const small = scaled(original, Math.min(1, Math.max(1e-3, factor / each)))
  const originalScale = { x: small.width_px / original.width_px, y: small.height_px / original.height_px }
  return {
    original: small,
    leak: view,
    warp: composed(composed(scaling(originalScale.x, originalScale.y), warp), scaling(1 / x, 1 / y)),
    originalScale,
  }
}

/** A leak and what the original has where the warp puts it, locally normalised. */
export interface Pair {
  readonly leak: Plane
  readonly original: Plane
  readonly valid: Plane
}

/** How far each pixel of a leak lies from where the warp alone takes it, in its pixels. */
export interface Displacements {
  readonly x: Float32Array
  readonly y: Float32Array
}

export function pairOf(level: Level, warp: Warp, displaced: Displacements | null): Pair {
  const { luma, valid } = level.leak
  const { width_px, height_px } = luma
  const { values, width_px: w, height_px: h } = level.original
  const [a, b, c, d, e, f, g, k] = warp
  const sampled = planeOf(width_px, height_px)
  const both = planeOf(width_px, height_px)
  for (let y = 0, i = 0; y < height_px; y += 1) {
    for (let x = 0; x < width_px; x += 1, i += 1) {
      if (valid.values[i] === 0) continue
      const px = x + 0.5 + (displaced === null ? 0 : (displaced.x[i] as number))
      const py = y + 0.5 + (displaced === null ? 0 : (displaced.y[i] as number))
      const nearness = 1 / (g * px + k * py + 1)
      const u = nearness * (a * px + b * py + c) - 0.5
      const v = nearness * (d * px + e * py + f) - 0.5
      if (!(u >= 0 && v >= 0 && u < w - 1 && v < h - 1)) continue
      const column = u | 0
      const row = v | 0
      const at = row * w + column
      const right = u - column
      const above = (values[at] as number) * (1 - right) + (values[at + 1] as number) * right
      const below = (values[at + w] as number) * (1 - right) + (values[at + w + 1] as number) * right
      sampled.values[i] = above + (v - row) * (below - above)
      both.values[i] = 1
    }
  }
  const around = surroundings(both, radius_px)
  return { leak: normalised(luma, around), original: normalised(sampled, around), valid: both }
}

export function likenessOf({ leak, original, valid }: Pair): number {
  let [xy, xx, yy, count] = [0, 0, 0, 0]
  for (let i = 0; i < valid.values.length; i += 1) {
    if (valid.values[i] === 0) continue
    const a = leak.values[i] as number
    const b = original.values[i] as number
    xy += a * b
    xx += a * a
    yy += b * b
    count += 1
  }
  return count < 64 ? -1 : xy / Math.sqrt(Math.max(1e-9, xx * yy))
}

/** A pixel counts for little where both are more than about one local standard deviation apart. */
function trust(error: number): number {
  const twice = 1 + error * error
  return 1 / (twice * twice)
}

/** What `momentsOf` sums up for each tile. */
export const moments = 5

/**
 * For each of a grid of tiles what tells how it is displaced, by the gradient g of the original and the error e, weighted:
 * Σ gx², gx·gy, gy², gx·e, gy·e. Costs about 9 ns a pixel.
 */
export function momentsOf({ leak, original, valid: both }: Pair, across: number, down: number): Float64Array {
  const { width_px, height_px } = leak
  const tiles = new Float64Array(across * down * moments)
  const { values: a } = leak
  const { values: b } = original
  const { values: valid } = both
  for (let y = 1; y < height_px - 1; y += 1) {
    const row = moments * across * Math.min(down - 1, Math.floor((y * down) / height_px))
    for (let x = 1, i = y * width_px + 1, column = 0; column < across; column += 1) {
      let xx = 0
      let xy = 0
      let yy = 0
      let xe = 0
      let ye = 0
      const end = Math.min(width_px - 1, Math.ceil(((column + 1) * width_px) / across))
      for (; x < end; x += 1, i += 1) {
        if ((valid[i] as number) * (valid[i - 1] as number) * (valid[i + 1] as number) === 0) continue
        if ((valid[i - width_px] as number) * (valid[i + width_px] as number) === 0) continue
        const gx = ((b[i + 1] as number) - (b[i - 1] as number)) / 2
        const gy = ((b[i + width_px] as number) - (b[i - width_px] as number)) / 2
        const error = (a[i] as number) - (b[i] as number)
        const weight = trust(error)
        xx += weight * gx * gx
        xy += weight * gx * gy
        yy += weight * gy * gy
        xe += weight * gx * error
        ye += weight * gy * error
      }
      const at = row + moments * column
      tiles[at] = (tiles[at] as number) + xx
      tiles[at + 1] = (tiles[at + 1] as number) + xy
      tiles[at + 2] = (tiles[at + 2] as number) + yy
      tiles[at + 3] = (tiles[at + 3] as number) + xe
      tiles[at + 4] = (tiles[at + 4] as number) + ye
    }
  }
  return tiles
}

/** Within a tile of so many pixels all are taken to be displaced as its middle is. */
const tile_px = 6

function stepOf(pair: Pair, freedom: Freedom): { warp: Warp; most_px: number } | null {
  const n = freedom === "affine" ? 6 : 8
  const { width_px, height_px } = pair.leak
  const [cx, cy, reach] = [width_px / 2, height_px / 2, Math.max(width_px, height_px) / 2]
  const matrix = new Float64Array(n * n)
  const right = new Float64Array(n)
  const [across, down] = [Math.ceil(width_px / tile_px), Math.ceil(height_px / tile_px)]
  const tiles = momentsOf(pair, across, down)
  // What each unknown displaces a tile by, along and down.
  const along = new Float64Array(n)
  const downwards = new Float64Array(n)
  for (let row = 0, at = 0; row < down; row += 1)
    for (let column = 0; column < across; column += 1, at += moments) {
      const u = (((column + 0.5) * width_px) / across - cx) / reach
      const v = (((row + 0.5) * height_px) / down - cy) / reach
      along.set(n === 8 ? [1, u, v, 0, 0, 0, u * u, u * v] : [1, u, v])
      downwards.set(n === 8 ? [0, 0, 0, 1, u, v, u * v, v * v] : [0, 0, 0, 1, u, v])
      const xx = tiles[at] as number
      const xy = tiles[at + 1] as number
      const yy = tiles[at + 2] as number
      const xe = tiles[at + 3] as number
      const ye = tiles[at + 4] as number
      for (let j = 0; j < n; j += 1) {
        const x = xx * (along[j] as number) + xy * (downwards[j] as number)
        const y = xy * (along[j] as number) + yy * (downwards[j] as number)
        right[j] = (right[j] as number) + xe * (along[j] as number) + ye * (downwards[j] as number)
        for (let k = 0; k <= j; k += 1)
          matrix[j * n + k] =
            (matrix[j * n + k] as number) + x * (along[k] as number) + y * (downwards[k] as number)
      }
    }
  for (let j = 0; j < n; j += 1) {
    for (let k = 0; k < j; k += 1) matrix[k * n + j] = matrix[j * n + k] as number
    matrix[j * n + j] = (matrix[j * n + j] as number) * (1 + 1e-6) + 1e-9
  }
  const t = solved(matrix, right)
  if (t === null) return null
  const at = (i: number) => (t[i] ?? 0) / reach
  const inner: Warp = [1 + at(1), at(2), at(0), at(4), 1 + at(5), at(3), -at(6), -at(7)]
  const toUnit: Warp = [1 / reach, 0, -cx / reach, 0, 1 / reach, -cy / reach, 0, 0]
  const fromUnit: Warp = [reach, 0, cx, 0, reach, cy, 0, 0]
  const most_px = t.reduce((most, each) => Math.max(most, Math.abs(each)), 0)
  return { warp: composed(composed(fromUnit, inner), toUnit), most_px }
}
