import { cp, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { Fault } from "../../src/fault.ts"
import { fsck } from "../../src/log/fsck.ts"
import { names } from "../../src/log/state.ts"
import { openHouse } from "../../src/sallyport.ts"
import { postgresPrograms, startPostgres, type TestPostgres } from "../postgres.ts"
import { grantOf, openTestPort, takeIn, type TestPort } from "../port.ts"
import { clientFor, startServer, type TestServer } from "../server.ts"

const draws = 32
const each = 3
const budget = 50

/** 32 draws of 3 images each, at once, on a grant of 50; what came out is counted, and the ledger computed anew. */
async function race(port: TestPort, folders: readonly string[]): Promise<void> {
  const picture = new Uint8Array(
    await sharp({ create: { width: 160, height: 120, channels: 3, background: "#345" } })
      .jpeg()
      .toBuffer(),
  )
  const plates = [{ text: "SP7X042", box: { x_px: 40, y_px: 40, width_px: 60, height_px: 20 } }]
  const captures: string[] = []
  for (let i = 0; i < draws * each; i += 1) {
    captures.push(
      (await takeIn(port, { picture, event: { v: 1, source: "index", file: null, plates, faces: [] } }))
        .capture,
    )
  }
  const grant = await grantOf(port, { terms: { images: budget } })
  await port.opened.close()
  const servers: TestServer[] = []
  for (const folder of folders) servers.push(await startServer(folder))
  const released = new Set<string>()
  const refusals: string[] = []
  await Promise.all(
    Array.from({ length: draws }, async (_, draw) => {
      const client = clientFor(
        port.people.engineer,
        servers[draw % servers.length]!.url,
        "sallyport.example/test",
      )
      for (const capture of captures.slice(draw * each, (draw + 1) * each)) {
        try {
          await (
            await client.send({
              method: "POST",
              path: "/v1/releases",
              statement: { grant, capture, level: "L2" },
            })
          ).formData()
          released.add(capture)
        } catch (error) {
          refusals.push(error instanceof Fault ? error.code : String(error))
        }
      }
    }),
  )
  for (const server of servers) expect(await server.kill("SIGTERM")).toBe("0")
  expect(released.size).toBe(budget)
  expect(refusals).toHaveLength(draws * each - budget)
  expect(new Set(refusals)).toEqual(new Set(["GRANT_BUDGET"]))
  const { house, close } = await openHouse({ data: port.data })
  expect(await house.ledger.counter(names.images(grant))).toBe(budget)
  expect((await fsck(house.ledger, { origin: house.log.origin, verify: verifyEd25519 })).problems).toEqual([])
  const refused = await house.ledger.newestEntries({ kind: "refused", limit: 200 })
  expect(refused).toHaveLength(draws * each - budget)
  await close()
}

test("SQLite, one server: exactly 50 distinct images leave", async () => {
  const port = await openTestPort()
  await race(port, [port.data])
  await rm(port.data, { recursive: true, force: true })
})

const skipped = postgresPrograms === null ? " (skipped: no Postgres here)" : ""

describe.skipIf(postgresPrograms === null)(`two servers on one Postgres ledger${skipped}`, () => {
  let postgres: TestPostgres
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres.stop())

  test("exactly 50 distinct images leave, from both together", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sallyport-two-"))
    const urlFile = join(folder, "postgres.url")
    await writeFile(urlFile, await postgres.newDatabase())
    const port = await openTestPort({
      settings: { ledger: { postgres_url_file: urlFile }, objects: { disk: join(folder, "objects") } },
    })
    const second = join(folder, "second")
    await cp(port.data, second, { recursive: true })
    await race(port, [port.data, second])
    await rm(folder, { recursive: true, force: true })
    await rm(port.data, { recursive: true, force: true })
  })
})
