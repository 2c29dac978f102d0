import type { FaultCode } from "../fault.ts"
import { covers, join, type Level } from "./level.ts"
import { hasTwoKeys, type Glass } from "./glass.ts"
import { isAgencyOffice, type Office } from "./office.ts"
import { brokenPolicy, type Policy } from "./policy.ts"
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
  /** The prime's contract that it rests on and can only narrow, or `null`. */
  readonly under: string | null
  readonly purposes: readonly Purpose[]
  /** RFC 3339 UTC. */
  readonly ends_at: string
  /** What the contractor must have shown, each until its end: an expired one suspends the contract. */
  readonly attestations: readonly { readonly name: string; readonly ends_at: string }[]
  /** Base64 Ed25519 keys of the devices that copies may go to; empty: as the contract above says, or any. */
  readonly devices: readonly string[]
  /** Networks that requests may come from, CIDR; empty: as the contract above says, or any. */
  readonly networks: readonly string[]
}

export interface ApprovalState {
  readonly person: string
  readonly office: Office
  /** The version of the terms that was signed: later ones in force are narrower. */
  readonly version: number
  /** Index of its entry. */
  readonly entry: number
}

export interface GrantState {
  readonly grant: string
  /** 1 when asked for, and one more with each edit. */
  readonly version: number
  readonly terms: Terms
  readonly terms_sha256: string
  readonly requester: string
  readonly status: "pending" | "approved" | "denied" | "revoked"
  readonly approvals: readonly ApprovalState[]
  /** Index of the entry that approved it last; −1 before. A frozen selection ends there. */
  readonly frozen_at: number
  /** Set where the glass was broken for it. */
  readonly glass: Glass | null
  /** Indexes of the entries that made it what it is, in order: its history. */
  readonly entries: readonly number[]
}

/** One image, one person, one level: what is asked. */
export interface Ask {
  readonly for: "release" | "reveal"
  readonly person: string
  readonly level: Level
  /** Base64 key of the device that signed beside the person, or `null`. */
  readonly device: string | null
  /** Which of the contract's networks the request came from, or `null` for none of them. */
  readonly network: string | null
}

/** What the log says of everything that the question touches. */
export interface Facts {
  readonly grant: GrantState
  readonly person: PersonState
  /** The holder's organization and all above it. */
  readonly organizations: readonly OrganizationState[]
  /** The grant's contract and those that it rests on, itself first; empty for a case. */
  readonly contracts: readonly ContractState[]
  /** `admitted`: index of its entry. */
  readonly capture: {
    readonly capture: string
    readonly lane: string
    readonly hour: string
    readonly admitted: number
    /** How many faces its examination found; `null` where nothing has looked for them. */
    readonly faces: number | null
  }
  readonly policy: Policy
  /** Whether an emergency stop holds the vault, or the capture's port. */
  readonly isStopped: boolean
  /** Distinct images released under the grant so far, and the faces in them. */
  readonly images: number
  readonly people: number
  /** How often this capture was released under this grant. */
  readonly times: number
  /** Releases under the grant so far, re-reading included. */
  readonly releases: number
  readonly used: Used
  /** What the organization's tree already holds of this capture, over all grants. */
  readonly held: Level
  /** Whether a second person signed for this look, not long ago; asked at L4. */
  readonly isSeconded: boolean
}

/** Distinct images used so far, over all grants. */
export interface Used {
  /** By the person today (UTC). */
  readonly person_day: number
  /** By the organization's tree today, and in 30 days with today. */
  readonly organization_day: number
  readonly organization_30d: number
  /** By everyone today. */
  readonly vault_day: number
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
  { refuse: "STOPPED", holds: (_, f) => !f.isStopped },
  { refuse: "POLICY", holds: (_, f) => brokenPolicy(f.policy) === null },
  { refuse: "GRANT_UNKNOWN", holds: (a, f) => f.grant.terms.for === a.for },
  { refuse: "GRANT_HOLDER", holds: (a, f) => a.person === f.grant.terms.holder },
  { refuse: "GRANT_DENIED", holds: (_, f) => f.grant.status !== "denied" },
  { refuse: "GRANT_REVOKED", holds: (_, f) => f.grant.status !== "revoked" },
  {
    refuse: "GRANT_PENDING",
    holds: (_, f) => f.grant.status === "approved" && isApproved(f.grant, f.policy),
  },
  { refuse: "GRANT_NOT_STARTED", holds: (_, f, now_ms) => Date.parse(f.grant.terms.starts_at) <= now_ms },
  { refuse: "GRANT_EXPIRED", holds: (_, f, now_ms) => now_ms < Date.parse(f.grant.terms.ends_at) },
  { refuse: "GRANT_CONTRACT", holds: (_, f, now_ms) => contractAllows(f, now_ms) },
  { refuse: "ATTESTATION", holds: (_, f, now_ms) => isAttested(f, now_ms) },
  { refuse: "GRANT_DEVICE", holds: (a, f) => isDevice(a, f) },
  { refuse: "GRANT_NETWORK", holds: (a, f) => isNetwork(a, f) },
  { refuse: "GRANT_LEVEL", holds: (a, f) => covers(f.grant.terms.level, a.level) },
  { refuse: "GRANT_LANE", holds: (_, f) => f.grant.terms.lanes.includes(f.capture.lane) },
  { refuse: "GRANT_DATES", holds: (_, f) => isWithinDates(f) },
  { refuse: "GRANT_HOURS", holds: (_, f) => isWithinHours(f) },
  { refuse: "GRANT_SELECTION", holds: (_, f) => isSelected(f) },
  { refuse: "GRANT_LEVEL_SUM", holds: (a, f) => covers(f.grant.terms.level, join(a.level, f.held)) },
  { refuse: "REVEAL_SECOND", holds: (a, f) => a.for === "release" || a.level !== "L4" || f.isSeconded },
  { refuse: "GRANT_BUDGET", holds: (_, f) => f.times > 0 || f.images < f.grant.terms.images },
  { refuse: "GRANT_PEOPLE", holds: (_, f) => f.times > 0 || arePeopleWithin(f) },
  { refuse: "GRANT_RELEASES", holds: (_, f) => f.releases < f.grant.terms.releases },
  { refuse: "BUDGET_PERSON", holds: (_, f) => f.times > 0 || f.used.person_day < f.policy.person_day },
  {
    refuse: "BUDGET_ORGANIZATION",
    holds: (_, f) => isOwn(f) || f.times > 0 || f.used.organization_30d < f.policy.organization_30d,
  },
  {
    refuse: "BUDGET_VENDOR",
    holds: (_, f) => isOwn(f) || f.times > 0 || f.used.organization_day < Math.floor(f.policy.vault_day / 2),
  },
  { refuse: "BUDGET_VAULT", holds: (_, f) => f.times > 0 || f.used.vault_day < f.policy.vault_day },
]

