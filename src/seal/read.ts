import { hasShape, isBox, isListOf, isNullOr, isText, isWhole, maxSide_px, type Box } from "./shape.ts"

/** The readers whose events are understood, and `generic`: any other, by a mapping that the lane configures. */
export const readerKinds = [
  "openalpr",
  "platerecognizer",
  "hikvision",
  "axis",
  "dahua",
  "verkada",
  "frigate",
  "genetec",
  "generic",
] as const

export type ReaderKind = (typeof readerKinds)[number]

/**
 * How the time of a read is known. `stated`: with its zone, or as an epoch. `zone`: the reader's clock face in the zone
 * that the lane was given; `zone-twice`: of an hour that the clocks went through twice, the first; `zone-never`: of an hour
 * that they left out, as if they had not. `arrival`: the reader's own time could not be used, so when it arrived.
 */
export const clocks = ["stated", "zone", "zone-twice", "zone-never", "arrival"] as const

/**
 * What of a read is not as it should be. `plate-script`: letters other than Latin; `plate-mixed`: of several scripts;
 * `box-clipped`: it reached over the picture's edge; `box-left-out`: it lay outside of the picture, or in a scale that is
 * not known; `picture-missing`: named by the event, and not with it; `picture-left-out`: broken, and the lane lets the
 * event in without it; `pictures-exchanged`: the one said to be the plate's was the larger, and counts as the scene.
 */
export const doubts = [
  "plate-script",
  "plate-mixed",
  "box-clipped",
  "box-left-out",
  "picture-missing",
  "picture-left-out",
  "pictures-exchanged",
] as const

export type Doubt = (typeof doubts)[number]

/** What a picture shows; `vehicle` is also one of which nobody says what it shows, since no plate's box counts in it. */
export const roles = ["scene", "vehicle", "plate"] as const

export type Role = (typeof roles)[number]

export interface Candidate {
  /** As told. */
  readonly text: string
  /** 0 to 1. */
  readonly confidence: number | null
}

export interface ReadPlate extends Candidate {
  /** Upper case, letters and digits only, of whatever script: never transliterated. */
  readonly normalized: string
  /** Country, state or both, as told. */
  readonly region: string | null
  /** In pixels of the scene, or where there is none, of the frame that the reader saw. */
  readonly box: Box | null
  /** The reader's other readings, best first; they may repeat the one it chose. */
  readonly candidates: readonly Candidate[]
}

export interface ReadVehicle {
  readonly make: string | null
  readonly model: string | null
  readonly colour: string | null
  readonly type: string | null
  /** In pixels, as the plate's. */
  readonly box: Box | null
}

export interface ReadPicture {
  readonly role: Role
  /** Among the pictures that came with the event, from 0. */
  readonly index: number
  readonly width_px: number
  readonly height_px: number
  /** Where a crop's upper left corner lies in the scene, when told. */
  readonly origin: { readonly x_px: number; readonly y_px: number } | null
}

export interface ReadSpeed {
  readonly value: number
  readonly unit: "km/h" | "mph" | "unknown"
}

/** Fields that have no place of their own, by JSON pointer (RFC 6901) into the event, and how many were left out. */
export interface OtherFields {
  readonly fields: Readonly<Record<string, string | number | boolean | null>>
  readonly left_out: number
}

/** One passage of a vehicle as its reader told it. A vehicle whose plate was not read is a passage too: `plate` is `null`. */
export interface Read {
  readonly source: ReaderKind
  /** RFC 3339 UTC with milliseconds. */
  readonly captured_at: string
  readonly clock: (typeof clocks)[number]
  /** The same for a message that is sent again, another for every other message; `null` when the reader gives none. */
  readonly event_id: string | null
  /** What the reader calls the passage; several events may belong to one. */
  readonly crossing_id: string | null
  readonly camera: string | null
  /** The lane's number as the reader counts lanes. */
  readonly lane: string | null
  readonly plate: ReadPlate | null
  readonly vehicle: ReadVehicle
  /** A word or degrees, as told. */
  readonly direction: string | null
  readonly speed: ReadSpeed | null
  readonly pictures: readonly ReadPicture[]
  readonly doubts: readonly Doubt[]
  readonly other: OtherFields
}

