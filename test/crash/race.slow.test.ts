import { cp, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { Fault } from "../../src/fault.ts"
import { names } from "../../src/log/state.ts"
import { openHouse } from "../../src/sallyport.ts"
import { postgresPrograms, startPostgres, type TestPostgres } from "../postgres.ts"
import { termsDigest } from "../../src/grant/terms.ts"
import { grantOf, openTestPort, setPolicy, takeIn, termsOf, type TestPort } from "../port.ts"
import { clientFor, startServer, type TestServer } from "../server.ts"

const clients = 64
const each = 2
const budget = 50

/** Takes in as many captures as the clients will ask for. */
async function filled(port: TestPort): Promise<string[]> {
  const picture = new Uint8Array(
    await sharp({ create: { width: 160, height: 120, channels: 3, background: "#345" } })
      .jpeg()
      .toBuffer(),
  )
  const plates = [{ text: "SP7X042", box: { x_px: 40, y_px: 40, width_px: 60, height_px: 20 } }]
  const event = { v: 1, source: "index", file: null, plates, faces: [] } as const
  const captures: string[] = []
  for (let i = 0; i < clients * each; i += 1) captures.push((await takeIn(port, { picture, event })).capture)
  return captures
}

interface Raced {
  readonly released: ReadonlySet<string>
  readonly refusals: readonly string[]
  /** When the last bytes arrived, by the clock of this process. */
  readonly last_ms: number
}

/**
 * 64 clients ask for 2 images each, at once, of servers on one ledger. What came out is counted, and the ledger computed
 * anew. @param beside  runs while they ask.
 */
async function race(
  port: TestPort,
  folders: readonly string[],
  of: {
    readonly captures: readonly string[]
    readonly grants: readonly string[]
    readonly beside?: (url: string, released: ReadonlySet<string>) => Promise<void>
  },
): Promise<Raced> {
  await port.opened.close()
  const servers: TestServer[] = []
  for (const folder of folders) servers.push(await startServer(folder))
  const released = new Set<string>()
  const refusals: string[] = []
  let last_ms = 0
  const asking = Array.from({ length: clients }, async (_, client) => {
    const { url } = servers[client % servers.length]!
    const vendor = clientFor(port.people.engineer, url, "sallyport.example/test")
    const grant = of.grants[client % of.grants.length]!
    for (const capture of of.captures.slice(client * each, (client + 1) * each)) {
      const statement = { grant, capture, level: "L2" }
      try {
        await (await vendor.send({ method: "POST", path: "/v1/releases", statement })).formData()
        released.add(capture)
        last_ms = Date.now()
      } catch (error) {
        refusals.push(error instanceof Fault ? error.code : String(error))
      }
    }
  })
  await Promise.all([...asking, of.beside?.(servers.at(-1)!.url, released)])
  for (const server of servers) expect(await server.kill("SIGTERM")).toBe("0")
  expect(released.size + refusals.length).toBe(clients * each)
  const { house, fsck: found, close } = await openHouse({ data: port.data })
  expect(found.problems).toEqual([])
  // A copy that was permitted and then stopped has a permit and no refusal; everything else that was refused has its entry.
  const undelivered =
    (await house.ledger.counter(names.opened)) - (await house.ledger.counter(names.total("delivered")))
  expect((await house.ledger.counter(names.total("refused"))) + undelivered).toBe(refusals.length)
  await close()
  return { released, refusals, last_ms }
}

/** On one grant of 50: exactly 50 distinct images leave. */
async function oneGrant(port: TestPort, folders: readonly string[]): Promise<void> {
  const captures = await filled(port)
  const grants = [await grantOf(port, { terms: { images: budget } })]
  const { released, refusals } = await race(port, folders, { captures, grants })
  expect(released.size).toBe(budget)
  expect(new Set(refusals)).toEqual(new Set(["GRANT_BUDGET"]))
}

/** On four grants of one organization, whose 30 days allow 50 in all. */
async function pooled(port: TestPort, folders: readonly string[]): Promise<void> {
  const captures = await filled(port)
  await setPolicy(port, { organization_30d: budget })
  const grants: string[] = []
  for (let i = 0; i < 4; i += 1) grants.push(await grantOf(port, { terms: { images: budget } }))
  const { released, refusals } = await race(port, folders, { captures, grants })
  expect(released.size).toBe(budget)
  expect(new Set(refusals)).toEqual(new Set(["BUDGET_ORGANIZATION"]))
}

/** On a grant that is revoked meanwhile: no permit follows the revocation's entry, no byte 2 s after it. */
async function revoked(port: TestPort, folders: readonly string[]): Promise<void> {
  const captures = await filled(port)
  const terms = termsOf(port, { images: 200 })
  const grant = await grantOf(port, { terms })
  let revoked_ms = 0
  const beside = async (url: string, released: ReadonlySet<string>) => {
    const cor = clientFor(port.people.cor, url, "sallyport.example/test")
    while (released.size < 10) await new Promise(resolve => setTimeout(resolve, 10))
    const statement = { terms_sha256: termsDigest(terms) }
    await cor.json({ method: "POST", path: `/v1/grants/${grant}/revocation`, statement })
    revoked_ms = Date.now()
  }
  const { refusals, last_ms } = await race(port, folders, { captures, grants: [grant], beside })
  expect(refusals.length).toBeGreaterThan(0)
  expect(new Set(refusals)).toEqual(new Set(["GRANT_REVOKED"]))
  expect(last_ms - revoked_ms).toBeLessThanOrEqual(2000)
  const { house, close } = await openHouse({ data: port.data })
  const [revocation] = await house.ledger.newestEntries({ kind: "grant.revoked", limit: 1 })
  const [permit] = await house.ledger.newestEntries({ kind: "permit", limit: 1 })
  expect(permit!.index).toBeLessThan(revocation!.index)
  await close()
}

const races = [
  ["one grant of 50: exactly 50 distinct images leave", oneGrant],
  ["four grants of one organization at its pooled limit of 50: exactly 50 leave", pooled],
  ["a grant while it is revoked: no permit after the revocation's entry, no byte 2 s after it", revoked],
] as const

for (const [title, run] of races)
  test(`64 clients, SQLite, one server, ${title}`, async () => {
    const port = await openTestPort()
    await run(port, [port.data])
    await rm(port.data, { recursive: true, force: true })
  })

const skipped = postgresPrograms === null ? " (skipped: no Postgres here)" : ""

describe.skipIf(postgresPrograms === null)(`two servers on one Postgres ledger${skipped}`, () => {
  let postgres: TestPostgres
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres.stop())

  for (const [title, run] of races)
    test(`64 clients, ${title}, from both together`, async () => {
      const folder = await mkdtemp(join(tmpdir(), "sallyport-two-"))
      const urlFile = join(folder, "postgres.url")
      await writeFile(urlFile, await postgres.newDatabase())
      const port = await openTestPort({
        settings: { ledger: { postgres_url_file: urlFile }, objects: { disk: join(folder, "objects") } },
      })
      const second = join(folder, "second")
      await cp(port.data, second, { recursive: true })
      await run(port, [port.data, second])
      await rm(folder, { recursive: true, force: true })
      await rm(port.data, { recursive: true, force: true })
    })
})
