import { sha256 } from "@noble/hashes/sha2.js"
import { utf8 } from "../bytes.ts"
import { assert } from "../fault.ts"

/**
 * The first `count` ids of a random order that a seed repeats: that of SHA-256 of seed, line feed and id, smallest first.
 * Anybody with the ids draws the same sample in any language; one of more ids begins with that of fewer, and what order
 * the ids come in does not matter. The seed must be drawn after the ids are fixed, and both logged.
 * Costs about 4 µs an id.
 * @param ids  distinct.
 */
export function sampleOf(seed: string, ids: readonly string[], count: number): string[] {
  assert(new Set(ids).size === ids.length, "ids of a sampled set are distinct")
  const ranked = ids.map(id => ({ id, rank: rankOf(seed, id) }))
  ranked.sort((a, b) => order(a.rank, b.rank))
  return ranked.slice(0, count).map(({ id }) => id)
}

function rankOf(seed: string, id: string): Uint8Array {
  return sha256(utf8(`${seed}\n${id}`))
}

function order(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
