import sharp from "sharp"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { closeConnection, openConnection } from "../../src/ledger/connection.ts"
import { join } from "node:path"
import { admit } from "../../src/custody/admit.ts"
import { acknowledge, raise, writeRests } from "../../src/custody/alerts.ts"
import { readersHealth } from "../../src/custody/lane-health.ts"
import { raiseSilences } from "../../src/custody/silence.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { openServer, type Server } from "../../src/http/server.ts"
import { fsck } from "../../src/log/fsck.ts"
import { isOpen } from "../../src/log/alerts.ts"
import { names, type Records } from "../../src/log/state.ts"
import {
  bentReport,
  enrolledReader,
  firstBoot,
  reportBytes,
  type Reported,
  type Told,
} from "../lane-report.ts"
import { callerOf, codeOf, openTestPort, sealShot, type Actor, type TestPort } from "../port.ts"

let port: TestPort
let server: Server
let told: Told
let picture: Uint8Array

beforeAll(async () => {
  port = await openTestPort()
  picture = new Uint8Array(
    await sharp({ create: { width: 64, height: 48, channels: 3, background: "#456" } })
      .jpeg()
      .toBuffer(),
  )
  await start()
})
afterAll(async () => {
  await server.close()
  await port.close()
})
beforeEach(async () => {
  told = await enrolledReader(port)
})
// Whatever a test did, the rows are those that the log leads to.
afterEach(async () => {
  expect(
    (await fsck(port.house.ledger, { origin: port.house.log.origin, verify: verifyEd25519 })).problems,
  ).toEqual([])
})

async function start() {
  const standing = { differences: [] }
  server = await openServer(port.house, {
    host: "127.0.0.1",
    port: 0,
    openBundles: false,
    standing,
    version: "0",
  })
}

async function send(bytes: Uint8Array, type = "application/vnd.sallyport.lane-report"): Promise<string> {
  const response = await fetch(`${server.url}/v1/lane-reports`, {
    ...{ method: "POST", headers: { "content-type": type }, body: Buffer.from(bytes) },
  })
  if (response.status === 204) return "taken"
  return ((await response.json()) as { code: string }).code
}

const report = (of: Reported = {}) => send(reportBytes(port, told, of))
const size = async () => (await port.house.log.head()).size
const usb = { place: "1-1.2", device: "046d:c52b" }

async function alertsOf(reader = told.reader): Promise<Records["alert"][]> {
  const rows = await port.house.ledger.records("alert", { limit: 1000 })
  return rows.map(row => JSON.parse(row.body) as Records["alert"]).filter(alert => alert.reader === reader)
}

async function ack(actor: Actor, alert: string) {
  const statement = { outcome: "fixed" }
  const path = `/v1/alerts/${alert}/acknowledgement`
  const names = { note: "Planted note" }
  return acknowledge(port.house, await callerOf(port.house, actor, { path, statement, names }), alert)
}

