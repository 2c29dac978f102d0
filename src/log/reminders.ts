import type { EntryOf } from "./kinds.ts"

/** Of the time of a clock, in hundredths. */
const marks = [50, 80, 100] as const

/** A reminder of one clock, at one of the marks. */
export interface Reminder {
  readonly subject: string
  readonly at_ms: number
  readonly data: {
    readonly incident: string
    readonly pack: string
    readonly rule: string
    readonly party: string
    readonly percent: number
    readonly due_at: string
  }
}

/**
 * What is told of clocks while not every receiver has acknowledged the notice, of several for one duty by the strictest: each mark that lies ahead at its time, and of those that
 * are over when the clock is started the last alone, at once.
 */
export function reminders({ incident, clocks, at }: EntryOf<"clocks.started">): readonly Reminder[] {
  const now_ms = Date.parse(at)
  return clocks.flatMap(({ pack, rule, party, started_at, due_at, leads }) => {
    if (due_at === null || !leads) return []
    const [start_ms, due_ms] = [Date.parse(started_at), Date.parse(due_at)]
    const all = marks.map(percent => ({
      subject: incident,
      at_ms: start_ms + Math.floor(((due_ms - start_ms) * percent) / 100),
      data: { incident, pack, rule, party, percent, due_at },
    }))
    const over = all.filter(each => each.at_ms <= now_ms)
    return [...over.slice(-1), ...all.filter(each => each.at_ms > now_ms)]
  })
}
