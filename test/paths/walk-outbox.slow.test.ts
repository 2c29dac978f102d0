import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { openServer, type Server } from "../../src/http/server.ts"
import { startPump, type Pump } from "../../src/outbox/pump.ts"
import { organizationOf, settingsOf } from "../destinations.ts"
import { openTestPort } from "../port.ts"
import { httpReceiver, type HttpReceiver } from "../receivers.ts"
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
  server = await openServer(port.house, {
    ...{ host: "127.0.0.1", port: 0, openBundles: false, version: "0.0.0" },
    standing: { differences: [] },
  })
  // Nothing listens for the second destination; one attempt is enough to be told so.
  const settings = settingsOf(port, ["soc", "duty"], { retryFirst_ms: 60_000, retryMost_ms: 60_000 })
  pump = startPump(port.house, { settings, told: error => errors.push(error) })
  const remembered = {
    MOTION: /motion second (mot_[0-9A-Z]{26})/,
    SOC: /^(dst_[0-9A-Z]{26}) +soc /m,
    DUTY: /^(dst_[0-9A-Z]{26}) +duty /m,
    MESSAGE: /^(msg_[0-9A-Z]{26}) /m,
    ENTRY: /suspended, log entry (\d+)/,
  }
  const gone = await httpReceiver()
  await gone.close()
  const variables = new Map([
    ["HOOK", `${hook.url}/sallyport`],
    ["GONE", `${gone.url}/`],
    ["PERSON", port.people.colleague.person],
    ["PRIME", await organizationOf(port, "prime")],
  ])
  walk = { port, url: server.url, folder, variables, remembered }
  for (const role of ["custodian", "cor", "privacy", "analyst"] as const) await keyFor(walk, role)
})
afterAll(async () => {
  await pump.close()
  await server.close()
  await hook.close()
  await walk.port.close()
  await rm(walk.folder, { recursive: true, force: true })
})

test("every command of docs/operate/outbox.md prints what the page says", async () => {
  await walkThrough(walk, "outbox.md", 15)
  expect(hook.received.length).toBeGreaterThanOrEqual(2)
  expect(errors).toEqual([])
}, 600_000)
