import { spawn } from "node:child_process"
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { serveWitness } from "../../src/cli/witness.ts"
import { release } from "../../src/custody/release.ts"
import { register } from "../../src/custody/register.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { assert } from "../../src/fault.ts"
import { openServer, type Server } from "../../src/http/server.ts"
import type { CaptureRow } from "../../src/ledger/ledger.ts"
import { openSqlite } from "../../src/ledger/sqlite.ts"
import { fsck } from "../../src/log/fsck.ts"
import { parseEntry } from "../../src/log/kinds.ts"
import { Replay } from "../../src/log/replay.ts"
import { recordRow } from "../../src/log/state.ts"
import { openHouse } from "../../src/sallyport.ts"
import { leafHash } from "../../src/tlog/hash.ts"
import { growTiles } from "../../src/tlog/tile.ts"
import { formatFrontier, rootOf } from "../../src/tlog/tree.ts"
import { callerOf, grantOf, openTestPort, releaseCaller, takeIn, type TestPort } from "../port.ts"

/**
 * An administrator with the database, the object store and the log's own key deletes a release and signs a new tree, with
 * every row in order; or puts yesterday's backup back. Whoever kept something signed finds it.
 */
const program = fileURLToPath(new URL("../../bin/sallyport", import.meta.url))
let port: TestPort
let folder: string
let server: Server
let witness: Awaited<ReturnType<typeof serveWitness>>
let delivered: number

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-hide-"))
  witness = await serveWitness({
    data: join(folder, "witness"),
    name: "ig.example/w",
    listen: "127.0.0.1:0",
    rate: "1000",
  })
  const key = /key=(\S+)/.exec(witness.firstLine)![1]!
  port = await openTestPort({
    settings: { witnesses: "witnesses", open_bundles: true },
    prepare: async (data, vkey) => {
      await writeFile(join(folder, "witness", "logs"), `${vkey}\n`)
      await writeFile(join(data, "witnesses"), `log ${vkey}\nwitness w ${key} ${witness.url}\nquorum w\n`)
    },
  })
  const picture = new Uint8Array(
    await sharp({ create: { width: 200, height: 100, channels: 3, background: "#321" } })
      .jpeg()
      .toBuffer(),
  )
  const { capture } = await takeIn(port, { picture })
  const grant = await grantOf(port)
  await witnessed()
  await snapshot("yesterday")
  const delivery = await release(port.house, await releaseCaller(port, { grant, capture }))
  delivered = delivery.delivered
  const statement = { name: "Later", parent: null }
  await register(
    port.house,
    await callerOf(port.house, port.people.custodian, { path: "/v1/orgs", statement }),
    "orgs",
  )
  await witnessed()
  await writeFile(join(folder, "policy"), port.house.log.policy)
  await writeFile(join(folder, "image.png"), delivery.bytes)
  await writeFile(join(folder, "image.png.tlog-proof"), await port.house.log.receiptAt(delivered))
  await snapshot("today")
  await listen()
}, 60_000)
afterAll(async () => {
  await server.close()
  await port.close()
  await witness.close()
  await rm(folder, { recursive: true })
})

async function witnessed(): Promise<void> {
  await port.house.log.witnesses!.reach((await port.house.log.head()).size)
}
async function listen(): Promise<void> {
  server = await openServer(port.house, {
    host: "127.0.0.1",
    port: 0,
    openBundles: true,
    standing: { differences: [] },
    version: "0",
  })
}
/** The whole data folder, as a backup has it. */
async function snapshot(name: string): Promise<void> {
  await port.opened.close()
  await cp(port.data, join(folder, name), { recursive: true })
  port.opened = await openHouse({ data: port.data, clock: () => Date.now() })
}
/** Stops the server, lets the administrator at the folder, and starts it again. */
async function under(tamper: () => Promise<void>, work: () => Promise<void>): Promise<void> {
  await server.close()
  await port.opened.close()
  await tamper()
  port.opened = await openHouse({ data: port.data, clock: () => Date.now() })
  await listen()
  try {
    await work()
  } finally {
    await server.close()
    await port.opened.close()
    await restore("today")
    port.opened = await openHouse({ data: port.data, clock: () => Date.now() })
    await listen()
  }
}
async function restore(name: string): Promise<void> {
  await rm(port.data, { recursive: true })
  await cp(join(folder, name), port.data, { recursive: true })
}
/** He leaves no memory of the vault behind either. */
async function forget(): Promise<void> {
  await rm(join(port.data, "vault"), { recursive: true, force: true })
  await rm(join(port.data, "log"), { recursive: true, force: true })
}

