import { isOpen } from "../log/alerts.ts"
import { names, type Records } from "../log/state.ts"
import { recordOf, recordsOf } from "./caller.ts"
import type { House } from "./house.ts"
import { localHour } from "./local-hour.ts"
import { lastHeard_ms } from "./silence.ts"
import type { HeldReport } from "./take-report.ts"

/** How a reader stands, as the vault knows it. Alarmed: an alarm of its agent or an alert about it is open. */
export interface ReaderHealth {
  readonly lane: string
  readonly lane_name: string
  readonly reader: string
  readonly reader_name: string
  readonly state: "ok" | "alarmed" | "silent" | "never heard"
  /** `null` before its first capture or report. */
  readonly last_heard_at: string | null
  readonly heard_ago_s: number | null
  readonly last_sequence: number
  /** The newest report of its agent; `null` where none came. */
  readonly report: {
    readonly received_at: string
    readonly numbered: number
    readonly settled: number
    readonly waiting: number
    readonly waiting_bytes: number
    readonly oldest_s: number
    readonly refused: number
    readonly gaps: readonly (readonly number[])[]
    readonly alarms: readonly string[]
    readonly counters: Readonly<Record<string, number>>
    readonly events_folded: number
    readonly clock_offset_ms: number
  } | null
  readonly open_alerts: readonly string[]
}

export interface LaneStanding {
  readonly readers: number
  readonly last_heard_at: string | null
  readonly last_sequence: number
  /** Of the port's day. */
  readonly captures_today: number
  readonly open_alerts: number
}

/** Every reader's health, by lane. @param silentAfter_ms  as the watcher has it. */
export async function readersHealth(house: House, silentAfter_ms: number): Promise<ReaderHealth[]> {
  const health: ReaderHealth[] = []
  for await (const reader of recordsOf(house, "reader"))
    health.push(await healthOf(house, reader, silentAfter_ms))
  return health.sort((a, b) => (a.lane + a.reader < b.lane + b.reader ? -1 : 1))
}

async function healthOf(
  house: House,
  reader: Records["reader"],
  silentAfter_ms: number,
): Promise<ReaderHealth> {
  const heard_ms = await lastHeard_ms(house, reader)
  const ago_ms = Math.max(0, house.log.clock() - heard_ms)
  const row = await house.ledger.laneReport(reader.reader)
  const held = row === null ? null : (JSON.parse(row.body) as HeldReport)
  const open = await openAlertsOf(house, reader.reader)
  const isAlarmed = open.length > 0 || (held?.report.alarms.length ?? 0) > 0
  return {
    lane: reader.lane,
    lane_name: (await recordOf(house, "lane", reader.lane))?.name ?? "",
    reader: reader.reader,
    reader_name: reader.name,
    state:
      heard_ms === 0 ? "never heard" : ago_ms >= silentAfter_ms ? "silent" : isAlarmed ? "alarmed" : "ok",
    last_heard_at: heard_ms === 0 ? null : new Date(heard_ms).toISOString(),
    heard_ago_s: heard_ms === 0 ? null : Math.round(ago_ms / 1000),
    last_sequence: reader.last_sequence,
    report: row === null || held === null ? null : reportOf(held, row.received_ms),
    open_alerts: open.map(({ what }) => what),
  }
}

function reportOf({ report, offset_ms }: HeldReport, received_ms: number): ReaderHealth["report"] {
  const { numbered, settled, waiting, waiting_bytes, oldest_s, refused } = report
  const { gaps, alarms, counters, events_folded } = report
  return {
    received_at: new Date(received_ms).toISOString(),
    ...{ numbered, settled, waiting, waiting_bytes, oldest_s, refused },
    ...{ gaps, alarms, counters, events_folded, clock_offset_ms: offset_ms },
  }
}

/** The newest alert of each kind about a reader, where it is open. */
async function openAlertsOf(house: House, reader: string): Promise<Records["alert"][]> {
  const rows = await house.ledger.records("signal", { after: `${reader}/`, limit: 64 })
  return rows
    .filter(row => row.id.startsWith(`${reader}/`))
    .map(row => JSON.parse(row.body) as Records["signal"])
    .filter(isOpen)
}

/** How each of these lanes stands, in their order. */
export async function lanesStanding(
  house: House,
  lanes: readonly Pick<Records["lane"], "lane" | "port">[],
): Promise<LaneStanding[]> {
  const readers: Records["reader"][] = []
  for await (const reader of recordsOf(house, "reader")) readers.push(reader)
  return Promise.all(
    lanes.map(async ({ lane, port }) => {
      const own = readers.filter(reader => reader.lane === lane)
      const heard = await Promise.all(own.map(reader => lastHeard_ms(house, reader)))
      const open = await Promise.all(own.map(reader => openAlertsOf(house, reader.reader)))
      const last_ms = Math.max(0, ...heard)
      return {
        readers: own.length,
        last_heard_at: last_ms === 0 ? null : new Date(last_ms).toISOString(),
        last_sequence: Math.max(0, ...own.map(reader => reader.last_sequence)),
        captures_today: await today(house, lane, port),
        open_alerts: open.flat().length,
      }
    }),
  )
}

async function today(house: House, lane: string, port: string): Promise<number> {
  const zone = (await recordOf(house, "port", port))?.time_zone ?? "UTC"
  const day = localHour(new Date(house.log.clock()).toISOString(), zone).slice(0, 10)
  const prefix = names.captures(lane, `${day}T`)
  // A day has at most 25 hours, and some minutes' zones none more.
  const rows = await house.ledger.counters({ after: prefix, limit: 32 })
  return rows.filter(row => row.name.startsWith(prefix)).reduce((sum, row) => sum + row.value, 0)
}
