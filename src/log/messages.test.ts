import { describe, expect, test } from "vitest"
import type { DestinationState } from "./destinations.ts"
import { eventNames, eventOf, type EventName } from "./event-table.ts"
import type { Entry, EntryOf } from "./kinds.ts"
import { messagesOf } from "./messages.ts"
import { Register, type Effects } from "./state.ts"

const id = (prefix: string, last: string) => `${prefix}_01JDXV6Z0A000000000000000${last}`
const [agency, prime, sub, other] = ["0", "1", "2", "3"].map(last => id("org", last)) as [
  ...[string, string, string, string],
]
const [subs, others] = [id("per", "2"), id("per", "3")]
const start_ms = Date.parse("2026-11-25T03:00:00.000Z")

function destination(of: Partial<DestinationState> = {}): DestinationState {
  const place = { organization: agency, isAgency: true, rung: 0, entry: 0, status: "active" } as const
  const named = { destination: id("dst", "0"), name: "a", kind: "webhook", events: eventNames } as const
  return { ...named, ...place, ...of }
}

function stateWith(...active: DestinationState[]): Register {
  const state = new Register()
  const organization = (name: string, parent: string | null) => ({
    kind: "organization" as const,
    ...{ id: name, body: { organization: name, name, parent, suspended: false } },
  })
  const person = (name: string, of: string) => ({
    kind: "person" as const,
    ...{ id: name, body: { person: name, organization: of, office: "engineer", suspended: false, key: "" } },
  })
  const records = [
    ...[organization(prime, null), organization(sub, prime), organization(other, null)],
    ...[person(subs, sub), person(others, other)],
    { kind: "destinations" as const, id: "destinations", body: { active } },
  ] as Effects["records"]
  state.apply({ records, counters: [], members: [], captures: [], messages: [] }, 0)
  return state
}

function refused(code: string, of: { person?: string; at_ms?: number } = {}): EntryOf<"refused"> {
  const { person = subs, at_ms = start_ms } = of
  const nothing = { reader: null, grant: null, capture: null, network: null, asked: null, statement: null }
  return { v: 1, at: new Date(at_ms).toISOString(), kind: "refused", of: "release", code, person, ...nothing }
}

function told(state: Register, entry: Entry, index = 9): ReturnType<typeof messagesOf> {
  const part = messagesOf(entry, { index, records: [], state })
  state.apply({ ...part, counters: [], captures: [] }, index)
  return part
}

const eventsOf = (part: ReturnType<typeof messagesOf>) => part.messages.map(({ event }) => event)

describe("which refusals matter", () => {
  const cases: [string, EventName][] = [
    ["GRANT_BUDGET", "refused.budget"],
    ["BUDGET_VAULT", "refused.budget"],
    ["GRANT_UNKNOWN", "refused.unknown"],
    ["NOT_FOUND", "refused.unknown"],
    ["GRANT_DEVICE", "refused.identity"],
    ["SESSION_BOUND", "refused.identity"],
    ["GRANT_LANE", "refused.scope"],
    ["GRANT_HOLDER", "refused.scope"],
    ["RATE", "refused.rate"],
    ["LOG_UNWITNESSED", "log.unwitnessed"],
  ]
  for (const [code, event] of cases)
    test(`${code} is ${event}`, () =>
      expect(eventsOf(told(stateWith(destination()), refused(code)))).toEqual([event]))
  test("an id that somebody mistyped elsewhere is none", () => {
    const mistyped: Entry = { ...refused("NOT_FOUND"), of: "motion" }
    expect(told(stateWith(destination()), mistyped).messages).toEqual([])
  })
  test("INVALID is none", () =>
    expect(told(stateWith(destination()), refused("INVALID")).messages).toEqual([]))
})

test("nobody is told where there is no destination, or none that takes it", () => {
  expect(told(stateWith(), refused("GRANT_BUDGET"))).toEqual({ records: [], members: [], messages: [] })
  const deaf = stateWith(destination({ events: ["stop.ordered"] }))
  expect(told(deaf, refused("GRANT_BUDGET"))).toEqual({ records: [], members: [], messages: [] })
})

