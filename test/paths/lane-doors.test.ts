import sharp from "sharp"
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { fromBase64 } from "../../src/bytes.ts"
import { parseKeyFile } from "../../src/cli/keyfile.ts"
import { admit } from "../../src/custody/admit.ts"
import { raise } from "../../src/custody/alerts.ts"
import { captureHours } from "../../src/custody/capture-hours.ts"
import { raiseSilences } from "../../src/custody/silence.ts"
import { signerOf } from "../../src/ed25519.ts"
import { openServer, type Server } from "../../src/http/server.ts"
import { Agent } from "../../src/lane/agent.ts"
import type { Records } from "../../src/log/state.ts"
import { enrollReader } from "../lane-agent.ts"
import { enrolledReader, reportBytes, type Told } from "../lane-report.ts"
import { codeOf, openTestPort, sealShot, type Actor, type TestPort } from "../port.ts"
import { clientFor } from "../server.ts"

/** Lanes, alerts and counts as people ask for them over HTTP, and as a whole agent tells of them. */

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
  const standing = { differences: [] }
  server = await openServer(port.house, {
    host: "127.0.0.1",
    port: 0,
    openBundles: false,
    standing,
    version: "0",
  })
  told = await enrolledReader(port)
})
afterAll(async () => {
  await server.close()
  await port.close()
})

async function report(): Promise<string> {
  const headers = { "content-type": "application/vnd.sallyport.lane-report" }
  const body = Buffer.from(reportBytes(port, told))
  return String((await fetch(`${server.url}/v1/lane-reports`, { method: "POST", headers, body })).status)
}

async function alertsOf(reader = told.reader): Promise<Records["alert"][]> {
  const rows = await port.house.ledger.records("alert", { limit: 1000 })
  return rows.map(row => JSON.parse(row.body) as Records["alert"]).filter(alert => alert.reader === reader)
}

describe("alerts", () => {
  test("are listed, shown and acknowledged over HTTP; a vendor sees none", async () => {
    await raise(port.house, {
      reader: told.reader,
      signals: [{ what: "gap", count: 1, detail: { missing: 1 } }],
    })
    const [{ alert } = { alert: "" }] = await alertsOf()
    const client = (actor: Actor) => clientFor(actor, server.url, port.house.log.origin)
    const list = async (query: string) =>
      (
        await client(port.people.analyst).json<{ data: Records["alert"][] }>({
          method: "GET",
          path: `/v1/alerts${query}`,
        })
      ).data
    expect((await list("?status=open&limit=200")).map(each => each.alert)).toContain(alert)
    const path = `/v1/alerts/${alert}`
    expect(await client(port.people.analyst).json({ method: "GET", path })).toMatchObject({
      alert,
      ended_at: null,
    })
    const statement = { outcome: "expected", note_commitment: null }
    await client(port.people.analyst).json({ method: "POST", path: `${path}/acknowledgement`, statement })
    expect((await list("?status=open&limit=200")).map(each => each.alert)).not.toContain(alert)
    for (const of of ["/v1/alerts", path, "/v1/lanes/health", "/v1/capture-counts"])
      expect(await codeOf(client(port.people.prime).json({ method: "GET", path: of })), of).toBe("OFFICE")
    const lane = {
      object: "list",
      data: [expect.not.objectContaining({ open_alerts: expect.anything() as unknown })],
    }
    expect(await client(port.people.prime).json({ method: "GET", path: "/v1/lanes" })).toMatchObject(lane)
  })

  test("says when it was heard of again, and stands until somebody acknowledges it", async () => {
    expect(await report()).toBe("204")
    await raiseSilences(port.house, { silentAfter_ms: 0, since_ms: 0 })
    const alert = (await alertsOf()).find(({ what }) => what === "reader_silent")
    expect(await report()).toBe("204")
    const client = clientFor(port.people.cor, server.url, port.house.log.origin)
    const shown = await client.json<{ ended_at: string | null }>({
      method: "GET",
      path: `/v1/alerts/${alert!.alert}`,
    })
    expect(shown).toMatchObject({ ended_at: expect.any(String) as unknown, acknowledged: null })
  })
})

