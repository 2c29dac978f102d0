import type { Scope } from "./symbols.ts"

/**
 * The hard layer as a log of requests can be judged by it: what would be denied whatever the watch thinks, and how each request
 * lies to its work order. The vault's own is `grant/decide`; this one knows work orders by image or by lane-day.
 */

/** A work order: as `wo` lines of a log have it. */
export interface WorkOrder {
  readonly wo: number
  readonly organization: number
  readonly principal: number
  readonly purpose: string
  /** `both`, or the one kind. */
  readonly kinds: string
  readonly need: number
  readonly budget: number
  readonly open_ms: number
  readonly close_ms: number
  /** Lane-days; all of their images where there is no manifest. */
  readonly cells: readonly number[]
  readonly manifest: readonly number[]
}

/** A request, as `req` lines have it but for the truth. */
export interface LoggedRequest {
  readonly at_ms: number
  readonly organization: number
  readonly principal: number
  readonly wo: number | null
  readonly purpose: string
  readonly image: number
  readonly cell: number
  readonly port: number
  readonly place: number
  readonly kind: string
  readonly network: string
  readonly device: string
  /** Whether there is such an image; nobody who asks is told in advance. */
  readonly exists: boolean
}

/** Distinct images that each may be given. Source: docs/operate/grants.md has the vault's own. */
export const limits = {
  principalDay: 400,
  organizationDay: 1_500,
  organizationDays: 6_000,
  days: 30,
  vaultDay: 20_000,
} as const

export type Denial =
  | "no image"
  | "no work order"
  | "another's work order"
  | "not open"
  | "purpose"
  | "outside"
  | "kind"
  | "budget"
  | "person's day"
  | "organization's day"
  | "organization's 30 days"
  | "vault's day"

/** How a request lies to its work order, before it is charged. */
export interface Lie {
  readonly scope: Scope
  readonly isOtherKind: boolean
  /** Whether he was given this image under this work order before. */
  readonly isHeld: boolean
}

interface Order extends WorkOrder {
  readonly images: ReadonlySet<number>
  readonly lanes: ReadonlySet<number>
  /** What was given under it, in scope or not. */
  readonly given: Set<number>
  /** Distinct images of its own that were given. */
  used: number
}

const day_ms = 86_400_000

export class Guard {
  readonly #orders = new Map<number, Order>()
  /** Orders of an organization by image of a manifest, and by lane-day where there is none. */
  readonly #byImage = new Map<string, Order[]>()
  /** Distinct images of a day: of a person, an organization, and all. */
  readonly #days = new Map<string, Set<number>>()
  readonly #loose = new Map<number, Set<number>>()

  add(order: WorkOrder): void {
    const whole: Order = {
      ...order,
      images: new Set(order.manifest),
      lanes: new Set(order.cells),
      given: new Set(),
      used: 0,
    }
    this.#orders.set(order.wo, whole)
    const names = order.manifest.length > 0 ? order.manifest : order.cells.map(cell => `cell ${cell}`)
    for (const name of names) {
      const key = `${order.organization}/${name}`
      const held = this.#byImage.get(key)
      if (held === undefined) this.#byImage.set(key, [whole])
      else held.push(whole)
    }
  }

  /** How the request lies to its work order. Constant cost. */
  lie(request: LoggedRequest): Lie {
    const order = this.#orderOf(request)
    const live = order !== undefined && isLiveFor(order, request) ? order : undefined
    const given = order?.given ?? this.#loose.get(request.principal)
    return {
      scope: this.#scopeOf(live, request),
      isOtherKind: live !== undefined && live.kinds !== "both" && live.kinds !== request.kind,
      isHeld: given?.has(request.image) === true,
    }
  }

  /** Why the hard layer denies the request, or `null`. */
  denial(request: LoggedRequest): Denial | null {
    const order = this.#orderOf(request)
    return denialTable.find(({ denies }) => denies(order, request, this))?.deny ?? null
  }

