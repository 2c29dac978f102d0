import { planeOf, type Plane } from "./plane.ts"

/** The steps by which a JPEG file rounds its luma: 64 numbers, row by row (frequency down · 8 + frequency along). */
export type Steps = Uint16Array

/** In which order a JPEG file writes its 64 steps. Source: ITU-T T.81, figure A.6. */
const zigzag = (() => {
  const order: number[] = []
  for (let sum = 0; sum < 15; sum += 1)
    for (let n = 0; n <= sum; n += 1) {
      const [row, column] = sum % 2 === 1 ? [n, sum - n] : [sum - n, n]
      if (row < 8 && column < 8) order.push(8 * row + column)
    }
  return order
})()

/**
 * The steps of a JPEG file's luma, or `null` for what is no such file or has tables that we do not read.
 * Source: ITU-T T.81, B.2.2 and B.2.4.1.
 */
export function stepsOf(file: Uint8Array): Steps | null {
  if (file[0] !== 0xff || file[1] !== 0xd8) return null
  const view = new DataView(file.buffer, file.byteOffset, file.length)
  const tables = new Map<number, Steps>()
  let luma: number | null = null
  for (let at = 2; at + 4 <= file.length && file[at] === 0xff;) {
    const marker = file[at + 1] as number
    if (marker === 0xda) break
    const end = at + 2 + view.getUint16(at + 2)
    if (end > file.length) return null
    if (marker === 0xdb) readTables(view, { from: at + 4, end, tables })
    if (marker >= 0xc0 && marker <= 0xc2 && end - at >= 13) luma = file[at + 12] as number
    at = end
  }
  return luma === null ? null : (tables.get(luma) ?? null)
}

interface Segment {
  readonly from: number
  readonly end: number
  readonly tables: Map<number, Steps>
}

function readTables(view: DataView, { from, end, tables }: Segment): void {
  for (let at = from; at < end;) {
    const head = view.getUint8(at)
    const wide = head >> 4
    if (at + 1 + 64 * (1 + wide) > end) return
    const steps = new Uint16Array(64)
    for (let n = 0; n < 64; n += 1)
      steps[zigzag[n] as number] = wide === 1 ? view.getUint16(at + 1 + 2 * n) : view.getUint8(at + 1 + n)
    tables.set(head & 15, steps)
    at += 1 + 64 * (1 + wide)
  }
}

const cosines = Float32Array.from({ length: 64 }, (_, i) => {
  const [frequency, place] = [i >> 3, i & 7]
  return (frequency === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * place + 1) * frequency * Math.PI) / 16)
})

/** Of the DCT-II of an 8 × 8 block, orthonormal, the first `count` frequencies along and down; in place, 0 for the others. */
function transform(block: Float32Array, scratch: Float32Array, count: number): void {
  for (let y = 0; y < 8; y += 1)
    for (let k = 0; k < count; k += 1) {
      let sum = 0
      for (let x = 0; x < 8; x += 1) sum += (block[8 * y + x] as number) * (cosines[8 * k + x] as number)
      scratch[8 * y + k] = sum
    }
  block.fill(0)
  for (let k = 0; k < count; k += 1)
    for (let l = 0; l < count; l += 1) {
      let sum = 0
      for (let y = 0; y < 8; y += 1) sum += (scratch[8 * y + k] as number) * (cosines[8 * l + y] as number)
      block[8 * l + k] = sum
    }
}

/** The block again, in place, of whose frequencies only the first `count` along and down are not 0. */
function transformBack(block: Float32Array, scratch: Float32Array, count: number): void {
  for (let l = 0; l < count; l += 1)
    for (let x = 0; x < 8; x += 1) {
      let sum = 0
      for (let k = 0; k < count; k += 1) sum += (block[8 * l + k] as number) * (cosines[8 * k + x] as number)
      scratch[8 * l + x] = sum
    }
  for (let y = 0; y < 8; y += 1)
    for (let x = 0; x < 8; x += 1) {
      let sum = 0
      for (let l = 0; l < count; l += 1)
        sum += (scratch[8 * l + x] as number) * (cosines[8 * l + y] as number)
      block[8 * y + x] = sum
    }
}

/** Blocks are sorted by how much of what is in them was not expected, into so many classes of noise. */
const classes = 3

/**
 * What a JPEG leak says, seen through its rounding: for each coefficient the mean, given the cell that it was rounded to, of
 * how far the unrounded one lay from what was expected, by its variance: the derivative of the cell's log-likelihood. As a
 * field over the leak; 0 where a block is not wholly `valid`.
 * @param leak  the luma as decoded, unscaled, so that its blocks lie where the file has them.
 * @param highest  frequencies beyond this, of 0 to 7, are left out: no mark is there.
 * Costs about 200 ns a pixel with all frequencies.
 */
