import fc from "fast-check"
import { expect, test } from "vitest"
import { assessAll, newState, outside, shipped, within } from "../../test/watched.ts"
import { assess, ln3_micronats } from "./assess.ts"
import {
  answered,
  at,
  formatState,
  liftedOrganization,
  liftedPerson,
  ofOrganization,
  parseOrganization,
  parsePerson,
  slots,
  standingOf,
} from "./state.ts"
import { scopes, type WatchedRequest } from "./symbols.ts"

const { person: thresholds } = shipped.file.thresholds
const verdicts = (all: readonly { verdict: string }[]) => all.map(({ verdict }) => verdict)
const many = (count: number, make: (nth: number) => WatchedRequest) =>
  Array.from({ length: count }, (_, i) => make(i))

/** Requests of any kind, in any order of times. */
const anyRequest: fc.Arbitrary<WatchedRequest> = fc.record({
  at_ms: fc.integer({ min: 1_900_000_000_000, max: 1_930_000_000_000 }),
  isOffHours: fc.boolean(),
  purpose: fc.constantFrom("calibration", "misread-triage", "never seen"),
  ticket: fc.integer({ min: 0, max: 60 }),
  scope: fc.constantFrom(...scopes),
  isOtherKind: fc.boolean(),
  isHeld: fc.boolean(),
  image: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  cell: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  port: fc.integer({ min: 1, max: 60 }),
  place: fc.integer({ min: 0, max: 2 ** 31 }),
  network: fc.integer({ min: 1, max: 40 }),
  device: fc.integer({ min: 1, max: 40 }),
})

test("a bulk grab is asked first and then suspended, within ten images", () => {
  const seen = verdicts(assessAll(newState(), many(12, outside)))
  expect(seen.indexOf("step-up")).toBeGreaterThanOrEqual(1)
  expect(seen.indexOf("suspend")).toBeGreaterThan(seen.indexOf("step-up"))
  expect(seen.indexOf("suspend")).toBeLessThanOrEqual(9)
  expect(new Set(seen.slice(seen.indexOf("suspend")))).toEqual(new Set(["suspend"]))
})

test("work within the order never asks, at any pace", () => {
  for (const gap_ms of [0, 400, 12_000, 7_200_000]) {
    const requests = many(400, nth => within(nth, { at_ms: 1_925_550_000_000 + nth * gap_ms }))
    expect(new Set(verdicts(assessAll(newState(), requests)))).toEqual(new Set(["pass"]))
  }
})

test("a first crossing is a step-up even where it jumps beyond h, and the next one suspends", () => {
  const state = newState()
  state.person.cells[at.sums] = thresholds.suspend_micronats * 3
  expect(assess(shipped, state, within(0)).verdict).toBe("step-up")
  expect(standingOf(state.person)).toBe("asked")
  expect(assess(shipped, state, within(1)).verdict).toBe("suspend")
})

test("while the answer is awaited every request is asked again; after it the evidence stands and nobody is asked a second time", () => {
  const state = newState()
  const all = [0, 1, 2, 3].map(nth => assess(shipped, state, outside(nth)))
  const asked = all.findIndex(({ verdict }) => verdict === "step-up")
  expect(asked).toBeGreaterThan(0)
  expect(assess(shipped, state, within(20)).verdict).toBe("step-up")
  const before = state.person.cells[at.sums]
  answered(state.person)
  answered(state.organization)
  expect(state.person.cells[at.sums]).toBe(before)
  expect(assess(shipped, state, within(21)).verdict).toBe("pass")
  const rest = verdicts(
    assessAll(
      state,
      many(8, nth => outside(30 + nth)),
    ),
  )
  expect(rest).not.toContain("step-up")
  expect(rest.at(-1)).toBe("suspend")
})

/** Takes until asked, then works until the evidence is gone, again and again. */
function takesAndWorks(work: (nth: number) => WatchedRequest) {
  const state = newState()
  const seen: string[] = []
  for (let nth = 0; nth < 20_000 && !seen.includes("suspend"); nth += 1) {
    const takes = standingOf(state.person) === "calm"
    seen.push(...verdicts(assessAll(state, [takes ? outside(nth) : work(nth)])))
  }
  return seen
}

test("an attacker who holds the key and sheds evidence by honest work is asked twice, and the third time stopped", () => {
  const seen = takesAndWorks(nth => within(nth))
  expect(seen.filter(verdict => verdict === "step-up")).toHaveLength(2)
  expect(seen.at(-1)).toBe("suspend")
})

test("reading what one holds already sheds nothing", () => {
  const seen = takesAndWorks(nth => within(nth, { isHeld: true }))
  expect(seen.filter(verdict => verdict === "step-up")).toHaveLength(1)
  expect(seen).not.toContain("suspend")
  expect(seen.slice(10).every(verdict => verdict === "pass")).toBe(true)
})

