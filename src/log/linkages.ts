import type { FaultCode } from "../fault.ts"
import type { Act } from "../grant/office.ts"
import type { Draft, EntryOf } from "./kinds.ts"
import { linkageLimits, type linkageKinds } from "./linkage-kinds.ts"
import { mustHold, record } from "./standing.ts"
import { names, type Effects, type State } from "./state.ts"

export type LinkageKind = keyof typeof linkageKinds

type Planned = EntryOf<"linkage.planned">
type Estimated = EntryOf<"linkage.estimated">

/** Which faces and reads of what left are one person's, or one vehicle's: a run of the machine, and what people said of it. */
export interface LinkageState {
  readonly linkage: string
  readonly incident: string
  readonly person: string
  readonly opened_at: string
  readonly entry: number
  /** Index of the entry `incident.scoped` that fixes the set. */
  readonly scoped: number
  readonly images: number
  readonly seed: string
  readonly sample: number
  /** Originals that were opened for it. */
  readonly originals: number
  readonly planned: (Omit<Planned, "v" | "kind" | "linkage" | "incident"> & { readonly entry: number }) | null
  /** Entries with answers, and answers in them. */
  readonly answered: number
  readonly answers: number
  /** The newest estimate. */
  readonly estimated:
    | (Pick<Estimated, "at" | "person" | "sampled" | "interval"> &
        Estimated["statement"] & { readonly entry: number })
    | null
  /** Estimates with an interval. */
  readonly intervals: number
}

/** What each asks of its author's office; the system, which looked, plans. */
export const linkageActs: Readonly<Record<Exclude<LinkageKind, "linkage.planned">, Act>> = {
  "linkage.opened": "declare",
  "linkage.answered": "adjudicate",
  "linkage.estimated": "declare",
}

export function isOfLinkage<T extends { readonly kind: string }>(
  of: T,
): of is Extract<T, { kind: LinkageKind }> {
  return of.kind === "linkage.planned" || Object.hasOwn(linkageActs, of.kind)
}

type Part = Partial<Effects>
type DraftOf<K extends Draft["kind"]> = Extract<Draft, { kind: K }>

/** What an entry does to its linkage. */
export function linkageAfter(entry: EntryOf<LinkageKind>, index: number, state: State): Part {
  const { linkage } = entry
  if (entry.kind === "linkage.opened") return opened(entry, index, state)
  const held = mustHold(state.record("linkage", linkage))
  const written = (changed: Partial<LinkageState>) => record("linkage", linkage, { ...held, ...changed })
  switch (entry.kind) {
    case "linkage.planned": {
      const { faces, clusters, unclustered, undetermined, gone, unreadable } = entry
      const { at, pairs, searched, plan_sha256, vehicles } = entry
      const counts = { faces, clusters, unclustered, undetermined, gone, unreadable }
      const planned = { at, ...counts, pairs, searched, plan_sha256, vehicles, entry: index }
      return { records: [written({ planned })] }
    }
    case "linkage.answered": {
      const answered = held.answered + 1
      const answers = held.answers + entry.statement.answers.length
      const member = { set: names.answers(linkage), member: String(answered), value: index }
      return { records: [written({ answered, answers })], members: [member] }
    }
    case "linkage.estimated": {
      const { at, person, sampled, interval, statement } = entry
      const estimated = { at, person, sampled, interval, ...statement, entry: index }
      return { records: [written({ estimated, intervals: held.intervals + (interval === null ? 0 : 1) })] }
    }
  }
}

function opened(entry: EntryOf<"linkage.opened">, index: number, state: State): Part {
  const { linkage, incident, person, at, scoped, images, seed, statement } = entry
  const held = mustHold(state.record("incident", incident))
  return {
    records: [
      record("linkage", linkage, {
        ...{ linkage, incident, person, opened_at: at, entry: index, scoped, images, seed },
        ...{ sample: statement.sample, originals: 0, planned: null },
        ...{ answered: 0, answers: 0, estimated: null, intervals: 0 },
      }),
      record("incident", incident, { ...held, linkage }),
    ],
  }
}

/** One original more was opened for a linkage. */
export function linkedOriginal(linkage: string, capture: string, state: State): Part {
  const held = mustHold(state.record("linkage", linkage))
  return {
    records: [record("linkage", linkage, { ...held, originals: held.originals + 1 })],
    members: [{ set: names.linked(linkage), member: capture, value: 1 }],
  }
}

/** What a linkage's entries may follow on, once its author may ask for it. */
export function linkageRule(draft: DraftOf<LinkageKind>, state: State): FaultCode | null {
  if (draft.kind === "linkage.opened") return openingRule(draft, state)
  const held = state.record("linkage", draft.linkage)
  if (held === null || held.incident !== draft.incident) return "NOT_FOUND"
  if (draft.kind === "linkage.planned")
    return held.planned === null && isUnderWay(held, state) && draft.faces <= linkageLimits.faces
      ? null
      : "CONFLICT"
  if (held.planned === null) return "CONFLICT"
  if (draft.kind === "linkage.answered") return answeringRule(draft, held, held.planned.pairs)
  const isWhole = draft.statement.answered === held.answered && draft.scoped === held.scoped
  return isWhole && held.answered > 0 ? null : "CONFLICT"
}

/** Of what was counted last, and is believed now. */
function openingRule(draft: DraftOf<"linkage.opened">, state: State): FaultCode | null {
  const { linkage, incident, scoped, images, statement } = draft
  const held = state.record("incident", incident)
  if (held === null) return "NOT_FOUND"
  if (state.record("linkage", linkage) !== null || held.status === "closed") return "CONFLICT"
  if (statement.version !== held.version) return "INCIDENT_VERSION"
  if (held.scoped?.version !== held.version || held.scoped.entry !== scoped) return "CONFLICT"
  return images === held.scoped.left && images > 0 && images <= linkageLimits.images ? null : "INVALID"
}

/** Whether it is the newest of an open incident, and of what was counted last: of another no number would be stated. */
function isUnderWay(held: LinkageState, state: State): boolean {
  const incident = state.record("incident", held.incident)
  return (
    incident?.linkage === held.linkage &&
    incident.status !== "closed" &&
    incident.scoped?.entry === held.scoped
  )
}

/** Each pair once, and one that the plan has. */
function answeringRule(
  { statement: { answers } }: DraftOf<"linkage.answered">,
  held: LinkageState,
  pairs: number,
): FaultCode | null {
  if (held.answered >= linkageLimits.entries) return "CONFLICT"
  const isSingle = new Set(answers.map(({ pair }) => pair)).size === answers.length
  return isSingle && answers.every(({ pair }) => pair < pairs) ? null : "INVALID"
}

/** The system opens an original only for a linkage that is under way, before its plan is made, each once, and as many as had left. */
export function linkedRule(draft: DraftOf<"permit">, state: State): FaultCode | null {
  const { linkage, asked, statement, examiner, mark_sha256, trace, region } = draft
  if (linkage === undefined || asked !== null || statement !== null || examiner !== null) return "INVALID"
  if ([mark_sha256, trace, region].some(each => each !== undefined)) return "INVALID"
  const held = state.record("linkage", linkage)
  if (held === null) return "NOT_FOUND"
  const isOnce = state.member(names.linked(linkage), draft.capture) === 0
  const isLeft = isOnce && held.planned === null && held.originals < held.images
  return isLeft && isUnderWay(held, state) ? null : "CONFLICT"
}
