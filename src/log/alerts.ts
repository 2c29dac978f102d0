import type { FaultCode } from "../fault.ts"
import { placedId } from "../ids.ts"
import type { Draft, EntryOf } from "./kinds.ts"
import type { AlertKind } from "./shapes.ts"
import type { EventName } from "./event-table.ts"
import { mustHold, record, rootOf } from "./standing.ts"
import { thresholdsInForce } from "./watch-rules.ts"
import { names, signalName, type Effects, type State } from "./state.ts"

export type AlertDetail = EntryOf<"alert.raised">["signals"][number]["detail"] & {
  /** Of the watch: how the image lay to the grant, the statistic, and the threshold that it crossed. */
  readonly scope?: string
  readonly mode?: string
  readonly statistic_micronats?: number
  readonly threshold_micronats?: number
  /** Of a destination that was not reached. */
  readonly event?: string
  readonly attempts?: number
}

/** What an alert can be about beside a reader: a person, an organization or a destination, by the entry that says so. */
export const ownAlerts = ["watch_asked", "watch_suspended", "message_abandoned"] as const
export type OwnAlert = (typeof ownAlerts)[number]

/** One kind of thing that happened, how often, and its newest detail. */
export type Signal = EntryOf<"alert.raised">["signals"][number]

/** What somebody must look at. Open until a person acknowledges it; what comes again meanwhile is counted in it. */
export interface AlertState {
  readonly alert: string
  readonly what: AlertKind | OwnAlert
  /** Of a reader's alert. */
  readonly port?: string
  readonly lane?: string
  readonly reader?: string
  /** Of any other. */
  readonly subject?: string
  /** How often it happened since it was raised. */
  readonly count: number
  /** Of the newest. */
  readonly detail: AlertDetail
  readonly raised_at: string
  /** Index of the entry that raised it. */
  readonly entry: number
  readonly last_at: string
  readonly last_entry: number
  readonly acknowledged: {
    readonly person: string
    readonly at: string
    readonly entry: number
    readonly outcome: EntryOf<"alert.acknowledged">["statement"]["outcome"]
  } | null
  /** Absent until a person closed it. */
  readonly closed?: {
    readonly person: string
    readonly at: string
    readonly entry: number
    readonly outcome: EntryOf<"alert.closed">["statement"]["outcome"]
  }
}

type Part = Partial<Effects>

/** An entry that signals rest on, and what they are about. */
type Source = Pick<AlertState, "port" | "lane" | "reader" | "subject"> & { readonly at: string }

interface Noticed {
  readonly what: AlertState["what"]
  readonly count: number
  readonly detail: AlertDetail
}

/** The id of whatever the alert is about. */
export function aboutOf({ reader, subject }: Pick<AlertState, "reader" | "subject">): string {
  return mustHold(reader ?? subject ?? null)
}

/** Whether it waits for a person. */
export function isOpen(alert: AlertState | null): alert is AlertState {
  return alert !== null && alert.acknowledged === null
}

/** Each signal is counted in the open alert of its kind and of what it is about, or opens one. */
function withSignals(source: Source, signals: readonly Noticed[], at: { index: number; state: State }): Part {
  const { index, state } = at
  const alerts = signals.map((signal, nth) => {
    const newest = state.record("signal", signalName(aboutOf(source), signal.what))
    if (!isOpen(newest)) return opened(source, signal, { index, nth })
    const { count, detail } = signal
    return { ...newest, count: newest.count + count, detail, last_at: source.at, last_entry: index }
  })
  const isNew = alerts.filter(alert => alert.entry === index).length
  const held = state.counter(names.openAlerts)
  return {
    records: alerts.flatMap(alert => [
      record("alert", alert.alert, alert),
      record("signal", signalName(aboutOf(alert), alert.what), alert),
    ]),
    counters: isNew === 0 ? [] : [{ name: names.openAlerts, value: held + isNew }],
  }
}

function opened(source: Source, signal: Noticed, { index, nth }: { index: number; nth: number }): AlertState {
  const { at, ...about } = source
  const { what, count, detail } = signal
  const alert = placedId("alt", { at_ms: Date.parse(at), index, nth })
  const times = { raised_at: at, entry: index, last_at: at, last_entry: index }
  return { ...{ alert, what, ...about, count, detail }, ...times, acknowledged: null }
}

/** What an entry that raises, acknowledges or causes alerts does to them. */
export function alerted(
  entry: EntryOf<"alert.raised" | "alert.acknowledged" | "alert.closed" | "refused" | "message.abandoned">,
  index: number,
  state: State,
): Part {
  if (entry.kind === "alert.raised") return raised(entry, index, state)
  if (entry.kind === "message.abandoned") return abandonedAlert(entry, index, state)
  if (entry.kind === "refused") return replayAlert(entry, index, state)
  return entry.kind === "alert.closed" ? closed(entry, index, state) : acknowledged(entry, index, state)
}

function placeOf({ at, port, lane, reader }: EntryOf<"alert.raised" | "admitted">): Source {
  return { at, port, lane, reader }
}

function raised(entry: EntryOf<"alert.raised">, index: number, state: State): Part {
  const set = names.told(entry.reader)
  const members = entry.told.map(({ boot, n }) => ({ set, member: boot, value: n }))
  return { ...withSignals(placeOf(entry), entry.signals, { index, state }), members }
}

