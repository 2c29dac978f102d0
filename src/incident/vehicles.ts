import { assert } from "../fault.ts"
import { Groups } from "./groups.ts"
import { fitted, matchOdds, type Agreements, type LinkModel } from "./linkage.ts"
import { boundsOf, type Bounds, type Separation } from "./occupancy.ts"
import { keysOf, likenesses, likenessOf, type Likeness } from "./plate-likeness.ts"

/** How many vehicles are in a set of plate reads, some of them misread. */

export interface PlateRead {
  /** Upper case, letters and digits; not empty. */
  readonly plate: string
  /** State or country, `null` where the reader says none. */
  readonly region: string | null
  readonly port: string
  readonly lane: string
  readonly at_ms: number
  readonly direction: "in" | "out" | null
  /** The passage that the read is of: two reads of one crossing are of one vehicle. */
  readonly crossing: string | null
}

/** A plate as it was read, with its state: the reads of one text are one vehicle unless two states say otherwise. */
export interface ReadText {
  readonly plate: string
  readonly region: string | null
  /** In time order. */
  readonly reads: readonly PlateRead[]
}

/** Two texts that may be one vehicle's, by their places in the list of texts. */
export interface Link {
  readonly a: number
  readonly b: number
  /** By the model: 0 to 1. */
  readonly probability: number
}

export interface Linkage {
  readonly texts: readonly ReadText[]
  /** Likeliest first. */
  readonly links: readonly Link[]
  readonly model: LinkModel
  /** Keys so common that their pairs were not compared; their texts may be linked less than they should. */
  readonly skippedKeys: number
}

export interface Thresholds {
  /** From here on a link is taken. */
  readonly high: number
  /** Below it is not; between the two a clerk says. */
  readonly low: number
}

export const usualThresholds: Thresholds = { high: 0.9, low: 0.1 }

/** The most texts that share a key and are compared. */
const maxShared = 400

/** Nothing is in two lanes, or two crossings of one lane, within this time: 10 s, less than any vehicle needs to come again. */
const impossible_ms = 10_000

/**
 * The texts of a set of reads, and which may be of one vehicle, with their probability by Fellegi and Sunter's model, m and
 * u learned from these reads. Pairs that were read at two places at one time are no links.
 * Costs about 10 µs a pair that shares a key.
 */
export function linkageOf(reads: readonly PlateRead[]): Linkage {
  const texts = textsOf(reads)
  const { pairs, skippedKeys } = candidatesOf(texts)
  const compared = pairs.flatMap(([a, b]) => {
    const of = agreementsOf(texts, a, b)
    return of === null ? [] : [{ a, b, of }]
  })
  const model = fitted(
    compared.map(({ of }) => of),
    firstModel,
  )
  const links = compared.map(({ a, b, of }) => ({ a, b, probability: matchOdds(model, of) }))
  links.sort((x, y) => y.probability - x.probability || x.a - y.a || x.b - y.b)
  return { texts, links, model, skippedKeys }
}

function textsOf(reads: readonly PlateRead[]): ReadText[] {
  const texts = new Map<string, PlateRead[]>()
  for (const read of [...reads].sort((a, b) => a.at_ms - b.at_ms)) {
    const key = `${read.plate}\n${read.region ?? ""}`
    const own = texts.get(key)
    if (own === undefined) texts.set(key, [read])
    else own.push(read)
  }
  return [...texts.values()].map(own => {
    const [first] = own
    assert(first !== undefined, "a text was read")
    return { plate: first.plate, region: first.region, reads: own }
  })
}

function candidatesOf(texts: readonly ReadText[]): {
  pairs: (readonly [number, number])[]
  skippedKeys: number
} {
  const sharing = new Map<string, number[]>()
  texts.forEach(({ plate }, i) => {
    for (const key of keysOf(plate)) {
      const own = sharing.get(key)
      if (own === undefined) sharing.set(key, [i])
      else own.push(i)
    }
  })
  const seen = new Set<number>()
  const pairs: (readonly [number, number])[] = []
  let skippedKeys = 0
  for (const own of sharing.values()) {
    if (own.length > maxShared) skippedKeys += 1
    else
      for (const [n, a] of own.entries())
        for (const b of own.slice(n + 1)) {
          const pair = a * texts.length + b
          if (!seen.has(pair)) pairs.push([a, b])
          seen.add(pair)
        }
  }
  return { pairs, skippedKeys }
}

/** Fields: likeness of the texts, states, reads of the rarer text, one crossing, and what follows what. */
const firstModel: LinkModel = {
  prior: 0.3,
  m: [
    [0.2, 0.4, 0.1, 0.2, 0.1],
    [0.8, 0.15, 0.05],
    [0.8, 0.15, 0.05],
    [0.5, 0.5],
    [0.3, 0.6, 0.1],
  ],
  u: [
    [0.02, 0.13, 0.05, 0.6, 0.2],
    [0.6, 0.15, 0.25],
    [0.3, 0.3, 0.4],
    [0.001, 0.999],
    [0.15, 0.6, 0.25],
  ],
}

