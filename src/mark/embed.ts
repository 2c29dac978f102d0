import { assert } from "../fault.ts"
import { amplitudes } from "./code.ts"
import { band, fieldOf, gridOf, type Area, type Field } from "./lapped.ts"
import type { Rgb } from "./plane.ts"
import type { Runs } from "./runs.ts"
import {
  cell_px,
  cellsOf,
  factorFor,
  roomAlong,
  strengthsAlong,
  strengthsOf,
  type Cells,
} from "./strength.ts"

/** What a copy carries: for each chip of the image's grid its bias and its value. */
export interface Codeword {
  /** Which of `biases`, 0 to 2. */
  readonly biases: Uint8Array
  /** 0 or 1. */
  readonly chips: Uint8Array
}

export interface EmbedOptions {
  readonly codeword: Codeword
  /** What the copy shows. */
  readonly shown: Runs
  /** Peak signal to noise over what is kept, in dB: how strong the mark is at most. */
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
 * Writes the codeword into what a copy shows of a picture: the same change to red, green and blue.
 * @param original  the whole picture, by which the strength goes.
 * @param copy  what the copy shows of it, in the same pixels; changed where it shows something. It may be the original itself.
 * Costs about 14 ns for each pixel of the box around what is shown.
 */
export function embed(original: Rgb, copy: Rgb, { codeword, shown, psnr_db }: EmbedOptions): void {
  assert(codeword.chips.length === gridOf(original).count, "one image, one grid")
  const area = areaOf(shown)
  if (area === null) return
  assert(area.right <= original.width_px && area.bottom <= original.height_px, "a copy shows what there is")
  const cells = cellsOf(original, grown(area, original))
  const field = fieldOf(amplitudesOf(codeword), original, area, roomFor)
  const energies = energiesOf(field, shown, cells)
  // Rounding to whole levels changes a pixel as well: by a twelfth in the mean square.
  const noise = Math.max(0, exactness * (255 ** 2 / 10 ** (psnr_db / 10)) - 1 / 12)
  const budget = { kept_px: shown.shown_px, noise, dissimilarity }
  const strengths = strengthsOf(cells, factorFor(cells, energies, budget))
  addTo(copy, { shown, field, strengths, cells })
}

/** Pixels of a field for whose room is kept: 32 MB. */
const mostKept_px = 2 ** 23

let room: Float32Array = new Float32Array(0)

/** From copy to copy the same, since new memory costs as much as what is written into it. */
function roomFor(count: number): Float32Array {
  if (count > mostKept_px) return new Float32Array(count)
  if (count > room.length) room = new Float32Array(count)
  return room
}

/** What is added to a pixel is less than this, by far: above 0, whole numbers round down. */
const mostAdded = 512

interface Added {
  readonly shown: Runs
  readonly field: Field
  readonly strengths: Float32Array
  readonly cells: Cells
}

/** Adds the field by the strengths, linear between the middles of cells. */
function addTo({ rgb, width_px }: Rgb, { shown, field, strengths, cells }: Added): void {
  const middles = roomAlong(cells)
  const { stretches } = shown
  const { values } = field
  for (let i = 0, drawn = -1; i < stretches.length; i += 3) {
    const [y, first, right] = [stretches[i] as number, stretches[i + 1] as number, stretches[i + 2] as number]
    if (drawn !== y) strengthsAlong(cells, strengths, y, middles)
    drawn = y
    const from = (y - field.top) * field.width_px - field.left
    let column = Math.floor(first / cell_px + 0.5)
    for (let x = first, at = 3 * (y * width_px + x); x < right; column += 1) {
      const left = middles[column] as number
      const step = ((middles[column + 1] as number) - left) / cell_px
      let strength = left + step * (x + 0.5 - (column - 0.5) * cell_px)
      const end = Math.min(right, (column + 0.5) * cell_px)
      for (; x < end; x += 1, at += 3, strength += step) {
        const by = ((strength * (values[from + x] as number) + (mostAdded + 0.5)) | 0) - mostAdded
        const red = (rgb[at] as number) + by
        const green = (rgb[at + 1] as number) + by
        const blue = (rgb[at + 2] as number) + by
        if (((red | green | blue) & ~255) === 0) {
          rgb[at] = red
          rgb[at + 1] = green
          rgb[at + 2] = blue
        } else {
          rgb[at] = clamped(red)
          rgb[at + 1] = clamped(green)
          rgb[at + 2] = clamped(blue)
        }
      }
    }
  }
}

function clamped(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value
}

/** For each chip what it adds, so that the field has mean square 1. */
export function amplitudesOf({ biases, chips }: Codeword): Float32Array {
  const values = new Float32Array(chips.length)
  const table = amplitudes.map(pair => pair.map(value => value * norm))
  for (let i = 0; i < values.length; i += 1)
    values[i] = (table[biases[i] as number] as number[])[chips[i] as number] as number
  return values
}

/** The smallest box around what is shown, or `null`. */
function areaOf({ stretches }: Runs): Area | null {
  if (stretches.length === 0) return null
  let [left, right] = [Infinity, 0]
  for (let i = 0; i < stretches.length; i += 3) {
    left = Math.min(left, stretches[i + 1] as number)
    right = Math.max(right, stretches[i + 2] as number)
  }
  return { left, top: stretches[0] as number, right, bottom: (stretches.at(-3) as number) + 1 }
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

/** For each cell the sum of the squared field over what is shown of it. */
function energiesOf({ values, left, top, width_px }: Field, { stretches }: Runs, cells: Cells): Float64Array {
  const energies = new Float64Array(cells.wish.length)
  for (let i = 0; i < stretches.length; i += 3) {
    const [y, first, right] = [stretches[i] as number, stretches[i + 1] as number, stretches[i + 2] as number]
    const from = (y - top) * width_px - left
    for (let x = first, at = Math.floor(y / cell_px) * cells.across + (x >> 3); x < right; at += 1) {
      let energy = 0
      for (const end = Math.min(right, ((x >> 3) + 1) * cell_px); x < end; x += 1) {
        const value = values[from + x] as number
        energy += value * value
      }
      energies[at] = (energies[at] as number) + energy
    }
  }
  return energies
}
