import { randomBytes } from "node:crypto"
import { mkdtemp, open, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { serveWitness } from "../src/cli/witness.ts"
import { changing, wanting } from "../src/ledger/ledger.ts"
import { newSeed, signerOf } from "../src/ed25519.ts"
import type { Ledger } from "../src/ledger/ledger.ts"
import { openPostgres } from "../src/ledger/postgres.ts"
import { openSqlite } from "../src/ledger/sqlite.ts"
import { formatEntry, type Entry } from "../src/log/kinds.ts"
import { Log } from "../src/log/log.ts"
import type { Appended } from "../src/log/sequencer.ts"
import { leafHash } from "../src/tlog/hash.ts"
import { parsePolicy } from "../src/tlog/policy.ts"
import { edgeTiles, growTiles } from "../src/tlog/tile.ts"
import { formatFrontier, grow, parseFrontier, rootOf } from "../src/tlog/tree.ts"
import { postgresPrograms, startPostgres } from "../test/postgres.ts"
import { measure, type Row } from "./measure.ts"

/** The log alone: appends beside a bare fsync loop on both ledgers; the cost of an append and of a proof as it grows. */

const clientCounts = [1, 8, 16, 64]
const seed = signerOf(newSeed())

function logOn(ledger: Ledger, leafTilesHeld = 512): Log {
  return new Log({ ledger, origin: "sallyport.example/bench", signer: seed, clock: Date.now, leafTilesHeld })
}

function delivered(i: number): Extract<Entry, { kind: "delivered" }> {
  return {
    v: 1,
    at: "2026-11-24T12:00:00.000Z",
    kind: "delivered",
    permit: i,
    capture: "cap_01JDXXXXXXXXXXXXXXXXXXXXXX",
    sha256: "0".repeat(64),
    size_bytes: i,
    media_type: "image/png",
  }
}

/** An entry with a charge: a counter that is read and judged in the transaction, and a set. */
function charge(log: Log, i: number): Promise<unknown> {
  return log.append({
    wanted: wanting({ counters: ["images/bench"], members: [{ set: "bench", member: String(i) }] }),
    draft: state => {
      if (state.counter("images/bench") > 1e9) throw new Error("over")
      return { entry: delivered(i) }
    },
  })
}

async function appends(engine: string, log: Log, folder: string): Promise<void> {
  const handle = await open(join(folder, "fsync"), "w")
  print([
    "ledger",
    "clients",
    "bare write + fdatasync /s",
    "append + charge /s",
    "ratio",
    "median ms",
    "p99 ms",
  ])
  for (const clients of clientCounts) {
    const count = clients === 1 ? 1500 : 12_000
    const bare = async () => {
      await handle.write(randomBytes(600))
      await handle.datasync()
    }
    const theirs = await measure("bare", { clients, count: Math.min(count, 4000), run: bare })
    await measure("warm", { clients, count: count / 4, run: i => charge(log, i) })
    const ours = await measure("append", { clients, count, run: i => charge(log, i) })
    const ratio = (ours.perSecond / theirs.perSecond).toFixed(2)
    row([engine, clients, theirs.perSecond.toFixed(0), ours.perSecond.toFixed(0), ratio, ...times(ours)])
  }
  await handle.close()
}

function times({ median_ms, p99_ms }: Row): string[] {
  return [median_ms.toFixed(2), p99_ms.toFixed(2)]
}

/** What it costs to wait until a witness on loopback has cosigned the entry: the log's part of strict mode. */
async function waiting(folder: string): Promise<void> {
  const data = join(folder, "witness")
  const witness = await serveWitness({ data, name: "w.example", listen: "127.0.0.1:0", rate: "1000" })
  const ledger = await openSqlite({ file: join(folder, "witnessed.sqlite") })
  const { vkey } = logOn(ledger)
  await writeFile(join(data, "logs"), `${vkey}\n`)
  const policy = parsePolicy(`log ${vkey}\nwitness w ${witness.vkey} ${witness.url}\nquorum w\n`)
  if (policy.kind === "refuse") throw new Error(policy.why)
  const memory = { load: () => Promise.resolve(null), save: () => Promise.resolve() }
  const bound = { maxAge_ms: 60_000, maxImages: 50, strict: true }
  const witnesses = { policy: policy.policy, bound, memory }
  const log = new Log({ ledger, origin: "sallyport.example/bench", signer: seed, clock: Date.now, witnesses })
  await log.witnesses?.start()
  print(["append, then", "clients", "per second", "median ms", "p99 ms"])
  for (const clients of [1, 16]) {
    const plain = await measure("nothing", { clients, count: 300, run: i => charge(log, i) })
    row(["nothing", clients, plain.perSecond.toFixed(0), ...times(plain)])
    const run = async (i: number) => {
      const { size } = (await charge(log, i)) as Appended
      await log.witnesses?.reach(size)
    }
    const strict = await measure("the quorum", { clients, count: 300, run })
    row(["the quorum's cosignature", clients, strict.perSecond.toFixed(0), ...times(strict)])
  }
  await log.witnesses?.close()
  await ledger.close()
  await witness.close()
}

/** Entries and tiles in large transactions, past the sequencer: only to reach a size. */
async function bulk(ledger: Ledger, until: number): Promise<void> {
  for (let { size } = await ledger.head(); size < until;) {
    const count = Math.min(8192, until - size)
    const bytes = Array.from({ length: count }, (_, i) => formatEntry(delivered(size + i)))
    const leaves = bytes.map(leafHash)
    await ledger.sequence(async transaction => {
      const { head } = transaction
      const frontier = parseFrontier(head.size, head.frontier)
      if (frontier === null) throw new Error("the head has no frontier")
      const edge = new Map(
        (await transaction.tiles(edgeTiles(head.size))).map(tile => [tile.level, tile.hashes]),
      )
      const grown = grow(frontier, leaves)
      const next = {
        size: grown.size,
        root: rootOf(grown),
        frontier: formatFrontier(grown),
        time_ms: head.time_ms,
      }
      const entries = bytes.map((each, i) => ({ index: head.size + i, kind: "delivered", bytes: each }))
      await transaction.store(changing(next, { entries, tiles: growTiles(head.size, edge, leaves) }))
    })
    size += count
    if (process.stderr.isTTY) process.stderr.write(`\rloading ${size}`)
  }
}

/** Time of an append and of a proof, and bytes on disk, at growing sizes. */
async function growth(file: string, ledger: Ledger, largest: number): Promise<void> {
  print([
    "entries",
    "ms per append (16 clients)",
    "times 10³'s",
    "ms per proof, leaf tile read",
    "times 10³'s",
    "ms per proof, 512 leaf tiles held",
    "bytes per entry",
  ])
  let first: { append: number; proof: number } | null = null
  for (let size = 1000; size <= largest; size *= 10) {
    await bulk(ledger, size)
    const log = logOn(ledger)
    // Entries of whole tiles: the one at the right edge is always held.
    const leaves = size - (size % 256)
    const proofs = async (held: number) => {
      const reader = logOn(ledger, held)
      const run = () => reader.inclusion(Math.floor(Math.random() * leaves), size)
      await measure("warm", { clients: 1, count: 3000, run })
      return best(() => measure("proof", { clients: 1, count: 1000, run }))
    }
    const proved = await proofs(0)
    const held = await proofs(512)
    const bytes = (await stat(file)).size + (await sizeOf(`${file}-wal`))
    const perEntry = bytes / (await ledger.head()).size
    const appended = await best(() =>
      measure("append", { clients: 16, count: 2000, run: i => charge(log, i) }),
    )
    const now = { append: 1000 / appended.perSecond, proof: 1000 / proved.perSecond }
    first ??= now
    row([
      size.toLocaleString("en-US"),
      now.append.toFixed(4),
      (now.append / first.append).toFixed(2),
      now.proof.toFixed(3),
      (now.proof / first.proof).toFixed(2),
      (1000 / held.perSecond).toFixed(3),
      perEntry.toFixed(0),
    ])
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    each => each.size,
    () => 0,
  )
}

/** Of five runs the median: a shared machine has bad moments. */
async function best(run: () => Promise<Row>): Promise<Row> {
  const rows: Row[] = []
  for (let i = 0; i < 5; i += 1) rows.push(await run())
  rows.sort((a, b) => a.perSecond - b.perSecond)
  return rows[2] as Row
}

function print(heads: readonly string[]): void {
  process.stdout.write(`\n| ${heads.join(" | ")} |\n|${heads.map(() => "---|").join("")}\n`)
}

function row(cells: readonly (string | number)[]): void {
  process.stdout.write(`| ${cells.join(" | ")} |\n`)
}

const folder = await mkdtemp(join(tmpdir(), "sallyport-bench-log-"))
const largest = Number(process.argv[2] ?? 1_000_000)
process.stdout.write(
  `${(await readFile("/proc/cpuinfo", "utf8")).match(/model name\s*: (.*)/)?.[1] ?? ""}, Node ${process.version}\n`,
)
try {
  const file = join(folder, "append.sqlite")
  const ledger = await openSqlite({ file })
  await appends("SQLite", logOn(ledger), folder)
  await ledger.close()
  if (postgresPrograms !== null) {
    const postgres = await startPostgres()
    const remote = await openPostgres({ url: await postgres.newDatabase() })
    await appends("Postgres", logOn(remote), folder)
    await remote.close()
    await postgres.stop()
  }
  await waiting(folder)
  const growing = join(folder, "growing.sqlite")
  const grown = await openSqlite({ file: growing })
  await growth(growing, grown, largest)
  await grown.close()
} finally {
  await rm(folder, { recursive: true })
}
