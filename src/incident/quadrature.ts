import { assert } from "../fault.ts"

/** Places in 0..1 and their weights: a sum that is the integral of any polynomial of a degree below twice their number. */
export interface Quadrature {
  readonly at: readonly number[]
  readonly weights: readonly number[]
}

/** Gauss's quadrature with Legendre's polynomials, whose roots Newton's steps find. Source: Abramowitz and Stegun 25.4.29. */
export function legendre(points: number): Quadrature {
  const roots = Array.from({ length: points }, (_, i) => rootNear(points, i))
  return {
    at: roots.map(({ root }) => (root + 1) / 2),
    weights: roots.map(({ root, slope }) => 1 / ((1 - root * root) * slope * slope)),
  }
}

function rootNear(points: number, i: number): { root: number; slope: number } {
  let root = Math.cos((Math.PI * (i + 0.75)) / (points + 0.5))
  for (let step = 0; step < 50; step += 1) {
    let [value, before] = [1, 0]
    for (let n = 1; n <= points; n += 1)
      [value, before] = [((2 * n - 1) * root * value - (n - 1) * before) / n, value]
    const slope = (points * (root * value - before)) / (root * root - 1)
    const move = value / slope
    root -= move
    if (Math.abs(move) < 1e-15) return { root, slope }
  }
  assert(false, "Newton's steps find the roots of Legendre's polynomials")
}
