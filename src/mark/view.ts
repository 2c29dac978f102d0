import type { Area } from "./lapped.ts"
import { boxSums, lumaOf, planeOf, scaled, type Plane, type Rgb } from "./plane.ts"

/** A leaked picture as it is compared: its luma, and which of its pixels show something. */
export interface View {
  readonly luma: Plane
  /** 1 where a pixel shows something, 0 where it is solid as redaction leaves it. */
  readonly valid: Plane
}

/** What redaction paints, and how far the three channels together may be from it where a codec passed over it. */
const solid = { grey: 128, tolerance: 36 } as const

/** A pixel is solid where most of the 9 × 9 around it are: grey paint on a vehicle has a grain. */
const solidShare = 0.8

/** A leak's commonest tone is solid's where it covers this share, and is neither nearly black, as nights are, nor blown out. */
const painted = { share: 0.5, darkest: 24, lightest: 232 } as const

/**
 * Smoothed, solid is nowhere farther from its tone, in grey levels; and its standard deviation is at most that, more than noise
 * of σ 20 leaves: what spreads further lies in uneven light.
 */
const [mostOff, mostSpread] = [8, 3]

/** Nor does what lies around any of its pixels vary so many times as much as is usual there: else it is a picture of that tone. */
const mostGrain = 2

/** Costs about 55 ns a pixel, and 15 more where a tone is hidden. */
export function viewOf(leak: Rgb): View {
  const { rgb, width_px, height_px } = leak
  const near = planeOf(width_px, height_px)
  for (let i = 0, at = 0; i < near.values.length; i += 1, at += 3) {
    const off =
      Math.abs((rgb[at] as number) - solid.grey) +
      Math.abs((rgb[at + 1] as number) - solid.grey) +
      Math.abs((rgb[at + 2] as number) - solid.grey)
    near.values[i] = off <= solid.tolerance ? 1 : 0
  }
  const sums = boxSums(near, 4)
  const all = boxSums({ ...near, values: new Float32Array(near.values.length).fill(1) }, 4)
  const valid = planeOf(width_px, height_px)
  for (let i = 0; i < valid.values.length; i += 1) {
    const isSolid = (sums.values[i] as number) > solidShare * (all.values[i] as number)
    valid.values[i] = isSolid && near.values[i] === 1 ? 0 : 1
  }
  const luma = lumaOf(leak)
  hideTone(luma, all, valid)
  return { luma, valid }
}

/** Hides solid whose tone was changed, or which noise lies over: the tone that most of a leak has once it is smoothed. */
function hideTone(luma: Plane, counts: Plane, valid: Plane): void {
  const means = smoothed(luma, counts)
  const found = toneOf(means)
  if (found === null) return
  const { tone, reach } = found
  const squares = smoothed({ ...luma, values: luma.values.map(value => value * value) }, counts)
  const isOfTone = (i: number) => Math.abs((means[i] as number) - tone) <= reach
  const varianceAt = (i: number) => Math.max(0, (squares[i] as number) - (means[i] as number) ** 2)
  let [logs, count] = [0, 0]
  for (let i = 0; i < means.length; i += 1) {
    if (!isOfTone(i)) continue
    logs += Math.log1p(varianceAt(i))
    count += 1
  }
  const most = mostGrain * Math.exp(logs / count)
  for (let i = 0; i < means.length; i += 1) if (isOfTone(i) && varianceAt(i) <= most) valid.values[i] = 0
}

/** The mean of the 9 × 9 around each pixel. */
function smoothed(plane: Plane, counts: Plane): Float32Array {
  const sums = boxSums(plane, 4).values
  for (let i = 0; i < sums.length; i += 1) sums[i] = (sums[i] as number) / (counts.values[i] as number)
  return sums
}

/** The tone of most of a leak, and how far from it its pixels may be, smoothed. `null` where it has none. */
function toneOf(means: Float32Array): { tone: number; reach: number } | null {
  const bins = new Uint32Array(256)
  for (const mean of means) bins[Math.round(mean)] = (bins[Math.round(mean)] as number) + 1
  const tone = bins.indexOf(Math.max(...bins))
  if (tone < painted.darkest || tone > painted.lightest) return null
  let [count, squares] = [0, 0]
  for (let off = -mostOff; off <= mostOff; off += 1) {
    count += bins[tone + off] as number
    squares += (bins[tone + off] as number) * off * off
  }
  const spread = Math.sqrt(squares / count)
  if (count < painted.share * means.length || spread > mostSpread) return null
  return { tone, reach: Math.min(mostOff, 2 + 3 * spread) }
}

/** A JPEG's blocks stay whole. */
const block_px = 8

/** Rows and columns in which a smaller share counts are specks. */
const specks = 0.01

