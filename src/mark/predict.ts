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
  const { width_px: w, height_px: h } = level.original
  const { values, width_px: stride_px } = edged(level.original)
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
      plane.values[i] = cubicAt(values, stride_px, u + edge_px, v + edge_px)
      valid.values[i] = 1
    }
  }
  return { plane, valid }
}

/** What is between pixels asks for two on either side. */
const edge_px = 2

/** With so many more pixels on each side, like those at the edge. */
function edged({ values, width_px, height_px }: Plane): Plane {
  const larger = planeOf(width_px + 2 * edge_px, height_px + 2 * edge_px)
  for (let y = 0, to = 0; y < larger.height_px; y += 1, to += larger.width_px) {
    const from = width_px * Math.max(0, Math.min(height_px - 1, y - edge_px))
    larger.values.set(values.subarray(from, from + width_px), to + edge_px)
    larger.values.fill(values[from] as number, to, to + edge_px)
    const end = to + larger.width_px
    larger.values.fill(values[from + width_px - 1] as number, end - edge_px, end)
  }
  return larger
}

/** @param u  from the first pixel's middle, as `v`: both at least 1. */
function cubicAt(values: Float32Array, stride_px: number, u: number, v: number): number {
  const column = u | 0
  const row = v | 0
  const s = u - column
  const t = v - row
  const at = row * stride_px + column
  const a = ((-0.5 * s + 1) * s - 0.5) * s
  const b = (1.5 * s - 2.5) * s * s + 1
  const c = ((-1.5 * s + 2) * s + 0.5) * s
  const d = (0.5 * s - 0.5) * s * s
  return (
    ((-0.5 * t + 1) * t - 0.5) * t * four(values, at - stride_px, a, b, c, d) +
    ((1.5 * t - 2.5) * t * t + 1) * four(values, at, a, b, c, d) +
    ((-1.5 * t + 2) * t + 0.5) * t * four(values, at + stride_px, a, b, c, d) +
    (0.5 * t - 0.5) * t * t * four(values, at + 2 * stride_px, a, b, c, d)
  )
}

// Every pixel asks four times: an object for the weights would be made as often.
// eslint-disable-next-line max-params
function four(values: Float32Array, at: number, a: number, b: number, c: number, d: number): number {
  return (
    a * (values[at - 1] as number) +
    b * (values[at] as number) +
    c * (values[at + 1] as number) +
    d * (values[at + 2] as number)
  )
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
  /** What it makes of a pixel whose 5 × 5 are all 0, but for the powers of the middle one. */
  readonly constant: number
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
  if (weights === null) return null
  const sum = weights.subarray(0, taps).reduce((all, each) => all + each, 0)
  return { weights, constant: 64 * (weights[taps + 2] as number) + 128 * (1 - sum) }
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

/** What the filter makes of a pixel. Costs about 15 ns. */
function valueOf({ values, width_px }: Plane, i: number, { weights, constant }: Filter): number {
  let sum = constant
  for (let n = 0, at = i - reach * width_px; n < taps; n += 5, at += width_px)
    sum +=
      (weights[n] as number) * (values[at - 2] as number) +
      (weights[n + 1] as number) * (values[at - 1] as number) +
      (weights[n + 2] as number) * (values[at] as number) +
      (weights[n + 3] as number) * (values[at + 1] as number) +
      (weights[n + 4] as number) * (values[at + 2] as number)
  const middle = ((values[i] as number) - 128) / 64
  return sum + 64 * middle * middle * ((weights[taps] as number) + middle * (weights[taps + 1] as number))
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
