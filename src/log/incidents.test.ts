import { describe, expect, test } from "vitest"
import { incidentAfter, incidentRule, isRunning, type IncidentKind } from "./incidents.ts"
import type { Draft, EntryOf } from "./kinds.ts"
import { Register } from "./state.ts"

/** What a forged or bent entry comes to: the rules by themselves, without a door before them. */

const at = "2026-11-25T09:00:00.000Z"
const now_ms = Date.parse(at)
const incident = "inc_01M88ZVNKFVXM538BK2SFPRZ1D"
const person = "per_01M88ZVNKFVXM538BK2SFPRZ1D"
const organization = "org_01M88ZVNKFVXM538BK2SFPRZ1D"
const key = "k"
const asked = { key } as never
const whole = { records: [], counters: [], members: [], captures: [], messages: [] }
const hash = "0".repeat(64)

type DraftOf<K extends IncidentKind> = Extract<Draft, { kind: K }>

function declaredState(): Register {
  const state = new Register()
  const records = [
    {
      kind: "organization",
      id: organization,
      body: { organization, name: "V", parent: null, suspended: false },
    },
    { kind: "person", id: person, body: { person, organization, office: "privacy", suspended: false, key } },
    { kind: "key", id: key, body: { person, reader: null, kind: "ed25519", credential: null } },
  ] as const
  state.apply({ ...whole, records: [...records] }, 0)
  const statement = {
    ...{ title: "t", cause: { of: "organizations", organizations: [organization] }, from: null, until: null },
    ...{ discovered: [{ party: "agency", at }], facts: {}, note_commitment: null },
  } as const
  const draft = { kind: "incident.declared", incident, person, reported: false, once: hash, asked, statement }
  expect(incidentRule(draft as never, state, now_ms)).toBeNull()
  put(state, draft as never, 5)
  return state
}

function put(state: Register, draft: DraftOf<IncidentKind>, index: number): void {
  state.apply(
    { ...whole, ...incidentAfter({ v: 1, at, ...draft } as EntryOf<IncidentKind>, index, state) },
    index,
  )
}

const clock: DraftOf<"clocks.started">["clocks"][number] = {
  ...{ pack: "p", rule: "r", party: "agency", started_at: "2026-11-25T08:00:00.000Z" },
  ...{ due_at: "2026-11-25T10:00:00.000Z", receivers: ["cisa", "omb"], possible: false, leads: true },
}

function starting(changed: Partial<DraftOf<"clocks.started">> = {}): DraftOf<"clocks.started"> {
  const packs = [{ pack: "p", version: 1, sha256: hash }]
  const by = { incident, person, asked, statement: { version: 1 } }
  return { kind: "clocks.started", ...by, packs, clocks: [clock], ...changed }
}

const scoping = (size: number): DraftOf<"incident.scoped"> => ({
  ...{ kind: "incident.scoped", incident, person, asked, statement: { version: 1 } },
  ...{
    checkpoint: { size, root: hash },
    query_sha256: hash,
    result_sha256: hash,
    left: 1,
    refused: 0,
    takeable: 0,
  },
})

const meeting = (receiver: string): DraftOf<"clock.met"> => ({
  ...{ kind: "clock.met", incident, person, asked },
  statement: { pack: "p", rule: "r", party: "agency", receiver, reference: "R", acknowledged_at: at },
})

describe("an entry that no path of ours writes", () => {
  const state = declaredState()
  const bent: readonly [string, DraftOf<IncidentKind>, string | null][] = [
    ["clocks as they are", starting(), null],
    ["a clock of a pack that is not named", starting({ clocks: [{ ...clock, pack: "q" }] }), "INVALID"],
    ["a clock twice", starting({ clocks: [clock, clock] }), "INVALID"],
    ["a pack twice", starting({ packs: [...starting().packs, ...starting().packs] }), "INVALID"],
    [
      "a clock that is due before it starts",
      starting({ clocks: [{ ...clock, due_at: "2026-11-25T07:00:00.000Z" }] }),
      "INVALID",
    ],
    [
      "a clock that starts in a time to come",
      starting({ clocks: [{ ...clock, started_at: "2026-11-26T08:00:00.000Z", due_at: null }] }),
      "INVALID",
    ],
    ["clocks of another version", starting({ statement: { version: 2 } }), "INCIDENT_VERSION"],
    ["a count of before it was declared", scoping(5), "INVALID"],
    ["a count", scoping(6), null],
    ["an acknowledgement where no clock was started", meeting("cisa"), "NOT_FOUND"],
  ]
  for (const [what, draft, code] of bent)
    test(`${what}: ${code ?? "follows"}`, () => expect(incidentRule(draft, state, now_ms)).toBe(code))
})

test("clocks that are started anew keep what was acknowledged, where they are the same", () => {
  const state = declaredState()
  put(state, starting(), 6)
  put(state, meeting("cisa"), 7)
  const running = () => state.record("incident", incident)!.clocks!.running
  expect(running().map(isRunning)).toEqual([true])
  put(state, starting({ clocks: [clock, { ...clock, rule: "other" }] }), 8)
  expect(running().map(({ acknowledged }) => acknowledged.length)).toEqual([1, 0])
  put(state, meeting("omb"), 9)
  expect(running().map(isRunning)).toEqual([false, true])
  put(state, starting({ clocks: [{ ...clock, rule: "other" }] }), 10)
  expect(running()).toHaveLength(1)
  put(state, starting(), 11)
  expect(running().map(({ acknowledged }) => acknowledged.map(({ receiver }) => receiver))).toEqual([
    ["cisa", "omb"],
  ])
})

test("an incident takes a thousand entries, and then no more", () => {
  const state = declaredState()
  for (let index = 6; index < 6 + 999; index += 1) put(state, starting(), index)
  expect(incidentRule(starting(), state, now_ms)).toBe("CONFLICT")
})
