import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, expect, test } from "vitest"
import { Client } from "../../src/cli/client.ts"
import { readKeyFile } from "../../src/cli/keyfile.ts"
import { openServer, type Server } from "../../src/http/server.ts"
import { breach } from "../incident.ts"
import { leaveAll, linked, takeInPassages } from "../linkage.ts"
import { codeOf, grantOf, openTestPort } from "../port.ts"
import { keyFor, type Walk } from "../walk.ts"

/** Pictures of a sitting are gone when it is over, however it ends. */

const program = fileURLToPath(new URL("../../bin/sallyport", import.meta.url))

let walk: Walk
let server: Server
let linkage: string
let argv: readonly string[]

beforeAll(async () => {
  const port = await openTestPort()
  const folder = await mkdtemp(join(tmpdir(), "sallyport-sitting-"))
  const { captures } = await takeInPassages(port, [{ pictures: [[1], [1]] }])
  await leaveAll(port, captures)
  const incident = await breach(port)
  linkage = await linked(port, incident, 100)
  server = await openServer(port.house, {
    ...{ host: "127.0.0.1", port: 0, openBundles: false, version: "0.0.0" },
    standing: { differences: [] },
  })
  walk = { port, url: server.url, folder, variables: new Map(), remembered: {} }
  await keyFor(walk, "analyst")
  const holder = port.people.analyst.person
  const terms = { for: "reveal", purpose: "audit", contract: null, level: "L3", images: 9, holder } as const
  const grant = await grantOf(port, { terms, requester: "analyst", by: ["custodian", "privacy"] })
  const key = walk.variables.get("ANALYST") ?? ""
  argv = [
    ...[program, "incident", "adjudicate", incident, "--out", "sitting", "--case", grant],
    ...["--key", key, "--server", server.url],
  ]
}, 120_000)
afterAll(async () => {
  await server.close()
  await walk.port.close()
  await rm(walk.folder, { recursive: true, force: true })
})

async function pictures(): Promise<string[]> {
  const found = await readdir(join(walk.folder, "sitting"), { recursive: true })
  return found.filter(name => /\.(jpg|png|html|tlog-proof|tmp)$/.test(name))
}

/** Asks for the pictures of the first pair, and is then ended. */
async function sit(end: NodeJS.Signals | null): Promise<{ code: number | null; shown: readonly string[] }> {
  const child = spawn(process.execPath, argv, { cwd: walk.folder, stdio: ["pipe", "ignore", "pipe"] })
  const over = once(child, "close")
  let said = ""
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()))
  child.stdin.write("p")
  while (!said.includes("are framed") && child.exitCode === null)
    await new Promise(resolve => setTimeout(resolve, 20))
  expect(said).toContain("are framed")
  const shown = await pictures()
  if (end === null) child.stdin.end("q")
  else child.kill(end)
  const [code] = (await over) as [number | null]
  return { code, shown }
}

test("who quits, and who is interrupted, hung up on or ended, leaves no picture", async () => {
  const ends = { quit: 0, SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }
  for (const [end, exits] of Object.entries(ends)) {
    const { code, shown } = await sit(end === "quit" ? null : (end as NodeJS.Signals))
    expect([end, code]).toEqual([end, exits])
    expect(shown.filter(name => name.endsWith(".html"))).toHaveLength(1)
    expect(shown.filter(name => /\.(jpg|png)$/.test(name))).toHaveLength(2)
    expect(await pictures()).toEqual([])
  }
}, 120_000)

test("what is no number, file or folder is refused with its code, and nothing is asked", async () => {
  const [, , , incident = ""] = argv
  await writeFile(join(walk.folder, "file"), "")
  const common = argv.slice(argv.indexOf("--key"))
  for (const [line, says] of [
    ["link --sample many", "INVALID  --sample is a whole number"],
    ["adjudicate --out file", "CONFIG  file is no folder"],
    ["adjudicate --answers none.csv", "CONFIG  none.csv cannot be read"],
    ["estimate", "CONFLICT  nobody answered a pair"],
  ] as const) {
    const [verb = "", ...options] = line.split(" ")
    const all = [program, "incident", verb, incident, ...options, ...common]
    const child = spawn(process.execPath, all, { cwd: walk.folder, stdio: ["ignore", "ignore", "pipe"] })
    let said = ""
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()))
    await once(child, "close")
    expect(said).toContain(says)
  }
}, 120_000)

test("what was killed outright is gone after the next sitting; files of others stay", async () => {
  await sit("SIGKILL")
  expect(await pictures()).not.toEqual([])
  await mkdir(join(walk.folder, "sitting"), { recursive: true })
  await writeFile(join(walk.folder, "sitting", "cap_mine.jpg"), "mine")
  await sit(null)
  expect(await pictures()).toEqual(["cap_mine.jpg"])
  expect(await readdir(join(walk.folder, "sitting"))).toEqual(["cap_mine.jpg", `${linkage}.jsonl`].sort())
}, 120_000)

test("pairs come as many at a time as are asked for, and more than 200 are refused", async () => {
  const { signer, vault } = await readKeyFile(walk.variables.get("ANALYST") ?? "")
  const client = new Client({ server: walk.url, vault, signer, device: null })
  const ask = (limit: string) =>
    client.json<{ pairs: unknown[] }>({ method: "GET", path: `/v1/linkages/${linkage}/pairs?limit=${limit}` })
  expect((await ask("1")).pairs).toHaveLength(1)
  for (const limit of ["0", "201", "many"]) expect(await codeOf(ask(limit))).toBe("INVALID")
})
