import { startOf, type Match } from "../mark/starts.ts"
import { warpedX, warpedY } from "../mark/warp.ts"
import type { Descriptor } from "./descriptors.ts"
import { distance, matchLimit_bits, words, wordsInto } from "./hamming.ts"
import type { Sketch } from "./sketch.ts"

/** An original that a leak may have come from. */
export interface Candidate {
  readonly name: string
  /** How many of the leak's corners lie on it as one picture lies on another; what candidates are ordered by. */
  readonly agreeing: number
  /** By how many bits these look more like it than like the other originals that were looked at closely. */
  readonly votes: number
}

/** Each table sorts all descriptors by some of their bits. */
const tables = 8

/** So many descriptors share a slot of a table on average. */
const perSlot = 4

/** A slot that holds more says nothing: so many originals share what it looks like. */
const mostInSlot = 32

/** So many are looked at closely, */
const shortlist = 40

/** and so many that were added last, before the tables are made anew. */
const mostUnsorted = 16

/** Ways in which a leak may be turned and scaled, for each original. */
const bins = 256

/** A scale is held in steps, as docs/formats/descriptors.md packs it. */
const scaleSteps = { perDoubling: 16, ofOne: 32 }

interface Table {
  readonly offsets: Uint32Array
  readonly list: Uint32Array
}

/**
 * Sketches of many originals, in which that of a leak is looked for. A leak's corner is compared with those alone that agree
 * with it in all or all but one of a key's bits, in one of eight tables (Greene et al. 1994; Norouzi et al. 2014); the
 * originals that most speaks for are then compared with all of the leak. What it does: docs/formats/descriptors.md.
 * Holds about 105 bytes for each descriptor, 53 kB for an original with 500.
 */
export class Originals {
  readonly #names: string[] = []
  /** Where each original's descriptors start, and where the last one's end. */
  readonly #starts: number[] = [0]
  #bits = new Uint32Array(words * 1024)
  /** Of each descriptor: x, y, scale in steps, angle. */
  #places = new Uint16Array(4 * 1024)
  #owners = new Uint32Array(1024)
  #tables: readonly Table[] = []
  /** So many originals, and the bits of a key, are in the tables. */
  #sorted = 0
  #keyBits = 0

  get size(): number {
    return this.#names.length
  }

  /** Memory that it holds. */
  get size_bytes(): number {
    const lists = this.#tables.reduce((sum, { offsets, list }) => sum + offsets.length + list.length, 0)
    return this.#bits.byteLength + this.#places.byteLength + this.#owners.byteLength + 4 * lists
  }

