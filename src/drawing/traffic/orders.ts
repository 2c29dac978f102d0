import type { WorkOrder } from "../../watch/guard.ts"
import { chanceOf, type Chance } from "../chance.ts"
import {
  anyImage,
  archive,
  cellOf,
  cellOfImage,
  day_ms,
  isThere,
  kindOf,
  logNormal,
  portOfCell,
  type DrawnPerson,
  type World,
} from "./world.ts"

/** What a work order is for. */
export const orderTypes = ["calib", "triage", "accept", "incident", "eval", "audit", "handover"] as const
export type OrderType = (typeof orderTypes)[number]

export interface DrawnOrder extends WorkOrder {
  readonly type: OrderType
  /** Names its run of chance: the same however many days are drawn. */
  readonly stream: string
  /** In the order in which the work goes; with no manifest, what the work will need of the lane-days. */
  readonly plan: readonly number[]
}

interface OrderStyle {
  readonly purpose: string
  /** Of a person's orders, and of a service's. */
  readonly share: number
  readonly serviceShare: number
  /** Mean seconds between two images. */
  readonly gap_s: number
  readonly rereads: number
}

/** How each type of work goes. Source: docs/watch.md, "The drawn traffic". */
export const styles: Readonly<Record<OrderType, OrderStyle>> = {
  calib: { purpose: "calibration", share: 0.36, serviceShare: 0.1, gap_s: 12, rereads: 0.25 },
  triage: { purpose: "misread-triage", share: 0.29, serviceShare: 0.06, gap_s: 25, rereads: 0.3 },
  accept: { purpose: "acceptance", share: 0.07, serviceShare: 0.04, gap_s: 6, rereads: 0.1 },
  incident: { purpose: "incident", share: 0.08, serviceShare: 0, gap_s: 8, rereads: 0.25 },
  eval: { purpose: "model-eval", share: 0, serviceShare: 0.7, gap_s: 0.4, rereads: 0.03 },
  audit: { purpose: "qa-audit", share: 0.12, serviceShare: 0.1, gap_s: 31, rereads: 0.22 },
  handover: { purpose: "calibration", share: 0.08, serviceShare: 0, gap_s: 12, rereads: 0.23 },
}

/** Orders a weekday. */
const ordersADay = 0.45
const serviceOrdersADay = 0.25
const monthEnd = 1.5
/** Of calibrations so many name lane-days and no list of images. */
const withoutManifest = 0.1

export interface OrderOptions {
  /** 1 is usual. */
  readonly rate: number
  /** Calibration is asked for under this purpose instead. */
  readonly purpose: string | null
}

/** The honest work orders of all people, numbered person by person. */
export function drawOrders(world: World, { rate, purpose }: OrderOptions): DrawnOrder[] {
  const orders: DrawnOrder[] = []
  for (const person of world.people) {
    const chance = chanceOf(world.seed, "orders", person.principal)
    const organization = world.organizations[person.organization]
    const usual = person.role === "service" ? serviceOrdersADay : ordersADay
    for (let day = 0; day < world.days; day += 1) {
      const isHoliday = chanceOf(world.seed, "holiday", day).happens(0.03)
      const season = day % 30 >= 27 ? monthEnd : 1
      const expected = isWeekend(day) || isHoliday ? 0 : usual * rate * season * (organization?.rate ?? 1)
      for (let i = 0, count = counted(chance, expected); i < count; i += 1) {
        const order = drawOrder(chance, person, {
          wo: orders.length,
          day,
          stream: `${person.principal} ${day} ${i}`,
        })
        orders.push(purpose !== null && order.purpose === "calibration" ? { ...order, purpose } : order)
      }
    }
  }
  return orders
}

/** A Tuesday is day 0. */
export function isWeekend(day: number): boolean {
  return (day + 1) % 7 >= 5
}

/** A Poisson number, at most 4. Source: Knuth, TAOCP 2, §3.4.1. */
function counted(chance: Chance, mean: number): number {
  const limit = Math.exp(-mean)
  let [count, product] = [0, chance.between(0, 1)]
  for (; product > limit && count < 4; product *= chance.between(0, 1)) count += 1
  return count
}

