import type { Box } from "../seal/contents.ts"
import type { Candidate, Doubt, OtherFields, Read, ReadPlate, ReadVehicle } from "../seal/read.ts"
import type { Album, Mounted } from "./album.ts"
import { arranged } from "./album.ts"
import { pixels, placed, type Raw, type Scale, type Size } from "./boxes.ts"
import { plateOf, scriptDoubts } from "./plate.ts"
import type { KnownTime } from "./time.ts"

/** What an importer found of one passage. Everything but source and time may be missing. */
export interface Passage {
  readonly source: Read["source"]
  readonly time: KnownTime
  readonly event_id?: string | null
  readonly crossing_id?: string | null
  readonly camera?: string | null
  readonly lane?: string | null
  /** The plate's text, or `null` for a vehicle that was not read. */
  readonly plate?: string | null
  readonly confidence?: number | null
  readonly region?: string | null
  readonly candidates?: readonly Candidate[]
  readonly plateBox?: Raw | null
  readonly vehicle?: Partial<Omit<ReadVehicle, "box">>
  readonly vehicleBox?: Raw | null
  readonly scale?: Scale
  readonly direction?: string | null
  readonly speed?: Read["speed"]
  readonly mounted?: readonly Mounted[]
}

const noVehicle = { make: null, model: null, colour: null, type: null }

/**
 * A read from what was found: boxes are placed in the scene, a vehicle's crop where the vehicle lies, and doubts collected.
 * @param other  taken last, when all that is understood has been used.
 */
export function readOf(found: Passage, other: () => OtherFields): Read {
  const { pictures, doubts } = arranged(found.mounted ?? [])
  const scene = pictures.find(({ role }) => role === "scene") ?? null
  const scale = found.scale ?? pixels
  const plateBox = placed(found.plateBox ?? null, scale, scene)
  const vehicleBox = placed(found.vehicleBox ?? null, scale, scene)
  const plate = plateIn(found, plateBox.box)
  const all = [...doubts, ...plateBox.doubts, ...vehicleBox.doubts, ...scriptDoubts(plate?.text ?? "")]
  return {
    source: found.source,
    ...found.time,
    event_id: found.event_id ?? null,
    crossing_id: found.crossing_id ?? null,
    camera: found.camera ?? null,
    lane: found.lane ?? null,
    plate,
    vehicle: { ...noVehicle, ...found.vehicle, box: vehicleBox.box },
    direction: found.direction ?? null,
    speed: found.speed ?? null,
    pictures: pictures.map(each => withOrigin(each, vehicleBox.box)),
    doubts: [...new Set<Doubt>(all)],
    other: other(),
  }
}

function plateIn({ plate, region, confidence, candidates }: Passage, box: Box | null): ReadPlate | null {
  return plateOf(plate ?? null, {
    region: region ?? null,
    confidence: confidence ?? null,
    box,
    candidates: candidates ?? [],
  })
}

/** A vehicle's crop lies where the vehicle does, if it has the vehicle's size: a crop that was shrunk lies nowhere. */
function withOrigin(
  picture: Read["pictures"][number],
  vehicle: (Size & Pick<Box, "x_px" | "y_px">) | null,
): Read["pictures"][number] {
  const isCrop =
    picture.role === "vehicle" &&
    picture.width_px === vehicle?.width_px &&
    picture.height_px === vehicle.height_px
  return isCrop ? { ...picture, origin: { x_px: vehicle.x_px, y_px: vehicle.y_px } } : picture
}

/** Mounts base64 pictures at the places that hold any. */
export function mountAll(
  album: Album,
  found: readonly (readonly [Read["pictures"][number]["role"], unknown])[],
): Mounted[] {
  return found.flatMap(([role, text]) =>
    typeof text === "string" && text !== "" ? [album.mountBase64(role, text)] : [],
  )
}

/** An id made of what only together tells one message from another; `null` when a part is missing or it is too long. */
export function idOf(...parts: readonly (string | number | null)[]): string | null {
  const id = parts.join("/")
  return parts.every(part => part !== null) && id.length <= 128 ? id : null
}