/** Numbers that a reader left out. It is one with the admission: no crash lies between a gap and its alert. */
export function gapAlert(entry: EntryOf<"admitted">, index: number, state: State): Part {
  if (entry.gap === 0) return {}
  const signal: Signal = { what: "gap", count: 1, detail: { missing: Math.min(entry.gap, 1_000_000) } }
  return withSignals(placeOf(entry), [signal], { index, state })
}

/** A number that was used for another capture: a copied device, or one that was set back. */
function replayAlert(entry: EntryOf<"refused">, index: number, state: State): Part {
  if (entry.of !== "admission" || entry.code !== "CAPTURE_SEQUENCE" || entry.reader === null) return {}
  const { port, lane, reader } = mustHold(state.record("reader", entry.reader))
  const signal: Signal = { what: "device_replayed", count: 1, detail: { why: "number_used" } }
  return withSignals({ at: entry.at, port, lane, reader }, [signal], { index, state })
}

/** Which alert the event of the watch, or of the outbox, is. */
export const alertOf: Readonly<Partial<Record<EventName, OwnAlert>>> = {
  "watch.step_up": "watch_asked",
  "watch.suspended": "watch_suspended",
  "message.abandoned": "message_abandoned",
}

/** What the watch asked of somebody, or whom it suspended: one with the opening. */
export function watchAlert(entry: EntryOf<"permit" | "refused">, index: number, state: State): Part {
  const { watch } = entry
  const person = entry.kind === "permit" ? (entry.by?.person ?? null) : entry.person
  if (watch === undefined || watch.verdict === "pass" || person === null) return {}
  const isPool = watch.about === "organization"
  const subject = isPool ? rootOf(mustHold(state.record("person", person)).organization, state) : person
  const { stepUp_micronats, suspend_micronats } = thresholdsInForce(state)[watch.about ?? "person"]
  const isAsked = watch.verdict === "step-up"
  const what = isAsked ? "watch_asked" : "watch_suspended"
  const standing = state.record("signal", signalName(subject, what))
  const found: AlertDetail = {
    ...{ scope: watch.scope, mode: watch.mode },
    statistic_micronats: isPool ? watch.organization_micronats : watch.person_micronats,
    threshold_micronats: isAsked ? stepUp_micronats : suspend_micronats,
  }
  // What is held while the answer is awaited is counted, and is not what crossed anything.
  const isHeld = watch.scope === "within" && isOpen(standing)
  const signal = { what, count: 1, detail: isHeld ? standing.detail : found } as const
  return withSignals({ at: entry.at, subject }, [signal], { index, state })
}

/** Somebody was not told for three days. */
function abandonedAlert(entry: EntryOf<"message.abandoned">, index: number, state: State): Part {
  const { at, destination: subject, event, attempts } = entry
  const signal = { what: "message_abandoned", count: 1, detail: { event, attempts } } as const
  return withSignals({ at, subject }, [signal], { index, state })
}

function acknowledged(entry: EntryOf<"alert.acknowledged">, index: number, state: State): Part {
  const held = mustHold(state.record("alert", entry.alert))
  const { person, at, statement } = entry
  const alert = { ...held, acknowledged: { person, at, entry: index, outcome: statement.outcome } }
  return {
    records: [
      record("alert", alert.alert, alert),
      record("signal", signalName(aboutOf(alert), alert.what), alert),
    ],
    counters: [{ name: names.openAlerts, value: state.counter(names.openAlerts) - 1 }],
  }
}

/** Who closes an alert that nobody acknowledged takes it, too. */
function closed(entry: EntryOf<"alert.closed">, index: number, state: State): Part {
  const held = mustHold(state.record("alert", entry.alert))
  const { person, at, statement } = entry
  const by = { person, at, entry: index }
  const acknowledged = held.acknowledged ?? { ...by, outcome: statement.outcome }
  const alert = { ...held, acknowledged, closed: { ...by, outcome: statement.outcome } }
  // A newer one of the same kind may stand open meanwhile.
  const signal = signalName(aboutOf(alert), alert.what)
  const isNewest = state.record("signal", signal)?.alert === alert.alert
  const count = state.counter(names.openAlerts) - (isOpen(held) ? 1 : 0)
  return {
    records: [record("alert", alert.alert, alert), ...(isNewest ? [record("signal", signal, alert)] : [])],
    counters: [{ name: names.openAlerts, value: count }],
  }
}

export function closingRule(
  { alert }: Extract<Draft, { kind: "alert.closed" }>,
  state: State,
): FaultCode | null {
  const held = state.record("alert", alert)
  if (held === null) return "NOT_FOUND"
  return held.closed === undefined ? null : "CONFLICT"
}

/** The reader is where the entry says; each kind stands once; and no event of the agent counts twice. */
export function alertRule(draft: Extract<Draft, { kind: "alert.raised" }>, state: State): FaultCode | null {
  const { port, lane, reader, signals, told } = draft
  const held = state.record("reader", reader)
  if (held === null) return "NOT_FOUND"
  const isThere = held.port === port && held.lane === lane
  const isSingle =
    new Set(signals.map(each => each.what)).size === signals.length &&
    new Set(told.map(each => each.boot)).size === told.length
  if (!isThere || !isSingle) return "INVALID"
  return told.every(({ boot, n }) => n > state.member(names.told(reader), boot)) ? null : "CONFLICT"
}

export function acknowledgementRule(
  draft: Extract<Draft, { kind: "alert.acknowledged" }>,
  state: State,
): FaultCode | null {
  const held = state.record("alert", draft.alert)
  if (held === null) return "NOT_FOUND"
  return held.acknowledged === null ? null : "CONFLICT"
}
