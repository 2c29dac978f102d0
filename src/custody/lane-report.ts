import { Type, type Static } from "typebox"
import { Compile } from "typebox/compile"
import { fromBase64, textOf, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import type { Alarm, EventName } from "../lane/health.ts"
import { closed, count, id, index, oneOf, time } from "../log/shapes.ts"

/** What the agent beside a reader says of itself, as a stranger's bytes become a value (docs/formats/lane-report.md). */

export const maxReport_bytes = 65_536
const firstLine = "sallyport-lane-report/v1"

/** As the agent has them: the compiler holds both lists equal. */
const alarms = {
  ...{ spool_full: true, recipients_out: true, recipients_low: true, vault_away: true, reader_refused: true },
  ...{ proof_refused: true, captures_refused: true, gap: true, clock_off: true, folder_unreadable: true },
} satisfies Record<Alarm, true>
const events = {
  ...{ agent_started: true, alarm_raised: true, alarm_cleared: true, capture_refused: true, gap: true },
  ...{ usb_connected: true, usb_disconnected: true, enclosure_opened: true, enclosure_closed: true },
  reader_said: true,
} satisfies Record<EventName, true>

const boot = Type.String({ pattern: "^[0-9a-f]{16}$" })
const number = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
const word = Type.String({ maxLength: 64, pattern: "^[A-Za-z0-9?:._/-]*$" })
const detail = Type.Record(Type.String({ pattern: "^[a-z_]{1,32}$" }), Type.Union([Type.Integer(), word]), {
  maxProperties: 8,
  additionalProperties: false,
})

const schema = closed({
  v: Type.Literal(1),
  vault: Type.String({ minLength: 1, maxLength: 128 }),
  port: id("prt"),
  lane: id("lan"),
  reader: id("rdr"),
  at: time,
  boot,
  numbered: index,
  settled: index,
  waiting: count,
  waiting_bytes: count,
  oldest_s: count,
  refused: count,
  gaps: Type.Array(Type.Array(number, { minItems: 2, maxItems: 2 }), { maxItems: 64 }),
  alarms: Type.Array(oneOf(Object.keys(alarms) as Alarm[]), { maxItems: 16, uniqueItems: true }),
  counters: Type.Record(Type.String({ pattern: "^[a-z_]{1,40}$" }), count, {
    maxProperties: 64,
    additionalProperties: false,
  }),
  events_folded: count,
  events: Type.Array(
    closed({ boot, n: number, at: time, what: oneOf(Object.keys(events) as EventName[]), detail }),
    { maxItems: 64 },
  ),
})

export type LaneReport = Static<typeof schema>

export interface ParsedReport {
  readonly report: LaneReport
  /** What the reader's key signed. */
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

const validator = Compile(schema)

/** @returns `null` for anything but a report of this version in canonical JSON, whose numbers and times can be. */
export function parseReport(bytes: Uint8Array): ParsedReport | null {
  if (bytes.length > maxReport_bytes) return null
  const [first, json, signed, end, ...more] = (textOf(bytes) ?? "").split("\n")
  if (first !== firstLine || json === undefined || signed === undefined || end !== "" || more.length > 0)
    return null
  const signature = fromBase64(signed)
  const report = parseJson(json)
  if (signature?.length !== 64 || !validator.Check(report) || canonical(report) !== json) return null
  const isPossible =
    report.settled <= report.numbered &&
    report.gaps.every(([from = 0, to = 0]) => from <= to && to <= report.numbered) &&
    [report.at, ...report.events.map(event => event.at)].every(at => Number.isFinite(Date.parse(at)))
  return isPossible ? { report, message: utf8(`${first}\n${json}`), signature } : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
