import { startOf, type Match, type Start } from "../mark/starts.ts"
import type { Descriptor } from "./descriptors.ts"
import { matchLimit_bits } from "./matches.ts"
import type { Sketch } from "./sketch.ts"

/** An original that a leak may have come from. */
export interface Candidate {
  readonly name: string
  /** How many of the leak's corners lie on it as one picture lies on another; what candidates are ordered by. */
  readonly agreeing: number
  /** How much speaks for it before places are looked at; what all originals share counts for little. */
  readonly votes: number
}

/** Each table sorts all descriptors by 16 of their bits; two that are alike agree in one of them, but for a bit. */
const tables = 6

/** So many are looked at closely. */
const shortlist = 40

const words = 8

/**
 * Sketches of many originals, in which that of a leak is looked for. A leak's descriptor is compared with those alone that
 * agree with it in all or all but one of 16 given bits, in one of six places (Greene et al. 1994; Norouzi et al. 2014).
 * Holds 70 bytes for each descriptor, about 35 kB for an original.
 */
export class Originals {
  readonly #names: string[] = []
  #bits = new Uint32Array(words * 1024)
  /** Of each descriptor: x, y, scale in 256ths, angle. */
  #places = new Float32Array(4 * 1024)
  #owners = new Uint32Array(1024)
  #count = 0
  #sorted: readonly { offsets: Uint32Array; list: Uint32Array }[] | null = null

  get size(): number {
    return this.#names.length
  }

  /** Memory that it holds. */
  get size_bytes(): number {
    const lists = (this.#sorted ?? []).reduce(
      (sum, { offsets, list }) => sum + offsets.length + list.length,
      0,
    )
    return this.#bits.byteLength + this.#places.byteLength + this.#owners.byteLength + 4 * lists
  }

  add(name: string, sketch: Sketch): void {
    this.#sorted = null
    const owner = this.#names.push(name) - 1
    for (const { descriptors } of sketch.parts)
      for (const descriptor of descriptors) {
        if (this.#count === this.#owners.length) this.#grow()
        const at = this.#count
        wordsInto(this.#bits, words * at, descriptor.bits)
        this.#places.set([descriptor.x_px, descriptor.y_px, descriptor.scale, descriptor.angle], 4 * at)
        this.#owners[at] = owner
        this.#count += 1
      }
  }

  #grow(): void {
    const larger = <T extends Uint32Array | Float32Array>(old: T, now: T): T => {
      now.set(old)
      return now
    }
    this.#bits = larger(this.#bits, new Uint32Array(2 * this.#bits.length))
    this.#places = larger(this.#places, new Float32Array(2 * this.#places.length))
    this.#owners = larger(this.#owners, new Uint32Array(2 * this.#owners.length))
  }

  /**
   * The likeliest originals of a leak, best first; none where nothing is alike.
   * @param leakSide_px  the leak's longer side.
   * Costs about 30 ms, and 25 ms for each 10,000 originals more; the first time after `add` a second for 10,000.
   */
  find(leak: readonly Descriptor[], leakSide_px: number, most: number): readonly Candidate[] {
    this.#sorted ??= this.#sort()
    const votes = new Float64Array(this.#names.length)
    const matched = new Map<number, Match[]>()
    const nearest = new Map<number, { bits: number; at: number }>()
    for (const corner of leak) {
      nearest.clear()
      this.#nearestOf(corner, nearest)
      for (const [owner, { bits, at }] of nearest) {
        votes[owner] = (votes[owner] as number) + (matchLimit_bits - bits) / nearest.size
        const list = matched.get(owner) ?? []
        list.push({ leak: corner, original: this.#cornerAt(at) })
        matched.set(owner, list)
      }
    }
    return [...matched]
      .sort(([a], [b]) => (votes[b] as number) - (votes[a] as number))
      .slice(0, shortlist)
      .map(([owner, matches]) => {
        const start: Start | null = startOf(matches, leakSide_px)
        return {
          name: this.#names[owner] as string,
          agreeing: start?.agreeing ?? 0,
          votes: votes[owner] as number,
        }
      })
      .sort((a, b) => b.agreeing - a.agreeing || b.votes - a.votes)
      .slice(0, most)
  }

  /** For each original that has one, its descriptor that is most alike. */
  #nearestOf(corner: Descriptor, nearest: Map<number, { bits: number; at: number }>): void {
    const own = new Uint32Array(words)
    wordsInto(own, 0, corner.bits)
    for (let table = 0; table < tables; table += 1) {
      const { offsets, list } = this.#sorted?.[table] as { offsets: Uint32Array; list: Uint32Array }
      const key = keyOf(own, 0, table)
      for (let flip = -1; flip < 16; flip += 1) {
        const probe = flip < 0 ? key : key ^ (1 << flip)
        for (let n = offsets[probe] as number, end = offsets[probe + 1] as number; n < end; n += 1) {
          const at = list[n] as number
          const bits = distance(own, this.#bits, words * at)
          if (bits >= matchLimit_bits) continue
          const owner = this.#owners[at] as number
          const held = nearest.get(owner)
          if (held === undefined) nearest.set(owner, { bits, at })
          else if (bits < held.bits) [held.bits, held.at] = [bits, at]
        }
      }
    }
  }

  #cornerAt(at: number): Match["original"] {
    const [x_px, y_px, scale, angle] = this.#places.subarray(4 * at, 4 * at + 4) as unknown as [
      ...[number, number, number, number],
    ]
    return { x_px, y_px, scale, angle }
  }

  /** Counting sort by each table's 16 bits. */
  #sort(): readonly { offsets: Uint32Array; list: Uint32Array }[] {
    return Array.from({ length: tables }, (_, table) => {
      const offsets = new Uint32Array(65_537)
      for (let at = 0; at < this.#count; at += 1) {
        const slot = keyOf(this.#bits, words * at, table) + 1
        offsets[slot] = (offsets[slot] as number) + 1
      }
      for (let slot = 1; slot < offsets.length; slot += 1)
        offsets[slot] = (offsets[slot] as number) + (offsets[slot - 1] as number)
      const next = offsets.slice()
      const list = new Uint32Array(this.#count)
      for (let at = 0; at < this.#count; at += 1) {
        const key = keyOf(this.#bits, words * at, table)
        list[next[key] as number] = at
        next[key] = (next[key] as number) + 1
      }
      return { offsets, list }
    })
  }
}

function wordsInto(target: Uint32Array, at: number, bits: Uint8Array): void {
  for (let n = 0; n < words; n += 1)
    target[at + n] =
      (bits[4 * n] as number) |
      ((bits[4 * n + 1] as number) << 8) |
      ((bits[4 * n + 2] as number) << 16) |
      ((bits[4 * n + 3] as number) << 24)
}

function keyOf(bits: Uint32Array, at: number, table: number): number {
  return ((bits[at + (table >> 1)] as number) >>> (16 * (table & 1))) & 0xffff
}

function distance(one: Uint32Array, others: Uint32Array, at: number): number {
  let bits = 0
  for (let n = 0; n < words && bits < matchLimit_bits; n += 1)
    bits += ones((one[n] as number) ^ (others[at + n] as number))
  return bits
}

/** How many bits of 32 are set. Source: Warren, "Hacker's Delight", figure 5-2. */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555)
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
}
