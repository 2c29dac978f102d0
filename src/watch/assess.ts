import type { Model } from "./model.ts"
import {
  at,
  betCount,
  count,
  ofOrganization,
  ofTicket,
  standingOf,
  ticket_cells,
  type OrganizationState,
  type PersonState,
} from "./state.ts"
import { alphabet, observe, scopeOfSymbol, scopes, type Observation, type WatchedRequest } from "./symbols.ts"

export type Verdict = "pass" | "step-up" | "suspend"

/** What one request gave, and where that leaves everybody. All of it whole numbers of micronats: 10⁶ are one nat. */
export interface Evidence {
  /** `null` where there was none: the image was held or asked for again at once, or person or organization stood suspended. */
  readonly observation: Observation | null
  /** What the request itself gave, at the stake that leads for the person, and what the beginning of a session did. */
  readonly request_micronats: number
  readonly session_micronats: number
  /** The person's statistic after it, over all tickets, and the organization's. */
  readonly person_micronats: number
  readonly organization_micronats: number
  /** Whose statistic the verdict is about. */
  readonly about: "person" | "organization" | null
}

export interface WatchState {
  readonly person: PersonState
  readonly organization: OrganizationState
}

export interface Assessment {
  readonly verdict: Verdict
  readonly evidence: Evidence
  /** The given state, changed in place. */
  readonly state: WatchState
}

/** ln 3, up: the mean over three stakes is at least a third of the largest. */
export const ln3_micronats = 1_098_613

/** Sums go no higher, so that nothing overflows. */
const most_micronats = 1_000_000_000

/** So much of one person's evidence counts in his organization: less than h there, so that nobody alone stops all. */
const mostCounted_micronats = 8_000_000

/** Less than this does not count there: one slip is 2.4 nats, two in a row are more. */
const leastCounted_micronats = 4_000_000

function countedOf(cells: Float64Array): number {
  const alone = statistic(cells, at.sums)
  return alone < leastCounted_micronats ? 0 : Math.min(alone, mostCounted_micronats)
}

/**
 * Whether one request passes, is asked to prove who asks, or stops the person or organization; the state goes on in place.
 * The same for path and replay: it sees the request and its own state, and no clock but the request's.
 *
 * For each stake λ the running sum is S ← max(0, S + ln e_λ), with e_λ = (1 − λ + λ q/p) of the request's symbol, times the
 * session's where one begins: p as honest requests have it after the same past, q as a grab is bet to have it. E[e | past] ≤ 1
 * under p, so that S crosses h at most once in e^h honest requests on average (an e-detector: Shin, Ramdas and Rinaldo,
 * arXiv:2203.03532). The statistic is max_λ S − ln 3 ≤ ln of the mean over λ. Each person has one of his own and one under
 * each ticket, so that work under one does not cover what happens under another; the largest counts. An organization has
 * the sum of its people's own: of each what is 4 nats or more, and 8 at most. Time lowers none of them.
 *
 * Half of h is a step-up, h a suspension, and nobody is suspended who was not asked first: a jump beyond h asks, and the
 * next request that is still beyond it suspends. While the answer is awaited every request is asked again. After `answered`
 * the evidence stands: it goes on to h without another question. Only when work within the order brought the statistic back to
 * nothing can a new crossing ask anew, and the third question within 1,000 images is not asked: it suspends. An
 * organization's step-up is asked of those who add to what others of it did. Who is suspended, or whose organization is, gives no evidence any more, until it is lifted.
 * Cost: about half a microsecond, constant.
 */
export function assess(model: Model, state: WatchState, request: WatchedRequest): Assessment {
  const { person, organization } = state
  const suspended = [person, organization].find(each => standingOf(each) === "suspended")
  if (suspended !== undefined) return stopped(state, suspended === person ? "person" : "organization")
  const observation = observe(person, request)
  const given = observation === null ? nothing : gather(model, request.purpose, observation)
  if (observation !== null) add(person, { request, observation, given })
  const own = worst(person.cells)
  const added = countedOf(person.cells) - (person.cells[at.counted] ?? 0)
  increase(person.cells, at.counted, added)
  count(organization, added)
  const pooled = pooledOf(organization)
  const { thresholds } = model.file
  const ofPerson = judgePerson(person, own, thresholds.person)
  const isShared = added > 0 && pooled > (person.cells[at.counted] ?? 0)
  const ofPool = isShared ? judge(organization, pooled, thresholds.organization) : "pass"
  const isPooled = rank[ofPool] > rank[ofPerson]
  const verdict = isPooled ? ofPool : ofPerson
  return {
    verdict,
    evidence: {
      observation,
      request_micronats: given.bets[leadOf(person.cells, at.sums)] ?? 0,
      session_micronats: given.session,
      person_micronats: own,
      organization_micronats: pooled,
      about: verdict === "pass" ? null : isPooled ? "organization" : "person",
    },
    state,
  }
}

