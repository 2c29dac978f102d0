import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { release } from "../../src/custody/release.ts"
import { openServer, type Server } from "../../src/http/server.ts"
import { startPump, type Pump } from "../../src/outbox/pump.ts"
import { addDestination, organizationOf, settingsOf } from "../destinations.ts"
import { codeOf, grantOf, openTestPort, releaseCaller } from "../port.ts"
import { httpReceiver, until, type HttpReceiver } from "../receivers.ts"
import { takeInPlain } from "../flat.ts"
import { keyFor, walkThrough, type Walk } from "../walk.ts"

let walk: Walk
let server: Server
let hook: HttpReceiver
let pump: Pump
const errors: unknown[] = []

beforeAll(async () => {
  const port = await openTestPort()
  hook = await httpReceiver()
  const folder = await mkdtemp(join(tmpdir(), "sallyport-walk-"))
  const captures = await takeInPlain(port, 8)
  const grant = await grantOf(port, { terms: { captures: captures.slice(0, 6), images: 6, releases: 12 } })
  for (const capture of captures.slice(0, 4))
    await release(port.house, await releaseCaller(port, { grant, capture }))
  const outside = await releaseCaller(port, { grant, capture: captures[7]! })
  expect(await codeOf(release(port.house, outside))).toBe("GRANT_SELECTION")
  await addDestination(port, {
    ...{ name: "soc", kind: "webhook", address: `${hook.url}/soc` },
    events: ["breach.reported", "incident.declared", "clock.due", "clock.missed", "statement.signed"],
  })
  server = await openServer(port.house, {
    ...{ host: "127.0.0.1", port: 0, openBundles: false, version: "0.0.0" },
    standing: { differences: [] },
  })
  pump = startPump(port.house, { settings: settingsOf(port, ["soc"]), told: error => errors.push(error) })
  await writeFile(join(folder, "policy"), port.house.log.policy)
  await writeFile(join(folder, "statement.json"), `{"v":1,"said":"4 images left"}`)
  const remembered = {
    MOTION: /motion second (mot_[0-9A-Z]{26})/,
    INCIDENT: /^(inc_[0-9A-Z]{26}) {2}declared/m,
  }
  const variables = new Map([
    ["SUB", await organizationOf(port, "engineer")],
    ["STATEMENT", join(folder, "statement.json")],
  ])
  walk = { port, url: server.url, folder, variables, remembered }
  for (const role of ["custodian", "cor", "privacy", "engineer"] as const) await keyFor(walk, role)
})
afterAll(async () => {
  await pump.close()
  await server.close()
  await hook.close()
  await walk.port.close()
  await rm(walk.folder, { recursive: true, force: true })
})

test("every command of docs/operate/incident.md prints what the page says, and the agency was told", async () => {
  await walkThrough(walk, "incident.md", 15)
  const told = () => hook.received.map(({ body }) => (JSON.parse(body) as { type: string }).type)
  await until(() => told().includes("statement.signed"), "everything was told")
  expect(told()[0]).toBe("breach.reported")
  expect(told().filter(type => type === "clock.missed")).toHaveLength(2)
  expect(errors).toEqual([])
}, 600_000)
