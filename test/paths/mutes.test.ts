import { afterAll, beforeAll, expect, test } from "vitest"
import { endMute, muteEvent, mutesOf } from "../../src/custody/mutes.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { Fault } from "../../src/fault.ts"
import { newId } from "../../src/ids.ts"
import type { EventName } from "../../src/log/event-table.ts"
import { fsck } from "../../src/log/fsck.ts"
import { permit } from "../../src/custody/opening.ts"
import { addDestination, organizationOf } from "../destinations.ts"
import { callerOf, codeOf, openTestPort, releaseCaller, type Role, type TestPort } from "../port.ts"

/** One person may have a destination not told of some events for a while, and never without the others' hearing of it. */

let port: TestPort
let soc: string
let siem: string

const hour_ms = 3_600_000

beforeAll(async () => {
  port = await openTestPort()
  const events = ["refused.unknown", "refused.identity", "budget.half", "rule.muted"] as const
  soc = await addDestination(port, { name: "soc", kind: "file", events, address: "soc.ndjson" })
})
afterAll(async () => {
  const { house } = port
  expect((await fsck(house.ledger, { origin: house.log.origin, verify: verifyEd25519 })).problems).toEqual([])
  await port.close()
})

interface Muted {
  readonly event?: EventName
  readonly destination?: string
  readonly subject?: string | null
  readonly for_ms?: number
  readonly reason?: string
  readonly role?: Role
}

async function mute(of: Muted = {}) {
  const { event = "refused.unknown", destination = soc, subject = null, role = "analyst" } = of
  const until = new Date(port.house.log.clock() + (of.for_ms ?? hour_ms)).toISOString()
  const { reason = "the list of work orders is being moved" } = of
  const ask = {
    path: "/v1/watch/mutes",
    statement: { event, destination, subject, until },
    names: { reason },
  }
  return muteEvent(port.house, await callerOf(port.house, port.people[role], ask))
}

/** Why it is refused. */
async function whyNot(of: Muted): Promise<string> {
  try {
    await mute(of)
    return "muted"
  } catch (error) {
    if (error instanceof Fault) return `${error.code}: ${error.message}`
    throw error
  }
}

/** Somebody asks for what does not exist, an hour after the last time: messages fold within ten minutes. */
async function probe(role: Role = "engineer"): Promise<void> {
  port.clock.offset_ms += 11 * 60_000
  const grant = newId("grt")
  const caller = await releaseCaller(port, { grant, capture: newId("cap"), role })
  expect(await codeOf(permit(port.house, caller, "release"))).toBe("GRANT_UNKNOWN")
}

async function toldOf(destination: string, event: EventName): Promise<number> {
  const all = await port.house.ledger.newestMessages({ destination, limit: 200 })
  return all.filter(each => each.event === event).length
}

test("nobody mutes where no other destination of the agency would hear of it", async () => {
  expect(await whyNot({})).toBe(
    "MUTE: No other destination of the agency takes rule.muted at once: nobody would hear that this is muted.",
  )
  const prime = await organizationOf(port, "prime")
  const vendor = { kind: "file", events: ["budget.half"], organization: prime } as const
  await addDestination(port, { ...vendor, name: "prime", address: "prime.ndjson" })
  expect(await whyNot({ event: "budget.half" })).toContain("takes rule.muted at once")
  const events = ["rule.muted", "rule.unmuted"] as const
  siem = await addDestination(port, { name: "siem", kind: "file", events, address: "siem.ndjson" })
  expect(await whyNot({})).toBe(
    "MUTE: No other destination of the agency would be told of this event; name a subject, or add one.",
  )
})

test("what may not be muted, or not so, is refused with its reason", async () => {
  const { person } = port.people.engineer
  expect(await whyNot({ event: "refused.identity", subject: person })).toContain(
    "cannot be muted for anybody",
  )
  expect(await whyNot({ event: "rule.muted", subject: person })).toContain("cannot be muted for anybody")
  expect(await whyNot({ event: "refused.scope", subject: person })).toContain("is not told of this event")
  expect(await whyNot({ subject: person, for_ms: 7 * 24 * hour_ms + 60_000 })).toContain("7 days at most")
  expect(await whyNot({ subject: person, for_ms: -1000 })).toContain("ends in the future")
  expect(await whyNot({ subject: person, reason: "noise" })).toContain("reason of at least 15 characters")
  expect(await whyNot({ subject: person, role: "auditor" })).toContain("OFFICE")
  expect(await whyNot({ subject: person, role: "engineer" })).toContain("OFFICE")
  expect(await whyNot({ destination: newId("dst") })).toContain("NOT_FOUND")
})

test("a subject is muted for one destination: the others hear of that, the rest is told, and it ends by itself", async () => {
  const { person } = port.people.engineer
  await probe()
  expect(await toldOf(soc, "refused.unknown")).toBe(1)
  const { id } = await mute({ subject: person })
  expect(await whyNot({ subject: person })).toContain("CONFLICT: It is muted already")
  expect(await toldOf(siem, "rule.muted")).toBe(1)
  await probe()
  await probe("colleague")
  expect(await toldOf(soc, "refused.unknown")).toBe(2)
  expect(await mutesOf(port.house)).toMatchObject([
    { mute: id, subject: person, held_back: 1, destination: soc },
  ])
  port.clock.offset_ms += hour_ms
  expect(await mutesOf(port.house)).toEqual([])
  await probe()
  expect(await toldOf(soc, "refused.unknown")).toBe(3)
})

test("a mute of all is for an event that another of the agency's destinations hears, and one person ends it sooner", async () => {
  const second = await addDestination(port, {
    ...{ name: "second", kind: "file", events: ["refused.unknown"], address: "second.ndjson" },
  })
  const { id } = await mute()
  expect(await whyNot({ destination: second })).toContain("would be told of this event")
  const before = await toldOf(soc, "refused.unknown")
  await probe()
  expect(await toldOf(soc, "refused.unknown")).toBe(before)
  expect(await toldOf(second, "refused.unknown")).toBe(1)
  const ask = { path: `/v1/watch/mutes/${id}/ending`, statement: { mute: id } }
  const ended = async () => endMute(port.house, await callerOf(port.house, port.people.cor, ask), id)
  expect(await codeOf(ended())).toBe("done")
  expect(await codeOf(ended())).toBe("NOT_FOUND")
  expect(await toldOf(siem, "rule.unmuted")).toBe(1)
  await probe()
  expect(await toldOf(soc, "refused.unknown")).toBe(before + 1)
})