describe("a lane's report", () => {
  test("is kept as the newest, and what it tells of becomes alerts in one entry", async () => {
    const before = await size()
    const events = [
      [1, "agent_started", { numbered: 7, settled: 0 }],
      [2, "usb_connected", usb],
      [3, "enclosure_opened", {}],
      [4, "reader_said", { kind: "tamper", word: "cover" }],
      [5, "alarm_raised", { alarm: "spool_full" }],
      [6, "usb_disconnected", usb],
    ] as const
    expect(await report({ numbered: 7, alarms: ["spool_full"], events })).toBe("taken")
    expect(await size()).toBe(before + 1)
    expect((await alertsOf()).map(({ what, count, detail }) => [what, count, detail])).toEqual([
      ["usb_connected", 1, { vendor: 0x046d, product: 0xc52b }],
      ["enclosure_opened", 1, {}],
      ["reader_tampered", 1, {}],
      ["spool_full", 1, {}],
    ])
    const [health] = (await readersHealth(port.house, 900_000)).filter(each => each.reader === told.reader)
    expect(health).toMatchObject({
      state: "alarmed",
      report: { numbered: 7, waiting: 3, alarms: ["spool_full"] },
    })
  })

  test("without anything to look at writes no entry", async () => {
    const before = await size()
    expect(await report({ events: [[1, "agent_started", { numbered: 0, settled: 0 }]] })).toBe("taken")
    expect(await size()).toBe(before)
  })

  test("counts an event once, however often it is told", async () => {
    const events = [[2, "usb_connected", usb]] as const
    expect(await report({ events })).toBe("taken")
    await tick()
    expect(await report({ events })).toBe("taken")
    port.clock.offset_ms += 61_000
    expect(await report({ events: [...events, [3, "usb_connected", usb]] })).toBe("taken")
    expect((await alertsOf()).map(({ count }) => count)).toEqual([2])
    expect(await port.house.ledger.member(names.told(told.reader), firstBoot)).toBe(3)
  })

  test("of before the newest changes nothing: no alert, no sign of life", async () => {
    const old = reportBytes(port, told, { events: [[1, "enclosure_opened", {}]], alarms: ["vault_away"] })
    await tick()
    expect(await report()).toBe("taken")
    const [row, before] = [await port.house.ledger.laneReport(told.reader), await size()]
    port.clock.offset_ms += 5000
    expect(await send(old)).toBe("REPLAY")
    expect(await port.house.ledger.laneReport(told.reader)).toEqual(row)
    expect(await size()).toBe(before)
  })

  test("sent again as the same bytes is taken and changes nothing", async () => {
    const bytes = reportBytes(port, told, { events: [[1, "enclosure_opened", {}]] })
    expect(await send(bytes)).toBe("taken")
    const [row, before] = [await port.house.ledger.laneReport(told.reader), await size()]
    await tick()
    expect(await send(bytes)).toBe("taken")
    expect(await port.house.ledger.laneReport(told.reader)).toEqual(row)
    expect(await size()).toBe(before)
  })

  test("that is dated ahead is taken once, and one of the right time after it", async () => {
    const ahead = reportBytes(port, told, { at_ms: port.house.log.clock() + 3_600_000 })
    expect(await send(ahead)).toBe("taken")
    expect((await alertsOf()).map(({ what, detail }) => [what, detail])).toEqual([
      ["clock_off", { offset_s: 3600 }],
    ])
    await tick()
    expect(await report()).toBe("taken")
    await tick()
    expect(await send(ahead)).toBe("REPLAY")
  })

  test("of a clock that stays off raises one alert, also after it was acknowledged", async () => {
    const late = () => report({ at_ms: port.house.log.clock() - 60_000 })
    expect(await late()).toBe("taken")
    port.clock.offset_ms += 61_000
    expect(await late()).toBe("taken")
    const [alert] = await alertsOf()
    expect(alert).toMatchObject({ what: "clock_off", count: 1, detail: { offset_s: -60 } })
    await ack(port.people.analyst, alert!.alert)
    port.clock.offset_ms += 61_000
    expect(await late()).toBe("taken")
    expect(await alertsOf()).toHaveLength(1)
    port.clock.offset_ms += 121_000
    expect(await report()).toBe("taken")
    port.clock.offset_ms += 121_000
    expect(await late()).toBe("taken")
    expect(await alertsOf()).toHaveLength(2)
  })

  test("of two runs by turns is of two agents with one key", async () => {
    for (const boot of ["00000000000000a1", "00000000000000b2"]) {
      expect(await report({ boot })).toBe("taken")
      await tick()
    }
    expect(await alertsOf()).toEqual([])
    expect(await report({ boot: "00000000000000a1" })).toBe("taken")
    expect((await alertsOf()).map(({ what, detail }) => [what, detail])).toEqual([
      ["device_replayed", { why: "two_agents" }],
    ])
    port.clock.offset_ms += 61_000
    expect(await report({ boot: "00000000000000b2" })).toBe("taken")
    expect((await alertsOf()).map(({ count }) => count)).toEqual([1])
  })

  test("of gaps raises one alert for each, told by an event or not", async () => {
    const gaps = [
      { from: 2, to: 4 },
      { from: 8, to: 8 },
    ]
    expect(await report({ numbered: 9, gaps, events: [[1, "gap", { from: 2, to: 4 }]] })).toBe("taken")
    await tick()
    expect(await report({ numbered: 9, gaps })).toBe("taken")
    expect((await alertsOf()).map(({ what, count }) => [what, count])).toEqual([["gap", 2]])
  })
})

async function tick() {
  port.clock.offset_ms += 10
  await Promise.resolve()
}

