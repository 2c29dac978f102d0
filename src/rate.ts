/** So many a second, and so many at once after a rest. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

interface Bucket {
  tokens: number
  at_ms: number
}

const maxBuckets = 10_000

/** A token bucket for each name; a name that rested is forgotten. */
export class RateLimit {
  readonly #rate: Rate
  readonly #buckets = new Map<string, Bucket>()

  constructor(rate: Rate) {
    this.#rate = rate
  }

  /** Whether `name` may pass now; takes a token if so. @param now_ms  of a clock that does not go back. */
  take(name: string, now_ms: number): boolean {
    const { perSecond, burst } = this.#rate
    const held = this.#buckets.get(name) ?? { tokens: burst, at_ms: now_ms }
    const rested_s = Math.max(0, now_ms - held.at_ms) / 1000
    const tokens = Math.min(burst, held.tokens + rested_s * perSecond)
    const passes = tokens >= 1
    // Taken out and put back, so that the map is in the order of last use.
    this.#buckets.delete(name)
    this.#buckets.set(name, { tokens: passes ? tokens - 1 : tokens, at_ms: now_ms })
    if (this.#buckets.size > maxBuckets) this.#forget()
    return passes
  }

  /** The longest unused go. One who is refused now was just used, and stays. */
  #forget(): void {
    for (const name of this.#buckets.keys()) {
      if (this.#buckets.size <= maxBuckets) return
      this.#buckets.delete(name)
    }
  }
}