function stopped(state: WatchState, about: "person" | "organization"): Assessment {
  const { person, organization } = state
  const sums = { person_micronats: worst(person.cells), organization_micronats: pooledOf(organization) }
  const none = { observation: null, request_micronats: 0, session_micronats: 0 }
  return { verdict: "suspend", evidence: { ...none, ...sums, about }, state }
}

const rank: Readonly<Record<Verdict, number>> = { pass: 0, "step-up": 1, suspend: 2 }

function pooledOf({ cells }: OrganizationState): number {
  return (cells[ofOrganization.total] ?? 0) - (cells[ofOrganization.settled] ?? 0)
}

interface Given {
  /** What the request's symbol gives at each stake. */
  readonly bets: readonly number[]
  readonly session: number
}

const nothing: Given = { bets: [0, 0, 0], session: 0 }

function gather(model: Model, purpose: string, seen: Observation): Given {
  const tables = model.purposes.get(purpose) ?? model.pool
  const table = tables[seen.alphabet]
  const row = (seen.before * alphabet[seen.alphabet] + seen.symbol) * betCount
  return {
    bets: [table[row] ?? 0, table[row + 1] ?? 0, table[row + 2] ?? 0],
    session: seen.session < 0 ? 0 : (tables.session[seen.session] ?? 0),
  }
}

interface Added {
  readonly request: WatchedRequest
  readonly observation: Observation
  readonly given: Given
}

function add({ cells }: PersonState, { request, observation, given }: Added): void {
  if (statistic(cells, at.sums) === 0) {
    cells.fill(0, at.rose_ms, at.counted)
    cells[at.rose_ms] = request.at_ms
  }
  addTo(cells, at.sums, given)
  addTo(cells, at.tickets + observation.slot * ticket_cells + ofTicket.sums, given)
  const isRoaming = observation.alphabet === "roam"
  const scope = isRoaming ? scopes.length - 1 : scopeOfSymbol(observation.symbol)
  increase(cells, at.evident, 1)
  increase(cells, at.images, 1)
  increase(cells, at.scopes + scope, 1)
  if (request.isOtherKind) increase(cells, at.otherKinds, 1)
  increase(cells, at.parts, given.bets[leadOf(cells, at.sums)] ?? 0)
  increase(cells, at.parts + 1, given.session)
}

function increase(cells: Float64Array, place: number, by: number): void {
  cells[place] = (cells[place] ?? 0) + by
}

function addTo(cells: Float64Array, base: number, given: Given): void {
  for (let bet = 0; bet < betCount; bet += 1) {
    const sum = (cells[base + bet] ?? 0) + (given.bets[bet] ?? 0) + given.session
    cells[base + bet] = Math.max(0, Math.min(most_micronats, sum))
  }
}

function leadOf(cells: Float64Array, base: number): number {
  const [a = 0, b = 0, c = 0] = [cells[base], cells[base + 1], cells[base + 2]]
  return a >= b && a >= c ? 0 : b >= c ? 1 : 2
}

/** max_λ S − ln 3 of three sums, at least 0. */
function statistic(cells: Float64Array, base: number): number {
  return Math.max(0, (cells[base + leadOf(cells, base)] ?? 0) - ln3_micronats)
}

/** The largest statistic of the person's own sums and those of his tickets. */
function worst(cells: Float64Array): number {
  let most = cells[at.sums + leadOf(cells, at.sums)] ?? 0
  for (let base = at.tickets + ofTicket.sums; base < cells.length; base += ticket_cells)
    for (let bet = 0; bet < betCount; bet += 1) most = Math.max(most, cells[base + bet] ?? 0)
  return Math.max(0, most - ln3_micronats)
}

/** The statistic as it stands, in micronats: a person's largest, an organization's sum. */
export function statisticOf(state: PersonState | OrganizationState): number {
  return state.cells.length > at.cells ? worst(state.cells) : pooledOf(state)
}

interface Limits {
  readonly stepUp_micronats: number
  readonly suspend_micronats: number
}

/** Within so many images that gave evidence nobody is asked three times. */
const patience_images = 1_000

function judgePerson(state: PersonState, value: number, limits: Limits): Verdict {
  const { cells } = state
  const isCalm = standingOf(state) === "calm"
  const verdict = judge(state, value, limits)
  if (!isCalm || verdict !== "step-up") return verdict
  const [now = 0, newest = 0, before = 0] = [cells[at.evident], cells[at.asked], cells[at.asked + 1]]
  cells[at.asked] = now
  cells[at.asked + 1] = newest
  if (before === 0 || now - before >= patience_images) return "step-up"
  cells[at.standing] = 3
  return "suspend"
}

/** The verdict on one statistic; the standing goes on. */
function judge(state: PersonState | OrganizationState, value: number, limits: Limits): Verdict {
  const { cells } = state
  const standing = standingOf(state)
  if (standing === "calm") {
    if (value < limits.stepUp_micronats) return "pass"
    cells[at.standing] = 1
    return "step-up"
  }
  if (value >= limits.suspend_micronats) {
    cells[at.standing] = 3
    return "suspend"
  }
  if (standing === "answered" && value === 0) cells[at.standing] = 0
  return standing === "asked" ? "step-up" : "pass"
}
