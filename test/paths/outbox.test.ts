import { createPublicKey, verify } from "node:crypto"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { acknowledge, acknowledgeNotice, closeAlert, raise } from "../../src/custody/alerts.ts"
import type { Records } from "../../src/log/state.ts"
import { recordOf } from "../../src/custody/caller.ts"
import { destinationOf, resendMessage } from "../../src/custody/destinations.ts"
import { proposeMotion } from "../../src/custody/motions.ts"
import { closeConnection, openConnection } from "../../src/ledger/connection.ts"
import { parseEntry } from "../../src/log/kinds.ts"
import { startPump, type Attempted, type Pump } from "../../src/outbox/pump.ts"
import type { OutboxSettings } from "../../src/outbox/settings.ts"
import { webhookKey } from "../../src/outbox/webhook.ts"
import { addDestination, organizationOf, proposeDestination } from "../destinations.ts"
import { settingsOf, suspendPerson } from "../destinations.ts"
import { callerOf, codeOf, openTestPort, second, type TestPort } from "../port.ts"
import { httpReceiver, until, type HttpReceiver, type Received } from "../receivers.ts"

let port: TestPort
let hook: HttpReceiver
let pump: Pump | null = null
const attempts: Attempted[] = []
const errors: unknown[] = []

beforeAll(async () => {
  port = await openTestPort()
  hook = await httpReceiver()
})
afterAll(async () => {
  await stopPump()
  await hook.close()
  await port.close()
  expect(errors).toEqual([])
})

function pumpOn(names: readonly string[], changed: Partial<OutboxSettings> = {}): void {
  const settings = settingsOf(port, names, changed)
  const counted = {
    told: (error: unknown) => errors.push(error),
    attempted: (of: Attempted) => attempts.push(of),
  }
  pump = startPump(port.house, { settings, ...counted })
}

async function stopPump(): Promise<void> {
  await pump?.close()
  pump = null
}

async function remove(id: string): Promise<void> {
  const statement = { destination: id }
  const path = "/v1/destination-removals"
  const caller = await callerOf(port.house, port.people.custodian, { path, statement })
  await second(
    port.house,
    port.people.privacy,
    (await proposeMotion(port.house, caller, "remove-destination")).id,
  )
}

const messagesOf = async (id: string) => (await destinationOf(port.house, id)).messages
const statesOf = async (id: string) => (await messagesOf(id)).map(({ state }) => state)
const isDone = async (id: string) => !(await statesOf(id)).includes("waiting")
const idsOf = (received: readonly Received[]) => received.map(({ headers }) => headers["webhook-id"])

const simple = { kind: "webhook", events: ["person.suspended"] } as const

describe("who hears of it", () => {
  test("nobody, before two people of different offices said so", async () => {
    const { id, motion } = await proposeDestination(port, { ...simple, name: "early", address: hook.url })
    await suspendPerson(port, "colleague", true)
    expect(await messagesOf(id)).toEqual([])
    expect(await codeOf(second(port.house, port.people.custodian, motion))).toBe("APPROVAL_SELF")
    await second(port.house, port.people.privacy, motion)
    await suspendPerson(port, "colleague", false)
    expect((await messagesOf(id)).map(({ event }) => event)).toEqual(["person.suspended"])
    await remove(id)
    await suspendPerson(port, "colleague", true)
    await suspendPerson(port, "colleague", false)
    expect(await messagesOf(id)).toHaveLength(1)
  })

  const bad = [
    ["webhook", "ftp://hooks.example"],
    ["webhook", "https://user:secret@hooks.example/"],
    ["email", "nobody"],
    ["email", "a@b.example, c@d.example"],
    ["syslog", "https://siem.example"],
    ["file", "../config.json"],
    ["http-json", "file:///etc/passwd"],
  ] as const
  for (const [kind, address] of bad)
    test(`no destination of the kind ${kind} is at ${address}`, async () =>
      expect(await codeOf(proposeDestination(port, { ...simple, name: "bad", kind, address }))).toBe(
        "INVALID",
      ))

  test("no two destinations have one name", async () => {
    const id = await addDestination(port, { ...simple, name: "twin", address: hook.url })
    expect(await codeOf(proposeDestination(port, { ...simple, name: "twin", address: hook.url }))).toBe(
      "CONFLICT",
    )
    await remove(id)
  })

  test("a vendor hears of his own people and of those under him, of nobody else, and never of alerts", async () => {
    const [prime, sub] = [await organizationOf(port, "prime"), await organizationOf(port, "engineer")]
    const alerts = { ...simple, events: ["alert.raised"], name: "nosy", address: hook.url } as const
    expect(await codeOf(proposeDestination(port, { ...alerts, organization: prime }))).toBe("DESTINATION")
    const late = { ...simple, name: "late", address: hook.url, organization: prime, rung: 1 }
    expect(await codeOf(proposeDestination(port, late))).toBe("DESTINATION")
    const ofPrime = await addDestination(port, {
      ...simple,
      name: "prime",
      address: hook.url,
      organization: prime,
    })
    const ofSub = await addDestination(port, { ...simple, name: "sub", address: hook.url, organization: sub })
    await suspendPerson(port, "engineer", true)
    await suspendPerson(port, "engineer", false)
    await suspendPerson(port, "prime", true)
    await suspendPerson(port, "prime", false)
    await suspendPerson(port, "analyst", true)
    await suspendPerson(port, "analyst", false)
    expect(await messagesOf(ofPrime)).toHaveLength(4)
    expect(await messagesOf(ofSub)).toHaveLength(2)
    await remove(ofPrime)
    await remove(ofSub)
  })
})

