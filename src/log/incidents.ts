import type { FaultCode } from "../fault.ts"
import type { Act } from "../grant/office.ts"
import { incidentLimits, type IncidentStatement } from "./incident-shapes.ts"
import type { Draft, EntryOf } from "./kinds.ts"
import { mustHold, record, signerOfRequest } from "./standing.ts"
import { names, onceName, type Effects, type MotionState, type State } from "./state.ts"

export type IncidentKind =
  | "incident.declared"
  | "incident.amended"
  | "incident.scoped"
  | "clocks.started"
  | "clock.met"
  | "clock.signed"
  | "incident.closed"

type Started = EntryOf<"clocks.started">["clocks"][number]

/** A duty that runs, until the receiver of its notice acknowledged it. */
export interface Clock extends Started {
  /** By whom it was acknowledged; it is met when each of its receivers has. */
  readonly acknowledged: readonly {
    readonly receiver: string
    readonly reference: string
    readonly acknowledged_at: string
    readonly person: string
    readonly at: string
    readonly entry: number
  }[]
  /** What counsel said of it last. */
  readonly signed: {
    readonly opinion: EntryOf<"clock.signed">["statement"]["opinion"]
    readonly person: string
    readonly at: string
    readonly entry: number
  } | null
}

/** What is believed of a breach, and what was reckoned from it. */
export interface IncidentState {
  readonly incident: string
  readonly version: number
  /** `reported`: by a vendor of himself, and nobody of the agency has stated it anew. */
  readonly status: "reported" | "declared" | "closed"
  readonly reported: boolean
  /** Who declared it, and of which organization. */
  readonly person: string
  readonly organization: string
  readonly declared_at: string
  /** Index of the declaration. */
  readonly entry: number
  /** Of the version in force. */
  readonly statement: IncidentStatement
  readonly stated_at: string
  readonly stated_entry: number
  /** The newest scope, of whichever version. */
  readonly scoped: {
    readonly entry: number
    readonly at: string
    readonly version: number
    readonly checkpoint: { readonly size: number; readonly root: string }
    readonly query_sha256: string
    readonly result_sha256: string
    readonly left: number
    readonly refused: number
    readonly takeable: number
  } | null
  readonly clocks: {
    readonly entry: number
    readonly at: string
    readonly version: number
    readonly packs: EntryOf<"clocks.started">["packs"]
    readonly running: readonly Clock[]
    /** What ran before, and of which somebody said something. */
    readonly earlier: readonly Clock[]
  } | null
  /** The newest statement that two people signed. */
  readonly signed: {
    readonly motion: string
    readonly entry: number
    readonly at: string
    readonly scoped: number
    readonly statement_sha256: string
    readonly letters_sha256: string | null
  } | null
  readonly closed: {
    readonly outcome: EntryOf<"incident.closed">["statement"]["outcome"]
    readonly person: string
    readonly at: string
    readonly entry: number
  } | null
  /** The newest linkage of what left. */
  readonly linkage: string | null
  /** How many entries say something of it. */
  readonly entries: number
}

/** Whether an entry, or the draft of one, says something of an incident. A statement's signatures are a motion. */
export function isOfIncident<T extends { readonly kind: string }>(
  of: T,
): of is Extract<T, { kind: IncidentKind }> {
  return Object.hasOwn(incidentActs, of.kind)
}

type Part = Partial<Effects>
type DraftOf<K extends IncidentKind> = Extract<Draft, { kind: K }>

/** What each asks of its author's office. A report is judged by itself. */
export const incidentActs: Readonly<Record<IncidentKind, Act>> = {
  "incident.declared": "declare",
  "incident.amended": "declare",
  "incident.scoped": "declare",
  "clocks.started": "declare",
  "clock.met": "declare",
  "clock.signed": "sign off",
  "incident.closed": "declare",
}

/** What an entry does to its incident. */
export function incidentAfter(entry: EntryOf<IncidentKind>, index: number, state: State): Part {
  if (entry.kind === "incident.declared") return declared(entry, index, state)
  const held = mustHold(state.record("incident", entry.incident))
  const changed = changedBy(entry, index, held)
  return { records: [written({ ...held, ...changed })] }
}

function written(held: IncidentState): Effects["records"][number] {
  return record("incident", held.incident, { ...held, entries: held.entries + 1 })
}

function declared(entry: EntryOf<"incident.declared">, index: number, state: State): Part {
  const { incident, person, reported, statement, at, once, asked } = entry
  const { organization } = mustHold(signerOfRequest(asked.key, state))
  const body: IncidentState = {
    ...{ incident, version: 1, status: reported ? "reported" : "declared", reported, person, organization },
    ...{ declared_at: at, entry: index, statement, stated_at: at, stated_entry: index },
    ...{ scoped: null, clocks: null, signed: null, closed: null, linkage: null, entries: 0 },
  }
  return {
    records: [written(body)],
    members: [{ set: names.declared, member: onceName(person, once), value: index }],
  }
}

