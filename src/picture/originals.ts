import { startOf, type Match } from "../mark/starts.ts"
import { identity, scaleAt, warpedX, warpedY, type Warp } from "../mark/warp.ts"
import type { Descriptor } from "./descriptors.ts"
import { distance, matchLimit_bits, words, wordsInto } from "./hamming.ts"
import type { Sketch } from "./sketch.ts"
import { keyOf, sortedTables, type Table, type Tables } from "./tables.ts"

/** An original that a leak may have come from. */
export interface Candidate {
  readonly name: string
  /** How many of the leak's corners lie on it as one picture lies on another. */
  readonly agreeing: number
  /**
   * What candidates are ordered by: of these corners the sum of the squares of by how many bits each looks more like it than
   * like the others that were looked at closely (local naive Bayes: McCann and Lowe 2012).
   */
  readonly votes: number
  /** From the leak to the original, and the same without perspective. */
  readonly warp: Warp
  readonly flat: Warp
}

/** A slot that holds more says nothing: so many originals share what it looks like. */
const mostInSlot = 20

/** So many are looked at closely, */
const shortlist = 100

/** and so many that were added last, before the tables are made anew. */
const mostUnsorted = 16

/** Ways in which a leak may be turned and scaled, for each original. */
const bins = 256

/** A scale is held in steps, as docs/formats/descriptors.md packs it. */
const scaleSteps = { perDoubling: 16, ofOne: 32 }

/** A look-up is made in pieces of so many corners and close looks, between which a server goes on with the rest of its work. */
const [cornersAtOnce, looksAtOnce] = [20, 5]

function othersTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** So many originals share tables, which are made in cache; when it is full, never again. */
const shelfSize = 1_000

/** Originals one after the other, sorted by tables of their own. */
interface Shelf extends Tables {
  readonly first: number
  readonly end: number
}

/**
 * Sketches of many originals, in which that of a leak is looked for. A leak's corner is compared with those alone that agree
 * with it in all or all but one of a key's bits, in one of six tables (Greene et al. 1994; Norouzi et al. 2014); the
 * originals that most speaks for are then compared with all of the leak. What it does: docs/formats/descriptors.md.
 * Holds about 105 bytes for each descriptor, 103 kB for an original with 980.
 */
export class Originals {
  readonly #names: string[] = []
  /** Where each original's descriptors start, and where the last one's end. */
  readonly #starts: number[] = [0]
  #bits = new Uint32Array(words * 1024)
  /** Of each descriptor: x, y, scale in steps, angle, by which those of an original are sorted. */
  #places = new Uint16Array(4 * 1024)
  #owners = new Uint32Array(1024)
  readonly #shelves: Shelf[] = []
  /** Of the look-up that was asked for last. */
  #turn: Promise<unknown> = Promise.resolve()

  get size(): number {
    return this.#names.length
  }

  /** Memory that it holds. */
  get size_bytes(): number {
    const lists = this.#shelves
      .flatMap(({ tables }) => tables)
      .reduce((sum, { offsets, list }) => sum + offsets.length + list.length, 0)
    return this.#bits.byteLength + this.#places.byteLength + this.#owners.byteLength + 4 * lists
  }

