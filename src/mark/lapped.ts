import type { Plane } from "./plane.ts"

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

type Four = [number, number, number, number]

/** For each frequency, at the n-th pixel of a window. */
function cosinesAt(n: number): Four {
  return Array.from(
    { length: frequencies },
    (_, k) => Math.sqrt(2 / hop_px) * Math.cos((Math.PI / hop_px) * (n + 0.5 + hop_px / 2) * (k + 0.5)),
  ) as Four
}

const sines = Array.from({ length: window_px }, (_, n) => Math.sin((Math.PI * (n + 0.5)) / window_px))
const cosines = Array.from({ length: window_px }, (_, n) => cosinesAt(n))
const shapes = cosines.map((four, n) => four.map(each => (sines[n] as number) * each) as Four)

const functionOf = (k: number) => Float32Array.from(shapes, each => each[k] as number)
const functions = [functionOf(0), functionOf(1), functionOf(2), functionOf(3)] as const

const falls = Float64Array.from(cosines.slice(hop_px).flat())
const rises = Float64Array.from(cosines.slice(0, hop_px).flat())

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

/** A field over a part of a picture: row by row, from (`left`, `top`). */
export interface Field {
  readonly values: Float32Array
  readonly left: number
  readonly top: number
  readonly width_px: number
}

/**
 * The field of these chips' amplitudes over the part `area` of a picture, up and down to the next strips between windows;
 * its mean square is that of the amplitudes times the share of frequencies that carry chips.
 * Costs about 5 ns for each pixel of the area.
 * @param amplitudes  as many as `gridOf(size).count`.
 * @param memoryOf  gives the room for so many pixels, whatever is in it.
 */
export function fieldOf(
  amplitudes: Float32Array,
  size: { readonly width_px: number; readonly height_px: number },
  area: Area,
  memoryOf: (count: number) => Float32Array = count => new Float32Array(count),
): Field {
  const { across } = gridOf(size)
  const [firstColumn, lastColumn] = [Math.floor(area.left / hop_px), Math.ceil(area.right / hop_px)]
  const [firstStrip, afterStrip] = [Math.floor(area.top / hop_px), Math.ceil(area.bottom / hop_px)]
  const width_px = area.right - area.left
  const values = memoryOf(width_px * (afterStrip - firstStrip) * hop_px)
  const start = frequencies * (area.left - firstColumn * hop_px)
  const along = (j: number, sums: Float64Array) => {
    const [from, until] = [firstColumn, lastColumn + 1].map(i => (j * across + i) * band.length)
    return writeAlong(amplitudes.subarray(from, until), sums)
  }
  const length = (lastColumn - firstColumn) * hop_px * frequencies
  let upper: Float64Array = new Float64Array(length)
  let lower: Float64Array = along(firstStrip, new Float64Array(length))
  for (let strip = firstStrip, first = 0; strip < afterStrip; strip += 1, first += hop_px * width_px) {
    ;[upper, lower] = [lower, along(strip + 1, upper)]
    writeDown(upper.subarray(start), lower.subarray(start), values.subarray(first), width_px)
  }
  return { values, left: area.left, top: firstStrip * hop_px, width_px }
}

/**
 * One strip between two rows of windows: of the windows above their lower halves, which are even about the strip's middle, and of
 * those below their upper halves, which are odd about it. So each row is written with its mirror image, and two rows at once,
 * since reading costs more than reckoning.
 */
