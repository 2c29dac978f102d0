import { assert } from "../fault.ts"

/** How many of a word's 32 bits are set. Source: Warren, Hacker's Delight, 2nd edition, §5-1. */
export function ones(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555)
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333)
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** Words of one chunk: 65,536 ordinals. */
export const chunkWords = 2048
export const chunkSize = 65_536

/**
 * A set of ordinals as bits, to gather a union in: 7.5 MB for 60 million. It remembers which chunks were written, so that a
 * small union costs what is in it and not what could be.
 */
export class Dense {
  readonly size: number
  readonly words: Uint32Array
  readonly #touched: Uint8Array

  /** @param size  ordinals are 0 ≤ ordinal < size ≤ 2³¹. */
  constructor(size: number) {
    assert(size <= 2 ** 31, "ordinals have 31 bits")
    const chunks = Math.max(1, Math.ceil(size / chunkSize))
    this.size = size
    this.words = new Uint32Array(chunks * chunkWords)
    this.#touched = new Uint8Array(chunks)
  }

  /** A chunk that something is about to be written to. @returns its first word. */
  touch(chunk: number): number {
    assert(chunk < this.#touched.length, "a chunk is one of the set's")
    this.#touched[chunk] = 1
    return chunk * chunkWords
  }

  add(ordinal: number): void {
    assert(ordinal < this.size, "an ordinal is one of the set's")
    const word = this.touch(ordinal >>> 16) + ((ordinal & 0xffff) >>> 5)
    this.words[word] = (this.words[word] ?? 0) | (1 << (ordinal & 31))
  }

  has(ordinal: number): boolean {
    return (((this.words[ordinal >>> 5] ?? 0) >>> (ordinal & 31)) & 1) === 1
  }

  clear(): void {
    for (const chunk of this.#chunks()) this.words.fill(0, chunk * chunkWords, (chunk + 1) * chunkWords)
    this.#touched.fill(0)
  }

  /** Takes out what is in `other`. */
  remove(other: Dense): void {
    for (const chunk of this.#chunks())
      for (let i = chunk * chunkWords; i < (chunk + 1) * chunkWords; i += 1)
        this.words[i] = (this.words[i] ?? 0) & ~(other.words[i] ?? 0)
  }

  count(): number {
    let sum = 0
    for (const chunk of this.#chunks())
      for (let i = chunk * chunkWords; i < (chunk + 1) * chunkWords; i += 1) sum += ones(this.words[i] ?? 0)
    return sum
  }

  /** How many ordinals with from ≤ ordinal < until there are. */
  countBetween(from: number, until: number): number {
    if (from >= until) return 0
    const [first, last] = [from >>> 5, (until - 1) >>> 5]
    const head = 0xffffffff << (from & 31)
    const tail = 0xffffffff >>> (31 - ((until - 1) & 31))
    if (first === last) return ones((this.words[first] ?? 0) & head & tail)
    let sum = ones((this.words[first] ?? 0) & head) + ones((this.words[last] ?? 0) & tail)
    for (let i = first + 1; i < last; i += 1) sum += ones(this.words[i] ?? 0)
    return sum
  }

  /** Ascending. */
  values(): Uint32Array {
    const found = new Uint32Array(this.count())
    let at = 0
    this.#each(ordinal => (found[at++] = ordinal))
    return found
  }

  /**
   * How many ordinals there are, and how many different values a column has over them.
   * @param column  for each ordinal a value from 1; 0 stands for none and is not counted.
   * @param marks  a set for the values, greater than the greatest; it is cleared.
   */
  tally(column: Uint32Array, marks: Dense): { readonly count: number; readonly distinct: number } {
    assert(column.length >= this.size, "a column has a value for each ordinal")
    const seen = marks.words
    seen.fill(0)
    const { words } = this
    let [count, distinct] = [0, 0]
    for (const chunk of this.#chunks())
      for (let i = chunk * chunkWords; i < (chunk + 1) * chunkWords; i += 1)
        for (let word = words[i] as number; word !== 0; word &= word - 1) {
          const value = column[(i << 5) | (31 - Math.clz32(word & -word))] as number
          const before = seen[value >>> 5] as number
          const after = before | (1 << (value & 31))
          seen[value >>> 5] = after
          count += 1
          distinct += before === after >>> 0 ? 0 : 1
        }
    return { count, distinct: distinct - ((seen[0] as number) & 1) }
  }

  #each(take: (ordinal: number) => void): void {
    for (const chunk of this.#chunks())
      for (let i = chunk * chunkWords; i < (chunk + 1) * chunkWords; i += 1)
        for (let word = this.words[i] as number; word !== 0; word &= word - 1)
          take(i * 32 + 31 - Math.clz32(word & -word))
  }

  #chunks(): number[] {
    const found: number[] = []
    for (let chunk = 0; chunk < this.#touched.length; chunk += 1)
      if (this.#touched[chunk] === 1) found.push(chunk)
    return found
  }
}
