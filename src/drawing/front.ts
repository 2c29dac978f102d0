import type { Light } from "./light.ts"
import {
  ellipse,
  fade,
  halo,
  line,
  mirrored,
  mix,
  outline,
  pair,
  path,
  round,
  type Corner,
} from "./shapes.ts"
import type { Body, Vehicle } from "./vehicle.ts"

interface Front {
  readonly defs: string
  readonly svg: string
  /** Lamps that burn. */
  readonly bright: string
}

export interface Lamp {
  readonly x: number
  readonly y: number
  readonly radius: number
  readonly strength: number
}

/** Lamps, grille, bumper and the holder of the plate. */
export function drawFront(vehicle: Vehicle, body: Body, light: Light): Front {
  return {
    defs: [
      fade("lens", [
        [0, "#eef4f7"],
        [0.5, "#aebac1"],
        [1, "#5e686e"],
      ]),
      fade("chrome", [
        [0, "#f6f8f9"],
        [0.5, "#8d959a"],
        [1, "#d3d8db"],
      ]),
    ].join(""),
    svg: grille(vehicle, body) + bumper(vehicle, body) + lampsOf(vehicle, body),
    bright: light.isLit ? beams(vehicle, body) : "",
  }
}

/** The middle of the right lamp, and its half width. */
function lampAt(
  { lamps }: Vehicle,
  { half, nose, lampHeight }: Body,
): readonly [x: number, y: number, half: number] {
  return [half - (lamps === "slim" ? 118 : 92), nose + 24 + lampHeight / 2, lamps === "slim" ? 88 : 62]
}

function lampsOf(vehicle: Vehicle, body: Body): string {
  const [x, y, wide] = lampAt(vehicle, body)
  const high = body.lampHeight / 2
  const shapes: Record<Vehicle["lamps"], readonly Corner[]> = {
    round: [
      [x - wide, y - high * 0.8, 26],
      [x + wide, y - high, 40],
      [x + wide + 8, y + high, 34],
      [x - wide + 12, y + high, 34],
    ],
    slim: [
      [x - wide, y + high * 0.1, 8],
      [x + wide, y - high * 0.9, 10],
      [x + wide + 12, y + high * 0.3, 14],
      [x - wide + 30, y + high * 0.8, 12],
    ],
    square: [
      [x - wide, y - high, 10],
      [x + wide, y - high, 12],
      [x + wide, y + high, 12],
      [x - wide, y + high, 10],
    ],
  }
  const housing = pair(shapes[vehicle.lamps])
  const radius = Math.min(high * 0.66, wide * 0.5)
  const bowls = [-1, 1].flatMap(side =>
    [-0.42, 0.45].map(at => {
      const cx = side * (x + at * wide)
      return (
        ellipse([cx, y], [radius, radius], "#4a5359") +
        ellipse([cx, y], [radius * 0.8, radius * 0.8], "#d5dfe5") +
        ellipse([cx - radius * 0.2, y - radius * 0.25], [radius * 0.32, radius * 0.28], "#ffffff")
      )
    }),
  )
  return (
    path(housing, "url(#lens)", 'stroke="#1b1e20" stroke-width="5"') +
    bowls.join("") +
    path(housing, "#ffffff", 'fill-opacity="0.12"')
  )
}

/** The bowls, burning; their bloom is `lampsShine`. */
function beams(vehicle: Vehicle, body: Body): string {
  const [x, y, wide] = lampAt(vehicle, body)
  const radius = body.lampHeight * 0.36
  const spots = [-1, 1].flatMap(side =>
    [-0.42, 0.45].map(at =>
      halo([side * (x + at * wide), y], [radius * 1.25, radius * 1.1], "#fffdf2", 0.99),
    ),
  )
  return spots.join("")
}

/** Where lamps that burn stand, with the radius and strength (0 to 1) of their bloom. */
export function lampsShine(vehicle: Vehicle, body: Body, light: Light): readonly Lamp[] {
  if (!light.isLit) return []
  const [x, y] = lampAt(vehicle, body)
  const strength = light.name === "dusk" ? 0.6 : 1
  return [-1, 1].flatMap(side => [
    { x: side * x, y, radius: 90 + 40 * strength, strength: strength * 0.75 },
    { x: side * x, y, radius: 150 + 110 * strength, strength: strength * 0.42 },
  ])
}

function grille({ grille: kind }: Vehicle, body: Body): string {
  const top = body.nose + 22
  const bottom = body.plateY - 62
  const half = body.half - 200
  const frameOf = (grow: number): string =>
    mirrored([
      [half + grow, top - grow, 20],
      [half - 18 + grow, bottom + grow, 26],
    ])
  const height = bottom - top
  const rows = kind === "bars" ? 4 : kind === "mesh" ? 7 : 0
  const bars = Array.from(
    { length: rows },
    (_, i) => `M${-half + 16} ${round(top + ((i + 1) * height) / (rows + 1))}H${half - 16}`,
  ).join("")
  const columns = kind === "bars" ? 0 : kind === "mesh" ? 21 : 11
  const slats = Array.from(
    { length: columns },
    (_, i) =>
      `M${round(-half + 18 + ((i + 0.5) * (2 * half - 36)) / columns)} ${round(top + 8)}V${round(bottom - 8)}`,
  ).join("")
  const emblem =
    ellipse([0, top + height * 0.45], [24, 24], "url(#chrome)") +
    ellipse([0, top + height * 0.45], [17, 17], "#2a2e33") +
    path(`M0 ${round(top + height * 0.45 - 13)}L11 ${round(top + height * 0.45 + 8)}H-11Z`, "#dfe3e6")
  return (
    path(frameOf(6), "url(#chrome)") +
    path(frameOf(0), "#0c0d0f") +
    line(bars, kind === "mesh" ? "#33383c" : "#8b9297", kind === "mesh" ? 3 : 7) +
    line(slats, kind === "mesh" ? "#33383c" : "#70777c", kind === "mesh" ? 3 : 12) +
    emblem
  )
}

function bumper({ paint }: Vehicle, body: Body): string {
  const { half, plateY, clearance } = body
  const y = plateY
  const seam = `M${-half + 4} ${y - 66}Q0 ${y - 48} ${half - 4} ${y - 66}`
  const intake = mirrored([
    [half - 150, y + 54, 14],
    [half - 180, clearance - 8, 18],
  ])
  const fog = pair([
    [half - 132, y + 6, 16],
    [half - 34, y - 6, 20],
    [half - 36, y + 62, 20],
    [half - 118, y + 58, 16],
  ])
  const fogLamps = [-1, 1].map(
    s =>
      ellipse([s * (half - 82), y + 30], [21, 21], "#2b2f33") +
      ellipse([s * (half - 82), y + 30], [16, 16], "url(#lens)"),
  )
  const slats = [0.3, 0.6]
    .map(t => `M${-half + 190} ${round(y + 54 + (clearance - y - 62) * t)}H${half - 190}`)
    .join("")
  const holder = outline([
    [-102, y - 54, 8],
    [102, y - 54, 8],
    [102, y + 56, 8],
    [-102, y + 56, 8],
  ])
  return (
    line(seam, mix(paint, "#000000", 0.6), 4, 0.7) +
    path(intake, "#0c0d0e") +
    line(slats, "#2d3134", 5) +
    path(fog, "#101214") +
    fogLamps.join("") +
    path(holder, "#17191b") +
    path(`M-102 ${y + 52}H102V${y + 62}H-102Z`, "#000000", 'fill-opacity="0.3"')
  )
}
