import { assert } from "../fault.ts"
import { amplitudes } from "./code.ts"
import { band, fieldOf, gridOf, type Area, type Field } from "./lapped.ts"
import type { Rgb } from "./plane.ts"
import { cell_px, cellsOf, factorFor, strengthRow, strengthsOf, type Cells } from "./strength.ts"

/** What a copy carries: for each chip of the image's grid its bias and its value. */
export interface Codeword {
  /** Which of `biases`, 0 to 2. */
  readonly biases: Uint8Array
  /** 0 or 1. */
  readonly chips: Uint8Array
}

export interface EmbedOptions {
  readonly codeword: Codeword
  /** For each pixel 1 where the copy shows it, else 0. */
  readonly kept: Uint8Array
  /** Peak signal to noise over what is kept, in dB: how strong the mark is at most. */
  readonly psnr_db: number
}

export interface Embedded {
  /** Pixels that carry the mark. */
  readonly marked_px: number
  /** Reached; above what was asked for where flat areas could not take more. */
  readonly psnr_db: number
}

/**
 * However flat the picture, by its cells' texture: that is measured over less than the similarity's own windows and overstates
 * the loss by half, so that by bench/mark-quality.ts at least 0.985 is kept.
 */
const dissimilarity = 0.0228

/** What is changed comes out within a sixtieth of what was reckoned. */
const exactness = 0.985

/** The field has mean square 1 where all its frequencies carry chips of mean square 1. */
const norm = Math.sqrt(256 / band.length)

/**
 * Writes the codeword into what a copy keeps of a picture: the same change to red, green and blue.
 * @param original  the whole picture, by which the strength goes.
 * @param copy  what the copy shows of it, in the same pixels; changed where `kept`. It may be the original itself.
 * Costs about 20 ns for each pixel of the box around what is kept.
 */
export function embed(original: Rgb, copy: Rgb, options: EmbedOptions): Embedded {
  const { width_px, height_px } = original
  const { codeword, kept, psnr_db } = options
  const grid = gridOf(original)
  assert(codeword.chips.length === grid.count && kept.length === width_px * height_px, "one image, one grid")
  const area = areaOf(kept, width_px, height_px)
  if (area === null) return { marked_px: 0, psnr_db: Infinity }
  const cells = cellsOf(original, grown(area, original))
  const field = fieldOf(amplitudesOf(codeword), original, area)
  const { energies, marked_px } = energiesOf(field, { kept, across_px: width_px, area, cells })
  // Rounding to whole levels changes a pixel as well: by a twelfth in the mean square.
  const noise = Math.max(0, exactness * (255 ** 2 / 10 ** (psnr_db / 10)) - 1 / 12)
  const budget = { kept_px: marked_px, noise, dissimilarity }
  const strengths = strengthsOf(cells, factorFor(cells, energies, budget))
  const row = new Float32Array(width_px)
  let changed = 0
  for (let y = area.top; y < area.bottom; y += 1) {
    strengthRow(cells, strengths, y, row)
    const from = (y - field.top) * field.width_px - field.left
    changed += addTo(copy.rgb, { kept, strengths: row, field: field.values, from }, y * width_px, area)
  }
  return { marked_px, psnr_db: 10 * Math.log10((255 ** 2 * marked_px) / changed) }
}

/** What is added to a pixel is less than this, by far. */
const mostAdded = 512

/** By pixel value and what is added to it: brought to 0 … 255. Twice as fast as `Uint8ClampedArray`. */
const clamped = Uint8ClampedArray.from({ length: 256 + 2 * mostAdded }, (_, i) => i - mostAdded)

interface Row {
  readonly kept: Uint8Array
  readonly strengths: Float32Array
  readonly field: Float32Array
  /** Where in `field` the picture's column 0 is. */
  readonly from: number
}

/** Of one row, which starts at the pixel `start`. @returns the sum of the squared changes, before they are rounded. */
function addTo(rgb: Uint8Array, { kept, strengths, field, from }: Row, start: number, area: Area): number {
  let changed = 0
  for (let x = area.left; x < area.right; x += 1) {
    if (kept[start + x] === 0) continue
    const change = (strengths[x] as number) * (field[from + x] as number)
    changed += change * change
    const at = 3 * (start + x)
    const by = (change + mostAdded + 0.5) | 0
    rgb[at] = clamped[(rgb[at] as number) + by] as number
    rgb[at + 1] = clamped[(rgb[at + 1] as number) + by] as number
    rgb[at + 2] = clamped[(rgb[at + 2] as number) + by] as number
  }
  return changed
}

/** For each chip what it adds, so that the field has mean square 1. */
export function amplitudesOf({ biases, chips }: Codeword): Float32Array {
  const values = new Float32Array(chips.length)
  const table = amplitudes.map(pair => pair.map(value => value * norm))
  for (let i = 0; i < values.length; i += 1)
    values[i] = (table[biases[i] as number] as number[])[chips[i] as number] as number
  return values
}

/** The smallest box around what is kept, or `null`. */
function areaOf(kept: Uint8Array, width_px: number, height_px: number): Area | null {
  let [left, top, right, bottom] = [width_px, -1, 0, 0]
  for (let y = 0; y < height_px; y += 1) {
    const row = kept.subarray(y * width_px, (y + 1) * width_px)
    const first = row.indexOf(1)
    if (first < 0) continue
    if (top < 0) top = y
    bottom = y + 1
    left = Math.min(left, first)
    right = Math.max(right, row.lastIndexOf(1) + 1)
  }
  return top < 0 ? null : { left, top, right, bottom }
}

/** With the neighbouring cells, between which strengths are smoothed. */
function grown({ left, top, right, bottom }: Area, { width_px, height_px }: Rgb): Area {
  return {
    left: Math.max(0, left - cell_px),
    top: Math.max(0, top - cell_px),
    right: Math.min(width_px, right + cell_px),
    bottom: Math.min(height_px, bottom + cell_px),
  }
}

interface Kept {
  readonly kept: Uint8Array
  /** Pixels in a row of `kept`. */
  readonly across_px: number
  readonly area: Area
  readonly cells: Cells
}

/** For each cell the sum of the squared field over what is kept of it. */
function energiesOf(
  field: Field,
  { kept, across_px, area, cells }: Kept,
): { energies: Float64Array; marked_px: number } {
  const energies = new Float64Array(cells.wish.length)
  const { values, left, top, width_px } = field
  let marked_px = 0
  for (let y = area.top; y < area.bottom; y += 1) {
    const from = (y - top) * width_px - left
    const row = y * across_px
    for (let x = area.left, at = Math.floor(y / cell_px) * cells.across + (x >> 3); x < area.right; at += 1) {
      let energy = 0
      for (const end = Math.min(area.right, ((x >> 3) + 1) * cell_px); x < end; x += 1) {
        if (kept[row + x] === 0) continue
        const value = values[from + x] as number
        energy += value * value
        marked_px += 1
      }
      energies[at] = (energies[at] as number) + energy
    }
  }
  return { energies, marked_px }
}
