import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { openServer, type Server } from "../../src/http/server.ts"
import { breach, leave } from "../incident.ts"
import { openTestPort } from "../port.ts"
import { keyFor, walkThrough, type Walk } from "../walk.ts"

let walk: Walk
let server: Server

beforeAll(async () => {
  const port = await openTestPort()
  const folder = await mkdtemp(join(tmpdir(), "sallyport-walk-"))
  const captures = await leave(port, 3)
  const incident = await breach(port)
  server = await openServer(port.house, {
    ...{ host: "127.0.0.1", port: 0, openBundles: false, version: "0.0.0" },
    standing: { differences: [] },
  })
  await writeFile(join(folder, "policy"), port.house.log.policy)
  const row = (await port.house.ledger.capture(captures[0]!))!
  const variables = new Map([
    ["INCIDENT", incident],
    ["AT", new Date(row.capturedAt_ms).toISOString()],
    ["CROSSING", row.crossing],
  ])
  const remembered = { MOTION: /motion second (mot_[0-9A-Z]{26})/ }
  walk = { port, url: server.url, folder, variables, remembered }
  for (const role of ["cor", "privacy", "auditor"] as const) await keyFor(walk, role)
}, 60_000)
afterAll(async () => {
  await server.close()
  await walk.port.close()
  await rm(walk.folder, { recursive: true, force: true })
})

test("every command of docs/operate/incident-evidence.md prints what the page says", async () => {
  await walkThrough(walk, "incident-evidence.md", 11)
  const traveler = await readFile(join(walk.folder, "accounting", "traveler.txt"), "utf8")
  expect(traveler).toContain("Planted engineer, of Sub, got a copy.")
  expect(traveler).toContain("We did not search by face or plate.")
}, 600_000)
