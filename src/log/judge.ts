import type { FaultCode } from "../fault.ts"
import { approvalsSuffice, decide } from "../grant/decide.ts"
import { widens } from "../grant/edit.ts"
import { isAgencyOffice, may, offices, type Act } from "../grant/office.ts"
import { brokenPolicy } from "../grant/policy.ts"
import { brokenRule, termsDigest, type Terms } from "../grant/terms.ts"
import { motionDigest, policyOf, signerOfRequest } from "./effects.ts"
import { chainOf, contractsFrom, countsAfter, factsFor, type CountsAfter } from "./facts.ts"
import type { Draft } from "./kinds.ts"
import { destroyedName, names, type State } from "./state.ts"

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
      return author(draft, state, "register") ?? newContractRule(draft, state)
    case "contract.attested":
      return author(draft, state, "register") ?? exists(state.record("contract", draft.contract))
    case "person.enrolled":
      return author(draft, state, "register") ?? enrolmentRule(draft, state)
    case "motion.proposed":
      return author(draft, state, draft.act === "resume" ? "stop" : "register") ?? motionRule(draft, state)
    case "motion.seconded":
      return author(draft, state, "second") ?? secondRule(draft, state, now_ms)
    case "stop.ordered":
      return author(draft, state, "stop") ?? ownerRule(draft, state) ?? stopRule(draft, state)
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
    case "grant.edited":
      return author(draft, state, "edit") ?? editRule(draft, state, now_ms)
    case "grant.approved":
    case "grant.denied":
      return author(draft, state, "approve") ?? approvalRule(draft, state, now_ms)
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

function newContractRule({ contract, statement }: DraftOf<"contract.added">, state: State): FaultCode | null {
  if (state.record("contract", contract) !== null) return "CONFLICT"
  if (state.record("organization", statement.organization) === null) return "NOT_FOUND"
  if (statement.under === null) return null
  const above = state.record("contract", statement.under)
  if (above === null) return "NOT_FOUND"
  const isUnder = chainOf(statement.organization, state).some(
    each => each.organization === above.organization,
  )
  const isNarrower =
    statement.purposes.every(purpose => above.purposes.includes(purpose)) &&
    Date.parse(statement.ends_at) <= Date.parse(above.ends_at)
  return isUnder && isNarrower && contractsFrom(statement.under, state).length < maxTiers
    ? null
    : "GRANT_CONTRACT"
}

/**
 * Whether an enrolment needs a second person: as soon as the agency has one who can approve in another office than the
 * author's. The first two people are the only ones whom one person makes.
 */
export function needsSecond(draft: { readonly asked: { readonly key: string } }, state: State): boolean {
  const author = signerOfRequest(draft.asked.key, state)
  return offices.some(
    office => may(office, "second") && office !== author?.office && state.counter(names.enrolled(office)) > 0,
  )
}

function enrolmentRule(draft: DraftOf<"person.enrolled">, state: State): FaultCode | null {
  return personRule(draft.person, draft.statement, state) ?? (needsSecond(draft, state) ? "MOTION" : null)
}

function motionRule(draft: DraftOf<"motion.proposed">, state: State): FaultCode | null {
  if (state.record("motion", draft.motion) !== null) return "CONFLICT"
  if ((draft.act === "enroll") !== (draft.subject !== null)) return "INVALID"
  return actRule(draft, state)
}

/** Whether the act could come into effect now; asked when it is proposed and when it is seconded. */
function actRule(
  { act, subject, statement }: Pick<DraftOf<"motion.proposed">, "act" | "subject" | "statement">,
  state: State,
): FaultCode | null {
  switch (act) {
    case "enroll":
      return personRule(subject ?? "", statement as DraftOf<"person.enrolled">["statement"], state)
    case "policy":
      return brokenPolicy(statement) === null ? null : "POLICY"
    case "resume": {
      const { scope } = statement as { scope: string }
      return state.record("stop", scope)?.isStopped === true ? null : "CONFLICT"
    }
    case "add-key":
    case "remove-key": {
      const { person, key } = statement as { person: string; key: string }
      if (state.record("person", person) === null) return "NOT_FOUND"
      const held = state.record("key", key)
      if (act === "add-key") return held === null ? null : "CONFLICT"
      return held?.person === person ? null : "NOT_FOUND"
    }
  }
}

