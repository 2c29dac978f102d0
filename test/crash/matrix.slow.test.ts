import { createHash } from "node:crypto"
import { spawn, spawnSync } from "node:child_process"
import { cp, mkdtemp, readFile, rm } from "node:fs/promises"
import { connect, createServer, type AddressInfo, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { signerOf, verifyEd25519 } from "../../src/ed25519.ts"
import { wanting, type Ledger } from "../../src/ledger/ledger.ts"
import { openPostgres } from "../../src/ledger/postgres.ts"
import { openSqlite } from "../../src/ledger/sqlite.ts"
import { fsck } from "../../src/log/fsck.ts"
import { parseEntry } from "../../src/log/kinds.ts"
import { Log } from "../../src/log/log.ts"
import { openReceipt } from "../../src/log/receipt.ts"
import { openDisk } from "../../src/objects/disk.ts"
import { parseCheckpoint } from "../../src/tlog/checkpoint.ts"
import { noteVerifier, openNote } from "../../src/tlog/note.ts"
import { postgresPrograms, startPostgres, type TestPostgres } from "../postgres.ts"

/**
 * Every write of sequencing × { failed, failed but persisted, killed after } × both ledgers × { 1, 2 servers }: no fork, no
 * acknowledged entry lost or twice, no receipt without its entry, and the ledger is what the log leads to.
 */
const appender = fileURLToPath(new URL("appender.mjs", import.meta.url))
const origin = "sallyport.example/crash"
const signer = signerOf(Buffer.alloc(32, 7))

interface Said {
  readonly acknowledged?: string
  readonly refused?: string
  readonly code?: string
  readonly index?: number
  readonly receipt?: string
}
interface Run {
  readonly said: readonly Said[]
  readonly end: string
  readonly errors: string
}
interface Where {
  readonly file?: string
  readonly url?: string
  readonly objects?: string
}

async function run(
  options: Where & { name: string; count: number; clients?: number; failpoint?: string },
  under: readonly string[] = [],
): Promise<Run> {
  const command = [...under, process.execPath, appender, JSON.stringify(options)]
  const child = spawn(command[0]!, command.slice(1), { stdio: ["ignore", "pipe", "pipe"] })
  let [output, errors] = ["", ""]
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()))
  const end = await new Promise<string>(resolve =>
    child.once("close", (code, signal) => resolve(signal ?? String(code))),
  )
  const said = output
    .split("\n")
    .slice(0, -1)
    .map(line => JSON.parse(line) as Said)
  return { said, end, errors }
}

const openAt = ({ file, url }: Where): Promise<Ledger> =>
  url === undefined ? openSqlite({ file: file! }) : openPostgres({ url, poolSize: 2 })

/** What must hold whatever happened. @returns how many entries there are. */
async function assertWhole(where: Where, runs: readonly Run[]): Promise<number> {
  const ledger = await openAt(where)
  try {
    const found = await fsck(ledger, { origin, verify: verifyEd25519 })
    expect(found.problems).toEqual([])
    const log = new Log({ ledger, origin, signer, clock: Date.now })
    const verifier = noteVerifier(log.vkey, verifyEd25519)!
    const rows = await ledger.entries(0, found.size)
    const names = rows
      .map(row => parseEntry(row.bytes))
      .flatMap(entry => (entry?.kind === "refused" ? [entry.grant!] : []))
    expect(new Set(names).size).toBe(names.length)
    for (const { acknowledged, index, receipt } of runs.flatMap(each => each.said)) {
      if (acknowledged === undefined) continue
      const entry = parseEntry(rows[index!]!.bytes)
      expect(entry?.kind === "refused" && entry.grant).toBe(acknowledged)
      const opened = openReceipt(receipt!, note => {
        const signed = openNote(note, [verifier])
        return (signed.kind === "ok" && parseCheckpoint(signed.text)) || "RECEIPT_CHECKPOINT"
      })
      expect(opened.kind).toBe("ok")
      if (opened.kind === "ok") expect(await log.holds(opened.receipt.checkpoint)).toBe(true)
      if (where.objects !== undefined) await assertObject(where.objects, acknowledged)
    }
    // And it goes on from there.
    const destroyed = { kind: "day.destroyed", day: "2026-01-01" } as const
    expect((await log.append({ wanted: wanting({}), draft: () => ({ entry: destroyed }) })).index).toBe(
      found.size,
    )
    return found.size
  } finally {
    await ledger.close()
  }
}

