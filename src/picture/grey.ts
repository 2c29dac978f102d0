import type { Box } from "./level.ts"
import { colours, type Pixels } from "./pixels.ts"

/** A picture of one channel with a solid border, so that whoever looks around a pixel needs not ask where it ends. */
export interface Grey {
  /** Row by row, `width_px + 2 * border_px` bytes each, `height_px + 2 * border_px` rows. */
  readonly values: Uint8Array
  readonly width_px: number
  readonly height_px: number
}

/** What lies around a picture: as wide as anybody looks from a corner, and of the colour that redaction leaves. */
export const border_px = 18

/** Bytes from one row to the next. */
export function strideOf({ width_px }: { readonly width_px: number }): number {
  return width_px + 2 * border_px
}

/** From one level of a pyramid to the next: six sixteenths of a doubling, about 1.3. */
const step = 2 ** (6 / 16)

const maxLevels = 8

/** A level that is lower than a descriptor's surroundings shows too little to tell by. */
const leastSide_px = 24

/** A smaller part is enlarged to this length, at most twice as large: its few pixels make more corners. */
const enlargedSide_px = 400

/**
 * A part of a picture at up to eight sizes, the largest first, whose longer side has `longest_px`; none where the part
 * is too small or too narrow. Costs about 4 ns for each pixel of the part and 10 for each of the first level.
 */
export function levelsOf(pixels: Pixels, part: Box, longest_px: number): readonly Grey[] {
  const longer = Math.max(part.width_px, part.height_px)
  const shorter = Math.min(part.width_px, part.height_px)
  const reduces = Math.max(1, Math.min(shorter, Math.floor(longer / longest_px)))
  const all = greyOf(pixels, part, reduces)
  const longest = Math.max(all.width_px, all.height_px)
  const levels: Grey[] = []
  let scale = Math.min(Math.max(1, Math.min(2, enlargedSide_px / longest)), longest_px / longest)
  let level = all
  for (; levels.length < maxLevels; scale /= step) {
    const [width_px, height_px] = [Math.round(all.width_px * scale), Math.round(all.height_px * scale)]
    if (Math.min(width_px, height_px) < leastSide_px) break
    const isSame = width_px === level.width_px && height_px === level.height_px
    if (!isSame) level = resizedGrey(level, width_px, height_px)
    levels.push(level)
  }
  return levels
}

/**
 * The luma of a part of a picture, each pixel the mean of `reduces` × `reduces` of the part's; what is left over at its
 * right and lower edge is shared out. Source: ITU-R BT.601, in 256ths. Costs about 4 ns for each pixel of the part.
 */
function greyOf({ rgb, width_px }: Pixels, part: Box, reduces: number): Grey {
  const columns = Math.max(1, Math.floor(part.width_px / reduces))
  const rows = Math.max(1, Math.floor(part.height_px / reduces))
  const grey = solid(columns, rows)
  const sums = new Uint32Array(columns)
  const left = part.x_px + ((part.width_px - columns * reduces) >> 1)
  const top = part.y_px + ((part.height_px - rows * reduces) >> 1)
  for (let y = 0; y < rows; y += 1) {
    sums.fill(0)
    for (let n = 0; n < reduces; n += 1) {
      let from = ((top + y * reduces + n) * width_px + left) * 3
      for (let x = 0; x < columns; x += 1) {
        let sum = 0
        for (const end = from + 3 * reduces; from < end; from += 3) {
          sum += 77 * (rgb[from] as number) + 150 * (rgb[from + 1] as number) + 29 * (rgb[from + 2] as number)
        }
        sums[x] = (sums[x] as number) + sum
      }
    }
    const to = (y + border_px) * strideOf(grey) + border_px
    const share = 1 / (256 * reduces * reduces)
    for (let x = 0; x < columns; x += 1) grey.values[to + x] = (sums[x] as number) * share + 0.5
  }
  return grey
}

function solid(width_px: number, height_px: number): Grey {
  const values = new Uint8Array((width_px + 2 * border_px) * (height_px + 2 * border_px))
  return { values: values.fill(colours.solid[0]), width_px, height_px }
}

/**
 * A picture at another size, at most twice as small, linear between its pixels. Nothing of the border comes in.
 * Costs about 4 ns for each new pixel.
 */
function resizedGrey(grey: Grey, width_px: number, height_px: number): Grey {
  const { values } = grey
  const stride = strideOf(grey)
  const result = solid(width_px, height_px)
  const across = placesOf(grey.width_px, width_px)
  const down = placesOf(grey.height_px, height_px)
  for (let y = 0; y < height_px; y += 1) {
    const place = down[y] as number
    const lower = place & 255
    const row = ((place >> 8) + border_px) * stride + border_px
    let to = (y + border_px) * strideOf(result) + border_px
    for (let x = 0; x < width_px; x += 1, to += 1) {
      const right = (across[x] as number) & 255
      const at = row + ((across[x] as number) >> 8)
      const above = (values[at] as number) * (256 - right) + (values[at + 1] as number) * right
      const below =
        (values[at + stride] as number) * (256 - right) + (values[at + stride + 1] as number) * right
      result.values[to] = (above * (256 - lower) + below * lower + 32_768) >> 16
    }
  }
  return result
}

/** Where each new pixel's middle lies in the old row, in 256ths of a pixel; never past the last one. */
function placesOf(old: number, now: number): Int32Array {
  return Int32Array.from({ length: now }, (_, i) => {
    const centre = ((i + 0.5) * old) / now - 0.5
    return Math.round(256 * Math.max(0, Math.min(old - 1, centre)))
  })
}

/**
 * The sums over the 5 × 5 pixels around each pixel, bordered like `grey`; in the outermost two rows and columns of the
 * border they are 0. Costs about 2 ns for each pixel.
 */
export function sumsOf(grey: Grey): Uint16Array {
  const { values } = grey
  const stride = strideOf(grey)
  const rows = new Uint16Array(values.length)
  for (let at = 2; at < values.length - 2; at += 1) {
    rows[at] =
      (values[at - 2] as number) +
      (values[at - 1] as number) +
      (values[at] as number) +
      (values[at + 1] as number) +
      (values[at + 2] as number)
  }
  const sums = new Uint16Array(values.length)
  for (let at = 2 * stride; at < values.length - 2 * stride; at += 1) {
    sums[at] =
      (rows[at - 2 * stride] as number) +
      (rows[at - stride] as number) +
      (rows[at] as number) +
      (rows[at + stride] as number) +
      (rows[at + 2 * stride] as number)
  }
  return sums
}
