import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { laneParts, vault, type LaneParts } from "../../test/lane-parts.ts"
import { fromBase64, utf8 } from "../bytes.ts"
import { newSeed, signerOf, verifyEd25519 } from "../ed25519.ts"
import { Health, type LaneEvent } from "./health.ts"
import { Journal } from "./journal.ts"
import { holdSpool } from "./lock.ts"
import { formatReport, Reporter, type ReporterOptions } from "./report.ts"
import { claimNumbers, leastNumber, Sequence } from "./sequence.ts"
import { Tamper } from "./tamper.ts"
import { Wire } from "./wire.ts"

let folder: string
let parts: LaneParts

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-agent-"))
  parts = await laneParts()
})
afterEach(async () => {
  await parts.close()
  await rm(folder, { recursive: true, force: true })
})

describe("the recipients of the days", () => {
  test("are kept on the disk: a lane seals on while the vault is away, and after a restart", async () => {
    parts.lists.text = "nothing here"
    await parts.restart()
    expect(parts.recipients.daysLeft).toBe(29)
    expect(parts.recipients.at(parts.clock.now_ms)).toMatch(/^age1/)
  })

  test("are the custodian's only: another's list is taken neither from the network nor from the disk", async () => {
    const forged = await parts.signList({ days: 100, signer: "stranger" })
    parts.lists.text = forged
    await parts.recipients.refresh()
    expect(parts.recipients.daysLeft).toBe(29)
    await writeFile(join(parts.folder, "recipients"), forged)
    await parts.restart()
    expect(parts.recipients.daysLeft).toBe(-1)
  })

  test("an older list does not replace a newer one", async () => {
    parts.lists.text = await parts.signList({ days: 20 })
    await parts.recipients.refresh()
    expect(parts.recipients.daysLeft).toBe(29)
  })

  test("few days left is an alarm before none is", async () => {
    parts.clock.now_ms += 28 * 86_400_000
    parts.recipients.check()
    expect([...parts.health.alarms.keys()]).toEqual(["recipients_low"])
    parts.clock.now_ms += 2 * 86_400_000
    parts.recipients.check()
    expect([...parts.health.alarms.keys()]).toEqual(["recipients_out"])
  })
})

describe("a reader's numbers", () => {
  const file = () => join(folder, "reader.key.sequence")
  const claim = (nextNumber: number | null = null) => ({
    sequenceFile: file(),
    spool: { folder: join(folder, "spool") },
    nextNumber,
  })

  test("go on in the spool where lane send ended, and lane send counts no more", async () => {
    const sequence = await Sequence.open(file())
    expect(await sequence.take()).toBe(1)
    await sequence.close()
    expect(await leastNumber(claim())).toBe(2)
    await claimNumbers(file())
    await expect(Sequence.open(file())).rejects.toMatchObject({ code: "CONFLICT" })
  })

  test("of a spool that is not this one are not guessed", async () => {
    await claimNumbers(file())
    await expect(leastNumber(claim())).rejects.toMatchObject({ code: "CONFIG" })
    expect(await leastNumber(claim(77))).toBe(77)
    await mkdir(join(folder, "spool"))
    await writeFile(join(folder, "spool", "marks"), "")
    expect(await leastNumber(claim())).toBe(1)
  })
})

test("a spool is held by one process, and taken over from one that is gone", async () => {
  const free = await holdSpool(folder)
  await free()
  const again = await holdSpool(folder)
  await again()
  // Process 1 lives, but did not start when this says.
  const { symlink } = await import("node:fs/promises")
  await symlink("1 12345678901", join(folder, "agent"))
  const third = await holdSpool(folder)
  await third()
  const stat = await readFile("/proc/1/stat", "latin1").catch(() => null)
  if (stat === null) return
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]
  await symlink(`1 ${started}`, join(folder, "agent"))
  await expect(holdSpool(folder)).rejects.toMatchObject({ code: "BUSY" })
})

