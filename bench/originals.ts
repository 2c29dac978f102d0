import { attacks } from "../test/attacks.ts"
import { originalsPerFile } from "../src/log/traces.ts"
import { compareTo, sightOf } from "../src/picture/compare.ts"
import { parseDescriptors } from "../src/picture/descriptors.ts"
import { lookAtLeak, type Leak, type LeakLook } from "../src/picture/leak.ts"
import { likenessesTo, type Guess, type Likened } from "../src/picture/likeness.ts"
import {
  closestOf,
  explains,
  isOneSure,
  likelyOf,
  type Close,
  type Likely,
  type Weighed,
} from "../src/picture/lookup.ts"
import { Originals } from "../src/picture/originals.ts"
import { parseSketch, sketchOf, type Sketch } from "../src/picture/sketch.ts"
import { decode } from "../src/picture/pixels.ts"
import { openTracer, type Tracer } from "../src/picture/tracer.ts"
import { chanceOf, type Chance } from "../src/drawing/chance.ts"
import { pictureOf, sourcesOf, type Picture, type Source } from "./mark-pictures.ts"
import { foundCopies, kinds, type FoundCopy, type Kind } from "./original-pictures.ts"

/**
 * Whether a found copy leads back to its original among many, and how long that takes. `SALLYPORT_ORIGINALS` of them, of
 * which `SALLYPORT_ASKED` are asked for, each after every `SALLYPORT_STRIDE`th attack, another of them for each; times are
 * taken once more among `SALLYPORT_FILLED`.
 */

const setting = (name: string, usual: number): number => Number(process.env[`SALLYPORT_${name}`] ?? usual)

const count = setting("ORIGINALS", 2000)
const asked = setting("ASKED", 60)
const stride = setting("STRIDE", 1)
const filled = setting("FILLED", 10_000)
const timedFiles = 40

/** Fewer shown pixels than this are counted apart. */
const enough_px = 50_000

interface Result {
  readonly attack: string
  readonly kind: Kind
  readonly isEnough: boolean
  /** Of the right original, by corners alone, and with what small likenesses say; from 1, and 0 for none. */
  readonly byCorners: number
  readonly byLikeness: number
  /** Whether the original that a trace would take, of those that it opens, is the right one. */
  readonly isTaken: boolean
  readonly opened: number
}

const filler = "filled"
const times = { add_ms: 0, look_ms: [] as number[], liken_ms: [] as number[] }
/** Held until the index is filled. */
const sketches: Sketch[] = []
const likenesses = new Map<string, Guess["parts"]>()
const index = new Originals()
const looks: LeakLook[] = []

const sources = await sourcesOf({ drawn: Math.max(0, count - 194), photographs: 194, isFull: false })
const names = Object.keys(attacks)
const originals = new Map<string, Pick<Picture, "file" | "plate">>()
/** Of what was found of ≥ 50,000 shown pixels. */
const files: Uint8Array[] = []
for (const source of sources) {
  const { name, pixels, file, plate } = await pictureOf(source)
  originals.set(name, { file, plate })
  add(name, parseSketch(await sketchOf(pixels, [plate]))!)
  if (index.size % 100 === 0) process.stderr.write(`${index.size} of ${sources.length} originals\n`)
}

function add(name: string, sketch: Sketch): void {
  const at = performance.now()
  index.add(name, sketch)
  times.add_ms += performance.now() - at
  if (name.startsWith(filler)) return
  sketches.push(sketch)
  likenesses.set(
    name,
    sketch.parts.map(({ box, likeness }) => ({ box, likeness })),
  )
}

async function* resultsOf(source: Source, nth: number): AsyncGenerator<Result> {
  const picture = await pictureOf(source)
  const some = names.filter((_, i) => (i + nth) % stride === 0)
  for (const kind of kinds)
    for await (const copy of foundCopies(picture, kind, some)) yield await resultOf(picture.name, copy)
}

async function resultOf(name: string, { attack, kind, shown_px, file, leak }: FoundCopy): Promise<Result> {
  const look = lookAtLeak(leak)
  looks.push(look)
  const likely = await likelyOf(index, look)
  const at = performance.now()
  const close = await closeOf(leak, likely)
  times.liken_ms.push(performance.now() - at)
  const opened = close.slice(0, originalsPerFile)
  const byCorners = likely.findIndex(each => each.name === name) + 1
  const taken = opened.length < 2 ? opened[0]?.name : await takenOf(leak, opened)
  const isEnough = shown_px >= enough_px
  if (isEnough) files.push(file)
  const byLikeness = close.findIndex(each => each.name === name) + 1
  const result = { byCorners, byLikeness, isTaken: taken === name }
  if (isEnough && !result.isTaken)
    process.stderr.write(`${name}, ${kind}, ${attack}, ${shown_px} pixels: ${JSON.stringify(result)}\n`)
  return { attack, kind, isEnough, ...result, opened: opened.length }
}

