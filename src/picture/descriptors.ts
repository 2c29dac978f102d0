import { assert } from "../fault.ts"
import { cornersOf, type Corner } from "./corners.ts"
import { border_px, levelsOf, strideOf, sumsOf, type Grey } from "./grey.ts"
import type { Box } from "./level.ts"
import type { Pixels } from "./pixels.ts"

// The format and what it is for: docs/formats/descriptors.md

/** What the surroundings of one corner look like, so that they are known again turned, rescaled and recompressed. */
export interface Descriptor {
  /** Where the corner lies in the picture. */
  readonly x_px: number
  readonly y_px: number
  /** How many pixels of the picture are one of the level that the corner was found in. */
  readonly scale: number
  /** To which side its surroundings are brighter, 256ths of a turn from the right, clockwise. */
  readonly angle: number
  /** 256 answers. */
  readonly bits: Uint8Array
}

/** Of one packed descriptor. */
export const record_bytes = 38

/** Nothing of ours packs more descriptors than this into one list. */
export const maxDescriptors = 1024

/** The longer side at which an original, a part of one and a leaked picture are looked at. */
const sides_px = { whole: 1024, part: 480, leak: 800 }

/** How many more corners a level gets than the next, which has 0.6 times its pixels: coarse ones outlive a rescaling. */
const share = 1.3

/** How far from its corner a descriptor looks; the sums reach two pixels further. */
const reach_px = 15

/**
 * At most `most` descriptors of a picture, packed, 38 bytes each; fewer where there are fewer corners, none where it is
 * flat. The same pixels give the same bytes.
 * @param part  `null` for the whole. Else only pixels inside of it are looked at, what lies around is taken for solid:
 * a copy that kept this part and nothing else is described alike.
 * @param most  0 ≤ most ≤ 1024.
 * Sources: Rublee et al. 2011 ("ORB"), §3 and §4.1; Calonder et al. 2010 ("BRIEF"), §3.
 * Costs most of what a sketch costs.
 */
export function descriptorsOf(pixels: Pixels, part: Box | null, most: number): Uint8Array {
  const { width_px, height_px } = pixels
  const whole = { x_px: 0, y_px: 0, width_px, height_px }
  return described(pixels, { part: part ?? whole, most, longest_px: part ? sides_px.part : sides_px.whole })
}

/**
 * At most `most` descriptors of a leaked picture, packed, by which its original is looked for: it is looked at more closely
 * than an original. Mirrored pictures are not known again; turn one over to ask for it.
 * @param part  as for `descriptorsOf`.
 */
export function leakDescriptorsOf(pixels: Pixels, part: Box | null, most: number): Uint8Array {
  const { width_px, height_px } = pixels
  const whole = { x_px: 0, y_px: 0, width_px, height_px }
  return described(pixels, { part: part ?? whole, most, longest_px: sides_px.leak })
}

/** The longer side at which an original that is at hand is looked at once more. */
const closeSide_px = 1600

/** As `descriptorsOf` the whole, looked at so closely that a small part of it is known again at its full size. */
export function closeDescriptorsOf(pixels: Pixels, most: number): Uint8Array {
  const { width_px, height_px } = pixels
  return described(pixels, {
    part: { x_px: 0, y_px: 0, width_px, height_px },
    most,
    longest_px: closeSide_px,
  })
}

interface Look {
  readonly part: Box
  readonly most: number
  readonly longest_px: number
}

function described(pixels: Pixels, { part, most, longest_px }: Look): Uint8Array {
  assert(most >= 0 && most <= maxDescriptors, "a list has at most 1024 descriptors")
  const levels = levelsOf(pixels, part, longest_px)
  const bytes = new Uint8Array(most * record_bytes)
  let count = 0
  levels.forEach((level, i) => {
    const remaining = levels.slice(i).reduce((sum, _, n) => sum + share ** -n, 0)
    const corners = cornersOf(level, Math.round((most - count) / remaining))
    if (corners.length === 0) return
    const sums = sumsOf(level)
    for (const corner of corners) {
      const record = bytes.subarray(count * record_bytes, (count + 1) * record_bytes)
      writePlace(record, { level, part }, corner)
      writeLook(record, { level, sums }, corner)
      count += 1
    }
  })
  return bytes.slice(0, count * record_bytes)
}

/** Sixteenths of a doubling, from a quarter on. */
const scaleSteps = { perDoubling: 16, ofOne: 32 }

function writePlace(record: Uint8Array, { level, part }: { level: Grey; part: Box }, corner: Corner): void {
  const across = part.width_px / level.width_px
  const down = part.height_px / level.height_px
  const view = new DataView(record.buffer, record.byteOffset)
  view.setUint16(0, part.x_px + Math.floor((corner.x + 0.5) * across))
  view.setUint16(2, part.y_px + Math.floor((corner.y + 0.5) * down))
  record[4] = scaleSteps.ofOne + Math.round(scaleSteps.perDoubling * Math.log2(Math.sqrt(across * down)))
}

