import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { tmpdir } from "node:os"
import sharp from "sharp"
import { afterAll, beforeAll, expect, test } from "vitest"
import { writeKeyFile } from "../../src/cli/keyfile.ts"
import { recordOf } from "../../src/custody/caller.ts"
import { newSeed, signerOf } from "../../src/ed25519.ts"
import { base64 } from "../../src/bytes.ts"
import { openServer, type Server } from "../../src/http/server.ts"
import { proposeMotion } from "../../src/custody/motions.ts"
import { callerOf, openTestPort, second, takeIn, type Role, type TestPort } from "../port.ts"

/** docs/operate/grants.md, line by line, with the real command line against a real server. */

const program = fileURLToPath(new URL("../../bin/sallyport", import.meta.url))
const page = fileURLToPath(new URL("../../docs/operate/grants.md", import.meta.url))

let port: TestPort
let server: Server
let folder: string
const variables = new Map<string, string>()

beforeAll(async () => {
  port = await openTestPort()
  folder = await mkdtemp(join(tmpdir(), "sallyport-walk-"))
  const picture = new Uint8Array(
    await sharp({ create: { width: 120, height: 80, channels: 3, background: "#456" } })
      .jpeg()
      .toBuffer(),
  )
  const plates = [{ text: "SP7X042", box: { x_px: 20, y_px: 20, width_px: 60, height_px: 20 } }]
  for (let i = 0; i < 6; i += 1)
    await takeIn(port, { picture, event: { v: 1, source: "index", file: null, plates, faces: [] } })
  for (const role of ["custodian", "cor", "privacy", "engineer"] as const) await keyFor(role)
  const record = async (role: Role) => (await recordOf(port.house, "person", port.people[role].person))!
  variables.set("AGENCY", (await record("cor")).organization)
  variables.set("PRIME", (await record("prime")).organization)
  variables.set("PERSON", port.people.engineer.person)
  variables.set("LANE", port.lane)
  server = await openServer(port.house, {
    ...{ host: "127.0.0.1", port: 0, openBundles: false, version: "0.0.0" },
    standing: { differences: [] },
  })
})
afterAll(async () => {
  await server.close()
  await port.close()
  await rm(folder, { recursive: true, force: true })
})

/** A key file of a person: another key of his, signed by two, since the test's own keys give no seed away. */
async function keyFor(role: Role): Promise<void> {
  const { house, people } = port
  const seed = newSeed()
  const { person } = people[role]
  const statement = { person, key: base64(signerOf(seed).publicKey), kind: "ed25519", credential: null }
  const caller = await callerOf(house, people.custodian, { path: "/v1/keys", statement })
  const signers = { custodian: "privacy", cor: "privacy", privacy: "cor", engineer: "cor" } as const
  const by = signers[role as keyof typeof signers]
  await second(house, people[by], (await proposeMotion(house, caller, "add-key")).id)
  const file = join(folder, `${role}.key`)
  await writeKeyFile(file, { vault: house.log.origin, id: person, notes: {}, seed })
  variables.set(role.toUpperCase(), file)
}

/** The commands of the page, with the exit code that their comment names. */
async function commands(): Promise<{ line: string; exits: number; code: string | null }[]> {
  const text = await readFile(page, "utf8")
  return text
    .split("\n")
    .filter(line => line.startsWith("sallyport "))
    .map(line => {
      const [command = "", comment] = line.split(/\s+# exits /)
      const [exits = "0", code = null] = comment?.split(": ") ?? []
      return { line: command, exits: Number(exits), code }
    })
}

function argumentsOf(line: string): string[] {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(match => match[1] ?? match[2] ?? "")
  return words.slice(1).map(word => (word.startsWith("$") ? (variables.get(word.slice(1)) ?? word) : word))
}

function run(line: string): Promise<{ exit: number; out: string }> {
  const argv = [program, ...argumentsOf(line), "--server", server.url, "--json"]
  return new Promise(resolve =>
    execFile(process.execPath, argv, { cwd: folder }, (error, stdout, stderr) =>
      resolve({ exit: error === null ? 0 : Number(error.code), out: `${stdout}${stderr}` }),
    ),
  )
}

test("every command of docs/operate/grants.md does what the page says", async () => {
  const all = await commands()
  expect(all.length).toBeGreaterThan(18)
  for (const { line, exits, code } of all) {
    const { exit, out } = await run(line)
    expect(exit, `${line}\n${out}`).toBe(exits)
    if (code !== null) expect(out).toContain(code)
    for (const [name, prefix] of [
      ["MOTION", "mot"],
      ["CONTRACT", "con"],
      ["GRANT", "grt"],
    ] as const) {
      const id = new RegExp(`"(?:id|motion|grant)":"(${prefix}_[0-9A-Z]{26})"`).exec(out)?.[1]
      if (id !== undefined) variables.set(name, id)
    }
  }
})