/** By small likenesses, as custody/trace.ts orders them. */
async function closeOf({ pixels }: Leak, likely: readonly Likely[]): Promise<readonly Close[]> {
  return closestOf(weighedBy(likely, await likenessesTo(pixels, guessesOf(likely)), false))
}

function weighedBy(
  likely: readonly Likely[],
  told: readonly (Likened | null)[],
  isNegative: boolean,
): readonly Weighed[] {
  return likely.map((each, n) => ({ ...each, isNegative, likened: told[n]! }))
}

function guessesOf(likely: readonly Likely[]): readonly Guess[] {
  return likely.map(({ name, ways }) => ({ ways, parts: partsOf(name) }))
}

/** What is filled in looks like another original than the one that its corners are of: there it would be its double. */
function partsOf(name: string): Guess["parts"] {
  const own = likenesses.get(name)
  if (own !== undefined) return own
  const all = [...likenesses.values()]
  return all[(Number(name.slice(filler.length)) + 1) % all.length]!
}

const steps = ["decoding and corners", "look-up", "likenesses", "comparing", "all"] as const

/** From a file's bytes to what it says of the original that it shows most of, as custody/trace.ts goes. @returns how long each step took, in ms. */
async function traced(tracer: Tracer, file: Uint8Array): Promise<number[]> {
  const took = [0, 0, 0, 0]
  const timed = async <Result>(step: number, work: () => Promise<Result>): Promise<Result> => {
    const start = performance.now()
    const result = await work()
    took[step]! += performance.now() - start
    return result
  }
  const weighed = async (isNegative: boolean) => {
    const found = { file, isNegative }
    const look = await timed(0, () => tracer.look(found))
    const likely = await timed(1, () => likelyOf(index, look))
    const told = await timed(2, () => tracer.liken(found, guessesOf(likely)))
    return weighedBy(likely, told, isNegative)
  }
  const asItIs = await weighed(false)
  const negative = isOneSure(asItIs) ? [] : await weighed(true)
  const close = closestOf([...asItIs, ...negative])
  for (const { name, isNegative, guesses } of close.slice(0, originalsPerFile)) {
    const original = originals.get(name)
    if (original === undefined) continue
    const opened = { original: original.file, plates: [original.plate], guesses }
    await timed(3, () => tracer.compare({ file, isNegative }, opened))
  }
  return [...took, took.reduce((sum, each) => sum + each, 0)]
}

/** Of several that are opened the one that explains most of the leak. */
async function takenOf({ pixels, steps }: Leak, opened: readonly Close[]): Promise<string | undefined> {
  const compared: { readonly name: string; readonly worth: number }[] = []
  for (const { name, guesses } of opened) {
    const { file, plate } = originals.get(name)!
    const told = compareTo(sightOf(await decode(file), [plate]), pixels, steps, guesses)
    if (told === null) continue
    const { alignment, shown_px } = told
    compared.push({ name, worth: explains({ likeness: alignment.likeness, shown_px }) })
  }
  return compared.sort((a, b) => b.worth - a.worth)[0]?.name
}

function share(results: readonly Result[], isRight: (result: Result) => boolean): string {
  const right = results.filter(isRight).length
  return `${right} / ${results.length} (${((100 * right) / Math.max(1, results.length)).toFixed(1)} %)`
}

function cell(results: readonly Result[]): string {
  if (results.length === 0) return "–"
  const of = (isRight: (result: Result) => boolean) => results.filter(isRight).length
  return `${of(isFirst)}, ${of(({ isTaken }) => isTaken)} / ${results.length}`
}

const isFirst = ({ byLikeness }: Result): boolean => byLikeness === 1

/** The first look-up after many were added makes the tables anew. */
async function firstLook(): Promise<number> {
  const at = performance.now()
  await index.find([], 1, 1)
  return performance.now() - at
}

