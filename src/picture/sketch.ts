import sharp from "sharp"
import { assert } from "../fault.ts"
import { descriptorsOf, parseDescriptors, record_bytes, type Descriptor } from "./descriptors.ts"
import { lumaOf, scaled, type Plane } from "../mark/plane.ts"
import { partOf } from "../mark/view.ts"
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
  /** What it looks like, small: a grey JPEG. */
  readonly likeness: Uint8Array
}

/** Descriptors of the whole and of each region, the longer side of a likeness, and bytes: together at most 417,421. */
export const sketchLimits = {
  whole: 1000,
  region: 340,
  regions: 4,
  likeness_px: 320,
  bytes: 418_000,
} as const

/** The first quality with which a likeness is as small as its length is written. */
const qualities = [70, 30] as const
const mostLikeness_bytes = 0xffff

const version = 2
const header_bytes = 6
const partHeader_bytes = 12

/**
 * The sketch of a picture, packed: its descriptors and its likeness, and those of the first four regions that L2 would show where no
 * face is hidden. A plate that does not count (`plateLimits`) has no region.
 * Costs about 110 ms for 1024 × 768 with one plate on a busy machine, 77 at least.
 */
export async function sketchOf(pixels: Pixels, plates: readonly Box[]): Promise<Uint8Array> {
  const { width_px, height_px } = pixels
  assert(Math.max(width_px, height_px) <= 0xffff, "a picture's sides fit into 16 bits")
  const luma = lumaOf(pixels)
  const parts = await Promise.all(
    describedParts(pixels, plates).map(async ({ box, records }) =>
      packedPart(box, records, await likenessOf(box, luma)),
    ),
  )
  const header = new DataView(new ArrayBuffer(header_bytes))
  header.setUint8(0, version)
  header.setUint8(1, parts.length)
  header.setUint16(2, width_px)
  header.setUint16(4, height_px)
  return joined([new Uint8Array(header.buffer), ...parts])
}

/** The whole picture, then what L2 would show around each of the first four plates, with their packed descriptors. */
export function describedParts(
  pixels: Pixels,
  plates: readonly Box[],
): readonly { readonly box: Box; readonly records: Uint8Array }[] {
  const { width_px, height_px } = pixels
  const { keep } = keptBoxes("L2", { width_px, height_px, plates, faces: [], doubted: undoubted })
  const whole = { x_px: 0, y_px: 0, width_px, height_px }
  return [
    { box: whole, records: descriptorsOf(pixels, null, sketchLimits.whole) },
    ...keep
      .slice(0, sketchLimits.regions)
      .map(box => ({ box, records: descriptorsOf(pixels, box, sketchLimits.region) })),
  ]
}

function packedPart(box: Box, records: Uint8Array, likeness: Uint8Array): Uint8Array {
  const header = new DataView(new ArrayBuffer(partHeader_bytes))
  const { x_px, y_px, width_px, height_px } = box
  const numbers = [x_px, y_px, width_px, height_px, records.length / record_bytes, likeness.length]
  numbers.forEach((number, i) => header.setUint16(2 * i, number))
  return joined([new Uint8Array(header.buffer), records, likeness])
}

async function likenessOf({ x_px, y_px, width_px, height_px }: Box, luma: Plane): Promise<Uint8Array> {
  const part = partOf(luma, { left: x_px, top: y_px, right: x_px + width_px, bottom: y_px + height_px })
  const small = scaled(part, Math.min(1, sketchLimits.likeness_px / Math.max(width_px, height_px)))
  const raw = { width: small.width_px, height: small.height_px, channels: 1 } as const
  const grey = Uint8Array.from(small.values, value => Math.max(0, Math.min(255, Math.round(value))))
  for (const quality of qualities) {
    const file = await sharp(grey, { raw }).toColourspace("b-w").jpeg({ quality }).toBuffer()
    if (file.length <= mostLikeness_bytes) return file
  }
  assert(false, "a grey JPEG of 320 × 320 at quality 30 has no 65,536 bytes")
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
  const after = end + view.getUint16(10)
  if (after > bytes.length || box.width_px === 0 || box.height_px === 0 || !holds(whole, box)) return null
  const descriptors = parseDescriptors(bytes.subarray(start, end))
  const isInside = descriptors?.every(each => holds(box, { ...each, width_px: 1, height_px: 1 })) ?? false
  if (descriptors === null || !isInside) return null
  return { part: { box, descriptors, likeness: bytes.slice(end, after) }, end: after }
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
