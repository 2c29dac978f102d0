import { families, type AttackOptions, type Family } from "../src/drawing/traffic/attacks.ts"
import {
  drawHonest,
  usualTraffic,
  withAttack,
  type Traffic,
  type TrafficOptions,
} from "../src/drawing/traffic/traffic.ts"
import type { Model } from "../src/watch/model.ts"
import { Replay, type ReplayOptions } from "../src/watch/replay.ts"

/** One attack, replayed with nothing denied. */
export interface AttackRun {
  readonly family: Family
  readonly seed: string
  /** Distinct images of the attack, and those that left before whoever asked for them was suspended. */
  readonly tried: number
  readonly leaked: number
  /** Accounts that attacked, and those that were suspended in the end. */
  readonly attackers: number
  readonly suspended: number
  /** From the first image of the attack to the first suspension of an attacker; `null` where there was none. */
  readonly stopped_h: number | null
  /** Others of the organization who were suspended with it. */
  readonly others: number
}

/** Honest traffic, replayed. */
export interface HonestRun {
  readonly vendorDays: number
  readonly requests: number
  readonly stepUps: number
  readonly suspended: number
}

export interface Variant {
  readonly model: Model
  readonly orders: ReplayOptions["orders"]
  readonly traffic: Partial<TrafficOptions>
  readonly firstDay: number
  readonly account: AttackOptions["account"]
}

export function usual(model: Model): Variant {
  return { model, orders: "known", traffic: {}, firstDay: 30, account: "any" }
}

function fed(
  { world, orders, requests }: Traffic,
  { model, orders: known }: Variant,
  organization: number | null,
) {
  const replay = new Replay({ model, layers: "watch alone", orders: known })
  const isIn = (each: { readonly organization: number }) =>
    organization === null || each.organization === organization
  for (const person of world.people.filter(isIn))
    replay.person(person.principal, person.organization, person.zone_h)
  for (const order of orders.filter(isIn)) replay.order(order)
  for (const [seq, request] of requests.entries()) if (isIn(request)) replay.request(request, seq)
  return replay
}

export function honestRun(seed: string, variant: Variant): HonestRun {
  const traffic = drawHonest({ seed, ...usualTraffic, ...variant.traffic })
  const replay = fed(traffic, variant, null)
  const people = replay.people()
  return {
    vendorDays: replay.vendorDays,
    requests: traffic.requests.length,
    stepUps: people.reduce((sum, { stepUps }) => sum + stepUps, 0),
    suspended: people.filter(({ suspended_seq }) => suspended_seq !== null).length,
  }
}

/** All families on the honest traffic of one seed. Only the attacked organization is replayed: others do not see each other. */
export function attackRuns(
  seed: string,
  variant: Variant,
  only: readonly Family[] = families as readonly Family[],
): AttackRun[] {
  const base = drawHonest({ seed, ...usualTraffic, ...variant.traffic })
  return only.map(family =>
    attackRun(base, variant, { family, firstDay: variant.firstDay, account: variant.account }),
  )
}

function attackRun(base: Traffic, variant: Variant, options: AttackOptions): AttackRun {
  const traffic = withAttack(base, options)
  const attack = [...traffic.requests.entries()].filter(([, { isAttack }]) => isAttack)
  const organization = attack[0]?.[1].organization ?? 0
  const people = fed(traffic, variant, organization).people()
  const stopped = new Map(
    people.map(({ principal, suspended_seq }) => [principal, suspended_seq ?? Infinity]),
  )
  const left = attack.filter(
    ([seq, { principal, exists }]) => exists && seq < (stopped.get(principal) ?? Infinity),
  )
  const attackers = new Set(attack.map(([, { principal }]) => principal))
  const ends = [...attackers].map(principal => stopped.get(principal) ?? Infinity)
  const end = Math.min(...ends)
  const end_ms = end === Infinity ? null : (traffic.requests[end]?.at_ms ?? null)
  return {
    family: options.family,
    seed: traffic.world.seed,
    tried: distinct(attack),
    leaked: distinct(left),
    attackers: attackers.size,
    suspended: ends.filter(each => each < Infinity).length,
    stopped_h: end_ms === null ? null : Math.max(0, (end_ms - (attack[0]?.[1].at_ms ?? end_ms)) / 3_600_000),
    others: people.filter(each => !attackers.has(each.principal) && each.suspended_seq !== null).length,
  }
}

const distinct = (requests: readonly (readonly [number, { readonly image: number }])[]) =>
  new Set(requests.map(([, { image }]) => image)).size

/** The statistic of one person after each request: where an attacker is suspended, and somebody honest over as many. */
export function traceOf(
  base: Traffic,
  variant: Variant,
  family: Family | null,
): { at_ms: number; nats: number }[] {
  const traffic =
    family === null
      ? base
      : withAttack(base, { family, firstDay: variant.firstDay, account: variant.account })
  const attacker = traffic.requests.find(({ isAttack }) => isAttack)
  const organization = attacker?.organization ?? traffic.world.people[0]?.organization ?? 0
  const replay = new Replay({ model: variant.model, layers: "watch alone", orders: "known" })
  for (const order of traffic.orders) replay.order(order)
  const counts = new Map<number, number>()
  for (const request of base.requests) counts.set(request.principal, (counts.get(request.principal) ?? 0) + 1)
  const busy = [...counts].sort((a, b) => b[1] - a[1])
  const principal = attacker?.principal ?? busy[0]?.[0] ?? 0
  return traffic.requests.flatMap((request, seq) => {
    if (attacker !== undefined && request.organization !== organization) return []
    const { assessment } = replay.request(request, seq)
    return request.principal === principal
      ? [{ at_ms: request.at_ms, nats: assessment.evidence.person_micronats / 1e6 }]
      : []
  })
}
