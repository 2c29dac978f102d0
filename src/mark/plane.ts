import { assert } from "../fault.ts"

/** One channel of a picture, or a field over it, row by row. */
export interface Plane {
  readonly values: Float32Array
  readonly width_px: number
  readonly height_px: number
}

/** Red, green, blue, 8 bits each, row by row. */
export interface Rgb {
  readonly rgb: Uint8Array
  readonly width_px: number
  readonly height_px: number
}

export function planeOf(width_px: number, height_px: number): Plane {
  return { values: new Float32Array(width_px * height_px), width_px, height_px }
}

/** Luma, 0 to 255. Source: ITU-R BT.601. Costs about 3 ns a pixel. */
export function lumaOf({ rgb, width_px, height_px }: Rgb): Plane {
  const plane = planeOf(width_px, height_px)
  const { values } = plane
  for (let i = 0, at = 0; i < values.length; i += 1, at += 3)
    values[i] =
      0.299 * (rgb[at] as number) + 0.587 * (rgb[at + 1] as number) + 0.114 * (rgb[at + 2] as number)
  return plane
}

/** For each pixel of one side: which pixels of the other it is made of, and by how much. */
interface Taps {
  readonly places: Int32Array
  readonly weights: Float32Array
  readonly count: number
}

/** A triangle as wide as the coarser of both grids: linear when enlarging, and no alias when reducing. */
function tapsOf(from: number, to: number): Taps {
  const ratio = from / to
  const reach = Math.max(1, ratio)
  const count = Math.ceil(2 * reach) + 1
  const places = new Int32Array(to * count)
  const weights = new Float32Array(to * count)
  for (let i = 0; i < to; i += 1) {
    const centre = (i + 0.5) * ratio - 0.5
    const start = Math.ceil(centre - reach)
    let sum = 0
    for (let n = 0; n < count; n += 1) {
      const weight = Math.max(0, 1 - Math.abs(start + n - centre) / reach)
      weights[i * count + n] = weight
      places[i * count + n] = Math.min(from - 1, Math.max(0, start + n))
      sum += weight
    }
    for (let n = 0; n < count; n += 1) weights[i * count + n] = (weights[i * count + n] as number) / sum
  }
  return { places, weights, count }
}

/** The plane at another size. Costs about 2 ns for each tap of each pixel. */
export function resized(plane: Plane, width_px: number, height_px: number): Plane {
  assert(width_px >= 1 && height_px >= 1, "a plane has pixels")
  if (width_px === plane.width_px && height_px === plane.height_px) return plane
  const across = tapsOf(plane.width_px, width_px)
  const down = tapsOf(plane.height_px, height_px)
  const half = planeOf(width_px, plane.height_px)
  const { values: from } = plane
  const { values: between } = half
  const { places, weights, count } = across
  for (let y = 0, i = 0; y < plane.height_px; y += 1) {
    const row = y * plane.width_px
    for (let x = 0, w = 0; x < width_px; x += 1, i += 1) {
      let sum = 0
      for (const end = w + count; w < end; w += 1)
        sum += (weights[w] as number) * (from[row + (places[w] as number)] as number)
      between[i] = sum
    }
  }
  const result = planeOf(width_px, height_px)
  const { values: to } = result
  for (let y = 0; y < height_px; y += 1) {
    const row = y * width_px
    for (let n = 0; n < down.count; n += 1) {
      const weight = down.weights[y * down.count + n] as number
      if (weight === 0) continue
      const at = (down.places[y * down.count + n] as number) * width_px
      for (let x = 0; x < width_px; x += 1)
        to[row + x] = (to[row + x] as number) + weight * (between[at + x] as number)
    }
  }
  return result
}

/** The plane at `scale` times its size, at least 1 × 1: by halves as far as they go, each of which is made once. */
export function scaled(plane: Plane, scale: number): Plane {
  const width_px = Math.max(1, Math.round(plane.width_px * scale))
  const height_px = Math.max(1, Math.round(plane.height_px * scale))
  let from = plane
  while (from.width_px >= 2 * width_px && from.height_px >= 2 * height_px) from = halfOf(from)
  return resized(from, width_px, height_px)
}

const halves = new WeakMap<Plane, Plane>()

function halfOf(plane: Plane): Plane {
  const known = halves.get(plane)
  if (known !== undefined) return known
  const half = madeHalf(plane)
  halves.set(plane, half)
  return half
}

function madeHalf(plane: Plane): Plane {
  const { values, width_px, height_px } = plane
  if ((width_px % 2) + (height_px % 2) > 0)
    return resized(plane, Math.ceil(width_px / 2), Math.ceil(height_px / 2))
  const half = planeOf(width_px / 2, height_px / 2)
  for (let y = 0, to = 0, at = 0; y < half.height_px; y += 1, at += width_px)
    for (let x = 0; x < half.width_px; x += 1, to += 1, at += 2)
      half.values[to] =
        ((values[at] as number) +
          (values[at + 1] as number) +
          (values[at + width_px] as number) +
          (values[at + width_px + 1] as number)) /
        4
  return half
}

/** The sums over the (2 · radius + 1)² pixels around each, as far as the plane goes. Costs about 4 ns a pixel. */
export function boxSums({ values, width_px, height_px }: Plane, radius: number): Plane {
  const result = planeOf(width_px, height_px)
  const { values: sums } = result
  // Zeros to either side, so that no pixel asks where the plane ends.
  const first = radius + 1
  const columns = new Float64Array(first + width_px + radius)
  for (let y = 0, at = 0; y < Math.min(radius, height_px); y += 1)
    for (let x = first; x < first + width_px; x += 1, at += 1)
      columns[x] = (columns[x] as number) + (values[at] as number)
  for (let y = 0, to = 0; y < height_px; y += 1) {
    moveDown(columns, first, { values, width_px, height_px }, { enters: y + radius, leaves: y - first })
    let sum = 0
    for (let x = 0; x < first + radius; x += 1) sum += columns[x] as number
    for (let x = 0, right = first + radius; x < width_px; x += 1, to += 1, right += 1) {
      sum += (columns[right] as number) - (columns[x] as number)
      sums[to] = sum
    }
  }
  return result
}

/** Adds a row to the sums of columns, and takes one away, where there are such. */
function moveDown(
  columns: Float64Array,
  first: number,
  { values, width_px, height_px }: Plane,
  rows: { readonly enters: number; readonly leaves: number },
): void {
  const [enters, leaves] = [rows.enters * width_px, rows.leaves * width_px]
  const isEntering = rows.enters < height_px
  if (isEntering && leaves >= 0)
    for (let x = 0, to = first; x < width_px; x += 1, to += 1)
      columns[to] =
        (columns[to] as number) + ((values[enters + x] as number) - (values[leaves + x] as number))
  else if (isEntering)
    for (let x = 0, to = first; x < width_px; x += 1, to += 1)
      columns[to] = (columns[to] as number) + (values[enters + x] as number)
  else if (leaves >= 0)
    for (let x = 0, to = first; x < width_px; x += 1, to += 1)
      columns[to] = (columns[to] as number) - (values[leaves + x] as number)
}