export function throughQuantiser(
  leak: Plane,
  expected: { readonly expected: Plane; readonly valid: Plane },
  steps: Steps,
  highest: number,
): Plane {
  const places = wholeBlocks(expected.valid)
  const count = places.length
  const [seen, foreseen] = [new Float32Array(count * 64), new Float32Array(count * 64)]
  const scratch = new Float32Array(64)
  const activity = new Float32Array(count)
  places.forEach((at, n) => {
    const [a, b] = [seen.subarray(64 * n, 64 * n + 64), foreseen.subarray(64 * n, 64 * n + 64)]
    readBlock(leak, at, a)
    readBlock(expected.expected, at, b)
    activity[n] = squaresBetween(a, b)
    transform(a, scratch, highest + 1)
    transform(b, scratch, highest + 1)
  })
  const classOf = classesOf(activity)
  const scores = new Float32Array(count * 64)
  for (let frequency = 0; frequency < 64; frequency += 1) {
    if ((frequency & 7) > highest || frequency >> 3 > highest) continue
    for (let which = 0; which < classes; which += 1)
      scoreClass({ seen, foreseen, scores, classOf, which, frequency, step: steps[frequency] as number })
  }
  const field = planeOf(leak.width_px, leak.height_px)
  places.forEach((at, n) => {
    const block = scores.subarray(64 * n, 64 * n + 64)
    transformBack(block, scratch, highest + 1)
    for (let y = 0; y < 8; y += 1) field.values.set(block.subarray(8 * y, 8 * y + 8), at + y * leak.width_px)
  })
  return field
}

/** Where the blocks of the file start that are valid to the last pixel. */
function wholeBlocks({ values, width_px, height_px }: Plane): number[] {
  const places: number[] = []
  for (let y = 0; y + 8 <= height_px; y += 8)
    for (let x = 0; x + 8 <= width_px; x += 8) {
      let isWhole = true
      for (let j = 0; j < 8 && isWhole; j += 1)
        for (let i = 0; i < 8 && isWhole; i += 1) isWhole = values[(y + j) * width_px + x + i] === 1
      if (isWhole) places.push(y * width_px + x)
    }
  return places
}

function readBlock({ values, width_px }: Plane, at: number, block: Float32Array): void {
  for (let y = 0; y < 8; y += 1)
    for (let x = 0; x < 8; x += 1) block[8 * y + x] = (values[at + y * width_px + x] as number) - 128
}

function squaresBetween(one: Float32Array, other: Float32Array): number {
  let sum = 0
  for (let i = 0; i < one.length; i += 1) sum += ((one[i] as number) - (other[i] as number)) ** 2
  return sum
}

function classesOf(activity: Float32Array): Uint8Array {
  const sorted = [...activity].sort((a, b) => a - b)
  const bounds = Array.from(
    { length: classes - 1 },
    (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / classes)] ?? 0,
  )
  return Uint8Array.from(activity, value => bounds.filter(bound => value >= bound).length)
}

interface Class {
  readonly seen: Float32Array
  readonly foreseen: Float32Array
  readonly scores: Float32Array
  readonly classOf: Uint8Array
  readonly which: number
  readonly frequency: number
  readonly step: number
}

/** The variance that explains a class best, by expectation and maximisation; then the scores under it. */
function scoreClass({ seen, foreseen, scores, classOf, which, frequency, step }: Class): void {
  const members: number[] = []
  for (let n = 0; n < classOf.length; n += 1) if (classOf[n] === which) members.push(64 * n + frequency)
  if (members.length < 8) return
  const sparse = members.filter((_, n) => n % Math.max(1, Math.floor(members.length / 800)) === 0)
  const cell = (at: number): readonly [number, number] => {
    const low = Math.round((seen[at] as number) / step) * step - step / 2 - (foreseen[at] as number)
    return [low, low + step]
  }
  let variance = sparse.reduce((sum, at) => sum + ((seen[at] as number) - (foreseen[at] as number)) ** 2, 0)
  variance = variance / sparse.length + 0.05
  for (let round = 0; round < 6; round += 1) {
    let sum = 0
    for (const at of sparse) sum += momentsOf(...cell(at), Math.sqrt(variance))[1]
    variance = sum / sparse.length + 0.02
  }
  const sigma = Math.sqrt(variance)
  for (const at of members) {
    const [mean] = momentsOf(...cell(at), sigma)
    scores[at] = Math.max(-clip, Math.min(clip, mean / sigma)) / sigma
  }
}

const clip = 2.5

/** Mean and mean square of a normal deviate of mean 0 and this deviation, given that it lies in [low, high]. */
function momentsOf(low: number, high: number, sigma: number): readonly [mean: number, square: number] {
  const [a, b] = [low / sigma, high / sigma]
  const mass = normalBetween(a, b)
  if (mass < 1e-9) {
    const nearest = Math.abs(low) < Math.abs(high) ? low : high
    return [nearest, nearest * nearest]
  }
  const [fa, fb] = [density(a), density(b)]
  return [(sigma * (fa - fb)) / mass, sigma * sigma * (1 + (a * fa - b * fb) / mass)]
}

function density(x: number): number {
  return 0.398_942_280_401_432_7 * Math.exp(-0.5 * x * x)
}

/** Φ(b) − Φ(a), from whichever tail is smaller. */
function normalBetween(a: number, b: number): number {
  return a > 0 ? upper(a) - upper(b) : b < 0 ? upper(-b) - upper(-a) : 1 - upper(b) - upper(-a)
}

/** 1 − Φ(x) for x ≥ 0, within 8e-8. Source: Abramowitz and Stegun 1964, 26.2.17. */
function upper(x: number): number {
  const t = 1 / (1 + 0.231_641_9 * x)
  const series =
    t *
    (0.319_381_530 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))))
  return density(x) * series
}