describe("tampering", () => {
  test("a USB device that comes or goes is told, by place and kind; what was there at the start is not", async () => {
    const usb = join(folder, "usb")
    const device = async (name: string, product: string) => {
      await mkdir(join(usb, name), { recursive: true })
      await writeFile(join(usb, name, "idVendor"), "046d\n")
      await writeFile(join(usb, name, "idProduct"), `${product}\n`)
    }
    const gpio = join(folder, "value")
    await device("1-1", "c31c")
    await device("usb1", "0001")
    await writeFile(gpio, "0\n")
    const tamper = new Tamper({ usb, enclosure: gpio, health: parts.health })
    await tamper.look()
    expect(tamper.devices).toBe(1)
    await device("1-2.4", "0825")
    await writeFile(gpio, "1\n")
    await tamper.look()
    await rm(join(usb, "1-1"), { recursive: true })
    await tamper.look()
    expect(parts.events.map(({ what, detail }) => [what, detail])).toEqual([
      ["usb_connected", { place: "1-2.4", device: "046d:0825" }],
      ["enclosure_opened", {}],
      ["usb_disconnected", { place: "1-1", device: "046d:c31c" }],
    ])
  })

  test("where the system has no such list nothing is said", async () => {
    const tamper = new Tamper({ usb: join(folder, "none"), enclosure: null, health: parts.health })
    await tamper.look()
    await tamper.look()
    expect(tamper.devices).toBeNull()
    expect(parts.events).toEqual([])
  })
})

describe("the journal", () => {
  const event = (n: number): LaneEvent => ({
    at: "2026-11-24T00:00:00.000Z",
    what: "gap",
    detail: { from: n, to: n },
  })

  test("keeps what the vault was not told, over restarts, and a line that was cut is left out", async () => {
    const file = join(folder, "journal")
    const journal = await Journal.open(file, "a")
    journal.add(event(1))
    journal.add(event(2))
    await journal.settled()
    await writeFile(file, `${await readFile(file, "utf8")}{"at":"2026`)
    const again = await Journal.open(file, "b")
    again.add(event(3))
    await again.settled()
    expect(again.held.map(({ boot, n, detail }) => [boot, n, detail.from])).toEqual([
      ["a", 1, 1],
      ["a", 2, 2],
      ["b", 1, 3],
    ])
    await again.drop(2)
    const third = await Journal.open(file, "c")
    expect(third.held.map(({ detail }) => detail.from)).toEqual([3])
  })

  test("keeps a thousand, and counts the rest", async () => {
    const journal = await Journal.open(join(folder, "journal"), "a")
    for (let i = 0; i < 1003; i += 1) journal.add(event(i))
    await journal.settled()
    expect(journal.held).toHaveLength(1000)
    expect(journal.folded).toBe(3)
  })
})

describe("a report", () => {
  const signer = signerOf(newSeed())
  const reader = { vault, port: "prt_1", lane: "lan_1", reader: "rdr_1", signer }

  async function reporterOf(url: string): Promise<{ reporter: Reporter; options: ReporterOptions }> {
    const journal = await Journal.open(join(folder, "journal"), "boot")
    const health = new Health({ clock: Date.now, told: event => journal.add(event) })
    const wire = new Wire(url, 5000)
    const options = { reader, spool: parts.spool, health, journal, wire, clock: Date.now }
    return { reporter: new Reporter(options), options }
  }

  test("is signed by the reader's key over everything that it says", async () => {
    const { options } = await reporterOf("http://127.0.0.1:1")
    options.health.raise("spool_full", { why: "disk" })
    const text = Buffer.from(formatReport(options, options.journal.held)).toString()
    const [first, json = "", signature = ""] = text.split("\n")
    expect(verifyEd25519(signer.publicKey, utf8(`${first}\n${json}`), fromBase64(signature)!)).toBe(true)
    expect(JSON.parse(json)).toMatchObject({
      reader: "rdr_1",
      alarms: ["spool_full"],
      events: [{ boot: "boot", n: 1, what: "alarm_raised", detail: { alarm: "spool_full", why: "disk" } }],
    })
  })

  test("tells each event until the vault took it; a vault without that door is left alone", async () => {
    let status = 503
    const got: string[] = []
    const server = createServer((request, response) => {
      void (async () => {
        let body = ""
        for await (const chunk of request) body += String(chunk)
        got.push(body)
        response.writeHead(status).end("{}")
      })()
    })
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
    const { reporter, options } = await reporterOf(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    )
    options.health.tell("usb_connected", { place: "1-1", device: "046d:c31c" })
    expect(await reporter.send()).toBe(false)
    status = 404
    expect(await reporter.send()).toBe(false)
    expect(reporter.isTaken).toBe(false)
    expect(options.journal.held).toHaveLength(1)
    status = 202
    expect(await reporter.send()).toBe(true)
    expect(options.journal.held).toHaveLength(0)
    expect(got.every(body => body.includes("usb_connected"))).toBe(true)
    await reporter.close()
    options.wire.close()
    server.close()
  })
})
