import type { Descriptor } from "./descriptors.ts"
import { distance, matchLimit_bits, onesOf, words, wordsOf } from "./hamming.ts"
import { keyOf, signOf, type Table, type Tables } from "./tables.ts"

/** Originals one after the other, sorted by tables of their own. */
export interface Shelf extends Tables {
  readonly first: number
  readonly end: number
  /** Where its first original's descriptors start. */
  readonly from: number
}

/** All originals that are in tables. */
export interface Sorted {
  readonly shelves: readonly Shelf[]
  /** Of each descriptor 8 words; x, y, scale in steps and angle; and which original's it is. */
  readonly bits: Uint32Array
  readonly places: Uint16Array
  readonly owners: Uint32Array
}

/** An original with what speaks for it, and how a leak of it would be turned and scaled. */
export interface Voted {
  readonly owner: number
  readonly votes: number
  readonly bin: number
}

/** Where a corner is looked for in a table of a shelf. */
interface Slots {
  readonly shelf: Shelf
  readonly table: Table
  readonly key: number
  readonly sign: number
}

/** Ways in which a leak may be turned and scaled, for each original. */
const bins = 256

/** A slot that holds more says nothing: so many originals share what it looks like. */
const mostInSlot = 20

/** A key has at most 24 bits, of which one or none may be wrong. */
const mostSlots = 25

/** A scale is held in steps, as docs/formats/descriptors.md packs it. */
const scaleSteps = { perDoubling: 16, ofOne: 32 }

export function stepsOf(scale: number): number {
  return scaleSteps.ofOne + Math.round(scaleSteps.perDoubling * Math.log2(scale))
}

export function scaleOf(steps: number): number {
  return 2 ** ((steps - scaleSteps.ofOne) / scaleSteps.perDoubling)
}

/** What four neighbouring bins hold and half a bin around: 256ths of a turn, and steps of scale. */
export const window = { turn: 48, steps: 24 }

/** The least turn and the least steps of scale that belong to a bin's window. */
export function firstOf(bin: number): { readonly turn: number; readonly steps: number } {
  const halfDoubling = scaleSteps.perDoubling / 2
  return { turn: (bin & 0xf0) - 8, steps: ((bin & 15) - 8) * halfDoubling - halfDoubling / 2 }
}

/** In which of its original's bins a match is: by sixteenths of a turn, and by halves of a doubling of scale. */
function binOf(turn: number, steps: number): number {
  const halves = Math.floor((2 * steps) / scaleSteps.perDoubling) + 8
  return (turn & 0xf0) + Math.max(0, Math.min(15, halves))
}

/** A count is made in pieces of so many corners on one shelf, between which a server goes on with the rest of its work. */
const cornersAtOnce = 100

export function othersTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/**
 * Entries of which a greater share of these bits differ are of unrelated descriptors, four in five of which are told so: of
 * corners that are alike by fewer than 52 of 256 bits one in fourteen is lost.
 */
const signShare = 0.36

/**
 * What a leak's corners say for each original in tables. Only what is turned and scaled alike adds up (Jégou et al. 2008, §4);
 * what several originals have in common counts for each of them less.
 */
export class Ballot {
  readonly #index: Sorted
  readonly #votes: Float32Array
  readonly #totals: Float32Array
  readonly #held = new Uint32Array(mostSlots * mostInSlot)

  constructor(index: Sorted) {
    this.#index = index
    const originals = index.shelves.at(-1)?.end ?? 0
    this.#votes = new Float32Array(bins * originals)
    this.#totals = new Float32Array(originals)
  }

  /** Adds what these corners say. Costs most of a look-up, as long as memory is slow: 120 slots of each shelf for each corner. */
  async count(leak: readonly Descriptor[]): Promise<void> {
    const own = leak.map(({ bits }) => wordsOf(bits))
    const near: Near[] = leak.map(() => ({ places: [], bits: [] }))
    let looks = 0
    for (const shelf of this.#index.shelves) {
      const nearest = new Nearest(shelf)
      for (const [i, corner] of own.entries()) {
        if (looks % cornersAtOnce === 0) await othersTurn()
        looks += 1
        shelf.tables.forEach((table, n) => {
          const [key, sign] = [keyOf(corner, 0, n, shelf.bits), signOf(corner, 0, n)]
          this.#look(corner, { shelf, table, key, sign }, nearest)
        })
        nearest.pourInto(near[i] as Near)
      }
    }
    leak.forEach((corner, i) => this.#add(corner, near[i] as Near))
  }

  /**
   * Looks for a corner in the slot of its own bits and in those with one of them wrong. In steps, each of which asks slow memory
   * for many things none of which waits for another.
   */
  #look(own: Uint32Array, { shelf, table, key, sign }: Slots, nearest: Nearest): void {
    const { bits, owners } = this.#index
    const { placeBits, from } = shelf
    const held = this.#held
    const count = heldIn(table, key, shelf.bits, held)
    const most = Math.floor(signShare * (32 - placeBits))
    const mask = 2 ** placeBits - 1
    const ownSign = (sign << placeBits) >>> placeBits
    let like = 0
    for (let n = 0; n < count; n += 1) {
      const entry = held[n] as number
      held[like] = entry & mask
      if (onesOf((entry >>> placeBits) ^ ownSign) <= most) like += 1
    }
    for (let n = 0; n < like; n += 1) {
      const place = from + (held[n] as number)
      const apart = distance(own, bits, words * place, matchLimit_bits)
      if (apart < matchLimit_bits) nearest.offer(owners[place] as number, place, apart)
    }
  }

