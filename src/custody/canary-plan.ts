import { randomInt } from "node:crypto"
import { Fault } from "../fault.ts"
import type { GrantState } from "../grant/decide.ts"
import { parseEntry } from "../log/kinds.ts"
import { covers, liveGrants } from "./canary-list.ts"
import { captureHours } from "./capture-hours.ts"
import { recordOf, recordsOf } from "./caller.ts"
import type { House } from "./house.ts"
import { localHour } from "./local-hour.ts"

/** A canary to be: its id says when it is sealed, and to nobody without the vault's key that it is one. */
export interface Planned {
  readonly capture: string
  /** RFC 3339 UTC; its lane seals it then, or not at all. */
  readonly at: string
  /** Of the port's clock. */
  readonly hour: string
  /** The grant or case beside whose range it lies; `null`: beside none. */
  readonly beside: string | null
}

/** Secret: whoever reads it knows these canaries. */
export interface CanaryPlan {
  readonly vault: string
  readonly port: string
  readonly lane: string
  readonly lane_name: string
  /** In the order of their times. */
  readonly planned: readonly Planned[]
}

export interface PlanAsked {
  readonly lane: string
  /** 1 to 200. */
  readonly count: number
  /** From now on, 1 to 604,800. */
  readonly over_s: number
}

/** One hour of the lane, or what is left of it. */
interface Cell {
  readonly hour: string
  readonly from_ms: number
  readonly until_ms: number
  /** Captures of the lane at that hour of the day in the last 7 days, and one. */
  readonly weight: number
  readonly beside: string | null
}

const hour_ms = 3_600_000
const day_ms = 24 * hour_ms
/** A new id is in no grant's list, and admitted after whatever is frozen. */
const unknownYet = { id: "", admitted: Number.MAX_SAFE_INTEGER - 1 }

/**
 * Picks when canaries are to come on a lane: in hours that no live grant and no case covers, half of them beside what one covers
 * where there is such, the busier hours more often. Nothing of it is kept; each turn gives other ids.
 * @throws Fault NOT_FOUND without such a lane; CONFIG where the log does not commit to the key that would mark them;
 *         CONFLICT where everything is covered.
 */
export async function planCanaries(house: House, { lane, count, over_s }: PlanAsked): Promise<CanaryPlan> {
  const held = await recordOf(house, "lane", lane)
  if (held === null) throw new Fault("NOT_FOUND", "there is no such lane")
  await assertCommitted(house)
  const cells = await freeCells(house, { lane, port: held.port, over_s })
  if (cells.length === 0)
    throw new Fault("CONFLICT", "live grants cover every hour of the lane until then", {
      notDone: "No canary was planned.",
      next: "a longer time, or another lane",
    })
  const beside = cells.filter(cell => cell.beside !== null)
  const planned: Planned[] = []
  for (let nth = 0; nth < count; nth += 1) {
    const among = beside.length > 0 && nth < Math.ceil(count / 2) ? beside : cells
    let next = plannedIn(house, pick(among))
    for (let tries = 0; tries < mostTries && planned.some(each => isClose(each, next)); tries += 1)
      next = plannedIn(house, pick(among))
    planned.push(next)
  }
  planned.sort((a, b) => (a.at < b.at ? -1 : 1))
  return { vault: house.log.origin, port: held.port, lane, lane_name: held.name, planned }
}

const mostTries = 50

/** No two vehicles of a lane come within a second. */
function isClose(a: Planned, b: Planned): boolean {
  return Math.abs(Date.parse(a.at) - Date.parse(b.at)) < 1000
}

/** That a capture is a canary must not be a claim of afterwards. */
async function assertCommitted({ ledger, keys }: House): Promise<void> {
  const [row] = await ledger.entries(0, 1)
  const first = row === undefined ? null : parseEntry(row.bytes)
  if (first?.kind === "genesis" && first.canary_key_sha256 === keys.root.canaries.commitment) return
  throw new Fault("CONFIG", "the log's first entry does not commit to this vault's canary key", {
    notDone: "No canary was planned.",
    next: "a vault that was made by this release or a later one",
  })
}

