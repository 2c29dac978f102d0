import { levelOf, likenessOf, moments, momentsOf, pairOf, type Displacements } from "./align.ts"
import { planeOf, resized, type Plane } from "./plane.ts"
import type { View } from "./view.ts"
import type { Warp } from "./warp.ts"

/** Displacements over a leak, one for each of a grid of tiles, in shares of the leak's sides: what a lens or a bent screen does. */
export interface Flow {
  readonly x: Plane
  readonly y: Plane
  /** How alike leak and original are with it, −1 to 1. */
  readonly likeness: number
}

const tile_px = 40

/** What a tile may be displaced by at once. */
const most_px = 2.5

/** How much a tile's own say weighs beside its neighbours': pixels' worth of gradient. */
const stiffness = 60

/** The longer sides at which tiles are displaced, coarse first, and how often. */
const levels = [
  { side_px: 160, rounds: 3 },
  { side_px: 320, rounds: 2 },
  { side_px: 700, rounds: 1 },
] as const

/**
 * What displaces a leak's tiles from where `warp` puts them, smoothed over neighbours by how much each has to tell by.
 * Costs about 100 ns a pixel and round.
 */
export function flowOf(original: Plane, leak: View, warp: Warp): Flow {
  const { width_px, height_px } = leak.luma
  const longest_px = Math.max(width_px, height_px)
  let x = planeOf(1, 1)
  let y = planeOf(1, 1)
  let likeness = -1
  for (const { side_px, rounds } of levels) {
    const level = levelOf(original, leak, warp, side_px)
    const { width_px: w, height_px: h } = level.leak.luma
    const [across, down] = [Math.max(1, Math.round(w / tile_px)), Math.max(1, Math.round(h / tile_px))]
    for (let round = 0; round < rounds; round += 1) {
      const pair = pairOf(level, level.warp, displacements({ x, y }, w, h))
      const tiles = momentsOf(pair, across, down)
      const more = { across, down, x: new Float32Array(across * down), y: new Float32Array(across * down) }
      for (let n = 0; n < 30; n += 1) relax(more, tiles)
      x = added(x, more.x, { across, down, share: 1 / w })
      y = added(y, more.y, { across, down, share: 1 / h })
    }
    likeness = likenessOf(pairOf(level, level.warp, displacements({ x, y }, w, h)))
    if (side_px >= longest_px) break
  }
  return { x, y, likeness }
}

function added(
  plane: Plane,
  more: Float32Array,
  { across, down, share }: { across: number; down: number; share: number },
): Plane {
  const sum = { ...planeOf(across, down), values: resized(plane, across, down).values.slice() }
  for (let i = 0; i < more.length; i += 1)
    sum.values[i] = (sum.values[i] as number) + share * (more[i] as number)
  return sum
}

/** Of every pixel of a leak of this size. */
export function displacements(
  { x, y }: Pick<Flow, "x" | "y">,
  width_px: number,
  height_px: number,
): Displacements {
  return { x: spread(x, width_px, height_px, width_px), y: spread(y, width_px, height_px, height_px) }
}

/** Linear between the middles of tiles. */
function spread(flow: Plane, width_px: number, height_px: number, side_px: number): Float32Array {
  const all = new Float32Array(width_px * height_px)
  const { values, width_px: across, height_px: down } = flow
  for (let row = 0, i = 0; row < height_px; row += 1) {
    const v = Math.min(down - 1, Math.max(0, ((row + 0.5) * down) / height_px - 0.5))
    const [upper, lower] = [Math.floor(v), Math.min(down - 1, Math.floor(v) + 1)]
    const t = v - upper
    for (let column = 0; column < width_px; column += 1, i += 1) {
      const u = Math.min(across - 1, Math.max(0, ((column + 0.5) * across) / width_px - 0.5))
      const left = u | 0
      const right = Math.min(across - 1, left + 1)
      const s = u - left
      const above =
        (values[upper * across + left] as number) * (1 - s) + (values[upper * across + right] as number) * s
      const below =
        (values[lower * across + left] as number) * (1 - s) + (values[lower * across + right] as number) * s
      all[i] = side_px * (above + t * (below - above))
    }
  }
  return all
}

/** One round of Gauss–Seidel: each tile between what it says and the mean of its neighbours. */
function relax(
  { across, down, x, y }: { across: number; down: number; x: Float32Array; y: Float32Array },
  tiles: Float64Array,
): void {
  for (let row = 0; row < down; row += 1) {
    for (let column = 0; column < across; column += 1) {
      const i = row * across + column
      let [mx, my, count] = [0, 0, 0]
      for (const [dx, dy] of [
        [-1, 0],
        [1, 0],
        [0, -1],
        [0, 1],
      ] as const) {
        const [c, r] = [column + dx, row + dy]
        if (c < 0 || r < 0 || c >= across || r >= down) continue
        mx += x[r * across + c] as number
        my += y[r * across + c] as number
        count += 1
      }
      if (count > 0) [mx, my] = [mx / count, my / count]
      const at = moments * i
      const xy = tiles[at + 1] as number
      const [a, d] = [(tiles[at] as number) + stiffness, (tiles[at + 2] as number) + stiffness]
      const determinant = a * d - xy * xy
      const [p, q] = [(tiles[at + 3] as number) + stiffness * mx, (tiles[at + 4] as number) + stiffness * my]
      x[i] = limited((d * p - xy * q) / determinant)
      y[i] = limited((a * q - xy * p) / determinant)
    }
  }
}

function limited(value: number): number {
  return Math.max(-most_px, Math.min(most_px, value))
}
