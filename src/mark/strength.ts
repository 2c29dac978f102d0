import type { Area } from "./lapped.ts"
import type { Rgb } from "./plane.ts"

/** How much of a mark each 8 × 8 cell of a picture hides, by what is in it. */
export interface Cells {
  /** Before any scaling, and what it may at most become, both in grey levels. */
  readonly wish: Float32Array
  readonly cap: Float32Array
  /** The variance within its quarters, in grey levels squared. */
  readonly texture: Float32Array
  readonly across: number
  readonly down: number
}

export const cell_px = 8

/** Nothing is ever changed by more than this many grey levels' worth of a standard deviation. */
const most = 7

/**
 * What the cells in a part of a picture hide; the others hide nothing. A cell is as busy as the mean of its two calmest
 * quarters: what is flat beside an edge is judged as flat. Dark ones take less. Costs about 3 ns for each pixel of the part.
 */
export function cellsOf(picture: Rgb, area: Area): Cells {
  const across = Math.ceil(picture.width_px / cell_px)
  const down = Math.ceil(picture.height_px / cell_px)
  const wish = new Float32Array(across * down)
  const cap = new Float32Array(across * down)
  const texture = new Float32Array(across * down)
  const [first, last] = [Math.floor(area.left / cell_px), Math.ceil(area.right / cell_px)]
  const [upper, lower] = [quartersOf(across), quartersOf(across)]
  for (let row = Math.floor(area.top / cell_px); row < Math.ceil(area.bottom / cell_px); row += 1) {
    sumUp(upper, picture, { first, last, top: row * cell_px })
    sumUp(lower, picture, { first, last, top: row * cell_px + quarter_px })
    for (let column = first, at = row * across + first; column < last; column += 1, at += 1) {
      const one = upper.variances[2 * column] as number
      const two = upper.variances[2 * column + 1] as number
      const three = lower.variances[2 * column] as number
      const four = lower.variances[2 * column + 1] as number
      const calmest = Math.min(one, two, three, four)
      const [calmerAbove, calmerBelow] = [Math.min(one, two), Math.min(three, four)]
      const calm = Math.min(Math.max(one, two), Math.max(three, four), Math.max(calmerAbove, calmerBelow))
      const activity = (Math.sqrt(Math.max(0, calmest)) + Math.sqrt(Math.max(0, calm))) / 2
      const mean = ((upper.means[column] as number) + (lower.means[column] as number)) / 2
      const light = 0.75 + 0.25 * Math.min(1, mean / 64)
      wish[at] = (0.8 + Math.sqrt(activity * Math.sqrt(activity))) * light
      texture[at] = (one + two + three + four) / 4
      cap[at] = Math.min(most, (1 + 0.9 * activity) * light)
    }
  }
  return { wish, cap, texture, across, down }
}

const quarter_px = cell_px / 2

/** Along a row of cells their upper or their lower quarters. */
interface Quarters {
  /** Two for each cell, in grey levels squared. */
  readonly variances: Float64Array
  /** One for each cell, in grey levels. */
  readonly means: Float64Array
  /** Of luma in sixteenths of a level, and of its square: whole numbers. */
  readonly sums: Int32Array
  readonly squares: Int32Array
}

function quartersOf(across: number): Quarters {
  return {
    variances: new Float64Array(2 * across),
    means: new Float64Array(across),
    sums: new Int32Array(2 * across),
    squares: new Int32Array(2 * across),
  }
}

