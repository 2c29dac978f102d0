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

/** Nothing is in two lanes within this time, and what one lane sees within it of unknown crossings is taken for one passage. */
const passage_ms = 10_000

/**
 * The texts of a set of reads, and which may be of one vehicle, with their probability by Fellegi and Sunter's model, m and
 * u learned from these reads. Pairs that were read at two places at one time are no links.
 * Costs 0.6 s for 30,000 reads of 6,000 vehicles.
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

/**
 * One text for each plate and state. A read without a state is of the plate's most frequent one; so is a read that alone
 * names its state where another was read twice or more: a state is misread far more often than two states issue one text.
 */
function textsOf(reads: readonly PlateRead[]): ReadText[] {
  const plates = grouped([...reads].sort(byTime), ({ plate }) => plate)
  return [...plates].flatMap(([plate, own]) => {
    const regions = [...grouped(own, ({ region }) => region)].filter(([region]) => region !== null)
    regions.sort(([a, one], [b, other]) => other.length - one.length || ((a ?? "") < (b ?? "") ? -1 : 1))
    const [main] = regions
    const apart = regions.slice(1).filter(([, of]) => of.length > 1 || main?.[1].length === 1)
    const known = new Set(apart.map(([region]) => region))
    const rest = own.filter(({ region }) => region === null || !known.has(region))
    return [[main?.[0] ?? null, rest] as const, ...apart].map(([region, of]) => ({
      plate,
      region,
      reads: of,
    }))
  })
}

function byTime(a: PlateRead, b: PlateRead): number {
  return a.at_ms - b.at_ms
}

function grouped<T, K>(list: readonly T[], keyOf: (of: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const each of list) {
    const own = groups.get(keyOf(each))
    if (own === undefined) groups.set(keyOf(each), [each])
    else own.push(each)
  }
  return groups
}

function candidatesOf(texts: readonly ReadText[]): {
  pairs: (readonly [number, number])[]
  skippedKeys: number
} {
  const keys = texts.flatMap(({ plate }, i) => keysOf(plate).map(key => ({ key, i })))
  const seen = new Set<number>()
  const pairs: (readonly [number, number])[] = []
  let skippedKeys = 0
  for (const own of grouped(keys, ({ key }) => key).values()) {
    if (own.length > maxShared) {
      skippedKeys += 1
      continue
    }
    for (const [n, { i: a }] of own.entries())
      for (const { i: b } of own.slice(n + 1)) {
        const pair = a * texts.length + b
        if (!seen.has(pair)) pairs.push([a, b])
        seen.add(pair)
      }
  }
  return { pairs, skippedKeys }
}

/** Fields: likeness of the texts, states, reads of the rarer text, one passage, and what follows what. */
const firstModel: LinkModel = {
  prior: 0.3,
  m: [
    [0.2, 0.4, 0.1, 0.2, 0.1],
    [0.8, 0.15, 0.05],
    [0.8, 0.15, 0.05],
    [0.3, 0.2, 0.5],
    [0.3, 0.6, 0.1],
  ],
  u: [
    [0.02, 0.13, 0.05, 0.6, 0.2],
    [0.6, 0.15, 0.25],
    [0.3, 0.3, 0.4],
    [0.001, 0.001, 0.998],
    [0.15, 0.6, 0.25],
  ],
}

/** The levels of agreement of two texts, or `null` where they are not alike or were at two places at one time. */
function agreementsOf(texts: readonly ReadText[], a: number, b: number): Agreements | null {
  const [one, other] = [texts[a], texts[b]]
  assert(one !== undefined && other !== undefined, "a pair is of two texts")
  const likeness = likenessOf(one.plate, other.plate)
  if (likeness === null) return null
  const meetings = meetingsOf(one, other)
  if (meetings === null) return null
  const rarer = Math.min(one.reads.length, other.reads.length)
  return [
    likenesses.indexOf(likeness satisfies Likeness),
    regionLevel(one.region, other.region),
    Math.min(rarer, 3) - 1,
    meetings.passage,
    meetings.order,
  ]
}

function regionLevel(a: string | null, b: string | null): number {
  if (a === null || b === null) return 1
  return a === b ? 0 : 2
}

