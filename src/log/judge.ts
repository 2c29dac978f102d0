import { canonical } from "../canonical.ts"
import type { FaultCode } from "../fault.ts"
import { decide, nearest } from "../grant/decide.ts"
import { may, type Act } from "../grant/office.ts"
import { termsDigest } from "../grant/terms.ts"
import { acknowledgementRule, alertRule, closingRule } from "./alerts.ts"
import { chainOf, contractsFrom, countsAfter, factsFor, type CountsAfter } from "./facts.ts"
import { approvalRule, editRule, exists, requestRule, reviewRule, revocationRule } from "./grant-rules.ts"
import type { Draft } from "./kinds.ts"
import { noticeSeen } from "./messages.ts"
import { incidentActs, incidentRule, isOfIncident, type IncidentKind } from "./incidents.ts"
import { muteRefusal, unmuteRule } from "./mutes.ts"
import { isOfLinkage, linkageActs, linkageRule, type LinkageKind } from "./linkages.ts"
import { isPlain } from "./lookalike.ts"
import { enrolmentRule, motionRule, proposing, secondRule, stopRule } from "./motion-rules.ts"
import { takenName } from "./registry.ts"
import { signerOfRequest } from "./standing.ts"
import { destroyedName, names, permitName, type State } from "./state.ts"
import { isOfSystem, systemRule } from "./system-permits.ts"
import { traceEntryRule } from "./traces.ts"
import { backTestRule, keptRule } from "./watch-rules.ts"
import { answerRule, isStoppedByWatch, watchRule } from "./watching.ts"

type DraftOf<K extends Draft["kind"]> = Extract<Draft, { kind: K }>

/** An organization's tree is at most this deep: agency, prime, sub, sub-sub. */
export const maxTiers = 3

/**
 * Whether an entry may follow on this state: `null`, or the code of the rule that refuses. It is asked when the entry is
 * drafted, inside the transaction that would store it, and again by the vault and by `fsck`, who read it from the log.
 * @param now_ms  the entry's own time.
 */
export function judge(draft: Draft, state: State, now_ms: number): FaultCode | null {
  if (isOfIncident(draft)) return incidentAuthor(draft, state) ?? incidentRule(draft, state, now_ms)
  if (isOfLinkage(draft)) return linkageAuthor(draft, state) ?? linkageRule(draft, state)
  if (draft.kind === "accounting.made") return ownAct(draft, state, "account")
  return ruleOf(draft, state, now_ms)
}

type Common = Exclude<Draft, { kind: IncidentKind | LinkageKind | "accounting.made" }>

function ruleOf(draft: Common, state: State, now_ms: number): FaultCode | null {
  switch (draft.kind) {
    case "organization.added":
    case "organization.suspended":
    case "contract.added":
    case "contract.attested":
    case "person.enrolled":
    case "person.suspended":
    case "recipients.signed":
    case "port.added":
    case "lane.added":
    case "reader.enrolled":
      return (
        author(draft, state, draft.kind.endsWith("suspended") ? "suspend" : "register") ??
        registryRule(draft, state)
      )
    case "motion.proposed":
    case "motion.seconded":
    case "stop.ordered":
    case "glass.reviewed":
      return movingRule(draft, state, now_ms)
    case "grant.requested":
    case "grant.edited":
    case "grant.approved":
    case "grant.denied":
    case "grant.revoked":
      return deciding(draft, state, now_ms)
    case "permit":
    case "refused":
    case "watch.answered":
      return openingRule(draft, state, now_ms)
    case "log.read":
    case "opening.read":
    case "opening.destroyed":
      return readingRule(draft, state)
    case "alert.raised":
    case "alert.acknowledged":
    case "alert.closed":
      return alertingRule(draft, state)
    case "notice.acknowledged":
    case "destination.tested":
    case "message.resent":
    case "message.abandoned":
      return tellingRule(draft, state)
    case "trace.opened":
    case "trace.closed":
      return tracingRule(draft, state)
    case "genesis":
    case "day.destroyed":
    case "epoch.opened":
    case "admitted":
    case "examined":
    case "refused.folded":
    case "schema.changed":
    case "delivered":
      return null
    default:
      return ruleRule(draft, state, now_ms)
  }
}

