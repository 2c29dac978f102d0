/**
 * A map of the plane: x' = (a x + b y + c) / (g x + h y + 1), y' = (d x + e y + f) / (g x + h y + 1). Coordinates are those of
 * pixels' edges, from the upper left corner of the picture: the first pixel's middle is at ½, ½.
 */
export type Warp = readonly [
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
  g: number,
  h: number,
]

export const identity: Warp = [1, 0, 0, 0, 1, 0, 0, 0]

// Every pixel asks: by index, since taking an array apart costs more than the map does.

export function warpedX(warp: Warp, x: number, y: number): number {
  return (warp[0] * x + warp[1] * y + warp[2]) / (warp[6] * x + warp[7] * y + 1)
}

export function warpedY(warp: Warp, x: number, y: number): number {
  return (warp[3] * x + warp[4] * y + warp[5]) / (warp[6] * x + warp[7] * y + 1)
}

type Matrix = readonly number[]

function matrixOf(warp: Warp): Matrix {
  return [...warp, 1]
}

function warpOf(m: Matrix): Warp {
  const scale = 1 / (m[8] as number)
  return m.slice(0, 8).map(each => each * scale) as unknown as Warp
}

/** First `inner`, then `outer`. */
export function composed(outer: Warp, inner: Warp): Warp {
  const [m, n] = [matrixOf(outer), matrixOf(inner)]
  return warpOf(
    Array.from({ length: 9 }, (_, i) => {
      const [row, column] = [3 * Math.floor(i / 3), i % 3]
      return [0, 1, 2].reduce((sum, k) => sum + (m[row + k] as number) * (n[3 * k + column] as number), 0)
    }),
  )
}

/** The way back, or `null` where there is none. */
export function inverted(warp: Warp): Warp | null {
  const [a, b, c, d, e, f, g, h, i] = matrixOf(warp) as [
    ...[number, number, number],
    ...[number, number, number],
    ...[number, number, number],
  ]
  const adjugate = [
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  ]
  const last = adjugate[8] as number
  return Math.abs(last) < 1e-12 ? null : warpOf(adjugate)
}

/** Larger by `x` and `y`. */
export function scaling(x: number, y: number): Warp {
  return [x, 0, 0, 0, y, 0, 0, 0]
}

/** Further by `x` and `y` pixels. */
export function shifting(x: number, y: number): Warp {
  return [1, 0, x, 0, 1, y, 0, 0]
}

/** How many pixels of the target one pixel of the source is, as a length, at a place. */
export function scaleAt(warp: Warp, x: number, y: number): number {
  const [x0, y0] = [warpedX(warp, x, y), warpedY(warp, x, y)]
  const [x1, y1] = [warpedX(warp, x + 1, y) - x0, warpedY(warp, x + 1, y) - y0]
  const [x2, y2] = [warpedX(warp, x, y + 1) - x0, warpedY(warp, x, y + 1) - y0]
  return Math.sqrt(Math.abs(x1 * y2 - x2 * y1))
}

/** The solution of `matrix` · x = `right`, row by row, symmetric and positive; `null` where it has none. Cholesky. */
export function solved(matrix: Float64Array, right: Float64Array): Float64Array | null {
  const n = right.length
  const lower = new Float64Array(n * n)
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      let sum = matrix[i * n + j] as number
      for (let k = 0; k < j; k += 1) sum -= (lower[i * n + k] as number) * (lower[j * n + k] as number)
      if (i === j) {
        if (!(sum > 0)) return null
        lower[i * n + i] = Math.sqrt(sum)
      } else lower[i * n + j] = sum / (lower[j * n + j] as number)
    }
  }
  const x = new Float64Array(right)
  for (let i = 0; i < n; i += 1) {
    for (let k = 0; k < i; k += 1) x[i] = (x[i] as number) - (lower[i * n + k] as number) * (x[k] as number)
    x[i] = (x[i] as number) / (lower[i * n + i] as number)
  }
  for (let i = n - 1; i >= 0; i -= 1) {
    for (let k = i + 1; k < n; k += 1)
      x[i] = (x[i] as number) - (lower[k * n + i] as number) * (x[k] as number)
    x[i] = (x[i] as number) / (lower[i * n + i] as number)
  }
  return x
}
