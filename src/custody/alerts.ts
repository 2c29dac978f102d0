import { Fault } from "../fault.ts"
import { wanting } from "../ledger/ledger.ts"
import { aboutOf, isOpen, type AlertState, type Signal } from "../log/alerts.ts"
import { judge } from "../log/judge.ts"
import { parseEntry, type Draft, type EntryOf } from "../log/kinds.ts"
import { noticeSeen, noticeWaits } from "../log/messages.ts"
import type { Appended, Drafted, Proposal } from "../log/sequencer.ts"
import { names, permitName, signalName, type Records, type State } from "../log/state.ts"
import { recordOf, type Caller } from "./caller.ts"
import type { House } from "./house.ts"
import { assertReason } from "./motions.ts"
import { propose, refuse } from "./propose.ts"
import type { Registered } from "./register.ts"

export interface Raised {
  readonly reader: string
  readonly signals: readonly Signal[]
  /** The agent's events that they rest on: by run of the agent, the newest. */
  readonly told?: ReadonlyMap<string, number>
  /** Whether a signal is still to be raised, by the newest alert of its kind and the reader, as they stand in the transaction. */
  readonly isNews?: (newest: AlertState | null, reader: Records["reader"]) => boolean
  /** Writes what was counted at once: the server closes. */
  readonly isLast?: boolean
}

/** What came again within the minute of an open alert: counted here, and written with the entry that follows. */
interface Rest {
  readonly signals: readonly Signal[]
  readonly told: ReadonlyMap<string, number>
}

const window_ms = 60_000
const nothing: Rest = { signals: [], told: new Map() }
const rests = new WeakMap<House, Map<string, Rest>>()

/** Thrown by a draft that writes no entry. */
class Folded extends Error {
  readonly rest: Rest

  constructor(rest: Rest) {
    super("no entry is written")
    this.rest = rest
  }
}

/**
 * Raises alerts about a reader, or counts in those that stand open. A kind that is not open is an entry at once; what comes
 * again is written at most once in a minute for each reader, with its count. A crash loses the counts of one minute, never
 * an alert.
 * @returns the entry, or `null` where none was written.
 * @throws Fault NOT_FOUND without such a reader, and what `Log.append` throws.
 */
export async function raise(house: House, raised: Raised): Promise<Appended | null> {
  const reader = await recordOf(house, "reader", raised.reader)
  if (reader === null) throw new Fault("NOT_FOUND", `no reader ${raised.reader} is enrolled`)
  const held = restsOf(house).get(raised.reader) ?? nothing
  restsOf(house).delete(raised.reader)
  try {
    return await house.log.append(proposalOf(reader, raised, held))
  } catch (error) {
    const kept = error instanceof Folded ? error.rest : held
    // What another call counted meanwhile stays.
    const since = restsOf(house).get(raised.reader) ?? nothing
    const signals = merged([...kept.signals, ...since.signals])
    if (signals.length > 0)
      restsOf(house).set(raised.reader, { signals, told: latest(kept.told, since.told) })
    if (error instanceof Folded) return null
    throw error
  }
}

/** Writes what was counted and not written yet, where the minute is over. @param isLast  or at once. */
export async function writeRests(house: House, isLast: Pick<Raised, "isLast"> = {}): Promise<void> {
  for (const reader of [...restsOf(house).keys()]) await raise(house, { reader, signals: [], ...isLast })
}

/** The newest event of that run of a reader's agent that an alert rests on; 0 for none. */
export async function newestTold(house: House, reader: string, boot: string): Promise<number> {
  const logged = await house.ledger.member(names.told(reader), boot)
  return Math.max(logged, restsOf(house).get(reader)?.told.get(boot) ?? 0)
}

function proposalOf(reader: Records["reader"], raised: Raised, held: Rest): Proposal {
  const whats = [...held.signals, ...raised.signals].map(({ what }) => what)
  const told = latest(held.told, raised.told ?? new Map())
  return {
    wanted: wanting({
      records: [
        { kind: "reader", id: reader.reader },
        ...whats.map(what => ({ kind: "signal", id: signalName(reader.reader, what) })),
      ],
      members: [...told.keys()].map(member => ({ set: names.told(reader.reader), member })),
    }),
    draft: (state, now_ms) => drafted(raised, held, { state, now_ms }),
  }
}