function writeLook(
  record: Uint8Array,
  { level, sums }: { level: Grey; sums: Uint16Array },
  corner: Corner,
): void {
  const stride = strideOf(level)
  const at = (corner.y + border_px) * stride + corner.x + border_px
  const angle = angleOf(level, at)
  record[5] = angle
  const points = turnedPatterns.subarray(angle * 1024, (angle + 1) * 1024)
  for (let i = 6, n = 0; i < record_bytes; i += 1) {
    let byte = 0
    for (let bit = 0; bit < 8; bit += 1, n += 4) {
      const one = sums[at + (points[n + 1] as number) * stride + (points[n] as number)] as number
      const other = sums[at + (points[n + 3] as number) * stride + (points[n + 2] as number)] as number
      if (one < other) byte |= 1 << bit
    }
    record[i] = byte
  }
}

/** For each row of a disc of radius 15, from the top, how far it goes to either side. */
const discRows = Int32Array.from({ length: 2 * reach_px + 1 }, (_, i) => {
  return Math.floor(Math.sqrt(reach_px * (reach_px + 1) - (i - reach_px) ** 2))
})

/** From the corner to the centroid of brightness around it. Source: Rublee et al. 2011, §3.2, equations 1 to 3. */
function angleOf({ values, width_px }: Grey, at: number): number {
  const stride = strideOf({ width_px })
  let across = 0
  let down = 0
  for (let y = -reach_px; y <= reach_px; y += 1) {
    const half = discRows[y + reach_px] as number
    let row = 0
    for (let x = -half; x <= half; x += 1) {
      const value = values[at + y * stride + x] as number
      row += value
      across += x * value
    }
    down += y * row
  }
  return Math.round((Math.atan2(down, across) * 128) / Math.PI) & 255
}

/**
 * The 256 pairs of points whose brightness is compared, as x, y, x, y from the corner: bell-shaped around it as BRIEF
 * proposes (its G II), in whole numbers, from a fixed run of xorshift32. Sources: Calonder et al. 2010, §3.2; Marsaglia
 * 2003, "Xorshift RNGs", §3.
 */
export const testPattern: Int8Array = drawPattern(0x5a11_7047)

function drawPattern(seed: number): Int8Array {
  let state = seed
  function draw(): number {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 8) % 11
  }
  const coordinate = () => draw() + draw() + draw() + draw() - 20
  const points = new Int8Array(1024)
  for (let n = 0; n < points.length;) {
    const [ax, ay, bx, by] = [coordinate(), coordinate(), coordinate(), coordinate()]
    const isInside = Math.max(ax ** 2 + ay ** 2, bx ** 2 + by ** 2) <= reach_px ** 2
    const isApart = (ax - bx) ** 2 + (ay - by) ** 2 >= 16
    if (!isInside || !isApart) continue
    points.set([ax, ay, bx, by], n)
    n += 4
  }
  return points
}

/** The pattern turned to each of the 256 angles, in whole pixels. */
const turnedPatterns: Int8Array = turnPattern()

function turnPattern(): Int8Array {
  const points = new Int8Array(256 * 1024)
  for (let angle = 0, at = 0; angle < 256; angle += 1) {
    const cos = Math.cos((angle * Math.PI) / 128)
    const sin = Math.sin((angle * Math.PI) / 128)
    for (let n = 0; n < 1024; n += 2, at += 2) {
      const x = testPattern[n] as number
      const y = testPattern[n + 1] as number
      points[at] = Math.round(x * cos - y * sin)
      points[at + 1] = Math.round(x * sin + y * cos)
    }
  }
  return points
}

/** The descriptors that `bytes` pack, or `null`: no whole records, more than 1024, or a scale that none has. */
export function parseDescriptors(bytes: Uint8Array): readonly Descriptor[] | null {
  const count = bytes.length / record_bytes
  if (!Number.isInteger(count) || count > maxDescriptors) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const list: Descriptor[] = []
  for (let at = 0; at < bytes.length; at += record_bytes) {
    const step = view.getUint8(at + 4)
    if (step < scaleSteps.ofOne - scaleSteps.perDoubling) return null
    list.push({
      x_px: view.getUint16(at),
      y_px: view.getUint16(at + 2),
      scale: 2 ** ((step - scaleSteps.ofOne) / scaleSteps.perDoubling),
      angle: view.getUint8(at + 5),
      bits: bytes.slice(at + 6, at + record_bytes),
    })
  }
  return list
}