describe("messages are the log's", () => {
  test("a message that was taken away, added or changed is found by the recomputation", async () => {
    const id = await addDestination(port, { ...simple, name: "held", address: hook.url })
    await suspendPerson(port, "colleague", true)
    await suspendPerson(port, "colleague", false)
    const [newest, older] = await messagesOf(id)
    await remove(id)
    await port.reopen()
    expect(port.opened.fsck.problems).toEqual([])
    await port.opened.close()
    const connection = openConnection(join(port.data, "ledger.sqlite"))
    connection.exec(`create table kept as select * from messages where destination = '${id}';
      delete from messages where id = '${newest!.id}'; update messages set body = '{}' where id = '${older!.id}';
      insert into messages select 'msg_7' || substr(id, 6), destination, subject, event, entry, due_ms, body, state, attempts,
        next_ms, since_ms, lease, leased_until_ms, settled_ms, failed_ms, failure from kept where id = '${newest!.id}'`)
    closeConnection(connection)
    await port.reopen()
    const found = port.opened.fsck.problems.map(({ at, why }) => `${at}: ${why}`)
    expect(found.filter(each => each.includes(newest!.id))).toEqual([
      `message ${newest!.id}: the log has it, the ledger does not`,
    ])
    expect(found.filter(each => each.includes(older!.id))).toEqual([
      `message ${older!.id}: the ledger says something else than the log`,
    ])
    expect(found).toHaveLength(3)
    await port.opened.close()
    const again = openConnection(join(port.data, "ledger.sqlite"))
    again.exec(
      `delete from messages where destination = '${id}'; insert into messages select * from kept; drop table kept`,
    )
    closeConnection(again)
    await port.reopen()
    expect(port.opened.fsck.problems).toEqual([])
  })

  test("no entry says where a destination is; the address is a text that can be destroyed", async () => {
    const address = "https://hooks.example/T0KEN-in-a-path"
    const { motion } = await proposeDestination(port, { ...simple, name: "secret", address })
    const { size } = await port.house.ledger.head()
    const rows = await port.house.ledger.entries(Math.max(0, size - 20), size)
    expect(rows.map(({ bytes }) => Buffer.from(bytes).toString()).join("\n")).not.toContain("T0KEN")
    await second(port.house, port.people.privacy, motion, "reject")
  })
})