  get #count(): number {
    return this.#starts[this.#names.length] as number
  }

  add(name: string, { parts }: Sketch): void {
    let at = this.#count
    const owner = this.#names.push(name) - 1
    for (const { bits, x_px, y_px, scale, angle } of parts.flatMap(part => part.descriptors)) {
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
   * The likeliest originals of a leak, best first; none where nothing is alike.
   * @param leakSide_px  the leak's longer side.
   * Costs 0.64 s of a busy core among 920 originals, for 600 corners; after more than 16 were added, the sorting of all besides.
   */
  find(leak: readonly Descriptor[], leakSide_px: number, most: number): readonly Candidate[] {
    if (this.size - this.#sorted > mostUnsorted) this.#sort()
    const looks = this.#shortlistFor(leak).map(owner => this.#closeLook(leak, owner))
    const means = leak.map((_, i) => meanOf(looks.map(look => look.bits[i] as number)))
    return looks
      .map(look => candidateOf(look, { leakSide_px, means, name: this.#names[look.owner] as string }))
      .filter(({ agreeing }) => agreeing > 0)
      .sort((a, b) => b.agreeing - a.agreeing || b.votes - a.votes)
      .slice(0, most)
  }

  /**
   * Originals that descriptors in the leak's slots speak for, the likeliest first, then what is in no table yet. Only what
   * is turned and scaled alike adds up (Jégou et al. 2008, §4); what several have in common counts for each of them less.
   */
  #shortlistFor(leak: readonly Descriptor[]): readonly number[] {
    const votes = new Float32Array(bins * this.#sorted)
    const nearest = new Uint8Array(this.#sorted).fill(matchLimit_bits)
    const places = new Uint32Array(this.#sorted)
    const own = new Uint32Array(words)
    for (const corner of leak) {
      wordsInto(own, 0, corner.bits)
      const steps = stepsOf(corner.scale)
      const alike: number[] = []
      this.#tables.forEach((table, n) => {
        const key = keyOf(own, 0, n, this.#keyBits)
        this.#nearestOf(own, { table, key }, { nearest, places, alike })
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
    const best = Array.from({ length: this.#sorted }, (_, owner) => ({ owner, votes: mostOf(votes, owner) }))
      .filter(each => each.votes > 0)
      .sort((a, b) => b.votes - a.votes)
      .slice(0, shortlist)
      .map(({ owner }) => owner)
    return [...best, ...Array.from({ length: this.size - this.#sorted }, (_, n) => this.#sorted + n)]
  }

  #nearestOf(
    own: Uint32Array,
    { table: { offsets, list }, key }: { readonly table: Table; readonly key: number },
    { nearest, places, alike }: Nearest,
  ): void {
    for (let flip = -1; flip < this.#keyBits; flip += 1) {
      const slot = flip < 0 ? key : key ^ (1 << flip)
      const start = offsets[slot] as number
      const end = offsets[slot + 1] as number
      if (end - start > mostInSlot) continue
      for (let n = start; n < end; n += 1) {
        const at = list[n] as number
        const bits = distance(own, this.#bits, words * at, matchLimit_bits)
        if (bits >= matchLimit_bits) continue
        const owner = this.#owners[at] as number
        const held = nearest[owner] as number
        if (held === matchLimit_bits) alike.push(owner)
        if (bits >= held) continue
        nearest[owner] = bits
        places[owner] = at
      }
    }
  }

  /** For each corner of the leak the nearest of an original. */
  #closeLook(leak: readonly Descriptor[], owner: number): CloseLook {
    const [start, end] = [this.#starts[owner] as number, this.#starts[owner + 1] as number]
    const own = new Uint32Array(words)
    const bits = new Uint8Array(leak.length).fill(matchLimit_bits)
    const matches: Match[] = []
    const corners: number[] = []
    leak.forEach((corner, i) => {
      wordsInto(own, 0, corner.bits)
      let best = -1
      for (let at = start; at < end; at += 1) {
        const apart = distance(own, this.#bits, words * at, bits[i] as number)
        if (apart >= (bits[i] as number)) continue
        bits[i] = apart
        best = at
      }
      if (best < 0) return
      matches.push({ leak: corner, original: this.#cornerAt(best) })
      corners.push(i)
    })
    return { owner, bits, matches, corners }
  }

  #cornerAt(at: number): Match["original"] {
    const place = (n: number) => this.#places[4 * at + n] as number
    return { x_px: place(0), y_px: place(1), scale: scaleOf(place(2)), angle: place(3) }
  }

  /** Counting sort by the bits of each table. */
  #sort(): void {
    const count = this.#count
    this.#sorted = this.size
    this.#keyBits = Math.max(8, Math.min(24, Math.round(Math.log2(count / perSlot))))
    this.#tables = []
    this.#tables = Array.from({ length: tables }, (_, table) => {
      const keyAt = (at: number) => keyOf(this.#bits, words * at, table, this.#keyBits)
      const offsets = new Uint32Array(2 ** this.#keyBits + 1)
      for (let at = 0; at < count; at += 1) {
        const slot = keyAt(at)
        offsets[slot] = (offsets[slot] as number) + 1
      }
      for (let slot = 1; slot < offsets.length; slot += 1)
        offsets[slot] = (offsets[slot] as number) + (offsets[slot - 1] as number)
      const list = new Uint32Array(count)
      for (let at = count - 1; at >= 0; at -= 1) {
        const slot = keyAt(at)
        const place = (offsets[slot] as number) - 1
        list[place] = at
        offsets[slot] = place
      }
      return { offsets, list }
    })
  }
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

/** The most that four neighbouring bins hold. */
function mostOf(votes: Float32Array, owner: number): number {
  const start = bins * owner
  let most = 0
  for (let bin = 0; bin < bins; bin += 1) {
    const one = start + bin
    const next = start + ((bin + 16) & (bins - 1))
    const side = (bin & 15) === 15 ? 0 : (votes[one + 1] as number) + (votes[next + 1] as number)
    most = Math.max(most, (votes[one] as number) + (votes[next] as number) + side)
  }
  return most
}

interface CloseLook {
  readonly owner: number
  /** How far the original's nearest is from each of the leak's corners, at most `matchLimit_bits`. */
  readonly bits: Uint8Array
  readonly matches: readonly Match[]
  /** Which of the leak's corners each match is of. */
  readonly corners: readonly number[]
}

/** With one more that matches nothing, so that a single original is no mean of itself. */
function meanOf(bits: readonly number[]): number {
  return bits.reduce((sum, each) => sum + each, matchLimit_bits) / (bits.length + 1)
}

function candidateOf(
  { bits, matches, corners }: CloseLook,
  {
    leakSide_px,
    means,
    name,
  }: { readonly leakSide_px: number; readonly means: readonly number[]; readonly name: string },
): Candidate {
  const start = startOf(matches, leakSide_px)
  if (start === null) return { name, agreeing: 0, votes: 0 }
  const { warp, agreeing } = start
  const reach_px = 0.02 * leakSide_px * Math.sqrt(Math.abs(warp[0] * warp[4] - warp[1] * warp[3]))
  const votes = matches.reduce((sum, { leak, original }, n) => {
    const across = warpedX(warp, leak.x_px, leak.y_px) - original.x_px
    const down = warpedY(warp, leak.x_px, leak.y_px) - original.y_px
    const i = corners[n] as number
    if (Math.hypot(across, down) > reach_px) return sum
    return sum + Math.max(0, (means[i] as number) - (bits[i] as number))
  }, 0)
  return { name, agreeing, votes }
}

/** As many successive bits as `size` says, from where the table's turn is. */
function keyOf(bits: Uint32Array, at: number, table: number, size: number): number {
  const from = Math.floor((256 * table) / tables)
  const word = from >>> 5
  const shift = from & 31
  const low = (bits[at + word] as number) >>> shift
  const high = shift === 0 ? 0 : (bits[at + ((word + 1) & 7)] as number) << (32 - shift)
  return (low | high) & (2 ** size - 1)
}
