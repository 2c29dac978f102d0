import { isMet, isRunning, type Clock } from "../log/incidents.ts"
import { recordsOf } from "./caller.ts"
import type { House } from "./house.ts"

/** How many incidents and clocks there are, for whoever watches the vault from outside. */
export interface IncidentFigures {
  /** Not closed: reported by a vendor, or declared. */
  readonly open: number
  /** Started clocks of open incidents. What counsel said does not run is none of them. */
  readonly clocks: Readonly<Record<ClockStanding, number>>
  /** Time of the oldest among the newest scopes of open incidents; `null` where nothing of one was counted. */
  readonly scoped_ms: number | null
}

/** `missed`: due, and not acknowledged by all. What was met late is met. */
export type ClockStanding = "running" | "met" | "missed"

export async function incidentFigures(house: House): Promise<IncidentFigures> {
  const now_ms = house.log.clock()
  const clocks = { running: 0, met: 0, missed: 0 }
  let [open, scoped_ms] = [0, null as number | null]
  for await (const held of recordsOf(house, "incident")) {
    if (held.status === "closed") continue
    open += 1
    if (held.scoped !== null) scoped_ms = Math.min(scoped_ms ?? Infinity, Date.parse(held.scoped.at))
    for (const clock of held.clocks?.running ?? []) {
      const standing = standingOf(clock, now_ms)
      if (standing !== null) clocks[standing] += 1
    }
  }
  return { open, clocks, scoped_ms }
}

function standingOf(clock: Clock, now_ms: number): ClockStanding | null {
  if (isMet(clock)) return "met"
  if (!isRunning(clock)) return null
  return clock.due_at !== null && Date.parse(clock.due_at) < now_ms ? "missed" : "running"
}
