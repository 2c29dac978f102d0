import { assert } from "../fault.ts"
import type { Pair, Plan } from "./plan-shape.ts"
import { sampleOf } from "./sampling-plan.ts"

/** Which pairs of faces (or of plate reads) people look at. A plan and answers are data: both are kept, and gone on with. */

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
  const truths = new Map(controlsOf(input).map(pair => [keyOf(pair), pair]))
  const controls = mixedBy(`${seed} controls`, [...truths.values()]).filter(pair => isNew(seen, pair))
  const upTo = (b: number) => Math.floor((b * controls.length) / blocks.length)
  const pairs = blocks.flatMap((own, b) =>
    mixedBy(`${seed} block ${b}`, [
      ...own.map(pair => known(pair, truths)),
      ...controls.slice(upTo(b), upTo(b + 1)),
    ]),
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

/** A sampled face's pair whose truth is known is both: asked about as a control, and counted as the face's own. */
function known(pair: Pair, truths: ReadonlyMap<string, Pair>): Pair {
  const truth = truths.get(keyOf(pair))
  if (truth === undefined || (pair.kind !== "inside" && pair.kind !== "outside")) return pair
  return { ...pair, kind: truth.kind, own: pair.kind }
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
