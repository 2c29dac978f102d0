import { createHash } from "node:crypto"
import { fromBase64 } from "../bytes.ts"
import { Fault } from "../fault.ts"
import { RateLimit, type Rate } from "../rate.ts"
import { personKeys, type Caller } from "./caller.ts"
import { wanting } from "../ledger/ledger.ts"
import type { House } from "./house.ts"
import { refusedEntry } from "./propose.ts"

/** What one person asked beyond the rate in one window, after the refusal that opened it. */
interface Fold {
  readonly person: string
  count: number
  first_ms: number
  last_ms: number
  digest: Uint8Array
  readonly timer: NodeJS.Timeout
}

const window_ms = 60_000
const noncesHeld = 100_000

/**
 * Authenticated requests beyond a person's rate are refused before anything is decided. The first of a window has a
 * `refused` entry of its own; the others are counted, and one `refused.folded` entry says how many, from when to when, with
 * a digest of their signatures. A crash loses the count of at most one window, never the first refusal.
 */
export class Floods {
  readonly #house: House
  readonly #rates: RateLimit
  readonly #folds = new Map<string, Fold>()
  readonly #nonces = new Set<string>()

  constructor(house: House, rate: Rate) {
    this.#house = house
    this.#rates = new RateLimit(rate)
  }

  /**
   * Lets a request through whose signature holds.
   * @throws Fault RATE beyond the rate; REPLAY for a request that was here before, so that nobody is charged for what
   *         another sent again.
   */
  async pass(caller: Caller, isPaced = true): Promise<void> {
    const { nonce } = caller.asked
    if (this.#nonces.has(nonce))
      throw new Fault("REPLAY", "this signed request was used before; sign a new one")
    this.#nonces.add(nonce)
    if (this.#nonces.size > noncesHeld) this.#nonces.delete(this.#nonces.values().next().value ?? "")
    const { person } = caller.person
    if (!isPaced || this.#rates.take(person, performance.now())) return
    const held = this.#folds.get(person)
    if (held !== undefined) {
      this.#count(held, caller)
      throw new Fault("RATE", "more was asked than the rate allows; it is counted in the log", {
        notDone: "Nothing was decided.",
      })
    }
    const { entry } = await this.#open(caller)
    throw new Fault("RATE", "more was asked than the rate allows; what follows is counted in the log", {
      entry,
      notDone: "Nothing was decided.",
    })
  }

  /** Writes every count that is open. */
  async close(): Promise<void> {
    await Promise.all([...this.#folds.keys()].map(person => this.#write(person)))
  }

  async #open(caller: Caller): Promise<{ readonly entry: number }> {
    const { person } = caller.person
    const timer = setTimeout(() => void this.#write(person).catch(() => undefined), window_ms)
    timer.unref()
    this.#folds.set(person, { person, count: 0, first_ms: 0, last_ms: 0, digest: new Uint8Array(32), timer })
    const refused = refusedEntry({ of: "rate", code: "RATE", person, asked: caller.asked })
    const wanted = wanting({ records: await personKeys(this.#house, person) })
    return { entry: (await this.#house.log.append({ wanted, draft: () => refused })).index }
  }

  #count(fold: Fold, { asked }: Caller): void {
    const now_ms = this.#house.log.clock()
    if (fold.count === 0) fold.first_ms = now_ms
    fold.count += 1
    fold.last_ms = Math.max(fold.first_ms, now_ms)
    fold.digest = createHash("sha256")
      .update(fold.digest)
      .update(fromBase64(asked.signature) ?? "")
      .digest()
  }

  async #write(person: string): Promise<void> {
    const fold = this.#folds.get(person)
    if (fold === undefined) return
    clearTimeout(fold.timer)
    this.#folds.delete(person)
    if (fold.count === 0) return
    await this.#house.log.append({
      wanted: wanting({}),
      draft: () => ({
        entry: {
          kind: "refused.folded",
          code: "RATE",
          person,
          count: fold.count,
          first_at: new Date(fold.first_ms).toISOString(),
          last_at: new Date(fold.last_ms).toISOString(),
          signatures_sha256: Buffer.from(fold.digest).toString("hex"),
        },
      }),
    })
  }
}
