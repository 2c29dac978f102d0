import type { FaultCode } from "../fault.ts"
import { eventOf, type EventName } from "./event-table.ts"
import type { Draft, EntryOf } from "./kinds.ts"
import { mustHold, record } from "./standing.ts"
import type { Effects, State } from "./state.ts"

/** One event that one destination is not told of, for a while. */
export interface MuteState {
  readonly mute: string
  readonly event: EventName
  readonly destination: string
  /** Of this person, reader, grant … alone; `null`: of all. */
  readonly subject: string | null
  readonly until: string
  readonly person: string
  readonly entry: number
  /** Messages that were not written for it. */
  readonly held_back: number
}

type DraftOf<K extends Draft["kind"]> = Extract<Draft, { kind: K }>

export const longestMute_ms = 7 * 86_400_000
const mostMutes = 64

interface Asked {
  readonly stated: DraftOf<"rule.muted">["statement"]
  readonly state: State
  readonly now_ms: number
}

interface MuteRule {
  readonly code: FaultCode
  readonly says: string
  readonly holds: (asked: Asked) => boolean
}

/** What may be muted, by one person, in the order judged. */
export const muteTable: readonly MuteRule[] = [
  {
    code: "NOT_FOUND",
    says: "There is no such destination, or it is told nothing any more.",
    holds: ({ stated, state }) => destinationOf(stated.destination, state) !== undefined,
  },
  {
    code: "MUTE",
    says: "This event cannot be muted for anybody.",
    holds: ({ stated }) => eventOf(stated.event).mutable,
  },
  {
    code: "MUTE",
    says: "That destination is not told of this event.",
    holds: ({ stated, state }) =>
      destinationOf(stated.destination, state)?.events.includes(stated.event) === true,
  },
  {
    code: "MUTE",
    says: "A mute ends in the future, and in 7 days at most.",
    holds: ({ stated, now_ms }) => {
      const rest_ms = Date.parse(stated.until) - now_ms
      return 0 < rest_ms && rest_ms <= longestMute_ms
    },
  },
  {
    code: "MUTE",
    says: "No other destination of the agency takes rule.muted at once: nobody would hear that this is muted.",
    holds: ({ stated, state }) =>
      othersOf(stated, state).some(each => each.rung === 0 && each.events.includes("rule.muted")),
  },
  {
    code: "MUTE",
    says: "No other destination of the agency would be told of this event; name a subject, or add one.",
    holds: asked => asked.stated.subject !== null || isHeardElsewhere(asked),
  },
  {
    code: "CONFLICT",
    says: "It is muted already, or 64 mutes stand.",
    holds: ({ stated, state, now_ms }) => {
      const active = activeMutes(state, now_ms)
      return active.length < mostMutes && !active.some(each => isSame(each, stated))
    },
  },
]

function destinationOf(id: string, state: State) {
  return (state.record("destinations", "destinations")?.active ?? []).find(each => each.destination === id)
}

/** The agency's destinations beside this one. */
function othersOf({ destination }: Asked["stated"], state: State) {
  const active = state.record("destinations", "destinations")?.active ?? []
  return active.filter(each => each.isAgency && each.destination !== destination)
}

/** A vendor's destination is never the one that the agency hears by. */
function isHeardElsewhere({ stated, state, now_ms }: Asked): boolean {
  if (destinationOf(stated.destination, state)?.isAgency === false) return true
  const muted = activeMutes(state, now_ms).filter(
    each => each.event === stated.event && each.subject === null,
  )
  return othersOf(stated, state).some(
    each => each.events.includes(stated.event) && !muted.some(mute => mute.destination === each.destination),
  )
}

function isSame(mute: MuteState, { event, destination, subject }: Asked["stated"]): boolean {
  return mute.event === event && mute.destination === destination && mute.subject === subject
}

export function activeMutes(state: State, now_ms: number): readonly MuteState[] {
  return (state.record("mutes", "mutes")?.mutes ?? []).filter(each => now_ms < Date.parse(each.until))
}

/** The first rule that refuses a mute, or `null`. */
export function muteRefusal(
  { statement: stated }: DraftOf<"rule.muted">,
  state: State,
  now_ms: number,
): Omit<MuteRule, "holds"> | null {
  return muteTable.find(({ holds }) => !holds({ stated, state, now_ms })) ?? null
}

export function unmuteRule(
  { mute, statement }: DraftOf<"rule.unmuted">,
  state: State,
  now_ms: number,
): FaultCode | null {
  if (statement.mute !== mute) return "INVALID"
  return activeMutes(state, now_ms).some(each => each.mute === mute) ? null : "NOT_FOUND"
}

/** What is over goes with the next that is written. */
export function muted(entry: EntryOf<"rule.muted">, index: number, state: State): Effects["records"] {
  const { mute, person, statement, at } = entry
  const { event, destination, subject, until } = statement
  const made = { mute, event, destination, subject, until, person, entry: index, held_back: 0 }
  return [record("mutes", "mutes", { mutes: [...activeMutes(state, Date.parse(at)), made] })]
}

export function unmuted({ mute, at }: EntryOf<"rule.unmuted">, state: State): Effects["records"] {
  const mutes = mustHold(state.record("mutes", "mutes")).mutes.map(each =>
    each.mute === mute ? { ...each, until: at } : each,
  )
  return [record("mutes", "mutes", { mutes })]
}

/** Counts what is not told while one entry's messages are written. */
export class Mutes {
  mutes: readonly MuteState[]
  isChanged = false
  readonly #now_ms: number

  constructor(state: State, now_ms: number) {
    this.mutes = state.record("mutes", "mutes")?.mutes ?? []
    this.#now_ms = now_ms
  }

  /** Whether that destination is not to be told of it now. */
  holdsBack(
    destination: string,
    { name, subject }: { readonly name: EventName; readonly subject: string },
  ): boolean {
    const found = this.mutes.find(
      each =>
        each.destination === destination &&
        each.event === name &&
        (each.subject === null || each.subject === subject) &&
        this.#now_ms < Date.parse(each.until),
    )
    if (found === undefined) return false
    this.mutes = this.mutes.map(each => (each === found ? { ...each, held_back: each.held_back + 1 } : each))
    this.isChanged = true
    return true
  }
}