/** A person opens it; the system, which looked and judged, closes it. */
function tracingRule(draft: DraftOf<"trace.opened" | "trace.closed">, state: State): FaultCode | null {
  const stranger =
    draft.kind === "trace.opened" ? (author(draft, state, "trace") ?? ownerRule(draft, state)) : null
  return stranger ?? traceEntryRule(draft, state)
}

/** Nobody is held back from saying that he was breached: not who is suspended either. */
function incidentAuthor(draft: DraftOf<IncidentKind>, state: State): FaultCode | null {
  if (draft.kind !== "incident.declared" || !draft.reported)
    return ownAct(draft, state, incidentActs[draft.kind])
  const person = signerOfRequest(draft.asked.key, state)
  return ownerRule(draft, state) ?? (person !== null && may(person.office, "report") ? null : "OFFICE")
}

/** The system, which looked, plans; people open, answer and estimate. */
function linkageAuthor(draft: DraftOf<LinkageKind>, state: State): FaultCode | null {
  return draft.kind === "linkage.planned" ? null : ownAct(draft, state, linkageActs[draft.kind])
}

type Registered = DraftOf<
  | "organization.added"
  | "organization.suspended"
  | "contract.added"
  | "contract.attested"
  | "person.enrolled"
  | "person.suspended"
  | "recipients.signed"
  | "port.added"
  | "lane.added"
  | "reader.enrolled"
>

/** What custodians register, and who may be suspended. */
function registryRule(draft: Registered, state: State): FaultCode | null {
  switch (draft.kind) {
    case "organization.added":
      return nameRule(draft, state) ?? organizationRule(draft, state)
    case "organization.suspended":
      return resumptionRule("organization", draft.organization, { draft, state })
    case "contract.added":
      return newContractRule(draft, state)
    case "contract.attested":
      return exists(state.record("contract", draft.contract))
    case "person.enrolled":
      return enrolmentRule(draft, state)
    case "person.suspended":
      return resumptionRule("person", draft.person, { draft, state })
    case "recipients.signed":
      return null
    case "port.added":
      return nameRule(draft, state)
    case "lane.added":
      return exists(state.record("port", draft.statement.port)) ?? nameRule(draft, state)
    case "reader.enrolled":
      return readerRule(draft, state)
  }
}

/** What the watch suspended two people lift. */
function resumptionRule(
  kind: "person" | "organization",
  id: string,
  of: { readonly draft: DraftOf<"person.suspended" | "organization.suspended">; readonly state: State },
): FaultCode | null {
  const { draft, state } = of
  const isAlone = !draft.statement.suspended && isStoppedByWatch(id, state)
  return exists(state.record(kind, id)) ?? (isAlone ? "MOTION" : null)
}

/** The person that the entry names is the one whose key signed. */
function ownerRule(
  { person, asked }: { readonly person: string; readonly asked: { readonly key: string } },
  state: State,
): FaultCode | null {
  return signerOfRequest(asked.key, state)?.person === person ? null : "KEY_UNKNOWN"
}

function askingRule(draft: DraftOf<"grant.requested">, state: State, now_ms: number): FaultCode | null {
  const act = draft.statement.for === "release" ? "request" : "open case"
  return author(draft, state, act) ?? requestRule(draft, state, now_ms)
}

function deciding(
  draft: DraftOf<"grant.requested" | "grant.edited" | "grant.approved" | "grant.denied" | "grant.revoked">,
  state: State,
  now_ms: number,
): FaultCode | null {
  if (draft.kind === "grant.requested") return askingRule(draft, state, now_ms)
  if (draft.kind === "grant.edited") return author(draft, state, "edit") ?? editRule(draft, state, now_ms)
  if (draft.kind === "grant.revoked") return author(draft, state, "revoke") ?? revocationRule(draft, state)
  return author(draft, state, "approve") ?? approvalRule(draft, state, now_ms)
}

