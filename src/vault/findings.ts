import { base64, fromBase64 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { commitment } from "../grant/request.ts"
import type { Box, Findings } from "../picture/level.ts"
import type { Quality } from "../picture/quality.ts"

/** How the text of a capture's plate is known: as the reader told it, or as the built-in reader answers. */
export type ReadState = "told" | "read" | "unsure" | "unread"

/** What an examination found, as the ledger stores it beside the capture. No pixel and no text of it is in the clear. */
export interface Examination {
  /** `null` where there is no picture, or none that decodes. */
  readonly found: Findings | null
  readonly quality: Quality | null
  readonly read: ReadState
  /** Names and SHA-256 of the models that looked. */
  readonly models: { readonly plates: string | null; readonly faces: string | null }
  /** What was read, sealed to the epoch of the capture (`sealBeside` of its key), base64; `null` where nothing was. */
  readonly texts: string | null
  /** SHA-256 of the sealed sketch (docs/formats/descriptors.md) as it is stored, lowercase hexadecimal. */
  readonly sketch_sha256: string | null
  /** Keyed digests of the plates' texts, base64, 16 bytes each: equal for equal plates, and nothing without the key. */
  readonly plate_digests: readonly string[]
}

/** With the salt of its commitment: base64, 32 bytes. */
export type StoredExamination = Examination & { readonly salt: string }

/** An examination as it is stored. @param salt  32 random bytes. */
export function formatExamination(examination: Examination, salt: Uint8Array): string {
  return canonical({ ...examination, salt: base64(salt) } satisfies StoredExamination)
}

/** The examination of this text, or `null` unless it is canonical and has the shape; the commitment vouches for the rest. */
export function parseExamination(text: string): StoredExamination | null {
  try {
    const value = JSON.parse(text) as StoredExamination
    const isWhole =
      typeof value.salt === "string" && fromBase64(value.salt)?.length === 32 && "found" in value
    return isWhole && canonical(value) === text ? value : null
  } catch {
    return null
  }
}

/** What was found in a capture of this row, or `null` where nothing is known. */
export function foundIn({ findingsJson }: { readonly findingsJson: string | null }): Findings | null {
  return findingsJson === null ? null : (parseExamination(findingsJson)?.found ?? null)
}

/** The commitment that the entry `examined` carries. */
export function examinationCommitment({ salt, ...examination }: StoredExamination): string {
  return commitment("findings", fromBase64(salt) ?? new Uint8Array(), canonical(examination))
}

/** Boxes that two people set, in pixels of the oriented picture. */
export interface SetBoxes {
  readonly plates: readonly Box[]
  readonly faces: readonly Box[]
}

/**
 * Findings with what two people set: their plates are all that count; their faces are counted beside those that were found,
 * since a face too many hides and a face too few does not.
 */
export function withBoxes(found: Findings, boxes: SetBoxes): Findings {
  return {
    ...found,
    plates: boxes.plates,
    faces: [...(found.faces ?? []), ...boxes.faces],
    doubted: { ...found.doubted, plates: [...found.doubted.plates, ...found.plates] },
  }
}