describe("a webhook", () => {
  let id: string
  beforeAll(async () => {
    id = await addDestination(port, { ...simple, name: "hook", address: `${hook.url}/in` })
  })
  afterAll(() => remove(id))

  test("is signed with a key that anyone can ask for, over id, time and body; ids are all that is in it", async () => {
    pumpOn(["hook"])
    const entry = await suspendPerson(port, "colleague", true)
    await until(() => hook.received.length === 1, "a delivery")
    const { headers, body, path } = hook.received[0]!
    expect(path).toBe("/in")
    const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`
    const [version, signature = ""] = String(headers["webhook-signature"]).split(",")
    const raw = Buffer.from(webhookKey(port.house.keys.root.webhookSigner(id)).slice(5), "base64")
    const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw])
    const key = createPublicKey({ key: der, format: "der", type: "spki" })
    expect(version).toBe("v1a")
    expect(verify(null, Buffer.from(signed), key, Buffer.from(signature, "base64"))).toBe(true)
    expect(verify(null, Buffer.from(`${signed} `), key, Buffer.from(signature, "base64"))).toBe(false)
    const { person } = port.people.colleague
    const { type, data } = JSON.parse(body) as { type: string; data: object }
    expect({ type, data }).toEqual({ type: "person.suspended", data: { entry, person, suspended: 1 } })
    expect(body).not.toContain("Planted")
    await until(() => isDone(id), "a receipt")
    expect(await statesOf(id)).toEqual(["delivered"])
  })

  test("that fails is tried again with the same id, and of one subject nothing overtakes", async () => {
    hook.received.length = 0
    hook.answer = 500
    await suspendPerson(port, "colleague", false)
    await suspendPerson(port, "colleague", true)
    await suspendPerson(port, "auditor", true)
    await until(() => hook.received.length >= 6, "attempts")
    const [auditors, , colleagues] = await messagesOf(id)
    expect(new Set(idsOf(hook.received))).toEqual(new Set([auditors!.id, colleagues!.id]))
    expect((await messagesOf(id))[0]).toMatchObject({ state: "waiting", failure: "it answered 500" })
    hook.answer = 204
    await until(() => isDone(id), "deliveries")
    const bodies = hook.received.map(
      ({ body }) => (JSON.parse(body) as { data: { entry: number } }).data.entry,
    )
    const last = [...new Set(bodies.toReversed())]
    expect(last.filter(entry => entry !== auditors!.entry)).toEqual([
      colleagues!.entry! + 1,
      colleagues!.entry,
    ])
    await suspendPerson(port, "auditor", false)
    await suspendPerson(port, "colleague", false)
    await until(() => isDone(id), "deliveries")
  })

  test("that redirects is not followed", async () => {
    hook.received.length = 0
    hook.answer = 302
    await suspendPerson(port, "colleague", true)
    await until(async () => (await messagesOf(id))[0]!.failure !== null, "a failure")
    expect((await messagesOf(id))[0]!.failure).toBe("it answered 302: redirects are not followed")
    hook.answer = 204
    await until(() => isDone(id), "a delivery")
  })

  test("that hangs ends in time, and keeps no other waiting", async () => {
    const silent = await httpReceiver()
    silent.answer = "hang"
    const deaf = await addDestination(port, { ...simple, name: "deaf", address: silent.url })
    await stopPump()
    pumpOn(["hook", "deaf"], { timeout_ms: 300 })
    hook.received.length = 0
    const people = ["colleague", "auditor", "engineer", "prime", "analyst", "cor"] as const
    for (const role of people) await suspendPerson(port, role, role !== "colleague")
    await until(() => hook.received.length === people.length, "the others")
    await until(async () => (await messagesOf(deaf)).some(({ failure }) => failure !== null), "an end")
    expect((await messagesOf(deaf)).find(({ failure }) => failure !== null)!.failure).toBe(
      "no answer in time",
    )
    for (const role of people) if (role !== "colleague") await suspendPerson(port, role, false)
    await remove(deaf)
    await silent.close()
    await until(() => isDone(deaf), "what waits for a removed destination to end")
  })

  test("inside of the house is refused unless the configuration allows that network", async () => {
    await stopPump()
    pumpOn([], {})
    await suspendPerson(port, "colleague", true)
    await until(async () => (await messagesOf(id))[0]!.failure !== null, "a refusal")
    expect((await messagesOf(id))[0]!.failure).toContain("127.0.0.1, which is no public address")
    await stopPump()
    pumpOn(["hook"])
    await until(() => isDone(id), "a delivery")
  })

  test("whose name leads inside is not connected to, and a name is asked once for each attempt", async () => {
    const asked: string[] = []
    const lookup = (host: string) => {
      asked.push(host)
      // Public at first sight, and inside when a second look would connect.
      return Promise.resolve(asked.length === 1 ? ["127.0.0.1"] : ["169.254.169.254"])
    }
    const address = `http://rebinds.example:${hook.port}/rebound`
    const rebinding = await addDestination(port, { ...simple, name: "rebinds", address })
    await stopPump()
    pumpOn(["rebinds", "hook"], { lookup })
    hook.received.length = 0
    await suspendPerson(port, "colleague", false)
    await until(() => hook.received.some(({ path }) => path === "/rebound"), "the address that was judged")
    await until(() => isDone(rebinding), "its end")
    expect(asked).toEqual(["rebinds.example"])
    await suspendPerson(port, "colleague", true)
    await until(async () => (await messagesOf(rebinding))[0]!.failure !== null, "a refusal")
    expect((await messagesOf(rebinding))[0]!.failure).toContain("169.254.169.254")
    await suspendPerson(port, "colleague", false)
    await remove(rebinding)
    await until(() => isDone(rebinding), "an end")
  })

  test("that answers 410 is given up at once, which is an entry that tells the others", async () => {
    const gone = await httpReceiver()
    gone.answer = 410
    const events = ["person.suspended", "message.abandoned"] as const
    const lost = await addDestination(port, { kind: "webhook", events, name: "gone", address: gone.url })
    const other = await addDestination(port, {
      ...{ kind: "webhook", events: ["message.abandoned"], name: "other", address: `${hook.url}/other` },
    })
    await stopPump()
    pumpOn(["hook", "gone", "other"])
    await suspendPerson(port, "colleague", true)
    await until(() => hook.received.some(({ path }) => path === "/other"), "the others to hear")
    const [message, ...rest] = await messagesOf(lost)
    expect([message!.state, rest]).toEqual(["abandoned", []])
    expect(message!.failure).toContain("410")
    const [row] = await port.house.ledger.newestEntries({ kind: "message.abandoned", limit: 1 })
    expect(parseEntry(row!.bytes)).toMatchObject({ message: message!.id, destination: lost, attempts: 1 })
    gone.answer = 204
    const path = `/v1/messages/${message!.id}/resending`
    const caller = await callerOf(port.house, port.people.analyst, {
      path,
      statement: { message: message!.id },
    })
    await resendMessage(port.house, caller, message!.id)
    await until(() => isDone(lost), "the delivery that a person asked for")
    expect(await statesOf(lost)).toEqual(["delivered"])
    expect(idsOf(gone.received)).toEqual([message!.id, message!.id])
    await suspendPerson(port, "colleague", false)
    for (const each of [lost, other]) await remove(each)
    await until(async () => (await isDone(lost)) && (await isDone(other)), "an end")
    await gone.close()
  })

  test("that takes nothing for three days is given up, and what comes after is told", async () => {
    const before = attempts.length
    hook.answer = 503
    await suspendPerson(port, "colleague", true)
    await until(() => attempts.length > before, "an attempt")
    port.clock.offset_ms += 3 * 86_400_000 - 60_000
    await new Promise(resolve => setTimeout(resolve, 1000))
    expect((await messagesOf(id))[0]!.state).toBe("waiting")
    port.clock.offset_ms += 60_000
    await until(async () => (await messagesOf(id))[0]!.state === "abandoned", "patience's end")
    hook.answer = 204
    await suspendPerson(port, "colleague", false)
    await until(() => isDone(id), "what comes after")
    expect((await statesOf(id)).slice(0, 2)).toEqual(["delivered", "abandoned"])
  })
})