async function assertObject(folder: string, name: string): Promise<void> {
  const bytes = createHash("sha512").update(name).digest()
  const store = await openDisk({ folder })
  const held = await store.get(createHash("sha256").update(bytes).digest("hex"))
  expect(held !== null && Buffer.from(held).equals(bytes)).toBe(true)
}

const sqliteWrites = 12
const postgresWrites = 6
const points = (writes: number) => [
  ...Array.from({ length: writes }, (_, i) => `ledger.wrote:${i + 1}`),
  "ledger.before-commit:1",
  "ledger.before-commit:2",
  "ledger.after-commit:1",
  "ledger.after-commit:2",
  "log.stored:1",
  "log.stored:2",
]
const modes = [
  ["killed after", ""],
  ["failed", ":fail"],
] as const

let folder: string
let made: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-matrix-"))
  made = join(folder, "made.sqlite")
  await run({ file: made, name: "first", count: 3 })
})
afterAll(() => rm(folder, { recursive: true }))

async function freshFile(name: string): Promise<string> {
  const file = join(folder, `${name.replaceAll(/[^A-Za-z0-9]/g, "-")}.sqlite`)
  await cp(made, file)
  return file
}

describe("SQLite, one server (a second is refused)", () => {
  for (const [what, suffix] of modes)
    test(`${what}, at every write`, async () => {
      for (const point of points(sqliteWrites)) {
        const failpoint = point + suffix
        const where = { file: await freshFile(failpoint) }
        const first = await run({ ...where, name: "a", count: 6, clients: 3, failpoint })
        expect([failpoint, first.end]).toEqual([failpoint, suffix === "" ? "SIGKILL" : "0"])
        if (suffix !== "")
          expect(first.said.filter(each => each.acknowledged !== undefined).length).toBeGreaterThan(2)
        await assertWhole(where, [first])
      }
    })
  test("failed but persisted: the sequencer reloads, sees its entries stored, and acknowledges them", async () => {
    const where = { file: await freshFile("persisted") }
    const done = await run({
      ...where,
      name: "a",
      count: 6,
      clients: 3,
      failpoint: "ledger.after-commit:1:fail",
    })
    expect(done.said.filter(each => each.acknowledged !== undefined)).toHaveLength(6)
    expect(await assertWhole(where, [done])).toBe(4 + 6)
  })
  test("a second server on the file is refused", async () => {
    const file = await freshFile("two")
    const ledger = await openSqlite({ file })
    const second = await run({ file, name: "b", count: 1 })
    await ledger.close()
    expect(second.end).toBe("1")
    expect(second.errors).toContain("LEDGER_IN_USE")
  })
})

describe.skipIf(postgresPrograms === null)(
  `Postgres, one and two servers${postgresPrograms === null ? " (skipped: no Postgres here)" : ""}`,
  () => {
    let postgres: TestPostgres
    beforeAll(async () => {
      postgres = await startPostgres()
    })
    afterAll(() => postgres.stop())
    for (const servers of [1, 2])
      for (const [what, suffix] of modes)
        test(`${what}, at every write, ${servers} server${servers > 1 ? "s" : ""}`, async () => {
          const where = { url: await postgres.newDatabase() }
          const runs: Run[] = [await run({ ...where, name: "first", count: 1 })]
          for (const point of points(postgresWrites)) {
            const failpoint = point + suffix
            const others = Array.from({ length: servers - 1 }, () =>
              run({ ...where, name: `other-${failpoint}`, count: 20, clients: 4 }),
            )
            const [first, ...rest] = await Promise.all([
              run({ ...where, name: failpoint, count: 6, clients: 3, failpoint }),
              ...others,
            ])
            expect([failpoint, first.end]).toEqual([failpoint, suffix === "" ? "SIGKILL" : "0"])
            for (const other of rest)
              expect(other.said.filter(each => each.acknowledged !== undefined)).toHaveLength(20)
            runs.push(first, ...rest)
          }
          await assertWhole(where, runs)
        })
    test("failed but persisted: the connection is cut at every exchange, before and after it reached the server", async () => {
      const url = await postgres.newDatabase()
      const runs: Run[] = [await run({ url, name: "first", count: 1 })]
      for (const when of ["before", "after"] as const)
        for (let at = 1; at <= 16; at += 1) {
          const proxy = await cutting(url, { at, when })
          runs.push(await run({ url: proxy.url, name: `${when}-${at}`, count: 3 }))
          await proxy.close()
        }
      await assertWhole({ url }, runs)
      const told = runs.flatMap(each => each.said).filter(each => each.acknowledged !== undefined)
      expect(told.length).toBeGreaterThan(64)
    })
  },
)

