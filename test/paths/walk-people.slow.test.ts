import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, test } from "vitest"
import { openServer, type Server } from "../../src/http/server.ts"
import { breach } from "../incident.ts"
import { leaveAll, takeInPassages } from "../linkage.ts"
import { openTestPort } from "../port.ts"
import { keyFor, walkThrough, type Walk } from "../walk.ts"

let walk: Walk
let server: Server

beforeAll(async () => {
  const port = await openTestPort()
  const folder = await mkdtemp(join(tmpdir(), "sallyport-walk-"))
  const passages = [1, 2, 3].map(person => ({ pictures: [[person], [person]] }))
  const { captures } = await takeInPassages(port, passages)
  await leaveAll(port, captures)
  const incident = await breach(port)
  server = await openServer(port.house, {
    ...{ host: "127.0.0.1", port: 0, openBundles: false, version: "0.0.0" },
    standing: { differences: [] },
  })
  // The network takes all of these patches for one person's, so there is a pair of each two of the six.
  const rows = Array.from({ length: 15 }, (_, pair) => `${pair},same`)
  await writeFile(join(folder, "answers.csv"), `pair,answer\n${rows.join("\n")}\n`)
  walk = { port, url: server.url, folder, variables: new Map([["INCIDENT", incident]]), remembered: {} }
  for (const role of ["privacy", "analyst"] as const) await keyFor(walk, role)
}, 120_000)
afterAll(async () => {
  await server.close()
  await walk.port.close()
  await rm(walk.folder, { recursive: true, force: true })
})

test("every command of docs/operate/incident-people.md prints what the page says", async () => {
  await walkThrough(walk, "incident-people.md", 7)
}, 600_000)
