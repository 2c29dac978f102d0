/** How long to wait before the next try: from `least_ms`, doubled at each failure, never over `most_ms`. */
export interface PaceOptions {
  readonly least_ms: number
  readonly most_ms: number
  /** 0 ≤ random() < 1. */
  readonly random: () => number
}

/** Waits that grow while the other side is away and are forgotten when it answers. */
export class Pace {
  readonly #options: PaceOptions
  #failures = 0

  constructor(options: PaceOptions) {
    this.#options = options
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures
  }

  succeeded(): void {
    this.#failures = 0
  }

  /**
   * The wait after one more failure, ms: between half and all of the doubled one, so that the lanes of a port that lost their
   * vault at one moment do not return at one moment. What the vault asks for counts, but not over the longest wait.
   */
  failed(retryAfter_s: number): number {
    const { least_ms, most_ms, random } = this.#options
    const doubled_ms = Math.min(most_ms, least_ms * 2 ** Math.min(this.#failures, 30))
    this.#failures += 1
    return Math.min(most_ms, Math.max(retryAfter_s * 1000, doubled_ms * (0.5 + random() / 2)))
  }
}
