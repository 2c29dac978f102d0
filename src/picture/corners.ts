import { border_px, strideOf, type Grey } from "./grey.ts"

/** A corner of one level, in pixels of it from its top left, and how marked it is. */
export interface Corner {
  readonly x: number
  readonly y: number
  readonly score: number
}

/** How much brighter or darker than its middle each of the nine pixels of a corner's arc is. */
const contrast = 8

/** How far from the edge a corner must lie, so that its circle is of the picture. */
const margin = 4

/** How many corners a cell of the grid has room for on average: fewer spread more, more keep the strongest. */
const cornersPerCell = 3

/**
 * At most `most` corners of a level: FAST-9 where it is strongest among its neighbours, ranked by Harris, and spread:
 * the best of each cell of a grid come before any cell's second best.
 * Sources: Rosten and Drummond 2006, §2 (the segment test); Harris and Stephens 1988; Rublee et al. 2011, §3.1.
 * Costs about 6 ns for each pixel, and 0.5 µs for each corner.
 */
export function cornersOf(grey: Grey, most: number): readonly Corner[] {
  const { arcs, marks } = segmentTest(grey)
  const stride = strideOf(grey)
  const corners: Corner[] = []
  for (const at of arcs) {
    if (!isPeak(marks, at, stride)) continue
    const score = harris(grey.values, at, stride)
    if (score <= 0) continue
    corners.push({ x: (at % stride) - border_px, y: Math.floor(at / stride) - border_px, score })
  }
  return spread(corners, grey, most)
}

/** Where the sixteen pixels of the circle of radius 3 lie, clockwise from the top. */
function circleOf(stride: number): Int32Array {
  const places = [
    [0, -3],
    [1, -3],
    [2, -2],
    [3, -1],
    [3, 0],
    [3, 1],
    [2, 2],
    [1, 3],
    [0, 3],
    [-1, 3],
    [-2, 2],
    [-3, 1],
    [-3, 0],
    [-3, -1],
    [-2, -2],
    [-1, -3],
  ] as const
  return Int32Array.from(places, ([x, y]) => y * stride + x)
}

/** Where at least nine in a row of a circle's sixteen are all brighter, or all darker, and by how much in sum. */
function segmentTest(grey: Grey): { arcs: number[]; marks: Uint16Array } {
  const { values, width_px, height_px } = grey
  const stride = strideOf(grey)
  const circle = circleOf(stride)
  const [up, right, down, left] = [circle[0], circle[4], circle[8], circle[12]] as [
    number,
    number,
    number,
    number,
  ]
  const marks = new Uint16Array(values.length)
  const arcs: number[] = []
  for (let y = margin; y < height_px - margin; y += 1) {
    const start = (y + border_px) * stride + border_px
    for (let at = start + margin; at < start + width_px - margin; at += 1) {
      const middle = values[at] as number
      const low = middle - contrast
      const high = middle + contrast
      // Nine in a row hold one of each two opposite pixels.
      const n = values[at + up] as number
      const s = values[at + down] as number
      if (n <= high && s <= high && n >= low && s >= low) continue
      const e = values[at + right] as number
      const w = values[at + left] as number
      const isBright = (n > high || s > high) && (e > high || w > high)
      const isDark = (n < low || s < low) && (e < low || w < low)
      if (!isBright && !isDark) continue
      const mark = markOf(values, at, circle)
      if (mark === 0) continue
      marks[at] = mark
      arcs.push(at)
    }
  }
  return { arcs, marks }
}

/** 0 where the test fails; else the sum of what the circle is brighter, or darker, beyond the contrast. */
function markOf(values: Uint8Array, at: number, circle: Int32Array): number {
  const middle = values[at] as number
  let bright = 0
  let dark = 0
  let above = 0
  let below = 0
  for (let i = 0; i < 16; i += 1) {
    const difference = (values[at + (circle[i] as number)] as number) - middle
    if (difference > contrast) {
      bright |= 1 << i
      above += difference - contrast
    } else if (difference < -contrast) {
      dark |= 1 << i
      below -= difference + contrast
    }
  }
  return Math.max(hasNine(bright) ? above : 0, hasNine(dark) ? below : 0)
}

/** Whether nine of sixteen bits in a circle follow on each other. */
function hasNine(bits: number): boolean {
  const twice = bits | (bits << 16)
  const two = twice & (twice >>> 1)
  const four = two & (two >>> 2)
  const eight = four & (four >>> 4)
  return (eight & (twice >>> 8)) !== 0
}

function isPeak(marks: Uint16Array, at: number, stride: number): boolean {
  const mark = marks[at] as number
  return (
    mark > (marks[at - stride - 1] as number) &&
    mark > (marks[at - stride] as number) &&
    mark > (marks[at - stride + 1] as number) &&
    mark > (marks[at - 1] as number) &&
    mark >= (marks[at + 1] as number) &&
    mark >= (marks[at + stride - 1] as number) &&
    mark >= (marks[at + stride] as number) &&
    mark >= (marks[at + stride + 1] as number)
  )
}

/** det − 0.04 · trace² of the gradients' second moments over 7 × 7 pixels: above 0 where they run two ways. */
function harris(values: Uint8Array, at: number, stride: number): number {
  let xx = 0
  let yy = 0
  let xy = 0
  for (let j = -3; j <= 3; j += 1) {
    for (let i = -3; i <= 3; i += 1) {
      const here = at + j * stride + i
      const x = (values[here + 1] as number) - (values[here - 1] as number)
      const y = (values[here + stride] as number) - (values[here - stride] as number)
      xx += x * x
      yy += y * y
      xy += x * y
    }
  }
  return xx * yy - xy * xy - 0.04 * (xx + yy) ** 2
}

/** Of each cell of a grid its best, then of each its second best, until there are enough. */
function spread(corners: readonly Corner[], { width_px, height_px }: Grey, most: number): readonly Corner[] {
  const cell_px = Math.max(8, Math.sqrt((width_px * height_px * cornersPerCell) / Math.max(1, most)))
  const columns = Math.ceil(width_px / cell_px)
  const taken = new Map<number, number>()
  return [...corners]
    .sort((a, b) => b.score - a.score)
    .map(corner => {
      const cell = Math.floor(corner.y / cell_px) * columns + Math.floor(corner.x / cell_px)
      const rank = taken.get(cell) ?? 0
      taken.set(cell, rank + 1)
      return { corner, rank }
    })
    .sort((a, b) => a.rank - b.rank || b.corner.score - a.corner.score)
    .slice(0, most)
    .map(({ corner }) => corner)
}