const motionLife_ms = 7 * 86_400_000

function secondRule(draft: DraftOf<"motion.seconded">, state: State, now_ms: number): FaultCode | null {
  const motion = state.record("motion", draft.motion)
  if (motion === null) return "NOT_FOUND"
  const person = signerOfRequest(draft.asked.key, state)
  if (person?.person !== draft.person) return "KEY_UNKNOWN"
  if (draft.statement.motion_sha256 !== motionDigest(motion)) return "APPROVAL_DIGEST"
  const isOpen = motion.status === "open" && now_ms < Date.parse(motion.proposed_at) + motionLife_ms
  if (!isOpen) return "CONFLICT"
  if (draft.statement.decision === "reject") return null
  const concerned = (motion.statement as { person?: string }).person
  if (person.person === motion.proposer || person.person === concerned) return "APPROVAL_SELF"
  return person.office === motion.office ? "APPROVAL_OFFICE" : actRule(motion, state)
}

function stopRule({ scope, statement }: DraftOf<"stop.ordered">, state: State): FaultCode | null {
  if (statement.scope !== scope) return "INVALID"
  if (scope !== "vault" && state.record("port", scope) === null) return "NOT_FOUND"
  return state.record("stop", scope)?.isStopped === true ? "CONFLICT" : null
}

function personRule(
  person: string,
  statement: DraftOf<"person.enrolled">["statement"],
  state: State,
): FaultCode | null {
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

function editRule(draft: DraftOf<"grant.edited">, state: State, now_ms: number): FaultCode | null {
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
  if (terms.for !== grant.terms.for || terms.holder !== grant.terms.holder) return "GRANT_TERMS"
  if (widens(grant.terms, terms) && !isOwn) return "GRANT_WIDER"
  return termsDigest(terms) === grant.terms_sha256 ? "CONFLICT" : termsRule(terms, state, now_ms)
}

function approvalRule(
  draft: DraftOf<"grant.approved"> | DraftOf<"grant.denied">,
  state: State,
  now_ms: number,
): FaultCode | null {
  const grant = state.record("grant", draft.grant)
  const person = signerOfRequest(draft.asked.key, state)
  if (grant === null) return "GRANT_UNKNOWN"
  if (person?.person !== draft.person) return "KEY_UNKNOWN"
  if ((draft.statement.decision === "approve") !== (draft.kind === "grant.approved")) return "INVALID"
  if (draft.statement.version !== grant.version) return "GRANT_VERSION"
  if (draft.statement.terms_sha256 !== grant.terms_sha256) return "APPROVAL_DIGEST"
  const policy = policyOf(state)
  // A stricter policy asks for more approvals of what was approved before it.
  const isWaiting = grant.status === "approved" && !approvalsSuffice(grant, policy)
  if (grant.status !== "pending" && !isWaiting) return "CONFLICT"
  if (now_ms >= Date.parse(grant.terms.ends_at)) return "GRANT_EXPIRED"
  if (draft.kind === "grant.approved" && brokenPolicy(policy) !== null) return "POLICY"
  if (draft.person === grant.requester || draft.person === grant.terms.holder) return "APPROVAL_SELF"
  if (grant.approvals.some(approval => approval.person === draft.person)) return "CONFLICT"
  const ofOffice = grant.approvals.filter(approval => approval.office === person.office).length
  const asked = policy.approvals.find(line => line.office === person.office)?.people ?? 1
  return draft.kind === "grant.approved" && ofOffice >= asked ? "APPROVAL_OFFICE" : null
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
  const facts = factsFor(state, { person, grant: by.grant, capture: draft, now_ms })
  if (facts === null) return "GRANT_UNKNOWN"
  const refusal = decide({ for: draft.for, person: by.person, level: draft.level }, facts, now_ms)
  if (refusal !== null) return refusal
  const counted = Object.entries(countsAfter(facts)).every(
    ([name, value]) => by[name as keyof CountsAfter] === value,
  )
  const named = by.terms_sha256 === termsDigest(facts.grant.terms) && by.purpose === facts.grant.terms.purpose
  return counted && named ? null : "INVALID"
}
