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
 * quarters: what is flat beside an edge is judged as flat. Dark ones take less. Costs about 6 ns for each pixel of the part.
 */
export function cellsOf({ rgb, width_px, height_px }: Rgb, area: Area): Cells {
  const across = Math.ceil(width_px / cell_px)
  const down = Math.ceil(height_px / cell_px)
  const wish = new Float32Array(across * down)
  const cap = new Float32Array(across * down)
  const texture = new Float32Array(across * down)
  const [first, last] = [Math.floor(area.left / cell_px), Math.ceil(area.right / cell_px)]
  for (let row = Math.floor(area.top / cell_px); row < Math.ceil(area.bottom / cell_px); row += 1) {
    for (let column = first; column < last; column += 1) {
      let calmest = Infinity
      let calm = Infinity
      let mean = 0
      let variances = 0
      for (let quarter = 0; quarter < 4; quarter += 1) {
        const left = Math.max(0, Math.min(column * cell_px + (quarter & 1) * 4, width_px - 4))
        const top = Math.max(0, Math.min(row * cell_px + (quarter >> 1) * 4, height_px - 4))
        const right = Math.min(width_px, left + 4)
        const bottom = Math.min(height_px, top + 4)
        let sum = 0
        let squares = 0
        for (let y = top; y < bottom; y += 1) {
          for (let at = 3 * (y * width_px + left), end = 3 * (y * width_px + right); at < end; at += 3) {
            const luma =
              77 * (rgb[at] as number) + 150 * (rgb[at + 1] as number) + 29 * (rgb[at + 2] as number)
            sum += luma
            squares += luma * luma
          }
        }
        const count = (right - left) * (bottom - top)
        // Luma was summed in 256ths.
        const variance = (squares / count - (sum / count) ** 2) / 65_536
        mean += sum / count / 1_024
        variances += variance
        calm = Math.max(Math.min(calm, variance), calmest)
        calmest = Math.min(calmest, variance)
      }
      const activity = (Math.sqrt(Math.max(0, calmest)) + Math.sqrt(Math.max(0, calm))) / 2
      const light = 0.75 + 0.25 * Math.min(1, mean / 64)
      const at = row * across + column
      wish[at] = (0.8 + Math.sqrt(activity * Math.sqrt(activity))) * light
      texture[at] = variances / 4
      cap[at] = Math.min(most, (1 + 0.9 * activity) * light)
    }
  }
  return { wish, cap, texture, across, down }
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
  const rough = largestWithin(shownCells(cells, energies), budget, 8)
  const smoothed = smoothedEnergies(cells, energies, strengthsOf(cells, rough))
  return largestWithin(shownCells(cells, smoothed), budget, 14)
}

/** Beyond this every cell is at its cap. */
const largest = 8

function largestWithin(shown: Float64Array, budget: Budget, rounds: number): number {
  let [low, high] = [0, largest]
  if (isWithin(shown, budget, high)) return high
  for (let round = 0; round < rounds; round += 1) {
    const middle = (low + high) / 2
    if (isWithin(shown, budget, middle)) low = middle
    else high = middle
  }
  return low
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

/** The energies by which each cell's own strength changes as much as the smoothed one does. Costs about 1 ns for each pixel. */
function smoothedEnergies(
  { across, down }: Cells,
  energies: Float64Array,
  strengths: Float32Array,
): Float64Array {
  const smoothed = new Float64Array(energies.length)
  for (let row = 0, at = 0; row < down; row += 1) {
    const [above, below] = [Math.max(0, row - 1) * across, Math.min(down - 1, row + 1) * across]
    for (let column = 0; column < across; column += 1, at += 1) {
      if (energies[at] === 0) continue
      const [left, right] = [Math.max(0, column - 1), Math.min(across - 1, column + 1)]
      const own = strengths[at] as number
      const [west, east] = [strengths[at - column + left] as number, strengths[at - column + right] as number]
      const [north, south] = [strengths[above + column] as number, strengths[below + column] as number]
      const squares =
        quarter(own, west, north, strengths[above + left] as number) +
        quarter(own, east, north, strengths[above + right] as number) +
        quarter(own, west, south, strengths[below + left] as number) +
        quarter(own, east, south, strengths[below + right] as number)
      smoothed[at] = ((energies[at] as number) * squares) / (4 * own * own)
    }
  }
  return smoothed
}

/** The mean square over the quarter of a cell towards three others, between whose middles strengths are linear. */
function quarter(own: number, along: number, down: number, across: number): number {
  return meanSquare(own, (own + along) / 2, (own + down) / 2, (own + along + down + across) / 4)
}

/** Of what is linear both ways between four corners, `a` opposite `d`. */
function meanSquare(a: number, b: number, c: number, d: number): number {
  return (a * a + b * b + c * c + d * d + a * b + a * c + b * d + c * d + (a * d + b * c) / 2) / 9
}

function isWithin(shown: Float64Array, { kept_px, noise, dissimilarity }: Budget, factor: number): boolean {
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
  return changed <= noise * kept_px && lost <= dissimilarity * kept_px
}

export function strengthsOf({ wish, cap }: Cells, factor: number): Float32Array {
  return wish.map((each, i) => Math.min(factor * each, cap[i] as number))
}

/** The strengths of one row of pixels, linear between the middles of cells. Costs about 1 ns a pixel. */
export function strengthRow(
  { across, down }: Cells,
  strengths: Float32Array,
  y: number,
  row: Float32Array,
): void {
  const v = Math.min(down - 1, Math.max(0, (y + 0.5) / cell_px - 0.5))
  const upper = Math.floor(v) * across
  const lower = Math.min(down - 1, Math.floor(v) + 1) * across
  const share = v - Math.floor(v)
  let left = between(strengths[upper] as number, strengths[lower] as number, share)
  for (let column = 0, x = 0; x < row.length; column += 1) {
    const at = Math.min(across - 1, column)
    const right = between(strengths[upper + at] as number, strengths[lower + at] as number, share)
    const step = (right - left) / cell_px
    let value = left + step * (x + 0.5 - (column - 0.5) * cell_px)
    for (const end = Math.min(row.length, (column + 0.5) * cell_px); x < end; x += 1, value += step)
      row[x] = value
    left = right
  }
}

function between(one: number, other: number, share: number): number {
  return one + share * (other - one)
}