/** Quarters that would reach over the picture's edge lie at it. */
function sumUp(
  { variances, means, sums, squares }: Quarters,
  { rgb, width_px, height_px }: Rgb,
  { first, last, top }: { readonly first: number; readonly last: number; readonly top: number },
): void {
  sums.fill(0)
  squares.fill(0)
  const rightmost = Math.max(0, width_px - quarter_px)
  const [toSecond, toThird, toFourth] = [1, 2, 3].map(n => 3 * Math.min(n, width_px - 1)) as Three
  for (let n = 0, from = Math.min(top, Math.max(0, height_px - quarter_px)); n < quarter_px; n += 1) {
    const start = Math.min(from + n, height_px - 1) * width_px
    for (let q = 2 * first; q < 2 * last; q += 1) {
      const at = 3 * (start + Math.min(quarter_px * q, rightmost))
      const one = lumaAt(rgb, at)
      const two = lumaAt(rgb, at + toSecond)
      const three = lumaAt(rgb, at + toThird)
      const four = lumaAt(rgb, at + toFourth)
      sums[q] = (sums[q] as number) + one + two + three + four
      squares[q] =
        (squares[q] as number) +
        Math.imul(one, one) +
        Math.imul(two, two) +
        Math.imul(three, three) +
        Math.imul(four, four)
    }
  }
  for (let q = 2 * first; q < 2 * last; q += 1) {
    const mean = (sums[q] as number) / quarter_px ** 2
    variances[q] = ((squares[q] as number) / quarter_px ** 2 - mean * mean) / 256
  }
  for (let column = first; column < last; column += 1)
    means[column] = ((sums[2 * column] as number) + (sums[2 * column + 1] as number)) / (32 * quarter_px ** 2)
}

type Three = [number, number, number]

function lumaAt(rgb: Uint8Array, at: number): number {
  return (77 * (rgb[at] as number) + 150 * (rgb[at + 1] as number) + 29 * (rgb[at + 2] as number)) >> 4
}

/** What a copy may change at most. */
export interface Budget {
  /** Pixels that it shows. */
  readonly kept_px: number
  /** The mean squared change of a pixel. */
  readonly noise: number
  /** What its structural similarity may fall short of 1 by. Source: Wang et al. 2004, equation 13. */
  readonly dissimilarity: number
}

/** Grey levels squared, below which structure counts as none: C₂ of the structural similarity. */
const steadiness = (0.03 * 255) ** 2

/**
 * @param energies  for each cell the sum of the squared field over what a copy keeps of it; their sum times the squared
 * strengths, as `strengthRow` smooths them, is what the copy changes.
 * @returns the largest factor for which that is within the budget, or the one at which every cell is at its cap.
 */
export function factorFor(cells: Cells, energies: Float64Array, budget: Budget): number {
  // Smoothing takes more from strong cells than it gives to those beside them: by how much, the factor hardly matters.
  const shown = shownCells(cells, energies)
  const rough = largestWithin(shown, budget, 0.95)
  if (rough === 0) return 0
  smoothEnergies(shown, cells, energies, strengthsOf(cells, rough))
  return largestWithin(shown, budget, 0.9995)
}

/** Below this no cell is at its cap, beyond that every one is. */
const [smallest, largest] = [1 / 64, 8]

/** More than any picture has taken. */
const mostSteps = 40

/**
 * From below: what is used grows at most as the square of the factor, so that the root of what is left of the budget is never too much.
 * @param enough  the share of the budget that has to be used.
 */
function largestWithin(shown: Float64Array, budget: Budget, enough: number): number {
  let factor = smallest
  let used = shareUsed(shown, budget, factor)
  if (used > 1) return 0
  for (let step = 0; used < enough && factor < largest && step < mostSteps; step += 1) {
    factor = Math.min(largest, factor / Math.sqrt(used))
    used = shareUsed(shown, budget, factor)
  }
  return factor
}

/** Of each cell that a copy shows some of, one after the other: energy, wish, cap and how much structure there is to lose. */
function shownCells({ wish, cap, texture }: Cells, energies: Float64Array): Float64Array {
  const shown = new Float64Array(4 * energies.length)
  let at = 0
  for (let i = 0; i < energies.length; i += 1) {
    if (energies[i] === 0) continue
    shown[at] = energies[i] as number
    shown[at + 1] = wish[i] as number
    shown[at + 2] = cap[i] as number
    shown[at + 3] = 2 * (texture[i] as number) + steadiness
    at += 4
  }
  return shown.subarray(0, at)
}

