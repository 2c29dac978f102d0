import type { FaultCode } from "../fault.ts"
import { assess, statisticOf, type Assessment, type Verdict } from "../watch/assess.ts"
import { fingerprint } from "../watch/fingerprint.ts"
import {
  answered,
  at as cellOf,
  emptyOrganization,
  emptyPerson,
  formatState,
  liftedOrganization,
  liftedPerson,
  parseOrganization,
  parsePerson,
  standingOf,
  type OrganizationState,
  type PersonState,
} from "../watch/state.ts"
import type { WatchedRequest } from "../watch/symbols.ts"
import type { Draft, EntryOf } from "./kinds.ts"
import { mustHold, record, rootOf } from "./standing.ts"
import { names, type Effects, type Records, type State } from "./state.ts"
import { judgingModel } from "./watch-models.ts"
import { isSuspended, noEvidence } from "./watch-scope.ts"

/** The watch in the log: what an entry told it, what came of that, and what it leaves behind. Replays give the same. */

/** What an entry says of the watch. */
export type Watched = NonNullable<EntryOf<"permit">["watch"]>

/** What the watch was told, before it judged. */
export type Told = Omit<Watched, "verdict" | "about" | "person_micronats" | "organization_micronats">

type WatchRecord = Records["watch"]
type Opening = Pick<Draft & { kind: "permit" | "refused" }, "kind" | "capture"> & {
  readonly watch: Told
  readonly person: string
  readonly organization: string
  readonly grant: string
}

/** What the entry is about, for the watch; `null` for one that it does not look at. */
export function openingOf(entry: Draft, state: State): Opening | null {
  if (entry.kind === "permit") {
    const { by, watch, kind, capture } = entry
    if (by === null || watch === undefined) return null
    return { kind, capture, watch, person: by.person, organization: by.organization, grant: by.grant }
  }
  if (entry.kind !== "refused" || entry.watch === undefined || entry.person === null) return null
  const { kind, capture, watch, person, grant } = entry
  const organization = mustHold(state.record("person", person)).organization
  return { kind, capture, watch, person, organization, grant: grant ?? "" }
}

/**
 * The watch's judgement of one opening, on the state as it stands; nothing of the state is changed.
 * @returns `null` where that model is not the one in force, or is not known here.
 */
export function assessed(opening: Opening, state: State, now_ms: number): Assessment | null {
  const model = judgingModel(opening.watch.model, state)
  if (model === null) return null
  const { person, organization } = opening
  const held = {
    person: personOf(person, state),
    organization: organizationOf(rootOf(organization, state), state),
  }
  return assess(model, held, requestOf(opening, state, now_ms))
}

/** What an assessment adds to what the watch was told. */
export function verdictIn(
  assessment: Assessment,
): Pick<Watched, "verdict" | "about" | "person_micronats" | "organization_micronats"> {
  const { verdict, evidence } = assessment
  const { about, person_micronats, organization_micronats } = evidence
  return { verdict, about, person_micronats, organization_micronats }
}

/** The request as the watch sees it. */
export function requestOf(
  { watch, capture, grant: id }: Opening,
  state: State,
  now_ms: number,
): WatchedRequest {
  const grant = state.record("grant", id)
  const { place } = watch
  return {
    at_ms: now_ms,
    isOffHours: watch.off_hours,
    purpose: grant?.terms.purpose ?? "",
    ticket: grant === null ? 0 : fingerprint(id),
    scope: watch.scope,
    isOtherKind: watch.other_kind,
    isHeld: capture !== null && state.member(names.released(id), capture) > 0,
    image: fingerprint(capture ?? ""),
    cell: place === null ? 0 : fingerprint(`${place.lane} ${place.day}`),
    port: place === null ? 0 : fingerprint(place.port),
    place: place?.number ?? 0,
    network: watch.network,
    device: watch.device,
  }
}

function personOf(person: string, state: State): PersonState {
  const held = state.record("watch", person)
  return held === null ? emptyPerson() : mustHold(parsePerson(held.state))
}

function organizationOf(root: string, state: State): OrganizationState {
  const held = state.record("watch", root)
  return held === null ? emptyOrganization() : mustHold(parseOrganization(held.state))
}

/** The verdict that holds: whoever only observes lets everything pass. */
export function heldVerdict({ mode, verdict }: Watched): Verdict {
  return mode === "observe" ? "pass" : verdict
}

