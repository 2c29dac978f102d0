/** How strongly copies are marked: `usual`, or `strong` where the copy must be traced out of less. */
export type MarkPolicy = "usual" | "strong"

/** How strongly one copy is marked. */
export interface Strength {
  /** Pixels that carry the mark. */
  readonly marked_px: number
  /** At least this peak signal to noise over them, in dB. */
  readonly psnr_db: number
}

const usual_db = 44
const strong_db = 42

/** Copies that show less than this are marked more strongly. */
const small_px = 50_000

export function psnrFor(kept_px: number, policy: MarkPolicy): number {
  return policy === "strong" || kept_px < small_px ? strong_db : usual_db
}

/**
 * What a mark of this size should survive, by the measured table of docs/mark.md: each alone; several at once take more
 * pixels, or several files of one holder.
 */
export function survivalOf({ marked_px }: Strength): string {
  if (marked_px >= small_px)
    return "recompression to JPEG 15, a quarter of the size, crops of a quarter, turning, mirroring, screenshots, photographs of a screen, and several at once"
  if (marked_px >= 20_000)
    return "recompression, half of the size, crops of a half, turning, mirroring, screenshots; more of them together in several files"
  return "recompression and screenshots; anything more only together with other files of the same holder"
}
