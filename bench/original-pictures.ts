import sharp from "sharp"
import { attacks, pixelsOf } from "../test/attacks.ts"
import type { Extent } from "../src/grant/level.ts"
import { decodeLeak, type Leak } from "../src/picture/leak.ts"
import { undoubted } from "../src/picture/level.ts"
import { decode, redacted, shownAt, type Pixels } from "../src/picture/pixels.ts"
import type { Picture } from "./mark-pictures.ts"

/** Copies of an original as they are found, and what they are looked for by. */

export const extents = {
  L4: { level: "L4" },
  L2: { level: "L2", region: "wide" },
  "L2, close": { level: "L2", region: "close" },
} satisfies Record<string, Extent>

export type Kind = keyof typeof extents

export const kinds = Object.keys(extents) as readonly Kind[]

export interface FoundCopy {
  readonly attack: string
  readonly kind: Kind
  /** Pixels of the found file that show some of the original. */
  readonly shown_px: number
  readonly file: Uint8Array
  readonly leak: Leak
}

/** These leave out some of the picture; the others keep all of it, rescaled or not. */
const cutting = /crop|turned|photographed|combined|gauntlet/

/** A copy of a picture, after each of these attacks. */
export async function* foundCopies(
  { name, pixels, plate }: Picture,
  kind: Kind,
  names: readonly string[],
): AsyncGenerator<FoundCopy> {
  const { width_px, height_px } = pixels
  const findings = { width_px, height_px, plates: [plate], faces: [], doubted: undoubted }
  const { level, region }: Extent = extents[kind]
  const shown = shownAt(level, findings, region)
  const copy = redacted(pixels, shown)
  const painted = redacted({ ...pixels, rgb: new Uint8Array(pixels.rgb.length).fill(255) }, shown)
  const white = { ...painted, rgb: painted.rgb.map(value => (value === 255 ? 255 : 0)) }
  for (const attack of names) {
    const attacked = attacks[attack]!
    const file = await attacked(copy, name)
    const leak = await decodeLeak(file)
    const area_px = (await pixelsOf(sharp(file))).rgb.length / 3
    const isCut = level === "L2" && cutting.test(attack)
    const shown_px = isCut
      ? brightOf(await decode(await attacked(white, name)))
      : Math.min(shown.shown_px, Math.round((shown.shown_px * area_px) / (width_px * height_px)))
    yield { attack, kind, shown_px, file, leak }
  }
}

function brightOf({ rgb }: Pixels): number {
  let count = 0
  for (let i = 0; i < rgb.length; i += 3) if ((rgb[i] as number) > 128) count += 1
  return count
}
