import { assert } from "../fault.ts"
import { chunkWords, ones, type Dense } from "./dense.ts"

/** In a chunk with more values than this, bits take less room than the values' low halves. */
const mostLows = 4096

/**
 * Many sets of ordinals, one after the other in four flat arrays. Each set is its chunks of 65,536 ordinals, and a chunk is
 * the low halves of its ordinals or, with over 4,096 of them, 65,536 bits: the layout of Roaring bitmaps (Chambi, Lemire,
 * Kaser, Godin, "Better bitmap performance with Roaring bitmaps", 2016), without an object for each set.
 */
export class Postings {
  /** Set `n` has the chunks from firstChunk[n] to firstChunk[n + 1]. */
  readonly #firstChunk: Uint32Array
  /** The high halves. */
  readonly #high: Uint16Array
  /** Values in the chunk, less one. */
  readonly #last: Uint16Array
  /** Where its low halves begin, or its bits, in words. */
  readonly #at: Uint32Array
  readonly #lows: Uint16Array
  readonly #bits: Uint32Array

  private constructor(parts: {
    readonly firstChunk: Uint32Array
    readonly high: Uint16Array
    readonly last: Uint16Array
    readonly at: Uint32Array
    readonly lows: Uint16Array
    readonly bits: Uint32Array
  }) {
    this.#firstChunk = parts.firstChunk
    this.#high = parts.high
    this.#last = parts.last
    this.#at = parts.at
    this.#lows = parts.lows
    this.#bits = parts.bits
  }

  /**
   * @param sets  each ascending; what is there twice is taken once.
   * @param most  values in all sets together, at least: room that is asked for once.
   */
  static of(sets: Iterable<Uint32Array>, most = 1024): Postings {
    const growing = new Growing(most)
    for (const set of sets) growing.add(set)
    return new Postings(growing.parts())
  }

  /** How many sets there are. */
  get size(): number {
    return this.#firstChunk.length - 1
  }

  get bytes(): number {
    const arrays = [this.#firstChunk, this.#high, this.#last, this.#at, this.#lows, this.#bits]
    return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  /** Puts set `n` into `into`. */
  addTo(into: Dense, n: number): void {
    assert(n >= 0 && n < this.size, "a set is one of these")
    const until = this.#firstChunk[n + 1] as number
    for (let chunk = this.#firstChunk[n] as number; chunk < until; chunk += 1) {
      const base = into.touch(this.#high[chunk] as number)
      const count = (this.#last[chunk] as number) + 1
      const at = this.#at[chunk] as number
      if (count > mostLows) orBits(into.words, base, this.#bits.subarray(at, at + chunkWords))
      else orLows(into.words, base, { lows: this.#lows, from: at, until: at + count })
    }
  }
}

function orBits(words: Uint32Array, base: number, bits: Uint32Array): void {
  for (let i = 0; i < chunkWords; i += 1) words[base + i] = (words[base + i] as number) | (bits[i] as number)
}

function orLows(
  words: Uint32Array,
  base: number,
  of: { readonly lows: Uint16Array; readonly from: number; readonly until: number },
): void {
  const { lows, until } = of
  for (let i = of.from; i < until; i += 1) {
    const low = lows[i] as number
    const word = base + (low >>> 5)
    words[word] = (words[word] as number) | (1 << (low & 31))
  }
}

/** An array that grows by doubling. */
class Room<A extends Uint16Array | Uint32Array> {
  array: A
  length = 0
  readonly #make: (length: number) => A

  constructor(make: (length: number) => A, length: number) {
    this.#make = make
    this.array = make(Math.max(16, length))
  }

  /** Room for so many more. @returns where it begins. */
  take(more: number): number {
    const from = this.length
    this.length += more
    if (this.length > this.array.length) {
      const grown = this.#make(Math.max(this.length, Math.ceil(this.array.length * 1.5)))
      grown.set(this.array as never)
      this.array = grown
    }
    return from
  }

  cut(): A {
    return this.array.slice(0, this.length) as A
  }
}

class Growing {
  readonly #firstChunk = [0]
  readonly #high: Room<Uint16Array>
  readonly #last: Room<Uint16Array>
  readonly #at: Room<Uint32Array>
  readonly #lows: Room<Uint16Array>
  readonly #bits: Room<Uint32Array>

  constructor(most: number) {
    const chunks = Math.ceil(most / 64)
    this.#high = new Room(length => new Uint16Array(length), chunks)
    this.#last = new Room(length => new Uint16Array(length), chunks)
    this.#at = new Room(length => new Uint32Array(length), chunks)
    this.#lows = new Room(length => new Uint16Array(length), most)
    this.#bits = new Room(length => new Uint32Array(length), 0)
  }

  add(set: Uint32Array): void {
    for (let from = 0; from < set.length;) {
      const high = (set[from] as number) >>> 16
      let until = from
      while (until < set.length && (set[until] as number) >>> 16 === high) until += 1
      this.#chunk(high, set.subarray(from, until))
      from = until
    }
    this.#firstChunk.push(this.#high.length)
  }

  #chunk(high: number, values: Uint32Array): void {
    const { count, at } = values.length > mostLows ? this.#asBits(values) : this.#asLows(values)
    const chunk = this.#high.take(1)
    this.#last.take(1)
    this.#at.take(1)
    this.#high.array[chunk] = high
    this.#last.array[chunk] = count - 1
    this.#at.array[chunk] = at
  }

  #asLows(values: Uint32Array): { count: number; at: number } {
    const at = this.#lows.take(values.length)
    let count = 0
    let before = -1
    for (const value of values) {
      assert(value >= before, "ordinals of a set ascend")
      if (value === before) continue
      this.#lows.array[at + count] = value & 0xffff
      count += 1
      before = value
    }
    this.#lows.length = at + count
    return { count, at }
  }

  #asBits(values: Uint32Array): { count: number; at: number } {
    const at = this.#bits.take(chunkWords)
    const bits = this.#bits.array.subarray(at, at + chunkWords)
    bits.fill(0)
    let before = -1
    for (const value of values) {
      assert(value >= before, "ordinals of a set ascend")
      const word = (value & 0xffff) >>> 5
      bits[word] = (bits[word] as number) | (1 << (value & 31))
      before = value
    }
    let count = 0
    for (const word of bits) count += ones(word)
    if (count > mostLows) return { count, at }
    // With what was there twice left out, it is small after all.
    const few = Uint32Array.from(new Set(values))
    this.#bits.length = at
    return this.#asLows(few)
  }

  parts() {
    return {
      firstChunk: Uint32Array.from(this.#firstChunk),
      high: this.#high.cut(),
      last: this.#last.cut(),
      at: this.#at.cut(),
      lows: this.#lows.cut(),
      bits: this.#bits.cut(),
    }
  }
}