  #orderOf({ wo }: LoggedRequest): Order | undefined {
    return wo === null ? undefined : this.#orders.get(wo)
  }

  #scopeOf(live: Order | undefined, request: LoggedRequest): Scope {
    if (!request.exists) return "outside"
    if (live !== undefined && isInside(live, request)) return live.used < live.need ? "within" : "over need"
    if (live?.lanes.has(request.cell) === true) return "beside"
    const others = [
      ...(this.#byImage.get(`${request.organization}/${request.image}`) ?? []),
      ...(this.#byImage.get(`${request.organization}/cell ${request.cell}`) ?? []),
    ]
    return others.some(other => isOpen(other, request.at_ms)) ? "another's" : "outside"
  }

  /** The image is given: he holds it from now on. */
  give(request: LoggedRequest): void {
    const order = this.#orderOf(request)
    if (order === undefined) add(this.#loose, request.principal, request.image)
    else if (!order.given.has(request.image)) {
      order.given.add(request.image)
      if (isInside(order, request)) order.used += 1
    }
  }

  /** Charges the day's and month's budgets. */
  charge(request: LoggedRequest): void {
    for (const name of dayNames(request)) add(this.#days, name, request.image)
  }

  /** Distinct images of a day, this one apart. */
  used(name: string, image: number): number {
    const day = this.#days.get(name)
    return day === undefined ? 0 : day.size - (day.has(image) ? 1 : 0)
  }

  /** Distinct images of the organization's last days, this one apart; where their sum cannot reach `most`, that sum. */
  usedIn(request: LoggedRequest, most: number): number {
    const today = dayOf(request)
    const days = Array.from({ length: limits.days }, (_, back) =>
      this.#days.get(`o ${request.organization} ${today - back}`),
    )
    const sum = days.reduce((all, day) => all + (day?.size ?? 0), 0)
    if (sum < most) return sum
    const images = new Set(days.flatMap(day => [...(day ?? [])]))
    return images.size - (images.has(request.image) ? 1 : 0)
  }
}

function add<K>(map: Map<K, Set<number>>, key: K, image: number): void {
  const held = map.get(key)
  if (held === undefined) map.set(key, new Set([image]))
  else held.add(image)
}

const dayOf = ({ at_ms }: LoggedRequest) => Math.floor(at_ms / day_ms)

function dayNames(request: LoggedRequest): [person: string, organization: string, vault: string] {
  const day = dayOf(request)
  return [`p ${request.principal} ${day}`, `o ${request.organization} ${day}`, `v ${day}`]
}

const isOpen = (order: WorkOrder, at_ms: number) => order.open_ms <= at_ms && at_ms < order.close_ms

const isLiveFor = (order: Order, request: LoggedRequest) =>
  isOpen(order, request.at_ms) && order.principal === request.principal

function isInside(order: Order, { image, cell }: LoggedRequest): boolean {
  return order.images.size > 0 ? order.images.has(image) : order.lanes.has(cell)
}

type Denies = (order: Order | undefined, request: LoggedRequest, guard: Guard) => boolean

/** What the hard layer denies, in the order judged. */
export const denialTable: readonly { readonly deny: Denial; readonly denies: Denies }[] = [
  { deny: "no image", denies: (_order, { exists }) => !exists },
  { deny: "no work order", denies: order => order === undefined },
  { deny: "another's work order", denies: (order, { principal }) => order?.principal !== principal },
  { deny: "not open", denies: (order, { at_ms }) => order !== undefined && !isOpen(order, at_ms) },
  { deny: "purpose", denies: (order, { purpose }) => order?.purpose !== purpose },
  { deny: "outside", denies: (order, request) => order !== undefined && !isInside(order, request) },
  {
    deny: "kind",
    denies: (order, { kind }) => order !== undefined && order.kinds !== "both" && order.kinds !== kind,
  },
  {
    deny: "budget",
    denies: (order, { image }) =>
      order !== undefined && !order.given.has(image) && order.given.size >= order.budget,
  },
  {
    deny: "person's day",
    denies: (_order, request, guard) =>
      guard.used(dayNames(request)[0], request.image) >= limits.principalDay,
  },
  {
    deny: "organization's day",
    denies: (_order, request, guard) =>
      guard.used(dayNames(request)[1], request.image) >= limits.organizationDay,
  },
  {
    deny: "organization's 30 days",
    denies: (_order, request, guard) =>
      guard.usedIn(request, limits.organizationDays) >= limits.organizationDays,
  },
  {
    deny: "vault's day",
    denies: (_order, request, guard) => guard.used(dayNames(request)[2], request.image) >= limits.vaultDay,
  },
]