/**
 * Whether an entry says of the watch what the log leads to. Whom the watch has looked at once it looks at each time: an entry
 * that leaves it out is none.
 */
export function watchRule(draft: Draft & { kind: "permit" | "refused" }, state: State, now_ms: number) {
  const opening = openingOf(draft, state)
  if (opening === null) return isOmitted(draft, state) ? "INVALID" : null
  const assessment = assessed(opening, state, now_ms)
  if (assessment === null) return "WATCH_MODEL"
  const { watch } = draft as { readonly watch: Watched }
  const isSame = Object.entries(verdictIn(assessment)).every(
    ([name, value]) => watch[name as keyof Watched] === value,
  )
  if (!isSame || !isPlaced(draft, state)) return "INVALID"
  return codeRule(draft, heldVerdict(watch))
}

/** A permit passed; a refusal of the watch is one, and says which. */
function codeRule(draft: Draft & { kind: "permit" | "refused" }, verdict: Verdict): FaultCode | null {
  if (draft.kind === "permit") return verdict === "pass" ? null : watchCodes[verdict]
  const isOurs = draft.code === "WATCH_STEP_UP" || draft.code === "WATCH_SUSPENDED"
  return !isOurs || (verdict !== "pass" && draft.code === watchCodes[verdict]) ? null : "INVALID"
}

/** With what the watch refuses what the decision table would let pass. */
export const watchCodes = { "step-up": "WATCH_STEP_UP", suspend: "WATCH_SUSPENDED" } as const

function isOmitted(draft: Draft & { kind: "permit" | "refused" }, state: State): boolean {
  const person = draft.kind === "permit" ? draft.by?.person : draft.person
  if (person == null || state.record("watch", person) === null || isSuspended(person, state)) return false
  if (draft.kind === "permit") return true
  if (draft.code === "WATCH_STEP_UP" || draft.code === "WATCH_SUSPENDED") return true
  const isOpening = (draft.of === "release" || draft.of === "reveal") && draft.statement !== null
  return isOpening && draft.code !== "GRANT_EXPIRED" && !noEvidence.has(draft.code)
}

/** The place that the watch was told is the permit's own. */
function isPlaced(draft: Draft & { kind: "permit" | "refused" }, state: State): boolean {
  if (draft.kind === "refused") return true
  const place = draft.watch?.place ?? null
  const port = state.record("lane", draft.lane)?.port
  return place?.lane === draft.lane && place.port === port && draft.hour.startsWith(place.day)
}

/** What a judged opening leaves: the watch's own rows, and a suspension where that is the verdict. */
export function watchedBy(
  entry: EntryOf<"permit" | "refused">,
  index: number,
  state: State,
): Effects["records"] {
  const opening = openingOf(entry, state)
  if (opening === null) return []
  const assessment = mustHold(assessed(opening, state, Date.parse(entry.at)))
  const watch = mustHold(entry.watch ?? null)
  if (watch.mode === "observe") goOn(assessment)
  const root = rootOf(opening.organization, state)
  if (isHeldDown(entry, { person: opening.person, root, state })) return []
  const evident = assessment.evidence.observation !== null && watch.scope !== "within"
  const kept = [personRecord(opening.person, { root, evident, index, state }, assessment.state.person)]
  const pooled = formatState(assessment.state.organization)
  const held = state.record("watch", root)
  if (pooled !== (held?.state ?? "")) kept.push(organizationRecord(root, held, { pooled, index }))
  return [...kept, ...suspended(heldVerdict(watch), { about: watch.about, opening, root, state })]
}

/**
 * Whether a request that was held while an answer was awaited would lower the evidence. It was not charged, so that it could be
 * repeated for nothing until no evidence were left: it is forgotten.
 */
function isHeldDown(
  entry: EntryOf<"permit" | "refused">,
  { person, root, state }: { readonly person: string; readonly root: string; readonly state: State },
): boolean {
  if (entry.kind !== "refused" || entry.code !== watchCodes["step-up"]) return false
  const before = personOf(person, state)
  const isAwaited = standingOf(before) === "asked" || standingOf(organizationOf(root, state)) === "asked"
  return isAwaited && (entry.watch?.person_micronats ?? 0) <= statisticOf(before)
}