describe("what nobody acknowledges goes on to the next destinations", () => {
  const rungs: string[] = []
  beforeAll(async () => {
    await stopPump()
    pumpOn(["r0", "r1", "r2", "r3"])
    const events = ["alert.raised", "person.suspended", "grant.revoked"] as const
    for (const rung of [0, 1, 2, 3])
      rungs.push(
        await addDestination(port, {
          kind: "webhook",
          events,
          rung,
          name: `r${rung}`,
          address: `${hook.url}/r${rung}`,
        }),
      )
    hook.received.length = 0
  })
  afterAll(async () => {
    for (const each of rungs) await remove(each)
  })

  const heard = () => hook.received.map(({ path }) => path)
  const minutes = (count: number) => (port.clock.offset_ms += count * 60_000)

  test("after 15 minutes, 1 hour and 4 hours, in turn, with one message each", async () => {
    await suspendPerson(port, "colleague", true)
    await until(() => heard().length === 1, "the first")
    minutes(14)
    await new Promise(resolve => setTimeout(resolve, 700))
    expect(heard()).toEqual(["/r0"])
    minutes(1)
    await until(() => heard().length === 2, "the second")
    minutes(45)
    await until(() => heard().length === 3, "the third")
    minutes(180)
    await until(() => heard().length === 4, "the fourth")
    expect(heard()).toEqual(["/r0", "/r1", "/r2", "/r3"])
    expect(new Set(idsOf(hook.received)).size).toBe(4)
  })

  test("and ends at the acknowledgement of the entry", async () => {
    hook.received.length = 0
    const entry = await suspendPerson(port, "colleague", false)
    minutes(15)
    await until(() => heard().length === 2, "the second")
    const statement = { outcome: "expected", note_commitment: null }
    const path = `/v1/notices/${entry}/acknowledgement`
    const caller = () => callerOf(port.house, port.people.cor, { path, statement })
    await acknowledgeNotice(port.house, await caller(), entry)
    expect(await codeOf(acknowledgeNotice(port.house, await caller(), entry))).toBe("CONFLICT")
    minutes(4 * 60)
    await until(async () => (await isDone(rungs[2]!)) && (await isDone(rungs[3]!)), "an end")
    expect(heard()).toEqual(["/r0", "/r1"])
    expect((await statesOf(rungs[3]!))[0]).toBe("ended")
    const other = `/v1/notices/${entry + 1}/acknowledgement`
    const stranger = await callerOf(port.house, port.people.cor, { path: other, statement })
    expect(await codeOf(acknowledgeNotice(port.house, stranger, entry + 1))).toBe("NOT_FOUND")
  })

  test("and at an alert's; who closes one that nobody took takes it, with a reason", async () => {
    hook.received.length = 0
    const signals = [{ what: "usb_connected" as const, count: 1, detail: {} }]
    await raise(port.house, { reader: port.reader.reader, signals })
    const open = (await port.house.ledger.records("alert", { limit: 10 })).at(-1)!
    const statement = { outcome: "fixed", note_commitment: null }
    const path = `/v1/alerts/${open.id}/acknowledgement`
    const caller = await callerOf(port.house, port.people.analyst, { path, statement })
    await acknowledge(port.house, caller, open.id)
    minutes(4 * 60)
    for (const each of rungs) await until(() => isDone(each), "an end")
    expect(heard()).toEqual(["/r0"])
    await closing(open.id)
    expect(await recordOf(port.house, "alert", open.id)).toMatchObject({
      acknowledged: { outcome: "fixed" },
      closed: { outcome: "escalated", person: port.people.privacy.person },
    })
    await raise(port.house, { reader: port.reader.reader, signals })
    const next = (await port.house.ledger.records("alert", { limit: 10 })).at(-1)!
    expect(next.id).not.toBe(open.id)
    await closing(next.id)
    expect(await codeOf(closing(next.id))).toBe("CONFLICT")
    expect(await recordOf(port.house, "alert", next.id)).toMatchObject({
      acknowledged: { outcome: "escalated" },
    })
    // What was given up above is open until somebody takes it.
    expect(await openAbout("message_abandoned")).toBe(2)
    expect(await port.house.ledger.counter("alerts/open")).toBe(2)
  })
})

