import type { FaultCode } from "../fault.ts"
import { isApproved } from "../grant/decide.ts"
import { widens } from "../grant/edit.ts"
import { isAgencyOffice, may } from "../grant/office.ts"
import { brokenPolicy } from "../grant/policy.ts"
import { brokenRule, termsDigest, type Terms } from "../grant/terms.ts"
import { chainOf } from "./facts.ts"
import type { Draft } from "./kinds.ts"
import { policyOf, signerOfRequest, standingGrant } from "./standing.ts"
import type { State } from "./state.ts"

/** The rules of grants and cases: whether a request, an edit, an approval, a revocation or a review may follow. */

type DraftOf<K extends Draft["kind"]> = Extract<Draft, { kind: K }>

export function exists(held: unknown): FaultCode | null {
  return held === null ? "NOT_FOUND" : null
}

export function reviewRule(draft: DraftOf<"glass.reviewed">, state: State, now_ms: number): FaultCode | null {
  const grant = state.record("grant", draft.grant)
  if (grant === null || grant.glass === null) return "GRANT_UNKNOWN"
  if (draft.person === grant.requester || draft.person === grant.glass.second) return "APPROVAL_SELF"
  const isOver = grant.status === "revoked" || now_ms >= Date.parse(grant.terms.ends_at)
  return isOver && grant.glass.outcome === null ? null : "CONFLICT"
}

export function requestRule(
  { grant, statement }: DraftOf<"grant.requested">,
  state: State,
  now_ms: number,
): FaultCode | null {
  if (state.record("grant", grant) !== null) return "CONFLICT"
  if (grant.startsWith("grt_") !== (statement.for === "release")) return "INVALID"
  return termsRule(statement, state, now_ms)
}

/** Whether a grant with these terms could be asked for now. */
export function termsRule(terms: Terms, state: State, now_ms: number): FaultCode | null {
  if (brokenRule(terms, now_ms) !== null) return "GRANT_TERMS"
  const holder = state.record("person", terms.holder)
  if (holder === null) return "NOT_FOUND"
  if (isAgencyOffice(holder.office) !== (terms.for === "reveal")) return "OFFICE"
  if (terms.lanes.some(lane => state.record("lane", lane) === null)) return "GRANT_LANE"
  const policy = policyOf(state)
  if (terms.for === "reveal") return terms.images > policy.vault_day * 31 ? "BUDGET_VAULT" : null
  if (terms.images > policy.organization_30d) return "BUDGET_ORGANIZATION"
  return contractRule(terms, holder.organization, state)
}

function contractRule(terms: Terms, organization: string, state: State): FaultCode | null {
  const contract = terms.contract === null ? null : state.record("contract", terms.contract)
  if (contract === null || !contract.purposes.includes(terms.purpose)) return "GRANT_CONTRACT"
  const covered = chainOf(organization, state).some(each => each.organization === contract.organization)
  return covered && Date.parse(terms.ends_at) <= Date.parse(contract.ends_at) ? null : "GRANT_CONTRACT"
}

export function editRule(draft: DraftOf<"grant.edited">, state: State, now_ms: number): FaultCode | null {
  const grant = state.record("grant", draft.grant)
  const person = signerOfRequest(draft.asked.key, state)
  if (grant === null) return "GRANT_UNKNOWN"
  if (person?.person !== draft.person) return "KEY_UNKNOWN"
  const { version, terms_sha256, terms } = draft.statement
  if (version !== grant.version || terms_sha256 !== grant.terms_sha256) return "GRANT_VERSION"
  if (grant.status === "denied") return "GRANT_DENIED"
  if (grant.status === "revoked") return "GRANT_REVOKED"
  const isOwn = person.person === grant.requester
  if (!isOwn && !may(person.office, "approve")) return "OFFICE"
  if (grant.glass !== null) return "GLASS"
  if (terms.for !== grant.terms.for || terms.holder !== grant.terms.holder) return "GRANT_TERMS"
  if (widens(grant.terms, terms) && !isOwn) return "GRANT_WIDER"
  return termsDigest(terms) === grant.terms_sha256 ? "CONFLICT" : termsRule(terms, state, now_ms)
}

export function approvalRule(
  draft: DraftOf<"grant.approved"> | DraftOf<"grant.denied">,
  state: State,
  now_ms: number,
): FaultCode | null {
  const held = state.record("grant", draft.grant)
  const person = signerOfRequest(draft.asked.key, state)
  if (held === null) return "GRANT_UNKNOWN"
  const grant = standingGrant(held, state)
  if (person?.person !== draft.person) return "KEY_UNKNOWN"
  if ((draft.statement.decision === "approve") !== (draft.kind === "grant.approved")) return "INVALID"
  if (draft.statement.version !== grant.version) return "GRANT_VERSION"
  if (draft.statement.terms_sha256 !== grant.terms_sha256) return "APPROVAL_DIGEST"
  const policy = policyOf(state)
  // A stricter policy asks for more approvals of what was approved before it.
  const isWaiting = grant.status === "approved" && !isApproved(grant, policy)
  if (grant.status !== "pending" && !isWaiting) return "CONFLICT"
  if (now_ms >= Date.parse(grant.terms.ends_at)) return "GRANT_EXPIRED"
  if (draft.kind === "grant.approved" && brokenPolicy(policy) !== null) return "POLICY"
  if (draft.person === grant.requester || draft.person === grant.terms.holder) return "APPROVAL_SELF"
  if (grant.approvals.some(approval => approval.person === draft.person)) return "CONFLICT"
  const ofOffice = grant.approvals.filter(approval => approval.office === person.office).length
  const asked = policy.approvals.find(line => line.office === person.office)?.people ?? 1
  return draft.kind === "grant.approved" && ofOffice >= asked ? "APPROVAL_OFFICE" : null
}

export function revocationRule(draft: DraftOf<"grant.revoked">, state: State): FaultCode | null {
  const grant = state.record("grant", draft.grant)
  if (grant === null) return "GRANT_UNKNOWN"
  if (signerOfRequest(draft.asked.key, state)?.person !== draft.person) return "KEY_UNKNOWN"
  if (draft.statement.terms_sha256 !== grant.terms_sha256) return "APPROVAL_DIGEST"
  return grant.status === "denied" || grant.status === "revoked" ? "CONFLICT" : null
}
