import { Fault } from "../fault.ts"
import { destroyDays } from "./days.ts"
import { examine } from "./examine.ts"
import type { House } from "./house.ts"

export interface Examiner {
  /** Ends when what is under way is done. */
  close(): Promise<void>
}

export interface ExaminerOptions {
  /** Captures that are examined at the same time. */
  readonly atOnce: number
  /** Hears of a capture that could not be examined. */
  readonly told: (captureId: string, error: unknown) => void
}

const pause_ms = 200
const page = 64
const housekeeping_ms = 60_000

/**
 * Examines what is admitted, oldest first, several at once; once a minute destroys the keys of days that are done. What waits
 * stands in the ledger, so a restart loses nothing, and its count is `unexamined`.
 */
export function startExaminer(house: House, { atOnce, told }: ExaminerOptions): Examiner {
  let isOpen = true
  // What a crash left with a permit and without findings is among what waits at the start.
  let isFirst = true
  const later = new Later()

  async function one(id: string): Promise<void> {
    try {
      await examine(house, id, { again: isFirst || later.has(id) })
      later.done(id)
    } catch (error) {
      later.failed(id, house.log.clock())
      if (!(error instanceof Fault && error.code === "CONFLICT")) told(id, error)
    }
  }

  /** What is there now, `atOnce` side by side. @returns how many were begun. */
  async function pass(): Promise<number> {
    const rows = await house.ledger.captures({ examined: false, limit: page + later.size })
    const now_ms = house.log.clock()
    const waiting = rows.map(row => row.id).filter(id => later.isDue(id, now_ms))
    const begun = waiting.length
    const worker = async () => {
      for (let id = waiting.shift(); id !== undefined && isOpen; id = waiting.shift()) await one(id)
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
    return begun
  }

  async function run(): Promise<void> {
    let kept_ms = -housekeeping_ms
    while (isOpen) {
      const begun = await pass().catch(() => 0)
      if (begun === 0) isFirst = false
      if (house.log.clock() - kept_ms > housekeeping_ms) {
        kept_ms = house.log.clock()
        await destroyDays(house).catch((error: unknown) => told("day keys", error))
      }
      if (begun === 0 && isOpen) await new Promise(resolve => setTimeout(resolve, pause_ms))
    }
  }

  const running = run()
  return {
    close: () => {
      isOpen = false
      return running
    },
  }
}

/** Between two tries of one capture, doubled each time up to an hour. */
const retry_ms = 15_000
const longest_ms = 3_600_000
/** So many failures are no property of captures; older ones are forgotten, and so tried sooner. */
const maxLater = 900

/** Captures that could not be examined, and when each is tried again. */
class Later {
  readonly #captures = new Map<string, { readonly tries: number; readonly next_ms: number }>()

  get size(): number {
    return this.#captures.size
  }

  has(id: string): boolean {
    return this.#captures.has(id)
  }

  isDue(id: string, now_ms: number): boolean {
    return (this.#captures.get(id)?.next_ms ?? 0) <= now_ms
  }

  done(id: string): void {
    this.#captures.delete(id)
  }

  failed(id: string, now_ms: number): void {
    const tries = (this.#captures.get(id)?.tries ?? 0) + 1
    this.#captures.delete(id)
    this.#captures.set(id, { tries, next_ms: now_ms + Math.min(longest_ms, retry_ms * 2 ** (tries - 1)) })
    const [oldest] = this.#captures.keys()
    if (this.#captures.size > maxLater && oldest !== undefined) this.#captures.delete(oldest)
  }
}
