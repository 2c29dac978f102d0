import { decode } from "../picture/pixels.ts"
import type { Look } from "./look-shape.ts"
import { openFaceFinder, type FaceFinder } from "./face-finder.ts"
import { openPlateReader, type PlateReader } from "./plate-reader.ts"
import type { PlateRegion } from "./plate-syntax.ts"

/** What is asked of a picture: plates, faces or both. */
export interface LookJob {
  readonly picture: Uint8Array
  /** Whose plates to expect; `null` reads none. */
  readonly region: PlateRegion | null
  /** `null` looks for no faces; else with the model that is installed, or an operator's file by its path. */
  readonly faces: { readonly ownModel: string | null } | null
}

let plateReader: Promise<PlateReader> | null = null
const faceFinders = new Map<string | null, Promise<FaceFinder>>()

/**
 * Decodes a picture, reads its plate and finds its faces. The networks are loaded by the first picture that needs them,
 * and stay.
 * @throws Fault PICTURE and PICTURE_SIZE as the decoder; MODEL.
 */
export async function look({ picture, region, faces }: LookJob): Promise<Look> {
  const reader = region === null ? null : await (plateReader ??= openPlateReader())
  const finder = faces === null ? null : await finderOf(faces.ownModel)
  const start = process.cpuUsage()
  const pixels = await decode(picture)
  const plate = reader === null || region === null ? null : await reader.read(pixels, region)
  const found = finder === null ? null : await finder.find(pixels)
  const { user, system } = process.cpuUsage(start)
  return {
    width_px: pixels.width_px,
    height_px: pixels.height_px,
    plate:
      plate === null || reader === null
        ? null
        : {
            ...plate,
            candidates: [...plate.candidates],
            raw: plate.raw?.slice(0, 80) ?? null,
            model: reader.model,
          },
    faces: found === null || finder === null ? null : { model: finder.model, found },
    cpu_ms: Math.round((user + system) / 1000),
  }
}

function finderOf(ownModel: string | null): Promise<FaceFinder> {
  const known = faceFinders.get(ownModel)
  if (known !== undefined) return known
  const opened = openFaceFinder(ownModel)
  faceFinders.set(ownModel, opened)
  return opened
}
