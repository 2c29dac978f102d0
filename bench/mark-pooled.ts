import { readFile } from "node:fs/promises"
import { chanceOf } from "../src/drawing/chance.ts"
import { chipsOf, emphases, type Emphasis } from "../src/mark/code.ts"
import type { Codeword } from "../src/mark/embed.ts"
import { log10Bound, scoresOf, strongest, type Evidence, type Judged } from "../src/mark/score.ts"
import { coalitions, colluder, strategies, type CollusionRow } from "./mark-collusion.ts"
import { biasesFor, codewordFor, isTraced } from "./mark-copies.ts"
import { holder, type LeakRow } from "./mark-leaks.ts"
import { pictureOf, type Picture, type Source } from "./mark-pictures.ts"

/** Leaks of three pictures that one holder received, judged together; and innocents against evidence that stays the same. */

export interface PooledRow {
  readonly level: string
  readonly attack: string
  readonly leaks: number
  readonly singly: number
  readonly triples: number
  readonly traced: number
}

type Names = ReadonlyMap<string, Source>

interface Kept {
  readonly statistics: readonly Evidence[]
  readonly codeword: Codeword
  readonly picture: string
}

/** Each picture's codewords, since many of its leaks ask for them. */
const codewords = new Map<string, Codeword>()

async function codewordOf(name: string, whose: string, sources: Names): Promise<Codeword> {
  const key = `${name}\0${whose}`
  const known = codewords.get(key)
  if (known !== undefined) return known
  const picture: Picture = await pictureOf(sources.get(name)!)
  const codeword = codewordFor(picture, whose, biasesFor(picture))
  codewords.set(key, codeword)
  return codeword
}

async function keptOf(
  { picture, evidence }: Pick<LeakRow, "picture" | "evidence">,
  sources: Names,
  whose = holder,
): Promise<Kept> {
  const codeword = await codewordOf(picture, whose, sources)
  const bytes = Uint8Array.from(await readFile(evidence!))
  const all = new Float32Array(bytes.buffer)
  const count = codeword.chips.length
  const statistics = Array.from({ length: all.length / count }, (_, i) =>
    all.subarray(i * count, (i + 1) * count),
  )
  return { statistics, codeword, picture }
}

/** For every attack that leaves some leaks of 20,000 to 50,000 pixels untraced: triples of them by lot. */
export async function pooled(
  leaks: readonly LeakRow[],
  sources: Names,
  triples: number,
): Promise<readonly PooledRow[]> {
  const rows: PooledRow[] = []
  const middle = leaks.filter(each => each.shown_px >= 20_000 && each.shown_px < 50_000)
  const names = new Set(middle.map(each => `${each.level}\0${each.attack}`))
  for (const name of names) {
    const [level, attack] = name.split("\0") as [string, string]
    const group = middle.filter(each => each.level === level && each.attack === attack)
    const singly = group.filter(each => each.isTraced).length
    const usable = group.filter(each => each.evidence !== null)
    if (singly === group.length || usable.length < 3) continue
    const kept: Kept[] = []
    for (const leak of usable) kept.push(await keptOf(leak, sources))
    const chance = chanceOf("triples", name)
    let traced = 0
    for (let n = 0; n < triples; n += 1) {
      const rest = [...kept]
      const three = Array.from({ length: 3 }, () => rest.splice(chance.index(rest.length), 1)[0]!)
      if (isTraced(boundOf(three))) traced += 1
    }
    rows.push({ level, attack, leaks: group.length, singly, triples, traced })
  }
  return rows
}

/** By the same statistic of all; the first where one has no third. */
function boundOf(parts: readonly Kept[]): number {
  const bounds = ([0, 1, 2] as const).map(which => {
    const chosen = parts.map(({ statistics, codeword }) => ({
      evidence: statistics[which] ?? statistics[0]!,
      codeword,
    }))
    return strongest(chosen).log10_bound
  })
  return Math.min(...bounds)
}

export interface ColludedPool {
  readonly strategy: string
  readonly colluders: number
  /** Copies that gave away somebody by themselves, of so many. */
  readonly singly: number
  readonly copies: number
  /** Sets of three copies that did, of so many. */
  readonly traced: number
  readonly triples: number
}