describe("what is no report is refused, and writes nothing", () => {
  const bend = (change: object) => (bytes: Uint8Array) =>
    bentReport(bytes, told.signer, held => ({ ...held, ...change }))
  const cases: [string, string, (bytes: Uint8Array) => Uint8Array][] = [
    ["nothing", "INVALID", () => new Uint8Array()],
    ["bytes that are no text", "INVALID", () => new Uint8Array([0xff, 0xfe, 0xff])],
    ["another version", "INVALID", bytes => replaced(bytes, "report/v1", "report/v2")],
    ["a fourth line", "INVALID", bytes => Buffer.concat([bytes, Buffer.from("x\n")])],
    ["no last LF", "INVALID", bytes => bytes.subarray(0, -1)],
    ["65 KiB", "TOO_LARGE", () => new Uint8Array(66_560).fill(65)],
    [
      "JSON that is not canonical",
      "INVALID",
      bytes => bentReport(bytes, told.signer, held => JSON.stringify({ ...held, at: held.at }, null, 1)),
    ],
    [
      "JSON in another order",
      "INVALID",
      bytes =>
        bentReport(bytes, told.signer, held =>
          JSON.stringify(Object.fromEntries(Object.entries(held).reverse())),
        ),
    ],
    ["an unknown field", "INVALID", bend({ plate: "SP7X042" })],
    ["a missing field", "INVALID", bytes => bentReport(bytes, told.signer, ({ gaps: _, ...rest }) => rest)],
    ["events as a string", "INVALID", bend({ events: "usb_connected" })],
    ["numbers as strings", "INVALID", bend({ numbered: "7" })],
    ["a negative number", "INVALID", bend({ waiting: -1 })],
    ["settled beyond numbered", "INVALID", bend({ settled: 9 })],
    ["a gap beyond numbered", "INVALID", bend({ gaps: [[1, 5]] })],
    ["an unknown alarm", "INVALID", bend({ alarms: ["SP7X042"] })],
    [
      "an unknown event",
      "INVALID",
      bend({
        events: [{ boot: firstBoot, n: 1, at: "2026-11-24T00:00:00.000Z", what: "plate_read", detail: {} }],
      }),
    ],
    ["a time that is none", "INVALID", bend({ at: "2026-13-45T99:00:00.000Z" })],
    ["1970", "REPLAY", bend({ at: "1970-01-01T00:00:00.000Z" })],
    [
      "the day after tomorrow",
      "SIGNATURE_STALE",
      bytes =>
        bentReport(bytes, told.signer, held => ({
          ...held,
          at: new Date(port.house.log.clock() + 2 * 86_400_000).toISOString(),
        })),
    ],
    ["another vault's", "SIGNATURE_INVALID", bend({ vault: "sallyport.example/other" })],
    ["another lane's", "KEY_UNKNOWN", bend({ lane: "lan_01JDXXXXXXXXXXXXXXXXXXXXXX" })],
    ["an unknown reader's", "KEY_UNKNOWN", bend({ reader: "rdr_01JDXXXXXXXXXXXXXXXXXXXXXX" })],
    [
      "another reader's name under this key",
      "SIGNATURE_INVALID",
      bytes => bentReport(bytes, told.signer, held => ({ ...held, reader: port.reader.reader })),
    ],
    [
      "one changed after signing",
      "SIGNATURE_INVALID",
      bytes => replaced(bytes, '"waiting":3', '"waiting":4'),
    ],
  ]
  for (const [why, code, bent] of cases)
    test(`${why}: ${code}`, async () => {
      // 1970 and the like are judged against a report that is there.
      expect(await report()).toBe("taken")
      await tick()
      const [before, row] = [await size(), await port.house.ledger.laneReport(told.reader)]
      const events = [[1, "enclosure_opened", {}]] as const
      expect(await send(bent(reportBytes(port, told, { events })))).toBe(code)
      expect(await size()).toBe(before)
      expect(await port.house.ledger.laneReport(told.reader)).toEqual(row)
    })

  test("another type: MEDIA_TYPE", async () => {
    expect(await send(reportBytes(port, told), "text/plain")).toBe("MEDIA_TYPE")
    expect(await send(Buffer.from("{}"), "application/json")).toBe("MEDIA_TYPE")
  })

  test("more than one a second, after a few at once: RATE", async () => {
    const bytes = reportBytes(port, told)
    const codes = await Promise.all(Array.from({ length: 60 }, () => send(bytes)))
    expect(codes.filter(code => code === "taken").length).toBeGreaterThanOrEqual(20)
    expect(codes).toContain("RATE")
  })
})