  #add(corner: Descriptor, { places, bits }: Near): void {
    const steps = stepsOf(corner.scale)
    places.forEach((place, n) => {
      const owner = this.#index.owners[place] as number
      const turn = (this.#index.places[4 * place + 3] as number) - corner.angle
      const bin = bins * owner + binOf(turn, (this.#index.places[4 * place + 2] as number) - steps)
      const vote = (matchLimit_bits - (bits[n] as number)) ** 2 / places.length
      this.#votes[bin] = (this.#votes[bin] as number) + vote
      this.#totals[owner] = (this.#totals[owner] as number) + vote
    })
  }

  /** At most so many originals, those that most speaks for first. */
  first(most: number): readonly Voted[] {
    const byTotal = [...this.#totals.keys()].filter(owner => (this.#totals[owner] as number) > 0)
    byTotal.sort((a, b) => (this.#totals[b] as number) - (this.#totals[a] as number))
    let found: Voted[] = []
    for (const [n, owner] of byTotal.entries()) {
      // What all bins hold together is the most that some of them can.
      if (n >= most && (this.#totals[owner] as number) <= (found[most - 1] as Voted).votes) break
      found.push({ owner, ...mostOf(this.#votes, owner) })
      if (found.length >= 2 * most || n === most - 1) found = best(found, most)
    }
    return best(found, most)
  }
}

const starts = new Uint32Array(mostSlots)
const ends = new Uint32Array(mostSlots)

/** What the slot of a key and those with one of its bits wrong hold. @returns how much. */
function heldIn({ offsets, list }: Table, key: number, bits: number, held: Uint32Array): number {
  for (let n = 0; n <= bits; n += 1) {
    const slot = n === bits ? key : key ^ (1 << n)
    starts[n] = offsets[slot] as number
    ends[n] = offsets[slot + 1] as number
  }
  let count = 0
  for (let n = 0; n <= bits; n += 1) {
    const end = ends[n] as number
    let at = starts[n] as number
    if (end - at > mostInSlot) continue
    for (; at < end; at += 1, count += 1) held[count] = list[at] as number
  }
  return count
}

function best(found: readonly Voted[], most: number): Voted[] {
  return [...found].sort((a, b) => b.votes - a.votes).slice(0, most)
}

/** The most that four neighbouring bins hold, and the first of them. */
function mostOf(votes: Float32Array, owner: number): { readonly votes: number; readonly bin: number } {
  const start = bins * owner
  let [most, first] = [0, 0]
  for (let bin = 0; bin < bins; bin += 1) {
    const one = start + bin
    const next = start + ((bin + 16) & (bins - 1))
    const side = (bin & 15) === 15 ? 0 : (votes[one + 1] as number) + (votes[next + 1] as number)
    const all = (votes[one] as number) + (votes[next] as number) + side
    if (all > most) [most, first] = [all, bin]
  }
  return { votes: most, bin: first }
}

/** What is near a corner: the nearest of each original's descriptors, and by how many bits it is off. */
interface Near {
  readonly places: number[]
  readonly bits: number[]
}

/** Of one shelf's originals what is nearest to a corner. */
class Nearest {
  readonly #first: number
  readonly #bits: Uint8Array
  readonly #places: Uint32Array
  readonly #near: number[] = []

  constructor({ first, end }: Shelf) {
    this.#first = first
    this.#bits = new Uint8Array(end - first).fill(matchLimit_bits)
    this.#places = new Uint32Array(end - first)
  }

  offer(owner: number, place: number, bits: number): void {
    const at = owner - this.#first
    const held = this.#bits[at] as number
    if (held === matchLimit_bits) this.#near.push(at)
    if (bits >= held) return
    this.#bits[at] = bits
    this.#places[at] = place
  }

  /** Adds them, and forgets them. */
  pourInto({ places, bits }: Near): void {
    for (const at of this.#near) {
      places.push(this.#places[at] as number)
      bits.push(this.#bits[at] as number)
      this.#bits[at] = matchLimit_bits
    }
    this.#near.length = 0
  }
}