describe("captures by lane and hour", () => {
  test("are counted exactly, by the clock of the port", async () => {
    const at = (captured_at: string) => sealShot(port, { picture, bend: { captured_at } })
    const now_ms = port.house.log.clock()
    const hour_ms = Math.floor(now_ms / 3_600_000) * 3_600_000 + 3_600_000
    for (const minute of [0, 59, 60]) {
      const captured_at = new Date(hour_ms + minute * 60_000).toISOString()
      await admit(port.house, (await at(captured_at)).bytes)
    }
    const [lane] = await captureHours(port.house, {
      lane: port.lane,
      since_ms: hour_ms,
      until_ms: hour_ms + 7_200_000,
    })
    expect(lane?.hours.map(({ captures }) => captures)).toEqual([2, 1])
    const client = clientFor(port.people.analyst, server.url, port.house.log.origin)
    const [first] = lane!.hours
    const list = (query: string) =>
      client.json<{ data: { hour: string }[] }>({ method: "GET", path: `/v1/captures?${query}` })
    const found = await list(`hour=${first!.hour.slice(0, 13)}&lane=${port.lane}`)
    expect(found.data.map(({ hour }) => hour)).toEqual([first!.hour, first!.hour])
    expect(await codeOf(list("hour=2026-11-24T25"))).toBe("INVALID")
    expect(await codeOf(list("hour=2026-11-24T21&since=2026-11-24T00:00:00Z"))).toBe("INVALID")
    expect(await codeOf(list("hour=2026-11-24T21&lane=lan_01JDXXXXXXXXXXXXXXXXXXXXXX"))).toBe("NOT_FOUND")
    const counts = await client.json<{ data: object[] }>({ method: "GET", path: "/v1/capture-counts" })
    expect(counts.data).toEqual([{ lane: port.lane, count: expect.any(Number) as unknown, examined: 0 }])
  })
})

describe("a whole agent beside a reader", () => {
  test("tells of a USB device and an opened cabinet; they become alerts, and its journal empties", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sallyport-told-"))
    const { reader, keyFile } = await enrollReader(port)
    const key = parseKeyFile(keyFile)!
    const [usb, enclosure] = [join(folder, "usb"), join(folder, "enclosure")]
    await mkdir(usb)
    await writeFile(enclosure, "0\n")
    const agent = await Agent.open({
      reader: {
        ...{ vault: key.vault, port: port.reader.port, lane: port.lane, reader },
        signer: signerOf(fromBase64(key.seed)!),
      },
      custodian: fromBase64(key.notes.custodian!)!,
      logs: [port.house.log.vkey],
      server: server.url,
      spool: {
        folder: join(folder, "spool"),
        ...{ most_bytes: 1e9, most_files: 100, remembered: { most: 100, least_s: 0 } },
      },
      sequenceFile: join(folder, "reader.key.sequence"),
      ...{ nextNumber: null, longestWait_ms: 1000, usb, enclosure, clock: Date.now },
    })
    try {
      await mkdir(join(usb, "1-1"))
      await writeFile(join(usb, "1-1", "idVendor"), "046d\n")
      await writeFile(join(usb, "1-1", "idProduct"), "c52b\n")
      await writeFile(enclosure, "1\n")
      await until(async () => (await alertsOf(reader)).length === 2)
      expect((await alertsOf(reader)).map(({ what, detail }) => [what, detail]).sort()).toEqual([
        ["enclosure_opened", {}],
        ["usb_connected", { vendor: 0x046d, product: 0xc52b }],
      ])
      await until(() => Promise.resolve(agent.journal.held.length === 0))
      await agent.journal.settled()
      expect(await readFile(join(folder, "spool", "journal"), "utf8")).toBe("")
    } finally {
      await agent.close()
      await rm(folder, { recursive: true, force: true })
    }
  }, 60_000)
})

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let left = 400; left > 0; left -= 1) {
    if (await holds()) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error("it did not come to hold in 20 s")
}
