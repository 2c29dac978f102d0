import type { Displacements, Level } from "./align.ts"
import { boxSums, planeOf, type Plane } from "./plane.ts"
import { solved } from "./warp.ts"

/** What a leak should look like if its copy carried no mark, by its original. */
export interface Prediction {
  readonly expected: Plane
  /** 1 where there is an expectation. */
  readonly valid: Plane
}

const reach = 2
const taps = (2 * reach + 1) ** 2
/** The taps, the square and the cube of the middle one, and a constant. */
const unknowns = taps + 3

/** So many pixels are enough to learn from. */
const most_samples = 12_000

/** Within this many pixels around, light and contrast may differ from elsewhere. */
const local_px = 14

/**
 * Predicts a leak from its original: laid onto it, filtered by the 5 × 5 filter and the tone curve that explain the leak
 * best, then brought to its local brightness and contrast.
 * Costs about 250 ns a pixel.
 */
export function predict(level: Level, displaced: Displacements): Prediction {
  const { luma, valid } = level.leak
  const sampled = sample(level, displaced)
  const usable = eroded(sampled.valid, valid)
  const filter = filterFor(sampled.plane, luma, usable)
  const shaped = filter === null ? sampled.plane : filtered(sampled.plane, usable, filter)
  return { expected: localised(shaped, luma, usable), valid: usable }
}

/** The original where the leak's pixels come from, cubic between its pixels (Keys 1981, a = −½). */
function sample(level: Level, displaced: Displacements): { plane: Plane; valid: Plane } {
  const { width_px, height_px } = level.leak.luma
  const { values, width_px: w, height_px: h } = level.original
  const [a, b, c, d, e, f, g, k] = level.warp
  const plane = planeOf(width_px, height_px)
  const valid = planeOf(width_px, height_px)
  for (let y = 0, i = 0; y < height_px; y += 1) {
    for (let x = 0; x < width_px; x += 1, i += 1) {
      const px = x + 0.5 + (displaced.x[i] as number)
      const py = y + 0.5 + (displaced.y[i] as number)
      const nearness = 1 / (g * px + k * py + 1)
      const u = nearness * (a * px + b * py + c) - 0.5
      const v = nearness * (d * px + e * py + f) - 0.5
      if (!(u >= -0.5 && v >= -0.5 && u <= w - 0.5 && v <= h - 0.5)) continue
      plane.values[i] = cubicAt(values, { w, h }, u, v)
      valid.values[i] = 1
    }
  }
  return { plane, valid }
}

function cubicAt(values: Float32Array, { w, h }: { w: number; h: number }, u: number, v: number): number {
  const column = Math.floor(u)
  const row = Math.floor(v)
  const s = u - column
  const t = v - row
  const a0 = ((-0.5 * s + 1) * s - 0.5) * s
  const a1 = (1.5 * s - 2.5) * s * s + 1
  const a2 = ((-1.5 * s + 2) * s + 0.5) * s
  const a3 = (0.5 * s - 0.5) * s * s
  let sum = 0
  for (let j = -1; j <= 2; j += 1) {
    const d = Math.abs(t - j)
    const weight = d <= 1 ? (1.5 * d - 2.5) * d * d + 1 : ((-0.5 * d + 2.5) * d - 4) * d + 2
    const line = (row + j < 0 ? 0 : row + j >= h ? h - 1 : row + j) * w
    if (column >= 1 && column < w - 2) {
      const at = line + column
      sum +=
        weight *
        (a0 * (values[at - 1] as number) +
          a1 * (values[at] as number) +
          a2 * (values[at + 1] as number) +
          a3 * (values[at + 2] as number))
      continue
    }
    const at = (n: number) => values[line + Math.max(0, Math.min(w - 1, column + n))] as number
    sum += weight * (a0 * at(-1) + a1 * at(0) + a2 * at(1) + a3 * at(2))
  }
  return sum
}

/** Pixels whose 5 × 5 are all there. */
function eroded(one: Plane, other: Plane): Plane {
  const { width_px, height_px } = one
  const both = planeOf(width_px, height_px)
  for (let i = 0; i < both.values.length; i += 1)
    both.values[i] = (one.values[i] as number) * (other.values[i] as number)
  const sums = boxSums(both, reach)
  const result = planeOf(width_px, height_px)
  for (let y = reach; y < height_px - reach; y += 1)
    for (let x = reach, i = y * width_px + reach; x < width_px - reach; x += 1, i += 1)
      result.values[i] = (sums.values[i] as number) > taps - 0.5 ? 1 : 0
  return result
}

interface Filter {
  readonly weights: Float64Array
}

