import { cp, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { examine } from "../../src/custody/examine.ts"
import { Fault } from "../../src/fault.ts"
import { names } from "../../src/log/state.ts"
import { openHouse } from "../../src/sallyport.ts"
import { postgresPrograms, startPostgres, type TestPostgres } from "../postgres.ts"
import { termsDigest } from "../../src/grant/terms.ts"
import { grantOf, openTestPort, sealAndAdmit, setPolicy, termsOf, type TestPort } from "../port.ts"
import { clientFor, startServer, type TestServer } from "../server.ts"

const clients = 64
const each = 2
const budget = 50

/** A port with as many captures as the clients ask for. Examining them takes longer than a race, so it is done once. */
interface Stage {
  readonly port: TestPort
  /** Of the servers that work on its ledger. */
  readonly folders: readonly string[]
  readonly captures: readonly string[]
  /** Makes all that is stored as it was before anybody asked, and opens it. */
  reset(): Promise<void>
  strike(): Promise<void>
}

async function staged(postgres: TestPostgres | null): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-race-"))
  const objects = join(folder, "objects")
  const urlFile = join(folder, "postgres.url")
  const filledUrl = await postgres?.newDatabase()
  if (filledUrl !== undefined) await writeFile(urlFile, filledUrl)
  const settings = { ledger: { postgres_url_file: urlFile }, objects: { disk: objects } }
  const port = await openTestPort(postgres === null ? {} : { settings })
  const captures = await filled(port)
  await port.opened.close()
  const folders = postgres === null ? [port.data] : [port.data, join(folder, "second")]
  for (const other of folders.slice(1)) await cp(port.data, other, { recursive: true })
  // A server's folder too: it remembers how long the log was, and would rightly stop at a shorter one.
  const stored = postgres === null ? folders : [...folders, objects]
  const kept = (at: number) => join(folder, `kept-${at}`)
  for (const [at, path] of stored.entries()) await cp(path, kept(at), { recursive: true })
  return {
    port,
    folders,
    captures,
    reset: async () => {
      for (const [at, path] of stored.entries()) {
        await rm(path, { recursive: true, force: true })
        await cp(kept(at), path, { recursive: true })
      }
      if (postgres !== null) await writeFile(urlFile, await postgres.newDatabase(filledUrl))
      port.opened = await openHouse({ data: port.data })
    },
    strike: async () => {
      for (const path of [port.data, folder]) await rm(path, { recursive: true, force: true })
    },
  }
}

async function filled(port: TestPort): Promise<string[]> {
  const picture = new Uint8Array(
    await sharp({ create: { width: 160, height: 120, channels: 3, background: "#345" } })
      .jpeg()
      .toBuffer(),
  )
  const plates = [{ text: "SP7X042", box: { x_px: 40, y_px: 40, width_px: 60, height_px: 20 } }]
  const event = { v: 1, source: "index", file: null, plates, faces: [] } as const
  const captures: string[] = []
  for (let i = 0; i < clients * each; i += 1)
    captures.push((await sealAndAdmit(port, { picture, event })).capture)
  // As many at once as there are processes that look.
  const waiting = captures.values()
  const examiner = async () => {
    for (const capture of waiting) await examine(port.house, capture, { again: false })
  }
  await Promise.all([examiner(), examiner()])
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
  { port, folders, captures }: Stage,
  of: {
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
    for (const capture of captures.slice(client * each, (client + 1) * each)) {
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
async function oneGrant(stage: Stage): Promise<void> {
  const { port } = stage
  const grants = [await grantOf(port, { terms: { images: budget } })]
  const { released, refusals } = await race(stage, { grants })
  expect(released.size).toBe(budget)
  expect(new Set(refusals)).toEqual(new Set(["GRANT_BUDGET"]))
}

/** On four grants of one organization, whose 30 days allow 50 in all. */
async function pooled(stage: Stage): Promise<void> {
  const { port } = stage
  await setPolicy(port, { organization_30d: budget })
  const grants: string[] = []
  for (let i = 0; i < 4; i += 1) grants.push(await grantOf(port, { terms: { images: budget } }))
  const { released, refusals } = await race(stage, { grants })
  expect(released.size).toBe(budget)
  expect(new Set(refusals)).toEqual(new Set(["BUDGET_ORGANIZATION"]))
}

/** On a grant that is revoked meanwhile: no permit follows the revocation's entry, no byte 2 s after it. */
async function revoked(stage: Stage): Promise<void> {
  const { port } = stage
  const terms = termsOf(port, { images: 200 })
  const grant = await grantOf(port, { terms })
  let revoked_ms = 0
  const beside = async (url: string, released: ReadonlySet<string>) => {
    const cor = clientFor(port.people.cor, url, "sallyport.example/test")
    await vi.waitUntil(() => released.size >= 10, { timeout: 60_000, interval: 10 })
    const statement = { terms_sha256: termsDigest(terms) }
    await cor.json({ method: "POST", path: `/v1/grants/${grant}/revocation`, statement })
    revoked_ms = Date.now()
  }
  const { refusals, last_ms } = await race(stage, { grants: [grant], beside })
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

/** Every race on one stage, which is set anew before each. */
function runRaces(among: string, postgresOf: () => TestPostgres | null): void {
  let stage: Stage
  beforeAll(async () => {
    stage = await staged(postgresOf())
  }, 600_000)
  afterAll(() => stage.strike())

  for (const [title, run] of races)
    test(`64 clients, ${title}${among}`, async () => {
      await stage.reset()
      await run(stage)
    })
}

describe("one server on SQLite", () => {
  runRaces("", () => null)
})

const skipped = postgresPrograms === null ? " (skipped: no Postgres here)" : ""

describe.skipIf(postgresPrograms === null)(`two servers on one Postgres ledger${skipped}`, () => {
  let postgres: TestPostgres
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres.stop())
  runRaces(", from both together", () => postgres)
})
