import { concat, equal, textOf, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { assert } from "../fault.ts"
import { isRead, roles, type Read, type Role } from "./read.ts"
import { hasShape, isBox, isListOf, isNullOr, isText, type Box } from "./shape.ts"

export type { Box } from "./shape.ts"

interface SeenBoxes {
  /** The file's name in the camera folder, or `null`. */
  readonly file: string | null
  /** In pixels of this picture. */
  readonly plates: readonly { readonly text: string; readonly box: Box }[]
  readonly faces: readonly Box[]
}

/** What is known of a picture from a folder or the drawn port. */
export interface FolderEvent extends SeenBoxes {
  readonly v: 1
  /** Where the boxes come from: a folder's index, the drawn port, or nowhere. */
  readonly source: "index" | "drawn" | "none"
}

/** What a reader told of a picture: all of its reads that came with it. */
export interface ReadEvent extends SeenBoxes {
  readonly v: 2
  readonly source: "reader"
  /** What this picture shows; `null` for a passage that came without one. */
  readonly role: Role | null
  /** One for each vehicle, 1 to 16. */
  readonly reads: readonly Read[]
}

/** What is known of the picture; sealed with it, since a plate text lives nowhere else. */
export type ReaderEvent = FolderEvent | ReadEvent

const magic = utf8("SALLYEV1")
/** Of an event as canonical JSON in UTF-8. */
export const maxEvent_bytes = 65_536
export const maxReads = 16
const maxBoxes = 32
const maxText = 32
const maxFile = 256

/**
 * The plaintext of a capture: the picture first, so that a capture recovered by escrow opens in any viewer, then the event
 * as canonical JSON, its length (uint32, big-endian) and eight bytes that name the form.
 */
export function packContents({
  picture,
  event,
}: {
  readonly picture: Uint8Array
  readonly event: ReaderEvent
}): Uint8Array {
  assert(isEvent(event), "a reader's event keeps to its shape")
  const json = utf8(canonical(event))
  assert(json.length <= maxEvent_bytes, "a reader's event is at most 65,536 bytes")
  const size = new Uint8Array(4)
  new DataView(size.buffer).setUint32(0, json.length)
  return concat(picture, json, size, magic)
}

/** Picture and event, or `null` for what `packContents` would not write. */
export function unpackContents(
  bytes: Uint8Array,
): { readonly picture: Uint8Array; readonly event: ReaderEvent } | null {
  const tail = bytes.length - 12
  if (tail < 0 || !equal(bytes.subarray(tail + 4), magic)) return null
  const size = new DataView(bytes.buffer, bytes.byteOffset + tail, 4).getUint32(0)
  if (size > maxEvent_bytes || size > tail) return null
  const event = parseEvent(textOf(bytes.subarray(tail - size, tail)))
  return event === null ? null : { picture: bytes.subarray(0, tail - size), event }
}

function parseEvent(text: string | null): ReaderEvent | null {
  try {
    const value: unknown = JSON.parse(text ?? "")
    return isEvent(value) && canonical(value) === text ? value : null
  } catch {
    return null
  }
}

function isEvent(value: unknown): value is ReaderEvent {
  return hasShape(value, folderShape) || hasShape(value, readShape)
}

const seenShape = {
  file: (value: unknown) => isNullOr(value, file => isText(file, maxFile)),
  plates: (value: unknown) => isListOf(value, maxBoxes, plate => hasShape(plate, plateShape)),
  faces: (value: unknown) => isListOf(value, maxBoxes, isBox),
}

const plateShape = { text: (value: unknown) => isText(value, maxText), box: isBox }

const folderShape = {
  ...seenShape,
  v: (value: unknown) => value === 1,
  source: (value: unknown) => value === "index" || value === "drawn" || value === "none",
}

const readShape = {
  ...seenShape,
  v: (value: unknown) => value === 2,
  source: (value: unknown) => value === "reader",
  role: (value: unknown) => isNullOr(value, role => roles.includes(role as Role)),
  reads: (value: unknown) => isListOf(value, maxReads, isRead) && value.length > 0,
}
