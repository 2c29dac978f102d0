import { solved, warpedX, warpedY, type Warp } from "./warp.ts"

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
}

/** Of the leak's longer side: how far from where a guess puts it a corner may lie. */
const tolerance = 0.02

/** No copy is enlarged or reduced beyond this on its way. */
const mostScale = 12

/**
 * The guess that most matches agree with, or `null`: each match by itself tells shift, turn and scale; those that agree
 * with the best of them tell a full affine map, twice. Costs about 3 ns for each pair of matches.
 */
export function startOf(matches: readonly Match[], leakSide_px: number): Start | null {
  const reach = Math.max(3, tolerance * leakSide_px)
  let best: Start | null = null
  for (const match of matches) {
    const warp = similarityOf(match)
    const scale = Math.hypot(warp[0], warp[1])
    if (!(scale > 1 / mostScale && scale < mostScale)) continue
    const agreeing = agreeingWith(warp, matches, reach * scale).length
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
  return best
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