async function printTimes(sort_ms: number): Promise<void> {
  for (let n = 0; n < 60; n += 1) {
    const { descriptors, side_px } = looks[Math.floor(((n + 0.5) * looks.length) / 60)]!
    const leak = parseDescriptors(descriptors)!
    const at = performance.now()
    await index.find(leak, side_px, 8)
    times.look_ms.push(performance.now() - at)
  }
  const sorted = times.look_ms.splice(0).sort((a, b) => a - b)
  const of = (part: number) => `${sorted[Math.floor(part * sorted.length)]!.toFixed(0)} ms`
  const [add_ms, kB] = [times.add_ms / index.size, index.size_bytes / index.size / 1000]
  console.log(
    `| ${index.size} | ${of(0.5)} | ${of(0.99)} | ${sort_ms.toFixed(0)} ms | ${add_ms.toFixed(2)} ms | ${kB.toFixed(0)} kB |`,
  )
}

/** Of files evenly taken, one after the other: a trace's process and this one in turn, so that one core is busy at a time. */
async function printTraces(): Promise<void> {
  const tracer = openTracer()
  const took: number[][] = []
  // The first few make a process warm.
  for (const file of files.slice(0, 4)) await traced(tracer, file)
  const count = Math.min(timedFiles, files.length)
  for (let n = 0; n < count; n += 1)
    took.push(await traced(tracer, files[Math.floor(((n + 0.5) * files.length) / count)]!))
  await tracer.close()
  const traces = `A whole trace of a file among ${index.size} originals, ${took.length} files`
  console.log(`\n| ${traces} | median | nine in ten | longest |\n|---|---|---|---|`)
  for (const [i, step] of steps.entries()) {
    const sorted = took.map(each => each[i]!).sort((a, b) => a - b)
    const of = (part: number) => `${(sorted[Math.floor(part * sorted.length)]! / 1000).toFixed(2)} s`
    console.log(`| ${step} | ${of(0.5)} | ${of(0.9)} | ${of(0.999)} |`)
  }
}

/** A sketch like one of the others, of whose bits an eighth are drawn anew: for time and memory, not for finding. */
function perturbed({ parts, ...size }: Sketch, chance: Chance): Sketch {
  const bitsOf = (bits: Uint8Array) => {
    const other = bits.slice()
    for (let n = 0; n < 32; n += 1) other[chance.index(32)]! ^= 1 << chance.index(8)
    return other
  }
  return {
    ...size,
    parts: parts.map(({ descriptors, ...part }) => ({
      ...part,
      descriptors: descriptors.map(each => ({ ...each, bits: bitsOf(each.bits) })),
    })),
  }
}

const photographs = sources.filter(({ kind }) => kind === "photograph").length
const first_ms = await firstLook()
const step = sources.length / Math.min(asked, sources.length)
const results: Result[] = []
for (let n = 0; n < Math.min(asked, sources.length); n += 1) {
  for await (const result of resultsOf(sources[Math.floor((n + 0.5) * step)]!, n)) results.push(result)
  process.stderr.write(`${n + 1} of ${asked} asked for, ${results.length} copies\n`)
}
console.log(
  `${index.size} originals, of them ${photographs} photographs; ${results.length} copies of ${asked} of them.\n`,
)
const [large, small] = [results.filter(each => each.isEnough), results.filter(each => !each.isEnough)]
console.log(
  `| Copy of ≥ 50,000 shown pixels, after | ${kinds.map(kind => `${kind}: first, taken / asked`).join(" | ")} |`,
)
console.log(`|---|${kinds.map(() => "---|").join("")}`)
for (const attack of names) {
  const cells = kinds.map(kind => cell(large.filter(each => each.attack === attack && each.kind === kind)))
  console.log(`| ${attack} | ${cells.join(" | ")} |`)
}
const liken_ms = times.liken_ms.sort((a, b) => a - b)[times.liken_ms.length >> 1]!
const opened = results.reduce((sum, each) => sum + each.opened, 0) / results.length
console.log("\n| Right original | ≥ 50,000 shown pixels | fewer |\n|---|---|---|")
for (const [name, isRight] of [
  ["first by corners", ({ byCorners }: Result) => byCorners === 1],
  ["first by corners and likeness", isFirst],
  ["taken by a trace", ({ isTaken }: Result) => isTaken],
] as const)
  console.log(`| ${name} | ${share(large, isRight)} | ${share(small, isRight)} |`)
console.log(
  `\nLikenesses take ${liken_ms.toFixed(0)} ms (median); ${opened.toFixed(2)} originals are opened.\n`,
)

console.log("| Originals | a look-up, median | p99 | the tables made anew | adding one | memory of one |")
console.log("|---|---|---|---|---|---|")
await printTimes(first_ms)
const chance = chanceOf("filled")
for (let n = 0; index.size < filled; n += 1)
  add(`${filler} ${n}`, perturbed(sketches[n % sketches.length]!, chance))
sketches.length = 0
await printTimes(await firstLook())
await printTraces()
