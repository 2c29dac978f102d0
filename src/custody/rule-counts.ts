import type { EventName } from "../log/event-table.ts"
import { toldBy } from "../log/events.ts"
import { parseEntry, type Entry } from "../log/kinds.ts"
import { Register } from "../log/state.ts"
import { nextTurn } from "../next-turn.ts"
import type { House } from "./house.ts"

/** What is counted of the log: events, what the watch judged, and what else a rule looks at. */
export type Counted = EventName | WatchRule | Basis

/** A rule of the watch, and whom it is about. */
export type WatchRule = `${"watch.step_up" | "watch.suspended"} ${"person" | "organization"}`

/** What there must be for a rule to say anything: openings judged by the watch, held and observed; images asked for; what people signed. */
export type Basis = "judged" | "observed" | "asked for" | "signed"

export interface Count {
  /** In the last 30 days (UTC), this one included. */
  readonly count: number
  /** The newest; `null` for none. */
  readonly entry: number | null
  readonly at: string | null
}

const days = 30
const day_ms = 86_400_000
const page = 256

type Day = Map<string, { count: number; entry: number; at: string }>

/** Events are counted without whom they are about. */
const nobody = new Register()

/** Counts of one log by day. The first look reads 30 days of entries, or from an entry on; each later one what has come since. */
class RuleCounts {
  readonly #house: House
  readonly #days = new Map<string, Day>()
  /** Whose question waits, so that one that is asked again counts once. */
  readonly #asked = new Set<string>()
  #next: number | null = null
  #turn: Promise<void> = Promise.resolve()

  constructor(house: House, from: number | null) {
    this.#house = house
    this.#next = from
  }

  /** The entry that the next look begins with; `null` before the first. */
  get next(): number | null {
    return this.#next
  }

  async upToDate(): Promise<(what: Counted) => Count> {
    const turn = this.#turn.then(() => this.#follow())
    this.#turn = turn.catch(() => undefined)
    await turn
    return what => this.#of(what)
  }

  async #follow(): Promise<void> {
    const { ledger, log } = this.#house
    const { size } = await log.head()
    const first = this.#first()
    this.#next ??= await firstFrom(this.#house, first, size)
    while (this.#next < size) {
      const rows = await ledger.entries(this.#next, Math.min(this.#next + page, size))
      if (rows.length === 0) break
      for (const { index, bytes } of rows) {
        const entry = parseEntry(bytes)
        if (entry !== null) this.#take(entry, index)
      }
      this.#next += rows.length
      await nextTurn()
    }
    for (const date of this.#days.keys()) if (date < first) this.#days.delete(date)
  }

  #first(): string {
    return new Date(this.#house.log.clock() - (days - 1) * day_ms).toISOString().slice(0, 10)
  }

  #take(entry: Entry, index: number): void {
    const add = (what: Counted) => this.#add(what, { entry: index, at: entry.at })
    if ("asked" in entry && entry.asked !== null) add("signed")
    if (isAskingFor(entry)) add("asked for")
    for (const what of this.#watched(entry)) add(what)
    for (const { name } of toldBy(entry as never, { index, records: [], state: nobody })) add(name)
  }

  #watched(entry: Entry): readonly (WatchRule | Basis)[] {
    if (entry.kind === "watch.answered") this.#asked.delete(entry.person)
    if ((entry.kind !== "permit" && entry.kind !== "refused") || entry.watch === undefined) return []
    const { mode, verdict, about } = entry.watch
    if (mode === "observe") return ["observed"]
    const person = (entry.kind === "permit" ? entry.by?.person : entry.person) ?? ""
    if (verdict === "pass") {
      this.#asked.delete(person)
      return ["judged"]
    }
    const whose = about ?? "person"
    const isAgain = verdict === "step-up" && this.#asked.has(person)
    if (verdict === "step-up") this.#asked.add(person)
    else this.#asked.delete(person)
    const rule = verdict === "step-up" ? "watch.step_up" : "watch.suspended"
    return isAgain ? ["judged"] : ["judged", `${rule} ${whose}`]
  }

  #add(what: Counted, { entry, at }: { readonly entry: number; readonly at: string }): void {
    const date = at.slice(0, 10)
    const day: Day = this.#days.get(date) ?? new Map<string, { count: number; entry: number; at: string }>()
    this.#days.set(date, day)
    day.set(what, { count: (day.get(what)?.count ?? 0) + 1, entry, at })
  }

  #of(what: Counted): Count {
    const first = this.#first()
    const found = [...this.#days].filter(([date]) => date >= first).flatMap(([, day]) => day.get(what) ?? [])
    const newest = found.reduce<{ entry: number; at: string } | null>(
      (last, each) => (last === null || each.entry > last.entry ? each : last),
      null,
    )
    return {
      count: found.reduce((sum, each) => sum + each.count, 0),
      entry: newest?.entry ?? null,
      at: newest?.at ?? null,
    }
  }
}

const openings: readonly string[] = ["release", "reveal", "draw"]

function isAskingFor(entry: Entry): boolean {
  if (entry.kind === "permit") return entry.by !== null
  return entry.kind === "refused" && entry.person !== null && openings.includes(entry.of)
}

/** The first entry of that day or later; times never go back. */
async function firstFrom(house: House, date: string, size: number): Promise<number> {
  let [low, high] = [0, size]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [row] = await house.ledger.entries(middle, middle + 1)
    const at = row === undefined ? "" : (parseEntry(row.bytes)?.at ?? "")
    if (at.slice(0, 10) < date) low = middle + 1
    else high = middle
  }
  return low
}

const held = new WeakMap<House, RuleCounts>()

/** Counts of the last 30 days as the log stands now. */
export function countsOf(house: House): Promise<(what: Counted) => Count> {
  const counts = held.get(house) ?? new RuleCounts(house, null)
  held.set(house, counts)
  return counts.upToDate()
}

/** Counts of the entries from one on, and the entry after the last of them. A question that waited before is asked anew here. */
export async function countsFrom(
  house: House,
  from: number,
): Promise<{ readonly counts: (what: Counted) => Count; readonly next: number }> {
  const looked = new RuleCounts(house, from)
  return { counts: await looked.upToDate(), next: looked.next ?? from }
}
