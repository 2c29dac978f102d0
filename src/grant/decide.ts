import type { FaultCode } from "../fault.ts"
import { covers, join, type Level } from "./level.ts"
import type { Office } from "./office.ts"
import type { Purpose, Terms } from "./terms.ts"

export interface PersonState {
  readonly person: string
  readonly organization: string
  readonly office: Office
  readonly suspended: boolean
}

export interface OrganizationState {
  readonly organization: string
  /** The organization above it; `null` for the agency and for a prime. */
  readonly parent: string | null
  readonly suspended: boolean
}

export interface ContractState {
  readonly contract: string
  readonly organization: string
  readonly purposes: readonly Purpose[]
  /** RFC 3339 UTC. */
  readonly ends_at: string
}

export interface ApprovalState {
  readonly person: string
  readonly office: Office
}

export interface GrantState {
  readonly grant: string
  readonly terms: Terms
  readonly terms_sha256: string
  readonly requester: string
  readonly status: "pending" | "approved" | "denied" | "revoked"
  readonly approvals: readonly ApprovalState[]
}

/** One image, one person, one level: what is asked. */
export interface Ask {
  readonly for: "release" | "reveal"
  readonly person: string
  readonly level: Level
}

/** What the log says of everything that the question touches. */
export interface Facts {
  readonly grant: GrantState
  readonly person: PersonState
  /** The holder's organization and all above it. */
  readonly organizations: readonly OrganizationState[]
  readonly contract: ContractState | null
  readonly capture: { readonly lane: string; readonly hour: string }
  /** Distinct images released under the grant so far. */
  readonly images: number
  /** How often this capture was released under this grant. */
  readonly times: number
  /** What the organization's tree already holds of this capture, over all grants. */
  readonly held: Level
}

interface Rule {
  readonly refuse: FaultCode
  readonly holds: (ask: Ask, facts: Facts, now_ms: number) => boolean
}

/** One check a line, in the order judged. */
export const decisionTable: readonly Rule[] = [
  { refuse: "PERSON_SUSPENDED", holds: (_, f) => !f.person.suspended },
  {
    refuse: "GRANT_ORGANIZATION",
    holds: (_, f) => f.organizations.every(organization => !organization.suspended),
  },
  { refuse: "GRANT_UNKNOWN", holds: (a, f) => f.grant.terms.for === a.for },
  { refuse: "GRANT_HOLDER", holds: (a, f) => a.person === f.grant.terms.holder },
  { refuse: "GRANT_DENIED", holds: (_, f) => f.grant.status !== "denied" },
  { refuse: "GRANT_REVOKED", holds: (_, f) => f.grant.status !== "revoked" },
  { refuse: "GRANT_PENDING", holds: (_, f) => f.grant.status === "approved" && approvalsSuffice(f.grant) },
  { refuse: "GRANT_NOT_STARTED", holds: (_, f, now_ms) => Date.parse(f.grant.terms.starts_at) <= now_ms },
  { refuse: "GRANT_EXPIRED", holds: (_, f, now_ms) => now_ms < Date.parse(f.grant.terms.ends_at) },
  { refuse: "GRANT_CONTRACT", holds: (_, f, now_ms) => contractAllows(f, now_ms) },
  { refuse: "GRANT_LEVEL", holds: (a, f) => covers(f.grant.terms.level, a.level) },
  { refuse: "GRANT_LANE", holds: (_, f) => f.grant.terms.lanes.includes(f.capture.lane) },
  { refuse: "GRANT_DATES", holds: (_, f) => isWithinDates(f) },
  { refuse: "GRANT_HOURS", holds: (_, f) => isWithinHours(f) },
  { refuse: "GRANT_LEVEL_SUM", holds: (a, f) => covers(f.grant.terms.level, join(a.level, f.held)) },
  { refuse: "GRANT_BUDGET", holds: (_, f) => f.times > 0 || f.images < f.grant.terms.images },
]

/** The verdict on one image: `null` is a permit, else the first rule that refuses. Pure: the log replays it. */
export function decide(ask: Ask, facts: Facts, now_ms: number): FaultCode | null {
  return decisionTable.find(rule => !rule.holds(ask, facts, now_ms))?.refuse ?? null
}

/**
 * Whether two people of different offices approved, neither of them requester or holder, and nobody counts twice.
 * The one place where this is judged: at approval, at release, in the vault and in a replay of the log.
 */
export function approvalsSuffice(grant: Pick<GrantState, "terms" | "requester" | "approvals">): boolean {
  const others = grant.approvals.filter(
    approval => approval.person !== grant.requester && approval.person !== grant.terms.holder,
  )
  return others.some(a => others.some(b => a.person !== b.person && a.office !== b.office))
}

function contractAllows({ grant, contract, organizations }: Facts, now_ms: number): boolean {
  if (grant.terms.for === "reveal") return true
  if (contract === null || contract.contract !== grant.terms.contract) return false
  if (!organizations.some(organization => organization.organization === contract.organization)) return false
  return now_ms < Date.parse(contract.ends_at) && contract.purposes.includes(grant.terms.purpose)
}

function isWithinDates({ grant, capture }: Facts): boolean {
  const date = capture.hour.slice(0, 10)
  return grant.terms.dates.first <= date && date <= grant.terms.dates.last
}

function isWithinHours({ grant, capture }: Facts): boolean {
  const hour = Number(capture.hour.slice(11, 13))
  return grant.terms.hours.from <= hour && hour < grant.terms.hours.until
}
