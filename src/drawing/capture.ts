import sharp from "sharp"
import { type Box } from "../picture/level.ts"
import { chanceOf, type Chance } from "./chance.ts"
import { expose, lightAt, type Light, type LightName } from "./light.ts"
import { lookOf, type Look } from "./person.ts"
import { plateText } from "./plate.ts"
import { drawPort, frame, zoom } from "./port.ts"
import { fade, round } from "./shapes.ts"
import { drawVehicle, vehicleOf, type Place } from "./vehicle.ts"

const size = { width_px: frame.width * zoom, height_px: frame.height * zoom } as const

export interface DrawnCapture {
  /** JPEG, 1120 × 840. */
  readonly picture: Uint8Array
  readonly width_px: number
  readonly height_px: number
  readonly light: LightName
  readonly plate: { readonly text: string; readonly box: Box }
  /** The driver's first. */
  readonly faces: readonly Box[]
}

export interface DrawOptions {
  readonly seed: string | number
  /** From 1; a lane has its own booths and canopy. */
  readonly lane: number
  /** Local hour, 0 ≤ hour < 24, with its fraction; it makes the light. */
  readonly hour: number
  /** Which capture of the lane; about one vehicle in seven crosses again and again. */
  readonly index: number
}

/**
 * Draws one capture of a lane's camera: a vehicle that does not exist, with people who do not exist, before a port of
 * entry that does not exist. The same options give the same bytes with the same version of sharp.
 * Costs about 40 ms of one core.
 */
export async function drawCapture({ seed, lane, hour, index }: DrawOptions): Promise<DrawnCapture> {
  const chance = chanceOf(seed, "capture", lane, index)
  const light = lightAt(hour, chance)
  const regular = chance.happens(0.15) ? ["regular", chance.index(300)] : ["once", lane, index]
  const owned = chanceOf(seed, ...regular)
  const text = plateText(owned)
  const vehicle = vehicleOf(text, owned)
  const people = [lookOf(owned), ...passengers(chance)]
  const drawn = drawVehicle(vehicle, people, light, chance)
  const pose = poseOf(chance)
  const svg = scene(light, drawPort(light, chanceOf(seed, "lane", lane)), { ...drawn, matrix: pose.matrix })
  const rgb = expose(await sharp(Buffer.from(svg)).raw().toBuffer(), light, chance)
  const picture = await sharp(rgb, { raw: { width: size.width_px, height: size.height_px, channels: 3 } })
    .jpeg({ quality: 86, optimiseCoding: false })
    .toBuffer()
  return {
    picture,
    ...size,
    light: light.name,
    plate: { text, box: pose.boxOf(drawn.plate) },
    faces: drawn.faces.map(pose.boxOf),
  }
}

function passengers(chance: Chance): readonly Look[] {
  const count = chance.pick([0, 0, 1, 1, 2] as const)
  return Array.from({ length: count }, () => lookOf(chance))
}

interface Pose {
  /** As an SVG transform. */
  readonly matrix: string
  boxOf(place: Place): Box
}

/** Where in the lane the vehicle stands, how near, and how much it is turned (as a shear of its verticals). */
function poseOf(chance: Chance): Pose {
  const scale = round(chance.between(0.94, 1.08) * 100) / 100
  const shear = round(chance.between(-0.02, 0.02) * 1000) / 1000
  const x = round(frame.width / 2 + chance.between(-46, 46))
  const y = round(902 + chance.between(-18, 22))
  return {
    matrix: `matrix(${scale} ${round(shear * scale * 10_000) / 10_000} 0 ${scale} ${x} ${y})`,
    boxOf(place) {
      const ends = [place.x, place.x + place.width]
      const rises = ends.map(end => end * shear * scale)
      const [left = 0, right = 0] = ends.map(end => Math.round((end * scale + x) * zoom))
      const top = Math.round((place.y * scale + y + Math.min(...rises)) * zoom)
      const bottom = Math.round(((place.y + place.height) * scale + y + Math.max(...rises)) * zoom)
      return { x_px: left, y_px: top, width_px: right - left, height_px: bottom - top }
    },
  }
}

interface Layers {
  readonly defs: string
  readonly svg: string
  readonly bright: string
  readonly matrix: string
}

/** Port and vehicle, the dark of the hour over both, and then what shines. */
function scene(light: Light, port: string, { defs, svg, bright, matrix }: Layers): string {
  const { width: w, height: h } = frame
  const { shade, shadeOpacity } = light
  const dark = fade("dark", [
    [0, shade, Math.min(1, 0.2 + shadeOpacity * 1.3)],
    [0.35, shade, shadeOpacity],
    [0.7, shade, shadeOpacity * 0.6],
    [1, shade, Math.min(1, 0.12 + shadeOpacity * 1.1)],
  ])
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width_px}" height="${size.height_px}" viewBox="0 0 ${w} ${h}">`,
    `<defs>${defs}${dark}</defs>${port}<g transform="${matrix}">${svg}</g>`,
    `<rect width="${w}" height="${h}" fill="url(#dark)"/><g transform="${matrix}">${bright}</g></svg>`,
  ].join("")
}