/** The person whom the entry names asked for it, and his office may. */
function ownAct(
  draft: { readonly person: string; readonly asked: { readonly key: string } },
  state: State,
  act: Act,
): FaultCode | null {
  return author(draft, state, act) ?? ownerRule(draft, state)
}

function movingRule(
  draft: DraftOf<"motion.proposed" | "motion.seconded" | "stop.ordered" | "glass.reviewed">,
  state: State,
  now_ms: number,
): FaultCode | null {
  if (draft.kind === "glass.reviewed")
    return ownAct(draft, state, "approve") ?? reviewRule(draft, state, now_ms)
  if (draft.kind === "stop.ordered") return ownAct(draft, state, "stop") ?? stopRule(draft, state)
  if (draft.kind === "motion.proposed")
    return author(draft, state, proposing[draft.act]) ?? motionRule(draft, state, now_ms)
  return author(draft, state, "second") ?? secondRule(draft, state, now_ms)
}

/** What the watch judges by is tried first; and what somebody is not told for a while. */
function ruleRule(
  draft: DraftOf<"model.kept" | "watch.backtested" | "rule.muted" | "rule.unmuted">,
  state: State,
  now_ms: number,
): FaultCode | null {
  const isMute = draft.kind === "rule.muted" || draft.kind === "rule.unmuted"
  const stranger = ownAct(draft, state, isMute ? "acknowledge" : "tune")
  if (stranger !== null) return stranger
  switch (draft.kind) {
    case "model.kept":
      return keptRule(draft, state)
    case "watch.backtested":
      return backTestRule(draft, state)
    case "rule.muted":
      return muteRefusal(draft, state, now_ms)?.code ?? null
    case "rule.unmuted":
      return unmuteRule(draft, state, now_ms)
  }
}

function readingRule(
  draft: DraftOf<"log.read" | "opening.read" | "opening.destroyed">,
  state: State,
): FaultCode | null {
  if (draft.kind === "log.read") return readRule(draft, state)
  if (draft.kind === "opening.read") return author(draft, state, "read log") ?? ownerRule(draft, state)
  return author(draft, state, "destroy opening") ?? destructionRule(draft, state)
}

function alertingRule(
  draft: DraftOf<"alert.raised" | "alert.acknowledged" | "alert.closed">,
  state: State,
): FaultCode | null {
  if (draft.kind === "alert.raised") return alertRule(draft, state)
  const stranger = author(draft, state, "acknowledge") ?? ownerRule(draft, state)
  if (stranger !== null) return stranger
  return draft.kind === "alert.closed" ? closingRule(draft, state) : acknowledgementRule(draft, state)
}

function tellingRule(
  draft: DraftOf<"notice.acknowledged" | "destination.tested" | "message.resent" | "message.abandoned">,
  state: State,
): FaultCode | null {
  if (draft.kind === "message.abandoned") return exists(state.record("destination", draft.destination))
  const stranger = ownAct(draft, state, "acknowledge")
  if (stranger !== null) return stranger
  if (draft.kind === "notice.acknowledged") return noticeRule(draft, state)
  // How deliveries stand is beside the log, and so is whether the message is there.
  if (draft.kind === "message.resent") return draft.statement.message === draft.message ? null : "INVALID"
  if (draft.statement.destination !== draft.destination) return "INVALID"
  return state.record("destination", draft.destination)?.status === "active" ? null : "NOT_FOUND"
}

/** Who acknowledges an opening of which nobody was told says nothing else than who acknowledges one that somebody was told of. */
function noticeRule({ entry }: DraftOf<"notice.acknowledged">, state: State): FaultCode | null {
  return state.member(names.notices, permitName(entry)) === noticeSeen ? "CONFLICT" : null
}

