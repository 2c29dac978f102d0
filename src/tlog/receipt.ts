import { base64, fromBase64 } from "../bytes.ts"
import { assert } from "../fault.ts"
import { hashSize } from "./hash.ts"

/** A self-contained proof of one entry. Source: c2sp.org/tlog-proof. */
export interface TlogProof {
  /** Unauthenticated bytes beside the proof, or `null`. */
  readonly extra: Uint8Array | null
  readonly index: number
  /** Sibling hashes, the leaf's first; at most 63. */
  readonly proof: readonly Uint8Array[]
  /** The signed checkpoint, verbatim. */
  readonly checkpoint: string
}

const firstLine = "c2sp.org/tlog-proof@v1"
const maxProof_chars = 1_000_000

export function formatProof({ extra, index, proof, checkpoint }: TlogProof): string {
  assert(Number.isSafeInteger(index) && index >= 0, "an entry has an index")
  const lines = [
    firstLine,
    ...(extra === null ? [] : [`extra ${base64(extra)}`]),
    `index ${index}`,
    ...proof.map(base64),
  ]
  return `${lines.join("\n")}\n\n${checkpoint}`
}

/** The parts of a proof file, or `null` unless it is exactly what `formatProof` writes. The checkpoint is not checked. */
export function parseProof(text: string): TlogProof | null {
  const at = text.indexOf("\n\n")
  if (at < 0 || text.length > maxProof_chars) return null
  const [first, ...lines] = text.slice(0, at).split("\n")
  const extra =
    lines[0]?.startsWith("extra ") === true
      ? fromBase64(lines.shift()?.slice("extra ".length) ?? "")
      : undefined
  const index = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? "")?.[1]
  const proof = lines.map(fromBase64)
  if (first !== firstLine || extra === null || index === undefined || !Number.isSafeInteger(Number(index)))
    return null
  if (proof.length > 63 || !proof.every(hash => hash?.length === hashSize)) return null
  return {
    extra: extra ?? null,
    index: Number(index),
    proof: proof as Uint8Array[],
    checkpoint: text.slice(at + 2),
  }
}
