import type { LoggedRequest } from "../../watch/guard.ts"
import { chanceOf, type Chance } from "../chance.ts"
import { isWeekend, styles, type DrawnOrder } from "./orders.ts"
import {
  anyImage,
  archive,
  cellOfImage,
  day_ms,
  hour_ms,
  isThere,
  kindOf,
  portOfCell,
  wait,
  type DrawnPerson,
  type World,
} from "./world.ts"

/** A request with what is true of it, which no watch may see. */
export interface DrawnRequest extends LoggedRequest {
  readonly isAttack: boolean
  /** The type of work, `mistake`, or the family of attack. */
  readonly why: string
}

export interface WorkOptions {
  /** Probability that a request is a slip: an image that the work order does not name. */
  readonly slips: number
}

/** After a slip so often another one follows: a list that was sorted wrongly. */
const slipsAgain = 0.03
const slipsNearby = 0.05

/** The honest requests of one order. The streams are the order's own: what others do changes nothing. */
export function drawWork(world: World, order: DrawnOrder, { slips }: WorkOptions): DrawnRequest[] {
  const person = world.people[order.principal]
  if (person === undefined) return []
  const chance = chanceOf(world.seed, "work", order.stream)
  const mistakes = chanceOf(world.seed, "slips", order.stream)
  const { network, device } = placeOf(chance, person, order)
  const asked = (at_ms: number, image: number, why: string) =>
    requestFor(order, { at_ms, image, network, device, isAttack: false, why })
  const share = chance.between(0.72, 1)
  const due = order.plan.slice(0, Math.max(1, Math.round(order.plan.length * share)))
  const requests: DrawnRequest[] = []
  for (const { at_ms, images } of sessions(chance, { person, order, due })) {
    let now_ms = at_ms
    for (const image of images) {
      now_ms += chance.happens(0.012)
        ? wait(chance, 15 * 60_000)
        : wait(chance, styles[order.type].gap_s * 1_000)
      for (let odds = slips; mistakes.happens(odds); odds = slipsAgain) {
        const wrong = slip(mistakes, order, dayAt(now_ms))
        requests.push(asked(now_ms, wrong, "mistake"))
        now_ms += mistakes.happens(0.6) ? mistakes.between(20, 800) : wait(mistakes, 9_000)
      }
      requests.push(asked(now_ms, image, order.type))
    }
  }
  const end_ms = Math.min(order.close_ms, archive.epoch_ms + world.days * day_ms)
  return requests.filter(({ at_ms }) => at_ms < end_ms)
}

export const dayAt = (at_ms: number) => Math.floor((at_ms - archive.epoch_ms) / day_ms)

/** Whence the work of one order is done: mostly from the desk, on call from a new network, sometimes from a new device. */
function placeOf(
  chance: Chance,
  person: DrawnPerson,
  { type, wo }: DrawnOrder,
): { network: string; device: string } {
  const isTravel = type === "incident" ? chance.happens(0.5) : person.role === "field" && chance.happens(0.04)
  const isNewDevice = chance.happens(0.012)
  return {
    network: String(isTravel ? 2_000 + chance.index(400) : person.network),
    device: String(isNewDevice ? 50_000 + wo : person.device),
  }
}

interface Session {
  readonly at_ms: number
  readonly images: readonly number[]
}

/** The due images over one to four sessions on the order's days, each with its re-readings. */
function sessions(
  chance: Chance,
  { person, order, due }: { person: DrawnPerson; order: DrawnOrder; due: readonly number[] },
): Session[] {
  const first = dayAt(order.open_ms)
  const last = dayAt(order.close_ms - 1)
  const days = Array.from({ length: last - first + 1 }, (_, i) => first + i).filter(day => !isWeekend(day))
  const count = Math.max(1, Math.min(days.length, 1 + Math.floor(due.length / 60) + chance.index(2)))
  const size = Math.ceil(due.length / count)
  return Array.from({ length: count }, (_, nth) => {
    const day = days[Math.floor(((nth + chance.between(0, 1)) * days.length) / count)] ?? first
    const isNight = order.type === "incident" ? chance.happens(0.6) : chance.happens(person.offHours)
    const hour = isNight ? (20 + chance.between(0, 9)) % 24 : 8 + 8 * triangular(chance)
    const begins_ms = archive.epoch_ms + day * day_ms + Math.floor((hour - person.zone_h) * hour_ms)
    const at_ms = Math.max(order.open_ms, begins_ms)
    return {
      at_ms,
      images: withRereads(chance, due.slice(nth * size, (nth + 1) * size), styles[order.type].rereads),
    }
  })
}

const triangular = (chance: Chance) => (chance.between(0, 1) + chance.between(0, 1)) / 2

function withRereads(chance: Chance, images: readonly number[], rereads: number): number[] {
  const read: number[] = []
  for (const image of images) {
    read.push(image)
    while (chance.happens(rereads)) read.push(read[Math.max(0, read.length - 1 - chance.index(12))] ?? image)
  }
  return read
}

/** A wrong image: now and then beside the right ones, else anywhere. */
function slip(chance: Chance, order: DrawnOrder, day: number): number {
  if (!chance.happens(slipsNearby)) return anyImage(chance, day)
  for (;;) {
    const cell = order.cells[chance.index(order.cells.length)] ?? 0
    const image = cell * archive.perCell + chance.index(archive.perCell)
    if (isThere(image)) return image
  }
}

export interface Asked {
  readonly at_ms: number
  readonly image: number
  readonly network: string
  readonly device: string
  readonly isAttack: boolean
  readonly why: string
}

/** A request that names an order; `wo` may be overruled by who has none. */
export function requestFor(
  order: Pick<DrawnOrder, "organization" | "principal" | "purpose"> & { readonly wo: number | null },
  asked: Asked,
): DrawnRequest {
  const cell = cellOfImage(asked.image)
  // Written out: spreading costs more here than all the rest.
  return {
    at_ms: Math.floor(asked.at_ms),
    organization: order.organization,
    principal: order.principal,
    wo: order.wo,
    purpose: order.purpose,
    image: asked.image,
    cell,
    port: portOfCell(cell),
    place: asked.image % archive.perCell,
    kind: kindOf(asked.image),
    network: asked.network,
    device: asked.device,
    exists: isThere(asked.image),
    isAttack: asked.isAttack,
    why: asked.why,
  }
}
