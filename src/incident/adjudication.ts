import { Type, type Static } from "typebox"
import { Compile } from "typebox/compile"
import { assert } from "../fault.ts"
import { sampleOf } from "./sampling-plan.ts"

/** Which pairs of faces (or of plate reads) people look at. A plan and answers are data: both are kept, and gone on with. */

const id = Type.String({ minLength: 1, maxLength: 200 })
const count = Type.Integer({ minimum: 0, maximum: 1_000_000_000 })
const closed = { additionalProperties: false }

/** Controls' truth is known: one person, or two. Nobody who answers can tell them from the others. */
const kind = Type.Union([
  /** One cluster, or two: what the machine says of the pair. */
  Type.Literal("inside"),
  Type.Literal("outside"),
  Type.Literal("duplicate"),
  Type.Literal("foil"),
])

const planShape = Type.Object(
  {
    v: Type.Literal(1),
    seed: Type.String({ minLength: 8, maxLength: 200 }),
    /** Faces that were clustered, and their clusters. */
    faces: count,
    clusters: count,
    /** In the order drawn: the first n of them are a uniform sample of n. */
    sampled: Type.Array(Type.Object({ face: id, cluster_size: count }, closed), { maxItems: 100_000 }),
    /** In the order shown. */
    pairs: Type.Array(Type.Object({ subject: id, other: id, kind }, closed), {
      maxItems: 2_000_000,
    }),
  },
  closed,
)

export type Plan = Static<typeof planShape>
export type Pair = Plan["pairs"][number]

const isPlan = Compile(planShape)

/** A plan out of JSON, or `null`. Costs its length. */
export function planFrom(value: unknown): Plan | null {
  return isPlan.Check(value) && new Set(value.pairs.map(keyOf)).size === value.pairs.length ? value : null
}

export interface PlanInput {
  /** Drawn after the faces were fixed; logged. */
  readonly seed: string
  /** Ids of every face that was clustered, in any order, with its cluster's number. */
  readonly clusterOf: ReadonlyMap<string, number>
  /** How many faces to sample. */
  readonly sample: number
  /** Faces of other clusters that are most like this one, likest first. */
  readonly neighboursOf: (face: string) => readonly string[]
  /** Pairs known to be one person, such as two pictures of one seat in one crossing; and two, seen apart at one time. */
  readonly duplicates: readonly (readonly [string, string])[]
  readonly foils: readonly (readonly [string, string])[]
}

export const planLimits = {
  /** Pairs shown of one face: within its cluster, and of other clusters. */
  inside: 30,
  outside: 50,
  /** Sampled faces whose pairs are mixed: whoever stops after a block has a whole sample of that many. */
  block: 20,
} as const

/** The plan of a sample: pairs in blocks, mixed with controls. The same input gives the same plan. */
export function planOf(input: PlanInput): Plan {
  const { seed, clusterOf } = input
  const clusters = membersOf(clusterOf)
  const sampled = sampleOf(seed, [...clusterOf.keys()], input.sample)
  const starts = Array.from(
    { length: Math.max(1, Math.ceil(sampled.length / planLimits.block)) },
    (_, b) => b * planLimits.block,
  )
  const seen = new Set<string>()
  const blocks = starts.map(from =>
    sampled
      .slice(from, from + planLimits.block)
      .flatMap(face => pairsOf(input, face, clusters))
      .filter(pair => isNew(seen, pair)),
  )
  const controls = mixedBy(`${seed} controls`, controlsOf(input)).filter(pair => isNew(seen, pair))
  const upTo = (b: number) => Math.floor((b * controls.length) / blocks.length)
  const pairs = blocks.flatMap((own, b) =>
    mixedBy(`${seed} block ${b}`, [...own, ...controls.slice(upTo(b), upTo(b + 1))]),
  )
  return {
    v: 1,
    seed,
    faces: clusterOf.size,
    clusters: clusters.size,
    sampled: sampled.map(face => ({ face, cluster_size: othersOf(face, clusterOf, clusters).length + 1 })),
    pairs,
  }
}

function controlsOf({ duplicates, foils }: PlanInput): Pair[] {
  const pairs = (of: readonly (readonly [string, string])[], kind: Pair["kind"]) =>
    of.map(([subject, other]) => ({ subject, other, kind }))
  return [...pairs(duplicates, "duplicate"), ...pairs(foils, "foil")]
}

function membersOf(clusterOf: ReadonlyMap<string, number>): Map<number, string[]> {
  const clusters = new Map<number, string[]>()
  for (const [face, cluster] of clusterOf) {
    const members = clusters.get(cluster)
    if (members === undefined) clusters.set(cluster, [face])
    else members.push(face)
  }
  return clusters
}

function othersOf(
  face: string,
  clusterOf: ReadonlyMap<string, number>,
  clusters: ReadonlyMap<number, readonly string[]>,
): string[] {
  const members = clusters.get(clusterOf.get(face) ?? -1) ?? []
  return members.filter(other => other !== face)
}

function pairsOf(
  { seed, clusterOf, neighboursOf }: PlanInput,
  face: string,
  clusters: ReadonlyMap<number, readonly string[]>,
): Pair[] {
  const inside = sampleOf(`${seed} ${face}`, othersOf(face, clusterOf, clusters), planLimits.inside)
  const outside = neighboursOf(face).slice(0, planLimits.outside)
  const own = clusterOf.get(face)
  assert(
    outside.every(other => clusterOf.has(other) && clusterOf.get(other) !== own),
    "neighbours are of other clusters",
  )
  return [
    ...inside.map(other => ({ subject: face, other, kind: "inside" as const })),
    ...outside.map(other => ({ subject: face, other, kind: "outside" as const })),
  ]
}

/** One name for a pair, whichever of the two comes first. */
export function keyOf({ subject, other }: { readonly subject: string; readonly other: string }): string {
  return subject < other ? `${subject}\n${other}` : `${other}\n${subject}`
}

function isNew(seen: Set<string>, pair: Pair): boolean {
  const key = keyOf(pair)
  return !seen.has(key) && seen.add(key).size > 0
}

function mixedBy(seed: string, pairs: readonly Pair[]): Pair[] {
  const byKey = new Map(pairs.map(pair => [keyOf(pair), pair]))
  return sampleOf(seed, [...byKey.keys()], byKey.size).flatMap(key => byKey.get(key) ?? [])
}
