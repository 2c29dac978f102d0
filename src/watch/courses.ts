import type { LoggedRequest, WorkOrder } from "./guard.ts"
import { Scene } from "./scene.ts"
import { emptyPerson, type PersonState } from "./state.ts"
import { observe, type Observation, type WatchedRequest } from "./symbols.ts"
import type { Course } from "./train.ts"

interface Growing extends Course {
  readonly seen: { purpose: string; observation: Observation }[]
}

/** A log that is at hand whole, as drawn ones are. */
export interface WholeLog {
  readonly world: {
    readonly seed: string
    readonly people: readonly { readonly principal: number; readonly zone_h: number }[]
  }
  readonly orders: readonly WorkOrder[]
  /** In the order of time. */
  readonly requests: readonly LoggedRequest[]
}

/** What the people of a log that is at hand did; its seed is its name. */
export function coursesOf({ world, orders, requests }: WholeLog): Course[] {
  const courses = new Courses(world.seed)
  for (const { principal, zone_h } of world.people) courses.person(principal, zone_h)
  for (const order of orders) courses.order(order)
  for (const request of requests) courses.request(request)
  return courses.all()
}

interface Followed {
  readonly course: Growing
  readonly state: PersonState
  readonly roaming: PersonState
}

/** What people did, symbol by symbol, of requests as the watch sees them: with their work orders, and once more as if there were none. */
export class WatchedCourses {
  readonly #people = new Map<string, Followed>()

  take(of: { readonly person: string; readonly organization: string }, watched: WatchedRequest): void {
    const { course, state, roaming } = this.#of(of)
    const { purpose } = watched
    const observation = observe(state, watched)
    if (observation !== null) course.seen.push({ purpose, observation })
    const roamed = observe(roaming, { ...watched, ticket: 0, scope: "unknown" })
    // Beginnings of sessions are counted once.
    if (roamed !== null) course.seen.push({ purpose, observation: { ...roamed, session: -1 } })
  }

  all(): Course[] {
    return [...this.#people.values()].map(({ course }) => course)
  }

  #of({ person, organization }: { readonly person: string; readonly organization: string }): Followed {
    const held = this.#people.get(person)
    if (held !== undefined) return held
    const course = { person, organization, seen: [] }
    const made = { course, state: emptyPerson(), roaming: emptyPerson() }
    this.#people.set(person, made)
    return made
  }
}

/** What the people of one log of requests did. */
export class Courses {
  readonly #log: string
  readonly #scene = new Scene("known")
  readonly #courses = new WatchedCourses()

  /** @param log  its name, which sets its people apart from those of other logs. */
  constructor(log: string) {
    this.#log = log
  }

  order(order: WorkOrder): void {
    this.#scene.order(order)
  }

  person(principal: number, zone_h: number): void {
    this.#scene.person(principal, zone_h)
  }

  request(request: LoggedRequest): void {
    const { principal, organization } = request
    const of = { person: `${this.#log}/${principal}`, organization: `${this.#log}/${organization}` }
    this.#courses.take(of, this.#scene.watched(request))
    if (request.exists) this.#scene.give(request)
  }

  all(): Course[] {
    return this.#courses.all()
  }
}