/** A way to the server that cuts the connection at the n-th message after the client said it is ready to append. */
async function cutting(
  url: string,
  cut: { readonly at: number; readonly when: "before" | "after" },
): Promise<{ url: string; close(): Promise<void> }> {
  const target = new URL(url)
  const port = Number(target.port)
  let [seen, isArmed] = [0, false]
  const sockets = new Set<Socket>()
  const server = createServer(from => {
    const to = connect(port, target.hostname)
    let isCut = false
    sockets.add(from).add(to)
    for (const socket of [from, to]) socket.on("error", () => undefined)
    from.on("data", chunk => {
      // The head's lock is taken by a statement named "head": from the first on, messages count.
      if (chunk.includes("head\0")) isArmed = true
      if (isArmed) seen += 1
      if (seen !== cut.at || !isArmed) return void to.write(chunk)
      if (cut.when === "before") return void [from, to].map(socket => socket.destroy())
      isCut = true
      to.write(chunk, () => setTimeout(() => [from, to].map(socket => socket.destroy()), 30))
    })
    to.on("data", chunk => {
      if (!isCut) from.write(chunk)
    })
    from.on("close", () => to.destroy())
    to.on("close", () => from.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
  target.port = String((server.address() as AddressInfo).port)
  const close = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>(resolve => server.close(() => resolve()))
  }
  return { url: target.href, close }
}

const canTrace = spawnSync("strace", ["-f", "-e", "trace=fsync", "true"]).status === 0

/** The calls that SQLite's file and the object store's files go through; `strace` makes the n-th of them fail. */
const calls = [
  ["pwrite64", "EIO", 2],
  ["pwrite64", "ENOSPC", 8],
  ["fsync,fdatasync", "EIO", 1],
  ["fsync,fdatasync", "ENOSPC", 4],
  ["rename,renameat,renameat2,link,linkat", "EIO", 1],
  ["rename,renameat,renameat2,link,linkat", "ENOSPC", 1],
] as const

/** `SALLYPORT_MATRIX=all` takes every call with both errors; without it writes meet them at each second and each eighth. */
const isWhole = process.env.SALLYPORT_MATRIX === "all"

describe.skipIf(!canTrace)(
  `errors injected under the process${canTrace ? "" : " (skipped: no strace here, or it may not trace)"}`,
  () => {
    for (const [names, error, step] of calls)
      test(`${error} at every ${isWhole || step === 1 ? "" : `${step}th `}${names}, then fsck`, async () => {
        let hits = 0
        for (let nth = 1; nth <= 200; nth += isWhole ? 1 : step) {
          const where = {
            file: await freshFile(`${names}-${error}-${nth}`),
            objects: join(folder, `${names}-${error}-${nth}`),
          }
          const trace = join(folder, "trace")
          const inject = [
            "strace",
            // strace counts the calls of each thread.
            "-E",
            "UV_THREADPOOL_SIZE=1",
            "-f",
            "-q",
            "-o",
            trace,
            "-e",
            `trace=${names}`,
            "-e",
            `inject=${names}:error=${error}:when=${nth}`,
          ]
          const first = await run({ ...where, name: "a", count: 2 }, inject)
          const isHit = (await readFile(trace, "utf8")).includes("INJECTED")
          await assertWhole(where, [first])
          if (!isHit) break
          hits += 1
        }
        expect(hits).toBeGreaterThan(1)
      })
  },
)