test("who is asked once in a long while is asked, not suspended", () => {
  const state = newState()
  let asked = 0
  for (let round = 0; round < 6; round += 1) {
    const taken = assessAll(
      state,
      many(4, nth => outside(10_000 * round + nth)),
    )
    asked += verdicts(taken).filter(verdict => verdict === "step-up").length
    const worked = assessAll(
      state,
      many(1_200, nth => within(10_000 * round + 10 + nth)),
    )
    expect(verdicts(worked)).not.toContain("suspend")
    expect(standingOf(state.person)).toBe("calm")
  }
  expect(asked).toBe(6)
})

test("time alone lowers no evidence: fifty a day cost as many images as fifty a minute", () => {
  const slow = assessAll(
    newState(),
    many(12, nth => outside(nth, { at_ms: 1_925_550_000_000 + nth * 86_400_000 })),
  )
  const fast = assessAll(
    newState(),
    many(12, nth => outside(nth, { at_ms: 1_925_550_000_000 + nth * 1_000 })),
  )
  const at = (all: typeof slow) => verdicts(all).indexOf("suspend")
  expect(at(slow)).toBeGreaterThan(0)
  expect(at(slow)).toBeLessThanOrEqual(at(fast))
})

test("clocks that go back and requests out of order hide nothing", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -400, max: 400 }), { minLength: 14, maxLength: 14 }), hours => {
      const state = newState()
      const requests = hours.map((hour, nth) => outside(nth, { at_ms: 1_925_550_000_000 + hour * 3_600_000 }))
      expect(verdicts(assessAll(state, requests)).at(-1)).toBe("suspend")
    }),
    { seed: 7 },
  )
})

test("an image is evidence once: held ones and the same one again move no sum", () => {
  const state = newState()
  assessAll(state, [outside(0), outside(1)])
  const sums = () => [...state.person.cells.slice(at.sums, at.sums + 3)]
  const before = sums()
  assessAll(
    state,
    many(500, nth => within(nth + 2, { isHeld: true })),
  )
  expect(sums()).toEqual(before)
  const last = outside(900)
  assessAll(state, [last])
  const after = sums()
  assessAll(
    state,
    many(500, () => last),
  )
  expect(sums()).toEqual(after)
})

test("trap one: two interleaved tickets are judged each by its own past", () => {
  const apart = assessAll(newState(), [
    ...many(60, nth => within(nth, { ticket: 1 })),
    ...many(60, nth => within(60 + nth, { ticket: 2, cell: 9 })),
  ])
  const mixed = assessAll(
    newState(),
    many(120, nth => within(nth, { ticket: 1 + (nth % 2), cell: nth % 2 === 0 ? 5 : 9 })),
  )
  const most = (all: typeof apart) => Math.max(...all.map(({ evidence }) => evidence.person_micronats))
  expect(most(mixed)).toBeLessThanOrEqual(most(apart))
})

test("trap two: a purpose that was never seen still gives evidence, by the pool", () => {
  const seen = verdicts(
    assessAll(
      newState(),
      many(12, nth => outside(nth, { purpose: "aerial-survey" })),
    ),
  )
  expect(seen.indexOf("suspend")).toBeGreaterThan(0)
  expect(seen.indexOf("suspend")).toBeLessThanOrEqual(9)
})

test("work under one ticket does not cover what happens under another", () => {
  const state = newState()
  const requests = Array.from({ length: 40 }, (_, nth) => [
    outside(50 * nth, { ticket: 9 }),
    ...many(49, i => within(50 * nth + i + 1, { ticket: 1 })),
  ]).flat()
  expect(verdicts(assessAll(state, requests))).toContain("suspend")
})

test("a flood of tickets forgets old ones, never the evidence of the person, nor memory", () => {
  const state = newState()
  const size = state.person.cells.length
  assessAll(state, [outside(0), outside(1)])
  const held = state.person.cells[at.sums] ?? 0
  const ticket = state.person.cells.slice(at.tickets, at.tickets + 10)
  assessAll(
    state,
    many(5_000, nth => within(10 + nth, { ticket: 100 + nth, isHeld: true })),
  )
  expect(state.person.cells[at.sums]).toBe(held)
  // The suspected ticket is the last to go.
  expect([...state.person.cells.slice(at.tickets, at.tickets + 10)]).toEqual([...ticket])
  expect(state.person.cells.length).toBe(size)
  expect(formatState(state.person).length).toBeLessThan(3_000)
})

test("grabs spread over more tickets than are remembered are suspended like others", () => {
  const seen = verdicts(
    assessAll(
      newState(),
      many(3 * slots.tickets, nth => outside(nth, { ticket: nth + 1 })),
    ),
  )
  expect(seen.indexOf("suspend")).toBeGreaterThan(0)
  expect(seen.indexOf("suspend")).toBeLessThanOrEqual(9)
})

