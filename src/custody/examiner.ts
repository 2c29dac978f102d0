import { Fault } from "../fault.ts"
import { destroyDays } from "./days.ts"
import { examine } from "./examine.ts"
import type { House } from "./house.ts"

export interface Examiner {
  close(): Promise<void>
}

const pause_ms = 200
const page = 32
const housekeeping_ms = 60_000

/**
 * Examines what is admitted, oldest first, one at a time; once a minute destroys the keys of days that are done.
 * @param told  hears of a capture that could not be examined; it stays sealed and is tried again after a restart.
 */
export function startExaminer(house: House, told: (captureId: string, error: unknown) => void): Examiner {
  let isOpen = true
  const failed = new Set<string>()
  async function pass(again: boolean): Promise<number> {
    const rows = await house.ledger.captures({ examined: false, limit: page + failed.size })
    const todo = rows.filter(row => !failed.has(row.id))
    for (const { id } of todo) {
      if (!isOpen) return 0
      await examine(house, id, { again }).catch((error: unknown) => {
        failed.add(id)
        if (!(error instanceof Fault && error.code === "CONFLICT")) told(id, error)
      })
    }
    return todo.length
  }
  async function run(): Promise<void> {
    let kept_ms = -housekeeping_ms
    for (let again = true; isOpen; again = false) {
      const done = await pass(again).catch(() => 0)
      if (house.log.clock() - kept_ms > housekeeping_ms) {
        kept_ms = house.log.clock()
        await destroyDays(house).catch((error: unknown) => told("day keys", error))
      }
      if (done === 0 && isOpen) await new Promise(resolve => setTimeout(resolve, pause_ms))
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
