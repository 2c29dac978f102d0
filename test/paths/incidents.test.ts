import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { closeTrace } from "../../src/custody/close-trace.ts"
import { destinationOf } from "../../src/custody/destinations.ts"
import { standingClocks, startClocks } from "../../src/custody/incident-clocks.ts"
import { incidentOf, resultName, resultOf } from "../../src/custody/incident-record.ts"
import { acknowledgeClock, amendIncident, closeIncident } from "../../src/custody/incidents.ts"
import { declareIncident, scopeIncident, signOffClock } from "../../src/custody/incidents.ts"
import { proposeMotion } from "../../src/custody/motions.ts"
import { suspend } from "../../src/custody/register.ts"
import { release } from "../../src/custody/release.ts"
import { openTrace, takeFile } from "../../src/custody/trace.ts"
import type { Statement } from "../../src/grant/request.ts"
import { newId } from "../../src/ids.ts"
import type { IncidentStatement } from "../../src/log/incident-shapes.ts"
import { parseEntry } from "../../src/log/kinds.ts"
import { startPump } from "../../src/outbox/pump.ts"
import { bodyName, sha256Hex } from "../../src/vault/vault.ts"
import { addDestination, organizationOf, settingsOf } from "../destinations.ts"
import { callerOf, codeOf, grantOf, openTestPort, releaseCaller, second } from "../port.ts"
import type { Role, TestPort } from "../port.ts"
import { httpReceiver, until, type HttpReceiver } from "../receivers.ts"
import { takeInPlain } from "../flat.ts"

let port: TestPort
let hook: HttpReceiver
let captures: readonly string[]
let live: string
let sub: string
let prime: string

const day_ms = 86_400_000
const ago = (span_ms: number) => new Date(port.house.log.clock() - span_ms).toISOString()

beforeAll(async () => {
  port = await openTestPort()
  hook = await httpReceiver()
  captures = await takeInPlain(port, 4)
  live = await grantOf(port, { terms: { captures: captures.slice(0, 3), images: 3, releases: 6 } })
  for (const capture of captures.slice(0, 2))
    await release(port.house, await releaseCaller(port, { grant: live, capture }))
  const outside = releaseCaller(port, { grant: live, capture: captures[3]! })
  expect(await codeOf(release(port.house, await outside))).toBe("GRANT_SELECTION")
  sub = await organizationOf(port, "engineer")
  prime = await organizationOf(port, "prime")
})
afterAll(async () => {
  await hook.close()
  await port.close()
})

/** The agency is in the chain of 2019: the subcontractor knew 18 days ago, the prime 14. */
function stated(changed: Partial<IncidentStatement> = {}): IncidentStatement {
  const contractor = { roles: ["dhs_contractor", "federal_contractor"], zone: "America/New_York" }
  return {
    title: "the vendor's network",
    cause: { of: "organizations", organizations: [sub] },
    from: ago(day_ms),
    until: null,
    discovered: [
      { party: "subcontractor", at: ago(18 * day_ms) },
      { party: "prime", at: ago(14 * day_ms) },
      { party: "agency", at: ago(0) },
    ],
    facts: {
      elements: { pii: "yes", plate_image: "yes" },
      parties: {
        subcontractor: contractor,
        prime: contractor,
        agency: { roles: ["federal_agency", "dhs_component"], zone: "America/New_York" },
      },
    },
    note_commitment: null,
    ...changed,
  }
}

async function declare(
  statement: IncidentStatement,
  of: { role?: Role; key?: string; reported?: true } = {},
) {
  const { role = "privacy", key = newId("req"), reported = false } = of
  const path = reported ? "/v1/breach-reports" : "/v1/incidents"
  const caller = await callerOf(port.house, port.people[role], { path, statement: { ...statement } })
  return declareIncident(port.house, caller, { reported, key })
}

async function report(role: Role = "engineer", organization = sub) {
  const cause = { of: "organizations" as const, organizations: [organization] }
  const discovered = [{ party: "subcontractor" as const, at: ago(60_000) }]
  return declare(stated({ cause, discovered }), { role, reported: true })
}