export function isCloseL2({ level, region }: Pick<CollusionRow, "level" | "region">): boolean {
  return level === "L2" && region === "close"
}

/** L2 copies of three pictures that the same holders put together in the same way, judged together: every three of them. */
export async function colludedPools(
  rows: readonly CollusionRow[],
  sources: Names,
): Promise<readonly ColludedPool[]> {
  const pools: ColludedPool[] = []
  for (const strategy of strategies) {
    for (const colluders of coalitions) {
      const own = rows.filter(
        each => isCloseL2(each) && each.strategy === strategy && each.colluders === colluders,
      )
      const said = own.filter(each => each.evidence !== null)
      const members: Kept[][] = []
      for (let n = 0; n < colluders; n += 1) {
        const kept: Kept[] = []
        for (const row of said) kept.push(await keptOf(row, sources, colluder(n)))
        members.push(kept)
      }
      const triples = threesOf(said.length)
      const traced = triples.filter(three =>
        members.some(kept => isTraced(boundOf(three.map(i => kept[i]!)))),
      ).length
      const singly = own.filter(each => each.accused > 0).length
      pools.push({ strategy, colluders, singly, copies: own.length, traced, triples: triples.length })
    }
  }
  return pools
}

function threesOf(count: number): (readonly number[])[] {
  const all: number[][] = []
  for (let a = 0; a < count; a += 1)
    for (let b = a + 1; b < count; b += 1) for (let c = b + 1; c < count; c += 1) all.push([a, b, c])
  return all
}

export interface BoundRow {
  readonly leak: string
  readonly chips: number
  readonly draws: number
  /** How many were at or below 10⁻¹, 10⁻², 10⁻³, 10⁻⁴. */
  readonly below: readonly number[]
}

export const levels = [-1, -2, -3, -4] as const

/**
 * Innocents' chips drawn anew again and again, as `chipsOf` draws them, against what some leaks say: how often the bound
 * says how little. Of each leak the chips are taken of which it says anything.
 */
export async function drawnBounds(
  leaks: readonly LeakRow[],
  sources: Names,
  draws: number,
): Promise<readonly BoundRow[]> {
  const wanted = ["gauntlet", "JPEG 30", "combined", "scale 0.25", "none", "crop 25 %"]
  const rows: BoundRow[] = []
  for (const attack of wanted) {
    const leak = leaks
      .filter(each => each.attack === attack && each.evidence !== null)
      .sort((a, b) => a.shown_px - b.shown_px)[1]
    if (leak === undefined) continue
    const { statistics, codeword } = await keptOf(leak, sources)
    const evidence = statistics.at(-1)!
    const places = Uint32Array.from(evidence.keys()).filter(i => evidence[i] !== 0)
    const said: Judged = {
      evidence: Float32Array.from(places, i => evidence[i]!),
      biases: Uint8Array.from(places, i => codeword.biases[i]!),
    }
    const found = (Object.keys(emphases) as Emphasis[]).map(emphasis => {
      return {
        emphasis,
        limits: levels.map(level => sumAt(said, level, emphasis)),
        below: levels.map(() => 0),
      }
    })
    const key = new Uint8Array(32)
    for (let n = 0; n < draws; n += 1) {
      new DataView(key.buffer).setUint32(0, n)
      const scores = scoresOf(said.evidence, { biases: said.biases, chips: chipsOf(key, said.biases) })
      for (const { emphasis, limits, below } of found)
        limits.forEach((limit, i) => (below[i]! += scores[emphasis].sum >= limit ? 1 : 0))
    }
    const name = `${leak.picture}, ${leak.level}, ${attack}`
    for (const { emphasis, below } of found)
      rows.push({ leak: `${name}; ${emphasis}`, chips: places.length, draws, below })
  }
  return rows
}

/** The sum at which the bound comes down to 10 to `level`: it falls as the sum grows. */
function sumAt(said: Judged, level: number, emphasis: Emphasis): number {
  let [low, high] = [0, 20 * Math.sqrt(said.evidence.reduce((sum, z) => sum + z * z, 0))]
  for (let round = 0; round < 40; round += 1) {
    const middle = (low + high) / 2
    if (log10Bound([said], middle, emphasis) <= level) high = middle
    else low = middle
  }
  return high
}