function plannedIn({ keys }: House, { hour, from_ms, until_ms, beside }: Cell): Planned {
  const span_ms = until_ms - from_ms
  // The picture is a little older than the id, and of the same hour.
  const at_ms = from_ms + randomInt(Math.min(1000, span_ms - 1), span_ms)
  const capture = keys.root.canaries.idAt(at_ms, randomInt(65_536))
  return { capture, at: new Date(at_ms).toISOString(), hour, beside }
}

function pick(cells: readonly Cell[]): Cell {
  let left = randomInt(cells.reduce((sum, { weight }) => sum + weight, 0))
  return cells.find(({ weight }) => (left -= weight) < 0) as Cell
}

async function freeCells(
  house: House,
  of: { readonly lane: string; readonly port: string; readonly over_s: number },
): Promise<readonly Cell[]> {
  const { lane, port, over_s } = of
  const now_ms = house.log.clock()
  const end_ms = now_ms + 1000 * over_s
  const zone = (await recordOf(house, "port", port))?.time_zone ?? "UTC"
  const [live, lanes] = [await liveGrants(house, now_ms), await lanesOf(house, port)]
  const usual = await usualHours(house, lane, now_ms)
  const cells: Cell[] = []
  for (let at_ms = now_ms, begin_ms = 0; at_ms < end_ms; at_ms = begin_ms + hour_ms) {
    const hour = localHour(new Date(at_ms).toISOString(), zone)
    begin_ms = Date.parse(`${hour.slice(0, 13)}:00:00${hour.slice(13)}`)
    if (live.some(grant => grant.terms.lanes.includes(lane) && covers(grant, { ...unknownYet, hour })))
      continue
    const around = [begin_ms - hour_ms, begin_ms + hour_ms].map(each =>
      localHour(new Date(each).toISOString(), zone),
    )
    cells.push({
      ...{ hour, from_ms: at_ms, until_ms: Math.min(end_ms, begin_ms + hour_ms) },
      weight: 1 + (usual.get(hour.slice(11, 13)) ?? 0),
      beside: live.find(grant => isBeside(grant, { lane, lanes, hour, around }))?.grant ?? null,
    })
  }
  return cells
}

interface Place {
  readonly lane: string
  /** Of the same port. */
  readonly lanes: ReadonlySet<string>
  readonly hour: string
  /** The hours before and after. */
  readonly around: readonly string[]
}

/**
 * Beside a grant's range lies what differs from it in one thing: its lanes and hours, but not what was chosen there; the hour before
 * or after on its lane; its hours on another lane of the port.
 */
function isBeside(grant: GrantState, { lane, lanes, hour, around }: Place): boolean {
  const { terms } = grant
  const chosen = { ...grant, terms: { ...terms, captures: null, selection: "open" as const } }
  const isIts = (each: string) => covers(chosen, { ...unknownYet, hour: each })
  if (terms.lanes.includes(lane)) return [hour, ...around].some(isIts)
  return terms.lanes.some(each => lanes.has(each)) && isIts(hour)
}

async function lanesOf(house: House, port: string): Promise<ReadonlySet<string>> {
  const lanes = new Set<string>()
  for await (const lane of recordsOf(house, "lane")) if (lane.port === port) lanes.add(lane.lane)
  return lanes
}

/** By hour of the day, of the last 7 days. */
async function usualHours(house: House, lane: string, now_ms: number): Promise<ReadonlyMap<string, number>> {
  const counted = await captureHours(house, { lane, since_ms: now_ms - 7 * day_ms, until_ms: now_ms })
  const usual = new Map<string, number>()
  for (const { hour, captures } of counted.flatMap(({ hours }) => hours)) {
    const clock = hour.slice(11, 13)
    usual.set(clock, (usual.get(clock) ?? 0) + captures)
  }
  return usual
}
