import { attacks } from "../test/attacks.ts"
import type { Descriptor } from "../src/picture/descriptors.ts"
import { Originals, type Candidate } from "../src/picture/originals.ts"
import { parseSketch, sketchOf, type Sketch } from "../src/picture/sketch.ts"
import { chanceOf, type Chance } from "../src/drawing/chance.ts"
import { pictureOf, sourcesOf, type Picture } from "./mark-pictures.ts"
import { foundCopies, levels, type CopyLevel, type FoundCopy } from "./original-pictures.ts"

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

/** Fewer shown pixels than this are counted apart. */
const enough_px = 50_000
/** As a trace asks: so many, with at least so many corners. */
const [most, leastCorners] = [5, 4]

interface Result {
  readonly attack: string
  readonly level: CopyLevel
  readonly isEnough: boolean
  /** From 1; 0 where it is not among five. */
  readonly place: number
}

const times = { add_ms: 0, look_ms: [] as number[] }
const sketches: Sketch[] = []
const index = new Originals()
const copies: { readonly name: string; readonly copy: FoundCopy }[] = []

const sources = await sourcesOf({ drawn: Math.max(0, count - 194), photographs: 194, isFull: false })
const names = Object.keys(attacks)
const step = sources.length / Math.min(asked, sources.length)
let next = 0
for (const [n, source] of sources.entries()) {
  const picture = await pictureOf(source)
  add(picture.name, parseSketch(sketchOf(picture.pixels, [picture.plate]))!)
  if (n < Math.floor((next + 0.5) * step)) continue
  await takeCopies(picture, next)
  next += 1
  process.stderr.write(`${n + 1} of ${sources.length} originals, ${copies.length} copies\n`)
}

function add(name: string, sketch: Sketch): void {
  const at = performance.now()
  index.add(name, sketch)
  times.add_ms += performance.now() - at
  sketches.push(sketch)
}

async function takeCopies(picture: Picture, nth: number): Promise<void> {
  const some = names.filter((_, i) => (i + nth) % stride === 0)
  for (const level of levels)
    for await (const copy of foundCopies(picture, level, some)) copies.push({ name: picture.name, copy })
}

function look(leak: readonly Descriptor[], side_px: number): readonly Candidate[] {
  const at = performance.now()
  const found = index.find(leak, side_px, most)
  times.look_ms.push(performance.now() - at)
  return found
}

/** As a trace merges what the leak and its mirror image lead to. */
function resultOf(name: string, { attack, level, shown_px, side_px, leak, mirrored }: FoundCopy): Result {
  const both = [...look(leak, side_px), ...look(mirrored, side_px)]
  const ordered = both
    .filter(each => each.agreeing >= leastCorners)
    .sort((a, b) => b.votes - a.votes || b.agreeing - a.agreeing)
    .filter((each, i, all) => all.findIndex(other => other.name === each.name) === i)
  const place = ordered.slice(0, most).findIndex(each => each.name === name) + 1
  if (place !== 1 && shown_px >= enough_px)
    process.stderr.write(`${name}, ${level}, ${attack}, ${shown_px} pixels: place ${place}\n`)
  return { attack, level, isEnough: shown_px >= enough_px, place }
}

function share(results: readonly Result[]): string {
  if (results.length === 0) return "–"
  const first = results.filter(each => each.place === 1).length
  return `${first} / ${results.length} (${((100 * first) / results.length).toFixed(1)} %)`
}

function cell(results: readonly Result[]): string {
  if (results.length === 0) return "–"
  const first = results.filter(each => each.place === 1).length
  return `${first}, ${results.filter(each => each.place > 0).length} / ${results.length}`
}

/** The first look-up after many were added makes the tables anew. */
function firstLook(): number {
  const at = performance.now()
  index.find([], 1, 1)
  return performance.now() - at
}

function printTimes(sort_ms: number): void {
  times.look_ms = []
  for (let n = 0; n < 60; n += 1) {
    const { copy } = copies[Math.floor(((n + 0.5) * copies.length) / 60)]!
    look(copy.leak, copy.side_px)
  }
  const sorted = times.look_ms.sort((a, b) => a - b)
  const of = (part: number) => `${sorted[Math.floor(part * sorted.length)]!.toFixed(0)} ms`
  const [add_ms, kB] = [times.add_ms / index.size, index.size_bytes / index.size / 1000]
  console.log(
    `| ${index.size} | ${of(0.5)} | ${of(0.99)} | ${sort_ms.toFixed(0)} ms | ${add_ms.toFixed(2)} ms | ${kB.toFixed(0)} kB |`,
  )
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
    parts: parts.map(({ box, descriptors }) => ({
      box,
      descriptors: descriptors.map(each => ({ ...each, bits: bitsOf(each.bits) })),
    })),
  }
}

const photographs = sources.filter(({ kind }) => kind === "photograph").length
console.log(
  `${index.size} originals, of them ${photographs} photographs; ${copies.length} copies of ${next} of them.\n`,
)
const first_ms = firstLook()
const results = copies.map(({ name, copy }) => resultOf(name, copy))
const [large, small] = [results.filter(each => each.isEnough), results.filter(each => !each.isEnough)]
console.log(
  `| Copy of ≥ 50,000 shown pixels, after | ${levels.map(level => `${level}: first, among five / asked`).join(" | ")} |`,
)
console.log(`|---|${levels.map(() => "---|").join("")}`)
for (const attack of names) {
  const cells = levels.map(level =>
    cell(large.filter(each => each.attack === attack && each.level === level)),
  )
  console.log(`| ${attack} | ${cells.join(" | ")} |`)
}
console.log(`\nFirst: ${share(large)} with ≥ 50,000 shown pixels, ${share(small)} with fewer.\n`)

console.log("| Originals | a look-up, median | p99 | the tables made anew | adding one | memory of one |")
console.log("|---|---|---|---|---|---|")
printTimes(first_ms)
const chance = chanceOf("filled")
for (let n = 0; index.size < filled; n += 1) {
  const sketch = perturbed(sketches[n % sketches.length]!, chance)
  const at = performance.now()
  index.add(`filled ${n}`, sketch)
  times.add_ms += performance.now() - at
}
printTimes(firstLook())
