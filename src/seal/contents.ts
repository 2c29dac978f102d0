import { concat, equal, textOf, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { assert } from "../fault.ts"

export interface Box {
  readonly x_px: number
  readonly y_px: number
  readonly width_px: number
  readonly height_px: number
}

/** What the reader said of the picture; sealed with it, since a plate text lives nowhere else. */
export interface ReaderEvent {
  readonly v: 1
  /** Where the boxes come from: a folder's index, the drawn port, or nowhere. */
  readonly source: "index" | "drawn" | "none"
  /** The file's name in the camera folder, or `null`. */
  readonly file: string | null
  readonly plates: readonly { readonly text: string; readonly box: Box }[]
  readonly faces: readonly Box[]
}

const magic = utf8("SALLYEV1")
const maxEvent_bytes = 65_536
const maxBoxes = 32
const maxText = 32
const maxFile = 256
const maxSide_px = 65_535

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
  if (!hasKeys(value, ["v", "source", "file", "plates", "faces"])) return false
  const { v, source, file, plates, faces } = value
  return (
    v === 1 &&
    (source === "index" || source === "drawn" || source === "none") &&
    (file === null || (typeof file === "string" && file.length <= maxFile)) &&
    isListOf(plates, plate => hasKeys(plate, ["text", "box"]) && isText(plate.text) && isBox(plate.box)) &&
    isListOf(faces, isBox)
  )
}

function isListOf(value: unknown, holds: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length <= maxBoxes && value.every(holds)
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value.length <= maxText
}

function isBox(value: unknown): boolean {
  const sides = ["x_px", "y_px", "width_px", "height_px"]
  return hasKeys(value, sides) && sides.every(side => isLength(value[side]))
}

function isLength(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maxSide_px
}

function hasKeys(value: unknown, keys: readonly string[]): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false
  const held = Object.keys(value)
  return held.length === keys.length && keys.every(key => Object.hasOwn(value, key))
}
