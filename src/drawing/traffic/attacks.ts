import { chanceOf, type Chance } from "../chance.ts"
import type { DrawnOrder } from "./orders.ts"
import { dayAt, requestFor, type DrawnRequest } from "./work.ts"
import {
  anyImage,
  archive,
  cellOf,
  cellOfImage,
  day_ms,
  hour_ms,
  isCanary,
  isThere,
  kindOf,
  wait,
  type DrawnPerson,
  type World,
} from "./world.ts"

/** The ways in which a subcontractor's people take what they should not. */
export const families = [
  ...["smash", "visits2019", "slow50", "drip", "enumerate", "breadth", "offpurpose", "collude"],
  ...["canarywalk", "stale", "newnet", "mimic", "ramp", "target", "returning"],
] as const
export type Family =
  | ("smash" | "visits2019" | "slow50" | "drip" | "enumerate" | "breadth" | "offpurpose" | "collude")
  | ("canarywalk" | "stale" | "newnet" | "mimic" | "ramp" | "target" | "returning")

export interface AttackOptions {
  readonly family: Family
  /** The day on which it begins: 30 is usual. */
  readonly firstDay: number
  /** Whose account it is: drawn, or that with most work orders, whose work covers most. */
  readonly account: "any" | "busiest"
}

/** What an attacker works with: his account, his orders, his run of chance. */
interface Raid {
  readonly world: World
  readonly family: Family
  readonly firstDay: number
  readonly chance: Chance
  /** The accounts of the attacking organization that have work, in the order in which they are used. */
  readonly accounts: readonly DrawnPerson[]
  readonly attacker: DrawnPerson
  readonly orders: readonly DrawnOrder[]
}

type Plan = (raid: Raid) => DrawnRequest[]

export function drawAttack(
  world: World,
  orders: readonly DrawnOrder[],
  { family, firstDay, account }: AttackOptions,
): DrawnRequest[] {
  const chance = chanceOf(world.seed, "attack", family)
  const subs = world.organizations.filter(each => each.tier === "sub")
  const { organization } = subs[chance.index(subs.length)] ?? { organization: 2 }
  const drawn = shuffled(
    chance,
    world.people.filter(
      person =>
        person.organization === organization &&
        person.role !== "service" &&
        orders.some(order => order.principal === person.principal),
    ),
  )
  const busy = ({ principal }: DrawnPerson) => orders.filter(order => order.principal === principal).length
  const accounts = account === "any" ? drawn : drawn.sort((a, b) => busy(b) - busy(a))
  const [attacker] = accounts
  if (attacker === undefined) return []
  const own = orders.filter(order => order.organization === organization)
  const end_ms = archive.epoch_ms + world.days * day_ms
  return plans[family]({ world, family, firstDay, chance, accounts, attacker, orders: own }).filter(
    ({ at_ms }) => at_ms < end_ms,
  )
}

/** Source: Fisher and Yates; Knuth, TAOCP 2, §3.4.2, algorithm P. */
function shuffled<T>(chance: Chance, list: readonly T[]): T[] {
  const left = [...list]
  return list.map(() => left.splice(chance.index(left.length), 1)[0] as T)
}

/** Days of the attack. */
function days({ world, firstDay }: Raid, every = 1): number[] {
  const all = Array.from({ length: Math.max(0, world.days - firstDay) }, (_, i) => firstDay + i)
  return all.filter((_, i) => i % every === 0)
}

interface Grab {
  readonly person: DrawnPerson
  readonly day: number
  /** Local hour at which it begins. */
  readonly hour: number
  readonly gap_s: number
  readonly images: Iterable<number>
  readonly network?: number
  readonly device?: number
}

/** Images one after the other, each under a live order of the person's if there is one, else under none. */
function grab(raid: Raid, of: Grab): DrawnRequest[] {
  const { chance, family } = raid
  const { person, day, hour, gap_s, images } = of
  let at_ms = archive.epoch_ms + day * day_ms + (hour - person.zone_h) * hour_ms
  const asked: DrawnRequest[] = []
  for (const image of images) {
    at_ms += wait(chance, gap_s * 1_000)
    const order = liveOrder(raid, person, at_ms)
    const network = String(of.network ?? person.network)
    const device = String(of.device ?? person.device)
    asked.push(requestFor(order, { at_ms, image, network, device, isAttack: true, why: family }))
  }
  return asked
}

function liveOrder({ orders }: Raid, { principal, organization }: DrawnPerson, at_ms: number) {
  const live = orders.find(
    order => order.principal === principal && order.open_ms <= at_ms && at_ms < order.close_ms,
  )
  return live ?? { organization, principal, wo: null, purpose: "calibration" }
}

const workHour = (chance: Chance) => 9 + chance.between(0, 7)

/** So many images a day, at the pace of work. */
function daily(raid: Raid, person: DrawnPerson, count: (nth: number) => number, every = 1): DrawnRequest[] {
  const { chance } = raid
  return days(raid, every).flatMap((day, nth) => {
    const images = Array.from({ length: count(nth) }, () => anyImage(chance, day))
    return grab(raid, { person, day, hour: workHour(chance), gap_s: 25, images })
  })
}

function* sequential(from: number, count: number): Generator<number> {
  for (let image = from; image < from + count; image += 1) yield image
}

const night = 22

