import type { Pixels } from "../picture/pixels.ts"
import { changed, heightOf, widthOf, type Change, type Region } from "./region.ts"
import { sample } from "./sampling.ts"
import { lineHeight_px, type TextOdds, type TextRecogniser } from "./text-recogniser.ts"

/** One way of showing a line of text to the recogniser. */
export interface Rereading {
  /** As the first look places the line, or as the second does. */
  readonly of: "first" | "second"
  readonly change: Change
  /** How much wider than its shape it is shown: narrow letters get more of the recogniser's steps. */
  readonly stretch: number
  readonly look: (line: Pixels) => Pixels
}

/**
 * The four readings that vote beside the first look's own. They differ in where the line is cut, how wide it is shown
 * and in its colours, so that each errs elsewhere; chosen on the development part of the photographs among fifteen such ways.
 */
export const rereadings: readonly Rereading[] = [
  { of: "first", change: { wider: 0.05 }, stretch: 1.2, look: grey },
  { of: "second", change: {}, stretch: 1, look: same },
  { of: "second", change: { wider: 0.06 }, stretch: 1.6, look: same },
  { of: "second", change: { wider: 0.05 }, stretch: 1.2, look: grey },
]

const steps = { least_px: 32, most_px: 480, unit_px: 8 } as const

/** Reads the line of text in a region of a picture. */
export function readLine(
  recogniser: TextRecogniser,
  pixels: Pixels,
  region: Region,
  { change, stretch, look }: Pick<Rereading, "change" | "stretch" | "look"> = {
    change: {},
    stretch: 1,
    look: same,
  },
): Promise<TextOdds> {
  const cut = changed(region, change)
  const natural = (widthOf(cut) / heightOf(cut)) * lineHeight_px * stretch
  const width_px = Math.round(natural / steps.unit_px) * steps.unit_px
  const size = {
    width_px: Math.max(steps.least_px, Math.min(steps.most_px, width_px)),
    height_px: lineHeight_px,
  }
  return recogniser.read(look(sample(pixels, cut, size)))
}

function same(line: Pixels): Pixels {
  return line
}

/** Weights of luminance as in ITU-R BT.601, in 256ths. */
function grey({ rgb, ...size }: Pixels): Pixels {
  const out = new Uint8Array(rgb.length)
  for (let i = 0; i < rgb.length; i += 3) {
    const [red = 0, green = 0, blue = 0] = rgb.subarray(i, i + 3)
    out.fill((red * 77 + green * 150 + blue * 29) >> 8, i, i + 3)
  }
  return { rgb: out, ...size }
}
