import { hasItsAssertion, isSigned } from "../grant/request.ts"
import { isOfIncident, type IncidentKind } from "./incidents.ts"
import type { Draft } from "./kinds.ts"
import { isOfLinkage, type LinkageKind } from "./linkages.ts"

type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean

/** Where each act that needs two people is asked for: a signature for one is none for another. */
export const motionPaths: Readonly<Record<Extract<Draft, { kind: "motion.proposed" }>["act"], string>> = {
  enroll: "/v1/people",
  policy: "/v1/policy",
  resume: "/v1/resumptions",
  "add-key": "/v1/keys",
  "remove-key": "/v1/key-removals",
  "change-office": "/v1/office-changes",
  "break-glass": "/v1/break-glass",
  look: "/v1/looks",
  "set-boxes": "/v1/boxes",
  "add-destination": "/v1/destinations",
  "remove-destination": "/v1/destination-removals",
  "lift-person": "/v1/person-liftings",
  "lift-organization": "/v1/org-liftings",
  "sign-statement": "/v1/statement-signings",
  "adopt-model": "/v1/watch/adoptions",
}

const fixedPaths = {
  "trace.opened": "/v1/traces",
  "stop.ordered": "/v1/stops",
  "watch.answered": "/v1/watch/answers",
  "recipients.signed": "/v1/recipients",
  "grant.requested": "/v1/grants",
  "model.kept": "/v1/watch/models",
  "watch.backtested": "/v1/watch/backtests",
  "rule.muted": "/v1/watch/mutes",
  "organization.added": "/v1/orgs",
  "contract.added": "/v1/contracts",
  "person.enrolled": "/v1/people",
  "port.added": "/v1/ports",
  "lane.added": "/v1/lanes",
  "reader.enrolled": "/v1/readers",
} as const

/** The path that a request for this entry goes to: a signature for one act is none for another, nor for another thing. */
function pathOf(draft: Draft): string | null {
  if (draft.kind === "accounting.made") return "/v1/accountings"
  if (isOfLinkage(draft)) return linkagePath(draft)
  return isOfIncident(draft) ? incidentPath(draft) : commonPath(draft)
}

type Common = Exclude<Draft, { kind: IncidentKind | LinkageKind | "accounting.made" }>

function commonPath(draft: Common): string | null {
  switch (draft.kind) {
    case "organization.added":
    case "contract.added":
    case "person.enrolled":
    case "port.added":
    case "lane.added":
    case "reader.enrolled":
    case "trace.opened":
    case "stop.ordered":
    case "watch.answered":
    case "recipients.signed":
    case "grant.requested":
      return fixedPaths[draft.kind]
    case "organization.suspended":
    case "person.suspended":
      return suspensionPath(draft)
    case "contract.attested":
      return `/v1/contracts/${draft.contract}/attestations`
    case "motion.proposed":
      return motionPaths[draft.act]
    case "motion.seconded":
      return `/v1/motions/${draft.motion}/second`
    case "grant.edited":
    case "grant.approved":
    case "grant.denied":
    case "grant.revoked":
    case "glass.reviewed":
      return grantPath(draft)
    case "log.read":
      return readPath(draft)
    case "permit":
      return draft.for === "reveal" ? "/v1/reveals" : "/v1/releases"
    case "opening.read":
      return `/v1/log/entries/${draft.entry}`
    case "opening.destroyed":
      return "/v1/openings/destruction"
    case "alert.acknowledged":
    case "alert.closed":
    case "notice.acknowledged":
    case "destination.tested":
    case "message.resent":
      return tellingPath(draft)
    case "trace.closed":
    case "genesis":
    case "day.destroyed":
    case "epoch.opened":
    case "admitted":
    case "examined":
    case "refused":
    case "refused.folded":
    case "schema.changed":
    case "alert.raised":
    case "message.abandoned":
    case "delivered":
      return null
    default:
      return rulePath(draft)
  }
}

function rulePath(
  draft: Extract<Draft, { kind: "model.kept" | "watch.backtested" | "rule.muted" | "rule.unmuted" }>,
): string {
  return draft.kind === "rule.unmuted" ? `/v1/watch/mutes/${draft.mute}/ending` : fixedPaths[draft.kind]
}

function suspensionPath(
  draft: Extract<Draft, { kind: "organization.suspended" | "person.suspended" }>,
): string {
  return draft.kind === "person.suspended"
    ? `/v1/people/${draft.person}/suspension`
    : `/v1/orgs/${draft.organization}/suspension`
}

