import { mkdtemp, rm } from "node:fs/promises"
import { join } from "node:path"
import { tmpdir } from "node:os"
import { afterAll, beforeAll, test } from "vitest"
import { recordOf } from "../../src/custody/caller.ts"
import { openServer, type Server } from "../../src/http/server.ts"
import { openTestPort, type Role } from "../port.ts"
import { takeInPlain } from "../flat.ts"
import { keyFor, walkThrough, type Walk } from "../walk.ts"

let walk: Walk
let server: Server

beforeAll(async () => {
  const port = await openTestPort()
  const folder = await mkdtemp(join(tmpdir(), "sallyport-walk-"))
  await takeInPlain(port, 6)
  server = await openServer(port.house, {
    ...{ host: "127.0.0.1", port: 0, openBundles: false, version: "0.0.0" },
    standing: { differences: [] },
  })
  const remembered = {
    MOTION: /motion second (mot_[0-9A-Z]{26})/,
    CONTRACT: /^(con_[0-9A-Z]{26}) {2}added/m,
    GRANT: /^(grt_[0-9A-Z]{26}) {2}asked for/m,
  }
  walk = { port, url: server.url, folder, variables: new Map(), remembered }
  for (const role of ["custodian", "cor", "privacy", "engineer"] as const) await keyFor(walk, role)
  const record = async (role: Role) => (await recordOf(port.house, "person", port.people[role].person))!
  walk.variables.set("AGENCY", (await record("cor")).organization)
  walk.variables.set("PRIME", (await record("prime")).organization)
  walk.variables.set("PERSON", port.people.engineer.person)
  walk.variables.set("LANE", port.lane)
})
afterAll(async () => {
  await server.close()
  await walk.port.close()
  await rm(walk.folder, { recursive: true, force: true })
})

test("every command of docs/operate/grants.md prints what the page says", async () => {
  await walkThrough(walk, "grants.md", 26)
}, 600_000)
