import { at, ofTicket, slots, ticket_cells, type PersonState } from "./state.ts"

/** Where the image lies with respect to the work order that the request names; `unknown` in logs without work orders. */
export const scopes = ["within", "over need", "beside", "another's", "outside", "unknown"] as const
export type Scope = (typeof scopes)[number]

/** How new the image's lane and day are to the person. */
export const novelties = ["recent lane-day", "new lane-day", "new port"] as const

/** When an image beyond the work order is asked for: amid work under it, as one who slips does, or when no work was under way. */
export const moments = ["amid work", "after a pause", "afresh"] as const

/**
 * How a request lies to its work order. Within it nothing else is told apart: in which order and how fast an engineer works through
 * his own images is his business, and differs from site to site.
 */
export const orderSymbols = [
  "within",
  "within, other kind",
  "over need",
  "over need, other kind",
  "beside",
  "beside, other kind",
  ...moments.map(moment => `another's, ${moment}`),
  ...moments.map(moment => `outside, ${moment}`),
] as const

export const gaps = ["under 1 s", "under 5 s", "under 60 s", "under 1 h", "longer"] as const
export const steps = ["neighbour", "same lane-day", "elsewhere"] as const

/** Sizes of the alphabets: `order` under work orders; `roam` (pace and novelty) in logs without; `session` where one begins. */
export const alphabet = {
  order: orderSymbols.length,
  roam: novelties.length * gaps.length * steps.length,
  session: 8,
} as const

/** One request as the watch sees it. Nothing else is ever looked at; names are fingerprints, `null` where there is none. */
export interface WatchedRequest {
  readonly at_ms: number
  /** Whether the person's local hour is outside of 6 to 20, or the day a Saturday or Sunday. */
  readonly isOffHours: boolean
  readonly purpose: string
  /** The grant that it names; 0 for none that exists. */
  readonly ticket: number
  /** Judged against the grant, the grants of the organization and what was released, before this request is charged. */
  readonly scope: Scope
  /** Whether the image is of a kind that the grant does not name. */
  readonly isOtherKind: boolean
  /** Whether the person was given this image under this grant before: it is then no evidence. */
  readonly isHeld: boolean
  readonly image: number
  /** Lane and day of the capture, and its port. */
  readonly cell: number
  readonly port: number
  /** The capture's number in its lane: neighbours are three or less apart. */
  readonly place: number
  readonly network: number
  readonly device: number
}

/** What one request was, as symbols with their contexts. */
export interface Observation {
  readonly slot: number
  readonly alphabet: "order" | "roam"
  readonly symbol: number
  /** The symbol before it under the same ticket, plus one; 0 for none. */
  readonly before: number
  /** −1 within a session. */
  readonly session: number
}

const gapEnds_ms = [1_000, 5_000, 60_000, 3_600_000] as const
const hour_ms = 3_600_000
const day_ms = 86_400_000
const portLife_ms = 14 * day_ms
const placeLife_ms = 60 * day_ms
const neighbours = 3
const paces = gaps.length * steps.length

/**
 * Reads a request's symbols and remembers what the next ones are judged by. An image that is held, or asked for again at
 * once, is no evidence: `null`, and only time, place and habits are remembered. A clock that went back reads as the
 * shortest gap and never turns the newest time back, so that no order of requests hides one.
 */
export function observe(state: PersonState, request: WatchedRequest): Observation | null {
  const { cells } = state
  const slot = slotOf(cells, request.ticket)
  const base = at.tickets + slot * ticket_cells
  const isAgain = request.isHeld || (cells[base + ofTicket.image] ?? 0) === request.image
  const session = sessionOf(cells, request)
  const novelty = noveltyOf(cells, request)
  const isRoaming = request.scope === "unknown"
  const symbol = isRoaming
    ? novelty * paces + paceOf(cells, base, request)
    : orderSymbolOf(cells, base, request)
  const before = cells[base + ofTicket.symbol] ?? 0
  cells[at.requests] = (cells[at.requests] ?? 0) + 1
  cells[at.newest_ms] = Math.max(cells[at.newest_ms] ?? 0, request.at_ms)
  cells[base + ofTicket.used] = cells[at.requests] ?? 0
  cells[base + ofTicket.image] = request.image
  cells[base + ofTicket.cell] = request.cell
  cells[base + ofTicket.place] = request.place
  cells[base + ofTicket.newest_ms] = Math.max(cells[base + ofTicket.newest_ms] ?? 0, request.at_ms)
  if (isAgain) return null
  cells[base + ofTicket.symbol] = symbol + 1
  return { slot, alphabet: isRoaming ? "roam" : "order", symbol, before, session }
}