function drafted(
  raised: Raised,
  held: Rest,
  { state, now_ms }: { readonly state: State; readonly now_ms: number },
): Drafted {
  const reader = state.record("reader", raised.reader)
  if (reader === null) throw new Fault("NOT_FOUND", `no reader ${raised.reader} is enrolled`)
  const { isNews = () => true } = raised
  const newestOf = ({ what }: Signal) => state.record("signal", signalName(reader.reader, what))
  const isFresh = ([boot, n]: readonly [string, number]) => n > state.member(names.told(reader.reader), boot)
  const fresh = [...(raised.told ?? [])].filter(isFresh)
  // Another server took the same events.
  if ((raised.told?.size ?? 0) > 0 && fresh.length === 0) throw new Folded(held)
  const signals = merged([
    ...held.signals,
    ...raised.signals.filter(signal => isNews(newestOf(signal), reader)),
  ])
  const isDue = signals.some(signal => {
    const newest = newestOf(signal)
    return !isOpen(newest) || now_ms - Date.parse(newest.last_at) >= window_ms
  })
  const told = latest(held.told, new Map(fresh))
  if (signals.length === 0 || (!isDue && raised.isLast !== true)) throw new Folded({ signals, told })
  const entry: Draft = {
    kind: "alert.raised",
    ...{ port: reader.port, lane: reader.lane, reader: reader.reader, signals },
    told: [...told].filter(isFresh).map(([boot, n]) => ({ boot, n })),
  }
  const code = judge(entry, state, now_ms)
  if (code !== null) throw new Fault(code, "the alert does not follow from the log")
  return { entry }
}

/** One of each kind, with how often and its newest detail. */
export function merged(signals: readonly Signal[]): Signal[] {
  const all = new Map<Signal["what"], Signal>()
  for (const { what, count, detail } of signals)
    all.set(what, { what, count: (all.get(what)?.count ?? 0) + count, detail })
  return [...all.values()]
}

const mostBoots = 64

/** Of each run the newest event; of more than 64 runs the newest ones. */
function latest(first: ReadonlyMap<string, number>, then: ReadonlyMap<string, number>): Map<string, number> {
  const all = new Map(first)
  for (const [boot, n] of then) {
    const newest = Math.max(n, all.get(boot) ?? 0)
    all.delete(boot)
    all.set(boot, newest)
  }
  return new Map([...all].slice(-mostBoots))
}

function restsOf(house: House): Map<string, Rest> {
  const held = rests.get(house) ?? new Map<string, Rest>()
  rests.set(house, held)
  return held
}

/** A person ends an alert, with its outcome and why. */
export async function closeAlert(house: House, caller: Caller, alert: string): Promise<Registered> {
  const statement = caller.statement as EntryOf<"alert.closed">["statement"]
  assertReason(caller)
  const { asked, person } = caller
  const held = await recordOf(house, "alert", alert)
  const draft: Draft = { kind: "alert.closed", alert, person: person.person, asked, statement }
  const signal = held === null ? [] : [{ kind: "signal", id: signalName(aboutOf(held), held.what) }]
  const records = [{ kind: "alert", id: alert }, ...signal]
  const { index } = await propose(house, caller, { of: "alert", draft, records })
  return { id: alert, entry: index }
}

/**
 * A person saw what somebody was told of an entry: it goes to no further destination. Any opening that somebody asked for can be
 * acknowledged, told of or not, so that it says nothing of a canary.
 * @throws Fault NOT_FOUND, logged, for an entry that tells nothing.
 */
export async function acknowledgeNotice(house: House, caller: Caller, entry: number): Promise<Registered> {
  const statement = caller.statement as EntryOf<"notice.acknowledged">["statement"]
  const { asked, person } = caller
  const member = await house.ledger.member(names.notices, permitName(entry))
  if (member !== noticeWaits && member !== noticeSeen && !(await isOpening(house, entry)))
    await refuse(
      house,
      { of: "alert", code: "NOT_FOUND", person: person.person, asked },
      "nobody was told of such an entry",
    )
  const draft: Draft = { kind: "notice.acknowledged", entry, person: person.person, asked, statement }
  const members = [{ set: names.notices, member: permitName(entry) }]
  const { index } = await propose(house, caller, { of: "alert", draft, records: [], members })
  return { id: String(entry), entry: index }
}

/** Whether the entry is what came of somebody's asking for images. */
async function isOpening(house: House, index: number): Promise<boolean> {
  const [row] = await house.ledger.entries(index, index + 1)
  const entry = row === undefined ? null : parseEntry(row.bytes)
  if (entry?.kind === "permit") return entry.by !== null
  return entry?.kind === "refused" && ["release", "reveal", "draw"].includes(entry.of)
}

/** A person saw an alert, and says what came of it. What comes again opens another. */
export async function acknowledge(house: House, caller: Caller, alert: string): Promise<Registered> {
  const statement = caller.statement as EntryOf<"alert.acknowledged">["statement"]
  const { asked, person } = caller
  const held = await recordOf(house, "alert", alert)
  const draft: Draft = { kind: "alert.acknowledged", alert, person: person.person, asked, statement }
  const signal = held === null ? [] : [{ kind: "signal", id: signalName(aboutOf(held), held.what) }]
  const records = [{ kind: "alert", id: alert }, ...signal]
  const { index } = await propose(house, caller, { of: "alert", draft, records })
  return { id: alert, entry: index }
}
