import { Fault } from "./fault.ts"

/** Lets a bounded number through at a time; a bounded number waits; the rest is refused. */
export class Turnstile {
  readonly #limits: { readonly inside: number; readonly waiting: number }
  readonly #waiting: (() => void)[] = []
  #inside = 0

  constructor(limits: { readonly inside: number; readonly waiting: number }) {
    this.#limits = limits
  }

  /** @throws Fault BUSY when as many wait already as may. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.#limits.inside) {
      if (this.#waiting.length >= this.#limits.waiting)
        throw new Fault("BUSY", "too much is asked for at once; try again")
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    } else {
      this.#inside += 1
    }
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#inside -= 1
      else next()
    }
  }
}
