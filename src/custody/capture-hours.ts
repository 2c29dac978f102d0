import { Fault } from "../fault.ts"
import { names } from "../log/state.ts"
import { recordOf, recordsOf } from "./caller.ts"
import type { House } from "./house.ts"
import { hourSpan, localHour } from "./local-hour.ts"
import { lastHeard_ms } from "./silence.ts"

/** Captures of one lane by hour of its port: exact, counted with each admission and computed again by `log fsck`. */
export interface LaneHours {
  readonly lane: string
  /** The lane's first capture fell into this hour; `null` before it. Of hours before, nothing is known. */
  readonly first_hour: string | null
  /** When a reader of the lane was last heard of; hours after it can be without captures because they wait at the lane. */
  readonly last_heard_at: string | null
  /** Hours with captures, in order; any other hour between the bounds had none. */
  readonly hours: readonly { readonly hour: string; readonly captures: number }[]
}

const mostDays = 62
const page = 1000

/** @throws Fault INVALID for more than 62 days, or an end before its start; NOT_FOUND without such a lane. */
export async function captureHours(
  house: House,
  of: { readonly lane?: string; readonly since_ms: number; readonly until_ms: number },
): Promise<LaneHours[]> {
  const { since_ms, until_ms } = of
  if (!(since_ms < until_ms) || until_ms - since_ms > mostDays * 86_400_000)
    throw new Fault("INVALID", `since comes before until, by ${mostDays} days at most`)
  const lanes = of.lane === undefined ? [] : [await laneOf(house, of.lane)]
  if (of.lane === undefined) for await (const lane of recordsOf(house, "lane")) lanes.push(lane)
  const heard = new Map<string, number>()
  for await (const reader of recordsOf(house, "reader"))
    heard.set(reader.lane, Math.max(heard.get(reader.lane) ?? 0, await lastHeard_ms(house, reader)))
  return Promise.all(
    lanes.map(async ({ lane, port }) => {
      const zone = (await recordOf(house, "port", port))?.time_zone ?? "UTC"
      const [first] = await hoursAfter(house, lane, { after: "", limit: 1 })
      const heard_ms = heard.get(lane) ?? 0
      const from = localHour(new Date(since_ms).toISOString(), zone).slice(0, 10)
      return {
        lane,
        first_hour: first?.hour ?? null,
        last_heard_at: heard_ms === 0 ? null : new Date(heard_ms).toISOString(),
        hours: await hoursBetween(house, lane, { from, since_ms, until_ms }),
      }
    }),
  )
}

async function laneOf(house: House, id: string): Promise<{ readonly lane: string; readonly port: string }> {
  const lane = await recordOf(house, "lane", id)
  if (lane === null) throw new Fault("NOT_FOUND", "there is no such lane")
  return lane
}

/** The hours that overlap the span. @param from  a date of the port at or before its start. */
async function hoursBetween(
  house: House,
  lane: string,
  { from, since_ms, until_ms }: { from: string; since_ms: number; until_ms: number },
): Promise<LaneHours["hours"]> {
  const found: { hour: string; captures: number }[] = []
  for (let after = from; ;) {
    const rows = await hoursAfter(house, lane, { after, limit: page })
    const begin_ms = (hour: string) => Date.parse(`${hour.slice(0, 13)}:00:00${hour.slice(13)}`)
    found.push(
      ...rows.filter(({ hour }) => begin_ms(hour) > since_ms - 3_600_000 && begin_ms(hour) < until_ms),
    )
    const last = rows.at(-1)
    // Names are in the order of the port's clock, which goes back by less than a day.
    if (last === undefined || rows.length < page || begin_ms(last.hour) > until_ms + 86_400_000) return found
    after = last.hour
  }
}

async function hoursAfter(
  house: House,
  lane: string,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<{ hour: string; captures: number }[]> {
  const prefix = names.captures(lane, "")
  const rows = await house.ledger.counters({ after: `${prefix}${after}`, limit })
  return rows
    .filter(row => row.name.startsWith(prefix))
    .map(row => ({ hour: row.name.slice(prefix.length), captures: row.value }))
}

/**
 * When an hour of a port began and ended: of the lane's port, or of the one that all ports share.
 * @param hour  `2026-11-24T21`, or with its offset `2026-11-24T21-06:00`, which tells apart an hour that comes twice.
 * @throws Fault INVALID for what is no hour, for one that the clocks skip, and without a lane where ports differ.
 */
export async function spanOfHour(
  house: House,
  hour: string,
  lane: string | undefined,
): Promise<{ readonly from_ms: number; readonly until_ms: number }> {
  const zone = hour.length > 13 ? "UTC" : await zoneOf(house, lane)
  const span = hourSpan(hour, zone)
  if (span === null)
    throw new Fault("INVALID", `${hour} is no hour of ${zone}: give one such as 2026-11-24T21`)
  return span
}

async function zoneOf(house: House, lane: string | undefined): Promise<string> {
  if (lane !== undefined) {
    const { port } = await laneOf(house, lane)
    return (await recordOf(house, "port", port))?.time_zone ?? "UTC"
  }
  const zones = new Set<string>()
  for await (const port of recordsOf(house, "port")) zones.add(port.time_zone)
  const [zone = "UTC"] = zones
  if (zones.size > 1)
    throw new Fault(
      "INVALID",
      "ports have different time zones: name a lane, or give the hour with its offset",
      {
        next: "hour=2026-11-24T21-06:00",
      },
    )
  return zone
}
