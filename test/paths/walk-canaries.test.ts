import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, test } from "vitest"
import { base64 } from "../../src/bytes.ts"
import { writeKeyFile } from "../../src/cli/keyfile.ts"
import { register } from "../../src/custody/register.ts"
import { newSeed, signerOf } from "../../src/ed25519.ts"
import { openServer, type Server } from "../../src/http/server.ts"
import { callerOf, grantOf, openTestPort } from "../port.ts"
import { keyFor, takeInPlain, walkThrough, type Walk } from "../walk.ts"

let walk: Walk
let server: Server

beforeAll(async () => {
  const port = await openTestPort()
  const folder = await mkdtemp(join(tmpdir(), "sallyport-walk-"))
  const captures = await takeInPlain(port, 4)
  const grant = await grantOf(port, { terms: { captures, images: 4, releases: 12 } })
  server = await openServer(port.house, {
    ...{ host: "127.0.0.1", port: 0, openBundles: false, version: "0.0.0" },
    standing: { differences: [] },
  })
  const variables = new Map([
    ["GRANT", grant],
    ["LANE", port.lane],
    ["READER", await readerFile(port, folder)],
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

/** The key file of another reader of the lane, as enrolling it makes one. */
async function readerFile({ house, people, reader, lane }: Walk["port"], folder: string): Promise<string> {
  const seed = newSeed()
  const statement = { lane, key: base64(signerOf(seed).publicKey), boxes: "trusted", name: "Reader 2" }
  const caller = await callerOf(house, people.custodian, { path: "/v1/readers", statement })
  const { id } = await register(house, caller, "readers")
  const notes = { port: reader.port, lane, custodian: base64(people.custodian.signer.publicKey) }
  const file = join(folder, "reader.key")
  await writeKeyFile(file, { vault: house.log.origin, id, notes, seed })
  return file
}

test("every command of docs/operate/canaries.md prints what the page says", async () => {
  await walkThrough(walk, "canaries.md", 10)
}, 600_000)
