import type { Region, Vector } from "./region.ts"

/** For each pixel how likely it is inside a line of text; row by row. */
export interface TextMap {
  readonly odds: Float32Array
  readonly width_px: number
  readonly height_px: number
}

/** A line of text where the detector sees one. */
export interface FoundText {
  readonly region: Region
  /** Mean odds inside its box, 0 to 1. */
  readonly score: number
}

/** As PP-OCR's own settings, but for the score: a plate that is hardly seen can still be read. */
const limits = { pixel: 0.3, box: 0.5, unclip: 1.6, least_px: 3, most: 200 } as const

/**
 * The lines of text of a map: the connected parts above the threshold, each in its smallest rectangle, grown again by
 * what training shrank it (area × ratio ÷ perimeter).
 * Source: Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020, §3.5.
 */
export function textsOf(map: TextMap): FoundText[] {
  return componentsOf(map)
    .flatMap(outline => {
      const tight = smallestRectangle(hullOf(outline))
      if (tight === null) return []
      const [width, height] = [Math.hypot(...tight.along), Math.hypot(...tight.down)]
      if (Math.min(width, height) < limits.least_px) return []
      const score = meanInside(map, tight)
      if (score < limits.box) return []
      const grows = (limits.unclip * width * height) / (width + height)
      return [{ region: grown(tight, grows / width, grows / height), score }]
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, limits.most)
}

function grown(region: Region, wider: number, higher: number): Region {
  const { along, down } = region
  return {
    ...region,
    along: [along[0] * (1 + wider), along[1] * (1 + wider)],
    down: [down[0] * (1 + higher), down[1] * (1 + higher)],
  }
}

/** Of each part that hangs together, the first and last pixel of every row as corners of its outline. */
function componentsOf({ odds, width_px, height_px }: TextMap): Vector[][] {
  const isSeen = new Uint8Array(odds.length)
  const outlines: Vector[][] = []
  const stack: number[] = []
  for (let start = 0; start < odds.length; start += 1) {
    if (isSeen[start] === 1 || (odds[start] ?? 0) <= limits.pixel) continue
    const rows = new Map<number, [first: number, last: number]>()
    isSeen[start] = 1
    stack.push(start)
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const [x, y] = [at % width_px, Math.floor(at / width_px)]
      const row = rows.get(y)
      if (row === undefined) rows.set(y, [x, x])
      else rows.set(y, [Math.min(row[0], x), Math.max(row[1], x)])
      for (let ny = Math.max(0, y - 1); ny <= Math.min(height_px - 1, y + 1); ny += 1) {
        for (let nx = Math.max(0, x - 1); nx <= Math.min(width_px - 1, x + 1); nx += 1) {
          const next = ny * width_px + nx
          if (isSeen[next] === 1 || (odds[next] ?? 0) <= limits.pixel) continue
          isSeen[next] = 1
          stack.push(next)
        }
      }
    }
    outlines.push(edgesOf(rows))
  }
  return outlines
}

function edgesOf(rows: ReadonlyMap<number, readonly [number, number]>): Vector[] {
  return [...rows].flatMap(([y, [first, last]]): Vector[] => [
    [first, y],
    [last + 1, y],
    [first, y + 1],
    [last + 1, y + 1],
  ])
}

/** The convex hull, counter-clockwise. Source: Andrew 1979, the monotone chain; n log n. */
export function hullOf(points: readonly Vector[]): Vector[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1])
  const half = (ordered: readonly Vector[]) => {
    const chain: Vector[] = []
    for (const point of ordered) {
      while (chain.length >= 2 && turn(chain.at(-2), chain.at(-1), point) <= 0) chain.pop()
      chain.push(point)
    }
    return chain.slice(0, -1)
  }
  return [...half(sorted), ...half(sorted.reverse())]
}

function turn(a: Vector = [0, 0], b: Vector = [0, 0], c: Vector): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

/**
 * The rectangle of least area around a convex hull, one side of which lies on a side of the hull; its `along` is the
 * side nearer to the horizontal. `null` for fewer than three corners.
 * Source: Freeman and Shapira 1975. Quadratic in the corners, of which a hull of pixels has few.
 */
export function smallestRectangle(hull: readonly Vector[]): Region | null {
  if (hull.length < 3) return null
  let best: Region | null = null
  let least = Infinity
  for (const [i, from] of hull.entries()) {
    const to = hull[(i + 1) % hull.length] ?? from
    const length = Math.hypot(to[0] - from[0], to[1] - from[1])
    if (length === 0) continue
    const region = rectangleAlong(hull, [(to[0] - from[0]) / length, (to[1] - from[1]) / length])
    const area = Math.hypot(...region.along) * Math.hypot(...region.down)
    if (area < least) [best, least] = [region, area]
  }
  return best
}

function rectangleAlong(hull: readonly Vector[], direction: Vector): Region {
  const [dx, dy] = upright(direction)
  const us = hull.map(([x, y]) => x * dx + y * dy)
  const vs = hull.map(([x, y]) => y * dx - x * dy)
  const [left, right] = [Math.min(...us), Math.max(...us)]
  const [top, bottom] = [Math.min(...vs), Math.max(...vs)]
  const [u, v] = [(left + right) / 2, (top + bottom) / 2]
  return {
    x_px: u * dx - v * dy,
    y_px: u * dy + v * dx,
    along: [(right - left) * dx, (right - left) * dy],
    down: [-(bottom - top) * dy, (bottom - top) * dx],
  }
}

/** The direction, or the one across it, that is within 45° of rightward. */
function upright([dx, dy]: Vector): Vector {
  if (Math.abs(dx) >= Math.abs(dy)) return dx >= 0 ? [dx, dy] : [-dx, -dy]
  return dy >= 0 ? [dy, -dx] : [-dy, dx]
}

function meanInside({ odds, width_px, height_px }: TextMap, { x_px, y_px, along, down }: Region): number {
  const [halfX, halfY] = [
    (Math.abs(along[0]) + Math.abs(down[0])) / 2,
    (Math.abs(along[1]) + Math.abs(down[1])) / 2,
  ]
  const [width, height] = [along[0] ** 2 + along[1] ** 2, down[0] ** 2 + down[1] ** 2]
  let [sum, count] = [0, 0]
  for (let y = Math.max(0, Math.floor(y_px - halfY)); y < Math.min(height_px, y_px + halfY); y += 1) {
    for (let x = Math.max(0, Math.floor(x_px - halfX)); x < Math.min(width_px, x_px + halfX); x += 1) {
      const [rx, ry] = [x + 0.5 - x_px, y + 0.5 - y_px]
      const isInside =
        Math.abs(rx * along[0] + ry * along[1]) * 2 <= width &&
        Math.abs(rx * down[0] + ry * down[1]) * 2 <= height
      if (!isInside) continue
      sum += odds[y * width_px + x] ?? 0
      count += 1
    }
  }
  return count === 0 ? 0 : sum / count
}
