import { faults, type FaultCode } from "../fault.ts"
import { differencesOf } from "../grant/edit.ts"
import { brokenGlassRule } from "../grant/glass.ts"
import { offices, may } from "../grant/office.ts"
import { brokenPolicy } from "../grant/policy.ts"
import { brokenRule, type Terms } from "../grant/terms.ts"
import type { Draft } from "../log/kinds.ts"
import { isOfIncident } from "../log/incidents.ts"
import { muteRefusal } from "../log/mutes.ts"
import { policyOf, signerOfRequest, standingGrant } from "../log/standing.ts"
import type { State } from "../log/state.ts"
import { explainIncident } from "./explain-incident.ts"

/** A refusal in words: which rule, with its numbers, and what would pass. */
export interface Explained {
  readonly detail: string
  readonly next?: string
}

/** What stands behind the code that refused this draft on this state; the code's own title where there is no more to say. */
export function explain(code: FaultCode, draft: Draft, of: { state: State; now_ms: number }): Explained {
  const { state, now_ms } = of
  if (draft.kind === "grant.requested") return ofTerms(code, draft.statement, { state, now_ms })
  if (draft.kind === "grant.edited") return ofEdit(code, draft, of)
  if (draft.kind === "grant.approved" || draft.kind === "grant.denied") return ofApproval(code, draft, state)
  if (draft.kind === "motion.proposed") return ofMotion(code, draft, of)
  if (isOfIncident(draft)) return explainIncident(code, draft, of) ?? titled(code)
  if (draft.kind === "notice.acknowledged" && code === "NOT_FOUND")
    return {
      detail: "Nothing that was told of this entry waits; what has an alert is taken by its own id.",
      next: "sallyport alert ls",
    }
  if (draft.kind === "rule.muted") {
    const refusal = muteRefusal(draft, state, now_ms)
    if (refusal?.code === code) return { detail: refusal.says }
  }
  return titled(code)
}

function titled(code: FaultCode): Explained {
  return { detail: `${faults[code][2]}.` }
}

function ofTerms(code: FaultCode, terms: Terms, of: { state: State; now_ms: number }): Explained {
  const { state, now_ms } = of
  const policy = policyOf(state)
  switch (code) {
    case "GRANT_TERMS":
      return { detail: `The terms do not hold together: ${brokenRule(terms, now_ms) ?? "see the policy"}.` }
    case "OFFICE":
      return { detail: "A grant is held by a vendor's person, a case by one of the agency's own." }
    case "NOT_FOUND":
      return { detail: `No person ${terms.holder} is enrolled.`, next: "sallyport person ls" }
    case "GRANT_LANE": {
      const unknown = terms.lanes.filter(lane => state.record("lane", lane) === null)
      return { detail: `There is no lane ${unknown.join(", ")}.`, next: "sallyport lane ls" }
    }
    case "BUDGET_ORGANIZATION":
      return {
        detail: `${terms.images} images are more than the policy lets leave to one organization in 30 days.`,
        next: `--images ${policy.organization_30d}, or fewer`,
      }
    case "BUDGET_VAULT":
      return {
        detail: `${terms.images} images are more than the vault lets anyone see in 31 days.`,
        next: `--images ${policy.vault_day * 31}, or fewer`,
      }
    case "GRANT_CONTRACT":
      return ofContract(terms, state)
    default:
      return titled(code)
  }
}

function ofContract(terms: Terms, state: State): Explained {
  const contract = terms.contract === null ? null : state.record("contract", terms.contract)
  if (contract === null) return { detail: `There is no contract ${terms.contract ?? ""}.` }
  if (!contract.purposes.includes(terms.purpose))
    return {
      detail: `Contract ${contract.number} does not allow ${terms.purpose}.`,
      next: `--purpose ${contract.purposes.join(", or ")}`,
    }
  if (Date.parse(contract.ends_at) < Date.parse(terms.ends_at))
    return {
      detail: `The grant would outlive contract ${contract.number}.`,
      next: `--ends ${contract.ends_at}, or earlier`,
    }
  return { detail: `Contract ${contract.number} is not one of the holder's organization or of one above it.` }
}

function ofEdit(
  code: FaultCode,
  { grant: id, statement }: Extract<Draft, { kind: "grant.edited" }>,
  of: { state: State; now_ms: number },
): Explained {
  const grant = of.state.record("grant", id)
  if (grant === null) return titled(code)
  const { terms } = statement
  if (code === "GRANT_VERSION") return otherVersion(id, grant.version, statement.version)
  if (code === "GRANT_WIDER") {
    const wider = differencesOf(grant.terms, terms).filter(each => each.widens)
    return {
      detail: `This widens ${wider.map(each => `${each.term} (${each.was} to ${each.is})`).join(", ")}.`,
      next: `its requester asks: sallyport grant extend ${id} …`,
    }
  }
  if (code === "GRANT_TERMS" && (terms.for !== grant.terms.for || terms.holder !== grant.terms.holder))
    return {
      detail: "An edit changes no holder and makes no case of a grant.",
      next: "sallyport grant request …",
    }
  return code === "CONFLICT" ? { detail: "The edit changes nothing." } : ofTerms(code, terms, of)
}

function otherVersion(id: string, inForce: number, signed: number): Explained {
  return {
    detail: `Version ${inForce} of the terms is in force; this signs version ${signed}.`,
    next: `sallyport grant diff ${id} ${signed} ${inForce}, then the same again`,
  }
}

function ofApproval(
  code: FaultCode,
  { grant: id, asked, statement }: Extract<Draft, { kind: "grant.approved" | "grant.denied" }>,
  state: State,
): Explained {
  const held = state.record("grant", id)
  if (held === null) return titled(code)
  const grant = standingGrant(held, state)
  if (code === "GRANT_VERSION") return otherVersion(id, grant.version, statement.version)
  if (code === "GRANT_EXPIRED") return { detail: `The grant ended at ${grant.terms.ends_at}.` }
  if (code === "APPROVAL_SELF")
    return { detail: "Who asked for a grant, or holds it, does not approve it.", next: "two other people do" }
  if (code === "CONFLICT") {
    const { person } = signerOfRequest(asked.key, state) ?? { person: "" }
    const isSigned = grant.approvals.some(each => each.person === person)
    return { detail: isSigned ? "This person has signed it already." : `The grant is ${grant.status}.` }
  }
  if (code !== "APPROVAL_OFFICE") return titled(code)
  const signed = grant.approvals.map(each => each.office)
  const others = offices.filter(office => may(office, "approve") && !signed.includes(office))
  return {
    detail: `Somebody of this office has signed; the other signature comes from another office.`,
    next: `a person of ${others.join(" or ")}: sallyport grant approve ${id}`,
  }
}

function ofMotion(
  code: FaultCode,
  { act, statement, asked }: Extract<Draft, { kind: "motion.proposed" }>,
  of: { state: State; now_ms: number },
): Explained {
  const { state } = of
  if (act === "policy" && code === "POLICY")
    return { detail: `The policy allows nothing: ${brokenPolicy(statement) ?? "it is malformed"}.` }
  if (act !== "break-glass") return titled(code)
  const { terms } = statement as { readonly terms: Terms }
  const { person } = signerOfRequest(asked.key, state) ?? { person: "" }
  const rule = code === "GLASS" ? brokenGlassRule(terms, person, policyOf(state)) : null
  return rule === null
    ? ofTerms(code, terms, of)
    : { detail: `The glass cannot be broken for this: ${rule}.` }
}
