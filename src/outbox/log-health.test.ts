import { afterAll, beforeAll, expect, test } from "vitest"
import { addDestination, settingsOf } from "../../test/destinations.ts"
import { openTestPort, type TestPort } from "../../test/port.ts"
import { httpReceiver, until, type HttpReceiver } from "../../test/receivers.ts"
import { destinationOf } from "../custody/destinations.ts"
import type { House } from "../custody/house.ts"
import { tellLogHealth } from "./log-health.ts"
import { startPump } from "./pump.ts"

let port: TestPort
let hook: HttpReceiver
let first: string
let later: string

beforeAll(async () => {
  port = await openTestPort()
  hook = await httpReceiver()
  const events = ["log.forked", "log.unwitnessed"] as const
  first = await addDestination(port, { name: "first", kind: "webhook", events, address: hook.url })
  later = await addDestination(port, { name: "later", kind: "webhook", events, rung: 1, address: hook.url })
})
afterAll(async () => {
  await hook.close()
  await port.close()
})

const eventsAt = async (id: string) =>
  (await destinationOf(port.house, id)).messages.map(({ event }) => event)

test("a log that is well tells nothing", async () => {
  await tellLogHealth(port.house)
  expect(await eventsAt(first)).toEqual([])
})

test("witnesses that are behind are told of once for each tree that they saw last, to the first rung", async () => {
  const stated_ms = port.house.log.clock() - 61_000
  const sick = (size: number, refusal: string | null) => {
    const witnesses = { refusal: () => refusal, newest: { size, stated_ms } }
    const log = { stopped: null, witnesses, clock: port.house.log.clock } as unknown as House["log"]
    return tellLogHealth({ ...port.house, log })
  }
  await sick(5, null)
  expect(await eventsAt(first)).toEqual([])
  for (let i = 0; i < 3; i += 1) await sick(5, "the witnesses saw it 61 s ago")
  expect(await eventsAt(first)).toEqual(["log.unwitnessed"])
  expect(await eventsAt(later)).toEqual([])
  await sick(6, "the witnesses saw it 61 s ago")
  expect(await eventsAt(first)).toEqual(["log.unwitnessed", "log.unwitnessed"])
})

test("a log that has stopped is told of beside it, to every rung in its time, and arrives though no entry can be written", async () => {
  port.house.log.stop("the ledger's head went back")
  for (let i = 0; i < 3; i += 1) await tellLogHealth(port.house)
  expect((await eventsAt(first))[0]).toBe("log.forked")
  expect(await eventsAt(later)).toEqual(["log.forked"])
  const settings = settingsOf(port, ["first", "later"])
  const pump = startPump(port.house, { settings, told: () => undefined })
  const heard = () => hook.received.filter(({ body }) => body.includes("log.forked")).length
  await until(() => heard() === 1, "the first")
  port.clock.offset_ms += 15 * 60_000
  await until(() => heard() === 2, "the second")
  await pump.close()
})

test("and the recomputation leaves alone what no entry tells", async () => {
  await port.reopen()
  expect(port.opened.fsck.problems).toEqual([])
  expect(await eventsAt(later)).toEqual(["log.forked"])
})
