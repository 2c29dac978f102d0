import type { Health } from "./health.ts"
import type { RecipientDays } from "./recipient-days.ts"
import { sealPicture, type LaneReader, type Shot } from "./seal.ts"
import type { Fullness, Spool } from "./spool.ts"

export interface IntakeOptions {
  readonly spool: Spool
  readonly reader: LaneReader
  readonly recipients: RecipientDays
  readonly health: Health
  readonly clock: () => number
}

export type Taken =
  /** The capture is durable; its reader may forget it. */
  | { readonly kind: "taken"; readonly sequence: number }
  /** Nothing was taken; the reader keeps it, and offers it again. */
  | { readonly kind: "not-now"; readonly why: Fullness | "recipients" }

const day_ms = 86_400_000
/** The vault takes captures up to 14 days after their time; one day is for the way. */
const oldest_ms = 13 * day_ms
const skew_ms = 60_000
/** Larger than any header, stanza and event beside a picture. */
const margin_bytes = 72_000

/** From a picture in memory to ciphertext on the disk. What it did not take, it says; nothing is dropped. */
export class Intake {
  readonly #options: IntakeOptions

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /**
   * Takes one picture.
   * @param identity  what says that this picture, and no other, was taken.
   * @throws what stopped the spool.
   */
  async take(identity: string, shot: Shot): Promise<Taken> {
    const { spool, health, reader, recipients } = this.#options
    const known = spool.numberOf(identity)
    if (known !== null) return this.#repeated(known)
    const full = spool.fullFor(shot.picture.length + margin_bytes)
    if (full !== null) return this.#full(full)
    const dated = { ...shot, capturedAt_ms: this.#timeOf(shot.capturedAt_ms) }
    const recipient = recipients.at(dated.capturedAt_ms)
    if (recipient === null) {
      health.count("refused_recipients")
      recipients.check()
      return { kind: "not-now", why: "recipients" }
    }
    const sealed = await sealPicture(reader, dated, recipient)
    health.count("pictures_sealed")
    const put = await spool.put(identity, sequence => sealed.numbered(sequence))
    if (put.kind === "full") return this.#full(put.why)
    if (put.kind === "repeat") return this.#repeated(put.sequence)
    health.count("captures_spooled")
    health.clear("spool_full")
    return { kind: "taken", sequence: put.sequence }
  }

  /** The number that this was taken under, or `null`. */
  numberOf(identity: string): number | null {
    return this.#options.spool.numberOf(identity)
  }

  /** Whether a capture of that moment can be sealed, and would still be taken by the vault. */
  covers(time_ms: number): boolean {
    const now_ms = this.#options.clock()
    return time_ms >= now_ms - oldest_ms && this.#options.recipients.at(Math.min(time_ms, now_ms)) !== null
  }

  /**
   * The time under which it is sealed: its own, unless the vault could not take that, or it lies ahead of us. What the
   * reader said stays in the event.
   */
  #timeOf(told_ms: number): number {
    const now_ms = this.#options.clock()
    const isBelieved = this.covers(told_ms) && told_ms <= now_ms + skew_ms
    if (!isBelieved) this.#options.health.count("times_doubted")
    return isBelieved ? Math.min(told_ms, now_ms) : now_ms
  }

  #full(why: Fullness): Taken {
    this.#options.health.count("refused_full")
    this.#options.health.raise("spool_full", { why })
    return { kind: "not-now", why }
  }

  #repeated(sequence: number): Taken {
    this.#options.health.count("captures_repeated")
    return { kind: "taken", sequence }
  }
}
