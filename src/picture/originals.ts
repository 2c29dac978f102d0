import { startOf, type Match } from "../mark/starts.ts"
import { identity, scaleAt, warpedX, warpedY, type Warp } from "../mark/warp.ts"
import { Ballot, firstOf, othersTurn, scaleOf, stepsOf, window, type Shelf } from "./ballot.ts"
import type { Descriptor } from "./descriptors.ts"
import { distance, matchLimit_bits, words, wordsInto } from "./hamming.ts"
import type { Sketch } from "./sketch.ts"
import { sortedTables } from "./tables.ts"

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
  /** Whether it is the leak's mirror image that lies so. */
  readonly isMirrored: boolean
}

/** A leak's corners as it is, and as in a mirror. */
export interface Ways {
  readonly asItIs: readonly Descriptor[]
  readonly mirrored: readonly Descriptor[]
}

interface Thoroughness {
  /** So many originals are looked at with some of the corners, */
  readonly shortlist: number
  /** and so many of them with all. */
  readonly closely: number
  /** One in so many corners says which, where there are many. */
  readonly every: number
}

const thoroughness = {
  asItIs: { shortlist: 200, closely: 60, every: 2 },
  mirrored: { shortlist: 60, closely: 20, every: 4 },
} as const
const many = 400

/** Of many corners one in so many says which originals are looked at with all. */
const someOf = 4

/** So many that were added last, before the tables are made anew. */
const mostUnsorted = 16

/** Close looks are made so many at a time, between which a server goes on with the rest of its work. */
const looksAtOnce = 5

/** So many originals share tables, which are made in cache; when it is full, never again. */
const shelfSize = 1_000

/**
 * Sketches of many originals, in which that of a leak is looked for. A leak's corner is compared with those alone that agree
 * with it in all or all but one of a key's bits, in one of six tables (Greene et al. 1994; Norouzi et al. 2014); the
 * originals that most speaks for are then compared with all of the leak. What it does: docs/formats/descriptors.md.
 * Holds about 105 bytes for each descriptor.
 */
export class Originals {
  readonly #names: string[] = []
  /** Where each original's descriptors start, and where the last one's end. */
  readonly #starts: number[] = [0]
  #bits = new Uint32Array(words * 1024)
  /** Of each descriptor: x, y, scale in steps, angle. Those of an original are sorted by sixteenths of a turn, and by scale. */
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
    const descriptors = parts
      .flatMap(part => part.descriptors)
      .sort((a, b) => (a.angle >> 4) - (b.angle >> 4) || a.scale - b.scale)
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
   */
  find(leak: readonly Descriptor[], leakSide_px: number, most: number): Promise<readonly Candidate[]> {
    return this.findEither({ asItIs: leak, mirrored: [] }, leakSide_px, most)
  }

  /**
   * As `find`, of a leak that may be mirrored; an original may come twice. Of its mirror image fewer corners are asked and fewer
   * originals looked at closely: few leaks are mirrored.
   * After more than 16 were added, the sorting of what is on no full shelf costs up to 0.4 s besides.
   */
  findEither(leak: Ways, leakSide_px: number, most: number): Promise<readonly Candidate[]> {
    const found = this.#turn.then(() => this.#found(leak, leakSide_px, most))
    this.#turn = found.catch(() => undefined)
    return found
  }

  async #found(ways: Ways, leakSide_px: number, most: number): Promise<readonly Candidate[]> {
    if (this.size - this.#sorted > mostUnsorted) this.#sort()
    const candidates: Candidate[] = []
    for (const way of ["asItIs", "mirrored"] as const) {
      const leak = ways[way]
      const looks = await this.#looksAt(leak, await this.#likeliest(leak, thoroughness[way]))
      const means = meansOf(looks, leak.length)
      for (const look of looks) {
        const name = this.#names[look.owner] as string
        candidates.push({ ...candidateOf(look, leakSide_px, means), name, isMirrored: way === "mirrored" })
      }
    }
    return candidates
      .filter(({ agreeing }) => agreeing > 0)
      .sort((a, b) => b.votes - a.votes || b.agreeing - a.agreeing)
      .slice(0, most)
  }

