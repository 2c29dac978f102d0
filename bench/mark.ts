import { fork, type ChildProcess } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Costs } from "./mark-cost.ts"
import type { CollusionRow } from "./mark-collusion.ts"
import { writeDocs } from "./mark-docs.ts"
import type { PictureRow } from "./mark-leaks.ts"
import { sourcesOf, type Source } from "./mark-pictures.ts"
import { colludedPools, drawnBounds, pooled } from "./mark-pooled.ts"
import { tablesOf, type Results } from "./mark-tables.ts"
import type { Found, Task } from "./mark-worker.ts"

/**
 * What the mark survives, whom it accuses, how it looks and what it costs, measured; printed as Markdown. Nothing is asserted.
 * --full takes more pictures and --quick fewer attacks of each; --docs also writes tables and pictures into docs; --again prints the last run's results anew.
 */

const isGiven = (option: string) => process.argv.includes(option)
const isFull = isGiven("--full")
/** Each picture then suffers every tenth attack at each level, each attack a tenth of the pictures. */
const isQuick = isGiven("--quick")

/** The last run's results, for `--again`. */
const lastRun = join(tmpdir(), "sallyport-bench-mark.json")

/** Of each picture so many innocents are held against each of its leaks. */
const innocents = 250
const colluded = 3
const triples = 60
const draws = isFull ? 1_000_000 : 100_000

async function measured(): Promise<Results> {
  const sources = await sourcesOf(
    isFull ? { drawn: 24, photographs: 90, isFull } : { drawn: 10, photographs: 33, isFull },
  )
  const thinning = isQuick ? 10 : 1
  const folder = await mkdtemp(join(tmpdir(), "sallyport-bench-mark-"))
  const small = sources.slice(0, (2 * sources.length) / 3)
  const colluding = spread(small, isQuick ? 2 : colluded)
  // Of small copies more, so that several can be pooled.
  const beside = spread(
    small.filter(source => !colluding.includes(source)),
    colluded,
  )
  const tasks: Task[] = [
    ...mixed(sources).map((source, nth) => {
      return { kind: "leaks", source, innocents: innocents * thinning, folder, nth, thinning } as const
    }),
    ...colluding.map(source => {
      return { kind: "collusion", source, level: "L4", region: "close", innocents: 1_000, folder } as const
    }),
    ...[...colluding, ...beside].map(source => {
      return { kind: "collusion", source, level: "L2", region: "close", innocents: 1_000, folder } as const
    }),
    ...(isQuick ? spread(sources, 2) : sources).map(source => {
      return { kind: "collusion", source, level: "L2", region: "wide", innocents: 250, folder } as const
    }),
  ]
  const pictures: PictureRow[] = []
  const collusion: CollusionRow[] = []
  const names = new Map<string, Source>()
  const [cpu] = cpus()
  const results: Results = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} cores (${cpu?.model ?? "unknown"}), Node ${process.versions.node}`,
    ...{ pictures, collusion, pooled: [], colludedPools: [], bounds: [], costs: null },
  }
  await shareOut(tasks, async found => {
    if (found.kind === "collusion") collusion.push(...found.rows)
    else if (found.kind === "leaks") {
      pictures.push(found.row)
      names.set(found.row.picture, found.source)
    }
    say(`${pictures.length} of ${sources.length} pictures, ${collusion.length} collusions`)
    await writeFile(lastRun, JSON.stringify(results))
  })
  const leaks = pictures.flatMap(each => each.leaks)
  const all: Results = {
    ...results,
    pooled: await pooled(leaks, names, triples),
    colludedPools: await colludedPools(collusion, names),
    bounds: await drawnBounds(leaks, names, draws),
    costs: await alone(),
  }
  await rm(folder, { recursive: true, force: true })
  await writeFile(lastRun, JSON.stringify(all))
  return all
}

/** So many of a list, evenly. */
function spread<T>(list: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, i) => list[Math.floor(((i + 0.5) * list.length) / count)]!)
}

/** In an order in which every kind comes early: what a run that is cut short has seen is a fair part. */
function mixed<T>(list: readonly T[]): T[] {
  const step = Math.ceil(list.length * 0.382)
  return list
    .map((each, i) => ({ each, place: (i * step) % (list.length + 0.5) }))
    .sort((a, b) => a.place - b.place)
    .map(({ each }) => each)
}

/** With the core to itself, as after all else. */
async function alone(): Promise<Costs | null> {
  const worker = startWorker()
  const found = await answerOf(worker, { kind: "costs" })
  worker.kill()
  return found.kind === "costs" ? found.costs : null
}

/** As the children are run that mark copies: src/picture/pool.ts. */
function startWorker(): ChildProcess {
  const file = fileURLToPath(new URL("./mark-worker.js", import.meta.url))
  return fork(file, { serialization: "advanced", execArgv: ["--single-threaded-gc"] })
}

/** Each core works at one task after the other. */
async function shareOut(tasks: readonly Task[], onFound: (found: Found) => Promise<void>): Promise<void> {
  const waiting = [...tasks]
  await Promise.all(
    Array.from({ length: Math.min(cpus().length, 8) }, async () => {
      const worker = startWorker()
      for (let task = waiting.shift(); task !== undefined; task = waiting.shift())
        await onFound(await answerOf(worker, task))
      worker.kill()
    }),
  )
}

function answerOf(worker: ChildProcess, task: Task): Promise<Found> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`a worker ended with ${code}`))
    worker.once("exit", onExit)
    worker.once("message", found => {
      worker.off("exit", onExit)
      resolve(found as Found)
    })
    worker.send(task)
  })
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

const results = isGiven("--again")
  ? (JSON.parse(await readFile(lastRun, "utf8")) as Results)
  : await measured()
process.stdout.write(`${tablesOf(results)}\n`)
if (isGiven("--docs")) await writeDocs(tablesOf(results))
