import { expect, test } from "vitest"
import { honest, shipped, within, outside } from "../../test/watched.ts"
import { withAttack, type Traffic } from "../drawing/traffic/traffic.ts"
import { assess, statisticOf, type Verdict } from "./assess.ts"
import { BackTest, type PastRequest, type TriedAll } from "./back-test.ts"
import type { Model } from "./model.ts"
import { Scene } from "./scene.ts"
import { answered, emptyOrganization, emptyPerson, standingOf } from "./state.ts"
import type { WatchedRequest } from "./symbols.ts"

/** Another model by its thresholds alone. */
function asking(stepUp: number, suspend: number): Model {
  const { organization } = shipped.file.thresholds
  const person = { stepUp_micronats: stepUp * 1e6, suspend_micronats: suspend * 1e6 }
  return { ...shipped, file: { ...shipped.file, thresholds: { person, organization } } }
}

interface Past {
  readonly past: PastRequest
  /** Whether the person answered right after it. */
  readonly isAnswered: boolean
}

interface Living {
  /** After how many more of his requests whoever was asked says why. */
  readonly patience?: number
}

/** What the shipped model made of requests as they came, as the vault would have kept it (decision 0018). */
function lived(
  requests: Iterable<{ person: string; organization: string; request: WatchedRequest }>,
  { patience = 0 }: Living = {},
): Past[] {
  const people = new Map<string, ReturnType<typeof emptyPerson>>()
  const organizations = new Map<string, ReturnType<typeof emptyOrganization>>()
  const waited = new Map<string, number>()
  const gone = new Set<string>()
  return [...requests].flatMap(({ person, organization, request }) => {
    if (gone.has(person) || gone.has(organization)) return []
    const own = people.get(person) ?? emptyPerson()
    const pool = organizations.get(organization) ?? emptyOrganization()
    people.set(person, own)
    organizations.set(organization, pool)
    const isAwaited = [own, pool].some(each => standingOf(each) === "asked")
    const before = [own, pool].map(({ cells }) => Float64Array.from(cells))
    const statistic = statisticOf(own)
    const { verdict, evidence } = assess(shipped, { person: own, organization: pool }, request)
    const { about } = evidence
    const isHeldBack = verdict === "step-up" && request.scope === "within"
    if (isHeldBack && isAwaited && evidence.person_micronats <= statistic)
      for (const [i, each] of [own, pool].entries()) each.cells.set(before[i]!)
    if (verdict === "suspend") gone.add(about === "organization" ? organization : person)
    const isAnswered = verdict === "step-up" && (waited.get(person) ?? 0) >= patience
    if (verdict === "step-up") waited.set(person, isAnswered ? 0 : (waited.get(person) ?? 0) + 1)
    if (isAnswered) for (const each of [own, pool]) answered(each)
    const isGiven = verdict === "pass" && request.scope === "within"
    const how = { verdict, about, isObserved: false, isHeldBack, isGiven }
    return [{ past: { person, organization, request, ...how }, isAnswered }]
  })
}

function requestsOf(traffic: Traffic) {
  const scene = new Scene("known")
  for (const { principal, zone_h } of traffic.world.people) scene.person(principal, zone_h)
  for (const order of traffic.orders) scene.order(order)
  return traffic.requests.map(request => {
    const watched = scene.watched(request)
    if (request.exists) scene.give(request)
    return { person: `p${request.principal}`, organization: `o${request.organization}`, request: watched }
  })
}

function tried(model: Model, all: readonly Past[], from_ms = 0): TriedAll {
  const test = new BackTest(model, from_ms)
  for (const [entry, { past, isAnswered }] of all.entries()) {
    test.take(past, entry)
    if (isAnswered) test.answered(past.person, past.organization)
  }
  return test.result()
}

const attacked = requestsOf(
  withAttack(honest("back test", 40), { family: "collude", firstDay: 30, account: "any" }),
)

/** Three people of three organizations: slips, work while an answer is awaited, and more slips. */
const mixed = [..."OOOWWWWWWWWWWWWWWWWWWWWWOWWWWWWWWWWOWWOWWWWOOOO"].flatMap((what, nth) =>
  ["p1", "p2", "p3"].map((person, i) => ({
    person,
    organization: `of ${person}`,
    request: (what === "O" ? outside : within)(1000 * (i + 1) + nth),
  })),
)

