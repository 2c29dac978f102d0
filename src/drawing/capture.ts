import sharp from "sharp"
import type { Box } from "../picture/level.ts"
import { chanceOf, type Chance } from "./chance.ts"
import { expose, lay, lightAt, shine, type Bloom, type Light, type LightName } from "./light.ts"
import type { Lamp } from "./front.ts"
import { lookOf, type Look } from "./person.ts"
import { plateText } from "./plate.ts"
import { canopyLamps, drawPort, frame, zoom } from "./port.ts"
import { fade, round } from "./shapes.ts"
import { drawVehicle, vehicleOf, type Place } from "./vehicle.ts"

const size = { width_px: 1024, height_px: 768 } as const

export interface DrawnCapture {
  /** JPEG, 1024 × 768. */
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
  /** What makes the port itself, where it stays the same under other seeds; `seed` without it. */
  readonly scene?: string
}

/**
 * Draws one capture of a lane's camera: a vehicle that does not exist, with people who do not exist, before a port of
 * entry that does not exist. The same options give the same bytes with the same version of sharp.
 * Costs about 40 ms of one core.
 */
export async function drawCapture({ seed, lane, hour, index, scene }: DrawOptions): Promise<DrawnCapture> {
  const chance = chanceOf(seed, "capture", lane, index)
  const light = lightAt(hour, chance)
  const regular = chance.happens(0.15) ? ["regular", chance.index(300)] : ["once", lane, index]
  const owned = chanceOf(seed, ...regular)
  const text = plateText(owned)
  const vehicle = vehicleOf(text, owned)
  const people = [lookOf(owned), ...passengers(chance)]
  const drawn = drawVehicle(vehicle, people, light, chance)
  const pose = poseOf(chance)
  const rgba = await render(`<g transform="${pose.matrix}">${drawn.svg}</g>`)
  lay(rgba, await groundOf(scene ?? seed, lane, light))
  shine(rgba, size.width_px, drawn.lamps.map(pose.bloomOf))
  const rgb = expose(rgba, light, chance)
  const picture = await sharp(rgb, { raw: { width: size.width_px, height: size.height_px, channels: 3 } })
    .jpeg({ quality: 84, optimiseCoding: false })
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
  bloomOf(lamp: Lamp): Bloom
}

/**
 * Where in the lane the vehicle stands, how near, and how broad it looks. It is not turned: gradients that run along
 * the rows cost a tenth of others, and a plate box is the plate.
 */
function poseOf(chance: Chance): Pose {
  const scale = round(chance.between(1.04, 1.12) * 100) / 100
  const broad = round(scale * chance.between(0.97, 1.03) * 100) / 100
  const x = round(frame.width / 2 + chance.between(-46, 46))
  const y = round(908 + chance.between(-14, 22))
  return {
    matrix: `matrix(${broad} 0 0 ${scale} ${x} ${y})`,
    bloomOf: lamp => ({
      x_px: (lamp.x * broad + x) * zoom,
      y_px: (lamp.y * scale + y) * zoom,
      radius_px: lamp.radius * scale * zoom,
      adds: [255 * lamp.strength, 240 * lamp.strength, 200 * lamp.strength],
    }),
    boxOf(place) {
      const [left, top] = [Math.round((place.x * broad + x) * zoom), Math.round((place.y * scale + y) * zoom)]
      const right = Math.round(((place.x + place.width) * broad + x) * zoom)
      const bottom = Math.round(((place.y + place.height) * scale + y) * zoom)
      return { x_px: left, y_px: top, width_px: right - left, height_px: bottom - top }
    },
  }
}

/** The lamps under the canopy, in the dark. */
function canopyBlooms(light: Light): readonly Bloom[] {
  if (!light.isLit) return []
  return canopyLamps.map(({ x, y, half }) => {
    return { x_px: x * zoom, y_px: y * zoom, radius_px: half * 1.9 * zoom, adds: [90, 82, 62] }
  })
}

/** An SVG in the frame's coordinates as red, green, blue and opacity. */
function render(svg: string): Promise<Uint8Array> {
  const { width_px, height_px } = size
  const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${width_px}" height="${height_px}" viewBox="0 0 ${frame.width} ${frame.height}">`
  return sharp(Buffer.from(`${open}${svg}</svg>`))
    .raw()
    .toBuffer()
}

/** The grounds drawn last, 3 MB each, the oldest first. */
const grounds = new Map<string, Uint8Array>()

const maxGrounds = 12

/** The port without a vehicle in this light. */
async function groundOf(seed: string | number, lane: number, light: Light): Promise<Uint8Array> {
  const name = JSON.stringify([seed, lane, light.name])
  const known = grounds.get(name)
  if (known !== undefined) return known
  const { shade, shadeOpacity } = light
  const dark = fade("dark", [
    [0, shade, Math.min(1, shadeOpacity * 1.6)],
    [0.35, shade, shadeOpacity * 0.9],
    [0.7, shade, shadeOpacity * 0.7],
    [1, shade, Math.min(1, shadeOpacity * 1.3)],
  ])
  const veil = `<defs>${dark}</defs><rect width="${frame.width}" height="${frame.height}" fill="url(#dark)"/>`
  const drawn = await render(drawPort(light, chanceOf(seed, "lane", lane)) + veil)
  shine(drawn, size.width_px, canopyBlooms(light))
  for (const oldest of [...grounds.keys()].slice(0, Math.max(0, grounds.size + 1 - maxGrounds))) {
    grounds.delete(oldest)
  }
  grounds.set(name, drawn)
  return drawn
}
