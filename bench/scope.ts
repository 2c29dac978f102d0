import { readFile, writeFile } from "node:fs/promises"
import { cpus, loadavg } from "node:os"
import { Dense } from "../src/scope/dense.ts"
import { Disclosures } from "../src/scope/disclosures.ts"
import { Duck } from "./scope-duck.ts"
import { made, type Made } from "./scope-made.ts"

/**
 * Distinct images and people of what left to one organization, by bitmaps and by DuckDB on the same made data in the same run, and
 * whether both say the same. `--quick`: a twentieth of it. `--docs`: writes the table into docs/scope.md. Nothing is asserted but that
 * the integers are equal.
 */

const isGiven = (name: string) => process.argv.includes(name)
const isQuick = isGiven("--quick")
const sizes = isQuick
  ? { disclosures: 5_000_000, images: 3_000_000, people: 600_000 }
  : { disclosures: 100_000_000, images: 60_000_000, people: 12_000_000 }

interface Question {
  readonly name: string
  readonly holder: number | null
  readonly from: number
  readonly until: number
}

const questions: readonly Question[] = [
  { name: "41st organization, 180 days", holder: 40, from: 545, until: 725 },
  { name: "largest organization, 30 days", holder: 0, from: 695, until: 725 },
  { name: "largest organization, 180 days", holder: 0, from: 545, until: 725 },
  { name: "largest organization, 730 days", holder: 0, from: 0, until: 730 },
  { name: "whole vault, 180 days", holder: null, from: 545, until: 725 },
  { name: "whole vault, 730 days", holder: null, from: 0, until: 730 },
]

interface Result extends Question {
  readonly images: number
  readonly people: number
  readonly ours: readonly Timed<unknown>[]
  readonly duck: readonly Timed<unknown>[]
}

const number = (value: number) => value.toLocaleString("en-US")
const mb = (bytes: number) => `${number(Math.round(bytes / 1e6))} MB`

interface Timed<T> {
  readonly result: T
  readonly ms: number
  /** Of all threads: what it costs on a machine that does other things too. */
  readonly processor_ms: number
}

async function timed<T>(work: () => T | Promise<T>): Promise<Timed<T>> {
  const [at, used] = [performance.now(), process.cpuUsage()]
  const result = await work()
  const { user, system } = process.cpuUsage(used)
  return { result, ms: performance.now() - at, processor_ms: (user + system) / 1000 }
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] as number
}

const wall = (times: readonly Timed<unknown>[]) => median(times.map(({ ms }) => ms))
const processor = (times: readonly Timed<unknown>[]) => median(times.map(({ processor_ms }) => processor_ms))

class Ours {
  readonly disclosures: Disclosures
  readonly #person: Uint32Array
  readonly #into: Dense
  readonly #marks: Dense

  constructor({ rows, extent, person, people }: Made) {
    this.disclosures = new Disclosures(rows, extent)
    this.#person = person
    this.#into = new Dense(extent.images)
    this.#marks = new Dense(people + 1)
  }

  ask({ holder, from, until }: Question): [number, number] {
    this.#into.clear()
    this.disclosures.addTo(this.#into, holder === null ? null : [holder], from, until)
    const { count, distinct } = this.#into.tally(this.#person, this.#marks)
    return [count, distinct]
  }
}

const rounds = isQuick ? 9 : 15

async function asked(ours: Ours, duck: Duck, question: Question): Promise<Result> {
  const mine: Timed<[number, number]>[] = []
  for (let i = 0; i < rounds; i += 1) mine.push(await timed(() => ours.ask(question)))
  const isLong = question.holder === null || question.until - question.from > 365
  const ways: Timed<[number, number]>[][] = []
  for (const isJoined of isLong ? [false] : [false, true]) {
    const way = []
    for (let i = 0; i < (isLong ? 1 : 3); i += 1)
      way.push(await timed(() => duck.ask({ ...question, isJoined })))
    ways.push(way)
  }
  const [images, people] = mine[0]?.result ?? [-1, -1]
  for (const { result } of [...mine, ...ways.flat()])
    if (result[0] !== images || result[1] !== people)
      throw new Error(`${question.name}: ${images} and ${people}, then ${result[0]} and ${result[1]}`)
  // Of its two ways the faster one.
  const [faster = []] = ways.sort((a, b) => wall(a) - wall(b))
  const result = { ...question, images, people, ours: mine, duck: faster }
  process.stderr.write(`${line(result)}\n`)
  return result
}

function line({ name, images, people, ours, duck }: Result): string {
  const most = Math.max(...ours.map(({ ms }) => ms))
  return `| ${[
    ...[name, number(images), number(people), `${wall(ours).toFixed(1)} ms`, `${most.toFixed(1)} ms`],
    ...[`${number(Math.round(wall(duck)))} ms`, `${(wall(duck) / wall(ours)).toFixed(0)} ×`],
    ...[`${processor(ours).toFixed(1)} ms`, `${number(Math.round(processor(duck)))} ms`],
  ].join(" | ")} |`
}

async function writeDocs(table: string): Promise<void> {
  const file = new URL("../../docs/scope.md", import.meta.url)
  const [opening, closing] = ["<!-- measured -->", "<!-- /measured -->"]
  const text = await readFile(file, "utf8")
  const [before, after] = [text.indexOf(opening), text.indexOf(closing)]
  if (before < 0 || after < before) throw new Error(`docs/scope.md has no ${opening} … ${closing}`)
  await writeFile(file, `${text.slice(0, before)}${opening}\n\n${table}\n\n${text.slice(after)}`)
}

const data = await timed(() => made(sizes))
process.stderr.write(`${number(sizes.disclosures)} disclosures made in ${(data.ms / 1000).toFixed(1)} s\n`)
const before = process.memoryUsage()
const ours = await timed(() => new Ours(data.result))
const { bytes } = ours.result.disclosures
const memory = process.memoryUsage()
process.stderr.write(`bitmaps built in ${(ours.ms / 1000).toFixed(1)} s, ${mb(bytes)}\n`)
const duck = await timed(() => Duck.of(data.result))
process.stderr.write(`DuckDB loaded in ${(duck.ms / 1000).toFixed(1)} s\n`)
const results: Result[] = []
for (const question of questions) results.push(await asked(ours.result, duck.result, question))
const [cpu] = cpus()
const table = [
  `${number(sizes.disclosures)} disclosures, 64 organizations, 730 days, ${number(sizes.images)} images, ${number(sizes.people)} people; ${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpu?.model ?? "unknown"}, load ${loadavg()[0]?.toFixed(1) ?? ""}, Node ${process.version}, DuckDB ${await duck.result.version()} in memory, sorted by organization, day and image.`,
  "",
  "| What left to | Distinct images | Distinct people | Median | Longest | DuckDB | Faster | Processor time | DuckDB's |",
  "|---|---|---|---|---|---|---|---|---|",
  ...results.map(line),
  "",
  `Bitmaps: built from rows in ${(ours.ms / 1000).toFixed(1)} s (DuckDB's load: ${(duck.ms / 1000).toFixed(1)} s), ${mb(bytes)} = ${((8 * bytes) / sizes.disclosures).toFixed(1)} bits a disclosure with all roll-ups; column of people ${mb(4 * sizes.images)}. Memory of the process with the rows they were built from: ${mb(before.rss)} before, ${mb(memory.rss)} after. The integers were equal in all questions.`,
].join("\n")
process.stdout.write(`${table}\n`)
duck.result.close()
if (isGiven("--docs")) await writeDocs(table)
