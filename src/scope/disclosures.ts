import { assert } from "../fault.ts"
import { Dense } from "./dense.ts"
import { Postings } from "./postings.ts"

type Column = Uint8Array | Uint16Array | Uint32Array

/** What left, one row for each permit or delivery, in any order: columns of one length. */
export interface DisclosureRows {
  /** To whom: an organization, or a finer part of one. From 0. */
  readonly holder: Column
  /** UTC date of the release as days since `firstDay` of the table, from 0. */
  readonly day: Column
  /** Of the image. */
  readonly ordinal: Uint32Array
}

export interface Extent {
  readonly holders: number
  readonly days: number
  /** Ordinals are smaller than this. */
  readonly images: number
}

/** Days of a roll-up. */
export const blockDays = 30

/**
 * Which images left to whom on which day: a set for each (holder, day), for each (holder, 30 days), for each 30 days over all
 * holders, for each holder over all days, and one of everything. Built from rows at once, and never the source of truth.
 */
export class Disclosures {
  readonly extent: Extent
  readonly #daily: Postings
  readonly #blocks: Postings
  readonly #whole: Postings
  /** Of blocks over all holders, and last the one of everything. */
  readonly #together: Postings

  /** Costs a sort of all rows; memory of about 4 bytes a row while it is built. */
  constructor(rows: DisclosureRows, extent: Extent) {
    this.extent = extent
    const { holders, days, images } = extent
    const blocks = Math.ceil(days / blockDays)
    const into = new Dense(images)
    const union = (of: Postings, sets: Iterable<number>): Uint32Array => {
      into.clear()
      for (const n of sets) of.addTo(into, n)
      return into.values()
    }
    const room = rows.ordinal.length
    this.#daily = Postings.of(dailySets(rows, extent), room)
    this.#blocks = Postings.of(
      over(holders * blocks, n => {
        const [holder, block] = [Math.floor(n / blocks), n % blocks]
        const from = holder * days + block * blockDays
        return union(this.#daily, range(from, Math.min(from + blockDays, (holder + 1) * days)))
      }),
      room,
    )
    this.#whole = Postings.of(
      over(holders, holder => union(this.#blocks, range(holder * blocks, (holder + 1) * blocks))),
    )
    const together = over(blocks + 1, block =>
      block < blocks
        ? union(
            this.#blocks,
            over(holders, holder => holder * blocks + block),
          )
        : union(this.#whole, range(0, holders)),
    )
    this.#together = Postings.of(together)
  }

  get bytes(): number {
    return [this.#daily, this.#blocks, this.#whole, this.#together].reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /**
   * Adds to `into` every image that left to one of `holders` on a day with from ≤ day < until.
   * @param holders  ascending, each once; `null`: all of them.
   */
  addTo(into: Dense, holders: readonly number[] | null, from: number, until: number): void {
    const { days } = this.extent
    const [first, last] = [Math.max(0, from), Math.min(days, until)]
    if (first >= last) return
    const all = holders === null || holders.length === this.extent.holders
    if (all && first === 0 && last === days) return this.#together.addTo(into, this.#together.size - 1)
    if (first === 0 && last === days) return (holders ?? []).forEach(n => this.#whole.addTo(into, n))
    const blocks = Math.ceil(days / blockDays)
    const named = holders ?? [...range(0, this.extent.holders)]
    for (let day = first; day < last;) {
      const block = Math.floor(day / blockDays)
      const end = Math.min((block + 1) * blockDays, days)
      const isWhole = day % blockDays === 0 && end <= last
      if (isWhole && all) this.#together.addTo(into, block)
      else if (isWhole) for (const n of named) this.#blocks.addTo(into, n * blocks + block)
      else for (const n of named) this.#daily.addTo(into, n * days + day)
      day = isWhole ? end : day + 1
    }
  }
}

function* range(from: number, until: number): Generator<number> {
  for (let n = from; n < until; n += 1) yield n
}

function* over<T>(count: number, at: (n: number) => T): Generator<T> {
  for (let n = 0; n < count; n += 1) yield at(n)
}

/** By (holder, day): a counting sort, and each part sorted by itself. */
function* dailySets(
  { holder, day, ordinal }: DisclosureRows,
  { holders, days, images }: Extent,
): Generator<Uint32Array> {
  assert(holder.length === day.length && day.length === ordinal.length, "rows are columns of one length")
  const starts = new Uint32Array(holders * days + 1)
  for (let row = 0; row < ordinal.length; row += 1) {
    const [h, d, o] = [holder[row] as number, day[row] as number, ordinal[row] as number]
    assert(h < holders && d < days && o < images, "a row lies within the extent")
    starts[h * days + d + 1] = (starts[h * days + d + 1] as number) + 1
  }
  for (let n = 1; n < starts.length; n += 1) starts[n] = (starts[n] as number) + (starts[n - 1] as number)
  const sorted = new Uint32Array(ordinal.length)
  const next = starts.slice()
  for (let row = 0; row < ordinal.length; row += 1) {
    const set = (holder[row] as number) * days + (day[row] as number)
    sorted[next[set] as number] = ordinal[row] as number
    next[set] = (next[set] as number) + 1
  }
  for (let set = 0; set < holders * days; set += 1) yield sorted.subarray(starts[set], starts[set + 1]).sort()
}
