import sharp from "sharp"
import { chanceOf } from "../src/drawing/chance.ts"
import { lumaOf, type Plane } from "../src/mark/plane.ts"
import type { Pixels } from "../src/picture/pixels.ts"

/**
 * What is usual, to measure beside: 64 bits spread over low and middle frequencies of 8 × 8 blocks, added at the PSNR that
 * our mark has, and read without the original by correlation. Sources: Cox et al. 1997, "Secure spread spectrum watermarking
 * for multimedia"; Hernández, Amado, Pérez-González 2000, "DCT-domain watermarking techniques for still images".
 */

const payload_bits = 64

/** Of 64 bits so many right accuse one of 1,000 at 10⁻⁹. */
export const acceptedBits = 59

const band = (() => {
  const list: (readonly [number, number])[] = []
  for (let v = 0; v < 8; v += 1)
    for (let u = 0; u < 8; u += 1) if (u + v >= 2 && u + v <= 4) list.push([u, v])
  return list
})()

const functions = band.map(([u, v]) =>
  Float32Array.from({ length: 64 }, (_, i) => wave(u, i & 7) * wave(v, i >> 3)),
)

function wave(frequency: number, place: number): number {
  return (frequency === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * place + 1) * frequency * Math.PI) / 16)
}

/** For each coefficient which bit it carries and with which sign. */
export interface Spreading {
  readonly bits: Uint8Array
  readonly signs: Int8Array
  readonly payload: Int8Array
  readonly across: number
  readonly down: number
  readonly width_px: number
  readonly height_px: number
}

export function spreadingOf({ width_px, height_px }: Pixels, seed: string): Spreading {
  const chance = chanceOf("blind", seed)
  const [across, down] = [width_px >> 3, height_px >> 3]
  const count = across * down * band.length
  return {
    bits: Uint8Array.from({ length: count }, () => chance.index(payload_bits)),
    signs: Int8Array.from({ length: count }, () => (chance.happens(0.5) ? 1 : -1)),
    payload: Int8Array.from({ length: payload_bits }, () => (chance.happens(0.5) ? 1 : -1)),
    across,
    down,
    width_px,
    height_px,
  }
}

export function blindMarked(pixels: Pixels, spreading: Spreading, psnr_db: number): Pixels {
  const { width_px } = pixels
  const gain = Math.sqrt((255 ** 2 / 10 ** (psnr_db / 10)) * (64 / band.length))
  const rgb = Uint8Array.from(pixels.rgb)
  const block = new Float32Array(64)
  for (let j = 0, at = 0; j < spreading.down; j += 1) {
    for (let i = 0; i < spreading.across; i += 1) {
      block.fill(0)
      for (const shape of functions) {
        const amplitude = gain * spreading.signs[at]! * spreading.payload[spreading.bits[at]!]!
        for (let n = 0; n < 64; n += 1) block[n]! += amplitude * shape[n]!
        at += 1
      }
      for (let n = 0; n < 64; n += 1) {
        const to = 3 * ((8 * j + (n >> 3)) * width_px + 8 * i + (n & 7))
        for (let c = 0; c < 3; c += 1)
          rgb[to + c] = Math.max(0, Math.min(255, Math.round(rgb[to + c]! + block[n]!)))
      }
    }
  }
  return { ...pixels, rgb }
}

/** How many bits are right, of the leak as it is or brought back to the copy's size, whichever has more. */
export async function bitsRight(leak: Pixels, spreading: Spreading): Promise<number> {
  const { width_px: width, height_px: height } = spreading
  const own = bitsIn(lumaOf(leak), spreading)
  if (leak.width_px === width && leak.height_px === height) return own
  const raw = { width: leak.width_px, height: leak.height_px, channels: 3 } as const
  const rgb = await sharp(leak.rgb, { raw }).resize(width, height, { fit: "fill" }).raw().toBuffer()
  return Math.max(own, bitsIn(lumaOf({ rgb, width_px: width, height_px: height }), spreading))
}

const clip = 2

function bitsIn({ values, width_px, height_px }: Plane, spreading: Spreading): number {
  const { across, down, bits, signs, payload } = spreading
  const count = band.length
  const found = new Float32Array(across * down * count)
  for (let j = 0; j < Math.min(down, height_px >> 3); j += 1) {
    for (let i = 0; i < Math.min(across, width_px >> 3); i += 1) {
      const from = 8 * j * width_px + 8 * i
      functions.forEach((shape, k) => {
        let sum = 0
        for (let n = 0; n < 64; n += 1) sum += shape[n]! * values[from + (n >> 3) * width_px + (n & 7)]!
        found[(j * across + i) * count + k] = sum
      })
    }
  }
  const sums = new Float64Array(payload_bits)
  for (let k = 0; k < count; k += 1) {
    let squares = 0
    for (let at = k; at < found.length; at += count) squares += Math.abs(found[at]!)
    const scale = 1 / Math.max(1e-6, squares / (found.length / count))
    for (let at = k; at < found.length; at += count)
      sums[bits[at]!]! += signs[at]! * Math.max(-clip, Math.min(clip, found[at]! * scale))
  }
  return payload.filter((bit, i) => bit * sums[i]! > 0).length
}
