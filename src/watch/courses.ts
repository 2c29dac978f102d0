import type { LoggedRequest, WorkOrder } from "./guard.ts"
import { Scene } from "./scene.ts"
import { emptyPerson } from "./state.ts"
import { observe, type Observation } from "./symbols.ts"
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

/** What the people of one log did, symbol by symbol: with its work orders, and once more as if it had none. */
export class Courses {
  readonly #log: string
  readonly #scene = new Scene("known")
  readonly #people = new Map<
    number,
    { course: Growing; state: ReturnType<typeof emptyPerson>; roaming: ReturnType<typeof emptyPerson> }
  >()

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
    const { course, state, roaming } = this.#of(request)
    const watched = this.#scene.watched(request)
    const { purpose } = watched
    const observation = observe(state, watched)
    if (observation !== null) course.seen.push({ purpose, observation })
    const roamed = observe(roaming, { ...watched, ticket: 0, scope: "unknown" })
    // Beginnings of sessions are counted once.
    if (roamed !== null) course.seen.push({ purpose, observation: { ...roamed, session: -1 } })
    if (request.exists) this.#scene.give(request)
  }

  all(): Course[] {
    return [...this.#people.values()].map(({ course }) => course)
  }

  #of({ principal, organization }: LoggedRequest) {
    const held = this.#people.get(principal)
    if (held !== undefined) return held
    const course = {
      person: `${this.#log}/${principal}`,
      organization: `${this.#log}/${organization}`,
      seen: [],
    }
    const made = { course, state: emptyPerson(), roaming: emptyPerson() }
    this.#people.set(principal, made)
    return made
  }
}