function changedBy(
  entry: EntryOf<Exclude<IncidentKind, "incident.declared">>,
  index: number,
  held: IncidentState,
): Partial<IncidentState> {
  const { person, at } = entry
  switch (entry.kind) {
    case "incident.amended": {
      const { version, ...statement } = entry.statement
      const stated = { statement, stated_at: at, stated_entry: index, version: version + 1 }
      return { ...stated, status: "declared", closed: null }
    }
    case "incident.scoped": {
      const { checkpoint, query_sha256, result_sha256, left, refused, takeable } = entry
      const result = { checkpoint, query_sha256, result_sha256, left, refused, takeable }
      return { scoped: { entry: index, at, version: entry.statement.version, ...result } }
    }
    case "clocks.started":
      return { clocks: startedClocks(entry, index, held) }
    case "clock.met": {
      const { receiver, reference, acknowledged_at } = entry.statement
      const one = { receiver, reference, acknowledged_at, person, at, entry: index }
      const { acknowledged } = mustHold(clockOf(held, entry.statement))
      return withClock(held, entry.statement, { acknowledged: [...acknowledged, one] })
    }
    case "clock.signed": {
      const { opinion } = entry.statement
      return withClock(held, entry.statement, { signed: { opinion, person, at, entry: index } })
    }
    case "incident.closed":
      return { status: "closed", closed: { outcome: entry.statement.outcome, person, at, entry: index } }
  }
}

type ClockName = Pick<Clock, "pack" | "rule" | "party">

/** A clock that goes on keeps what was acknowledged and what counsel said. */
function startedClocks(
  { at, packs, clocks, statement }: EntryOf<"clocks.started">,
  index: number,
  held: IncidentState,
): IncidentState["clocks"] {
  const before = [...(held.clocks?.running ?? []), ...(held.clocks?.earlier ?? [])]
  const running = clocks.map(clock => {
    const { acknowledged = [], signed = null } = before.find(each => isNamed(each, clock)) ?? {}
    return { ...clock, acknowledged, signed }
  })
  const earlier = before.filter(
    each =>
      (each.acknowledged.length > 0 || each.signed !== null) && !clocks.some(clock => isNamed(each, clock)),
  )
  return { entry: index, at, version: statement.version, packs, running, earlier }
}

function withClock(held: IncidentState, name: ClockName, changed: Partial<Clock>): Partial<IncidentState> {
  const clocks = mustHold(held.clocks)
  const running = clocks.running.map(clock => (isNamed(clock, name) ? { ...clock, ...changed } : clock))
  return { clocks: { ...clocks, running } }
}

function isNamed(clock: ClockName, { pack, rule, party }: ClockName): boolean {
  return clock.pack === pack && clock.rule === rule && clock.party === party
}

export function clockOf(held: Pick<IncidentState, "clocks">, name: ClockName): Clock | null {
  return held.clocks?.running.find(clock => isNamed(clock, name)) ?? null
}

/** Whether somebody must still be told in time: neither met, nor said by counsel not to run. */
export function isRunning(clock: Clock): boolean {
  return !isMet(clock) && clock.signed?.opinion !== "not_triggered"
}

/** Whether each receiver acknowledged it, in time or late. */
export function isMet({ receivers, acknowledged }: Clock): boolean {
  return receivers.every(each => acknowledged.some(({ receiver }) => receiver === each))
}

/** A statement that two people signed stands as they signed it. */
export function signedStatement(
  { incident, scoped, statement_sha256, letters_sha256 }: Signing,
  by: { readonly entry: EntryOf<"motion.seconded">; readonly index: number; readonly state: State },
): Part {
  const held = mustHold(by.state.record("incident", incident))
  const { motion, at } = by.entry
  const signed = { motion, entry: by.index, at, scoped, statement_sha256, letters_sha256 }
  return { records: [written({ ...held, signed })] }
}

type Signing = Extract<MotionState["statement"], { readonly statement_sha256: string }>

/** Numbers are signed as they were counted last, of what is believed now. */
export function signingRule({ incident, scoped }: Signing, state: State): FaultCode | null {
  const held = state.record("incident", incident)
  if (held === null) return "NOT_FOUND"
  const isNewest = held.scoped?.entry === scoped && held.scoped.version === held.version
  return isNewest && held.status !== "closed" ? null : "CONFLICT"
}

/** How far a person's clock may be before the vault's. */
const skew_ms = 60_000

/** What an incident's entry may follow on, once its author may ask for it. */
export function incidentRule(draft: DraftOf<IncidentKind>, state: State, now_ms: number): FaultCode | null {
  if (draft.kind === "incident.declared") return declarationRule(draft, state, now_ms)
  const held = state.record("incident", draft.incident)
  if (held === null) return "NOT_FOUND"
  if (held.entries >= incidentLimits.entries) return "CONFLICT"
  if (draft.kind === "incident.amended")
    return versionRule(draft, held) ?? beliefRule(draft.statement, state, now_ms)
  if (draft.kind === "clock.met" || draft.kind === "clock.signed") return clockRule(draft, held, now_ms)
  if (held.status === "closed") return "CONFLICT"
  if (draft.kind === "incident.closed") return endingRule(draft, held)
  const stale = versionRule(draft, held)
  if (stale !== null) return stale
  if (draft.kind === "clocks.started") return startRule(draft, now_ms)
  // What was counted before it was stated is no count of it.
  return draft.checkpoint.size > held.stated_entry ? null : "INVALID"
}

