import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { noEvent, openTestPort, sealShot as sealOther, type TestPort } from "../../test/port.ts"
import { openServer, type Server } from "../http/server.ts"
import { Health, type LaneEvent } from "./health.ts"
import { Pace } from "./pace.ts"
import { sealPicture } from "./seal.ts"
import { Sender } from "./sender.ts"
import { Spool } from "./spool.ts"
import { Wire } from "./wire.ts"

let port: TestPort
let server: Server
let folder: string
let spool: Spool
let events: LaneEvent[]
let health: Health
/** What stands between lane and vault in a test; `null` lets everything through. */
let between: RequestListener | null = null
let front: ReturnType<typeof createServer>
let url: string

beforeAll(async () => {
  port = await openTestPort()
  const at = { host: "127.0.0.1", port: 0, version: "test", openBundles: true }
  server = await openServer(port.house, { ...at, standing: { differences: [] } })
  front = createServer((request, response) => {
    if (between !== null) return between(request, response)
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const answer = await fetch(`${server.url}${request.url}`, {
        method: request.method!,
        headers: { "content-type": request.headers["content-type"]! },
        body: Buffer.concat(chunks),
      })
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type")! })
      response.end(await answer.text())
    })()
  })
  await new Promise<void>(resolve => front.listen(0, "127.0.0.1", resolve))
  url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`
})
afterAll(async () => {
  front.close()
  await server.close()
  await port.close()
})
beforeEach(async () => {
  between = null
  events = []
  health = new Health({ clock: Date.now, told: event => events.push(event) })
  folder = await mkdtemp(join(tmpdir(), "sallyport-sender-"))
  spool = await openSpool()
})
afterEach(async () => {
  await spool.close()
  await rm(folder, { recursive: true, force: true })
})

function openSpool(): Promise<Spool> {
  return Spool.open({
    folder,
    most_bytes: 1e9,
    most_files: 1000,
    firstNumber: port.reader.sequence + 1,
    remembered: { most: 1000, least_s: 0 },
    clock: Date.now,
  })
}

async function fill(count: number): Promise<string[]> {
  const { reader, house } = port
  const day = new Date().toISOString().slice(0, 10)
  const captures: string[] = []
  for (let i = 0; i < count; i += 1) {
    const shot = {
      picture: new Uint8Array([i]),
      event: noEvent,
      capturedAt_ms: Date.now(),
      kind: "plate",
    } as const
    const recipient = port.recipients.get(`day/${day}`)!
    const sealed = await sealPicture({ ...reader, vault: house.log.origin }, shot, recipient)
    await spool.put(`picture ${spool.numbered}`, sequence => sealed.numbered(sequence))
    captures.push(sealed.capture)
  }
  port.reader.sequence = spool.numbered
  return captures
}

/** Sends until the spool is empty, or so many tries failed. @returns the waits between. */
async function send(options: { tries?: number; logs?: string[]; waits?: number[] } = {}): Promise<void> {
  const wire = new Wire(url, 5000)
  const pace = new Pace({ least_ms: 1, most_ms: 4, random: Math.random })
  const logs = options.logs ?? [port.house.log.vkey]
  const sender = new Sender({ spool, wire, pace, health, logs, publicKey: port.reader.signer.publicKey })
  const running = sender.run()
  const isDone = () => spool.head === null || pace.failures >= (options.tries ?? 1000)
  while (!isDone()) await new Promise(resolve => setTimeout(resolve, 2))
  sender.end()
  await running
  wire.close()
}

const sequencesIn = async (captures: readonly string[]) => {
  const rows = await Promise.all(captures.map(id => port.house.ledger.capture(id)))
  return rows.map(row => row?.sequence ?? null)
}
const filesIn = (room: string) => readdir(join(folder, room))
const problem =
  (status: number, code: string): RequestListener =>
  (request, response) => {
    request.resume()
    response.writeHead(status, { "content-type": "application/problem+json" })
    response.end(JSON.stringify({ code, detail: "" }))
  }

describe("what waits", () => {
  test("is admitted in the order of its numbers, without a gap, and leaves the spool", async () => {
    const captures = await fill(6)
    const first = spool.head!.sequence
    await send()
    const rows = await Promise.all(captures.map(id => port.house.ledger.capture(id)))
    expect(rows.map(row => row!.sequence)).toEqual([0, 1, 2, 3, 4, 5].map(i => first + i))
    const entries = rows.map(row => row!.admitted)
    expect(entries).toEqual([...entries].sort((a, b) => a - b))
    const [entry] = await port.house.log.entries(entries[5]!, entries[5]! + 1)
    expect(Buffer.from(entry!.bytes).toString()).toContain('"gap":0')
    expect(await filesIn("waiting")).toEqual([])
    expect(health.counters.captures_admitted).toBe(6)
  })

  test("stays while the vault answers 503, 429 or not at all, and goes when it answers", async () => {
    const captures = await fill(2)
    const answers: RequestListener[] = [
      problem(503, "BUSY"),
      problem(429, "RATE"),
      (request, response) => {
        request.resume()
        response.writeHead(502, { "content-type": "text/html" }).end("<h1>proxy</h1>")
      },
      request => request.socket.destroy(),
    ]
    let asked = 0
    between = (request, response) => answers[asked++ % answers.length]!(request, response)
    await send({ tries: 8 })
    expect(await filesIn("waiting")).toHaveLength(2)
    between = null
    await send()
    expect(await sequencesIn(captures)).not.toContain(null)
    expect(await filesIn("waiting")).toEqual([])
    expect(health.counters.sends_failed).toBeGreaterThanOrEqual(8)
  })

  test("is sent again after an answer that was lost, and is admitted once", async () => {
    const [capture] = await fill(1)
    let lost = 0
    between = (request, response) => {
      void (async () => {
        const chunks: Buffer[] = []
        for await (const chunk of request) chunks.push(chunk as Buffer)
        const headers = { "content-type": "application/vnd.sallyport.capture" }
        const body = Buffer.concat(chunks)
        await fetch(`${server.url}/v1/captures`, { method: "POST", headers, body })
        lost += 1
        if (lost === 1) between = null
        response.destroy()
      })()
    }
    await send()
    expect(lost).toBe(1)
    const counted = await port.house.ledger.captures({ limit: 1000 })
    expect(counted.filter(row => row.id === capture)).toHaveLength(1)
  })

  test("stays when the answer proves nothing: no word of the vault is enough", async () => {
    await fill(1)
    between = (request, response) => {
      request.resume()
      response.writeHead(201, { "content-type": "application/json" })
      response.end(JSON.stringify({ capture: "cap_1", entry: 7, proof: "c2sp.org/tlog-proof@v1\n" }))
    }
    await send({ tries: 3 })
    expect(await filesIn("waiting")).toHaveLength(1)
    expect(health.alarms.has("proof_refused")).toBe(true)
    between = null
    await send({ tries: 3, logs: [] })
    expect(await filesIn("waiting")).toHaveLength(1)
    await send()
    expect(await filesIn("waiting")).toEqual([])
    expect(health.alarms.size).toBe(0)
  })
})

describe("what the vault refuses", () => {
  test("for good is kept aside, as it was sealed, counted and told; the next ones go on", async () => {
    const captures = await fill(2)
    // Another capture takes the first one's number before it.
    const { bytes } = await sealOther(port, {
      picture: new Uint8Array([9]),
      bend: { sequence: spool.head!.sequence },
    })
    port.reader.sequence -= 1
    const headers = { "content-type": "application/vnd.sallyport.capture" }
    const body = Buffer.from(bytes)
    expect((await fetch(`${server.url}/v1/captures`, { method: "POST", headers, body })).status).toBe(201)
    const sealed = await readFile(join(folder, "waiting", (await filesIn("waiting"))[0]!))
    await send()
    expect(await filesIn("waiting")).toEqual([])
    const [aside = ""] = await filesIn("refused")
    expect(await readFile(join(folder, "refused", aside))).toEqual(sealed)
    expect(await sequencesIn(captures)).toEqual([null, expect.any(Number)])
    expect(health.alarms.has("captures_refused")).toBe(true)
    expect(events).toContainEqual(
      expect.objectContaining({
        what: "capture_refused",
        detail: expect.objectContaining({ code: "CAPTURE_SEQUENCE" }) as unknown,
      }),
    )
  })

  test("of its reader holds the line: nothing is put aside for a key that is not enrolled", async () => {
    await fill(2)
    between = problem(403, "CAPTURE_READER")
    await send({ tries: 3 })
    expect(await filesIn("waiting")).toHaveLength(2)
    expect(await filesIn("refused")).toEqual([])
    expect(health.alarms.has("reader_refused")).toBe(true)
    between = problem(404, "NOT_FOUND")
    await send({ tries: 3 })
    expect(await filesIn("waiting")).toHaveLength(2)
    between = null
    await send()
    expect(health.alarms.size).toBe(0)
  })

  test("a capture that the disk changed is kept aside and not sent", async () => {
    await fill(1)
    const [name = ""] = await filesIn("waiting")
    const file = join(folder, "waiting", name)
    const bytes = await readFile(file)
    bytes[bytes.length - 1]! ^= 1
    await writeFile(file, bytes)
    let asked = 0
    between = (request, response) => {
      asked += 1
      problem(503, "BUSY")(request, response)
    }
    await send({ tries: 5 })
    expect(asked).toBe(0)
    expect(await filesIn("refused")).toEqual([name])
  })
})

test("waits grow to a bound, are spread, heed the vault's word within it, and are forgotten at a success", () => {
  const pace = new Pace({ least_ms: 100, most_ms: 5000, random: () => 0 })
  expect([0, 1, 2, 3].map(() => pace.failed(0))).toEqual([50, 100, 200, 400])
  for (let i = 0; i < 100; i += 1) expect(pace.failed(0)).toBeLessThanOrEqual(5000)
  expect(pace.failed(3)).toBe(3000)
  expect(pace.failed(86_400)).toBe(5000)
  pace.succeeded()
  expect(pace.failed(0)).toBe(50)
})
