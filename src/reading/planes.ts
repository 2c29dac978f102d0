import type { Pixels } from "../picture/pixels.ts"

/** How a network takes one channel of a picture: (value − `less`) ÷ `over`, of values 0 to 255. */
export interface Channel {
  /** Which of red, green and blue. */
  readonly from: 0 | 1 | 2
  readonly less: number
  readonly over: number
}

/** A picture as a network takes it: one plane of floats for each channel, row by row, in the order given. */
export function planesOf({ rgb, width_px, height_px }: Pixels, channels: readonly Channel[]): Float32Array {
  const count = width_px * height_px
  const data = new Float32Array(channels.length * count)
  for (const [n, { from, less, over }] of channels.entries()) {
    for (let i = 0, at = n * count; i < count; i += 1, at += 1)
      data[at] = ((rgb[3 * i + from] as number) - less) / over
  }
  return data
}
