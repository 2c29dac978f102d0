import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { afterEach, expect, test } from "vitest"
import { serveWitness } from "../cli/witness.ts"
import { release } from "../custody/release.ts"
import { verifyEd25519 } from "../ed25519.ts"
import { grantOf, openTestPort, releaseCaller, takeIn, type TestPort } from "../../test/port.ts"
import { parsePolicy } from "../tlog/policy.ts"
import { sha256Hex } from "../vault/vault.ts"
import { checkReceipt } from "./verify.ts"

type Running = Awaited<ReturnType<typeof serveWitness>>

let closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.reverse()) await close()
  closing = []
})

async function witness(
  name: string,
): Promise<{ data: string; running: Running; line: string; start(): Promise<Running> }> {
  const data = await mkdtemp(join(tmpdir(), "sallyport-witness-"))
  const start = (port = "0") => serveWitness({ data, name, listen: `127.0.0.1:${port}`, rate: "1000" })
  const running = await start()
  closing.push(() => rm(data, { recursive: true }))
  const vkey = /key=(\S+)/.exec(running.firstLine)![1]!
  const port = new URL(running.url).port
  return { data, running, line: `witness ${name} ${vkey} ${running.url}`, start: () => start(port) }
}

/** A port whose log asks so many witnesses; `needed` of them are the quorum. */
async function witnessedPort(lines: readonly string[], needed: number, settings = {}): Promise<TestPort> {
  const port = await openTestPort({
    settings: { witnesses: "witnesses", ...settings },
    prepare: async (data, vkey) => {
      const names = lines.map(line => line.split(" ")[1]!)
      const group = `group all-of-them ${needed} ${names.join(" ")}`
      await writeFile(
        join(data, "witnesses"),
        [`log ${vkey}`, ...lines, group, "quorum all-of-them", ""].join("\n"),
      )
    },
  })
  closing.push(() => port.close())
  return port
}

async function take(port: TestPort): Promise<string> {
  const picture = new Uint8Array(
    await sharp({ create: { width: 200, height: 100, channels: 3, background: "#321" } })
      .jpeg()
      .toBuffer(),
  )
  return (await takeIn(port, { picture })).capture
}

async function drawOne(port: TestPort, grant: string, capture: string) {
  return release(port.house, await releaseCaller(port, { grant, capture }))
}

test("releases go on while the quorum follows, stop beyond the bound of images, and go on again; admissions never stop", async () => {
  const [one, two] = [await witness("ig.example/one"), await witness("university.example/two")]
  const port = await witnessedPort([one.line, two.line], 2, { witness_max_images: 2 })
  const { witnesses } = port.house.log
  expect(witnesses!.refusal(0)).toContain("no checkpoint of this log was cosigned")
  for (const each of [one, two]) await writeFile(join(each.data, "logs"), `${port.house.log.vkey}\n`)
  await witnesses!.reach(1)
  const captures = [await take(port), await take(port), await take(port), await take(port)]
  const grant = await grantOf(port, { terms: { images: 10 } })
  await witnesses!.reach((await port.house.log.head()).size)
  const first = await drawOne(port, grant, captures[0]!)
  await witnesses!.reach(first.delivered + 1)
  const policy = parsePolicy(port.house.log.policy)
  const file = { sha256: sha256Hex(first.bytes), size_bytes: first.bytes.length }
  const receipt = await port.house.log.receiptAt(first.delivered)
  const verdict = checkReceipt({
    receipt,
    policy: policy.kind === "ok" ? policy.policy : null!,
    file,
    verify: verifyEd25519,
  })
  expect(verdict.refusal).toBe(null)
  await two.running.close()
  await drawOne(port, grant, captures[1]!)
  await drawOne(port, grant, captures[2]!)
  await expect(drawOne(port, grant, captures[3]!)).rejects.toMatchObject({
    code: "LOG_UNWITNESSED",
    status: 503,
    exitCode: 75,
  })
  await expect(take(port)).resolves.toMatch(/^cap_/)
  expect(witnesses!.presence().find(each => each.name === "university.example/two")!.problem).toContain(
    "no answer",
  )
  const again = await two.start()
  closing.push(
    () => again.close(),
    () => one.running.close(),
  )
  await witnesses!.reach((await port.house.log.head()).size)
  await expect(drawOne(port, grant, captures[3]!)).resolves.toMatchObject({ capture: captures[3] })
}, 60_000)