/** The box around the pixels that count, grown to whole blocks of a JPEG; all of it where none count. */
export function shownBox({ values, width_px, height_px }: Plane): Area {
  const [columns, rows] = [new Uint32Array(width_px), new Uint32Array(height_px)]
  for (let y = 0, i = 0; y < height_px; y += 1)
    for (let x = 0; x < width_px; x += 1, i += 1) {
      columns[x] = (columns[x] as number) + (values[i] as number)
      rows[y] = (rows[y] as number) + (values[i] as number)
    }
  const [left, right] = spanOf(columns, specks * height_px)
  const [top, bottom] = spanOf(rows, specks * width_px)
  return { left, top, right, bottom }
}

function spanOf(counts: Uint32Array, enough: number): [first: number, end: number] {
  const first = counts.findIndex(count => count > enough)
  if (first < 0) return [0, counts.length]
  const last = counts.findLastIndex(count => count > enough)
  return [
    block_px * Math.floor(first / block_px),
    Math.min(counts.length, block_px * Math.ceil((last + 1) / block_px)),
  ]
}

/** A smaller pixel counts where so much of what it is made of does. */
const leastCounted = 0.95

const smaller = new WeakMap<View, Map<number, View>>()

/** A view at `factor` times its size; itself from 1 on. Made once for each size, as long as the view is held. */
export function viewAt(view: View, factor: number): View {
  if (factor >= 1) return view
  const known = smaller.get(view) ?? new Map<number, View>()
  smaller.set(view, known)
  const held = known.get(factor)
  if (held !== undefined) return held
  const valid = scaled(view.valid, factor)
  const counted = valid.values.map(share => (share > leastCounted ? 1 : 0))
  const made = { luma: scaled(view.luma, factor), valid: { ...valid, values: counted } }
  known.set(factor, made)
  return made
}

/** The part of a view in a box. */
export function cutTo({ luma, valid }: View, box: Area): View {
  return { luma: partOf(luma, box), valid: partOf(valid, box) }
}

/** The part of a plane in a box. */
export function partOf({ values, width_px }: Plane, { left, top, right, bottom }: Area): Plane {
  const part = planeOf(right - left, bottom - top)
  for (let y = top; y < bottom; y += 1)
    part.values.set(values.subarray(y * width_px + left, y * width_px + right), (y - top) * part.width_px)
  return part
}

/** Around each pixel how many others count, by which `normalised` goes. */
export interface Surroundings {
  /** 1 for the pixels that count, else 0. */
  readonly valid: Plane
  readonly counts: Plane
  /** In pixels. */
  readonly radius: number
}

export function surroundings(valid: Plane, radius: number): Surroundings {
  return { valid, counts: boxSums(valid, radius), radius }
}

/**
 * Brings what lies around each pixel to mean 0 and variance 1, so that light and contrast count for nothing; 0 where a
 * pixel does not count. Costs about 9 ns a pixel.
 */
export function normalised({ values, width_px, height_px }: Plane, around: Surroundings): Plane {
  const { radius, counts } = around
  const { values: valid } = around.valid
  const result = planeOf(width_px, height_px)
  // Of each column what lies within the radius above and below; zeros to either side, so that no pixel asks where the plane ends.
  const first = radius + 1
  const sums = new Float64Array(first + width_px + radius)
  const squares = new Float64Array(first + width_px + radius)
  for (let y = 0, at = 0; y < Math.min(radius, height_px); y += 1)
    for (let x = first; x < first + width_px; x += 1, at += 1) {
      const value = (values[at] as number) * (valid[at] as number)
      sums[x] = (sums[x] as number) + value
      squares[x] = (squares[x] as number) + value * value
    }
  for (let y = 0, i = 0; y < height_px; y += 1) {
    // A row enters, and one leaves; beyond the plane each is nothing.
    const isEntering = y + radius < height_px ? 1 : 0
    const isLeaving = y >= first ? 1 : 0
    const enters = isEntering * (y + radius) * width_px - first
    const leaves = isLeaving * (y - first) * width_px - first
    for (let x = first; x < first + width_px; x += 1) {
      const one = isEntering * (values[enters + x] as number) * (valid[enters + x] as number)
      const other = isLeaving * (values[leaves + x] as number) * (valid[leaves + x] as number)
      sums[x] = (sums[x] as number) + (one - other)
      squares[x] = (squares[x] as number) + (one * one - other * other)
    }
    let sum = 0
    let sumOfSquares = 0
    for (let x = 0; x < first + radius; x += 1) {
      sum += sums[x] as number
      sumOfSquares += squares[x] as number
    }
    for (let x = 0, right = first + radius; x < width_px; x += 1, right += 1, i += 1) {
      sum += (sums[right] as number) - (sums[x] as number)
      sumOfSquares += (squares[right] as number) - (squares[x] as number)
      if (valid[i] === 0) continue
      const share = 1 / Math.max(1, counts.values[i] as number)
      const mean = sum * share
      const variance = Math.max(0, sumOfSquares * share - mean * mean)
      result.values[i] = ((values[i] as number) - mean) / Math.sqrt(variance + floor)
    }
  }
  return result
}

/** Grey levels squared: what is flatter than this is noise. */
const floor = 9
