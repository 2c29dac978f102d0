import type { FaultCode } from "../fault.ts"
import { decide, type Facts, type OrganizationState } from "../grant/decide.ts"
import { isAgencyOffice, may, type Act } from "../grant/office.ts"
import { brokenRule, termsDigest, type Terms } from "../grant/terms.ts"
import { levelAt, rootOf } from "./effects.ts"
import type { Draft } from "./kinds.ts"
import { destroyedName, names, type Records, type State } from "./state.ts"

type DraftOf<K extends Draft["kind"]> = Extract<Draft, { kind: K }>

/** An organization's tree is at most this deep: agency, prime, sub, sub-sub. */
export const maxTiers = 3

/**
 * Whether an entry may follow on this state: `null`, or the code of the rule that refuses. It is asked when the entry is
 * drafted, inside the transaction that would store it, and again by the vault and by `fsck`, who read it from the log.
 * @param now_ms  the entry's own time.
 */
export function judge(draft: Draft, state: State, now_ms: number): FaultCode | null {
  switch (draft.kind) {
    case "organization.added":
      return author(draft, state, "register") ?? organizationRule(draft, state)
    case "organization.suspended":
      return author(draft, state, "suspend") ?? exists(state.record("organization", draft.organization))
    case "contract.added":
      return (
        author(draft, state, "register") ?? exists(state.record("organization", draft.statement.organization))
      )
    case "person.enrolled":
      return author(draft, state, "register") ?? personRule(draft, state)
    case "person.suspended":
      return author(draft, state, "suspend") ?? exists(state.record("person", draft.person))
    case "port.added":
    case "recipients.signed":
      return author(draft, state, "register")
    case "lane.added":
      return author(draft, state, "register") ?? exists(state.record("port", draft.statement.port))
    case "reader.enrolled":
      return author(draft, state, "register") ?? readerRule(draft, state)
    case "grant.requested":
      return (
        author(draft, state, draft.statement.for === "release" ? "request" : "open case") ??
        requestRule(draft, state, now_ms)
      )
    case "grant.approved":
    case "grant.denied":
      return author(draft, state, "approve") ?? approvalRule(draft, state)
    case "grant.revoked":
      return author(draft, state, "revoke") ?? revocationRule(draft, state)
    case "permit":
      return permitRule(draft, state, now_ms)
    case "opening.read":
      return author(draft, state, "read log") ?? ownerRule(draft, state)
    case "opening.destroyed":
      return (
        author(draft, state, "destroy opening") ?? ownerRule(draft, state) ?? destructionRule(draft, state)
      )
    case "genesis":
    case "day.destroyed":
    case "epoch.opened":
    case "admitted":
    case "examined":
    case "refused":
    case "refused.folded":
    case "schema.changed":
    case "delivered":
      return null
  }
}

/** The person that the entry names is the one whose key signed. */
function ownerRule(
  { person, asked }: { readonly person: string; readonly asked: { readonly key: string } },
  state: State,
): FaultCode | null {
  return signerOfRequest(asked.key, state)?.person === person ? null : "KEY_UNKNOWN"
}

function destructionRule({ statement }: DraftOf<"opening.destroyed">, state: State): FaultCode | null {
  const isGone = state.member(names.destroyed, destroyedName(statement.entry, statement.field)) > 0
  return isGone ? "CONFLICT" : null
}

function exists(held: unknown): FaultCode | null {
  return held === null ? "NOT_FOUND" : null
}

/** The person whose key signed the request, or `null`. */
export function signerOfRequest(key: string, state: State): Records["person"] | null {
  const person = state.record("key", key)?.person ?? null
  return person === null ? null : state.record("person", person)
}

function author(
  draft: { readonly asked: { readonly key: string } },
  state: State,
  act: Act,
): FaultCode | null {
  const person = signerOfRequest(draft.asked.key, state)
  if (person === null) return "KEY_UNKNOWN"
  if (person.suspended) return "PERSON_SUSPENDED"
  return may(person.office, act) ? null : "OFFICE"
}

function organizationRule(
  { organization, statement }: DraftOf<"organization.added">,
  state: State,
): FaultCode | null {
  if (state.record("organization", organization) !== null) return "CONFLICT"
  if (statement.parent === null) return null
  if (state.record("organization", statement.parent) === null) return "NOT_FOUND"
  return chainOf(statement.parent, state).length < maxTiers ? null : "INVALID"
}

function personRule({ person, statement }: DraftOf<"person.enrolled">, state: State): FaultCode | null {
  if (state.record("person", person) !== null || state.record("key", statement.key) !== null)
    return "CONFLICT"
  const organization = state.record("organization", statement.organization)
  if (organization === null) return "NOT_FOUND"
  const agency = state.record("vault", "vault")?.organization
  return (statement.organization === agency) === isAgencyOffice(statement.office) ? null : "OFFICE"
}

function readerRule({ reader, statement }: DraftOf<"reader.enrolled">, state: State): FaultCode | null {
  if (state.record("reader", reader) !== null || state.record("key", statement.key) !== null)
    return "CONFLICT"
  return exists(state.record("lane", statement.lane))
}

