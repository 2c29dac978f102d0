import { concat } from "../bytes.ts"
import { assert } from "../fault.ts"
import { emptyRoot, hashSize, nodeHash } from "./hash.ts"

/** The roots of the full subtrees that make up a tree of `size` leaves, the largest first: one for each 1-bit of the size. */
export interface Frontier {
  readonly size: number
  readonly hashes: readonly Uint8Array[]
}

export const emptyFrontier: Frontier = { size: 0, hashes: [] }

/** The frontier with `leaves` (leaf hashes) appended. Costs at most 2 hashes a leaf. */
export function grow(frontier: Frontier, leaves: readonly Uint8Array[]): Frontier {
  const hashes = [...frontier.hashes]
  let { size } = frontier
  for (const leaf of leaves) {
    hashes.push(leaf)
    for (let rest = size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      const [left, right] = hashes.splice(-2)
      assert(left !== undefined && right !== undefined, "a 1-bit of the size has its subtree")
      hashes.push(nodeHash(left, right))
    }
    size += 1
  }
  return { size, hashes }
}

/** The root of the tree. Source: RFC 6962 §2.1. */
export function rootOf({ hashes }: Frontier): Uint8Array {
  const [last, ...larger] = [...hashes].reverse()
  return last === undefined ? emptyRoot() : larger.reduce((right, left) => nodeHash(left, right), last)
}

/** The hashes one after the other. */
export function formatFrontier(frontier: Frontier): Uint8Array {
  return concat(...frontier.hashes)
}

/** The frontier of `size`, or `null` unless there is exactly one hash for each 1-bit of the size. */
export function parseFrontier(size: number, bytes: Uint8Array): Frontier | null {
  if (!Number.isSafeInteger(size) || size < 0 || bytes.length !== hashSize * bitCount(size)) return null
  const hashes = Array.from({ length: bitCount(size) }, (_, i) =>
    bytes.slice(i * hashSize, (i + 1) * hashSize),
  )
  return { size, hashes }
}

function bitCount(size: number): number {
  return size.toString(2).replaceAll("0", "").length
}
