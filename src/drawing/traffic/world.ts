import { chanceOf, type Chance } from "../chance.ts"

/** The drawn archive whose images drawn vendors ask for. Numbers of images, lane-days and lanes are ordinals, day by day. */
export const archive = {
  ports: 12,
  lanes: 8,
  /** Images of one lane on one day. */
  perCell: 320,
  /** Days that the archive reaches back before the first. */
  daysBack: 150,
  /** A Tuesday: 2031-01-07T00:00:00Z. */
  epoch_ms: 1_925_510_400_000,
  /** Ordinals without an image. */
  voids: 0.02,
  plates: 0.4,
  canaries: 0.01,
} as const

export const day_ms = 86_400_000
export const hour_ms = 3_600_000

export type Kind = "plate" | "face"
export const roles = ["service", "analyst", "tuning", "field"] as const
export type Role = (typeof roles)[number]

export interface DrawnOrganization {
  readonly organization: number
  readonly tier: "prime" | "sub"
  readonly parent: number | null
  readonly network: number
  /** How much work it gets, 1 being usual. */
  readonly rate: number
}

export interface DrawnPerson {
  readonly principal: number
  readonly organization: number
  readonly role: Role
  readonly device: number
  readonly network: number
  /** Hours that the person's clock is ahead of UTC. */
  readonly zone_h: number
  /** Share of sessions that begin at night. */
  readonly offHours: number
}

export interface World {
  readonly seed: string
  readonly days: number
  readonly organizations: readonly DrawnOrganization[]
  readonly people: readonly DrawnPerson[]
}

/** Two primes and four subcontractors with three to ten engineers each; the first of each is a service. */
export function drawWorld(seed: string, days: number): World {
  const chance = chanceOf(seed, "world")
  const organizations = Array.from({ length: 6 }, (_, organization): DrawnOrganization => {
    const isPrime = organization < 2
    return {
      organization,
      tier: isPrime ? "prime" : "sub",
      parent: isPrime ? null : organization % 2,
      network: 100 + organization,
      rate: chance.between(0.5, 1.6),
    }
  })
  const people: DrawnPerson[] = []
  for (const { organization, network } of organizations) {
    const count = 3 + chance.index(8)
    for (let nth = 0; nth < count; nth += 1) {
      const principal = people.length
      people.push({
        ...{ principal, organization, network, device: 1_000 + principal },
        role: nth === 0 ? "service" : (roles[1 + chance.index(3)] ?? "field"),
        zone_h: chance.index(3) - 1,
        offHours: chance.between(0.002, 0.06),
      })
    }
  }
  return { seed, days, organizations, people }
}

/** @param day  0 is the first; the archive begins `daysBack` before it. */
export function cellOf(day: number, port: number, lane: number): number {
  return ((day + archive.daysBack) * archive.ports + port) * archive.lanes + lane
}

export function dayOfCell(cell: number): number {
  return Math.floor(cell / (archive.ports * archive.lanes)) - archive.daysBack
}

export function portOfCell(cell: number): number {
  return Math.floor(cell / archive.lanes) % archive.ports
}

export function cellOfImage(image: number): number {
  return Math.floor(image / archive.perCell)
}

export function kindOf(image: number): Kind {
  return mixed(image, 1) < archive.plates ? "plate" : "face"
}

export function isThere(image: number): boolean {
  return mixed(image, 2) >= archive.voids
}

export function isCanary(image: number): boolean {
  return mixed(image, 3) < archive.canaries
}

export function sizeOf_bytes(image: number): number {
  return Math.floor(45_000 + 155_000 * mixed(image, 4))
}

/** A number at least 0 and below 1 that belongs to an image. Source: the finalizer of MurmurHash3. */
function mixed(image: number, salt: number): number {
  let x = Math.imul(image ^ Math.imul(salt, 0x9e3779b9), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return ((x ^ (x >>> 16)) >>> 0) / 4_294_967_296
}

/** An image that is there, of this kind if one is named, anywhere on the days before `day`, newest `span` of them. */
export function anyImage(chance: Chance, day: number, span: number = archive.daysBack): number {
  for (;;) {
    const back = chance.index(Math.max(1, Math.min(span, day + archive.daysBack)))
    const cell = cellOf(day - 1 - back, chance.index(archive.ports), chance.index(archive.lanes))
    const image = cell * archive.perCell + chance.index(archive.perCell)
    if (isThere(image)) return image
  }
}

/** A waiting time of this mean. */
export function wait(chance: Chance, mean: number): number {
  return -Math.log(1 - chance.between(0, 1)) * mean
}

/** exp of a normal number: this median, and `spread` for its logarithm's deviation. */
export function logNormal(chance: Chance, median: number, spread: number): number {
  let sum = -6
  for (let i = 0; i < 12; i += 1) sum += chance.between(0, 1)
  return median * Math.exp(spread * sum)
}