/** What a role does to an incident. */
async function act<T>(
  work: (
    house: TestPort["house"],
    caller: Awaited<ReturnType<typeof callerOf>>,
    incident: string,
  ) => Promise<T>,
  of: { incident: string; part: string; statement: Statement; role?: Role; names?: Record<string, string> },
): Promise<T> {
  const { incident, part, statement, role = "privacy", names = {} } = of
  const path = `/v1/incidents/${incident}/${part}`
  const caller = await callerOf(port.house, port.people[role], { path, statement, names })
  return work(port.house, caller, incident)
}

const scope = (incident: string, version = 1) =>
  act(scopeIncident, { incident, part: "scopes", statement: { version } })
const start = (incident: string, version = 1) =>
  act(startClocks, { incident, part: "clocks", statement: { version } })
const close = (incident: string, outcome: "settled" | "unfounded") => {
  const names = { reason: "the copies were found destroyed" }
  return act(closeIncident, { incident, part: "closing", statement: { outcome }, names })
}
const amend = (incident: string, version: number, changed: Partial<IncidentStatement> = {}) =>
  act(amendIncident, { incident, part: "amendments", statement: { version, ...stated(changed) } })

async function entryAt(index: number) {
  const [row] = await port.house.ledger.entries(index, index + 1)
  return parseEntry(row!.bytes)!
}

const messagesOf = async (id: string) => (await destinationOf(port.house, id)).messages
const toldOf = async (id: string) => (await messagesOf(id)).map(({ event }) => event)

describe("a vendor says that he was breached", () => {
  test("one signed call reaches the agency's webhook and the prime's, with ids and nothing else", async () => {
    const events = ["breach.reported", "incident.declared"] as const
    const simple = { kind: "webhook", address: hook.url } as const
    await addDestination(port, { ...simple, name: "soc", events })
    const ofPrime = await addDestination(port, {
      ...{ ...simple, name: "prime", organization: prime },
      events: ["breach.reported"],
    })
    const pump = startPump(port.house, {
      settings: settingsOf(port, ["soc", "prime"]),
      told: error => expect(error).toBeNull(),
    })
    const { incident, entry } = await report()
    pump.wake()
    await until(() => hook.received.length === 2, "both heard of it")
    await pump.close()
    const data = { entry, incident, organization: sub, person: port.people.engineer.person }
    for (const { body } of hook.received)
      expect(JSON.parse(body)).toMatchObject({ type: "breach.reported", data })
    expect(hook.received[0]!.body).not.toMatch(/Planted|SP7X042|Sub|vendor/)
    expect(await toldOf(ofPrime)).toEqual(["breach.reported"])
    expect(await incidentOf(port.house, incident)).toMatchObject({ status: "reported", organization: sub })
  })

  test("of his own organization and no other, and an agency's person declares instead", async () => {
    expect(await codeOf(report("engineer", prime))).toBe("INCIDENT_OWN")
    expect(await codeOf(report("prime"))).toBe("INCIDENT_OWN")
    expect(await codeOf(report("custodian"))).toBe("OFFICE")
    expect(await codeOf(declare(stated(), { role: "engineer" }))).toBe("OFFICE")
    expect(await codeOf(declare(stated(), { role: "auditor" }))).toBe("OFFICE")
  })

  test("who is suspended may still report, and do nothing else", async () => {
    const { person } = port.people.colleague
    const set = async (suspended: boolean) => {
      const path = `/v1/people/${person}/suspension`
      const caller = await callerOf(port.house, port.people.privacy, { path, statement: { suspended } })
      await suspend(port.house, caller, { kind: "person", id: person })
    }
    await set(true)
    expect((await incidentOf(port.house, (await report("colleague")).incident)).status).toBe("reported")
    await set(false)
  })

  test("the agency's statement takes its place", async () => {
    const { incident } = await report()
    await amend(incident, 1)
    const held = await incidentOf(port.house, incident)
    expect(held).toMatchObject({ status: "declared", reported: true, version: 2, organization: sub })
    expect(await codeOf(amend(incident, 1))).toBe("INCIDENT_VERSION")
  })
})