/** By least squares over a sample of the pixels, twice: the second time without what the first could not explain. */
function filterFor(original: Plane, leak: Plane, valid: Plane): Filter | null {
  const count = valid.values.reduce((sum, each) => sum + each, 0)
  if (count < 20 * unknowns) return null
  const step = Math.max(1, Math.floor(count / most_samples))
  const sampled: number[] = []
  for (let i = 0, n = 0; i < valid.values.length; i += 1)
    if (valid.values[i] === 1 && n++ % step === 0) sampled.push(i)
  const first = fit(original, leak, sampled)
  if (first === null) return null
  const errors = sampled.map(i => Math.abs((leak.values[i] as number) - valueOf(original, i, first)))
  const limit = 4 * ([...errors].sort((a, b) => a - b)[errors.length >> 1] as number) + 0.5
  const explained = sampled.filter((_, n) => (errors[n] as number) <= limit)
  return explained.length < 20 * unknowns ? first : fit(original, leak, explained)
}

function fit(original: Plane, leak: Plane, places: readonly number[]): Filter | null {
  const matrix = new Float64Array(unknowns * unknowns)
  const right = new Float64Array(unknowns)
  const row = new Float64Array(unknowns)
  for (const i of places) {
    fillRow(row, original, i)
    const target = ((leak.values[i] as number) - 128) / 64
    for (let j = 0; j < unknowns; j += 1) {
      const value = row[j] as number
      right[j] = (right[j] as number) + value * target
      for (let k = 0; k <= j; k += 1)
        matrix[j * unknowns + k] = (matrix[j * unknowns + k] as number) + value * (row[k] as number)
    }
  }
  for (let j = 0; j < unknowns; j += 1) {
    for (let k = 0; k < j; k += 1) matrix[k * unknowns + j] = matrix[j * unknowns + k] as number
    matrix[j * unknowns + j] = (matrix[j * unknowns + j] as number) + 1e-4 * places.length
  }
  const weights = solved(matrix, right)
  return weights === null ? null : { weights }
}

function fillRow(row: Float64Array, { values, width_px }: Plane, i: number): void {
  for (let y = -reach, n = 0; y <= reach; y += 1)
    for (let x = -reach; x <= reach; x += 1, n += 1)
      row[n] = ((values[i + y * width_px + x] as number) - 128) / 64
  const middle = row[(taps - 1) / 2] as number
  row[taps] = middle * middle
  row[taps + 1] = middle * middle * middle
  row[taps + 2] = 1
}

const scratch = new Float64Array(unknowns)

function valueOf(original: Plane, i: number, { weights }: Filter): number {
  fillRow(scratch, original, i)
  let sum = 0
  for (let n = 0; n < unknowns; n += 1) sum += (scratch[n] as number) * (weights[n] as number)
  return 64 * sum + 128
}

function filtered(original: Plane, valid: Plane, filter: Filter): Plane {
  const result = planeOf(original.width_px, original.height_px)
  for (let i = 0; i < result.values.length; i += 1)
    if (valid.values[i] === 1) result.values[i] = valueOf(original, i, filter)
  return result
}

/** Brought to the leak's mean and contrast around each pixel. */
function localised(shaped: Plane, leak: Plane, valid: Plane): Plane {
  const { width_px, height_px } = shaped
  const products = Array.from({ length: 4 }, () => planeOf(width_px, height_px))
  const [a, b, aa, ab] = products as [Plane, Plane, Plane, Plane]
  for (let i = 0; i < valid.values.length; i += 1) {
    if (valid.values[i] === 0) continue
    const x = (shaped.values[i] as number) - 128
    const y = (leak.values[i] as number) - 128
    a.values[i] = x
    b.values[i] = y
    aa.values[i] = x * x
    ab.values[i] = x * y
  }
  const counts = boxSums(valid, local_px)
  const [sa, sb, saa, sab] = products.map(plane => boxSums(plane, local_px)) as [Plane, Plane, Plane, Plane]
  const result = planeOf(width_px, height_px)
  for (let i = 0; i < valid.values.length; i += 1) {
    if (valid.values[i] === 0) continue
    const n = Math.max(1, counts.values[i] as number)
    const ma = (sa.values[i] as number) / n
    const mb = (sb.values[i] as number) / n
    const variance = Math.max(0, (saa.values[i] as number) / n - ma * ma)
    const covariance = (sab.values[i] as number) / n - ma * mb
    const gain = (covariance + steadiness) / (variance + steadiness)
    result.values[i] = mb + 128 + gain * ((a.values[i] as number) - ma)
  }
  return result
}

/** Grey levels squared: with less contrast than this around it, a pixel keeps the contrast of the whole. */
const steadiness = 100
