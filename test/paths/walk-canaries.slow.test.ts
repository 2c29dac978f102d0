import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, test } from "vitest"
import { openServer, type Server } from "../../src/http/server.ts"
import { enrollReader } from "../lane-agent.ts"
import { grantOf, openTestPort } from "../port.ts"
import { takeInPlain } from "../flat.ts"
import { keyFor, walkThrough, type Walk } from "../walk.ts"

let walk: Walk
let server: Server

beforeAll(async () => {
  const port = await openTestPort()
  const folder = await mkdtemp(join(tmpdir(), "sallyport-walk-"))
  const captures = await takeInPlain(port, 4)
  const grant = await grantOf(port, { terms: { captures, images: 4, releases: 12 } })
  await writeFile(join(folder, "reader.key"), (await enrollReader(port, "trusted")).keyFile, { mode: 0o600 })
  server = await openServer(port.house, {
    ...{ host: "127.0.0.1", port: 0, openBundles: false, version: "0.0.0" },
    standing: { differences: [] },
  })
  const variables = new Map([
    ["GRANT", grant],
    ["LANE", port.lane],
    ["READER", join(folder, "reader.key")],
  ])
  const remembered = {
    CANARY: /^(cap_[0-9A-Z]{26}) {2}\S+ {2}lan_/m,
    TOUCH: /sallyport alert ack (\d+)/,
  }
  walk = { port, url: server.url, folder, variables, remembered }
  for (const role of ["custodian", "cor", "privacy", "engineer"] as const) await keyFor(walk, role)
}, 60_000)
afterAll(async () => {
  await server.close()
  await walk.port.close()
  await rm(walk.folder, { recursive: true, force: true })
})

test("every command of docs/operate/canaries.md prints what the page says", async () => {
  await walkThrough(walk, "canaries.md", 10)
}, 600_000)
