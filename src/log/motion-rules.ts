import type { FaultCode } from "../fault.ts"
import { brokenGlassRule } from "../grant/glass.ts"
import { isAgencyOffice, may, offices, type Act } from "../grant/office.ts"
import { brokenPolicy } from "../grant/policy.ts"
import type { Terms } from "../grant/terms.ts"
import { destinationRule } from "./destinations.ts"
import { signingRule } from "./incidents.ts"
import { termsRule } from "./grant-rules.ts"
import type { Draft } from "./kinds.ts"
import { motionDigest } from "./motions.ts"
import { policyOf, signerOfRequest } from "./standing.ts"
import { names, type State } from "./state.ts"
import { adoptionRule } from "./watch-rules.ts"

/** The rules of what takes two people: whether a motion may be proposed, or seconded; and of the stop that takes one. */

type DraftOf<K extends Draft["kind"]> = Extract<Draft, { kind: K }>

export const proposing: Readonly<Record<DraftOf<"motion.proposed">["act"], Act>> = {
  ...{ enroll: "register", policy: "register", "add-key": "register", "remove-key": "register" },
  "change-office": "register",
  ...{ "lift-person": "suspend", "lift-organization": "suspend", "adopt-model": "tune" },
  ...{ "add-destination": "register", "remove-destination": "register" },
  "sign-statement": "declare",
  ...{ resume: "stop", "break-glass": "open case", look: "open case", "set-boxes": "open case" },
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

export function enrolmentRule(draft: DraftOf<"person.enrolled">, state: State): FaultCode | null {
  return personRule(draft.person, draft.statement, state) ?? (needsSecond(draft, state) ? "MOTION" : null)
}

export function motionRule(
  draft: DraftOf<"motion.proposed">,
  state: State,
  now_ms: number,
): FaultCode | null {
  if (state.record("motion", draft.motion) !== null) return "CONFLICT"
  if ((subjects[draft.act] ?? null) !== (draft.subject?.slice(0, 4) ?? null)) return "INVALID"
  const { person } = signerOfRequest(draft.asked.key, state) ?? { person: "" }
  return actRule({ ...draft, proposer: person }, state, now_ms)
}

const subjects: Readonly<Partial<Record<DraftOf<"motion.proposed">["act"], string>>> = {
  enroll: "per_",
  "break-glass": "cas_",
  "add-destination": "dst_",
}

/** Whether the act could come into effect now; asked when it is proposed and when it is seconded. */
function actRule(
  motion: Pick<DraftOf<"motion.proposed">, "act" | "subject" | "statement"> & {
    readonly proposer: string
    /** Absent while it is proposed. */
    readonly proposed_at?: string
  },
  state: State,
  now_ms: number,
): FaultCode | null {
  const { act, subject, statement } = motion
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
      return newKeyRule(statement as NewKey, state)
    case "remove-key": {
      const { person, key } = statement as { person: string; key: string }
      if (state.record("person", person) === null) return "NOT_FOUND"
      return state.record("key", key)?.person === person ? null : "NOT_FOUND"
    }
    case "change-office":
      return officeRule(statement as OfficeChange, state)
    case "break-glass":
      return glassRule(
        { subject, ...(statement as { terms: Terms }), proposer: motion.proposer },
        state,
        now_ms,
      )
    case "add-destination":
    case "remove-destination":
      return destinationRule({ act, statement }, state)
    case "set-boxes":
      return null
    case "sign-statement":
      return signingRule(statement as Signed, state)
    case "lift-person":
    case "lift-organization":
      return liftRule(statement as { person?: string; organization?: string }, state)
    case "adopt-model": {
      const { proposed_at } = motion
      return adoptionRule(statement, state, proposed_at === undefined ? now_ms : Date.parse(proposed_at))
    }
    case "look": {
      const { grant } = statement as { grant: string }
      const held = state.record("grant", grant)
      if (held === null) return "GRANT_UNKNOWN"
      return held.terms.holder === motion.proposer ? null : "GRANT_HOLDER"
    }
  }
}

type Signed = Extract<DraftOf<"motion.proposed">["statement"], { readonly statement_sha256: string }>

/** Only a suspension is lifted, whoever ordered it. */
function liftRule(
  { person, organization }: { readonly person?: string; readonly organization?: string },
  state: State,
): FaultCode | null {
  const held =
    person === undefined ? state.record("organization", organization ?? "") : state.record("person", person)
  if (held === null) return "NOT_FOUND"
  return held.suspended ? null : "CONFLICT"
}

type NewKey = Extract<DraftOf<"motion.proposed">["statement"], { readonly credential: unknown }>

/** A passkey is a P-256 point with its credential; other keys are 32 bytes and have none. */
function newKeyRule({ person, key, kind, credential }: NewKey, state: State): FaultCode | null {
  if ((kind === "passkey") !== (credential !== null) || (kind === "passkey") === key.endsWith("="))
    return "INVALID"
  if (state.record("person", person) === null) return "NOT_FOUND"
  return state.record("key", key) === null ? null : "CONFLICT"
}

type OfficeChange = Extract<DraftOf<"motion.proposed">["statement"], { readonly office: unknown }> & {
  readonly person: string
}

/** Nobody moves between the agency and a vendor: that is another enrolment. */
function officeRule({ person, office }: OfficeChange, state: State): FaultCode | null {
  const held = state.record("person", person)
  if (held === null) return "NOT_FOUND"
  if (held.office === office) return "CONFLICT"
  return isAgencyOffice(held.office) === isAgencyOffice(office) ? null : "OFFICE"
}

function glassRule(
  { subject, terms, proposer }: { subject: string | null; terms: Terms; proposer: string },
  state: State,
  now_ms: number,
): FaultCode | null {
  if (subject === null || state.record("grant", subject) !== null) return "CONFLICT"
  if (brokenGlassRule(terms, proposer, policyOf(state)) !== null) return "GLASS"
  const overdue = (state.record("glass", "glass")?.open ?? []).some(each => Date.parse(each.due_at) <= now_ms)
  return overdue ? "GLASS_REVIEW" : termsRule(terms, state, now_ms)
}

const motionLife_ms = 7 * 86_400_000

export function secondRule(
  draft: DraftOf<"motion.seconded">,
  state: State,
  now_ms: number,
): FaultCode | null {
  const motion = state.record("motion", draft.motion)
  if (motion === null) return "NOT_FOUND"
  const person = signerOfRequest(draft.asked.key, state)
  if (person?.person !== draft.person) return "KEY_UNKNOWN"
  if (draft.act !== motion.act || draft.statement.motion_sha256 !== motionDigest(motion))
    return "APPROVAL_DIGEST"
  const isOpen = motion.status === "open" && now_ms < Date.parse(motion.proposed_at) + motionLife_ms
  if (!isOpen) return "CONFLICT"
  if (draft.statement.decision === "reject") return null
  const concerned = (motion.statement as { person?: string }).person
  if (person.person === motion.proposer || person.person === concerned) return "APPROVAL_SELF"
  return person.office === motion.office ? "APPROVAL_OFFICE" : actRule(motion, state, now_ms)
}

export function stopRule({ scope, statement }: DraftOf<"stop.ordered">, state: State): FaultCode | null {
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
