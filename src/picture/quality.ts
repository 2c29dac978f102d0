import type { Pixels } from "./pixels.ts"

/** How good a picture is, as far as its pixels say. */
export interface Quality {
  /** Mean brightness, 0 (black) to 1 (white). */
  readonly brightness: number
  /** Share of pixels that are burnt out or black, 0 to 1. */
  readonly clipped: number
  /**
   * How sharp its edges are, from 0: the standard deviation of the Laplacian, in shares of white. Of drawn lane pictures 0.03 to
   * 0.1; one that is out of focus, below 0.01.
   */
  readonly sharpness: number
}

/** Rows and columns that are looked at are at most this many, evenly spread; neighbours are always true neighbours. */
const most = 512

/** The quality of a picture. Costs about 2 ms of one core, whatever its size. */
export function qualityOf({ rgb, width_px, height_px }: Pixels): Quality {
  const step = Math.max(1, Math.ceil(Math.max(width_px, height_px) / most))
  const grey = (x: number, y: number) => {
    const at = 3 * (y * width_px + x)
    return 0.299 * (rgb[at] ?? 0) + 0.587 * (rgb[at + 1] ?? 0) + 0.114 * (rgb[at + 2] ?? 0)
  }
  let [count, sum, clipped, edges, squares] = [0, 0, 0, 0, 0]
  for (let y = 1; y < height_px - 1; y += step) {
    for (let x = 1; x < width_px - 1; x += step) {
      const value = grey(x, y)
      const laplacian = grey(x - 1, y) + grey(x + 1, y) + grey(x, y - 1) + grey(x, y + 1) - 4 * value
      count += 1
      sum += value
      if (value < 4 || value > 251) clipped += 1
      edges += laplacian
      squares += laplacian * laplacian
    }
  }
  if (count === 0) return { brightness: 0, clipped: 0, sharpness: 0 }
  const deviation = Math.sqrt(Math.max(0, squares / count - (edges / count) ** 2))
  return {
    brightness: rounded(sum / count / 255),
    clipped: rounded(clipped / count),
    sharpness: rounded(deviation / 255),
  }
}

function rounded(share: number): number {
  return Math.round(share * 1000) / 1000
}
