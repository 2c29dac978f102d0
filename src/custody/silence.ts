import { recordsOf } from "./caller.ts"
import { raise, writeRests } from "./alerts.ts"
import type { House } from "./house.ts"
import type { Records } from "../log/state.ts"

export interface Watcher {
  close(): Promise<void>
}

export interface WatcherOptions {
  /** A reader that was heard of before and not for so long is silent. */
  readonly silentAfter_ms: number
  /** Hears of a look that failed; the next one tries again. */
  readonly told: (error: unknown) => void
}

const every_ms = 10_000

/**
 * When a reader was last heard of: a capture that was admitted, or a report that was taken; 0 for never. Only the vault's
 * own clock counts.
 */
export async function lastHeard_ms(house: House, reader: Records["reader"]): Promise<number> {
  const report = await house.ledger.laneReport(reader.reader)
  const admitted_ms = reader.last_admitted_at === "" ? 0 : Date.parse(reader.last_admitted_at)
  return Math.max(report?.received_ms ?? 0, admitted_ms)
}

/**
 * Raises `reader_silent` once for each silence. A vault that was away heard nobody, so silence counts from its start.
 * @param since_ms  when the vault began to listen.
 */
export async function raiseSilences(
  house: House,
  { silentAfter_ms, since_ms }: { readonly silentAfter_ms: number; readonly since_ms: number },
): Promise<void> {
  const now_ms = house.log.clock()
  for await (const reader of recordsOf(house, "reader")) {
    const heard_ms = await lastHeard_ms(house, reader)
    const silent_ms = now_ms - Math.max(heard_ms, since_ms)
    if (heard_ms === 0 || silent_ms < silentAfter_ms) continue
    const minutes = Math.min(1_000_000, Math.round((now_ms - heard_ms) / 60_000))
    const known = await house.ledger.record("signal", `${reader.reader}/reader_silent`)
    const isTold = (at: string) => Date.parse(at) >= heard_ms
    // Most looks find what was raised before, and need no turn of the log.
    if (known !== null && isTold((JSON.parse(known.body) as Records["signal"]).last_at)) continue
    await raise(house, {
      reader: reader.reader,
      signals: [{ what: "reader_silent", count: 1, detail: { minutes } }],
      // It may have been heard, or told of by another server, since we looked.
      isNews: (newest, { last_admitted_at }) =>
        last_admitted_at === reader.last_admitted_at && (newest === null || !isTold(newest.last_at)),
    })
  }
}

/** Looks every 10 seconds for readers that fell silent, and writes the counts of alerts whose minute is over. */
export function startWatcher(house: House, { silentAfter_ms, told }: WatcherOptions): Watcher {
  const since_ms = house.log.clock()
  let running: Promise<void> = Promise.resolve()
  const look = async () => {
    await writeRests(house)
    await raiseSilences(house, { silentAfter_ms, since_ms })
  }
  const timer = setInterval(() => {
    running = running.then(look).catch(told)
  }, every_ms)
  timer.unref()
  return {
    close: async () => {
      clearInterval(timer)
      await running
      await writeRests(house, { isLast: true }).catch(told)
    },
  }
}
