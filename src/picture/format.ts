import { Fault } from "../fault.ts"

export type Format = "jpeg" | "png" | "webp"

/** What a picture may be at most. Checked from bytes and header, before any pixel is decoded. */
export const pictureLimits = {
  bytes: 32 * 1024 * 1024,
  pixels: 50_000_000,
  /** Of each side. */
  side_px: 16_384,
} as const

/**
 * The format by its first bytes, judged before a decoder sees any.
 * Three formats and no more: every decoder is attack surface, and readers write JPEG, now and then PNG or WebP.
 * @returns `null` for everything else: SVG, GIF, TIFF, HEIF, PDF and the rest.
 * Source: ISO/IEC 10918-1 §B.2.1 (SOI and the marker after it), PNG 3rd edition §5.2, RFC 9649 §2.4.
 */
export function formatOf(picture: Uint8Array): Format | null {
  if (startsWith(picture, [0xff, 0xd8, 0xff])) return "jpeg"
  if (startsWith(picture, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return "png"
  const isRiff = startsWith(picture, [0x52, 0x49, 0x46, 0x46])
  if (isRiff && startsWith(picture.subarray(8), [0x57, 0x45, 0x42, 0x50])) return "webp"
  return null
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, i) => bytes[i] === byte)
}

/** @throws Fault PICTURE_SIZE over `pictureLimits.bytes`; PICTURE for a format that is not taken. */
export function checkBytes(picture: Uint8Array): Format {
  if (picture.length > pictureLimits.bytes) {
    throw new Fault("PICTURE_SIZE", `the picture has ${picture.length} bytes, over ${pictureLimits.bytes}`)
  }
  const format = formatOf(picture)
  if (format === null) throw new Fault("PICTURE", "the picture is neither JPEG nor PNG nor WebP")
  return format
}

/** @throws Fault PICTURE_SIZE over the limits of pixels and sides. */
export function checkSize(width_px: number, height_px: number): void {
  if (Math.max(width_px, height_px) > pictureLimits.side_px || width_px * height_px > pictureLimits.pixels) {
    throw new Fault("PICTURE_SIZE", `the picture is ${width_px} × ${height_px} pixels, over the limits`)
  }
}
