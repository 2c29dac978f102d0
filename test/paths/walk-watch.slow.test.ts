import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, test } from "vitest"
import { base64 } from "../../src/bytes.ts"
import { permit } from "../../src/custody/opening.ts"
import { register, type Resource } from "../../src/custody/register.ts"
import { newSeed, signerOf } from "../../src/ed25519.ts"
import type { Statement } from "../../src/grant/request.ts"
import { openServer, type Server } from "../../src/http/server.ts"
import { addDestination } from "../destinations.ts"
import { callerOf, enrolled, grantOf, openTestPort, second, type Actor, type TestPort } from "../port.ts"
import { takeInPlain } from "../flat.ts"
import { keyFor, walkThrough, type Walk } from "../walk.ts"

let walk: Walk
let server: Server

beforeAll(async () => {
  const port = await openTestPort()
  const folder = await mkdtemp(join(tmpdir(), "sallyport-walk-"))
  const captures = await takeInPlain(port, 10)
  const soc = { name: "soc", kind: "file", address: "soc.ndjson" } as const
  await addDestination(port, {
    ...soc,
    events: ["watch.step_up", "watch.suspended", "refused.scope", "rule.muted"],
  })
  const siem = { name: "siem", kind: "file", address: "siem.ndjson" } as const
  await addDestination(port, { ...siem, events: ["refused.scope", "rule.muted", "rule.unmuted"] })
  await anotherPrime(port, captures)
  await writeFile(join(folder, "policy"), port.house.log.policy)
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
  const remembered = {
    MOTION: /motion second (mot_[0-9A-Z]{26})/,
    ALERT: /(alt_[0-9A-Z]{26}) +watch_suspended/,
    MUTE: /(mut_[0-9A-Z]{26}) {2}/,
    MODEL: /^([0-9a-f]{64}) {2}in the log/m,
    BACKTEST: /model propose ([0-9a-f]{64})/,
  }
  walk = { port, url: server.url, folder, variables, remembered }
  for (const role of ["custodian", "cor", "privacy", "analyst", "engineer"] as const) await keyFor(walk, role)
})
afterAll(async () => {
  await server.close()
  await walk.port.close()
  await rm(walk.folder, { recursive: true, force: true })
})

test("every command of docs/operate/watch.md prints what the page says", async () => {
  await walkThrough(walk, "watch.md", 28)
}, 600_000)

/** A second prime, one of whose people works within his list: a model is learned from two at least. */
async function anotherPrime(port: TestPort, captures: readonly string[]): Promise<void> {
  const { house, people } = port
  const added = async (resource: Resource, statement: Statement, names: Record<string, string> = {}) =>
    register(
      house,
      await callerOf(house, people.custodian, { path: `/v1/${resource}`, statement, names }),
      resource,
    )
  const { id: organization } = await added("orgs", { name: "Other Prime", parent: null })
  const seed = newSeed()
  const key = base64(signerOf(seed).publicKey)
  const made = await added("people", { organization, office: "engineer", key }, { name: "Planted other" })
  await second(house, people.cor, made.motion!)
  const ends_at = new Date(house.log.clock() + 30 * 86_400_000).toISOString()
  const lists = { attestations: [], devices: [], networks: [], purposes: ["calibrate-reader"] }
  const { id: contract } = await added("contracts", {
    organization,
    number: "T-2",
    under: null,
    ends_at,
    ...lists,
  })
  const actor: Actor = enrolled(made.id, seed)
  const terms = { contract, holder: made.id, captures: captures.slice(0, 4), images: 4, releases: 12 }
  const grant = await grantOf(port, { terms, requester: "custodian" })
  for (const capture of captures.slice(0, 4)) {
    const statement = { grant, capture, level: "L2" }
    await permit(house, await callerOf(house, actor, { path: "/v1/releases", statement }), "release")
  }
}