  /** Of those that corners speak for the ones that some of them, looked at more closely, speak for most. */
  async #likeliest(leak: readonly Descriptor[], thorough: Thoroughness): Promise<readonly Likely[]> {
    const likely = await this.#likelyFor(leak, thorough)
    if (likely.length <= thorough.closely) return likely
    const some = leak.length < many ? leak : leak.filter((_, i) => i % someOf === 0)
    const looks = await this.#looksAt(some, likely)
    const means = meansOf(looks, some.length)
    const votes = looks.map(({ bits }) => bits.reduce((sum, each, i) => sum + vote(means, i, each), 0))
    const ranked = [...votes.keys()].sort((a, b) => (votes[b] as number) - (votes[a] as number))
    return ranked.slice(0, thorough.closely).map(n => likely[n] as Likely)
  }

  async #looksAt(leak: readonly Descriptor[], likely: readonly Likely[]): Promise<readonly CloseLook[]> {
    const looks: CloseLook[] = []
    for (const each of likely) {
      looks.push(this.#closeLook(leak, each))
      if (looks.length % looksAtOnce === 0) await othersTurn()
    }
    return looks
  }

  /** The originals that most of a leak's corners speak for, and those that are in no table yet. */
  async #likelyFor(
    leak: readonly Descriptor[],
    { shortlist, every }: Thoroughness,
  ): Promise<readonly Likely[]> {
    const ballot = new Ballot({
      ...{ shelves: this.#shelves, bits: this.#bits, places: this.#places, owners: this.#owners },
    })
    await ballot.count(leak.length < many ? leak : leak.filter((_, i) => i % every === 0))
    const unsorted = Array.from({ length: this.size - this.#sorted }, (_, n) => this.#sorted + n)
    return [...ballot.first(shortlist), ...unsorted.map(owner => ({ owner, bin: null }))]
  }

  /** For each corner of the leak the nearest of an original's, of those that are turned and scaled as the bin says. */
  #closeLook(leak: readonly Descriptor[], { owner, bin }: Likely): CloseLook {
    const drawers = this.#drawersOf(owner)
    const first = bin === null ? { turn: 0, steps: -mostSteps } : firstOf(bin)
    const { turn, steps } = bin === null ? { turn: 256, steps: 2 * mostSteps } : window
    const own = new Uint32Array(words)
    const bits = new Uint8Array(leak.length).fill(matchLimit_bits)
    const matches: Match[] = []
    const corners: number[] = []
    leak.forEach((corner, i) => {
      wordsInto(own, 0, corner.bits)
      const near: Near = { nearest: matchLimit_bits, best: -1 }
      const leastAngle = corner.angle + first.turn
      const leastSteps = stepsOf(corner.scale) + first.steps
      const drawer = Math.max(0, Math.min(drawersEach - 1, leastSteps >> drawerShift))
      for (let n = 0; n < Math.min(sectors, (turn >> 4) + 1); n += 1) {
        const sector = drawersEach * (((leastAngle >> 4) + n) & (sectors - 1))
        const [start, end] = [drawers[sector + drawer] as number, drawers[sector + drawersEach] as number]
        this.#nearestIn(own, { start, end, leastAngle, leastSteps, turn, steps }, near)
      }
      if (near.best < 0) return
      bits[i] = near.nearest
      matches.push({ leak: corner, original: this.#cornerAt(near.best) })
      corners.push(i)
    })
    return { owner, bits, matches, corners }
  }

  /** Of these descriptors, sorted by scale, the nearest of those within the window, if it is nearer than what was found before. */
  #nearestIn(own: Uint32Array, within: Within, near: Near): void {
    const { start, end, leastAngle, leastSteps, turn, steps } = within
    const all = this.#bits
    const places = this.#places
    let { nearest } = near
    for (let at = start, word = words * start; at < end; at += 1, word += words) {
      const above = (places[4 * at + 2] as number) - leastSteps
      if (above >= steps) break
      if (above < 0 || (((places[4 * at + 3] as number) - leastAngle) & 255) >= turn) continue
      const apart = distance(own, all, word, nearest)
      if (apart >= nearest) continue
      nearest = apart
      near.best = at
    }
    near.nearest = nearest
  }

  /** Where an original's descriptors of each sixteenth of a turn and each half of a doubling of scale start, and where the last end. */
  #drawersOf(owner: number): Uint32Array {
    const drawers = new Uint32Array(sectors * drawersEach + 1)
    const [start, end] = [this.#starts[owner] as number, this.#starts[owner + 1] as number]
    let last = 0
    drawers[0] = start
    for (let at = start; at < end; at += 1) {
      const sector = (this.#places[4 * at + 3] as number) >> 4
      const drawer = Math.min(drawersEach - 1, (this.#places[4 * at + 2] as number) >> drawerShift)
      while (last < drawersEach * sector + drawer) drawers[(last += 1)] = at
    }
    return drawers.fill(end, last + 1)
  }

  #cornerAt(at: number): Match["original"] {
    return {
      x_px: this.#places[4 * at] as number,
      y_px: this.#places[4 * at + 1] as number,
      scale: scaleOf(this.#places[4 * at + 2] as number),
      angle: this.#places[4 * at + 3] as number,
    }
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
    return { first, end, from, ...sortedTables(this.#bits, from, to) }
  }
}

/** An original's descriptors lie in drawers: by sixteenths of a turn, and in each by scale, so many steps in one. */
const sectors = 16
const drawerShift = 3
const drawersEach = 16

/** Steps of scale are fewer, and so is what lies between two. */
const mostSteps = 2 ** 16

/** Some successive descriptors of an original, and which of them are looked at: from how much turn and scale on, and how far. */
interface Within {
  readonly start: number
  readonly end: number
  readonly leastAngle: number
  readonly leastSteps: number
  readonly turn: number
  readonly steps: number
}

interface Near {
  /** In bits; and which of all descriptors it is, −1 for none. */
  nearest: number
  best: number
}

/** An original that is looked at closely, and how it seems to be turned and scaled; `null` where that is not known. */
interface Likely {
  readonly owner: number
  readonly bin: number | null
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

/** What a corner says for an original that has one so near. */
function vote(means: Float32Array, i: number, bits: number): number {
  return Math.max(0, (means[i] as number) - bits) ** 2
}

function candidateOf(
  { bits, matches, corners }: CloseLook,
  leakSide_px: number,
  means: Float32Array,
): Omit<Candidate, "name" | "isMirrored"> {
  const bitsOf = (n: number) => bits[corners[n] as number] as number
  const nearestFirst = corners.map((_, n) => n).sort((a, b) => bitsOf(a) - bitsOf(b))
  const start = startOf(
    matches,
    leakSide_px,
    nearestFirst.slice(0, mostTried).map(n => matches[n] as Match),
  )
  if (start === null) return { agreeing: 0, votes: 0, warp: identity, flat: identity }
  const { warp, agreeing, flat } = start
  const reach_px = 0.02 * leakSide_px * scaleAt(warp, leakSide_px / 2, leakSide_px / 2)
  const votes = matches.reduce((sum, { leak, original }, n) => {
    const across = warpedX(warp, leak.x_px, leak.y_px) - original.x_px
    const down = warpedY(warp, leak.x_px, leak.y_px) - original.y_px
    const i = corners[n] as number
    if (Math.hypot(across, down) > reach_px) return sum
    return sum + vote(means, i, bits[i] as number)
  }, 0)
  return { agreeing, votes, warp, flat }
}

/** So many matches, the nearest, are tried as guesses of how a leak lies on an original. */
const mostTried = 150
