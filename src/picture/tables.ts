import { words } from "./hamming.ts"

/** Each table sorts all descriptors by some of their bits. */
const tables = 6

/** So many descriptors share a slot of a table on average. */
const perSlot = 2

/** Descriptors by the slot that some of their bits are the number of. */
export interface Table {
  readonly offsets: Uint32Array
  /** In each: which descriptor, counted from the first, and above that bits of another of its words (`signOf`). */
  readonly list: Uint32Array
}

export interface Tables {
  /** Of a table's key. */
  readonly bits: number
  /** Of an entry, for which descriptor it is. */
  readonly placeBits: number
  readonly tables: readonly Table[]
}

/**
 * Tables of the descriptors from one place up to another: counting sort by the bits of each.
 * @param descriptors  8 words each.
 */
export function sortedTables(descriptors: Uint32Array, from: number, to: number): Tables {
  const bits = Math.max(8, Math.min(24, Math.round(Math.log2((to - from) / perSlot))))
  const placeBits = Math.max(8, Math.ceil(Math.log2(Math.max(1, to - from))))
  const sorted = Array.from({ length: tables }, (_, table) => {
    const offsets = new Uint32Array(2 ** bits + 1)
    const keys = new Uint32Array(to - from)
    for (let at = from; at < to; at += 1) {
      const slot = keyOf(descriptors, words * at, table, bits)
      keys[at - from] = slot
      offsets[slot] = (offsets[slot] as number) + 1
    }
    for (let slot = 1; slot < offsets.length; slot += 1)
      offsets[slot] = (offsets[slot] as number) + (offsets[slot - 1] as number)
    const list = new Uint32Array(to - from)
    for (let at = to - 1; at >= from; at -= 1) {
      const slot = keys[at - from] as number
      const place = (offsets[slot] as number) - 1
      list[place] = (signOf(descriptors, words * at, table) << placeBits) | (at - from)
      offsets[slot] = place
    }
    return { offsets, list }
  })
  return { bits, placeBits, tables: sorted }
}

/** As many successive bits as `size` says, from where the table's turn is. */
export function keyOf(bits: Uint32Array, at: number, table: number, size: number): number {
  const from = Math.floor((256 * table) / tables)
  const word = from >>> 5
  const shift = from & 31
  const low = (bits[at + word] as number) >>> shift
  const high = shift === 0 ? 0 : (bits[at + ((word + 1) & 7)] as number) << (32 - shift)
  return (low | high) & (2 ** size - 1)
}

/** A word that has none of the key's bits: the lowest of them tell most unlike descriptors apart before they are looked at. */
export function signOf(bits: Uint32Array, at: number, table: number): number {
  const word = Math.floor((256 * table) / tables) >>> 5
  return bits[at + ((word + 4) & 7)] as number
}
