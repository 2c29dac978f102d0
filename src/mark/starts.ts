import { composed, inverted, scaleAt, solved, warpedX, warpedY, type Warp } from "./warp.ts"

/** A corner of a leak and the corner of an original that looks like it. Places in pixels, angles in 256ths of a turn. */
export interface Match {
  readonly leak: Corner
  readonly original: Corner
}

export interface Corner {
  readonly x_px: number
  readonly y_px: number
  readonly scale: number
  readonly angle: number
}

/** A guess of how a leak lies on an original, from its corners. */
export interface Start {
  readonly warp: Warp
  /** How many matches agree with it. */
  readonly agreeing: number
  /** The same without perspective, which few corners tell badly. */
  readonly flat: Warp
}

/** Of the leak's longer side: how far from where a guess puts it a corner may lie. */
const tolerance = 0.02

/** No copy is enlarged or reduced beyond this on its way. */
const mostScale = 12

/**
 * The guess that most matches agree with, or `null`: each match by itself tells shift, turn and scale; those that agree
 * with the best of them tell a full affine map, twice. Costs about 3 ns for each of `tried` and each match.
 * @param tried  those of the matches that guesses are made of.
 */
export function startOf(
  matches: readonly Match[],
  leakSide_px: number,
  tried: readonly Match[] = matches,
): Start | null {
  const reach = Math.max(3, tolerance * leakSide_px)
  const places = placesOf(matches)
  let best: Omit<Start, "flat"> | null = null
  for (const match of tried) {
    const warp = similarityOf(match)
    const scale = Math.hypot(warp[0], warp[1])
    if (!(scale > 1 / mostScale && scale < mostScale)) continue
    const agreeing = countWith(warp, places, reach * scale)
    if (best === null || agreeing > best.agreeing) best = { warp, agreeing }
  }
  for (let round = 0; round < 3 && best !== null; round += 1) {
    const scale = Math.sqrt(Math.abs(best.warp[0] * best.warp[4] - best.warp[1] * best.warp[3]))
    const inliers = agreeingWith(best.warp, matches, reach * scale * (round === 0 ? 1.5 : 1))
    const warp = inliers.length >= 8 ? affineOf(inliers) : inliers.length >= 3 ? similarityFit(inliers) : null
    if (warp === null) break
    const agreeing = agreeingWith(warp, matches, reach * scale).length
    if (agreeing < best.agreeing) break
    best = { warp, agreeing }
  }
  return best === null ? null : tilted(best, matches, reach)
}

/** So many matches tell how a photographed screen is tilted. */
const enoughForTilt = 24

/** The guess with perspective, as long as more matches agree with it. */
function tilted(start: Omit<Start, "flat">, matches: readonly Match[], reach: number): Start {
  let best = start
  const scale = scaleAt(start.warp, 0, 0)
  for (let round = 0; round < 4; round += 1) {
    const inliers = agreeingWith(best.warp, matches, reach * scale * 1.5)
    const warp = inliers.length < enoughForTilt ? null : perspectiveOf(inliers)
    if (warp === null || !isSeen(warp, matches, scale)) break
    const agreeing = agreeingWith(warp, matches, reach * scale).length
    if (agreeing <= best.agreeing) break
    best = { warp, agreeing }
  }
  return { ...best, flat: start.warp }
}

/** A screen seen from the side is nowhere more than so many times as near as before. */
const mostTilt = 2

/** Whether perspective takes no corner of the leak behind the camera, or much nearer or farther than without it. */
function isSeen(warp: Warp, matches: readonly Match[], scale: number): boolean {
  return matches.every(({ leak: { x_px, y_px } }) => {
    const depth = warp[6] * x_px + warp[7] * y_px + 1
    const there = scaleAt(warp, x_px, y_px) / scale
    return depth > 0 && there < mostTilt && there > 1 / mostTilt
  })
}

/** From the leak to the original, by one match. */
function similarityOf({ leak, original }: Match): Warp {
  const scale = original.scale / leak.scale
  const angle = ((original.angle - leak.angle) * Math.PI) / 128
  const [a, b] = [scale * Math.cos(angle), scale * Math.sin(angle)]
  return [
    a,
    -b,
    original.x_px - a * leak.x_px + b * leak.y_px,
    b,
    a,
    original.y_px - b * leak.x_px - a * leak.y_px,
    0,
    0,
  ]
}

/** Of each match the leak's x and y and the original's. */
function placesOf(matches: readonly Match[]): Float64Array {
  const places = new Float64Array(4 * matches.length)
  matches.forEach(({ leak, original }, i) =>
    places.set([leak.x_px, leak.y_px, original.x_px, original.y_px], 4 * i),
  )
  return places
}

