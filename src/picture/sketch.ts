import { assert } from "../fault.ts"
import { descriptorsOf, parseDescriptors, record_bytes, type Descriptor } from "./descriptors.ts"
import { keptBoxes, undoubted, type Box } from "./level.ts"
import type { Pixels } from "./pixels.ts"

/** What is kept of an original to lead leaked copies back to it. Derived from the picture: sealed like the picture. */
export interface Sketch {
  /** Of the oriented picture. */
  readonly width_px: number
  readonly height_px: number
  /** The whole picture first, then what L2 shows around each plate. */
  readonly parts: readonly SketchPart[]
}

export interface SketchPart {
  readonly box: Box
  readonly descriptors: readonly Descriptor[]
}

/** Together at most 51,736 bytes. */
export const sketchLimits = { whole: 640, region: 180, regions: 4, bytes: 52_000 } as const

const version = 1
const header_bytes = 6
const partHeader_bytes = 10

/**
 * The sketch of a picture, packed: its descriptors, and those of the first four regions that L2 would show where no
 * face is hidden. A plate that does not count (`plateLimits`) has no region.
 * Costs 31 to 51 ms for 1024 × 768 with one plate, the first of a process about 150.
 */
export function sketchOf(pixels: Pixels, plates: readonly Box[]): Uint8Array {
  const { width_px, height_px } = pixels
  assert(Math.max(width_px, height_px) <= 0xffff, "a picture's sides fit into 16 bits")
  const { keep } = keptBoxes("L2", { width_px, height_px, plates, faces: [], doubted: undoubted })
  const regions = keep.slice(0, sketchLimits.regions)
  const parts = [
    packedPart({ x_px: 0, y_px: 0, width_px, height_px }, descriptorsOf(pixels, null, sketchLimits.whole)),
    ...regions.map(box => packedPart(box, descriptorsOf(pixels, box, sketchLimits.region))),
  ]
  const header = new DataView(new ArrayBuffer(header_bytes))
  header.setUint8(0, version)
  header.setUint8(1, parts.length)
  header.setUint16(2, width_px)
  header.setUint16(4, height_px)
  return joined([new Uint8Array(header.buffer), ...parts])
}

function packedPart({ x_px, y_px, width_px, height_px }: Box, records: Uint8Array): Uint8Array {
  const header = new DataView(new ArrayBuffer(partHeader_bytes))
  const numbers = [x_px, y_px, width_px, height_px, records.length / record_bytes]
  numbers.forEach((number, i) => header.setUint16(2 * i, number))
  return joined([new Uint8Array(header.buffer), records])
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

/** The sketch that `bytes` pack, or `null` for what `sketchOf` does not write. */
export function parseSketch(bytes: Uint8Array): Sketch | null {
  if (bytes.length < header_bytes || bytes.length > sketchLimits.bytes) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const count = view.getUint8(1)
  if (view.getUint8(0) !== version || count < 1 || count > 1 + sketchLimits.regions) return null
  const whole = { x_px: 0, y_px: 0, width_px: view.getUint16(2), height_px: view.getUint16(4) }
  const parts: SketchPart[] = []
  let at = header_bytes
  while (parts.length < count) {
    const read = parsePart(bytes, at, whole)
    if (read === null) return null
    const isWhole = parts.length === 0
    if (isWhole && !isSame(read.part.box, whole)) return null
    if (read.part.descriptors.length > (isWhole ? sketchLimits.whole : sketchLimits.region)) return null
    parts.push(read.part)
    at = read.end
  }
  return at === bytes.length ? { width_px: whole.width_px, height_px: whole.height_px, parts } : null
}

function parsePart(bytes: Uint8Array, at: number, whole: Box): { part: SketchPart; end: number } | null {
  if (at + partHeader_bytes > bytes.length) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, partHeader_bytes)
  const box = {
    x_px: view.getUint16(0),
    y_px: view.getUint16(2),
    width_px: view.getUint16(4),
    height_px: view.getUint16(6),
  }
  const start = at + partHeader_bytes
  const end = start + view.getUint16(8) * record_bytes
  if (end > bytes.length || box.width_px === 0 || box.height_px === 0 || !holds(whole, box)) return null
  const descriptors = parseDescriptors(bytes.subarray(start, end))
  const isInside = descriptors?.every(each => holds(box, { ...each, width_px: 1, height_px: 1 })) ?? false
  return descriptors !== null && isInside ? { part: { box, descriptors }, end } : null
}

function holds(outer: Box, inner: Box): boolean {
  return (
    inner.x_px >= outer.x_px &&
    inner.y_px >= outer.y_px &&
    inner.x_px + inner.width_px <= outer.x_px + outer.width_px &&
    inner.y_px + inner.height_px <= outer.y_px + outer.height_px
  )
}

function isSame(one: Box, other: Box): boolean {
  return holds(one, other) && holds(other, one)
}