type OfGrant = "grant.edited" | "grant.approved" | "grant.denied" | "grant.revoked" | "glass.reviewed"

function grantPath(draft: Extract<Draft, { kind: OfGrant }>): string {
  switch (draft.kind) {
    case "grant.edited":
      return `/v1/grants/${draft.grant}/edits`
    case "grant.approved":
    case "grant.denied":
      return `/v1/grants/${draft.grant}/approvals`
    case "grant.revoked":
      return `/v1/grants/${draft.grant}/revocation`
    case "glass.reviewed":
      return `/v1/grants/${draft.grant}/review`
  }
}

type Telling =
  "alert.acknowledged" | "alert.closed" | "notice.acknowledged" | "destination.tested" | "message.resent"

/** What people do with what they are told. */
function tellingPath(draft: Extract<Draft, { kind: Telling }>): string {
  switch (draft.kind) {
    case "alert.acknowledged":
      return `/v1/alerts/${draft.alert}/acknowledgement`
    case "alert.closed":
      return `/v1/alerts/${draft.alert}/closing`
    case "notice.acknowledged":
      return `/v1/notices/${draft.entry}/acknowledgement`
    case "destination.tested":
      return `/v1/destinations/${draft.destination}/test`
    case "message.resent":
      return `/v1/messages/${draft.message}/resending`
  }
}

const incidentPaths: Readonly<Record<Exclude<IncidentKind, "incident.declared">, string>> = {
  "incident.amended": "amendments",
  "incident.scoped": "scopes",
  "clocks.started": "clocks",
  "clock.met": "acknowledgements",
  "clock.signed": "sign-offs",
  "incident.closed": "closing",
}

/** A vendor's report is no declaration. */
function incidentPath(draft: Extract<Draft, { kind: IncidentKind }>): string {
  if (draft.kind === "incident.declared") return draft.reported ? "/v1/breach-reports" : "/v1/incidents"
  return `/v1/incidents/${draft.incident}/${incidentPaths[draft.kind]}`
}

function linkagePath(draft: Extract<Draft, { kind: LinkageKind }>): string | null {
  switch (draft.kind) {
    case "linkage.opened":
      return `/v1/incidents/${draft.incident}/linkages`
    case "linkage.planned":
      return null
    case "linkage.answered":
      return `/v1/linkages/${draft.linkage}/answers`
    case "linkage.estimated":
      return `/v1/linkages/${draft.linkage}/estimates`
  }
}

/** A list is asked for with a query; a bundle's path names which. */
function readPath({ what, asked }: Extract<Draft, { kind: "log.read" }>): string {
  if (what === "bundles" && asked?.path.startsWith("/log/tile/entries/") === true) return asked.path
  return what === "entries" ? "/v1/log/entries" : "/v1/log/fsck"
}

/** A request counts for its entry when it was made this shortly before it, or after it by a clock's error. */
export const requestLife_ms = 5 * 60_000

/** Whether the request behind an entry was young at this time; asked when it is stored and whenever the log is replayed. */
export function isTimely(draft: Draft, at_ms: number): boolean {
  const { asked } = draft as { asked?: { readonly created: number } | null }
  if (pathOf(draft) === null || asked == null) return true
  return Math.abs(at_ms - asked.created * 1000) <= requestLife_ms
}

/**
 * Whether the entry's author really asked for it: the signature holds for this vault, this act and this statement, and
 * the request was young. Entries that the system itself writes have no author and pass.
 * @param at_ms  the entry's time.
 */
export function isAuthentic(
  draft: Draft,
  context: { readonly origin: string; readonly at_ms: number; readonly verify: Verify },
): boolean {
  const path = pathOf(draft)
  if (path === null) return true
  const { asked, statement = null } = draft as {
    asked: Parameters<typeof isSigned>[0] | null
    statement?: Record<string, unknown> | null
  }
  if (asked === null) return (draft.kind === "permit" && draft.by === null) || draft.kind === "log.read"
  const isReading = draft.kind === "opening.read" || draft.kind === "log.read"
  const isPlain = asked.query === "?" || draft.kind === "log.read"
  if (asked.method !== (isReading ? "GET" : "POST") || asked.path !== path || !isPlain) return false
  if (!isTimely(draft, context.at_ms) || !hasItsAssertion(asked)) return false
  return isSigned(asked, context.origin, { statement, verify: context.verify })
}
