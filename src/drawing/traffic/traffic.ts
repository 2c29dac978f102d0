import { drawAttack, type AttackOptions, type Family } from "./attacks.ts"
import { drawOrders, type DrawnOrder } from "./orders.ts"
import { drawWork, type DrawnRequest } from "./work.ts"
import { archive, dayOfCell, drawWorld, isCanary, sizeOf_bytes, type Role, type World } from "./world.ts"

export interface TrafficOptions {
  readonly seed: string
  readonly days: number
  /** 0.003 is usual. */
  readonly slips: number
  /** Work orders, 1 being usual. */
  readonly rate: number
  /** Calibration is asked for under this purpose instead, or `null`. */
  readonly purpose: string | null
}

export const usualTraffic = { days: 90, slips: 0.003, rate: 1, purpose: null } as const

/** Drawn traffic of vendors to a vault: who, under which orders, in the order of time. */
export interface Traffic {
  readonly world: World
  readonly orders: readonly DrawnOrder[]
  readonly requests: readonly DrawnRequest[]
}

/** Traffic without any attack. Costs about 2 µs a request. */
export function drawHonest({ seed, days, slips, rate, purpose }: TrafficOptions): Traffic {
  const world = drawWorld(seed, days)
  const orders = drawOrders(world, { rate, purpose })
  const requests = orders.flatMap(order => drawWork(world, order, { slips })).sort(byTime)
  return { world, orders, requests }
}

/** The same traffic with an attack of this family: what honest people ask for is the very same. */
export function withAttack({ world, orders, requests }: Traffic, options: AttackOptions): Traffic {
  const attack = drawAttack(world, orders, options)
  return { world, orders, requests: [...requests, ...attack].sort(byTime) }
}

function byTime(a: DrawnRequest, b: DrawnRequest): number {
  return a.at_ms - b.at_ms || a.principal - b.principal || a.image - b.image
}

/** The lines of a log of requests (docs/formats/watch.md), the truth in `gt`. */
export function* linesOf({ world, orders, requests }: Traffic, family: Family | "honest"): Generator<string> {
  const attacks = requests.filter(({ isAttack }) => isAttack).length
  const { ports, lanes, perCell, epoch_ms: epoch } = archive
  yield JSON.stringify({
    ...{ k: "meta", version: 1, seed: world.seed, days: world.days, family, ports, lanes, perCell, epoch },
    ...{ orgs: world.organizations.length, principals: world.people.length },
    ...{ workOrders: orders.length, requests: requests.length, attacks },
  })
  for (const { organization, tier, parent, network } of world.organizations)
    yield JSON.stringify({
      k: "org",
      org: organization,
      tier,
      parent,
      contractEnd: world.days + 400,
      homeNet: network,
    })
  for (const { principal, organization, role, device, network, zone_h } of world.people)
    yield JSON.stringify({
      k: "principal",
      principal,
      org: organization,
      role,
      device,
      net: network,
      tz: zone_h,
    })
  for (const order of orders) yield orderLine(order)
  for (const [seq, request] of requests.entries())
    yield requestLine(request, world.people[request.principal]?.role ?? "field", seq)
}

function orderLine(order: DrawnOrder): string {
  const { wo, organization, principal, purpose, type, kinds, need, budget, open_ms, close_ms } = order
  const { cells, manifest } = order
  return JSON.stringify({
    ...{ k: "wo", wo, org: organization, principal, purpose, type, kinds, need, budget },
    ...{ open: open_ms, close: close_ms, cells, manifest },
  })
}

function requestLine(request: DrawnRequest, role: Role, seq: number): string {
  const { at_ms, organization, principal, wo, purpose, image, cell, port, kind, exists, isAttack, why } =
    request
  return JSON.stringify({
    ...{ k: "req", t: at_ms, org: organization, principal, role, wo: wo ?? -1, purpose, image, port },
    ...{ lane: cell % archive.lanes, capDay: dayOfCell(cell), kind, bytes: sizeOf_bytes(image) },
    ...{ net: Number(request.network), device: Number(request.device), exists, canary: isCanary(image) },
    ...{ gt: isAttack ? { a: 1, family: why } : { a: 0, why }, seq },
  })
}