describe("an incident is declared", () => {
  test("once for one key, however often it is asked", async () => {
    const statement = stated()
    const first = await declare(statement, { key: "dump-of-tuesday" })
    const again = await declare(statement, { key: "dump-of-tuesday" })
    expect(again).toEqual({ ...first, again: true })
    const other = declare({ ...statement, title: "another" }, { key: "dump-of-tuesday" })
    expect(await codeOf(other)).toBe("IDEMPOTENCY")
    expect((await declare(statement, { key: "other" })).incident).not.toBe(first.incident)
    expect((await declare(statement, { key: "dump-of-tuesday", role: "cor" })).incident).not.toBe(
      first.incident,
    )
  })

  test("its entry has the ids and no name", async () => {
    const { entry } = await declare(stated())
    expect(JSON.stringify(await entryAt(entry))).not.toMatch(/Planted|"Sub"|"Prime"/)
  })

  const bad: readonly [string, string, () => Partial<IncidentStatement>][] = [
    ["T2 before T1", "INCIDENT_WINDOW", () => ({ from: ago(1000), until: ago(2000) })],
    ["T2 at T1", "INCIDENT_WINDOW", () => ({ from: ago(day_ms), until: ago(day_ms) })],
    ["a T1 that lies ahead", "INCIDENT_WINDOW", () => ({ from: ago(-day_ms) })],
    ["a month that does not exist", "INCIDENT_WINDOW", () => ({ from: "2026-13-45T00:00:00Z" })],
    ["30 February", "INCIDENT_WINDOW", () => ({ from: "2026-02-30T00:00:00Z" })],
    [
      "a discovery that lies ahead",
      "INCIDENT_WINDOW",
      () => ({ discovered: [{ party: "agency", at: ago(-day_ms) }] }),
    ],
    [
      "a party that discovered it twice",
      "INCIDENT_WINDOW",
      () => ({ discovered: [1, 2].map(hours => ({ party: "agency" as const, at: ago(hours) })) }),
    ],
    [
      "an organization that nobody registered",
      "NOT_FOUND",
      () => ({ cause: { of: "organizations", organizations: [newId("org")] } }),
    ],
    [
      "a person that nobody enrolled",
      "NOT_FOUND",
      () => ({ cause: { of: "people", people: [newId("per")] } }),
    ],
    ["a trace that nobody opened", "NOT_FOUND", () => ({ cause: { of: "files", traces: [newId("trc")] } })],
    ["what is no network", "INVALID", () => ({ cause: { of: "networks", networks: ["1.2.3/99"] } })],
    ["an element that no clock knows", "CLOCK_FACTS", () => ({ facts: { elements: { shoe_size: "yes" } } })],
    [
      "a role that no clock knows",
      "CLOCK_FACTS",
      () => ({ facts: { parties: { prime: { roles: ["wizard"], zone: "UTC" } } } }),
    ],
    [
      "a zone that is none",
      "CLOCK_FACTS",
      () => ({ facts: { parties: { prime: { roles: null, zone: "Mars/Olympus" } } } }),
    ],
  ]
  for (const [what, code, changed] of bad)
    test(`not with ${what}`, async () => expect(await codeOf(declare(stated(changed())))).toBe(code))

  test("not by a trace that is open; and a file that was never here is nobody's", async () => {
    const file = Buffer.from("no picture of ours")
    const statement = { files: [sha256Hex(file)] }
    const caller = await callerOf(port.house, port.people.privacy, { path: "/v1/traces", statement })
    const { trace } = await openTrace(port.house, caller)
    const cause = { of: "files", traces: [trace] } as const
    const known = stated({ cause: { ...cause, traces: [...cause.traces] } })
    expect(await codeOf(declare(known))).toBe("INCIDENT_TRACE")
    await takeFile(port.house, trace, file)
    await closeTrace(port.house, trace)
    const { incident } = await declare(known)
    const { result } = await scope(incident)
    expect(result.left.images).toMatchObject({ at_least: 0, at_most: 0 })
  })
})

