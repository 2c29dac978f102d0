import { assess, statisticOf, type Assessment, type Verdict, type WatchState } from "./assess.ts"
import type { Model } from "./model.ts"
import {
  answered,
  emptyOrganization,
  emptyPerson,
  liftedOrganization,
  liftedPerson,
  standingOf,
  type OrganizationState,
  type PersonState,
  type Standing,
} from "./state.ts"
import type { WatchedRequest } from "./symbols.ts"

/** One request of the past, with what became of it. */
export interface PastRequest {
  readonly person: string
  /** At the top of the tree. */
  readonly organization: string
  readonly request: WatchedRequest
  readonly verdict: Verdict
  readonly about: "person" | "organization" | null
  /** Nothing was refused for what the watch thought. */
  readonly isObserved: boolean
  /** It was refused for a question alone: it was not charged, and came again after the answer. */
  readonly isHeldBack: boolean
  /** An image left. */
  readonly isGiven: boolean
}

/** What became of one, and what would have. */
export interface Tried {
  readonly id: string
  readonly of: "person" | "organization"
  /** Questions and suspensions, as they were. */
  asked: number
  suspended: number
  would_be_asked: number
  would_be_suspended: number
  /** Entries of the first question and suspension that would have been. */
  first_question: number | null
  first_suspension: number | null
  /** Images that left, and would not have; 0 for an organization. */
  images_held_back: number
}

export interface TriedAll {
  /** Requests of the window that the watch looked at. */
  readonly requests: number
  readonly people: number
  /** Those with any question or suspension, of either kind: who would be suspended first. */
  readonly tried: readonly Tried[]
}

/**
 * What a model and thresholds would have made of requests of the past. It follows them from the first on, and counts those of
 * the window alone. A question that was asked then is answered when it was answered then, and any other at once; a suspension holds until
 * two people lifted one of the same person or organization, or else to the end. With the model and thresholds of then it finds what was.
 */
export class BackTest {
  readonly #model: Model
  readonly #from_ms: number
  readonly #people = new Map<string, PersonState>()
  readonly #organizations = new Map<string, OrganizationState>()
  readonly #tried = new Map<string, Tried>()
  /** Whose question waited then. */
  readonly #asked = new Set<string>()
  readonly #met = new Set<string>()
  #requests = 0

  /** @param from_ms  where the window begins. */
  constructor(model: Model, from_ms: number) {
    this.#model = model
    this.#from_ms = from_ms
  }

  /** @param entry  its index, for who wants to look. */
  take(past: PastRequest, entry: number): void {
    const isCounted = past.request.at_ms >= this.#from_ms
    if (isCounted) {
      this.#requests += 1
      this.#met.add(past.person)
      this.#was(past)
    } else this.#remember(past)
    const person = heldIn(this.#people, past.person, emptyPerson)
    const organization = heldIn(this.#organizations, past.organization, emptyOrganization)
    const before = { person: standingOf(person), organization: standingOf(organization) }
    const assessment = this.#assess(past, { person, organization })
    if (isCounted) this.#would(past, assessment, { before, entry })
  }

  /** The person said why, then. */
  answered(person: string, organization: string): void {
    this.#asked.delete(person)
    this.#asked.delete(organization)
    for (const state of [this.#people.get(person), this.#organizations.get(organization)])
      if (state !== undefined) answered(state)
  }

  /** Two people ended a suspension, then. */
  lifted(of: { readonly person: string | null; readonly organization: string }): void {
    const pool = heldIn(this.#organizations, of.organization, emptyOrganization)
    if (of.person === null) liftedOrganization(pool)
    else liftedPerson(heldIn(this.#people, of.person, emptyPerson), pool)
    this.#asked.delete(of.person ?? of.organization)
  }

  result(): TriedAll {
    const tried = [...this.#tried.values()].sort(
      (a, b) =>
        b.would_be_suspended - a.would_be_suspended ||
        b.would_be_asked - a.would_be_asked ||
        b.suspended - a.suspended ||
        (a.id < b.id ? -1 : 1),
    )
    return { requests: this.#requests, people: this.#met.size, tried }
  }

  #assess(past: PastRequest, state: WatchState): Assessment {
    const { person, organization } = state
    const statistic = statisticOf(person)
    const isAwaited = [person, organization].some(each => standingOf(each) === "asked")
    // What was held for a question was not charged, and speaks for nobody (decision 0018).
    const kept = past.isHeldBack ? [person, organization].map(({ cells }) => Float64Array.from(cells)) : []
    const assessment = assess(this.#model, state, past.request)
    const { verdict, evidence } = assessment
    if (verdict === "step-up" && (past.verdict !== "step-up" || past.isObserved))
      for (const each of [person, organization]) answered(each)
    if (verdict === "suspend" && past.isObserved) {
      if (evidence.about === "person") liftedPerson(person, organization)
      else liftedOrganization(organization)
    }
    const isForgotten = evidence.person_micronats <= statistic && (isAwaited || verdict === "pass")
    if (!isForgotten) return assessment
    for (const [i, each] of [person, organization].entries()) each.cells.set(kept[i] ?? [])
    return assessment
  }

  #was(past: PastRequest): void {
    const id = idOf(past)
    if (id === null) return
    const tried = this.#of(id, past.about ?? "person")
    if (past.verdict === "suspend") tried.suspended += 1
    else if (!this.#asked.has(id)) tried.asked += 1
    this.#remember(past)
  }

  #remember(past: PastRequest): void {
    const id = idOf(past)
    if (id !== null && past.verdict === "step-up" && !past.isObserved) this.#asked.add(id)
    if (id !== null && past.verdict === "suspend") this.#asked.delete(id)
  }

  #would(
    past: PastRequest,
    { verdict, evidence: { about } }: Assessment,
    { before, entry }: { readonly before: Standings; readonly entry: number },
  ): void {
    if (verdict === "pass" || about === null) return
    if (verdict === "suspend" && past.isGiven) this.#of(past.person, "person").images_held_back += 1
    const tried = this.#of(past[about], about)
    if (verdict === "step-up" && before[about] === "calm") {
      tried.would_be_asked += 1
      tried.first_question ??= entry
    }
    if (verdict === "suspend" && before[about] !== "suspended") {
      tried.would_be_suspended += 1
      tried.first_suspension ??= entry
    }
  }

  #of(id: string, of: Tried["of"]): Tried {
    return heldIn(this.#tried, id, () => ({
      ...{ id, of, asked: 0, suspended: 0, would_be_asked: 0, would_be_suspended: 0 },
      ...{ first_question: null, first_suspension: null, images_held_back: 0 },
    }))
  }
}

type Standings = Readonly<Record<"person" | "organization", Standing>>

/** Whom a verdict that is no pass was about. */
function idOf({ verdict, about, person, organization }: PastRequest): string | null {
  if (verdict === "pass") return null
  return about === "organization" ? organization : person
}

function heldIn<T>(all: Map<string, T>, id: string, make: () => T): T {
  const held = all.get(id) ?? make()
  all.set(id, held)
  return held
}
