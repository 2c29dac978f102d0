import { base64, fromBase64 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { commitment } from "../grant/request.ts"
import type { Findings } from "../picture/level.ts"

/** What an examination found, with the salt of its commitment: as the ledger stores it beside the capture. */
export interface StoredFindings {
  /** Base64, 32 bytes. */
  readonly salt: string
  /** `null` where the capture could not be decoded. */
  readonly found: Findings | null
}

export function formatFindings(found: Findings | null, salt: Uint8Array): string {
  return canonical({ salt: base64(salt), found } satisfies StoredFindings)
}

/** The findings of this text, or `null` unless it is canonical and has the shape; the commitment vouches for the rest. */
export function parseFindings(text: string): StoredFindings | null {
  try {
    const value = JSON.parse(text) as StoredFindings
    const isWhole =
      typeof value.salt === "string" && fromBase64(value.salt)?.length === 32 && "found" in value
    return isWhole && canonical(value) === text ? value : null
  } catch {
    return null
  }
}

/** The commitment that the entry `examined` carries. */
export function findingsCommitment({ salt, found }: StoredFindings): string {
  return commitment("findings", fromBase64(salt) ?? new Uint8Array(), canonical(found))
}
