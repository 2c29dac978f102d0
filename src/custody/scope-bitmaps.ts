import { assert } from "../fault.ts"
import { join, type Level } from "../grant/level.ts"
import type { Breakdown, Part } from "../incident/scope.ts"
import { rootOf } from "../log/standing.ts"
import type { CaptureFacts } from "../log/state.ts"
import { Dense } from "../scope/dense.ts"
import { Disclosures } from "../scope/disclosures.ts"
import type { Windows } from "../scope/figures.ts"
import type { Hit } from "./scope-cause.ts"
import type { ReadLog } from "./scope-reading.ts"
import type { PermitRow } from "./scope-rows.ts"

const day_ms = 86_400_000

/**
 * The first engine: every image has an ordinal (capture day, then port, lane and entry), every holder a number, and what left is
 * bitmaps by holder and day. A holder is one person of one organization on one device and network, so that each cause is a set of them.
 */
export class Bitmaps {
  readonly images: readonly CaptureFacts[]
  readonly permits: readonly PermitRow[]
  readonly #ordinals: ReadonlyMap<string, number>
  readonly #holders: readonly PermitRow[]
  readonly #firstDay: number
  readonly #left: Disclosures
  readonly #verified: ReadLog

  constructor(verified: ReadLog, isCanary: (capture: string) => boolean) {
    this.#verified = verified
    this.images = [...verified.register.captures.values()].filter(({ id }) => !isCanary(id)).sort(inOrder)
    this.#ordinals = new Map(this.images.map(({ id }, ordinal) => [id, ordinal]))
    this.permits = verified.rows.permits.filter(({ capture }) => this.#ordinals.has(capture))
    const holders = new Map<string, number>()
    const firsts: PermitRow[] = []
    const holder = Uint32Array.from(this.permits, permit => {
      const name = holderOf(permit)
      const known = holders.get(name) ?? firsts.push(permit) - 1
      holders.set(name, known)
      return known
    })
    this.#holders = firsts
    this.#firstDay = dayOf(verified.rows.first_at)
    const rows = {
      holder,
      day: Uint32Array.from(this.permits, ({ at }) => dayOf(at) - this.#firstDay),
      ordinal: Uint32Array.from(this.permits, ({ capture }) => this.ordinal(capture)),
    }
    const days = dayOf(verified.rows.last_at) - this.#firstDay + 1
    this.#left = new Disclosures(rows, { holders: firsts.length, days, images: this.images.length })
  }

  ordinal(capture: string): number {
    const ordinal = this.#ordinals.get(capture)
    assert(ordinal !== undefined, "an image has its ordinal")
    return ordinal
  }

  has(capture: string): boolean {
    return this.#ordinals.has(capture)
  }

  empty(): Dense {
    return new Dense(this.images.length)
  }

  /** Ids of a set, ascending. */
  ids(set: Dense): string[] {
    return [...set.values()].map(ordinal => this.images[ordinal]?.id ?? "").sort()
  }

  /** Permits of the cause within a window. */
  permitsIn(hit: Hit, { from, until }: Pick<Windows, "from" | "until">): PermitRow[] {
    return this.permits.filter(permit => from <= permit.at && permit.at < until && hit.permit(permit))
  }

  /**
   * Distinct images that left to the cause in a window, or ever: whole days from the bitmaps, the days at its ends by the permits' own
   * times. A cause of found files asks each permit, since it goes by images too.
   */
  left(hit: Hit, window: Pick<Windows, "from" | "until"> | null): Dense {
    const into = this.empty()
    const { days } = this.#left.extent
    const byRow = (from: string, until: string) => {
      for (const { capture } of this.permitsIn(hit, { from, until })) into.add(this.ordinal(capture))
    }
    const [from, until] = [window?.from ?? "0", window?.until ?? "9"]
    if (hit.files !== null) {
      byRow(from, until)
      return into
    }
    const holders = this.#holders.flatMap((permit, n) => (hit.permit(permit) ? [n] : []))
    const first = window === null ? 0 : Math.ceil(Date.parse(from) / day_ms) - this.#firstDay
    const last = window === null ? days : dayOf(until) - this.#firstDay
    if (first >= last) {
      byRow(from, until)
      return into
    }
    this.#left.addTo(into, holders, first, last)
    if (window === null) return into
    const starts = (day: number) => new Date((day + this.#firstDay) * day_ms).toISOString()
    byRow(from, starts(first))
    byRow(starts(last), until)
    return into
  }

  /** By which key images left. @param permits  those of the set `left`. */
  breakdown(left: Dense, permits: readonly PermitRow[]): Breakdown {
    const imageOf = ({ capture }: PermitRow) => this.images[this.ordinal(capture)]
    return {
      port: this.#placed(left, permits, image => image.port),
      lane: this.#placed(left, permits, image => image.lane),
      capture_day: this.#placed(left, permits, ({ hour }) => hour.slice(0, 10)),
      release_day: this.#parts(permits, ({ at }) => at.slice(0, 10)),
      both_days: this.#parts(permits, permit => {
        return `${imageOf(permit)?.hour.slice(0, 10) ?? ""} ${permit.at.slice(0, 10)}`
      }).map(({ key, images }) => ({ captured: key.slice(0, 10), released: key.slice(11), images })),
      level: this.#parts(permits, this.#levels(permits)),
      holder: this.#parts(permits, ({ person }) => person),
    }
  }

  /** Runs of ordinals with one key: each run is counted as a range of bits. */
  #placed(left: Dense, permits: readonly PermitRow[], key: (image: CaptureFacts) => string): Part[] {
    const images = new Map<string, number>()
    for (let from = 0; from < this.images.length;) {
      const name = key(this.images[from] as CaptureFacts)
      let until = from
      while (until < this.images.length && key(this.images[until] as CaptureFacts) === name) until += 1
      const count = left.countBetween(from, until)
      if (count > 0) images.set(name, (images.get(name) ?? 0) + count)
      from = until
    }
    const files = new Map<string, number>()
    for (const { capture } of permits) {
      const name = key(this.images[this.ordinal(capture)] as CaptureFacts)
      files.set(name, (files.get(name) ?? 0) + 1)
    }
    return [...images].sort(byKey).map(([key, count]) => ({ key, images: count, files: files.get(key) ?? 0 }))
  }

  /** Distinct images by a key of the permit. */
  #parts(permits: readonly PermitRow[], key: (permit: PermitRow) => string): Part[] {
    const found = new Map<string, { readonly images: Set<string>; files: number }>()
    for (const permit of permits) {
      const name = key(permit)
      const part = found.get(name) ?? { images: new Set<string>(), files: 0 }
      part.images.add(permit.capture)
      part.files += 1
      found.set(name, part)
    }
    return [...found].sort(byKey).map(([key, { images, files }]) => ({ key, images: images.size, files }))
  }