/** Who only observes asks nobody and stops nobody: it is as if each question were answered and each suspension lifted at once. */
function goOn({ verdict, evidence, state: { person, organization } }: Assessment): void {
  if (verdict === "step-up") for (const each of [person, organization]) answered(each)
  if (verdict !== "suspend") return
  if (evidence.about === "person") liftedPerson(person, organization)
  else liftedOrganization(organization)
}

function personRecord(
  person: string,
  by: { readonly root: string; readonly evident: boolean; readonly index: number; readonly state: State },
  now: PersonState,
): Effects["records"][number] {
  const { root, evident, index, state } = by
  const before = personOf(person, state)
  const held = state.record("watch", person)
  const rose = now.cells[cellOf.rose_ms] ?? 0
  const isNew = held === null || rose !== (before.cells[cellOf.rose_ms] ?? 0)
  return record("watch", person, {
    of: "person",
    organization: root,
    first: isNew ? index : held.first,
    last: evident ? index : isNew ? null : held.last,
    state: formatState(now),
  })
}

function organizationRecord(
  root: string,
  held: WatchRecord | null,
  { pooled, index }: { readonly pooled: string; readonly index: number },
): Effects["records"][number] {
  const first = held?.first ?? index
  return record("watch", root, { of: "organization", organization: root, first, last: index, state: pooled })
}

interface Stopped {
  readonly about: Watched["about"]
  readonly opening: Opening
  readonly root: string
  readonly state: State
}

function suspended(verdict: Verdict, { about, opening, root, state }: Stopped): Effects["records"] {
  if (verdict !== "suspend") return []
  if (about === "organization") {
    const held = mustHold(state.record("organization", root))
    return [record("organization", root, { ...held, suspended: true })]
  }
  const held = mustHold(state.record("person", opening.person))
  return [record("person", opening.person, { ...held, suspended: true })]
}

/** Whether the watch itself suspended a person or organization: then two people lift it. */
export function isStoppedByWatch(id: string, state: State): boolean {
  const held = state.record("watch", id)
  if (held === null) return false
  return standingOf(held.of === "person" ? personOf(id, state) : organizationOf(id, state)) === "suspended"
}

/** Whose question waits: the person's own, or that of his organization where he added to what it is asked about. */
function asking(person: string, state: State) {
  const root = rootOf(mustHold(state.record("person", person)).organization, state)
  const [own, pool] = [personOf(person, state), organizationOf(root, state)]
  const isShared = standingOf(pool) === "asked" && (own.cells[cellOf.counted] ?? 0) > 0
  return { root, own, pool: isShared ? pool : null, isAsked: standingOf(own) === "asked" || isShared }
}

/** Who was asked answers, and nobody else. */
export function answerRule({ person }: Draft & { kind: "watch.answered" }, state: State): FaultCode | null {
  const held = state.record("person", person)
  if (held === null) return "NOT_FOUND"
  if (held.suspended) return "PERSON_SUSPENDED"
  return asking(person, state).isAsked ? null : "CONFLICT"
}

export function answeredBy({ person }: EntryOf<"watch.answered">, state: State): Effects["records"] {
  const { root, own, pool } = asking(person, state)
  answered(own)
  const kept = withState(person, formatState(own), state)
  if (pool === null) return kept
  answered(pool)
  return [...kept, ...withState(root, formatState(pool), state)]
}

function withState(id: string, text: string, state: State): Effects["records"] {
  const held = state.record("watch", id)
  return held === null ? [] : [record("watch", id, { ...held, state: text })]
}

/** Two people lifted a suspension: whoever ordered it, what the watch holds against the person begins anew. */
export function liftedBy(
  { person, organization }: { readonly person?: string; readonly organization?: string },
  state: State,
): Effects["records"] {
  if (organization !== undefined) {
    const held = mustHold(state.record("organization", organization))
    const pool = organizationOf(organization, state)
    liftedOrganization(pool)
    return [
      record("organization", organization, { ...held, suspended: false }),
      ...withState(organization, formatState(pool), state),
    ]
  }
  const id = mustHold(person ?? null)
  const held = mustHold(state.record("person", id))
  const root = rootOf(held.organization, state)
  const [own, pool] = [personOf(id, state), organizationOf(root, state)]
  liftedPerson(own, pool)
  return [
    record("person", id, { ...held, suspended: false }),
    ...withState(id, formatState(own), state),
    ...withState(root, formatState(pool), state),
  ]
}
