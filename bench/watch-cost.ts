import { drawHonest, usualTraffic } from "../src/drawing/traffic/traffic.ts"
import { assess, type WatchState } from "../src/watch/assess.ts"
import type { Model } from "../src/watch/model.ts"
import { Scene } from "../src/watch/scene.ts"
import { emptyOrganization, emptyPerson, formatState, person_bytes } from "../src/watch/state.ts"
import type { WatchedRequest } from "../src/watch/symbols.ts"

export interface Cost {
  readonly requests: number
  readonly median_us: number
  readonly p99_us: number
  readonly p999_us: number
  /** Of reading the clock twice, which the others contain. */
  readonly timer_us: number
  readonly person_bytes: number
  readonly stored_bytes: { readonly median: number; readonly most: number }
}

/** Decisions alone, each timed by itself, over so many requests of drawn traffic; then what states take when they are stored. */
export function costOf(model: Model, requests: number): Cost {
  const [work, states] = prepared(requests)
  const times = new Float64Array(work.length)
  for (const [i, { state, request }] of work.entries()) {
    const start = performance.now()
    assess(model, state, request)
    times[i] = performance.now() - start
  }
  times.sort()
  const empty = Float64Array.from({ length: 100_000 }, () => -performance.now() + performance.now()).sort()
  const at = (share: number) => 1e3 * (times[Math.floor(times.length * share)] ?? 0)
  const stored = states.map(state => formatState(state.person).length).sort((a, b) => a - b)
  return {
    requests: work.length,
    ...{ median_us: at(0.5), p99_us: at(0.99), p999_us: at(0.999) },
    timer_us: 1e3 * (empty[50_000] ?? 0),
    person_bytes,
    stored_bytes: { median: stored[stored.length >> 1] ?? 0, most: stored.at(-1) ?? 0 },
  }
}

interface Work {
  readonly state: WatchState
  readonly request: WatchedRequest
}

function prepared(count: number): [Work[], WatchState[]] {
  const work: Work[] = []
  const states: WatchState[] = []
  for (let seed = 1; work.length < count; seed += 1) {
    const traffic = drawHonest({ seed: `cost ${seed}`, ...usualTraffic })
    const scene = new Scene("known")
    const people = new Map<number, WatchState>()
    const organizations = new Map(
      traffic.world.organizations.map(each => [each.organization, emptyOrganization()]),
    )
    for (const { principal, organization, zone_h } of traffic.world.people) {
      scene.person(principal, zone_h)
      const state = {
        person: emptyPerson(),
        organization: organizations.get(organization) ?? emptyOrganization(),
      }
      people.set(principal, state)
      states.push(state)
    }
    for (const order of traffic.orders) scene.order(order)
    for (const request of traffic.requests.slice(0, count - work.length)) {
      const state = people.get(request.principal)
      if (state !== undefined) work.push({ state, request: scene.watched(request) })
      scene.give(request)
    }
  }
  return [work, states]
}
