/** What the bytes of a picture say of themselves, without decoding a pixel: nothing here may be believed beyond its size. */

export interface Seen {
  readonly format: "jpeg" | "png"
  readonly width_px: number
  readonly height_px: number
}

const pngMagic = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
const pngEnd = [0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82]

/** By the first bytes alone; `null` for neither. */
export function formatOf(bytes: Uint8Array): "jpeg" | "png" | null {
  if (startsWith(bytes, [0xff, 0xd8, 0xff])) return "jpeg"
  return startsWith(bytes, pngMagic) ? "png" : null
}

/**
 * Format and size of a picture whose beginning, frame header and end are there.
 * @returns why not, as a clause, for everything else.
 */
export function lookAt(bytes: Uint8Array): Seen | string {
  if (bytes.length === 0) return "has no bytes"
  const format = formatOf(bytes)
  if (format === null) return "is neither JPEG nor PNG"
  const seen = format === "jpeg" ? lookAtJpeg(bytes) : lookAtPng(bytes)
  if (typeof seen !== "string" && (seen.width_px === 0 || seen.height_px === 0)) return "has no pixels"
  return seen
}

/**
 * Walks the segments to the frame header and the first scan; after that the end marker must come. Cameras pad after the
 * end, and a thumbnail in a segment before the scan has an end of its own, so neither the last bytes nor any marker will do.
 * Source: ITU-T T.81 Annex B.
 */
function lookAtJpeg(bytes: Uint8Array): Seen | string {
  let size: { width_px: number; height_px: number } | null = null
  let at = 2
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) return "is broken between its segments"
    const marker = bytes[at + 1] ?? 0
    if (marker === 0xff) {
      at += 1
      continue
    }
    if (isFrame(marker)) size = { height_px: short(bytes, at + 5), width_px: short(bytes, at + 7) }
    if (marker === 0xda) {
      if (size === null) return "has no frame header"
      return endsAfter(bytes, at) ? { format: "jpeg", ...size } : "ends early"
    }
    at += 2 + short(bytes, at + 2)
  }
  return "ends early"
}

/** SOF0 to SOF15 without the three markers among them that are no frames: DHT, JPG and DAC. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
}

function endsAfter(bytes: Uint8Array, scan: number): boolean {
  for (let at = bytes.length - 2; at > scan; at -= 1)
    if (bytes[at] === 0xff && bytes[at + 1] === 0xd9) return true
  return false
}

function lookAtPng(bytes: Uint8Array): Seen | string {
  if (bytes.length < 33 + 12 || !startsWith(bytes.subarray(bytes.length - 8), pngEnd)) return "ends early"
  const width = short(bytes, 16) * 65_536 + short(bytes, 18)
  const height = short(bytes, 20) * 65_536 + short(bytes, 22)
  if (width > 65_535 || height > 65_535) return "is larger than 65,535 pixels a side"
  return { format: "png", width_px: width, height_px: height }
}

function short(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0)
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte)
}