  /** The join of what the tree of the permit's organization got of the capture. */
  #levels(permits: readonly PermitRow[]): (permit: PermitRow) => Level {
    const seen = new Map<string, Level>()
    const roots = new Map<string, string>()
    const name = ({ capture, organization }: PermitRow) => {
      const root = roots.get(organization) ?? rootOf(organization, this.#verified.register)
      roots.set(organization, root)
      return `${root} ${capture}`
    }
    for (const permit of permits) seen.set(name(permit), join(permit.level, seen.get(name(permit)) ?? "L0"))
    return permit => seen.get(name(permit)) ?? "L0"
  }
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function holderOf({ organization, person, device, network }: PermitRow): string {
  return `${organization} ${person} ${device ?? ""} ${network ?? ""}`
}

function dayOf(time: string): number {
  return Math.floor(Date.parse(time) / day_ms)
}

/** Capture day, port, lane, entry. */
function inOrder(a: CaptureFacts, b: CaptureFacts): number {
  const [x, y] = [a.hour.slice(0, 10), b.hour.slice(0, 10)]
  if (x !== y) return x < y ? -1 : 1
  if (a.port !== b.port) return a.port < b.port ? -1 : 1
  return a.lane === b.lane ? a.admitted - b.admitted : a.lane < b.lane ? -1 : 1
}