function orderSymbolOf(cells: Float64Array, base: number, request: WatchedRequest): number {
  const { scope, isOtherKind } = request
  const place = scopes.indexOf(scope)
  if (place < 3) return 2 * place + (isOtherKind ? 1 : 0)
  return 6 + (place - 3) * moments.length + Math.max(0, gapOf(cells, base, request) - 2)
}

/** Which of `scopes` a symbol of `order` says. */
export function scopeOfSymbol(symbol: number): number {
  return symbol < 6 ? symbol >> 1 : 3 + Math.floor((symbol - 6) / moments.length)
}

/**
 * The slot of a ticket. A new one takes that of the ticket with the least evidence, among those the one that was not used
 * for longest: a ticket under suspicion is the last to be forgotten, and what it gave stays with the person.
 */
function slotOf(cells: Float64Array, ticket: number): number {
  const name = ticket + 1
  let [victim, least, oldest] = [0, Infinity, Infinity]
  for (let slot = 0; slot < slots.tickets; slot += 1) {
    const base = at.tickets + slot * ticket_cells
    if (cells[base] === name) return slot
    const sums = base + ofTicket.sums
    const evidence = Math.max(cells[sums] ?? 0, cells[sums + 1] ?? 0, cells[sums + 2] ?? 0)
    const used = cells[base + ofTicket.used] ?? 0
    if (evidence < least || (evidence === least && used < oldest))
      [victim, least, oldest] = [slot, evidence, used]
  }
  const base = at.tickets + victim * ticket_cells
  cells.fill(0, base, base + ticket_cells)
  cells[base] = name
  return victim
}

/** Which of eight beginnings, where a session begins: an hour after the last request, or from another network or device. */
function sessionOf(cells: Float64Array, request: WatchedRequest): number {
  const { at_ms, network, device } = request
  const isSame =
    at_ms - (cells[at.newest_ms] ?? 0) < hour_ms &&
    cells[at.network] === network &&
    cells[at.device] === device
  if (isSame) return -1
  const isFirst = cells[at.requests] === 0
  const isNewNetwork = isNew(cells, at.networks, { count: slots.networks, name: network, at_ms })
  const isNewDevice = isNew(cells, at.devices, { count: slots.devices, name: device, at_ms })
  cells[at.network] = network
  cells[at.device] = device
  // Everything is new to somebody who was never seen.
  if (isFirst) return request.isOffHours ? 4 : 0
  return (request.isOffHours ? 4 : 0) + (isNewNetwork ? 2 : 0) + (isNewDevice ? 1 : 0)
}

interface Looked {
  readonly count: number
  readonly name: number
  readonly at_ms: number
}

/** Whether a place was not used for 60 days; remembers it in the stead of the one that was not used for longest. */
function isNew(cells: Float64Array, base: number, { count, name, at_ms }: Looked): boolean {
  return touched(cells, base, { count, name, at_ms }) < at_ms - placeLife_ms
}

/** When the name was used last, 0 for never; it is used now. */
function touched(cells: Float64Array, base: number, { count, name, at_ms }: Looked): number {
  let [victim, oldest] = [base, Infinity]
  for (let i = base; i < base + 2 * count; i += 2) {
    const used_ms = cells[i + 1] ?? 0
    if (cells[i] === name) {
      cells[i + 1] = Math.max(used_ms, at_ms)
      return used_ms
    }
    if (used_ms < oldest) [victim, oldest] = [i, used_ms]
  }
  cells[victim] = name
  cells[victim + 1] = at_ms
  return 0
}

function noveltyOf(cells: Float64Array, { cell, port, at_ms }: WatchedRequest): number {
  const used_ms = touched(cells, at.ports, { count: slots.ports, name: port, at_ms })
  for (let i = at.cells; i < at.cells + slots.cells; i += 1) if (cells[i] === cell) return 0
  const next = cells[at.nextCell] ?? 0
  cells[at.cells + next] = cell
  cells[at.nextCell] = (next + 1) % slots.cells
  return used_ms < at_ms - portLife_ms ? 2 : 1
}

/** Which of `gaps` lies before the request under its ticket. */
function gapOf(cells: Float64Array, base: number, { at_ms }: WatchedRequest): number {
  const gap_ms = at_ms - (cells[base + ofTicket.newest_ms] ?? 0)
  const longer = gapEnds_ms.findIndex(end_ms => gap_ms < end_ms)
  return longer < 0 ? gaps.length - 1 : longer
}

function paceOf(cells: Float64Array, base: number, request: WatchedRequest): number {
  const isSame = cells[base + ofTicket.cell] === request.cell
  const distance = Math.abs(request.place - (cells[base + ofTicket.place] ?? 0))
  const step = !isSame ? 2 : distance <= neighbours ? 0 : 1
  return gapOf(cells, base, request) * steps.length + step
}
