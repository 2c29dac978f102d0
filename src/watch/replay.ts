import { assess, type Assessment, type Verdict } from "./assess.ts"
import type { Denial, LoggedRequest, WorkOrder } from "./guard.ts"
import type { Model } from "./model.ts"
import { Scene } from "./scene.ts"
import { answered, emptyOrganization, emptyPerson, standingOf } from "./state.ts"
import type { OrganizationState, PersonState } from "./state.ts"
import { whyOf } from "./why.ts"

/** What became of one person in a log. */
export interface Replayed {
  readonly principal: number
  readonly organization: number
  readonly state: PersonState
  requests: number
  /** Distinct images that exist and were let through. */
  readonly images: Set<number>
  denied: number
  stepUps: number
  stepUp_seq: number | null
  suspended_seq: number | null
  /** What led to the newest verdict that was no pass, in a sentence. */
  why: string | null
}

export interface ReplayOptions {
  readonly model: Model
  /** Whether the hard layer's denials hold, or the watch stands alone (it still sees how a request lies to its work order). */
  readonly layers: "both" | "watch alone"
  readonly orders: "known" | "unknown"
}

export interface Outcome {
  readonly assessment: Assessment
  readonly denial: Denial | null
  /** Whether the image left. */
  readonly isGiven: boolean
}

const day_ms = 86_400_000

/**
 * Runs a log of requests, in its order, through guard and watch. A step-up is taken to be answered at once by whoever asked: an
 * attacker is thought to hold the key. A suspension, of person or organization, is taken to hold to the end.
 */
export class Replay {
  readonly #options: ReplayOptions
  readonly #scene: Scene
  readonly #people = new Map<number, Replayed>()
  readonly #organizations = new Map<number, OrganizationState>()
  readonly #days = new Set<string>()

  constructor(options: ReplayOptions) {
    this.#options = options
    this.#scene = new Scene(options.orders)
  }

  order(order: WorkOrder): void {
    this.#scene.order(order)
  }

  person(principal: number, organization: number, zone_h: number): void {
    this.#scene.person(principal, zone_h)
    this.#personOf(principal, organization)
  }

  /** @param seq  0-based index of the request in its file. */
  request(request: LoggedRequest, seq: number): Outcome {
    const { model, layers } = this.#options
    const person = this.#personOf(request.principal, request.organization)
    const organization = this.#organizationOf(person.organization)
    person.requests += 1
    this.#days.add(`${request.principal} ${Math.floor(request.at_ms / day_ms)}`)
    const state = { person: person.state, organization }
    const assessment = assess(model, state, this.#scene.watched(request))
    const denial = layers === "both" ? this.#scene.denial(request) : null
    if (assessment.verdict !== "pass") this.#note(person, { verdict: assessment.verdict, seq, request })
    if (assessment.verdict === "step-up") for (const each of [person.state, organization]) answered(each)
    const isGiven = assessment.verdict !== "suspend" && denial === null && request.exists
    if (denial !== null) person.denied += 1
    if (isGiven) this.#give(person, request)
    return { assessment, denial, isGiven }
  }

  /** Everybody of the log, in the order met. Where the organization is suspended, so is each of its people from then on. */
  people(): Replayed[] {
    return [...this.#people.values()]
  }

  /** Days on which a person asked for something, over all people. */
  get vendorDays(): number {
    return this.#days.size
  }

  #give(person: Replayed, request: LoggedRequest): void {
    person.images.add(request.image)
    this.#scene.give(request)
    if (this.#options.layers === "both") this.#scene.charge(request)
  }

  #note(person: Replayed, of: { verdict: Verdict; seq: number; request: LoggedRequest }): void {
    const { verdict, seq, request } = of
    if (verdict === "step-up") {
      person.stepUps += 1
      person.stepUp_seq ??= seq
    }
    if (person.suspended_seq === null) person.why = whyOf(this.#options.model, person.state, request.at_ms)
    if (verdict !== "suspend") return
    person.suspended_seq ??= seq
    const organization = this.#organizations.get(person.organization)
    if (organization === undefined || standingOf(organization) !== "suspended") return
    for (const each of this.#people.values())
      if (each.organization === person.organization) each.suspended_seq ??= seq
  }

  #personOf(principal: number, organization: number): Replayed {
    const held = this.#people.get(principal)
    if (held !== undefined) return held
    const person: Replayed = {
      ...{ principal, organization, state: emptyPerson(), requests: 0, images: new Set(), denied: 0 },
      ...{ stepUps: 0, stepUp_seq: null, suspended_seq: null, why: null },
    }
    this.#people.set(principal, person)
    return person
  }

  #organizationOf(organization: number): OrganizationState {
    const held = this.#organizations.get(organization)
    if (held !== undefined) return held
    const state = emptyOrganization()
    this.#organizations.set(organization, state)
    return state
  }
}
