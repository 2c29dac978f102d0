import { readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { chanceOf } from "../../src/drawing/chance.ts"
import type { HeldMessage, Ledger } from "../../src/ledger/ledger.ts"
import { openHouse } from "../../src/sallyport.ts"
import { addDestination } from "../destinations.ts"
import { openTestPort, type Role, type TestPort } from "../port.ts"
import { httpReceiver, type HttpReceiver, type Received } from "../receivers.ts"
import { clientFor, startServer, type TestServer } from "../server.ts"

/** Servers that are killed and receivers that come and go at random, and what arrives all the same. */

const seed = 7
const rounds = 9
const fast = { outbox_timeout_s: 1, outbox_retry_first_s: 1, outbox_retry_most_s: 1 }
const suspended: readonly Role[] = ["colleague", "auditor", "engineer", "prime", "cor"]
const failpoints = ["outbox.sent", "ledger.before-commit", "ledger.after-commit", "log.stored"]

let port: TestPort
let hook: HttpReceiver
let siem: HttpReceiver
/** Entries that the outside was told are in the log. */
const acknowledged = new Set<number>()
const arrived: Record<"hook" | "siem", Received[]> = { hook: [], siem: [] }
const chance = chanceOf("outbox", seed)

beforeAll(async () => {
  hook = await httpReceiver()
  siem = await httpReceiver()
  const outbox_networks = { hook: ["127.0.0.0/8"], siem: ["127.0.0.0/8"] }
  port = await openTestPort({ settings: { ...fast, outbox_networks } })
  const events = ["person.suspended"] as const
  await addDestination(port, { name: "hook", kind: "webhook", events, address: `${hook.url}/` })
  await addDestination(port, { name: "siem", kind: "http-json", events, address: `${siem.url}/` })
  await addDestination(port, { name: "file", kind: "file", events, address: "siem.ndjson" })
  await port.opened.close()
})
afterAll(async () => {
  await hook.close()
  await siem.close()
  await rm(port.data, { recursive: true, force: true })
})

/** Suspends and resumes people until the server is gone. */
async function work(server: TestServer): Promise<void> {
  const privacy = clientFor(port.people.privacy, server.url, "sallyport.example/test")
  for (let i = 0; i < 200; i += 1) {
    const { person } = port.people[suspended[i % suspended.length]!]
    const path = `/v1/people/${person}/suspension`
    const statement = { suspended: chance.happens(0.5) }
    acknowledged.add((await privacy.json<{ entry: number }>({ method: "POST", path, statement })).entry)
  }
}

/** Answers, fails, hangs or is gone, and after a while something else. */
async function toggle(receiver: HttpReceiver, name: "hook" | "siem"): Promise<HttpReceiver> {
  const kind = chance.index(5)
  if (kind < 4) {
    receiver.answer = ([204, 204, 503, "hang"] as const)[kind]!
    return receiver
  }
  arrived[name].push(...receiver.received)
  await receiver.close()
  await new Promise(resolve => setTimeout(resolve, 200))
  return httpReceiver(receiver.port)
}

async function round(nth: number): Promise<void> {
  const name = failpoints[nth % failpoints.length]!
  const armed = nth % 3 === 2 ? {} : { SALLYPORT_FAILPOINT: `${name}:${3 + chance.index(12)}` }
  const server = await startServer(port.data, armed)
  const working = work(server).catch(() => undefined)
  for (let i = 0; i < 5; i += 1) {
    hook = await toggle(hook, "hook")
    siem = await toggle(siem, "siem")
    await new Promise(resolve => setTimeout(resolve, chance.between(100, 300)))
  }
  await server.kill("SIGKILL")
  await working
}

async function everyMessage(ledger: Ledger): Promise<HeldMessage[]> {
  const all: HeldMessage[] = []
  for (;;) {
    const page = await ledger.messages({
      limit: 1000,
      ...(all.length === 0 ? {} : { after: all.at(-1)!.id }),
    })
    all.push(...page)
    if (page.length < 1000) return all
  }
}

/** What came in, in order: id and subject of each, a batch taken apart. */
function seen(of: readonly Received[]): { readonly id: string; readonly body: string }[] {
  return of.flatMap(({ headers, body }) =>
    headers["webhook-id"] === undefined ? linesOf(body) : [{ id: String(headers["webhook-id"]), body }],
  )
}

function linesOf(text: string): { readonly id: string; readonly body: string }[] {
  return text
    .split("\n")
    .filter(line => line !== "")
    .map(line => ({ id: (JSON.parse(line) as { metadata: { uid: string } }).metadata.uid, body: line }))
}

test(`${rounds} kills and outages at random (seed ${seed}): nothing lost, repetitions alike, one subject in order`, async () => {
  for (let nth = 0; nth < rounds; nth += 1) await round(nth)
  hook.answer = 204
  siem.answer = 204
  const last = await startServer(port.data, { SALLYPORT_METRICS_PORT: "0" })
  await drained(last)
  await last.kill("SIGTERM")
  arrived.hook.push(...hook.received)
  arrived.siem.push(...siem.received)
  const opened = await openHouse({ data: port.data })
  expect(opened.fsck.problems).toEqual([])
  const messages = await everyMessage(opened.house.ledger)
  await opened.close()
  expect(new Set(messages.map(({ state }) => state))).toEqual(new Set(["delivered"]))
  const told = new Set(messages.map(({ entry }) => entry))
  expect([...acknowledged].filter(entry => !told.has(entry))).toEqual([])
  const file = linesOf(await readFile(join(port.data, "outbox", "siem.ndjson"), "utf8"))
  const heard = { hook: seen(arrived.hook), siem: seen(arrived.siem), file }
  const kinds = new Map(messages.map(each => [each.id, each]))
  for (const [name, all] of Object.entries(heard)) {
    const own = messages.filter(({ id }) => all.some(each => each.id === id))
    expect(own, `${name}: nothing lost`).toHaveLength(messages.length / 3)
    for (const id of new Set(all.map(each => each.id)))
      expect(new Set(all.filter(each => each.id === id).map(({ body }) => body)).size).toBe(1)
    for (const subject of new Set(messages.map(each => each.subject))) {
      const ids = all.map(({ id }) => id).filter(id => kinds.get(id)?.subject === subject)
      expect(ids, `${name}: ${subject} in order`).toEqual([...ids].sort())
    }
  }
  const repeated = heard.hook.length - new Set(heard.hook.map(({ id }) => id)).size
  expect(acknowledged.size).toBeGreaterThan(50)
  expect(repeated).toBeGreaterThan(0)
})

async function drained(server: TestServer): Promise<void> {
  const analyst = clientFor(port.people.privacy, server.url, "sallyport.example/test")
  for (let left = 300; left > 0; left -= 1) {
    const path = "/v1/destinations"
    const { data } = await analyst.json<{ data: { waiting: number }[] }>({ method: "GET", path })
    if (data.every(({ waiting }) => waiting === 0)) return
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  throw new Error(`not drained: ${server.output()}`)
}
