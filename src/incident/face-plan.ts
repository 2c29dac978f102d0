import { planOf } from "./adjudication.ts"
import { clustered, neighboursOf, usualDistance, type Clustered } from "./cluster.ts"
import type { Plan } from "./plan-shape.ts"
import { usualSeparation } from "./occupancy.ts"
import { sampleOf } from "./sampling-plan.ts"

/** From described faces to the pairs that people look at: groups, neighbours, and controls of known truth. */

/** A face whose likeness was described. */
export interface FaceSeen {
  /** `cap_…/n`: the n-th face of a capture, from 0. */
  readonly id: string
  readonly capture: string
  readonly port: string
  readonly lane: string
  /** `null` where the signed header is not at hand. */
  readonly crossing: string | null
  readonly at_ms: number | null
  /** Whether it is the only face that was found in its image. */
  readonly isAlone: boolean
}

export interface FacePlan {
  readonly plan: Plan
  /** Of pairs known to be one person's, in how many the other is among those that people would be shown. */
  readonly searched: { readonly found: number; readonly of: number }
}

/** Neighbours shown of a sampled face, and pairs of known truth mixed in. */
export const planned = { neighbours: 10, duplicates: 200, foils: 1_000, searched: 1_000 } as const

/** Beyond so many candidates for a control the rest is not looked at. */
const mostCandidates = 20_000

/**
 * Groups the faces, and draws a sample with its pairs. The same faces in the same order, descriptors and seed give the same.
 * @param descriptors  of each face, in their order. Costs what `clustered` does, and n distances for each sampled face.
 */
export function facePlan(
  faces: readonly FaceSeen[],
  descriptors: readonly Float32Array[],
  drawn: { readonly seed: string; readonly sample: number },
): FacePlan {
  const groups = clustered(descriptors, usualDistance)
  const at = new Map(faces.map(({ id }, i) => [id, i]))
  const idOf = (i: number) => (faces[i] as FaceSeen).id
  const named = (pairs: readonly Pair[]) => pairs.map(([a, b]) => [idOf(a), idOf(b)] as const)
  const duplicates = drawnFrom(`${drawn.seed} duplicates`, sameSeats(faces), planned.searched)
  const plan = planOf({
    ...drawn,
    clusterOf: new Map(faces.map(({ id }, i) => [id, groups.clusterOf[i] as number])),
    neighboursOf: face => neighboursOf(at.get(face) ?? 0, descriptors, groups, planned.neighbours).map(idOf),
    duplicates: named(duplicates.slice(0, planned.duplicates)),
    foils: named(likest(apart(faces), descriptors).slice(0, planned.foils)),
  })
  return { plan, searched: searchedFor(duplicates, descriptors, groups) }
}

type Pair = readonly [number, number]

/** Two pictures of one crossing with one face each: the same seat, as far as a crossing is one vehicle's or one walker's. */
function sameSeats(faces: readonly FaceSeen[]): Pair[] {
  const seats = new Map<string, number>()
  const pairs: Pair[] = []
  for (const [i, { crossing, capture, isAlone, lane }] of faces.entries()) {
    if (crossing === null || !isAlone) continue
    const name = `${lane} ${crossing}`
    const other = seats.get(name)
    if (other === undefined) seats.set(name, i)
    else if (faces[other]?.capture !== capture && pairs.length < mostCandidates) pairs.push([other, i])
  }
  return pairs
}

/** Two faces in one picture, or in two lanes of a port nearer in time than anybody gets from one to the other. */
function apart(faces: readonly FaceSeen[]): Pair[] {
  const within_ms = 1000 * (usualSeparation.otherLane_s - usualSeparation.clock_s)
  const timed = faces
    .map((face, i) => ({ ...face, i }))
    .sort((a, b) => order(a.port, b.port) || (a.at_ms ?? 0) - (b.at_ms ?? 0) || a.i - b.i)
  const pairs: Pair[] = []
  for (const [n, one] of timed.entries()) {
    for (let m = n + 1; m < timed.length && pairs.length < mostCandidates; m += 1) {
      const other = timed[m] as (typeof timed)[number]
      const isNear =
        other.port === one.port && (other.at_ms ?? Infinity) - (one.at_ms ?? -Infinity) < within_ms
      const isPicture = other.capture === one.capture
      if (!isNear && !isPicture) break
      if (isPicture || other.lane !== one.lane) pairs.push([one.i, other.i])
    }
  }
  return pairs
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Whoever looks is shown the likest of others; so the controls are the likest of those known to be two people. */
function likest(pairs: readonly Pair[], descriptors: readonly Float32Array[]): Pair[] {
  return pairs
    .map(([a, b]) => ({ pair: [a, b] as const, apart: squaredApart(descriptors, a, b) }))
    .sort((x, y) => x.apart - y.apart || x.pair[0] - y.pair[0] || x.pair[1] - y.pair[1])
    .map(({ pair }) => pair)
}

function squaredApart(descriptors: readonly Float32Array[], a: number, b: number): number {
  const [one, other] = [descriptors[a] as Float32Array, descriptors[b] as Float32Array]
  return one.reduce((sum, value, k) => sum + (value - (other[k] as number)) ** 2, 0)
}

function drawnFrom(seed: string, pairs: readonly Pair[], count: number): Pair[] {
  const byName = new Map(pairs.map(pair => [pair.join(" "), pair]))
  return sampleOf(seed, [...byName.keys()], count).flatMap(name => {
    const pair = byName.get(name)
    return pair === undefined ? [] : [pair]
  })
}

/** Whether the other is among the nearest neighbours, taken as if it were in another group. */
function searchedFor(
  pairs: readonly Pair[],
  descriptors: readonly Float32Array[],
  { clusterOf }: Clustered,
): FacePlan["searched"] {
  const found = pairs.filter(([a, b]) => {
    const limit = squaredApart(descriptors, a, b)
    let nearer = 0
    for (let i = 0; i < descriptors.length && nearer < planned.neighbours; i += 1)
      if (i !== b && clusterOf[i] !== clusterOf[a] && squaredApart(descriptors, a, i) < limit) nearer += 1
    return nearer < planned.neighbours
  })
  return { found: found.length, of: pairs.length }
}
