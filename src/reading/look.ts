import type { Box } from "../picture/level.ts"
import { decode } from "../picture/pixels.ts"
import { qualityOf } from "../picture/quality.ts"
import { sketchOf } from "../picture/sketch.ts"
import type { Look } from "./look-shape.ts"
import { openFaceFinder, type FaceFinder, type FoundFace } from "./face-finder.ts"
import { openPlateReader, type PlateReader } from "./plate-reader.ts"
import type { PlateRegion } from "./plate-syntax.ts"

/** What is asked of a picture: plates, faces or both. */
export interface LookJob {
  readonly picture: Uint8Array
  /** Whose plates to expect; `null` reads none. */
  readonly region: PlateRegion | null
  /** Boxes that a reader claims for plates, each to be agreed with; at most `maxClaims` are looked at. */
  readonly claims: readonly Box[]
  /** Whether the plate is read where a claim is agreed with, too. */
  readonly readsAgreed: boolean
  /** `null` looks for no faces; else with the model that is installed, or an operator's file by its path. */
  readonly faces: { readonly ownModel: string | null } | null
  /** Whether a leaked copy shall be led back to this picture. */
  readonly sketches: boolean
}

/** Each costs 10 ms; a claim beyond is not agreed with. */
export const maxClaims = 16

let plateReader: Promise<PlateReader> | null = null
const faceFinders = new Map<string | null, Promise<FaceFinder>>()

/**
 * Decodes a picture, agrees with claims, reads its plate and finds its faces. The networks are loaded by the first picture
 * that needs them, and stay.
 * @throws Fault PICTURE and PICTURE_SIZE as the decoder; MODEL.
 */
export async function look(job: LookJob): Promise<Look> {
  const { picture, region, claims, readsAgreed, faces, sketches } = job
  const reader = region === null ? null : await (plateReader ??= openPlateReader())
  const finder = faces === null ? null : await finderOf(faces.ownModel)
  const start = process.cpuUsage()
  const pixels = await decode(picture)
  const found = finder === null ? null : await finder.find(pixels)
  const agreed: (Box | null)[] = []
  for (const claim of reader === null ? [] : claims.slice(0, maxClaims)) {
    const box = (await reader?.agree(pixels, claim)) ?? null
    const beside = found?.filter(face => !isPlate(face, box)).map(face => face.box) ?? []
    agreed.push(box === null || beside.some(face => overlap(face, box)) ? null : box)
  }
  const isRead = readsAgreed || agreed.every(box => box === null)
  const plate = reader === null || region === null || !isRead ? null : await reader.read(pixels, region)
  const plates = [...agreed, plate?.box ?? null].filter(box => box !== null)
  const sketch = sketches ? await sketchOf(pixels, plates) : null
  const { user, system } = process.cpuUsage(start)
  return {
    width_px: pixels.width_px,
    height_px: pixels.height_px,
    quality: qualityOf(pixels),
    agreed,
    sketch,
    plate:
      plate === null
        ? null
        : {
            ...plate,
            candidates: [...plate.candidates],
            raw: plate.raw?.slice(0, 80) ?? null,
          },
    faces: found?.filter(face => plates.every(box => !isPlate(face, box))) ?? null,
    models: { plates: reader?.model ?? null, faces: finder?.model ?? null },
    cpu_ms: Math.round((user + system) / 1000),
  }
}

/** Below this score a guess whose middle is in a plate's text is that text. Of 65 photographs six had such a guess. */
const sure = 0.5

function isPlate({ box, score }: FoundFace, plate: Box | null): boolean {
  if (plate === null || score >= sure) return false
  const { x_px, y_px, width_px, height_px } = box
  return overlap({ x_px: x_px + width_px / 2, y_px: y_px + height_px / 2, width_px: 0, height_px: 0 }, plate)
}

/** Text beside a face is no plate, whatever the reader says. */
function overlap(a: Box, b: Box): boolean {
  return (
    a.x_px < b.x_px + b.width_px &&
    b.x_px < a.x_px + a.width_px &&
    a.y_px < b.y_px + b.height_px &&
    b.y_px < a.y_px + a.height_px
  )
}

function finderOf(ownModel: string | null): Promise<FaceFinder> {
  const known = faceFinders.get(ownModel)
  if (known !== undefined) return known
  const opened = openFaceFinder(ownModel)
  faceFinders.set(ownModel, opened)
  return opened
}