/** How many agree with a warp without perspective. Each match asks it of all: 2 ns a pair. */
function countWith(warp: Warp, places: Float64Array, reach: number): number {
  const [a, b, c, d, e, f] = warp
  const limit = reach * reach
  let count = 0
  for (let i = 0; i < places.length; i += 4) {
    const x = places[i] as number
    const y = places[i + 1] as number
    const across = a * x + b * y + c - (places[i + 2] as number)
    const down = d * x + e * y + f - (places[i + 3] as number)
    if (across * across + down * down < limit) count += 1
  }
  return count
}

function agreeingWith(warp: Warp, matches: readonly Match[], reach: number): readonly Match[] {
  return matches.filter(({ leak, original }) => {
    const x = warpedX(warp, leak.x_px, leak.y_px) - original.x_px
    const y = warpedY(warp, leak.x_px, leak.y_px) - original.y_px
    return x * x + y * y < reach * reach
  })
}

function affineOf(matches: readonly Match[]): Warp | null {
  const [x, y] = [new Float64Array(3), new Float64Array(3)]
  const matrix = new Float64Array(9)
  for (const { leak, original } of matches) {
    const row = [leak.x_px, leak.y_px, 1]
    row.forEach((value, j) => {
      x[j] = (x[j] as number) + value * original.x_px
      y[j] = (y[j] as number) + value * original.y_px
      row.forEach((other, k) => (matrix[3 * j + k] = (matrix[3 * j + k] as number) + value * other))
    })
  }
  const [across, down] = [solved(matrix, x), solved(matrix, y)]
  return across === null || down === null ? null : ([...across, ...down, 0, 0] as unknown as Warp)
}

/** By least squares, in units in which all places are around 1. */
function perspectiveOf(matches: readonly Match[]): Warp | null {
  const [from, to] = [
    unitsOf(matches.map(({ leak }) => leak)),
    unitsOf(matches.map(({ original }) => original)),
  ]
  const matrix = new Float64Array(64)
  const right = new Float64Array(8)
  const add = (row: readonly number[], value: number) => {
    for (let j = 0; j < 8; j += 1) {
      right[j] = (right[j] as number) + (row[j] as number) * value
      for (let k = 0; k < 8; k += 1)
        matrix[8 * j + k] = (matrix[8 * j + k] as number) + (row[j] as number) * (row[k] as number)
    }
  }
  for (const { leak, original } of matches) {
    const [x, y] = [warpedX(from, leak.x_px, leak.y_px), warpedY(from, leak.x_px, leak.y_px)]
    const [u, v] = [warpedX(to, original.x_px, original.y_px), warpedY(to, original.x_px, original.y_px)]
    add([x, y, 1, 0, 0, 0, -x * u, -y * u], u)
    add([0, 0, 0, x, y, 1, -x * v, -y * v], v)
  }
  const inner = solved(matrix, right)
  const back = inverted(to)
  return inner === null || back === null
    ? null
    : composed(composed(back, [...inner] as unknown as Warp), from)
}

/** To where the corners' middle is 0 and their mean distance from it 1. */
function unitsOf(corners: readonly Corner[]): Warp {
  const mean = (of: (corner: Corner) => number) =>
    corners.reduce((sum, each) => sum + of(each), 0) / corners.length
  const [x, y] = [mean(each => each.x_px), mean(each => each.y_px)]
  const scale =
    1 /
    Math.max(
      1e-6,
      mean(each => Math.hypot(each.x_px - x, each.y_px - y)),
    )
  return [scale, 0, -scale * x, 0, scale, -scale * y, 0, 0]
}

/** Shift, turn and scale by least squares. */
function similarityFit(matches: readonly Match[]): Warp {
  const n = matches.length
  const mean = (of: (match: Match) => number) => matches.reduce((sum, each) => sum + of(each), 0) / n
  const [lx, ly] = [mean(m => m.leak.x_px), mean(m => m.leak.y_px)]
  const [ox, oy] = [mean(m => m.original.x_px), mean(m => m.original.y_px)]
  let [along, across, power] = [0, 0, 0]
  for (const { leak, original } of matches) {
    const [x, y, u, v] = [leak.x_px - lx, leak.y_px - ly, original.x_px - ox, original.y_px - oy]
    along += x * u + y * v
    across += x * v - y * u
    power += x * x + y * y
  }
  const [a, b] = [along / Math.max(1e-9, power), across / Math.max(1e-9, power)]
  return [a, -b, ox - a * lx + b * ly, b, a, oy - b * lx - a * ly, 0, 0]
}