describe("what left", () => {
  test("is counted at a checkpoint, kept by its digest, and the same when counted again", async () => {
    const { incident } = await declare(stated())
    const first = await scope(incident)
    expect(first.result.left.images).toMatchObject({ at_least: 2, at_most: 2 })
    expect(first.result.takeable.images).toMatchObject({ at_least: 1, at_most: 1 })
    expect(first.result.refused.images).toMatchObject({ at_least: 1, at_most: 1 })
    expect(first.result.live_grants).toMatchObject([{ grant: live, holder: port.people.engineer.person }])
    expect(await entryAt(first.entry)).toMatchObject({
      ...{ kind: "incident.scoped", left: 2, takeable: 1, refused: 1 },
      ...{ query_sha256: first.query_sha256, result_sha256: first.result_sha256 },
    })
    expect(first.result.checkpoint.size).toBeLessThanOrEqual(first.entry)
    const held = await incidentOf(port.house, incident)
    expect(await resultOf(port.house, held)).toEqual(first.result)
    const again = await scope(incident)
    expect(again.result.ids_sha256).toEqual(first.result.ids_sha256)
  })

  test("not for another version than the one in force, nor by who may not declare", async () => {
    const { incident } = await declare(stated())
    await amend(incident, 1, { from: ago(2 * day_ms) })
    expect(await codeOf(scope(incident))).toBe("INCIDENT_VERSION")
    expect((await scope(incident, 2)).result.left.images.at_least).toBe(2)
    const bySelf = act(scopeIncident, {
      incident,
      part: "scopes",
      statement: { version: 2 },
      role: "engineer",
    })
    expect(await codeOf(bySelf)).toBe("OFFICE")
  })

  test("no figure is given of a time before the log, and why is said", async () => {
    const { incident } = await declare(stated({ from: ago(90 * day_ms), until: ago(80 * day_ms) }))
    await expect(scope(incident)).rejects.toThrow(/before the log's first entry/)
    expect((await incidentOf(port.house, incident)).scoped).toBeNull()
  })

  test("a result that was changed in the store is refused, and counted again", async () => {
    const { incident } = await declare(stated())
    const { result_sha256 } = await scope(incident)
    const name = resultName(incident, result_sha256)
    await port.house.objects.delete(name)
    await port.house.objects.putIfAbsent(name, Buffer.from("{}"))
    const held = await incidentOf(port.house, incident)
    expect(await codeOf(resultOf(port.house, held))).toBe("VAULT_OBJECT")
  })

  test("a case that is opened again after its images are gone counts the same", async () => {
    const { incident } = await declare(stated())
    const before = await scope(incident)
    await close(incident, "unfounded")
    expect(await codeOf(scope(incident))).toBe("CONFLICT")
    const bytes = await port.house.objects.get(bodyName(captures[0]!))
    await port.house.objects.delete(bodyName(captures[0]!))
    await amend(incident, 1)
    expect(await incidentOf(port.house, incident)).toMatchObject({ status: "declared", closed: null })
    expect((await scope(incident, 2)).result.ids_sha256.left).toBe(before.result.ids_sha256.left)
    await port.house.objects.putIfAbsent(bodyName(captures[0]!), bytes!)
  })
})

const hsar = { pack: "us-dhs", rule: "hsar-72-pii" } as const
const receivers = ["component_soc", "contracting_officer"] as const

function acknowledge(
  incident: string,
  of: { party: string; receiver: string; at?: string; rule?: string; pack?: string },
) {
  const { at = ago(0), ...named } = of
  const statement = { ...hsar, ...named, reference: "CASE-1", acknowledged_at: at }
  return act(acknowledgeClock, { incident, part: "acknowledgements", statement })
}

describe("the clocks", () => {
  test("in the order of 2019, it is said whose was missed by how much", async () => {
    const { incident } = await declare(stated())
    await start(incident)
    const { clocks } = await standingClocks(port.house, await incidentOf(port.house, incident))
    const late = (party: string) => {
      const clock = clocks.find(each => each.rule.id === hsar.rule && each.party === party)
      return clock?.status.state === "missed" ? clock.status.late_by_ms : null
    }
    const hour_ms = 3_600_000
    expect(late("subcontractor")! - (18 * day_ms - hour_ms)).toBeLessThan(60_000)
    expect(late("prime")! - (14 * day_ms - hour_ms)).toBeLessThan(60_000)
    const agency = clocks.filter(({ party, status }) => party === "agency" && status.state === "running")
    expect(agency.length).toBeGreaterThan(0)
    expect(clocks.filter(({ status }) => status.state === "not_triggered").length).toBeGreaterThan(5)
  })

  test("beside them each threshold of the packs stands, by what was counted of this version", async () => {
    const residents = { "US-TX": { at_least: 3, at_most: 400 } }
    const { incident } = await declare(stated({ facts: { ...stated().facts, residents } }))
    const of = async (threshold: number, what: string) => {
      const { thresholds } = await standingClocks(port.house, await incidentOf(port.house, incident))
      return thresholds.find(each => each.threshold === threshold && each.of === what)
    }
    expect(await of(100_000, "people")).toMatchObject({
      state: "unknown",
      missing: "nobody has counted people",
    })
    const { result } = await scope(incident)
    const { at_most } = result.left.people
    expect(await of(100_000, "people")).toMatchObject({
      ...{ state: "not", interval: { u0: at_most }, crossed_on: null, possible_from: null, missing: null },
      ...{ rules: ["us-federal/fisma-major", "us-federal/fisma-supplement"] },
    })
    expect(await of(250, "residents of Texas")).toMatchObject({
      ...{ state: "possible", possible_from: null, missing: "residents of Texas are not counted by day" },
    })
    expect(await of(501, "residents of California")).toMatchObject({ state: "unknown" })
    await amend(incident, 1)
    expect(await of(100_000, "people")).toMatchObject({ state: "unknown" })
  })

  test("one is met when each of its receivers acknowledged, once, after it started", async () => {
    const { incident } = await declare(stated())
    await start(incident)
    const one = { party: "subcontractor", receiver: receivers[0] }
    expect(await codeOf(acknowledge(incident, { ...one, at: ago(19 * day_ms) }))).toBe("INCIDENT_WINDOW")
    expect(await codeOf(acknowledge(incident, { ...one, at: ago(-day_ms) }))).toBe("INCIDENT_WINDOW")
    expect(await codeOf(acknowledge(incident, { ...one, receiver: "somebody" }))).toBe("NOT_FOUND")
    expect(await codeOf(acknowledge(incident, { ...one, rule: "no-such" }))).toBe("NOT_FOUND")
    await acknowledge(incident, { ...one, at: ago(17 * day_ms) })
    expect(await codeOf(acknowledge(incident, one))).toBe("CONFLICT")
    const stateOf = async () => {
      const { clocks } = await standingClocks(port.house, await incidentOf(port.house, incident))
      return clocks.find(each => each.rule.id === hsar.rule && each.party === "subcontractor")!.status
    }
    expect((await stateOf()).state).toBe("missed")
    await acknowledge(incident, { ...one, receiver: receivers[1], at: ago(16 * day_ms) })
    const late_by_ms = 2 * day_ms - 3_600_000
    const met = await stateOf()
    expect(met.state).toBe("met")
    expect(Math.abs((met as { late_by_ms: number }).late_by_ms - late_by_ms)).toBeLessThan(60_000)
    await amend(incident, 1)
    await start(incident, 2)
    expect((await stateOf()).state).toBe("met")
  })

  test("counsel's word is the privacy officer's to sign, and an incident with running clocks is not settled", async () => {
    const { incident } = await declare(stated())
    expect(await codeOf(close(incident, "settled"))).toBe("INCIDENT_CLOCKS")
    const { clocks } = await start(incident)
    const statement = { ...hsar, party: "prime", opinion: "not_triggered", note_commitment: null }
    const by = (role: Role) => act(signOffClock, { incident, part: "sign-offs", statement, role })
    expect(await codeOf(by("custodian"))).toBe("OFFICE")
    await by("privacy")
    expect(await codeOf(close(incident, "settled"))).toBe("INCIDENT_CLOCKS")
    for (const { pack, rule, party } of clocks)
      await act(signOffClock, {
        ...{ incident, part: "sign-offs" },
        statement: { pack, rule, party, opinion: "not_triggered", note_commitment: null },
      })
    await close(incident, "settled")
    expect((await incidentOf(port.house, incident)).closed).toMatchObject({ outcome: "settled" })
    expect(await codeOf(start(incident))).toBe("CONFLICT")
  })
})

describe("reminders", () => {
  const due = (messages: Awaited<ReturnType<typeof messagesOf>>, rule: string) =>
    messages
      .map(({ body, due_ms, event, state }) => {
        const { data } = JSON.parse(body) as { data: { rule: string; party: string; percent: number } }
        return { ...data, due_ms, event, state }
      })
      .filter(each => each.rule === rule)
      .sort((a, b) => a.due_ms - b.due_ms)

  test("are told at 50, 80 and 100 % of what lies ahead; of what is over the last, at once; and end with the clock", async () => {
    const told = await addDestination(port, {
      ...{ name: "clocks", kind: "webhook", address: hook.url },
      events: ["clock.due", "clock.missed"],
    })
    const { incident } = await declare(stated())
    const { entry } = await start(incident)
    const started_ms = Date.parse((await entryAt(entry)).at)
    const missed = due(await messagesOf(told), hsar.rule)
    expect(missed.map(({ event, party, percent }) => [event, party, percent]).sort()).toEqual([
      ["clock.missed", "prime", 100],
      ["clock.missed", "subcontractor", 100],
    ])
    expect(missed.every(each => each.due_ms === started_ms)).toBe(true)
    const ahead = due(await messagesOf(told), "cisa-incident")
    expect(ahead.map(({ event, percent }) => [event, percent])).toEqual([
      ["clock.due", 50],
      ["clock.due", 80],
      ["clock.missed", 100],
    ])
    const first_ms = ahead[0]!.due_ms
    expect(ahead.map(each => (each.due_ms - first_ms) / 60_000)).toEqual([0, 18, 30])
    const cisa = { pack: "us-federal", rule: "cisa-incident", party: "agency", receiver: "cisa" }
    await acknowledge(incident, cisa)
    // Whatever is due within 400 days is sent now.
    const clock = () => port.house.log.clock() + 400 * day_ms
    const pump = startPump(port.house, {
      settings: settingsOf(port, ["clocks", "soc", "prime"], { clock }),
      told: error => expect(error).toBeNull(),
    })
    pump.wake()
    await until(
      async () => (await messagesOf(told)).every(({ state }) => state !== "waiting"),
      "all are settled",
    )
    await pump.close()
    const after = await messagesOf(told)
    expect(due(after, "cisa-incident").map(({ state }) => state)).toEqual(["ended", "ended", "ended"])
    expect(due(after, hsar.rule).map(({ state }) => state)).toEqual(["delivered", "delivered"])
  })
})

describe("a statement is frozen by two people", () => {
  const sign = async (incident: string, changed: object = {}) => {
    const { scoped } = await incidentOf(port.house, incident)
    const statement = {
      ...{ incident, scoped: scoped?.entry ?? 0, statement_sha256: "a".repeat(64), letters_sha256: null },
      ...changed,
    }
    const path = "/v1/statement-signings"
    const caller = await callerOf(port.house, port.people.privacy, { path, statement })
    return proposeMotion(port.house, caller, "sign-statement")
  }

  test("on the newest scope of what is believed now, and no other", async () => {
    const { incident } = await declare(stated())
    expect(await codeOf(sign(incident))).toBe("CONFLICT")
    const { entry } = await scope(incident)
    expect(await codeOf(sign(incident, { scoped: entry - 1 }))).toBe("CONFLICT")
    expect(await codeOf(sign(incident, { incident: newId("inc") }))).toBe("NOT_FOUND")
    const { motion } = await sign(incident)
    expect(await codeOf(second(port.house, port.people.privacy, motion!))).toBe("APPROVAL_SELF")
    const stale = (await sign(incident)).motion
    await amend(incident, 1)
    expect(await codeOf(second(port.house, port.people.cor, stale!))).toBe("CONFLICT")
    await scope(incident, 2)
    const told = await addDestination(port, {
      ...{ name: "signed", kind: "webhook", address: hook.url },
      events: ["statement.signed"],
    })
    const fresh = await sign(incident, { letters_sha256: "b".repeat(64) })
    await second(port.house, port.people.cor, fresh.motion!)
    expect((await incidentOf(port.house, incident)).signed).toMatchObject({
      ...{ motion: fresh.motion, statement_sha256: "a".repeat(64), letters_sha256: "b".repeat(64) },
    })
    expect(await toldOf(told)).toEqual(["statement.signed"])
  })
})

test("the log leads to all of it again, and the vault takes it", async () => {
  await port.reopen()
  expect(port.opened.fsck.problems).toEqual([])
  const caller = await releaseCaller(port, { grant: live, capture: captures[2]! })
  expect(await codeOf(release(port.house, caller))).toBe("done")
})
