import { base64, fromBase64, textOf, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { parseEntry, type Entry } from "../log/kinds.ts"
import type { Checkpoint } from "../tlog/checkpoint.ts"
import { leafHash } from "../tlog/hash.ts"
import { checkInclusion } from "../tlog/proof.ts"

/** `entries.ndjson`: an entry a line, `{entry, index, proof}` as a receipt's permit has them, ascending. */

export interface ProvedEntry {
  readonly index: number
  readonly entry: Entry
}

export function proofLine(index: number, bytes: Uint8Array, proof: readonly Uint8Array[]): string {
  return `${canonical({ entry: textOf(bytes), index, proof: proof.map(base64) })}\n`
}

/** The entries, each proved to be in the tree; or why not. */
export function provedEntries(bytes: Uint8Array, tree: Checkpoint): readonly ProvedEntry[] | string {
  const text = textOf(bytes)
  if (text === null || (text !== "" && !text.endsWith("\n"))) return "it is not lines of JSON"
  const found: ProvedEntry[] = []
  for (const [i, line] of text.split("\n").slice(0, -1).entries()) {
    const one = provedEntry(line, tree)
    if (typeof one === "string") return `line ${i + 1}: ${one}`
    if (one.index <= (found.at(-1)?.index ?? -1)) return `line ${i + 1}: it is out of order`
    found.push(one)
  }
  return found
}

function provedEntry(line: string, { size, root }: Checkpoint): ProvedEntry | string {
  const value = parsed(line)
  if (value === null || canonical(value) !== line) return "it is not canonical"
  const { entry, index, proof } = value
  if (typeof entry !== "string" || !Number.isSafeInteger(index) || !Array.isArray(proof))
    return "it has no proof"
  const hashes = proof.map(hash => (typeof hash === "string" ? fromBase64(hash) : null))
  if (hashes.length > 64 || !hashes.every(hash => hash?.length === 32)) return "its proof is malformed"
  const claim = {
    index: index as number,
    size,
    leaf: leafHash(utf8(entry)),
    root,
    proof: hashes as Uint8Array[],
  }
  if (!checkInclusion(claim)) return `entry ${String(index)} is not in the tree`
  const held = parseEntry(utf8(entry))
  return held === null
    ? `entry ${String(index)} is of no known kind`
    : { index: index as number, entry: held }
}

function parsed(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}
