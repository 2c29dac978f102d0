import type { FaultCode } from "../fault.ts"
import type { Facts } from "../grant/decide.ts"
import { covers, type Level } from "../grant/level.ts"
import type { Scope } from "../watch/symbols.ts"
import { chainOf } from "./facts.ts"
import type { State } from "./state.ts"

/** What of an opening the watch looks at, and how it lies to the grant that it names. */

/** Where grants are known, every image lies somewhere to one. */
export type OrderScope = Exclude<Scope, "unknown">

/**
 * Refusals that say nothing of who asked: what is our own fault or state, what stands for everybody, and what an honest draw
 * under way meets eight at once when somebody else ends it. Each is in the log, and told, all the same. A refusal of what lies within
 * the grant must not count as work: it costs nothing, and would lower what stands against whoever asks for it.
 */
export const noEvidence: ReadonlySet<string> = new Set<FaultCode>([
  ...(["KEY_UNKNOWN", "PERSON_SUSPENDED", "GRANT_ORGANIZATION", "STOPPED", "POLICY"] as const),
  ...(["GRANT_DENIED", "GRANT_REVOKED", "GRANT_PENDING", "GRANT_NOT_STARTED"] as const),
  ...(["GRANT_CONTRACT", "ATTESTATION", "GRANT_DEVICE", "GRANT_NETWORK", "GRANT_PEOPLE"] as const),
  ...([
    "REVEAL_SECOND",
    "GRANT_LEVEL_SUM",
    "BUDGET_PERSON",
    "BUDGET_ORGANIZATION",
    "BUDGET_VENDOR",
    "BUDGET_VAULT",
  ] as const),
  ...(["LOG_UNWITNESSED", "LOG_BEHIND", "RATE"] as const),
])

/** A grant that ended less long ago is one that a draw under way outlived. */
const outlived_ms = 3_600_000

interface Judged {
  readonly code: FaultCode | null
  readonly facts: Facts | null
  readonly person: string
}

/**
 * Whether what the decision table says of one image is something that the watch looks at; `null` is a permit. Who is suspended,
 * or whose organization is, gives no evidence any more, whatever he is refused with.
 */
export function isEvidence({ code, facts, person }: Judged, state: State, now_ms: number): boolean {
  if (code === null) return true
  if (isSuspended(person, state)) return false
  if (code === "GRANT_EXPIRED" && facts !== null)
    return now_ms >= Date.parse(facts.grant.terms.ends_at) + outlived_ms
  return !noEvidence.has(code)
}

/** Whether the person or anything above him is suspended, or nobody knows him. */
export function isSuspended(person: string, state: State): boolean {
  const held = state.record("person", person)
  if (held === null || held.suspended) return true
  return chainOf(held.organization, state).some(organization => organization.suspended)
}

interface ScopeRule {
  readonly scope: OrderScope
  readonly holds: (facts: Facts, now_ms: number) => boolean
}

/** How one image lies to the grant that the request names, in the order judged; who gets to the end is within it. */
export const scopeTable: readonly ScopeRule[] = [
  { scope: "another's", holds: ({ grant, person }) => grant.terms.holder !== person.person },
  { scope: "outside", holds: ({ grant }, now_ms) => now_ms >= Date.parse(grant.terms.ends_at) },
  { scope: "outside", holds: ({ grant, capture }) => !grant.terms.lanes.includes(capture.lane) },
  { scope: "outside", holds: ({ grant: { terms }, capture }) => !isTimely(terms, capture.hour) },
  { scope: "beside", holds: ({ grant, capture }) => !isChosen(grant, capture) },
  {
    scope: "over need",
    holds: ({ grant: { terms }, images, releases }) => images >= terms.images || releases >= terms.releases,
  },
]

/** `null` for the facts of no grant, and for a capture that does not exist. */
export function scopeOf(facts: Facts | null, capture: string | null, now_ms: number): OrderScope {
  if (facts === null || capture === null) return "outside"
  return scopeTable.find(({ holds }) => holds(facts, now_ms))?.scope ?? "within"
}

/** Whether the level is one that the grant does not give. */
export function isOtherKind(facts: Facts | null, level: Level): boolean {
  return facts !== null && !covers(facts.grant.terms.level, level)
}

function isTimely({ dates, hours }: Facts["grant"]["terms"], at: string): boolean {
  const [date, hour] = [at.slice(0, 10), Number(at.slice(11, 13))]
  return dates.first <= date && date <= dates.last && hours.from <= hour && hour < hours.until
}

function isChosen({ terms, frozen_at }: Facts["grant"], { capture, admitted }: Facts["capture"]): boolean {
  if (terms.captures !== null && !terms.captures.includes(capture)) return false
  return terms.selection === "open" || admitted < frozen_at
}