  get #count(): number {
    return this.#starts[this.#names.length] as number
  }

  /** So many originals are in tables. */
  get #sorted(): number {
    return this.#shelves.at(-1)?.end ?? 0
  }

  add(name: string, { parts }: Sketch): void {
    let at = this.#count
    const owner = this.#names.push(name) - 1
    const descriptors = parts.flatMap(part => part.descriptors).sort((a, b) => a.angle - b.angle)
    for (const { bits, x_px, y_px, scale, angle } of descriptors) {
      if (at === this.#owners.length) this.#grow()
      wordsInto(this.#bits, words * at, bits)
      this.#places.set([x_px, y_px, stepsOf(scale), angle], 4 * at)
      this.#owners[at] = owner
      at += 1
    }
    this.#starts.push(at)
  }

  #grow(): void {
    const larger = <T extends Uint32Array | Uint16Array>(old: T, now: T): T => {
      now.set(old)
      return now
    }
    const length = Math.ceil(1.5 * this.#owners.length)
    this.#bits = larger(this.#bits, new Uint32Array(words * length))
    this.#places = larger(this.#places, new Uint16Array(4 * length))
    this.#owners = larger(this.#owners, new Uint32Array(length))
  }

  /**
   * The likeliest originals of a leak, best first; none where nothing is alike. One is asked for after the other; what
   * was added when its turn comes is looked through, and others get their turn every few milliseconds.
   * @param leakSide_px  the leak's longer side.
   * Costs about 0.9 s among 10,000 originals, for 600 corners; after more than 16 were added, the sorting of what is on no full shelf
   * besides, up to 0.4 s.
   */
  find(leak: readonly Descriptor[], leakSide_px: number, most: number): Promise<readonly Candidate[]> {
    const found = this.#turn.then(() => this.#found(leak, leakSide_px, most))
    this.#turn = found.catch(() => undefined)
    return found
  }

  async #found(
    leak: readonly Descriptor[],
    leakSide_px: number,
    most: number,
  ): Promise<readonly Candidate[]> {
    if (this.size - this.#sorted > mostUnsorted) this.#sort()
    const looks: CloseLook[] = []
    for (const likely of await this.#shortlistFor(leak)) {
      looks.push(this.#closeLook(leak, likely))
      if (looks.length % looksAtOnce === 0) await othersTurn()
    }
    const means = meansOf(looks, leak.length)
    return looks
      .map(look => candidateOf(look, { leakSide_px, means, name: this.#names[look.owner] as string }))
      .filter(({ agreeing }) => agreeing > 0)
      .sort((a, b) => b.votes - a.votes || b.agreeing - a.agreeing)
      .slice(0, most)
  }

  /**
   * Originals that descriptors in the leak's slots speak for, the likeliest first, then what is in no table yet. Only what
   * is turned and scaled alike adds up (Jégou et al. 2008, §4); what several have in common counts for each of them less.
   */
  async #shortlistFor(leak: readonly Descriptor[]): Promise<readonly Likely[]> {
    const unsorted = Array.from({ length: this.size - this.#sorted }, (_, n) => this.#sorted + n)
    const votes = new Float32Array(bins * this.#sorted)
    const nearest = new Uint8Array(this.#sorted).fill(matchLimit_bits)
    const places = new Uint32Array(this.#sorted)
    const own = new Uint32Array(words)
    for (const [n, corner] of leak.entries()) {
      if (n % cornersAtOnce === 0) await othersTurn()
      wordsInto(own, 0, corner.bits)
      const steps = stepsOf(corner.scale)
      const alike: number[] = []
      for (const { bits, tables } of this.#shelves)
        tables.forEach((table, n) => {
          const key = keyOf(own, 0, n, bits)
          this.#nearestOf(own, { table, key, bits }, { nearest, places, alike })
        })
      for (const owner of alike) {
        const at = 4 * (places[owner] as number)
        const turn = (this.#places[at + 3] as number) - corner.angle
        const bin = bins * owner + binOf(turn, (this.#places[at + 2] as number) - steps)
        const bits = matchLimit_bits - (nearest[owner] as number)
        votes[bin] = (votes[bin] as number) + (bits * bits) / alike.length
        nearest[owner] = matchLimit_bits
      }
    }
    const best = Array.from({ length: this.#sorted }, (_, owner) => ({ owner, ...mostOf(votes, owner) }))
      .filter(each => each.votes > 0)
      .sort((a, b) => b.votes - a.votes)
      .slice(0, shortlist)
    return [...best, ...unsorted.map(owner => ({ owner, bin: null }))]
  }

  #nearestOf(
    own: Uint32Array,
    { table: { offsets, list }, key, bits }: Slots,
    { nearest, places, alike }: Nearest,
  ): void {
    for (let flip = -1; flip < bits; flip += 1) {
      const slot = flip < 0 ? key : key ^ (1 << flip)
      const start = offsets[slot] as number
      const end = offsets[slot + 1] as number
      if (end - start > mostInSlot) continue
      for (let n = start; n < end; n += 1) {
        const at = list[n] as number
        const apart = distance(own, this.#bits, words * at, matchLimit_bits)
        if (apart >= matchLimit_bits) continue
        const owner = this.#owners[at] as number
        const held = nearest[owner] as number
        if (held === matchLimit_bits) alike.push(owner)
        if (apart >= held) continue
        nearest[owner] = apart
        places[owner] = at
      }
    }
  }

  /** For each corner of the leak the nearest of an original's, of those that are turned and scaled as the bin says. */
  #closeLook(leak: readonly Descriptor[], { owner, bin }: Likely): CloseLook {
    const sectors = this.#sectorsOf(owner)
    const [first, sectorsWithin] = bin === null ? [{ turn: 0, steps: 0 }, 16] : [firstOf(bin), 4]
    const own = new Uint32Array(words)
    const bits = new Uint8Array(leak.length).fill(matchLimit_bits)
    const matches: Match[] = []
    const corners: number[] = []
    leak.forEach((corner, i) => {
      wordsInto(own, 0, corner.bits)
      const leastAngle = corner.angle + first.turn
      const leastSteps = stepsOf(corner.scale) + first.steps
      let best = -1
      for (let n = 0; n < sectorsWithin; n += 1) {
        const sector = ((leastAngle >> 4) + n) & 15
        const last = sectors[sector + 1] as number
        for (let at = sectors[sector] as number; at < last; at += 1) {
          const angle = ((this.#places[4 * at + 3] as number) - leastAngle) & 255
          const above = (this.#places[4 * at + 2] as number) - leastSteps
          if (bin !== null && (angle >= window.turn || above < 0 || above >= window.steps)) continue
          const apart = distance(own, this.#bits, words * at, bits[i] as number)
          if (apart >= (bits[i] as number)) continue
          bits[i] = apart
          best = at
        }
      }
      if (best < 0) return
      matches.push({ leak: corner, original: this.#cornerAt(best) })
      corners.push(i)
    })
    return { owner, bits, matches, corners }
  }

  /** Where an original's descriptors of each sixteenth of a turn start, and where the last end. */
  #sectorsOf(owner: number): Uint32Array {
    const sectors = new Uint32Array(17)
    const [start, end] = [this.#starts[owner] as number, this.#starts[owner + 1] as number]
    let sector = 0
    sectors[0] = start
    for (let at = start; at < end; at += 1)
      while (sector < (this.#places[4 * at + 3] as number) >> 4) sectors[(sector += 1)] = at
    return sectors.fill(end, sector + 1)
  }

  #cornerAt(at: number): Match["original"] {
    const place = (n: number) => this.#places[4 * at + n] as number
    return { x_px: place(0), y_px: place(1), scale: scaleOf(place(2)), angle: place(3) }
  }

  /** All that is on no full shelf yet. */
  #sort(): void {
    const last = this.#shelves.at(-1)
    if (last !== undefined && last.end - last.first < shelfSize) this.#shelves.pop()
    while (this.#sorted < this.size) this.#shelves.push(this.#nextShelf())
  }

  #nextShelf(): Shelf {
    const [first, end] = [this.#sorted, Math.min(this.#sorted + shelfSize, this.size)]
    const [from, to] = [this.#starts[first] as number, this.#starts[end] as number]
    return { first, end, ...sortedTables(this.#bits, from, to) }
  }
}

/** Where a table is looked through: the slot of a key, and of those with one of its bits wrong. */
interface Slots {
  readonly table: Table
  readonly key: number
  readonly bits: number
}

/** For each original how far its nearest is from a corner, and where that is held. */
interface Nearest {
  readonly nearest: Uint8Array
  readonly places: Uint32Array
  /** Of which originals one is near. */
  readonly alike: number[]
}

function stepsOf(scale: number): number {
  return scaleSteps.ofOne + Math.round(scaleSteps.perDoubling * Math.log2(scale))
}

function scaleOf(steps: number): number {
  return 2 ** ((steps - scaleSteps.ofOne) / scaleSteps.perDoubling)
}

/** In which of its original's bins a match is: by sixteenths of a turn, and by halves of a doubling of scale. */
function binOf(turn: number, steps: number): number {
  const halves = Math.floor((2 * steps) / scaleSteps.perDoubling) + 8
  return (turn & 0xf0) + Math.max(0, Math.min(15, halves))
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

/** An original that is looked at closely, and how it seems to be turned and scaled; `null` where that is not known. */
interface Likely {
  readonly owner: number
  readonly bin: number | null
}

/** What four neighbouring bins hold and half a bin around: 256ths of a turn, and steps of scale. */
const window = { turn: 48, steps: 24 }

/** The least turn and the least steps of scale that belong to it. */
function firstOf(bin: number): { readonly turn: number; readonly steps: number } {
  const halfDoubling = scaleSteps.perDoubling / 2
  return { turn: (bin & 0xf0) - 8, steps: ((bin & 15) - 8) * halfDoubling - halfDoubling / 2 }
}

interface CloseLook {
  readonly owner: number
  /** How far the original's nearest is from each of the leak's corners, at most `matchLimit_bits`. */
  readonly bits: Uint8Array
  readonly matches: readonly Match[]
  /** Which of the leak's corners each match is of. */
  readonly corners: readonly number[]
}

/** For each of the leak's corners how far the originals' nearest are; with one more that matches nothing, so that a single original is no mean of itself. */
function meansOf(looks: readonly CloseLook[], corners: number): Float32Array {
  const means = new Float32Array(corners).fill(matchLimit_bits)
  for (const { bits } of looks)
    for (let i = 0; i < corners; i += 1) means[i] = (means[i] as number) + (bits[i] as number)
  return means.map(sum => sum / (looks.length + 1))
}

function candidateOf(
  { bits, matches, corners }: CloseLook,
  {
    leakSide_px,
    means,
    name,
  }: { readonly leakSide_px: number; readonly means: Float32Array; readonly name: string },
): Candidate {
  const bitsOf = (n: number) => bits[corners[n] as number] as number
  const nearestFirst = corners.map((_, n) => n).sort((a, b) => bitsOf(a) - bitsOf(b))
  const start = startOf(
    matches,
    leakSide_px,
    nearestFirst.slice(0, mostTried).map(n => matches[n] as Match),
  )
  if (start === null) return { name, agreeing: 0, votes: 0, warp: identity, flat: identity }
  const { warp, agreeing, flat } = start
  const reach_px = 0.02 * leakSide_px * scaleAt(warp, leakSide_px / 2, leakSide_px / 2)
  const votes = matches.reduce((sum, { leak, original }, n) => {
    const across = warpedX(warp, leak.x_px, leak.y_px) - original.x_px
    const down = warpedY(warp, leak.x_px, leak.y_px) - original.y_px
    const i = corners[n] as number
    if (Math.hypot(across, down) > reach_px) return sum
    return sum + Math.max(0, (means[i] as number) - (bits[i] as number)) ** 2
  }, 0)
  return { name, agreeing, votes, warp, flat }
}

/** So many matches, the nearest, are tried as guesses of how a leak lies on an original. */
const mostTried = 150
