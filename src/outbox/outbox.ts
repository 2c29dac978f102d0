import type { House } from "../custody/house.ts"
import { tellLogHealth } from "./log-health.ts"
import { startPump, type PumpOptions } from "./pump.ts"

export interface Outbox {
  close(): Promise<void>
}

const health_ms = 5000

/** Sends what is due, and looks every 5 s for what the log cannot say itself. */
export function startOutbox(house: House, options: PumpOptions): Outbox {
  const pump = startPump(house, options)
  let looking: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    looking = looking.then(() => tellLogHealth(house)).catch(options.told)
  }, health_ms)
  timer.unref()
  return {
    close: async () => {
      clearInterval(timer)
      await looking
      await pump.close()
    },
  }
}