test.each([0, 3, 12])(
  "with the model and thresholds of then it finds what was, person by person, where answers take %i requests",
  patience => {
    const past = lived([...attacked, ...mixed], { patience })
    const { tried: all, requests } = tried(shipped, past)
    expect(requests).toBe(past.length)
    expect(all.length).toBeGreaterThan(1)
    expect(all.reduce((sum, each) => sum + each.suspended, 0)).toBeGreaterThan(0)
    expect(patience === 0 || past.some(each => each.past.isHeldBack)).toBe(true)
    for (const each of all) {
      const would = [each.id, each.would_be_asked, each.would_be_suspended]
      expect(would).toEqual([each.id, each.asked, each.suspended])
      expect(each.images_held_back).toBe(0)
    }
  },
)

test("under lower thresholds whoever was asked is asked sooner, and images that left would not have", () => {
  const one = [0, 1].map(nth => outside(nth))
  const requests = [...one, within(2), within(3), within(4)]
  const past = lived(requests.map(request => ({ person: "p", organization: "o", request })))
  expect(past.map(({ past: { verdict } }) => verdict)).toEqual(Array<Verdict>(5).fill("pass"))
  expect(tried(shipped, past).tried).toEqual([])
  const [found] = tried(asking(2, 4), past).tried
  expect(found).toMatchObject({ id: "p", asked: 0, suspended: 0, would_be_asked: 1, would_be_suspended: 1 })
  expect(found).toMatchObject({ first_question: 0, first_suspension: 1, images_held_back: 3 })
})

test("what lies before the window is followed and not counted", () => {
  const requests = [0, 1, 2, 3, 4, 5].map(nth => outside(nth))
  const past = lived(requests.map(request => ({ person: "p", organization: "o", request })))
  const all = tried(shipped, past)
  expect(all.tried[0]).toMatchObject({ asked: 1, suspended: 1, would_be_asked: 1, would_be_suspended: 1 })
  const asked = past.findIndex(({ isAnswered }) => isAnswered)
  const late = tried(shipped, past, past[asked + 1]!.past.request.at_ms)
  expect(late.requests).toBe(past.length - asked - 1)
  expect(late.tried[0]).toMatchObject({ asked: 0, suspended: 1, would_be_asked: 0, would_be_suspended: 1 })
})

test("what was held for a question, and repeated, lowers nothing", () => {
  const requests = [0, 1, 2].map(nth => outside(nth))
  const past = lived(requests.map(request => ({ person: "p", organization: "o", request })))
  const question = past.findIndex(({ isAnswered }) => isAnswered)
  const until = past.slice(0, question + 1).map(each => ({ ...each, isAnswered: false }))
  const of = { person: "p", organization: "o", about: "person", isObserved: false, isGiven: false } as const
  const held = Array.from({ length: 500 }, (_, i) => ({
    past: { ...of, request: within(100 + i), verdict: "step-up", isHeldBack: true } as const,
    isAnswered: false,
  }))
  const after = [3, 4, 5, 6].map(nth => ({
    past: { ...of, request: outside(1000 + nth), verdict: "step-up", isHeldBack: false } as const,
    isAnswered: false,
  }))
  const [found] = tried(shipped, [...until, ...held, ...after]).tried
  expect(found).toMatchObject({ would_be_asked: 1, would_be_suspended: 1, asked: 1 })
})

test("a suspension that two people lifted begins anew; one that nobody lifted holds", () => {
  const grab = Array.from({ length: 8 }, (_, nth) => outside(nth))
  const past = lived(grab.map(request => ({ person: "p", organization: "o", request })))
  const more = Array.from({ length: 8 }, (_, nth) => outside(100 + nth))
  const again = lived(more.map(request => ({ person: "p", organization: "o", request })))
  const test = new BackTest(shipped, 0)
  for (const [entry, { past: each, isAnswered }] of past.entries()) {
    test.take(each, entry)
    if (isAnswered) test.answered("p", "o")
  }
  test.lifted({ person: "p", organization: "o" })
  for (const [entry, { past: each, isAnswered }] of again.entries()) {
    test.take(each, 100 + entry)
    if (isAnswered) test.answered("p", "o")
  }
  expect(test.result().tried[0]).toMatchObject({ suspended: 2, would_be_suspended: 2 })
  expect(tried(shipped, [...past, ...again]).tried[0]).toMatchObject({ suspended: 2, would_be_suspended: 1 })
})
