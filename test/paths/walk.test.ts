import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
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

interface Step {
  readonly line: string
  readonly exits: number
  /** What the page says that it prints. */
  readonly said: readonly string[]
}

/** As soon as a command can be answered before it, however slow the machine is. */
let soon_ms = 4000

/** The page as blocks of text and steps: a step is a line with a prompt, and what follows it up to the next. */
function stepsOf(text: string): Step[] {
  const inside = [...text.matchAll(/^```\n([\s\S]*?)^```$/gm)].flatMap(match => [
    match[1]!.split("\n").slice(0, -1),
  ])
  return inside.flatMap(lines => {
    const starts = lines.flatMap((line, i) => (/^[$#] /.test(line) ? [i] : []))
    return starts.map((at, i) => {
      const [line = "", exits = "0"] = lines[at]!.split(/\s+# exits /)
      return { line, exits: Number(exits), said: lines.slice(at + 1, starts[i + 1] ?? lines.length) }
    })
  })
}

function argumentsOf(line: string): string[] {
  variables.set("SOON", new Date(Date.now() + soon_ms).toISOString())
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(match => match[1] ?? match[2] ?? "")
  return words.slice(2).map(word => (word.startsWith("$") ? (variables.get(word.slice(1)) ?? word) : word))
}

function run(line: string): Promise<{ exit: number; out: string }> {
  const argv = [program, ...argumentsOf(line), "--server", server.url]
  const start_ms = Date.now()
  return new Promise(resolve =>
    execFile(process.execPath, argv, { cwd: folder }, (error, stdout, stderr) => {
      soon_ms = Math.max(soon_ms, 3 * (Date.now() - start_ms))
      resolve({ exit: error === null ? 0 : Number(error.code), out: `${stderr}${stdout}` })
    }),
  )
}

/** What is the same in every run: ids, times, digests, keys and numbers of entries are left out. */
function lasting(out: string): string[] {
  const text = out
    .replace(/\b([a-z]{3})_[0-9A-Z]{26}/g, "$1_…")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "…Z")
    .replace(/\b\d{4}-\d\d-\d\d\b/g, "…")
    .replace(/\b[0-9a-f]{16}\b/g, "…")
    .replace(/[A-Za-z0-9+/]{43}=/g, "…")
    .replace(/(entry) \d+/g, "$1 …")
    .replace(/^hours 0 to 23 .*$/gm, "hours 0 to 23  …")
  return text
    .split("\n")
    .slice(0, -1)
    .map(line => (line.includes("…Z") ? line.replace(/\b\d+(?= {2,})/g, "…") : line))
    .map(line =>
      ((line.match(/\S {2,}(?=\S)/g)?.length ?? 0) > 1 ? line.replace(/ {3,}/g, "  ") : line).trimEnd(),
    )
}

function remember(out: string): void {
  for (const [name, found] of [
    ["MOTION", /motion second (mot_[0-9A-Z]{26})/],
    ["CONTRACT", /^(con_[0-9A-Z]{26}) {2}added/m],
    ["GRANT", /^(grt_[0-9A-Z]{26}) {2}asked for/m],
  ] as const) {
    const id = found.exec(out)?.[1]
    if (id !== undefined) variables.set(name, id)
  }
}

test("every command of docs/operate/grants.md prints what the page says", async () => {
  const text = await readFile(page, "utf8")
  const steps = stepsOf(text)
  expect(steps.length).toBeGreaterThan(25)
  let written = text
  let from = 0
  for (const { line, exits, said } of steps) {
    if (line.startsWith("# ")) {
      await new Promise(resolve => setTimeout(resolve, soon_ms))
      continue
    }
    const { exit, out } = await run(line)
    expect(exit, `${line}\n${out}`).toBe(exits)
    remember(out)
    if (process.env.SALLYPORT_WRITE === undefined) {
      expect(lasting(out), line).toEqual(said)
      continue
    }
    const at = written.indexOf("\n", written.indexOf(line, from)) + 1
    const old = said.map(each => `${each}\n`).join("")
    const fresh = lasting(out)
      .map(each => `${each}\n`)
      .join("")
    written = written.slice(0, at) + fresh + written.slice(at + old.length)
    from = at + fresh.length
  }
  if (process.env.SALLYPORT_WRITE !== undefined) await writeFile(page, written)
}, 600_000)