function replaced(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const text = Buffer.from(bytes).toString("utf8")
  expect(text).toContain(from)
  return Buffer.from(text.replace(from, to))
}

describe("alerts", () => {
  test("a flood of one kind is one entry in a minute, and its count is whole", async () => {
    const before = await size()
    for (let n = 1; n <= 15; n += 1, await tick())
      expect(await report({ events: [[n, "usb_connected", usb]] })).toBe("taken")
    expect(await size()).toBe(before + 1)
    port.clock.offset_ms += 61_000
    await writeRests(port.house)
    expect(await size()).toBe(before + 2)
    expect((await alertsOf()).map(({ what, count }) => [what, count])).toEqual([["usb_connected", 15]])
    expect(await port.house.ledger.member(names.told(told.reader), firstBoot)).toBe(15)
  })

  test("a kind that is not open is an entry at once, and takes the counted rest with it", async () => {
    const before = await size()
    for (const what of ["usb_connected", "usb_connected", "enclosure_opened"] as const)
      await raise(port.house, { reader: told.reader, signals: [{ what, count: 1, detail: {} }] })
    expect(await size()).toBe(before + 2)
    expect((await alertsOf()).map(({ what, count }) => [what, count])).toEqual([
      ["usb_connected", 2],
      ["enclosure_opened", 1],
    ])
  })

  test("what comes after the acknowledgement opens another, and the first is kept", async () => {
    const one = () =>
      raise(port.house, { reader: told.reader, signals: [{ what: "boxes_doubted", count: 1, detail: {} }] })
    await one()
    const [first] = await alertsOf()
    const open = await port.house.ledger.counter(names.openAlerts)
    await ack(port.people.privacy, first!.alert)
    expect(await port.house.ledger.counter(names.openAlerts)).toBe(open - 1)
    await one()
    const [held, second] = await alertsOf()
    expect(held).toMatchObject({
      alert: first!.alert,
      acknowledged: { outcome: "fixed", person: port.people.privacy.person },
    })
    expect(isOpen(second!)).toBe(true)
    expect(await port.house.ledger.counter(names.openAlerts)).toBe(open)
  })

  test("are acknowledged by the agency, once, and never by a vendor or an auditor", async () => {
    await raise(port.house, {
      reader: told.reader,
      signals: [{ what: "gap", count: 1, detail: { missing: 1 } }],
    })
    const [alert] = await alertsOf()
    for (const role of ["prime", "engineer", "auditor"] as const)
      expect(await codeOf(ack(port.people[role], alert!.alert)), role).toBe("OFFICE")
    expect(isOpen((await alertsOf())[0]!)).toBe(true)
    await ack(port.people.cor, alert!.alert)
    expect(await codeOf(ack(port.people.cor, alert!.alert))).toBe("CONFLICT")
    expect(await codeOf(ack(port.people.cor, "alt_01JDXXXXXXXXXXXXXXXXXXXXXX"))).toBe("NOT_FOUND")
  })

  test("a gap and a number used twice are alerts by the entry itself, with no step between", async () => {
    const { reader } = port.reader
    port.reader.sequence += 2
    const before = await size()
    await admit(port.house, (await sealShot(port, { picture })).bytes)
    port.reader.sequence -= 1
    expect(await codeOf(admit(port.house, (await sealShot(port, { picture })).bytes))).toBe(
      "CAPTURE_SEQUENCE",
    )
    expect(await size()).toBe(before + 2)
    expect((await alertsOf(reader)).map(({ what, detail, entry }) => [what, detail, entry])).toEqual([
      ["gap", { missing: 2 }, before],
      ["device_replayed", { why: "number_used" }, before + 1],
    ])
  })

  test("the same capture sent twice at one moment is no copied device", async () => {
    const { bytes } = await sealShot(port, { picture })
    const before = (await alertsOf(port.reader.reader)).reduce((sum, each) => sum + each.count, 0)
    const codes = await Promise.all([codeOf(admit(port.house, bytes)), codeOf(admit(port.house, bytes))])
    expect(codes).toContain("done")
    expect(codes).not.toContain("CAPTURE_SEQUENCE")
    expect(await codeOf(admit(port.house, bytes))).toBe("done")
    expect((await alertsOf(port.reader.reader)).reduce((sum, each) => sum + each.count, 0)).toBe(before)
  })

  test("numbers that go back below what was admitted are a copied device's", async () => {
    const agent = { reader: port.reader.reader, signer: port.reader.signer }
    const numbered = port.reader.sequence
    expect(await send(reportBytes(port, agent, { numbered }))).toBe("taken")
    const of = async () => (await alertsOf(agent.reader)).filter(({ what }) => what === "device_replayed")
    await Promise.all((await of()).filter(isOpen).map(({ alert }) => ack(port.people.cor, alert)))
    const before = (await of()).length
    // Formatted before captures that are admitted while it is on its way.
    await tick()
    await admit(port.house, (await sealShot(port, { picture })).bytes)
    expect(await send(reportBytes(port, agent, { numbered }))).toBe("taken")
    expect(await of()).toHaveLength(before)
    await tick()
    expect(await send(reportBytes(port, agent, { numbered }))).toBe("taken")
    expect((await of()).slice(before)).toMatchObject([{ detail: { why: "number_went_back" } }])
  })
})