const plans: Readonly<Record<Family, Plan>> = {
  smash: raid => {
    const { attacker: person, chance, firstDay } = raid
    const images = Array.from({ length: 20_000 }, () => anyImage(chance, firstDay))
    return grab(raid, { person, day: firstDay, hour: night, gap_s: 0.25, images })
  },
  visits2019: raid =>
    [0, 9, 18, 27, 36].flatMap(after => {
      const { attacker: person, chance, firstDay } = raid
      const day = firstDay + after
      const from = cellOf(day - 60, chance.index(archive.ports), 0) * archive.perCell
      const images = sequential(from, 3_000 + chance.index(9_001))
      return grab(raid, { person, day, hour: workHour(chance), gap_s: 0.6, images })
    }),
  slow50: raid => daily(raid, raid.attacker, () => 50),
  drip: raid => daily(raid, raid.attacker, () => 4 + raid.chance.index(5)),
  enumerate: raid => {
    const { attacker: person, chance, firstDay } = raid
    const from = cellOf(chance.index(firstDay), chance.index(archive.ports), 0) * archive.perCell
    return grab(raid, { person, day: firstDay, hour: night, gap_s: 1.2, images: sequential(from, 8_000) })
  },
  breadth: raid => {
    const { attacker: person, chance } = raid
    let cell = cellOf(-90, 0, 0)
    return days(raid).flatMap(day => {
      const images = Array.from({ length: 40 }, () => inCell(chance, (cell += 1)))
      return grab(raid, { person, day, hour: workHour(chance), gap_s: 20, images })
    })
  },
  offpurpose: raid => {
    const { attacker: person, chance, orders, firstDay } = raid
    const own = orders.filter(
      order =>
        order.principal === person.principal && order.kinds === "plate" && dayAt(order.open_ms) >= firstDay,
    )
    return own.flatMap(order => {
      const images = Array.from({ length: 30 }, () => {
        const cell = order.cells[chance.index(order.cells.length)] ?? 0
        return ofKind(chance, cell, "face")
      })
      return underOrder(raid, order, { images, gap_s: 14 })
    })
  },
  collude: raid => raid.accounts.flatMap(person => daily(raid, person, () => 10)),
  canarywalk: raid => {
    const { attacker: person, chance } = raid
    return days(raid).flatMap(day => {
      const images = Array.from({ length: 15 }, (_, i) => {
        let image = anyImage(chance, day)
        while (i % 5 === 0 && !isCanary(image)) image = anyImage(chance, day)
        return image
      })
      return grab(raid, { person, day, hour: workHour(chance), gap_s: 30, images })
    })
  },
  stale: raid => {
    const { attacker: person, chance, orders } = raid
    return days(raid).flatMap(day => {
      const at_ms = archive.epoch_ms + day * day_ms
      const closed = orders.filter(order => order.principal === person.principal && order.close_ms <= at_ms)
      const order = closed[chance.index(Math.max(1, closed.length))]
      if (order === undefined) return []
      const images = Array.from({ length: 25 }, () =>
        inCell(chance, order.cells[chance.index(order.cells.length)] ?? 0),
      )
      const asked = grab(raid, { person, day, hour: workHour(chance), gap_s: 15, images })
      return asked.map(request => ({ ...request, wo: order.wo, purpose: order.purpose }))
    })
  },
  newnet: raid => {
    const { attacker: person, chance } = raid
    return days(raid).flatMap(day => {
      const images = Array.from({ length: 120 }, () => anyImage(chance, day))
      return grab(raid, { person, day, hour: 1.5, gap_s: 6, images, network: 9_001, device: 99_001 })
    })
  },
  mimic: raid => {
    const { attacker: person, chance, orders, firstDay } = raid
    const own = orders.filter(
      order => order.principal === person.principal && dayAt(order.open_ms) >= firstDay,
    )
    return own.flatMap(order => {
      const images = Array.from({ length: Math.round(0.8 * order.need) }, () => {
        const cell = order.cells[chance.index(order.cells.length)] ?? 0
        return order.kinds === "plate" ? ofKind(chance, cell, "plate") : inCell(chance, cell)
      })
      return underOrder(raid, order, { images, gap_s: 12 })
    })
  },
  ramp: raid => daily(raid, raid.attacker, nth => Math.round(3 * 1.03 ** nth)),
  target: raid => daily(raid, raid.attacker, () => 1 + raid.chance.index(4), 3),
  returning: raid => {
    const { accounts, chance } = raid
    return accounts.slice(0, 4).flatMap((person, turn) =>
      days(raid)
        .slice(15 * turn, 15 * (turn + 1))
        .flatMap(day => {
          const images = Array.from({ length: 60 }, () => anyImage(chance, day))
          return grab(raid, { person, day, hour: workHour(chance), gap_s: 18, images })
        }),
    )
  },
}

function underOrder(
  raid: Raid,
  order: DrawnOrder,
  of: { images: readonly number[]; gap_s: number },
): DrawnRequest[] {
  const { chance, attacker: person } = raid
  const day = dayAt(order.open_ms) + chance.index(2)
  const asked = grab(raid, { person, day, hour: workHour(chance), ...of })
  return asked.map(request => ({ ...request, wo: order.wo, purpose: order.purpose }))
}

function inCell(chance: Chance, cell: number): number {
  for (;;) {
    const image = cell * archive.perCell + chance.index(archive.perCell)
    if (isThere(image)) return image
  }
}

function ofKind(chance: Chance, cell: number, kind: "plate" | "face"): number {
  for (;;) {
    const image = inCell(chance, cell)
    if (kindOf(image) === kind && cellOfImage(image) === cell) return image
  }
}
