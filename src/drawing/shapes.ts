/** A corner of an outline: x, y, and the radius that rounds it. Pixels, y downward. */
export type Corner = readonly [x: number, y: number, radius?: number]

/** The path through these corners, each cut by its radius and bridged by a quadratic curve, and closed. */
export function outline(corners: readonly Corner[]): string {
  const steps = corners.map((corner, i) => {
    const before = corners[(i + corners.length - 1) % corners.length] ?? corner
    const after = corners[(i + 1) % corners.length] ?? corner
    const start = toward(corner, before)
    const end = toward(corner, after)
    return `${i === 0 ? "M" : "L"}${point(start)}Q${point(corner)} ${point(end)}`
  })
  return `${steps.join("")}Z`
}

/** The outline whose right half has these corners, from the top down; the left half is its mirror image. */
export function mirrored(half: readonly Corner[]): string {
  const left = half.map(([x, y, radius = 0]): Corner => [-x, y, radius]).reverse()
  return outline([...half, ...left])
}

/** The same shape on both sides of the middle; both run the same way round, so that outlines join to one. */
export function pair(corners: readonly Corner[]): string {
  const left = corners.map(([x, y, radius = 0]): Corner => [-x, y, radius]).reverse()
  return outline(corners) + outline(left)
}

/** The point on the way from a corner to its neighbour where the rounding begins: at most half way. */
function toward([x, y, radius = 0]: Corner, [otherX, otherY]: Corner): Corner {
  const length = Math.hypot(otherX - x, otherY - y)
  const share = length === 0 ? 0 : Math.min(0.5, radius / length)
  return [x + (otherX - x) * share, y + (otherY - y) * share]
}

function point([x, y]: Corner): string {
  return `${round(x)} ${round(y)}`
}

export function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** A filled path. `more` is further attributes. */
export function path(d: string, fill: string, more = ""): string {
  return `<path d="${d}" fill="${fill}" ${more}/>`
}

export function ellipse(
  center: Corner,
  radii: readonly [x: number, y: number],
  fill: string,
  more = "",
): string {
  const [cx, cy] = center
  return `<ellipse cx="${round(cx)}" cy="${round(cy)}" rx="${round(radii[0])}" ry="${round(radii[1])}" fill="${fill}" ${more}/>`
}

/** A stroked path without filling. */
export function line(d: string, colour: string, width: number, opacity = 1): string {
  return `<path d="${d}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-opacity="${opacity}" stroke-linecap="round"/>`
}

/** A gradient down its shape; each stop is [offset 0 to 1, colour, opacity]. */
export function fade(id: string, stops: readonly (readonly [number, string, number?])[]): string {
  return `<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1">${stopsOf(stops)}</linearGradient>`
}

/** Light or shadow that fades outward, as flat ellipses over one another: a radial gradient costs eighty times as much. */
export function halo(
  center: Corner,
  radii: readonly [x: number, y: number],
  colour: string,
  opacity: number,
): string {
  const steps = 9
  const each = `fill-opacity="${Math.round((1 - (1 - opacity) ** (1 / steps)) * 1000) / 1000}"`
  const rings = Array.from({ length: steps }, (_, i) => {
    const share = ((i + 1) / steps) ** 1.5
    return `<ellipse cx="${round(center[0])}" cy="${round(center[1])}" rx="${round(radii[0] * share)}" ry="${round(radii[1] * share)}" ${each}/>`
  })
  return `<g fill="${colour}">${rings.reverse().join("")}</g>`
}

function stopsOf(stops: readonly (readonly [number, string, number?])[]): string {
  return stops
    .map(
      ([at, colour, opacity = 1]) =>
        `<stop offset="${at}" stop-color="${colour}" stop-opacity="${opacity}"/>`,
    )
    .join("")
}

/** The colour `share` of the way from one #rrggbb to another. */
export function mix(from: string, to: string, share: number): string {
  const channel = (colour: string, i: number) => Number.parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16)
  const mixed = [0, 1, 2].map(i => Math.round(channel(from, i) * (1 - share) + channel(to, i) * share))
  return `#${mixed.map(value => value.toString(16).padStart(2, "0")).join("")}`
}