test("a flood of refusals is one message in ten minutes for each person and event, and no one's hides another's", () => {
  const state = stateWith(destination())
  const at = (minutes: number, code: string, person = subs) =>
    told(state, refused(code, { person, at_ms: start_ms + minutes * 60_000 })).messages.length
  expect([at(0, "GRANT_BUDGET"), at(1, "GRANT_BUDGET"), at(9, "BUDGET_PERSON")]).toEqual([1, 0, 0])
  expect([at(9, "RATE"), at(9, "GRANT_BUDGET", others)]).toEqual([1, 1])
  expect([at(10, "GRANT_BUDGET"), at(11, "GRANT_BUDGET")]).toEqual([1, 0])
})

test("what is remembered of a flood by many is bounded; the newest are remembered", () => {
  const state = stateWith(destination())
  for (let i = 0; i < 400; i += 1)
    told(state, refused("RATE", { person: `per_${String(i).padStart(26, "0")}` }))
  expect(state.record("recently", "recently")?.told).toHaveLength(256)
  const again = (i: number) =>
    told(state, refused("RATE", { person: `per_${String(i).padStart(26, "0")}` })).messages
  expect([again(399).length, again(0).length]).toEqual([0, 1])
})

describe("a vendor's destination", () => {
  const events = eventNames.filter(name => eventOf(name).vendors)
  const of = (organization: string, last: string) =>
    destination({ organization, isAgency: false, events, destination: id("dst", last) })

  test("hears of its own people and of those under it, and of nobody else", () => {
    const state = stateWith(of(prime, "1"), of(sub, "2"), of(other, "3"), destination())
    const heard = (person: string) =>
      told(state, refused("GRANT_BUDGET", { person })).messages.map(each => each.destination)
    expect(heard(subs)).toEqual([id("dst", "1"), id("dst", "2"), id("dst", "0")])
    expect(heard(others)).toEqual([id("dst", "3"), id("dst", "0")])
  })

  test("hears of none of the agency's own events, whatever its list says", () => {
    const greedy = destination({ organization: prime, isAgency: false, events: eventNames })
    expect(told(stateWith(greedy), refused("GRANT_UNKNOWN")).messages).toEqual([])
  })
})

test("each rung has its own time, ids sort by it, and a notice goes to the first alone", () => {
  const rungs = [3, 1, 0, 2].map(rung => destination({ rung, destination: id("dst", String(rung)) }))
  const { messages, members } = told(stateWith(...rungs), refused("GRANT_BUDGET"))
  const sorted = [...messages].sort((a, b) => (a.id < b.id ? -1 : 1))
  expect(sorted.map(({ due_ms }) => (due_ms - start_ms) / 60_000)).toEqual([0, 15, 60, 240])
  expect(members).toEqual([{ set: "notices", member: "0000000000000009", value: 1 }])
  const halves: Entry = {
    ...{ v: 1, at: new Date(start_ms).toISOString(), kind: "motion.seconded", motion: id("mot", "0") },
    ...{
      act: "policy",
      person: subs,
      asked: {} as never,
      statement: { motion_sha256: "", decision: "second" },
    },
  }
  const notice = told(stateWith(...rungs), halves)
  expect(notice.messages.map(({ destination: to }) => to)).toEqual([id("dst", "0")])
  expect(notice.members).toEqual([])
})

test("a body is canonical, and holds ids, numbers and words of lists alone", () => {
  const [message] = told(stateWith(destination()), refused("GRANT_BUDGET")).messages
  expect(message!.body).toBe(
    `{"data":{"act":"release","code":"GRANT_BUDGET","entry":9,"person":"${subs}"},"timestamp":"2026-11-25T03:00:00.000Z","type":"refused.budget"}`,
  )
})

test("a destination that cannot be told is not told so, but the others are", () => {
  const [a, b] = [destination(), destination({ destination: id("dst", "9") })]
  const entry: Entry = {
    ...{ v: 1, at: new Date(start_ms).toISOString(), kind: "message.abandoned", message: id("msg", "0") },
    ...{ destination: a.destination, event: "stop.ordered", attempts: 25 },
  }
  expect(told(stateWith(a, b), entry).messages.map(({ destination: to }) => to)).toEqual([b.destination])
})