describe("a reader that falls silent", () => {
  const look = (since_ms = 0) => raiseSilences(port.house, { silentAfter_ms: 900_000, since_ms })

  test("is told once for each silence; one that never spoke is not", async () => {
    const other = await enrolledReader(port)
    expect(await report()).toBe("taken")
    port.clock.offset_ms += 899_000
    await look()
    expect(await alertsOf()).toEqual([])
    port.clock.offset_ms += 2000
    await look()
    await look()
    expect(await alertsOf()).toMatchObject([{ what: "reader_silent", count: 1, detail: { minutes: 15 } }])
    expect(await alertsOf(other.reader)).toEqual([])
    await ack(port.people.analyst, (await alertsOf())[0]!.alert)
    port.clock.offset_ms += 3_600_000
    await look()
    expect(await alertsOf()).toHaveLength(1)
    expect(await report()).toBe("taken")
    port.clock.offset_ms += 901_000
    await look()
    expect(await alertsOf()).toHaveLength(2)
  })

  test("is not blamed for a vault that was away", async () => {
    expect(await report()).toBe("taken")
    port.clock.offset_ms += 3_600_000
    await look(port.house.log.clock() - 60_000)
    expect(await alertsOf()).toEqual([])
  })
})

describe("a restart", () => {
  test("finds rows and log agreed, and every alert as it was", async () => {
    const rows = await port.house.ledger.records("alert", { limit: 1000 })
    expect(rows.length).toBeGreaterThan(10)
    await server.close()
    await port.reopen()
    await start()
    expect(port.opened.fsck.problems).toEqual([])
    expect(await port.house.ledger.records("alert", { limit: 1000 })).toEqual(rows)
  })
})

test("a ledger of before has its counts and alerts made when it is opened", async () => {
  const older = await openTestPort()
  await admit(older.house, (await sealShot(older, { picture })).bytes)
  older.reader.sequence += 2
  for (let i = 0; i < 2; i += 1) await admit(older.house, (await sealShot(older, { picture })).bytes)
  older.reader.sequence -= 1
  expect(await codeOf(admit(older.house, (await sealShot(older, { picture })).bytes))).toBe(
    "CAPTURE_SEQUENCE",
  )
  older.reader.sequence += 1
  await admit(older.house, (await sealShot(older, { picture })).bytes)
  await older.opened.close()
  const connection = openConnection(join(older.data, "ledger.sqlite"))
  connection.exec(
    `delete from kysely_migration where name >= '0004'; drop table messages; drop table lane_reports; drop index captures_without_plate;
     alter table captures drop column plates; delete from counters where name = 'unexamined';
     delete from counters where name like 'captures/%' or name like 'alerts/%'; delete from records where kind in ('alert', 'signal');
     update records set body = json_remove(body, '$.last_admitted_at') where kind = 'reader'`,
  )
  closeConnection(connection)
  await older.reopen()
  expect(older.opened.fsck.problems).toEqual([])
  expect(await older.house.ledger.counter(names.openAlerts)).toBe(2)
  await older.close()
})
