/** How the descriptors of all originals are found again by a few of their bits: "multi-index hashing" with a budget. */

/** Words of 32 bits in one descriptor. */
export const descriptor_words = 8

/**
 * A table is keyed by the lowest 18 bits of one word of a descriptor; the test pattern is drawn, so that any bits are as
 * good as any others. More bits in a key miss more of what is bent, fewer make every bucket a crowd.
 */
const keyBits = 18

const keyWords = [0, 2, 4] as const

/** A key itself and each that differs in one bit: two near descriptors rarely agree in all eighteen. */
const flips = [0, ...Array.from({ length: keyBits }, (_, bit) => 1 << bit)] as const

interface Table {
  readonly word: number
  /** Where each key's descriptors start in `postings`; one more than there are keys. */
  readonly starts: Uint32Array
  readonly postings: Uint32Array
}

/**
 * Finds the descriptors that agree with a given one in a table's key, but for one bit at most, those in the rarest
 * buckets first. Source: Norouzi, Punjani and Fleet 2012, "Fast search in Hamming space with multi-index hashing"; the
 * order and the budget are ours.
 */
export class Buckets {
  readonly #tables: readonly Table[]
  readonly #ranked = new Float64Array(keyWords.length * flips.length)

  /**
   * @param words  eight of each descriptor.
   * @param count  of descriptors.
   * Costs about 60 ns for each descriptor.
   */
  constructor(words: Int32Array, count: number) {
    this.#tables = keyWords.map(word => tableOf(words, count, word))
  }

  /** Memory held: 12 for each descriptor, and 3 MB. */
  get bytes(): number {
    return this.#tables.reduce((sum, table) => sum + table.starts.byteLength + table.postings.byteLength, 0)
  }

  /**
   * Writes into `found` the numbers of descriptors that may be near the one whose words start at `at`, whole buckets, the
   * smallest first, until the next has no room: what is in a small bucket is told from the most others, and what every
   * picture shows is in the largest. One that is in several buckets is named several times.
   * @returns how many were written.
   */
  rarest(words: Int32Array, at: number, found: Uint32Array): number {
    const ranked = this.#rank(words, at)
    let count = 0
    for (const code of ranked) {
      const { starts, postings, key } = this.#slot(code % this.#ranked.length, words, at)
      const end = starts[key + 1] as number
      let from = starts[key] as number
      if (count + end - from > found.length) break
      for (; from < end; from += 1, count += 1) found[count] = postings[from] as number
    }
    return count
  }

  /** The buckets that hold something, as size × slots + slot, the smallest first. */
  #rank(words: Int32Array, at: number): Float64Array {
    const slots = this.#ranked.length
    let count = 0
    for (let slot = 0; slot < slots; slot += 1) {
      const { starts, key } = this.#slot(slot, words, at)
      const size = (starts[key + 1] as number) - (starts[key] as number)
      if (size > 0) this.#ranked[count++] = size * slots + slot
    }
    return this.#ranked.subarray(0, count).sort()
  }

  #slot(slot: number, words: Int32Array, at: number): Table & { readonly key: number } {
    const table = this.#tables[Math.floor(slot / flips.length)] as Table
    const key = keyOf(words, at + table.word) ^ (flips[slot % flips.length] as number)
    return { ...table, key }
  }
}

function keyOf(words: Int32Array, at: number): number {
  return (words[at] as number) & ((1 << keyBits) - 1)
}

function tableOf(words: Int32Array, count: number, word: number): Table {
  const starts = new Uint32Array((1 << keyBits) + 1)
  for (let i = 0; i < count; i += 1) {
    const key = keyOf(words, descriptor_words * i + word)
    starts[key + 1] = (starts[key + 1] as number) + 1
  }
  for (let key = 1; key < starts.length; key += 1) {
    starts[key] = (starts[key] as number) + (starts[key - 1] as number)
  }
  const next = starts.slice()
  const postings = new Uint32Array(count)
  for (let i = 0; i < count; i += 1) {
    const key = keyOf(words, descriptor_words * i + word)
    const at = next[key] as number
    postings[at] = i
    next[key] = at + 1
  }
  return { word, starts, postings }
}
