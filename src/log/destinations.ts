import type { FaultCode } from "../fault.ts"
import { eventOf, type EventName } from "./event-table.ts"
import type { EntryOf } from "./kinds.ts"
import { mustHold, record } from "./standing.ts"
import type { Effects, MotionState, State } from "./state.ts"

/** Who is told, and how. The address is behind a commitment, since it may be a person's, or hold a secret. */
export interface DestinationState {
  readonly destination: string
  readonly name: string
  readonly kind: DestinationKind
  readonly events: readonly EventName[]
  readonly organization: string
  readonly isAgency: boolean
  /** 0 is told at once, the others later, while nobody has acknowledged it (`rungs_ms`). */
  readonly rung: number
  /** The entry whose opening is the address. */
  readonly entry: number
  readonly status: "proposed" | "active" | "removed"
}

export const destinationKinds = ["webhook", "email", "syslog", "http-json", "file"] as const
export type DestinationKind = (typeof destinationKinds)[number]

export const mostDestinations = 64

type Added = Extract<MotionState["statement"], { readonly address_commitment: string }>

/** A proposal makes its record, which tells nobody yet. */
export function proposedDestination(
  { act, subject, statement }: EntryOf<"motion.proposed">,
  index: number,
  state: State,
): Effects["records"] {
  if (act !== "add-destination") return []
  const { name, kind, events: taken, organization, rung } = statement as Added
  const destination = mustHold(subject)
  const isAgency = state.record("vault", "vault")?.organization === organization
  const body = { destination, name, kind, events: taken, organization, isAgency, rung }
  return [record("destination", destination, { ...body, entry: index, status: "proposed" })]
}

/** With the second signature it is told of what happens from here on; or of nothing more. */
export function carriedDestination(
  { act, subject, statement }: Pick<MotionState, "act" | "subject" | "statement">,
  state: State,
): Effects["records"] {
  const isAdded = act === "add-destination"
  const id = isAdded ? mustHold(subject) : (statement as { destination: string }).destination
  const held = mustHold(state.record("destination", id))
  const body: DestinationState = { ...held, status: isAdded ? "active" : "removed" }
  const others = activeOf(state).filter(each => each.destination !== id)
  const active = isAdded ? [...others, body] : others
  return [record("destination", id, body), record("destinations", "destinations", { active })]
}

function activeOf(state: State): readonly DestinationState[] {
  return state.record("destinations", "destinations")?.active ?? []
}

/** Names are told apart, a vendor hears of nothing that is the agency's alone, and nobody is asked to wait for a vendor. */
export function destinationRule(
  { act, statement }: Pick<MotionState, "act" | "statement">,
  state: State,
): FaultCode | null {
  const active = activeOf(state)
  if (act === "remove-destination") {
    const { destination } = statement as { destination: string }
    return active.some(each => each.destination === destination) ? null : "NOT_FOUND"
  }
  const { name, organization, events: taken, rung } = statement as Added
  if (state.record("organization", organization) === null) return "NOT_FOUND"
  if (active.some(each => each.name === name) || active.length >= mostDestinations) return "CONFLICT"
  const isAgency = state.record("vault", "vault")?.organization === organization
  const mayHear = taken.every(each => eventOf(each).vendors)
  return isAgency || (mayHear && rung === 0) ? null : "DESTINATION"
}