function requestRule(
  { grant, statement }: DraftOf<"grant.requested">,
  state: State,
  now_ms: number,
): FaultCode | null {
  if (state.record("grant", grant) !== null) return "CONFLICT"
  if (grant.startsWith("grt_") !== (statement.for === "release")) return "INVALID"
  if (brokenRule(statement, now_ms) !== null) return "GRANT_TERMS"
  const holder = state.record("person", statement.holder)
  if (holder === null) return "NOT_FOUND"
  if (isAgencyOffice(holder.office) !== (statement.for === "reveal")) return "OFFICE"
  if (statement.lanes.some(lane => state.record("lane", lane) === null)) return "GRANT_LANE"
  return statement.for === "release" ? contractRule(statement, holder.organization, state) : null
}

function contractRule(terms: Terms, organization: string, state: State): FaultCode | null {
  const contract = terms.contract === null ? null : state.record("contract", terms.contract)
  if (contract === null || !contract.purposes.includes(terms.purpose)) return "GRANT_CONTRACT"
  const covered = chainOf(organization, state).some(each => each.organization === contract.organization)
  return covered && Date.parse(terms.ends_at) <= Date.parse(contract.ends_at) ? null : "GRANT_CONTRACT"
}

function approvalRule(
  draft: DraftOf<"grant.approved"> | DraftOf<"grant.denied">,
  state: State,
): FaultCode | null {
  const grant = state.record("grant", draft.grant)
  const person = signerOfRequest(draft.asked.key, state)
  if (grant === null) return "GRANT_UNKNOWN"
  if (person?.person !== draft.person) return "KEY_UNKNOWN"
  if ((draft.statement.decision === "approve") !== (draft.kind === "grant.approved")) return "INVALID"
  if (draft.statement.terms_sha256 !== grant.terms_sha256) return "APPROVAL_DIGEST"
  if (grant.status !== "pending") return "CONFLICT"
  if (draft.person === grant.requester || draft.person === grant.terms.holder) return "APPROVAL_SELF"
  return grant.approvals.some(approval => approval.office === person.office) ? "APPROVAL_OFFICE" : null
}

function revocationRule(draft: DraftOf<"grant.revoked">, state: State): FaultCode | null {
  const grant = state.record("grant", draft.grant)
  if (grant === null) return "GRANT_UNKNOWN"
  if (signerOfRequest(draft.asked.key, state)?.person !== draft.person) return "KEY_UNKNOWN"
  if (draft.statement.terms_sha256 !== grant.terms_sha256) return "APPROVAL_DIGEST"
  return grant.status === "denied" || grant.status === "revoked" ? "CONFLICT" : null
}

/** A permit must be what the decision table says, with the counters that the log leads to. */
function permitRule(draft: DraftOf<"permit">, state: State, now_ms: number): FaultCode | null {
  if (draft.by === null)
    return draft.for === "examine" && draft.asked === null && draft.examiner !== null ? null : "INVALID"
  const { by, asked, statement } = draft
  if (draft.for === "examine" || asked === null || statement === null) return "INVALID"
  if (statement.capture !== draft.capture || statement.level !== draft.level || statement.grant !== by.grant)
    return "INVALID"
  const person = signerOfRequest(asked.key, state)
  if (person === null || person.person !== by.person || person.organization !== by.organization)
    return "KEY_UNKNOWN"
  const facts = factsFor(state, { person, grant: by.grant, capture: draft })
  if (facts === null) return "GRANT_UNKNOWN"
  const refusal = decide({ for: draft.for, person: by.person, level: draft.level }, facts, now_ms)
  if (refusal !== null) return refusal
  const after = countsAfter(facts, state.counter(names.releases(by.grant)))
  const counted = after.images_after === by.images_after && after.releases_after === by.releases_after
  const named = by.terms_sha256 === termsDigest(facts.grant.terms) && by.purpose === facts.grant.terms.purpose
  return counted && named ? null : "INVALID"
}

export interface Question {
  readonly person: Records["person"]
  readonly grant: string
  /** `capture` is the id; lane and hour as its entry `admitted` has them. */
  readonly capture: { readonly capture: string; readonly lane: string; readonly hour: string }
}

/**
 * Everything that the decision table asks about one image, or `null` where the grant does not exist. Levels add up over a
 * vendor's tree, where copies stay; a reveal leaves none.
 */
export function factsFor(state: State, { person, grant: id, capture }: Question): Facts | null {
  const grant = state.record("grant", id)
  if (grant === null) return null
  const root = rootOf(person.organization, state)
  return {
    grant,
    person,
    organizations: chainOf(person.organization, state),
    contract: grant.terms.contract === null ? null : state.record("contract", grant.terms.contract),
    capture,
    images: state.counter(names.images(id)),
    times: state.member(names.released(id), capture.capture),
    held: grant.terms.for === "reveal" ? "L0" : levelAt(state.member(names.held(root), capture.capture)),
  }
}

/** What a permit says of the budget after it. */
export function countsAfter(
  facts: Facts,
  releases: number,
): { readonly images_after: number; readonly releases_after: number } {
  return { images_after: facts.images + (facts.times === 0 ? 1 : 0), releases_after: releases + 1 }
}

/** The organization and all above it, itself first. */
export function chainOf(organization: string, state: State): OrganizationState[] {
  const held = state.record("organization", organization)
  if (held === null) return []
  return held.parent === null ? [held] : [held, ...chainOf(held.parent, state)]
}
