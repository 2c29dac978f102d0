import { planeOf, type Plane } from "./plane.ts"

/**
 * Where the chips live: low frequencies of a lapped transform on a grid of 16 × 16 pixels, whose windows reach 32 and
 * fade out, so that no block's edge shows. The grid is the original's, whatever of it a copy keeps.
 * Orthonormal: φ_k(n) = √(1/8) sin(π(n + ½)/32) cos(π(n + 8½)(k + ½)/16), 0 ≤ n < 32, in each direction.
 * Source: Malvar 1992, "Signal Processing with Lapped Transforms" (the MLT); Princen, Johnson, Bradley 1987.
 */
const hop_px = 16
const window_px = 32
const frequencies = 4

/** Of the frequencies along (k) and down (l) those with 1 ≤ hypot(k + ½, l + ½) ≤ 4.4: periods of 7 to 20 pixels. */
export const band: readonly (readonly [k: number, l: number])[] = (() => {
  const list: (readonly [number, number])[] = []
  for (let l = 0; l < frequencies; l += 1)
    for (let k = 0; k < frequencies; k += 1) {
      const radius = Math.hypot(k + 0.5, l + 0.5)
      if (radius >= 1 && radius <= 4.4) list.push([k, l])
    }
  return list
})()

const functions = [functionOf(0), functionOf(1), functionOf(2), functionOf(3)] as const

function functionOf(k: number): Float32Array {
  return Float32Array.from(
    { length: window_px },
    (_, n) =>
      Math.sqrt(2 / hop_px) *
      Math.sin((Math.PI * (n + 0.5)) / window_px) *
      Math.cos((Math.PI / hop_px) * (n + 0.5 + hop_px / 2) * (k + 0.5)),
  )
}

/** Of a picture: how many windows it has along and down. The chip c of window (i, j) has index (j · across + i) · chips + c. */
export interface Grid {
  readonly across: number
  readonly down: number
  readonly count: number
}

export function gridOf({
  width_px,
  height_px,
}: {
  readonly width_px: number
  readonly height_px: number
}): Grid {
  const across = Math.ceil(width_px / hop_px) + 1
  const down = Math.ceil(height_px / hop_px) + 1
  return { across, down, count: across * down * band.length }
}

/** A box of whole windows' halves around `box`, within the picture: what of it has to be looked at. */
export interface Area {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

/**
 * The field of these chips' amplitudes over the part `area` of a picture, elsewhere 0; its mean square is that of the
 * amplitudes times the share of frequencies that carry chips. Costs about 12 ns for each pixel of the area.
 * @param amplitudes  as many as `gridOf(size).count`.
 */
export function fieldOf(
  amplitudes: Float32Array,
  size: { readonly width_px: number; readonly height_px: number },
  area: Area,
): Plane {
  const { across } = gridOf(size)
  const field = planeOf(size.width_px, size.height_px)
  const { values } = field
  const [firstColumn, lastColumn] = [Math.floor(area.left / hop_px), Math.ceil(area.right / hop_px)]
  const [firstRow, lastRow] = [Math.floor(area.top / hop_px), Math.ceil(area.bottom / hop_px)]
  const rows = rowsOf((lastColumn - firstColumn + 2) * hop_px)
  const origin = (firstColumn - 1) * hop_px
  const [r0, r1, r2, r3] = rows
  const [f0, f1, f2, f3] = functions
  for (let j = firstRow; j <= lastRow; j += 1) {
    for (const row of rows) row.fill(0)
    const at = (j * across + firstColumn) * band.length
    const along = amplitudes.subarray(at, at + (lastColumn - firstColumn + 1) * band.length)
    for (let c = 0; c < band.length; c += 1) addAlong(rows, along, c)
    const from = Math.max(area.top, (j - 1) * hop_px)
    const until = Math.min(area.bottom, (j + 1) * hop_px)
    for (let y = from; y < until; y += 1) {
      const n = y - (j - 1) * hop_px
      const [a, b] = [f0[n] as number, f1[n] as number]
      const [c, d] = [f2[n] as number, f3[n] as number]
      const end = y * size.width_px + area.right
      for (let to = y * size.width_px + area.left, x = area.left - origin; to < end; to += 1, x += 1)
        values[to] =
          (values[to] as number) +
          a * (r0[x] as number) +
          b * (r1[x] as number) +
          c * (r2[x] as number) +
          d * (r3[x] as number)
    }
  }
  return field
}

/** For each frequency down, what lies along one row of windows. */
type Rows = readonly [Float32Array, Float32Array, Float32Array, Float32Array]

function rowsOf(length: number): Rows {
  return [
    new Float32Array(length),
    new Float32Array(length),
    new Float32Array(length),
    new Float32Array(length),
  ]
}

/** Adds chip `c` of each window of a row of them. */
function addAlong(rows: Rows, amplitudes: Float32Array, c: number): void {
  const [k, l] = band[c] as readonly [number, number]
  const row = rows[l] as Float32Array
  const shape = functions[k] as Float32Array
  for (let at = c, start = 0; at < amplitudes.length; at += band.length, start += hop_px) {
    const amplitude = amplitudes[at] as number
    for (let n = 0; n < window_px; n += 1)
      row[start + n] = (row[start + n] as number) + amplitude * (shape[n] as number)
  }
}

/** For each chip the sum of the plane times its function: what `fieldOf` is the transpose of. Costs as `fieldOf`. */
export function chipsIn(plane: Plane, area: Area): Float32Array {
  const { across, count } = gridOf(plane)
  const found = new Float32Array(count)
  const [firstColumn, lastColumn] = [Math.floor(area.left / hop_px), Math.ceil(area.right / hop_px)]
  const [firstRow, lastRow] = [Math.floor(area.top / hop_px), Math.ceil(area.bottom / hop_px)]
  const origin = (firstColumn - 1) * hop_px
  const rows = rowsOf((lastColumn - firstColumn + 2) * hop_px)
  const [r0, r1, r2, r3] = rows
  const { values } = plane
  for (let j = firstRow; j <= lastRow; j += 1) {
    for (const row of rows) row.fill(0)
    const from = Math.max(area.top, (j - 1) * hop_px)
    const until = Math.min(area.bottom, (j + 1) * hop_px)
    for (let y = from; y < until; y += 1) {
      const n = y - (j - 1) * hop_px
      const [f0, f1, f2, f3] = functions.map(shape => shape[n] as number) as [number, number, number, number]
      const row = y * plane.width_px
      for (let x = area.left, at = area.left - origin; x < area.right; x += 1, at += 1) {
        const value = values[row + x] as number
        r0[at] = (r0[at] as number) + f0 * value
        r1[at] = (r1[at] as number) + f1 * value
        r2[at] = (r2[at] as number) + f2 * value
        r3[at] = (r3[at] as number) + f3 * value
      }
    }
    for (let i = firstColumn; i <= lastColumn; i += 1) {
      const start = (i - firstColumn) * hop_px
      for (let c = 0, at = (j * across + i) * band.length; c < band.length; c += 1, at += 1) {
        const [k, l] = band[c] as readonly [number, number]
        const row = rows[l] as Float32Array
        const shape = functions[k] as Float32Array
        let sum = 0
        for (let n = 0; n < window_px; n += 1) sum += (row[start + n] as number) * (shape[n] as number)
        found[at] = sum
      }
    }
  }
  return found
}