/** Deletes the permit and its delivery, and writes every entry, tile and row anew. */
async function rewrite(): Promise<void> {
  const file = join(port.data, "ledger.sqlite")
  const old = await openSqlite({ file })
  const { size, time_ms } = await old.head()
  const kept = (await old.entries(0, size)).filter(({ index, bytes }) => {
    const entry = parseEntry(bytes)
    return index !== delivered && !(entry?.kind === "permit" && entry.by !== null)
  })
  const captures = await old.captures({ limit: 1000 })
  const identities = await old.identities()
  await old.close()
  await rm(file)
  const entries = kept.map((row, index) => ({ ...row, index }))
  const replay = new Replay({ origin: port.house.log.origin, verify: verifyEd25519, folds: () => true })
  expect(replay.take(entries)).toEqual([])
  const { register, frontier } = replay
  const made = await openSqlite({ file })
  for (const row of identities) await made.addIdentity(row)
  await made.sequence(transaction =>
    transaction.store({
      head: { size: frontier.size, root: rootOf(frontier), frontier: formatFrontier(frontier), time_ms },
      entries,
      tiles: growTiles(
        0,
        new Map(),
        entries.map(({ bytes }) => leafHash(bytes)),
      ),
      records: [...register.records.values()].map(held => recordRow(held.key.kind, held.key.id, held)),
      counters: [...register.counters].map(([name, value]) => ({ name, value })),
      messages: [...register.messages.values()],
      members: [...register.sets].flatMap(([set, members]) =>
        [...members].map(([member, value]) => ({ set, member, value })),
      ),
      captures: captures.map((row): CaptureRow => {
        const facts = register.captures.get(row.id)
        assert(facts !== undefined, "the log has the capture")
        return { ...row, ...facts }
      }),
      openings: [],
      destroyed: [],
    }),
  )
  const found = await fsck(made, { origin: port.house.log.origin, verify: verifyEd25519 })
  expect(found.problems).toEqual([])
  await made.close()
  await forget()
}

async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [program, ...args, "--server", server.url])
  let output = ""
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise<number | null>(resolve => child.once("exit", resolve))
  return { code, output }
}
const policy = () => ["--policy", join(folder, "policy")]
const verifyOld = () =>
  run("receipt", "verify", join(folder, "image.png.tlog-proof"), "--online", ...policy())
const watchOnce = (state: string) =>
  run("log", "watch", "--once", "--state", join(folder, state), ...policy())

describe("while nothing is hidden", () => {
  test("receipt, log, mirror and watch agree", async () => {
    await witnessed()
    for (const done of [
      await verifyOld(),
      await run("log", "verify", ...policy()),
      await run("log", "mirror", join(folder, "mirror"), ...policy()),
      await run("log", "verify", "--from", join(folder, "mirror"), ...policy()),
      await run(
        "receipt",
        "verify",
        join(folder, "image.png.tlog-proof"),
        "--from",
        join(folder, "mirror"),
        ...policy(),
      ),
      await run("receipt", "refresh", join(folder, "image.png.tlog-proof"), ...policy()),
      await run("log", "proof", String(delivered), ...policy()),
      await watchOnce("rewritten"),
      await watchOnce("rolled-back"),
    ])
      expect(done.code, done.output).toBe(0)
  }, 180_000)
  test("a mirror with one bent byte anywhere is named by its first difference", async () => {
    for (const [path, named] of [
      ["tile/entries/000.p", /FAILED {2}entry \d+ is not that of tile 0\/0/],
      ["tile/0/000.p", /FAILED {2}(entry \d+ is not that of tile 0\/0|root)/],
    ] as const) {
      const { size } = await port.house.log.head()
      const file = join(folder, "mirror", path, String(size))
      const bytes = await readFile(file)
      await writeFile(
        file,
        bytes.map((byte, i) => (i === Math.floor(bytes.length / 2) ? byte ^ 1 : byte)),
      )
      const { code, output } = await run("log", "verify", "--from", join(folder, "mirror"), ...policy())
      expect(code, output).toBe(7)
      expect(output).toMatch(named)
      await writeFile(file, bytes)
    }
  }, 180_000)
})

for (const [what, state, tamper] of [
  ["an entry is deleted and the new tree signed", "rewritten", rewrite],
  ["yesterday's backup is put back", "rolled-back", () => restore("yesterday").then(forget)],
] as const) {
  test(`${what}: the witness refuses, the log stops, receipt verify and log watch exit 7 and say what contradicts what`, async () => {
    await under(tamper, async () => {
      const { witnesses } = port.house.log
      expect(witnesses!.refusal(0)).toContain("now contradicts")
      expect(witnesses!.presence()[0]!.problem).toMatch(/^(409|422)/)
      const statement = { name: "After", parent: null }
      const caller = await callerOf(port.house, port.people.custodian, { path: "/v1/orgs", statement })
      await expect(register(port.house, caller, "orgs")).rejects.toMatchObject({ code: "LOG_STOPPED" })
      // His own server shows the new tree to whoever does not ask for witnesses.
      const plain = (await readFile(join(folder, "policy"), "utf8")).replace("quorum w", "quorum none")
      await writeFile(join(folder, "plain"), plain)
      for (const done of [
        await run(
          "receipt",
          "verify",
          join(folder, "image.png.tlog-proof"),
          "--online",
          "--policy",
          join(folder, "plain"),
        ),
        await run(
          "log",
          "watch",
          "--once",
          "--state",
          join(folder, state),
          "--policy",
          join(folder, "plain"),
        ),
        await run("log", "mirror", join(folder, "mirror"), "--policy", join(folder, "plain")),
      ]) {
        expect(done.code, done.output).toBe(7)
        expect(done.output).toMatch(/LOG_FORK/)
        expect(done.output).toMatch(/was (rewritten|rolled back)/)
      }
      expect(await readFile(join(folder, `${state}.fork`), "utf8")).toMatch(
        /\u2014 [\s\S]*\n\n[\s\S]*\u2014 /,
      )
      // With the quorum that was pinned there is no checkpoint to show at all.
      expect((await verifyOld()).code).toBe(7)
      expect((await watchOnce(state)).code).toBe(7)
    })
  }, 60_000)
}