function writeDown(upper: Float64Array, lower: Float64Array, values: Float32Array, width_px: number): void {
  for (let n = 0; n < hop_px / 2; n += 2) {
    const [a, b, c, d] = cosines[n + hop_px] as Four
    const [e, f, g, h] = cosines[n] as Four
    const [rising, falling] = [sines[n] as number, sines[n + hop_px] as number]
    const [nextA, nextB, nextC, nextD] = cosines[n + 1 + hop_px] as Four
    const [nextE, nextF, nextG, nextH] = cosines[n + 1] as Four
    const [nextRising, nextFalling] = [sines[n + 1] as number, sines[n + 1 + hop_px] as number]
    const mirrored = (hop_px - 1 - n) * width_px
    for (let i = 0, to = n * width_px, x = 0; i < width_px; i += 1, to += 1, x += frequencies) {
      const above0 = upper[x] as number
      const above1 = upper[x + 1] as number
      const above2 = upper[x + 2] as number
      const above3 = upper[x + 3] as number
      const below0 = lower[x] as number
      const below1 = lower[x + 1] as number
      const below2 = lower[x + 2] as number
      const below3 = lower[x + 3] as number
      const above = a * above0 + b * above1 + c * above2 + d * above3
      const below = e * below0 + f * below1 + g * below2 + h * below3
      values[to] = falling * above + rising * below
      values[mirrored + i] = rising * above - falling * below
      const nextAbove = nextA * above0 + nextB * above1 + nextC * above2 + nextD * above3
      const nextBelow = nextE * below0 + nextF * below1 + nextG * below2 + nextH * below3
      values[to + width_px] = nextFalling * nextAbove + nextRising * nextBelow
      values[mirrored - width_px + i] = nextRising * nextAbove - nextFalling * nextBelow
    }
  }
}

/** Where a window's chips lie in a square of all its frequencies. */
const squareOf = Uint8Array.from(band, ([k, l]) => l * frequencies + k)

/**
 * What lies along one row of windows: for each pixel across, from the first window's middle to the last one's, the four
 * frequencies down; between two windows as `writeDown` between two rows of them.
 */
function writeAlong(amplitudes: Float32Array, sums: Float64Array): Float64Array {
  let [before, next] = [new Float32Array(frequencies ** 2), new Float32Array(frequencies ** 2)]
  const strip = hop_px * frequencies
  for (let i = 0, first = -strip; i < amplitudes.length; i += band.length, first += strip) {
    ;[before, next] = [next, before]
    for (let c = 0; c < band.length; c += 1) next[squareOf[c] as number] = amplitudes[i + c] as number
    if (i === 0) continue
    for (let n = 0, row = 0; n < hop_px / 2; n += 1, row += frequencies) {
      const a = falls[row] as number
      const b = falls[row + 1] as number
      const c = falls[row + 2] as number
      const d = falls[row + 3] as number
      const e = rises[row] as number
      const f = rises[row + 1] as number
      const g = rises[row + 2] as number
      const h = rises[row + 3] as number
      const rising = sines[n] as number
      const falling = sines[n + hop_px] as number
      const to = first + row
      const mirrored = first + (hop_px - 1) * frequencies - row
      for (let l = 0, at = 0; l < frequencies; l += 1, at += frequencies) {
        const one =
          a * (before[at] as number) +
          b * (before[at + 1] as number) +
          c * (before[at + 2] as number) +
          d * (before[at + 3] as number)
        const other =
          e * (next[at] as number) +
          f * (next[at + 1] as number) +
          g * (next[at + 2] as number) +
          h * (next[at + 3] as number)
        sums[to + l] = falling * one + rising * other
        sums[mirrored + l] = rising * one - falling * other
      }
    }
  }
  return sums
}

/** For each chip the sum of the plane times its function: what `fieldOf` is the transpose of. Costs as `fieldOf`. */
export function chipsIn(plane: Plane, area: Area): Float32Array {
  const { across, count } = gridOf(plane)
  const found = new Float32Array(count)
  const [firstColumn, lastColumn] = [Math.floor(area.left / hop_px), Math.ceil(area.right / hop_px)]
  const [firstRow, lastRow] = [Math.floor(area.top / hop_px), Math.ceil(area.bottom / hop_px)]
  const origin = (firstColumn - 1) * hop_px
  const length = (lastColumn - firstColumn + 2) * hop_px
  const rows = functions.map(() => new Float32Array(length)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  const [r0, r1, r2, r3] = rows
  const { values } = plane
  for (let j = firstRow; j <= lastRow; j += 1) {
    for (const row of rows) row.fill(0)
    const from = Math.max(area.top, (j - 1) * hop_px)
    const until = Math.min(area.bottom, (j + 1) * hop_px)
    for (let y = from; y < until; y += 1) {
      const n = y - (j - 1) * hop_px
      const [f0, f1, f2, f3] = shapes[n] as Four
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