test("a cosigned checkpoint that is too old stops what leaves, and a clock behind the witnesses too", async () => {
  const one = await witness("ig.example/one")
  const port = await witnessedPort([one.line], 1)
  await writeFile(join(one.data, "logs"), `${port.house.log.vkey}\n`)
  const capture = await take(port)
  const grant = await grantOf(port, { terms: { images: 10 } })
  await port.house.log.witnesses!.reach((await port.house.log.head()).size)
  await one.running.close()
  port.clock.offset_ms = 61_000
  await expect(drawOne(port, grant, capture)).rejects.toMatchObject({ code: "LOG_UNWITNESSED" })
}, 60_000)

test("in strict mode the answered receipt is cosigned; without the quorum nothing is answered", async () => {
  const one = await witness("ig.example/one")
  const port = await witnessedPort([one.line], 1, { witness_strict: true })
  await writeFile(join(one.data, "logs"), `${port.house.log.vkey}\n`)
  const capture = await take(port)
  const grant = await grantOf(port, { terms: { images: 10 } })
  await port.house.log.witnesses!.reach((await port.house.log.head()).size)
  const { receipt } = await drawOne(port, grant, capture)
  expect(receipt).toContain("\u2014 ig.example/one ")
  await one.running.close()
  await expect(drawOne(port, grant, capture)).rejects.toMatchObject({ code: "LOG_UNWITNESSED" })
}, 60_000)

test("one witness who never answers holds up nobody while the others are the quorum", async () => {
  const [one, two] = [await witness("ig.example/one"), await witness("university.example/two")]
  await two.running.close()
  let asked = 0
  const silent = createServer(() => (asked += 1))
  await new Promise<void>(resolve => silent.listen(0, "127.0.0.1", resolve))
  closing.push(() => new Promise(resolve => (silent.closeAllConnections(), silent.close(resolve))))
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
  const port = await witnessedPort([one.line, two.line.replace(/http:\S+$/, url)], 1, {
    witness_strict: true,
  })
  closing.push(() => one.running.close())
  await writeFile(join(one.data, "logs"), `${port.house.log.vkey}\n`)
  const capture = await take(port)
  const grant = await grantOf(port, { terms: { images: 10 } })
  const { witnesses } = port.house.log
  await witnesses!.reach((await port.house.log.head()).size)
  const [before, sizes] = [asked, new Set<number>()]
  for (let i = 0; i < 4; i += 1) {
    await drawOne(port, grant, capture)
    sizes.add(witnesses!.newest!.size)
  }
  // Four rounds of the quorum, while the silent one is still at the one question that he was asked (or just timed out on).
  expect(sizes.size).toBe(4)
  expect(asked - before).toBeLessThanOrEqual(1)
  expect(witnesses!.presence()[1]).toMatchObject({ name: "university.example/two", size: null })
}, 60_000)

/** A server that answers what it is told, and counts. */
async function odd(
  answer: (body: string, count: number) => { status: number; text: string },
): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = []
  let times = 0
  const server: Server = createServer((request, response) => {
    let body = ""
    request.on("data", (chunk: Buffer) => (body += chunk.toString()))
    request.on("end", () => {
      asked.push(`${request.method} ${request.url}`)
      const { status, text } = answer(body, (times += 1))
      response.writeHead(status).end(text)
    })
  })
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  closing.push(() => new Promise(resolve => server.close(resolve)))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

test("a witness that answers oddly is asked at most twice a round, and is no quorum", async () => {
  const real = await witness("ig.example/one")
  await real.running.close()
  for (const [status, text, posts] of [
    [409, (count: number) => `${1 + (count % 7)}\n`, 2],
    [409, () => "1\n", 1],
    [409, () => "not a size\n", 1],
    [409, () => "99999\n", 1],
    [422, () => "no\n", 1],
    [403, () => "who\n", 1],
    [404, () => "who\n", 1],
    [500, () => "oh\n", 1],
    [429, () => "slower\n", 1],
    [200, () => "", 1],
    [200, () => `\u2014 ig.example/one ${"A".repeat(100)}\n`, 1],
    [200, () => "x".repeat(70_000), 1],
  ] as const) {
    const { url, asked } = await odd((_, count) => ({ status, text: text(count) }))
    const port = await witnessedPort([real.line.replace(/http:\S+$/, url)], 1)
    const { witnesses } = port.house.log
    await witnesses!.close()
    await new Promise(resolve => setTimeout(resolve, 60))
    asked.length = 0
    witnesses!.kick()
    await witnesses!.close()
    expect(asked.filter(each => each.startsWith("POST")).length, `${status} ${text(1).slice(0, 10)}`).toBe(
      posts,
    )
    expect(witnesses!.presence()[0]!.problem).not.toBe(null)
    expect(witnesses!.refusal(0)).not.toBe(null)
  }
}, 60_000)
