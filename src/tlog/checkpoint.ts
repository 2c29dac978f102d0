import { base64, fromBase64 } from "../bytes.ts"
import { assert } from "../fault.ts"
import { hashSize } from "./hash.ts"

/** The text of a checkpoint note. Source: c2sp.org/tlog-checkpoint. */
export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
}

/** Origin, size and root on a line each. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  assert(origin !== "" && !origin.includes("\n"), "an origin is one line")
  assert(
    Number.isSafeInteger(size) && size >= 0 && root.length === hashSize,
    "a checkpoint has a size and a root",
  )
  return `${origin}\n${size}\n${base64(root)}\n`
}

/**
 * The checkpoint of this text, or `null`. Extension lines are refused: nothing covers them in an ML-DSA cosignature, and
 * no monitor can audit them.
 */
export function parseCheckpoint(text: string): Checkpoint | null {
  const parsed = parseForeignCheckpoint(text)
  return parsed === null || parsed.extensions.length > 0 ? null : parsed.checkpoint
}

/** A checkpoint of any log, as a witness meets it: extension lines, none of them empty, are passed through. */
export function parseForeignCheckpoint(
  text: string,
): { readonly checkpoint: Checkpoint; readonly extensions: readonly string[] } | null {
  const [origin = "", digits = "", encoded = "", ...rest] = text.split("\n")
  const extensions = rest.slice(0, -1)
  const root = fromBase64(encoded)
  const size = parseSize(digits)
  if (origin === "" || size === null || root?.length !== hashSize) return null
  return rest.at(-1) !== "" || extensions.includes("")
    ? null
    : { checkpoint: { origin, size, root }, extensions }
}

/** A tree's size in decimal without leading zeros, up to 2^53 − 1; `null` for anything else. */
export function parseSize(digits: string): number | null {
  const size = Number(digits)
  return /^(0|[1-9]\d{0,15})$/.test(digits) && Number.isSafeInteger(size) ? size : null
}