test("a state that was written and read goes on as if it had never been away", () => {
  fc.assert(
    fc.property(fc.array(anyRequest, { minLength: 1, maxLength: 80 }), requests => {
      const [kept, stored] = [newState(), newState()]
      let current = stored
      for (const request of requests) {
        const expected = assess(shipped, kept, request)
        const got = assess(shipped, current, request)
        expect(got.verdict).toBe(expected.verdict)
        expect(got.evidence).toEqual(expected.evidence)
        const [person, organization] = [formatState(current.person), formatState(current.organization)]
        expect([person, organization]).toEqual([formatState(kept.person), formatState(kept.organization)])
        current = { person: parsePerson(person)!, organization: parseOrganization(organization)! }
      }
    }),
    { seed: 11, numRuns: 60 },
  )
})

test("whatever is asked, sums stay whole, bounded and never below nothing, and an organization's total is its people's", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2), anyRequest), { maxLength: 120 }), requests => {
      const organization = newState().organization
      const people = [newState(), newState(), newState()].map(({ person }) => ({ person, organization }))
      for (const [who, request] of requests) assess(shipped, people[who]!, request)
      for (const { person } of people)
        for (const sum of person.cells.slice(at.sums, at.sums + 3)) {
          expect(Number.isSafeInteger(sum)).toBe(true)
          expect(sum).toBeGreaterThanOrEqual(0)
        }
      const counted = people.reduce((sum, { person }) => sum + person.cells[at.counted]!, 0)
      expect(organization.cells[ofOrganization.total]).toBe(counted)
    }),
    { seed: 13, numRuns: 60 },
  )
})

test("one person's flood stops nobody else, however long it goes on", () => {
  const { person, organization } = newState()
  assessAll({ person, organization }, many(10_000, outside))
  expect(standingOf(person)).toBe("suspended")
  expect(standingOf(organization)).not.toBe("suspended")
  const colleague = { person: newState().person, organization }
  expect(
    new Set(
      verdicts(
        assessAll(
          colleague,
          many(200, nth => within(nth)),
        ),
      ),
    ),
  ).toEqual(new Set(["pass"]))
})

test("beside a flood a colleague's four slips are asked at most, and stop nobody", () => {
  const { person, organization } = newState()
  assessAll({ person, organization }, many(100, outside))
  const colleague = { person: newState().person, organization }
  const seen = assessAll(colleague, [
    ...[within(0), outside(1), outside(2), within(3), within(4), outside(5), outside(6)],
    ...many(50, nth => within(7 + nth)),
  ])
  expect(verdicts(seen)).not.toContain("suspend")
  expect(standingOf(organization)).not.toBe("suspended")
})

test("colluders add up: each alone stays below his step-up, together they stop their organization", () => {
  const { organization } = newState()
  const people = many(9, within).map(() => ({ person: newState().person, organization }))
  const seen = people.flatMap(state => assessAll(state, [outside(0), outside(1)]))
  expect(verdicts(seen)).toContain("suspend")
  expect(seen.every(({ evidence }) => evidence.person_micronats < thresholds.stepUp_micronats)).toBe(true)
  expect(standingOf(organization)).toBe("suspended")
  const innocent = { person: newState().person, organization }
  expect(assess(shipped, innocent, within(0))).toMatchObject({
    verdict: "suspend",
    evidence: { about: "organization" },
  })
})

test("who is suspended stays so until two people lift it, and then begins from nothing", () => {
  const state = newState()
  assessAll(state, many(12, outside))
  expect(state.organization.cells[ofOrganization.total]).toBeGreaterThan(0)
  liftedPerson(state.person, state.organization)
  expect(state.organization.cells[ofOrganization.total]).toBe(0)
  expect(assess(shipped, state, within(50))).toMatchObject({
    verdict: "pass",
    evidence: { person_micronats: 0 },
  })
  expect(
    verdicts(
      assessAll(
        state,
        many(12, nth => outside(60 + nth)),
      ),
    ).at(-1),
  ).toBe("suspend")
})

test("a lifted organization works on, and is stopped again by what is new", () => {
  const { organization } = newState()
  const people = many(9, within).map(() => ({ person: newState().person, organization }))
  for (const state of people) assessAll(state, [outside(0), outside(1)])
  liftedOrganization(organization)
  expect(assess(shipped, { person: newState().person, organization }, within(0)).verdict).toBe("pass")
  const others = many(9, within).map(() => ({ person: newState().person, organization }))
  const again = others.flatMap(state => assessAll(state, [outside(0), outside(1)]))
  expect(verdicts(again)).toContain("suspend")
})

test("the statistic is below the logarithm of the mean over the stakes", () => {
  const state = newState()
  for (let nth = 0; nth < 5; nth += 1) {
    const { evidence } = assess(shipped, state, outside(nth))
    const sums = [...state.person.cells.slice(at.sums, at.sums + 3)].map(sum => Math.exp(sum / 1e6))
    const exact = 1e6 * Math.log(sums.reduce((all, sum) => all + sum, 0) / 3)
    expect(evidence.person_micronats).toBeLessThanOrEqual(exact)
    expect(evidence.person_micronats).toBeGreaterThan(exact - ln3_micronats - 1)
  }
})