/** The limits of a read; an importer keeps to them, and a vault takes nothing beyond. */
export const readLimits = {
  plate: 32,
  id: 128,
  word: 64,
  candidates: 10,
  pictures: 16,
  otherFields: 2_048,
  pointer: 512,
  otherText: 4_096,
} as const

const isWord = (value: unknown) => isNullOr(value, word => isText(word, readLimits.word))
const isId = (value: unknown) => isNullOr(value, id => isText(id, readLimits.id))
const isPlate = (value: unknown) => isText(value, readLimits.plate) && value !== ""
const isShare = (value: unknown) => typeof value === "number" && value >= 0 && value <= 1
const isOneOf = (list: readonly string[]) => (value: unknown) => list.includes(value as string)
const isSide = (value: unknown) => isWhole(value, maxSide_px)

const candidateShape = { text: isPlate, confidence: (value: unknown) => isNullOr(value, isShare) }

const plateShape = {
  ...candidateShape,
  normalized: (value: unknown) => isText(value, 3 * readLimits.plate),
  region: isWord,
  box: (value: unknown) => isNullOr(value, isBox),
  candidates: (value: unknown) =>
    isListOf(value, readLimits.candidates, each => hasShape(each, candidateShape)),
}

const vehicleShape = {
  make: isWord,
  model: isWord,
  colour: isWord,
  type: isWord,
  box: (value: unknown) => isNullOr(value, isBox),
}

const pictureShape = {
  role: isOneOf(roles),
  index: (value: unknown) => isWhole(value, readLimits.pictures - 1),
  width_px: isSide,
  height_px: isSide,
  origin: (value: unknown) => isNullOr(value, origin => hasShape(origin, { x_px: isSide, y_px: isSide })),
}

const speedShape = {
  value: (value: unknown) => typeof value === "number" && Number.isFinite(value) && value >= 0,
  unit: isOneOf(["km/h", "mph", "unknown"]),
}

const otherShape = {
  fields: areFields,
  left_out: (value: unknown) => isWhole(value, Number.MAX_SAFE_INTEGER),
}

const readShape: Readonly<Record<keyof Read, (value: unknown) => boolean>> = {
  source: isOneOf(readerKinds),
  captured_at: isInstant,
  clock: isOneOf(clocks),
  event_id: isId,
  crossing_id: isId,
  camera: isId,
  lane: isWord,
  plate: value => isNullOr(value, plate => hasShape(plate, plateShape)),
  vehicle: value => hasShape(value, vehicleShape),
  direction: isWord,
  speed: value => isNullOr(value, speed => hasShape(speed, speedShape)),
  pictures: value => isListOf(value, readLimits.pictures, each => hasShape(each, pictureShape)),
  doubts: value => isListOf(value, doubts.length, isOneOf(doubts)),
  other: value => hasShape(value, otherShape),
}

/** Whether a value has a read's shape and keeps to its limits. */
export function isRead(value: unknown): value is Read {
  return hasShape(value, readShape)
}

function areFields(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false
  const fields = Object.entries(value)
  return fields.length <= readLimits.otherFields && fields.every(([at, each]) => isField(at, each))
}

function isField(at: string, value: unknown): boolean {
  if (!at.startsWith("/") || at.length > readLimits.pointer) return false
  if (typeof value === "string") return value.length <= readLimits.otherText
  return value === null || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))
}

function isInstant(value: unknown): boolean {
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)) return false
  const time_ms = Date.parse(value)
  return Number.isFinite(time_ms) && new Date(time_ms).toISOString() === value
}
