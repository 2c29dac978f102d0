import { utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { assert, Fault } from "../fault.ts"
import type { Box, ReadEvent } from "../seal/contents.ts"
import type { OtherFields, Read, ReadPicture, Role } from "../seal/read.ts"
import type { Imported } from "./imported.ts"
import { maxEvent_bytes, maxReads } from "./limits.ts"

/** What a lane seals as one capture: a picture with all reads that name it. */
export interface ReaderShot {
  /** Of no bytes for a passage that came without a picture. */
  readonly picture: Uint8Array
  readonly kind: "plate" | "scene"
  readonly event: ReadEvent
  readonly capturedAt_ms: number
  /** The reader's own names of message and passage, of the first read. Shots with one crossing belong together; of readers that name none, those with one message. */
  readonly event_id: string | null
  readonly crossing_id: string | null
}

/**
 * The captures of an import: one for each picture, in the reader's order, then one for each read without a picture. Of more
 * than 16 reads that share a picture, each further sixteen are sealed with the same picture again.
 * @throws Fault READER_EVENT for an event too large to be sealed even without its unknown fields.
 */
export function shotsOf({ reads, pictures }: Imported): ReaderShot[] {
  const seen = pictures.flatMap((picture, index) => {
    const named = reads.filter(read => read.pictures.some(each => each.index === index))
    return groupsOf(named).map(group => shotOf(group, { bytes: picture.bytes, index }))
  })
  const unseen = reads.filter(read => read.pictures.length === 0).map(read => shotOf([read], null))
  return [...seen, ...unseen]
}

function groupsOf(reads: readonly Read[]): (readonly Read[])[] {
  const count = Math.ceil(reads.length / maxReads)
  return Array.from({ length: count }, (_, i) => reads.slice(i * maxReads, (i + 1) * maxReads))
}

function shotOf(reads: readonly Read[], picture: { bytes: Uint8Array; index: number } | null): ReaderShot {
  const [first] = reads
  assert(first !== undefined, "a picture is named by a read")
  const event = eventOf(reads, picture?.index ?? null)
  return {
    picture: picture?.bytes ?? new Uint8Array(0),
    kind: event.role === "plate" ? "plate" : "scene",
    event,
    capturedAt_ms: Date.parse(first.captured_at),
    event_id: first.event_id,
    crossing_id: first.crossing_id,
  }
}

/**
 * What is sealed beside one picture of a read, or of several reads that share it. When unknown fields would make it too
 * large, each read keeps as many of them as fit, in the order told, and counts the others.
 * @param reads  1 to 16.
 * @param picture  the picture's index among the event's, named by the reads; `null` for none.
 * @throws Fault READER_EVENT when the event is over 65,536 bytes without any unknown field.
 */
export function eventOf(reads: readonly Read[], picture: number | null): ReadEvent {
  const event: ReadEvent = {
    v: 2,
    source: "reader",
    file: null,
    role: roleIn(reads, picture),
    plates: reads.flatMap(read => platesIn(read, picture)),
    faces: [],
    reads,
  }
  const bare = { ...event, reads: reads.map(read => keepFields(read, 0)) }
  const room_bytes = maxEvent_bytes - sizeOf(bare)
  if (room_bytes < 0)
    throw new Fault("READER_EVENT", "the event is larger than can be sealed; nothing was sealed", {
      next: "let the reader send fewer vehicles or shorter texts in one event",
    })
  return { ...event, reads: reads.map(read => keepFields(read, Math.floor(room_bytes / reads.length))) }
}

function roleIn(reads: readonly Read[], picture: number | null): Role | null {
  const named = reads.flatMap(read => read.pictures).find(each => each.index === picture)
  return named?.role ?? null
}

function platesIn(read: Read, picture: number | null): ReadEvent["plates"] {
  const named = read.pictures.find(each => each.index === picture)
  const box = named === undefined || read.plate === null ? null : plateBoxIn(read.plate.box, named, read)
  return box === null ? [] : [{ text: read.plate?.text ?? "", box }]
}

/**
 * Where the plate lies in a picture: a plate's crop is all plate, a vehicle's crop shows it moved by its corner, and of
 * several scenes only those of the first one's size show it where it was told.
 */
function plateBoxIn(box: Box | null, picture: ReadPicture, { pictures }: Read): Box | null {
  const { role, width_px, height_px, origin } = picture
  if (role === "plate") return { x_px: 0, y_px: 0, width_px, height_px }
  if (box === null) return null
  if (role === "scene") {
    const first = pictures.find(each => each.role === "scene")
    return first?.width_px === width_px && first.height_px === height_px ? box : null
  }
  if (origin === null) return null
  const moved = { ...box, x_px: box.x_px - origin.x_px, y_px: box.y_px - origin.y_px }
  const isInside =
    moved.x_px >= 0 &&
    moved.y_px >= 0 &&
    moved.x_px + moved.width_px <= width_px &&
    moved.y_px + moved.height_px <= height_px
  return isInside ? moved : null
}

/** Room for the digits of a count that grows. */
const count_bytes = 16

/** A read with as many of its unknown fields, from the first, as take at most `room_bytes` of canonical JSON. */
function keepFields(read: Read, room_bytes: number): Read {
  const all = Object.entries(read.other.fields)
  const kept: OtherFields["fields"] = Object.fromEntries(fittingOf(all, room_bytes - count_bytes))
  const left_out = read.other.left_out + all.length - Object.keys(kept).length
  return { ...read, other: { fields: kept, left_out } }
}

function fittingOf<T>(
  fields: readonly (readonly [string, T])[],
  room_bytes: number,
): (readonly [string, T])[] {
  let left_bytes = room_bytes
  return fields.filter(([at, value]) => {
    const size_bytes = sizeOf(at) + sizeOf(value) + 2
    if (size_bytes > left_bytes) return false
    left_bytes -= size_bytes
    return true
  })
}

function sizeOf(value: unknown): number {
  return utf8(canonical(value)).length
}
