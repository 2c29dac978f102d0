import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, test } from "vitest"
import { openServer, type Server } from "../../src/http/server.ts"
import { grantOf, openTestPort } from "../port.ts"
import { keyFor, takeInPlain, walkThrough, type Walk } from "../walk.ts"

let walk: Walk
let server: Server

beforeAll(async () => {
  const port = await openTestPort()
  const folder = await mkdtemp(join(tmpdir(), "sallyport-walk-"))
  const captures = await takeInPlain(port, 10)
  const grant = await grantOf(port, { terms: { captures: captures.slice(0, 4), images: 4, releases: 12 } })
  server = await openServer(port.house, {
    ...{ host: "127.0.0.1", port: 0, openBundles: false, version: "0.0.0" },
    standing: { differences: [] },
  })
  const [, , third, fourth, ...others] = captures
  const variables = new Map([
    ...([
      ["GRANT", grant],
      ["THIRD", third!],
      ["FOURTH", fourth!],
      ["PERSON", port.people.engineer.person],
    ] as const),
    ...others.map((capture, i) => [`OTHER${i + 1}`, capture] as const),
  ])
  const remembered = { MOTION: /motion second (mot_[0-9A-Z]{26})/ }
  walk = { port, url: server.url, folder, variables, remembered }
  for (const role of ["custodian", "cor", "privacy", "engineer"] as const) await keyFor(walk, role)
})
afterAll(async () => {
  await server.close()
  await walk.port.close()
  await rm(walk.folder, { recursive: true, force: true })
})

test("every command of docs/operate/watch.md prints what the page says", async () => {
  await walkThrough(walk, "watch.md", 15)
}, 600_000)
