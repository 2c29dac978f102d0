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
  const [origin = "", digits = "", encoded = "", end, ...extensions] = text.split("\n")
  const root = fromBase64(encoded)
  const size = Number(digits)
  if (origin === "" || end !== "" || extensions.length > 0 || root?.length !== hashSize) return null
  if (!/^(0|[1-9]\d{0,15})$/.test(digits) || !Number.isSafeInteger(size)) return null
  return { origin, size, root }
}
