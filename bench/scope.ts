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
  readonly ours_ms: readonly number[]
  readonly duck_ms: readonly number[]
}

const number = (value: number) => value.toLocaleString("en-US")
const mb = (bytes: number) => `${number(Math.round(bytes / 1e6))} MB`

async function timed<T>(work: () => T | Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const at = performance.now()
  const result = await work()
  return { result, ms: performance.now() - at }
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] as number
}

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
    return [this.#into.count(), this.#into.distinct(this.#person, this.#marks)]
  }
}

const rounds = isQuick ? 9 : 15

async function asked(ours: Ours, duck: Duck, question: Question): Promise<Result> {
  const mine = []
  for (let i = 0; i < rounds; i += 1) mine.push(await timed(() => ours.ask(question)))
  const theirs: { readonly result: [number, number]; readonly ms: number; readonly isJoined: boolean }[] = []
  const isLong = question.holder === null
  for (const isJoined of [false, true])
    for (let i = 0; i < (isLong ? 1 : 3); i += 1)
      if (!isLong || !isJoined)
        theirs.push({ ...(await timed(() => duck.ask({ ...question, isJoined }))), isJoined })
  const [first] = mine
  const [images, people] = first?.result ?? [-1, -1]
  for (const { result } of [...mine, ...theirs])
    if (result[0] !== images || result[1] !== people)
      throw new Error(`${question.name}: ${images} and ${people}, then ${result[0]} and ${result[1]}`)
  // Of its two ways the faster one.
  const ways = [false, true].map(way => theirs.filter(({ isJoined }) => isJoined === way).map(({ ms }) => ms))
  const [duck_ms = []] = ways.filter(way => way.length > 0).sort((a, b) => median(a) - median(b))
  const result = { ...question, images, people, ours_ms: mine.map(({ ms }) => ms), duck_ms }
  process.stderr.write(`${line(result)}\n`)
  return result
}

function line({ name, images, people, ours_ms, duck_ms }: Result): string {
  const [mine, theirs] = [median(ours_ms), median(duck_ms)]
  return `| ${[
    ...[
      name,
      number(images),
      number(people),
      `${mine.toFixed(1)} ms`,
      `${Math.max(...ours_ms).toFixed(1)} ms`,
    ],
    ...[`${number(Math.round(theirs))} ms`, `${(theirs / mine).toFixed(0)} ×`],
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
  "| What left to | Distinct images | Distinct people | Median | Longest | DuckDB | Faster |",
  "|---|---|---|---|---|---|---|",
  ...results.map(line),
  "",
  `Bitmaps: built from rows in ${(ours.ms / 1000).toFixed(1)} s (DuckDB's load: ${(duck.ms / 1000).toFixed(1)} s), ${mb(bytes)} = ${((8 * bytes) / sizes.disclosures).toFixed(1)} bits a disclosure with all roll-ups; column of people ${mb(4 * sizes.images)}. Memory of the process with the rows they were built from: ${mb(before.rss)} before, ${mb(memory.rss)} after. The integers were equal in all questions.`,
].join("\n")
process.stdout.write(`${table}\n`)
duck.result.close()
if (isGiven("--docs")) await writeDocs(table)