test("a message that was given up is an alert about its destination, open until a person closes it", async () => {
  const rows = await port.house.ledger.records("alert", { limit: 100 })
  const abandoned = rows
    .map(row => JSON.parse(row.body) as Records["alert"])
    .filter(each => each.what === "message_abandoned")
  expect(abandoned.map(each => each.subject?.slice(0, 4))).toEqual(["dst_", "dst_"])
  expect(abandoned[0]!.detail).toMatchObject({ event: expect.any(String), attempts: expect.any(Number) })
  for (const { alert } of abandoned) {
    expect(await recordOf(port.house, "alert", alert)).toMatchObject({ acknowledged: null })
    await closing(alert)
    expect(await recordOf(port.house, "alert", alert)).toMatchObject({ closed: { outcome: "escalated" } })
  }
  expect(await port.house.ledger.counter("alerts/open")).toBe(0)
})

async function closing(alert: string): Promise<void> {
  const ask = { path: `/v1/alerts/${alert}/closing`, statement: { outcome: "escalated" } }
  const names = { reason: "taken to the port's security desk" }
  await closeAlert(port.house, await callerOf(port.house, port.people.privacy, { ...ask, names }), alert)
}

async function openAbout(what: string): Promise<number> {
  const rows = await port.house.ledger.records("alert", { limit: 100 })
  const alerts = rows.map(row => JSON.parse(row.body) as Records["alert"])
  return alerts.filter(each => each.what === what && each.acknowledged === null).length
}

test("after all of it the recomputation finds log and ledger agreed", async () => {
  await stopPump()
  await port.reopen()
  expect(port.opened.fsck.problems).toEqual([])
})
