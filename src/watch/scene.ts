import { fingerprint } from "./fingerprint.ts"
import { Guard, type Denial, type LoggedRequest, type WorkOrder } from "./guard.ts"
import type { WatchedRequest } from "./symbols.ts"

const hour_ms = 3_600_000
const mostNames = 8_192

/**
 * What the watch is told of a logged request besides the request: how it lies to its work order, whether the image is held,
 * the person's own hour. `unknown`: the log has no work orders, as those of object stores.
 */
export class Scene {
  readonly #orders: "known" | "unknown"
  readonly #guard = new Guard()
  readonly #zones_h = new Map<number, number>()
  readonly #names = new Map<string, number>()

  constructor(orders: "known" | "unknown") {
    this.#orders = orders
  }

  order(order: WorkOrder): void {
    this.#guard.add(order)
  }

  /** @param zone_h  hours that the person's clock is ahead of UTC. */
  person(principal: number, zone_h: number): void {
    this.#zones_h.set(principal, zone_h)
  }

  /** The request as the watch sees it. Constant cost. */
  watched(request: LoggedRequest): WatchedRequest {
    const { principal, at_ms, wo, image } = request
    const local_h = Math.floor(at_ms / hour_ms) + (this.#zones_h.get(principal) ?? 0)
    const [hour, day] = [remainder(local_h, 24), remainder(Math.floor(local_h / 24), 7)]
    const { scope, isOtherKind, isHeld } = this.#guard.lie(request)
    const isKnown = this.#orders === "known"
    return {
      at_ms,
      // 1 January 1970 was a Thursday.
      isOffHours: hour < 6 || hour >= 20 || day === 2 || day === 3,
      purpose: isKnown ? request.purpose : "",
      ticket: isKnown && wo !== null ? wo + 1 : 0,
      scope: isKnown ? scope : "unknown",
      isOtherKind,
      isHeld,
      image: image + 1,
      cell: request.cell + 1,
      port: request.port + 1,
      place: request.place,
      network: this.#nameOf(request.network),
      device: this.#nameOf(request.device),
    }
  }

  /** Why the hard layer denies it, or `null`; in a log without work orders it cannot say. */
  denial(request: LoggedRequest): Denial | null {
    return this.#orders === "known" ? this.#guard.denial(request) : null
  }

  /** The image is given: he holds it from now on. */
  give(request: LoggedRequest): void {
    this.#guard.give(request)
  }

  /** Charges the budgets of day and month. */
  charge(request: LoggedRequest): void {
    this.#guard.charge(request)
  }

  /** Remembered, since hashing a name costs more than judging the request. */
  #nameOf(name: string): number {
    const held = this.#names.get(name)
    if (held !== undefined) return held
    const number = fingerprint(name)
    if (this.#names.size < mostNames) this.#names.set(name, number)
    return number
  }
}

const remainder = (value: number, by: number) => ((value % by) + by) % by