function versionRule(
  { statement }: { statement: { version: number } },
  held: IncidentState,
): FaultCode | null {
  return statement.version === held.version ? null : "INCIDENT_VERSION"
}

function declarationRule(
  { incident, person, once, reported, statement, asked }: DraftOf<"incident.declared">,
  state: State,
  now_ms: number,
): FaultCode | null {
  if (state.record("incident", incident) !== null) return "CONFLICT"
  if (state.member(names.declared, onceName(person, once)) > 0) return "CONFLICT"
  if (reported && !isOwn(statement, signerOfRequest(asked.key, state)?.organization)) return "INCIDENT_OWN"
  return beliefRule(statement, state, now_ms)
}

function isOwn({ cause }: IncidentStatement, organization: string | undefined): boolean {
  return (
    cause.of === "organizations" &&
    cause.organizations.length === 1 &&
    cause.organizations[0] === organization
  )
}

/** Whether its day is one of the calendar: there is no 30 February. */
function isMoment(time: string): boolean {
  const at_ms = Date.parse(time)
  return !Number.isNaN(at_ms) && new Date(at_ms).toISOString().startsWith(time.slice(0, 10))
}

/** Times that can be, and a cause that the log knows. */
function beliefRule(
  { cause, from, until, discovered }: IncidentStatement,
  state: State,
  now_ms: number,
): FaultCode | null {
  const isPast = (time: string) => isMoment(time) && Date.parse(time) <= now_ms + skew_ms
  const isWindow = from === null || until === null || Date.parse(from) < Date.parse(until)
  const areTimes = (from === null || isPast(from)) && (until === null || isMoment(until))
  if (!isWindow || !areTimes) return "INCIDENT_WINDOW"
  const isSingle = new Set(discovered.map(({ party }) => party)).size === discovered.length
  if (!isSingle || !discovered.every(({ at }) => isPast(at))) return "INCIDENT_WINDOW"
  return causeRule(cause, state)
}

function causeRule(cause: IncidentStatement["cause"], state: State): FaultCode | null {
  switch (cause.of) {
    case "organizations":
      return cause.organizations.every(each => state.record("organization", each) !== null)
        ? null
        : "NOT_FOUND"
    case "people":
      return cause.people.every(each => state.record("person", each) !== null) ? null : "NOT_FOUND"
    case "files": {
      const traces = cause.traces.map(each => state.record("trace", each))
      if (traces.includes(null)) return "NOT_FOUND"
      return traces.every(each => each?.verdicts != null) ? null : "INCIDENT_TRACE"
    }
    case "devices":
    case "networks":
      return null
  }
}

/** Each clock once, of a pack that is named, and due after it started. */
function startRule({ packs, clocks }: DraftOf<"clocks.started">, now_ms: number): FaultCode | null {
  const packNames = new Set(packs.map(({ pack }) => pack))
  const isSingle =
    new Set(packs.map(({ pack, version }) => `${pack} ${version}`)).size === packs.length &&
    new Set(clocks.map(({ pack, rule, party }) => `${pack} ${rule} ${party}`)).size === clocks.length
  const isClock = clocks.every(
    ({ pack, started_at, due_at }) =>
      packNames.has(pack) &&
      Date.parse(started_at) <= now_ms + skew_ms &&
      (due_at === null || Date.parse(due_at) >= Date.parse(started_at)),
  )
  return isSingle && isClock ? null : "INVALID"
}

function clockRule(
  draft: DraftOf<"clock.met" | "clock.signed">,
  held: IncidentState,
  now_ms: number,
): FaultCode | null {
  const clock = clockOf(held, draft.statement)
  if (clock === null) return "NOT_FOUND"
  if (draft.kind === "clock.signed") return null
  const { receiver, acknowledged_at } = draft.statement
  if (!clock.receivers.includes(receiver)) return "NOT_FOUND"
  if (clock.acknowledged.some(each => each.receiver === receiver)) return "CONFLICT"
  const at_ms = Date.parse(acknowledged_at)
  const isThen = at_ms >= Date.parse(clock.started_at) && at_ms <= now_ms + skew_ms
  return isThen && isMoment(acknowledged_at) ? null : "INCIDENT_WINDOW"
}

function endingRule({ statement }: DraftOf<"incident.closed">, held: IncidentState): FaultCode | null {
  const runs = (held.clocks?.running ?? []).some(isRunning)
  return statement.outcome === "settled" && (held.clocks === null || runs) ? "INCIDENT_CLOCKS" : null
}