function drawOrder(
  chance: Chance,
  person: DrawnPerson,
  { wo, day, stream }: { wo: number; day: number; stream: string },
): DrawnOrder {
  const type = typeFor(chance, person)
  const kinds = kindsFor(chance, type)
  const wanted = { type, kinds, day }
  const { cells, plan } =
    type === "calib" || type === "handover" ? onLanes(chance, wanted) : elsewhere(chance, wanted)
  // Whoever writes the order guesses what the work will need.
  const need = Math.max(5, Math.round(plan.length * chance.between(0.85, 1.1)))
  const hasManifest = type !== "calib" || !chance.happens(withoutManifest)
  const open_ms = archive.epoch_ms + day * day_ms
  return {
    ...{
      wo,
      organization: person.organization,
      principal: person.principal,
      type,
      kinds,
      plan,
      need,
      cells,
      stream,
    },
    purpose: styles[type].purpose,
    budget: Math.ceil(1.25 * need),
    open_ms,
    close_ms: open_ms + (2 + chance.index(8)) * day_ms,
    manifest: hasManifest ? plan : [],
  }
}

function typeFor(chance: Chance, { role }: DrawnPerson): OrderType {
  let rest = chance.between(0, 1)
  for (const type of orderTypes) {
    rest -= role === "service" ? styles[type].serviceShare : styles[type].share
    if (rest < 0) return type
  }
  return "calib"
}

function kindsFor(chance: Chance, type: OrderType): "plate" | "both" {
  if (type === "triage") return "plate"
  return (type === "calib" || type === "handover") && chance.happens(0.62) ? "plate" : "both"
}

interface Wanted {
  readonly type: OrderType
  readonly kinds: "plate" | "both"
  readonly day: number
}

interface Planned {
  readonly cells: readonly number[]
  readonly plan: readonly number[]
}

const fits = (image: number, { kinds }: Wanted) =>
  isThere(image) && (kinds === "both" || kindOf(image) === kinds)

/** One or two lanes over one to three days, in small groups of neighbours. */
function onLanes(chance: Chance, wanted: Wanted): Planned {
  const port = chance.index(archive.ports)
  const lane = chance.index(archive.lanes)
  const lanes = chance.happens(0.5) ? [lane] : [lane, (lane + 1) % archive.lanes]
  const days = 1 + chance.index(3)
  const newest = wanted.day - 1 - chance.index(3)
  const cells = lanes.flatMap(each =>
    Array.from({ length: days }, (_, back) => cellOf(newest - back, port, each)),
  )
  const need = Math.min(400, Math.round(logNormal(chance, 78, 0.6)))
  const plan = new Set<number>()
  for (let tries = 0; plan.size < need && tries < 20 * need; tries += 1) {
    const cell = cells[chance.index(cells.length)] ?? 0
    const start = chance.index(archive.perCell)
    for (let i = 0; i < 1 + chance.index(3); i += 1) {
      const image = cell * archive.perCell + Math.min(archive.perCell - 1, start + i)
      if (fits(image, wanted) && plan.size < need) plan.add(image)
    }
  }
  return { cells, plan: [...plan] }
}

/** The other types: scattered over a port, over all, or one lane-day from its beginning. */
function elsewhere(chance: Chance, wanted: Wanted): Planned {
  const { type, day } = wanted
  const plan = new Set<number>()
  if (type === "accept" || type === "incident") {
    const cell = cellOf(day - 1 - chance.index(4), chance.index(archive.ports), chance.index(archive.lanes))
    const need =
      type === "accept" ? 150 + chance.index(151) : Math.min(200, Math.round(logNormal(chance, 75, 0.5)))
    let place = chance.index(40)
    while (plan.size < need && place < 2 * archive.perCell) {
      const image = cell * archive.perCell + (place % archive.perCell)
      place += type === "accept" || chance.happens(0.7) ? 1 : 1 + chance.index(12)
      if (fits(image, wanted)) plan.add(image)
    }
    return { cells: [cell], plan: [...plan] }
  }
  const need = scatteredNeed(chance, type)
  const port = chance.index(archive.ports)
  for (let tries = 0; plan.size < need && tries < 60 * need; tries += 1) {
    const image = anyImage(chance, day, type === "audit" ? 90 : type === "eval" ? 30 : 8)
    const isNear =
      type === "audit" || Math.abs(portOfCell(cellOfImage(image)) - port) <= (type === "eval" ? 1 : 0)
    if (isNear && fits(image, wanted)) plan.add(image)
  }
  return { cells: [...new Set([...plan].map(cellOfImage))], plan: [...plan] }
}

function scatteredNeed(chance: Chance, type: OrderType): number {
  if (type === "eval") return 120 + chance.index(281)
  if (type === "audit") return 8 + chance.index(33)
  return Math.min(160, 5 + Math.round(logNormal(chance, 18, 0.8)))
}
