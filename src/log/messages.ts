import { canonical } from "../canonical.ts"
import { placedId } from "../ids.ts"
import type { MessageRow } from "../ledger/ledger.ts"
import { alertOf } from "./alerts.ts"
import type { DestinationState } from "./destinations.ts"
import { eventOf, type EventName } from "./event-table.ts"
import { canTell, toldBy, type Told } from "./events.ts"
import type { Entry } from "./kinds.ts"
import { Mutes } from "./mutes.ts"
import { record } from "./standing.ts"
import { names, permitName, type Effects, type State } from "./state.ts"

/** How long after the entry each rung is told, while nobody has acknowledged it. */
export const rungs_ms: readonly number[] = [0, 15 * 60_000, 60 * 60_000, 4 * 3_600_000]

/** What every batch of the sequencer loads, since any entry may have to be told. */
export const tellingKeys = [
  { kind: "destinations", id: "destinations" },
  { kind: "recently", id: "recently" },
  { kind: "mutes", id: "mutes" },
] as const

/** Foldable events that are remembered; beyond it the oldest are forgotten, and told again. */
const mostRecent = 256
/** No event folds longer. */
const longestFold_ms = 3_600_000

type Part = Pick<Effects, "records" | "members" | "messages">
const nothing: Part = { records: [], members: [], messages: [] }

/**
 * The messages that an entry leads to: one for each destination that takes the event and may hear of it, and for the later
 * rungs with the time from which they are due. A function of entry and state alone.
 * @param records  what the entry did to them.
 */
export function messagesOf(
  entry: Entry,
  { index, records, state }: { index: number; records: Effects["records"]; state: State },
): Part {
  if (!canTell(entry.kind)) return nothing
  const active = state.record("destinations", "destinations")?.active ?? []
  if (active.length === 0) return nothing
  const told = toldBy(entry, { index, records, state })
  const at_ms = Date.parse(entry.at)
  const recent = new Recent(state.record("recently", "recently")?.told ?? [], at_ms)
  const mutes = new Mutes(state, at_ms)
  const messages: MessageRow[] = []
  let waits = false
  for (const each of told) {
    const taking = active.filter(destination => takes(destination, each, state))
    if (taking.length === 0 || !recent.isNews(each)) continue
    waits ||= eventOf(each.name).waits && !endsItself(each.told) && !hasAlert(each)
    const told_ms = Math.max(at_ms, each.told.at_ms ?? at_ms)
    const heard = { name: each.name, subject: each.told.subject }
    for (const destination of taking) {
      if (!isTest(each) && mutes.holdsBack(destination.destination, heard)) continue
      const due_ms = told_ms + (isTest(each) ? 0 : (rungs_ms[destination.rung] ?? 0))
      const id = placedId("msg", { at_ms: due_ms, index, nth: messages.length })
      const body = canonical(bodyOf(each, { at: new Date(told_ms).toISOString(), entry: index }))
      const { subject } = each.told
      messages.push({
        id,
        destination: destination.destination,
        subject,
        event: each.name,
        entry: index,
        due_ms,
        body,
      })
    }
  }
  return {
    messages,
    records: [
      ...(recent.isChanged ? [record("recently", "recently", { told: recent.told })] : []),
      ...(mutes.isChanged ? [record("mutes", "mutes", { mutes: mutes.mutes })] : []),
    ],
    members: waits ? [{ set: names.notices, member: permitName(index), value: noticeWaits }] : [],
  }
}

/**
 * The messages of something that no entry says: rows without an entry, which no replay leads to.
 * @param idOf  of the message to a destination that is due then.
 */
export function messagesBeside(
  each: Named,
  of: {
    readonly index: number
    readonly at_ms: number
    readonly state: State
    readonly idOf: (due_ms: number, destination: string) => string
  },
): readonly MessageRow[] {
  const { index, at_ms, state, idOf } = of
  const active = state.record("destinations", "destinations")?.active ?? []
  const body = canonical(bodyOf(each, { at: new Date(at_ms).toISOString(), entry: index }))
  return active
    .filter(destination => takes(destination, each, state))
    .map(({ destination, rung }) => {
      const due_ms = at_ms + (rungs_ms[rung] ?? 0)
      const id = idOf(due_ms, destination)
      return { id, destination, subject: each.told.subject, event: each.name, entry: null, due_ms, body }
    })
}

/** What has an alert is taken by it, and not by its entry. */
function hasAlert({ name, told }: Named): boolean {
  return told.subject.startsWith("alt_") || alertOf[name] !== undefined
}

/** Of a notice in `names.notices`. */
export const noticeWaits = 1
export const noticeSeen = 2

export interface Named {
  readonly name: EventName
  readonly told: Told
}

/** A thin payload (standardwebhooks.com): what happened to which ids, and nothing of them. */
function bodyOf({ name, told }: Named, of: { readonly at: string; readonly entry: number }): object {
  return { type: name, timestamp: of.at, data: { entry: of.entry, ...told.data } }
}

/** An alert is acknowledged by its id, and a clock is met. */
function endsItself({ subject, at_ms }: Told): boolean {
  return subject.startsWith("alt_") || at_ms !== undefined
}

function isTest({ told }: Named): boolean {
  return told.destination !== undefined
}

/** The agency hears all that its destination takes; a vendor of his own tree, where the event is one for vendors. */
function takes(destination: DestinationState, { name, told }: Named, state: State): boolean {
  const event = eventOf(name)
  if (told.destination !== undefined) return told.destination === destination.destination
  if (!destination.events.includes(name) || (destination.rung > 0 && !event.waits)) return false
  // A destination that cannot be told is not told that it cannot.
  if (name === "message.abandoned" && told.subject === destination.destination) return false
  return destination.isAgency || (event.vendors && isOf(destination.organization, told, state))
}

function isOf(organization: string, told: Told, state: State): boolean {
  const holder = told.person === undefined ? null : state.record("person", told.person)
  for (let at = told.organization ?? holder?.organization ?? null; at !== null;) {
    if (at === organization) return true
    at = state.record("organization", at)?.parent ?? null
  }
  return false
}

/** What was told lately of whom, so that a flood of refusals is one message in a while. */
class Recent {
  told: readonly { readonly what: string; readonly at_ms: number }[]
  isChanged = false
  readonly #now_ms: number

  constructor(told: Recent["told"], now_ms: number) {
    this.told = told
    this.#now_ms = now_ms
  }

  isNews({ name, told }: Named): boolean {
    const { folds_ms } = eventOf(name)
    if (folds_ms === 0) return true
    const what = `${name} ${told.subject}`
    const now_ms = this.#now_ms
    if (this.told.some(each => each.what === what && now_ms - each.at_ms < folds_ms)) return false
    const others = this.told.filter(each => each.what !== what && now_ms - each.at_ms < longestFold_ms)
    this.told = [...others, { what, at_ms: now_ms }].slice(-mostRecent)
    this.isChanged = true
    return true
  }
}