/** The verdict on one image: `null` is a permit, else the first rule that refuses. Pure: the log replays it. */
export function decide(ask: Ask, facts: Facts, now_ms: number): FaultCode | null {
  return decisionTable.find(rule => !rule.holds(ask, facts, now_ms))?.refuse ?? null
}

/**
 * Whether two people of different offices approved, neither of them requester or holder, and nobody counts twice; and as
 * many of each office as the policy asks for. A policy that is malformed or empty suffices for nothing. The one place where
 * this is judged: at approval, at release, in the vault and in a replay of the log.
 */
export function approvalsSuffice(
  grant: Pick<GrantState, "terms" | "requester" | "approvals">,
  policy: Policy,
): boolean {
  if (brokenPolicy(policy) !== null) return false
  const others = grant.approvals.filter(
    approval => approval.person !== grant.requester && approval.person !== grant.terms.holder,
  )
  const people = (office: Office) =>
    new Set(others.filter(each => each.office === office).map(each => each.person)).size
  return (
    others.some(a => others.some(b => a.person !== b.person && a.office !== b.office)) &&
    policy.approvals.every(line => people(line.office) >= line.people)
  )
}

/** Whether those who must have signed: the policy's approvers, or the two keys of a break-glass. */
export function isApproved(
  grant: Pick<GrantState, "terms" | "requester" | "approvals" | "glass">,
  policy: Policy,
): boolean {
  return grant.glass === null ? approvalsSuffice(grant, policy) : hasTwoKeys(grant)
}

/** The agency's own people draw on no vendor's budget. */
function isOwn({ person }: Facts): boolean {
  return isAgencyOffice(person.office)
}

function contractAllows({ grant, contracts, organizations }: Facts, now_ms: number): boolean {
  if (grant.terms.for === "reveal") return true
  const [contract] = contracts
  if (contract === undefined || contract.contract !== grant.terms.contract) return false
  if (!organizations.some(organization => organization.organization === contract.organization)) return false
  return contracts.every(
    each => now_ms < Date.parse(each.ends_at) && each.purposes.includes(grant.terms.purpose),
  )
}

function isAttested({ contracts }: Facts, now_ms: number): boolean {
  return contracts.every(each => each.attestations.every(shown => now_ms < Date.parse(shown.ends_at)))
}

/** Of the contracts, from the grant's own upwards, the first list that is not empty. */
export function nearest<T>(lists: readonly (readonly T[])[]): readonly T[] {
  return lists.find(list => list.length > 0) ?? []
}

function isDevice({ device }: Ask, { grant, contracts }: Facts): boolean {
  const allowed = nearest(contracts.map(each => each.devices))
  if (grant.terms.device !== null && device !== grant.terms.device) return false
  return allowed.length === 0 || (device !== null && allowed.includes(device))
}

function isNetwork({ network }: Ask, { contracts }: Facts): boolean {
  const allowed = nearest(contracts.map(each => each.networks))
  return allowed.length === 0 || (network !== null && allowed.includes(network))
}

/** A face in two images counts twice: the sum is never below the number of people. */
function arePeopleWithin({ grant, capture, people }: Facts): boolean {
  const most = grant.terms.people
  return most === null || (capture.faces !== null && people + capture.faces <= most)
}

function isSelected({ grant, capture }: Facts): boolean {
  const { captures, selection } = grant.terms
  if (captures !== null && !captures.includes(capture.capture)) return false
  return selection === "open" || capture.admitted < grant.frozen_at
}

function isWithinDates({ grant, capture }: Facts): boolean {
  const date = capture.hour.slice(0, 10)
  return grant.terms.dates.first <= date && date <= grant.terms.dates.last
}

function isWithinHours({ grant, capture }: Facts): boolean {
  const hour = Number(capture.hour.slice(11, 13))
  return grant.terms.hours.from <= hour && hour < grant.terms.hours.until
}
