import { afterAll, beforeAll, expect, test } from "vitest"
import { raise } from "../../src/custody/alerts.ts"
import { permit } from "../../src/custody/opening.ts"
import { rulesOf, type ShownRule } from "../../src/custody/rules.ts"
import { newId } from "../../src/ids.ts"
import { eventNames } from "../../src/log/event-table.ts"
import { addDestination } from "../destinations.ts"
import { codeOf, grantOf, openTestPort, releaseCaller, type TestPort } from "../port.ts"
import { takeInPlain } from "../flat.ts"

/** Rules that a person can read: fired, quiet and no data are three things. */

let port: TestPort
const settings = { silentAfter_ms: 900_000, perSecond: 50 }

beforeAll(async () => {
  port = await openTestPort()
})
afterAll(() => port.close())

async function ruleOf(name: string, of: TestPort = port): Promise<ShownRule> {
  const all = await rulesOf(of.house, settings)
  return all.find(({ rule }) => rule === name)!
}

const standingOf = async (name: string, of: TestPort = port) => (await ruleOf(name, of)).standing

async function ask(grant: string, capture: string, of: TestPort = port): Promise<string> {
  return codeOf(permit(of.house, await releaseCaller(of, { grant, capture }), "release"))
}

test("every event has a rule with a sentence and numbers, and the watch's say whom they are about", async () => {
  const all = await rulesOf(port.house, settings)
  const events = new Set<string>(all.map(({ event }) => event))
  expect([...eventNames].filter(name => !events.has(name))).toEqual([])
  expect(all.length).toBe(eventNames.length + 2)
  for (const rule of all)
    expect([rule.rule, rule.sentence.length > 20, rule.threshold !== ""]).toEqual([rule.rule, true, true])
  expect((await ruleOf("watch.suspended organization")).threshold).toBe("16.0 nats")
  expect((await ruleOf("refused.budget")).threshold).toContain("500 a day for a person")
})

test("with nothing to look at a rule has no data; with something that crosses nothing it is quiet", async () => {
  for (const rule of [
    "watch.step_up person",
    "refused.scope",
    "alert.raised",
    "message.abandoned",
    "log.unwitnessed",
  ])
    expect([rule, await standingOf(rule)]).toEqual([rule, "no data"])
  expect(await standingOf("stop.ordered")).toBe("quiet")
  const [capture] = await takeInPlain(port, 1)
  expect(await standingOf("alert.raised")).toBe("quiet")
  await addDestination(port, {
    name: "soc",
    kind: "file",
    events: ["refused.unknown"],
    address: "soc.ndjson",
  })
  expect(await standingOf("message.abandoned")).toBe("quiet")
  expect(await ask(await grantOf(port), capture!)).toBe("done")
  for (const rule of ["watch.step_up person", "refused.scope"])
    expect([rule, await standingOf(rule)]).toEqual([rule, "quiet"])
  expect(await ruleOf("watch.step_up person")).toMatchObject({
    looked_at: { count: 1 },
    fired: 0,
    last_entry: null,
  })
})

test("what crossed is counted, with the newest entry; a question that waits is one", async () => {
  const grant = await grantOf(port)
  for (let i = 0; i < 4; i += 1) expect(await ask(grant, newId("cap"))).toBe("NOT_FOUND")
  const { size } = await port.house.log.head()
  expect(await ruleOf("refused.unknown")).toMatchObject({ standing: "fired", fired: 4, last_entry: size - 1 })
  expect(await ruleOf("watch.step_up person")).toMatchObject({ standing: "fired", fired: 1 })
  expect(await ruleOf("refused.unknown")).toMatchObject({ told: [{ name: "soc", last_delivered_at: null }] })
  const signals = [{ what: "usb_connected" as const, count: 3, detail: {} }]
  await raise(port.house, { reader: port.reader.reader, signals })
  expect(await ruleOf("alert.raised")).toMatchObject({ standing: "fired", fired: 1 })
})

test("after 30 days it is quiet or without data again", async () => {
  port.clock.offset_ms += 31 * 86_400_000
  for (const rule of ["refused.unknown", "watch.step_up person", "alert.raised"])
    expect([rule, await standingOf(rule)]).toEqual([rule, "no data"])
})

test("a watch that only observes has no data for what it would have held", async () => {
  const observing = await openTestPort({ settings: { watch: "observe" } })
  try {
    const grant = await grantOf(observing)
    for (let i = 0; i < 4; i += 1) await ask(grant, newId("cap"), observing)
    const rule = await ruleOf("watch.step_up person", observing)
    expect(rule).toMatchObject({ standing: "no data", fired: 0, looked_at: { count: 4 } })
    expect(rule.looked_at.what).toBe("requests that the watch only observed")
  } finally {
    await observing.close()
  }
})
