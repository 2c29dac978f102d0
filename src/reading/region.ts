import type { Box } from "../picture/level.ts"

/**
 * A parallelogram in a picture, in pixels: a line of text as it lies there. `along` runs from its first to its last
 * character, `down` from the upper to the lower edge of the letters.
 */
export interface Region {
  readonly x_px: number
  readonly y_px: number
  /** From the middle of the left edge to the middle of the right edge; `x_px` and `y_px` are the middle of all. */
  readonly along: Vector
  /** From the upper to the lower edge. */
  readonly down: Vector
}

export type Vector = readonly [x_px: number, y_px: number]

export function widthOf({ along: [x, y] }: Region): number {
  return Math.hypot(x, y)
}

export function heightOf({ down: [x, y] }: Region): number {
  return Math.hypot(x, y)
}

/** The four corners in order: upper left, upper right, lower right, lower left. */
export function cornersOf({ x_px, y_px, along, down }: Region): readonly Vector[] {
  return [
    [-0.5, -0.5],
    [0.5, -0.5],
    [0.5, 0.5],
    [-0.5, 0.5],
  ].map(([u = 0, v = 0]) => [x_px + u * along[0] + v * down[0], y_px + u * along[1] + v * down[1]])
}

/** The same region moved, widened and heightened by shares of its own width and height. */
export interface Change {
  readonly right?: number
  readonly lower?: number
  readonly wider?: number
  readonly higher?: number
  /** How far the upper edge leans to the right, as a share of the height. */
  readonly lean?: number
}

export function changed(region: Region, change: Change): Region {
  const { right = 0, lower = 0, wider = 0, higher = 0, lean = 0 } = change
  const { along, down } = region
  const height = heightOf(region)
  const width = widthOf(region) || 1
  return {
    x_px: region.x_px + right * along[0] + lower * down[0],
    y_px: region.y_px + right * along[1] + lower * down[1],
    along: [along[0] * (1 + wider), along[1] * (1 + wider)],
    down: [
      down[0] * (1 + higher) - (lean * height * along[0]) / width,
      down[1] * (1 + higher) - (lean * height * along[1]) / width,
    ],
  }
}

/** The smallest upright box around a region, in whole pixels, clipped to the picture; `null` when it lies outside. */
export function boxAround(
  region: Region,
  { width_px, height_px }: { readonly width_px: number; readonly height_px: number },
): Box | null {
  const corners = cornersOf(region)
  const xs = corners.map(([x]) => x)
  const ys = corners.map(([, y]) => y)
  const left = Math.max(0, Math.floor(Math.min(...xs)))
  const top = Math.max(0, Math.floor(Math.min(...ys)))
  const right = Math.min(width_px, Math.ceil(Math.max(...xs)))
  const bottom = Math.min(height_px, Math.ceil(Math.max(...ys)))
  if (left >= right || top >= bottom) return null
  return { x_px: left, y_px: top, width_px: right - left, height_px: bottom - top }
}

/** The region of a box that lies straight. */
export function regionOf({ x_px, y_px, width_px, height_px }: Box): Region {
  return {
    x_px: x_px + width_px / 2,
    y_px: y_px + height_px / 2,
    along: [width_px, 0],
    down: [0, height_px],
  }
}

/** A region of a part, in the coordinates of the whole: `part` was shown as `shown` pixels. */
export function placed(
  region: Region,
  part: Region,
  shown: { readonly width_px: number; readonly height_px: number },
): Region {
  const vector = ([x, y]: Vector): Vector => {
    const [u, v] = [x / shown.width_px, y / shown.height_px]
    return [u * part.along[0] + v * part.down[0], u * part.along[1] + v * part.down[1]]
  }
  const [x, y] = vector([region.x_px - shown.width_px / 2, region.y_px - shown.height_px / 2])
  return {
    x_px: part.x_px + x,
    y_px: part.y_px + y,
    along: vector(region.along),
    down: vector(region.down),
  }
}