function destructionRule(draft: DraftOf<"opening.destroyed">, state: State): FaultCode | null {
  const { statement } = draft
  const stranger = ownerRule(draft, state)
  if (stranger !== null) return stranger
  const isGone = state.member(names.destroyed, destroyedName(statement.entry, statement.field)) > 0
  return isGone ? "CONFLICT" : null
}

/** A reading that a key signed is that key's person's; of a session's the server alone is witness. */
function readRule({ person, asked }: DraftOf<"log.read">, state: State): FaultCode | null {
  if (asked === null) return exists(state.record("person", person))
  return author({ asked }, state, "read log") ?? ownerRule({ person, asked }, state)
}

/** Names that people go by are told apart at a glance. */
function nameRule(
  draft: DraftOf<"organization.added"> | DraftOf<"port.added"> | DraftOf<"lane.added">,
  state: State,
): FaultCode | null {
  const isTaken = state.member(names.taken, takenName(draft) ?? "") > 0
  return isTaken || !isPlain(draft.statement.name) ? "NAME" : null
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
    Date.parse(statement.ends_at) <= Date.parse(above.ends_at) &&
    isWithin(statement.devices, nearest(contractsFrom(statement.under, state).map(each => each.devices))) &&
    isWithin(statement.networks, nearest(contractsFrom(statement.under, state).map(each => each.networks)))
  return isUnder && isNarrower && contractsFrom(statement.under, state).length < maxTiers
    ? null
    : "GRANT_CONTRACT"
}

/** Whether a list narrows the one above it, where an empty one above allows any. */
function isWithin(is: readonly string[], above: readonly string[]): boolean {
  return above.length === 0 || is.every(each => above.includes(each))
}

function readerRule({ reader, statement }: DraftOf<"reader.enrolled">, state: State): FaultCode | null {
  if (state.record("reader", reader) !== null || state.record("key", statement.key) !== null)
    return "CONFLICT"
  return exists(state.record("lane", statement.lane))
}

function openingRule(
  draft: DraftOf<"permit" | "refused" | "watch.answered">,
  state: State,
  now_ms: number,
): FaultCode | null {
  if (draft.kind === "watch.answered") return ownerRule(draft, state) ?? answerRule(draft, state)
  const refusal = draft.kind === "permit" ? permitRule(draft, state, now_ms) : null
  return refusal ?? watchRule(draft, state, now_ms)
}

/** A permit must be what the decision table says, with the counters that the log leads to. */
function permitRule(draft: DraftOf<"permit">, state: State, now_ms: number): FaultCode | null {
  if (draft.by === null) return systemRule(draft, state)
  const { by, asked, statement } = draft
  if ((draft.for !== "release" && draft.for !== "reveal") || isOfSystem(draft)) return "INVALID"
  if (asked === null || statement === null) return "INVALID"
  if (statement.capture !== draft.capture || statement.level !== draft.level || statement.grant !== by.grant)
    return "INVALID"
  const person = signerOfRequest(asked.key, state)
  if (person === null || person.person !== by.person || person.organization !== by.organization)
    return "KEY_UNKNOWN"
  const facts = factsFor(state, { person, grant: by.grant, capture: draft, now_ms })
  if (facts === null) return "GRANT_UNKNOWN"
  const device = asked.device?.key ?? null
  const ask = { for: draft.for, person: by.person, level: draft.level, device, network: by.network }
  const refusal = decide(ask, facts, now_ms)
  if (refusal !== null) return refusal
  const counted = Object.entries(countsAfter(facts)).every(
    ([name, value]) => canonical(by[name as keyof CountsAfter]) === canonical(value),
  )
  const { terms } = facts.grant
  const named =
    by.terms_sha256 === termsDigest(terms) && by.purpose === terms.purpose && draft.region === terms.region
  return counted && named ? null : "INVALID"
}