/** How much of the budget this factor uses: above 1 too much. */
function shareUsed(shown: Float64Array, { kept_px, noise, dissimilarity }: Budget, factor: number): number {
  let [changed, lost] = [0, 0]
  for (let at = 0; at < shown.length; at += 4) {
    const wished = factor * (shown[at + 1] as number)
    const most = shown[at + 2] as number
    const strength = wished < most ? wished : most
    // The field has mean square 1: the cell's noise is its strength, squared.
    const power = strength * strength
    const change = (shown[at] as number) * power
    changed += change
    lost += change / ((shown[at + 3] as number) + power)
  }
  return Math.max(changed / noise, lost / dissimilarity) / kept_px
}

/** Makes the energies those by which each cell's own strength changes as much as the smoothed one does. Costs about 1 ns for each pixel. */
function smoothEnergies(
  shown: Float64Array,
  { across, down }: Cells,
  energies: Float64Array,
  strengths: Float32Array,
): void {
  for (let row = 0, i = 0, at = 0; row < down; row += 1) {
    const [above, below] = [Math.max(0, row - 1) * across, Math.min(down - 1, row + 1) * across]
    for (let column = 0; column < across; column += 1, i += 1) {
      if (energies[i] === 0) continue
      const left = Math.max(0, column - 1)
      const right = Math.min(across - 1, column + 1)
      const own = strengths[i] as number
      const west = strengths[i - column + left] as number
      const east = strengths[i - column + right] as number
      const north = strengths[above + column] as number
      const south = strengths[below + column] as number
      const squares =
        quarter(own, west, north, strengths[above + left] as number) +
        quarter(own, east, north, strengths[above + right] as number) +
        quarter(own, west, south, strengths[below + left] as number) +
        quarter(own, east, south, strengths[below + right] as number)
      shown[at] = ((shown[at] as number) * squares) / (4 * own * own)
      at += 4
    }
  }
}

/** The mean square over the quarter of a cell towards three others, between whose middles strengths are linear. */
function quarter(own: number, along: number, down: number, across: number): number {
  return meanSquare(own, (own + along) / 2, (own + down) / 2, (own + along + down + across) / 4)
}

/** Of what is linear both ways between four corners, `a` opposite `d`. */
function meanSquare(a: number, b: number, c: number, d: number): number {
  return (a * a + b * b + c * c + d * d + a * b + a * c + b * d + c * d + (a * d + b * c) / 2) / 9
}

export function strengthsOf({ wish, cap }: Cells, factor: number): Float32Array {
  const strengths = new Float32Array(wish.length)
  for (let i = 0; i < wish.length; i += 1)
    strengths[i] = Math.min(factor * (wish[i] as number), cap[i] as number)
  return strengths
}

/** Room for what `strengthsAlong` writes. */
export function roomAlong({ across }: Cells): Float64Array {
  return new Float64Array(across + 2)
}

/** The strengths of a row of pixels at the middle of each cell, and half a cell beyond the picture at either end. */
export function strengthsAlong(
  { across, down }: Cells,
  strengths: Float32Array,
  y: number,
  middles: Float64Array,
): void {
  const v = Math.min(down - 1, Math.max(0, (y + 0.5) / cell_px - 0.5))
  const upper = Math.floor(v) * across
  const lower = Math.min(down - 1, Math.floor(v) + 1) * across
  const share = v - Math.floor(v)
  for (let column = 0; column < across; column += 1) {
    const above = strengths[upper + column] as number
    middles[column + 1] = above + share * ((strengths[lower + column] as number) - above)
  }
  middles[0] = middles[1] as number
  middles[across + 1] = middles[across] as number
}

/** The strengths of one row of pixels, linear between the middles of cells. Costs about 1 ns a pixel. */
export function strengthRow(middles: Float64Array, row: Float32Array): void {
  for (let x = 0, column = 0; x < row.length; column += 1) {
    const left = middles[column] as number
    const step = ((middles[column + 1] as number) - left) / cell_px
    let value = left + step * (x + 0.5 - (column - 0.5) * cell_px)
    for (const end = Math.min(row.length, (column + 0.5) * cell_px); x < end; x += 1, value += step)
      row[x] = value
  }
}
