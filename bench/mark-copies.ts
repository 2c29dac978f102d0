import { createHash } from "node:crypto"
import sharp from "sharp"
import type { Region } from "../src/grant/level.ts"
import { biasesOf, chipsOf } from "../src/mark/code.ts"
import type { Codeword } from "../src/mark/embed.ts"
import type { MarkKeys } from "../src/mark/keys.ts"
import { gridOf } from "../src/mark/lapped.ts"
import { strongest, type Evidence } from "../src/mark/score.ts"
import { keptBoxes, undoubted, type Box } from "../src/picture/level.ts"
import { decode, marked, redacted, shownAt, type Pixels } from "../src/picture/pixels.ts"
import type { Picture } from "./mark-pictures.ts"
import { qualityOf, type Quality } from "./mark-quality.ts"

/** Copies as they are released, and what is said of a leak. */

export type CopyLevel = "L4" | "L2"

export interface MarkedCopy {
  readonly level: CopyLevel
  /** As whoever received it decodes it. */
  readonly pixels: Pixels
  readonly kept_px: number
  /** The box around what is kept. */
  readonly box: Box
  /** Of marked beside unmarked, before any encoding. */
  readonly quality: Quality
}

/** Not secret: whoever runs this again gets the same marks. */
export function keysOf(image: string, holder: string): MarkKeys {
  const keyOf = (...parts: readonly string[]) =>
    Uint8Array.from(createHash("sha256").update(parts.join("\0")).digest())
  return { biases: keyOf("biases", image), codeword: keyOf("codeword", image, holder) }
}

export function biasesFor({ name, pixels }: Picture): Uint8Array {
  return biasesOf(keysOf(name, "").biases, gridOf(pixels).count)
}

export function codewordFor(picture: Picture, holder: string, biases: Uint8Array): Codeword {
  return { biases, chips: chipsOf(keysOf(picture.name, holder).codeword, biases) }
}

/** The copy of a picture at a level for a holder, marked as the usual policy marks it. */
export async function copyFor(
  picture: Picture,
  level: CopyLevel,
  holder: string,
  region: Region = "close",
): Promise<MarkedCopy> {
  const { pixels, plate } = picture
  const { width_px, height_px } = pixels
  const found = { width_px, height_px, plates: [plate], faces: [], doubted: undoubted }
  const shown = shownAt(level, found, region)
  const unmarked = redacted(pixels, shown)
  const copy = { ...unmarked, rgb: Uint8Array.from(unmarked.rgb) }
  marked(pixels, copy, { keys: keysOf(picture.name, holder), policy: "usual", shown })
  const [box] = keptBoxes(level, found, region).keep
  if (box === undefined) throw new Error(`nothing is kept of ${picture.name}`)
  return {
    level,
    pixels: level === "L4" ? await decode(await released(copy)) : copy,
    kept_px: shown.shown_px,
    box,
    quality: qualityOf(unmarked, copy, box),
  }
}

/** As an L4 copy is encoded. */
export function released({ rgb, width_px, height_px }: Pixels): Promise<Uint8Array> {
  return sharp(rgb, { raw: { width: width_px, height: height_px, channels: 3 } })
    .jpeg({ quality: 92, chromaSubsampling: "4:4:4" })
    .toBuffer()
}

/** What a false accusation has to be paid for: 10,000 originals × 1,000 holders × 3 statistics × 2 emphases × 1 file × 1 pooling. */
export const tries = {
  originals: 10_000,
  holders: 1_000,
  statistics: 3,
  emphases: 2,
  files: 1,
  poolings: 1,
} as const

export const triesLog10 = Math.log10(
  Object.values<number>(tries).reduce((product, each) => product * each, 1),
)

/** log₁₀ of how probable it may at most be that anyone is accused who did not leak. */
export const limitLog10 = -9

export function isTraced(bound: number): boolean {
  return bound + triesLog10 <= limitLog10
}

export interface Judgement {
  /** Standard deviations of the score, and log₁₀ of the bound: of the statistic that says more. */
  readonly t: number
  readonly bound: number
}

export const silent: Judgement = { t: 0, bound: 0 }

export function judge(statistics: readonly (Evidence | null)[], codeword: Codeword): Judgement {
  return statistics.reduce<Judgement>((best, evidence) => {
    if (evidence === null) return best
    const { deviations, log10_bound } = strongest([{ evidence, codeword }])
    return { t: Math.max(deviations, best.t), bound: Math.min(log10_bound, best.bound) }
  }, silent)
}