/** The levels of agreement of two texts, or `null` where they are not alike or were at two places at one time. */
function agreementsOf(texts: readonly ReadText[], a: number, b: number): Agreements | null {
  const [one, other] = [texts[a], texts[b]]
  assert(one !== undefined && other !== undefined, "a pair is of two texts")
  const likeness = likenessOf(one.plate, other.plate)
  if (likeness === null) return null
  const order = orderOf(one, other)
  if (order === null) return null
  const rarer = Math.min(one.reads.length, other.reads.length)
  const sharesCrossing = shareCrossing(one, other)
  return [
    likenesses.indexOf(likeness satisfies Likeness),
    regionLevel(one.region, other.region),
    Math.min(rarer, 3) - 1,
    sharesCrossing ? 0 : 1,
    order,
  ]
}

function regionLevel(a: string | null, b: string | null): number {
  if (a === null || b === null) return 1
  return a === b ? 0 : 2
}

function shareCrossing(one: ReadText, other: ReadText): boolean {
  const crossings = new Set(one.reads.map(({ crossing }) => crossing))
  return other.reads.some(({ crossing }) => crossing !== null && crossings.has(crossing))
}

/**
 * How the reads of two texts follow each other, were they one vehicle's. 0: each time that one text follows the other, the
 * direction changes, as it does for who comes and goes; 1: nothing to be said; 2: it does not change.
 * @returns `null` for two places at one time.
 */
function orderOf(one: ReadText, other: ReadText): number | null {
  const merged = [...one.reads.map(read => ({ read, of: 0 })), ...other.reads.map(read => ({ read, of: 1 }))]
  merged.sort((a, b) => a.read.at_ms - b.read.at_ms)
  let [turns, stays] = [0, 0]
  for (const [i, { read, of }] of merged.entries()) {
    const before = merged[i - 1]
    if (before === undefined || before.of === of) continue
    if (read.crossing !== null && read.crossing === before.read.crossing) continue
    if (read.at_ms - before.read.at_ms < impossible_ms) return null
    if (read.direction === null || before.read.direction === null) continue
    if (read.direction === before.read.direction) stays += 1
    else turns += 1
  }
  if (turns + stays === 0 || turns === stays) return 1
  return turns > stays ? 0 : 2
}

export interface VehicleCount extends Bounds {
  /** Groups of texts when every link from `high` on is taken, and when every one from `low` on is. */
  readonly linkedHigh: number
  readonly linkedLow: number
  /** When links from ½ on are taken. */
  readonly point: number
  /** Different texts: what a naive count says. */
  readonly texts: number
  /** Links between the thresholds, for a clerk; after his answers the two counts meet. */
  readonly clerical: number
}

export interface VehicleRules {
  readonly thresholds: Thresholds
  readonly separation: Separation
  /** A clerk's word on links between the thresholds, by `linkKey`. */
  readonly clerk: ReadonlyMap<string, boolean>
}

/**
 * Bounds that always hold: at most one vehicle for each crossing (a read without one is a crossing of its own), at least
 * as many as were at places apart at one time. Within them, what the thresholds say, which is likely and not certain.
 */
export function vehiclesOf(reads: readonly PlateRead[], linkage: Linkage, rules: VehicleRules): VehicleCount {
  const { high, low } = rules.thresholds
  const bounds = vehicleBounds(reads, rules.separation)
  const within = (count: number) => Math.max(bounds.at_least, Math.min(bounds.at_most, count))
  const count = (from: number) => within(groupsFrom(linkage, from, rules.clerk).count)
  return {
    ...bounds,
    linkedHigh: count(high),
    linkedLow: count(low),
    point: count(0.5),
    texts: linkage.texts.length,
    clerical: linkage.links.filter(link => isClerical(link, rules)).length,
  }
}

export function isClerical(link: Link, { thresholds, clerk }: Omit<VehicleRules, "separation">): boolean {
  const isBetween = link.probability < thresholds.high && link.probability >= thresholds.low
  return isBetween && !clerk.has(linkKey(link))
}

export function linkKey({ a, b }: Pick<Link, "a" | "b">): string {
  return `${a} ${b}`
}

/** The texts' groups when every link of at least this probability is taken, or what a clerk says of it. */
export function groupsFrom(
  { texts, links }: Linkage,
  from: number,
  clerk: ReadonlyMap<string, boolean>,
): Groups {
  const groups = new Groups(texts.length)
  for (const link of links)
    if (clerk.get(linkKey(link)) ?? link.probability >= from) groups.join(link.a, link.b)
  return groups
}

export function vehicleBounds(reads: readonly PlateRead[], separation: Separation): Bounds {
  const { at_least } = boundsOf(
    reads.map(({ port, lane, crossing, at_ms }) => ({ port, lane, crossing, at_ms, least: 1, most: 1 })),
    { occupancy: 1, separation },
  )
  const crossings = new Set(reads.map(({ crossing }) => crossing).filter(crossing => crossing !== null))
  const alone = reads.filter(({ crossing }) => crossing === null).length
  return { at_least, at_most: crossings.size + alone }
}