/** How the reads of two texts lie to each other, were they one vehicle's. */
interface Meetings {
  /** 0: both were read in one crossing; 1: in one lane within seconds; 2: never. */
  readonly passage: 0 | 1 | 2
  /** 0: where one follows the other the direction changes, as it does for who comes and goes; 1: nothing to say; 2: it stays. */
  readonly order: 0 | 1 | 2
}

/** @returns `null` for two places at one time. */
function meetingsOf(one: ReadText, other: ReadText): Meetings | null {
  const merged = [...one.reads.map(read => ({ read, of: 0 })), ...other.reads.map(read => ({ read, of: 1 }))]
  merged.sort((a, b) => a.read.at_ms - b.read.at_ms)
  let passage: Meetings["passage"] = 2
  let [turns, stays] = [0, 0]
  for (const [i, { read, of }] of merged.entries()) {
    const before = merged[i - 1]
    if (before === undefined || before.of === of) continue
    const how = followed(before.read, read)
    if (how === "impossible") return null
    if (how === "crossing") passage = 0
    else if (how === "seconds") passage = passage === 0 ? 0 : 1
    else if (read.direction !== null && before.read.direction !== null) {
      if (read.direction === before.read.direction) stays += 1
      else turns += 1
    }
  }
  return { passage, order: turns === stays ? 1 : turns > stays ? 0 : 2 }
}

function followed(before: PlateRead, read: PlateRead): "crossing" | "seconds" | "later" | "impossible" {
  if (read.crossing !== null && read.crossing === before.crossing) return "crossing"
  if (read.at_ms - before.at_ms >= passage_ms) return "later"
  const isSameLane = read.port === before.port && read.lane === before.lane
  return isSameLane && (read.crossing === null || before.crossing === null) ? "seconds" : "impossible"
}

export interface VehicleCount extends Bounds {
  /** U: groups of texts when only links from `high` on are taken. */
  readonly linkedHigh: number
  /** L: groups when every link from `low` on is taken, less `beyond` and two of its standard deviations. */
  readonly linkedLow: number
  /** Groups when links from ½ on are taken, less `beyond`. */
  readonly point: number
  /** Reads that are expected to be misread beyond what is compared: each is a text that is nobody's. */
  readonly beyond: number
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
  const within = (count: number) => Math.max(bounds.at_least, Math.min(bounds.at_most, Math.round(count)))
  const groups = (from: number) => groupsFrom(linkage, from, rules.clerk)
  const likely = groups(0.5)
  const beyond = beyondLikeness(linkage, likely)
  return {
    ...bounds,
    linkedHigh: within(groups(high).count),
    linkedLow: within(groups(low).count - beyond - 2 * Math.sqrt(beyond)),
    point: within(likely.count - beyond),
    beyond: Math.round(beyond),
    texts: linkage.texts.length,
    clerical: linkage.links.filter(link => isClerical(link, rules)).length,
  }
}

/**
 * How many reads are expected to be unlike every other of their vehicle. With a share s of reads misread, errors of a read
 * are taken as Poisson's with λ = −ln(1 − s); of two errors the pair is compared unless both are unlike the true character
 * (a share 1 − a of errors is), of three and more it is taken as not compared: reads × (P₂ (1 − a)² + P₃₊).
 */
function beyondLikeness({ texts }: Linkage, groups: Groups): number {
  const main = new Map<number, ReadText>()
  texts.forEach((text, i) => {
    const known = main.get(groups.of(i))
    if (known === undefined || text.reads.length > known.reads.length) main.set(groups.of(i), text)
  })
  let [reads, misread, alike, unlike] = [0, 0, 0, 0]
  texts.forEach((text, i) => {
    reads += text.reads.length
    const likeness = likenessOf(text.plate, main.get(groups.of(i))?.plate ?? text.plate)
    if (likeness === "same") return
    misread += text.reads.length
    if (likeness === "one-alike" || likeness === "more-alike") alike += text.reads.length
    else unlike += text.reads.length
  })
  if (misread === 0) return 0
  const [rate, share] = [-Math.log(1 - misread / reads), unlike / (alike + unlike)]
  const [none, one, two] = [1, rate, (rate * rate) / 2].map(each => each * Math.exp(-rate)) as [
    number,
    number,
    number,
  ]
  return reads * (two * share * share + (1 - none - one - two))
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
