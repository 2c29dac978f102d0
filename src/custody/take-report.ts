import { fromBase64 } from "../bytes.ts"
import { verifyEd25519 } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import { isOpen, type AlertState, type Signal } from "../log/alerts.ts"
import type { Records } from "../log/state.ts"
import type { RateLimit } from "../rate.ts"
import { sha256Hex } from "../vault/vault.ts"
import { merged, newestTold, raise } from "./alerts.ts"
import { recordOf } from "./caller.ts"
import type { House } from "./house.ts"
import { parseReport, type LaneReport } from "./lane-report.ts"

/** The newest report as it is kept, without its events, and what the next one is compared with. */
export interface HeldReport {
  readonly report: Omit<LaneReport, "events">
  /** The agent's clock less the vault's. */
  readonly offset_ms: number
  /** Since when the clock is off, ms; `null` while it is not. */
  readonly off_since_ms: number | null
  /** Earlier runs of the agent, the newest last. */
  readonly earlier: readonly string[]
  /** The vault's last number of the reader when the report came. */
  readonly last_sequence: number
}

const mostOffset_ms = 5000
const mostAhead_ms = 86_400_000
const mostEarlier = 16

/**
 * Takes the report of a reader's agent: keeps it as the newest, and raises what it tells of. Only a report of after the one
 * that is held is news; another changes nothing. An event counts once, however often it is told.
 * @param rates  by reader.
 * @throws Fault INVALID, KEY_UNKNOWN, SIGNATURE_INVALID, RATE, SIGNATURE_STALE, REPLAY; nothing was taken then.
 */
export async function takeReport(house: House, bytes: Uint8Array, rates: RateLimit): Promise<void> {
  const { report, reader } = await authenticReport(house, bytes)
  if (!rates.take(reader.reader, performance.now()))
    throw new Fault("RATE", "this reader reports faster than once a second", { notDone })
  const row = await house.ledger.laneReport(reader.reader)
  const sha256 = sha256Hex(bytes)
  // The same bytes again: they were taken, and the answer was lost.
  if (row?.sha256 === sha256) return
  const held = row === null ? null : (JSON.parse(row.body) as HeldReport)
  const received_ms = house.log.clock()
  const at_ms = Date.parse(report.at)
  await assertNew(house, { at_ms, received_ms, sha256 })
  const now = heldOf(report, { held, reader, received_ms })
  const mark_ms = Math.min(at_ms, received_ms)
  const isNews = await house.ledger.putLaneReport({
    ...{ reader: reader.reader, at_ms, mark_ms, received_ms, sha256, body: JSON.stringify(now) },
  })
  if (!isNews) throw new Fault("REPLAY", "a later report of this reader was taken before", { notDone })
  const { signals, told } = await eventSignals(house, report)
  await raise(house, {
    ...{ reader: reader.reader, told },
    signals: merged([...signals, ...gapSignals(report, held), ...standingSignals(now, held)]),
    isNews: newest => newest === null || isAgain(newest, now),
  })
}

const notDone = "The report was not taken."

async function authenticReport(
  house: House,
  bytes: Uint8Array,
): Promise<{ readonly report: LaneReport; readonly reader: Records["reader"] }> {
  const parsed = parseReport(bytes)
  if (parsed === null)
    throw new Fault("INVALID", "not a lane report of version 1 in canonical JSON", { notDone })
  const { report, message, signature } = parsed
  const reader = await recordOf(house, "reader", report.reader)
  if (reader === null || reader.lane !== report.lane || reader.port !== report.port)
    throw new Fault("KEY_UNKNOWN", `no reader ${report.reader} is enrolled on lane ${report.lane}`, {
      notDone,
    })
  const key = fromBase64(reader.key)
  if (key === null || !verifyEd25519(key, message, signature))
    throw new Fault("SIGNATURE_INVALID", `the signature of reader ${report.reader} does not hold`, {
      notDone,
    })
  if (report.vault !== house.log.origin)
    throw new Fault("SIGNATURE_INVALID", `this is the vault ${house.log.origin}`, { notDone })
  return { report, reader }
}

/**
 * What is dated ahead could be shown again until its time has come, so each of these is taken once by itself; of all others
 * only what is after the newest is taken.
 */
async function assertNew(
  house: House,
  of: { readonly at_ms: number; readonly received_ms: number; readonly sha256: string },
): Promise<void> {
  const { at_ms, received_ms, sha256 } = of
  if (at_ms > received_ms + mostAhead_ms)
    throw new Fault("SIGNATURE_STALE", "the report is of more than a day ahead; check the lane's clock", {
      notDone,
    })
  if (at_ms <= received_ms) return
  if (!(await house.ledger.useNonce(`lane-report/${sha256}`, at_ms + 60_000, received_ms)))
    throw new Fault("REPLAY", "this report was taken before", { notDone })
}

function heldOf(
  { events: _, ...report }: LaneReport,
  of: { readonly held: HeldReport | null; readonly reader: Records["reader"]; readonly received_ms: number },
): HeldReport {
  const { held, reader, received_ms } = of
  const offset_ms = Date.parse(report.at) - received_ms
  const isOff = Math.abs(offset_ms) > mostOffset_ms
  const boots = [...(held?.earlier ?? []), ...(held === null ? [] : [held.report.boot])]
  const earlier = [...new Set(boots)].filter(boot => boot !== report.boot).slice(-mostEarlier)
  const off_since_ms = isOff ? (held?.off_since_ms ?? received_ms) : null
  return { report, offset_ms, off_since_ms, earlier, last_sequence: reader.last_sequence }
}

/** What the events tell that were not told before; and of each run of the agent the newest of them. */
async function eventSignals(
  house: House,
  { reader, events }: LaneReport,
): Promise<{ readonly signals: readonly Signal[]; readonly told: ReadonlyMap<string, number> }> {
  const known = new Map<string, number>()
  for (const boot of new Set(events.map(event => event.boot)))
    known.set(boot, await newestTold(house, reader, boot))
  const told = new Map<string, number>()
  const signals: Signal[] = []
  for (const event of events) {
    const signal = signalOf(event)
    if (signal === null || event.n <= Math.max(known.get(event.boot) ?? 0, told.get(event.boot) ?? 0))
      continue
    told.set(event.boot, event.n)
    signals.push(signal)
  }
  return { signals, told }
}

const saidKinds: Readonly<Record<string, Signal["what"]>> = {
  tamper: "reader_tampered",
  usb_connected: "usb_connected",
  enclosure_opened: "enclosure_opened",
}
const raisedAlarms: Readonly<Record<string, Signal["what"]>> = {
  spool_full: "spool_full",
  recipients_out: "recipients_out",
  captures_refused: "captures_refused",
  vault_away: "vault_away",
}

/** An event of the agent as a signal, or `null` where nobody must look. None of its words goes further than this. */
function signalOf({ what, detail }: LaneReport["events"][number]): Signal | null {
  const { device, kind, alarm } = detail
  switch (what) {
    case "usb_connected": {
      const [, vendor, product] = /^([0-9a-f]{4}):([0-9a-f]{4})$/.exec(String(device)) ?? []
      if (vendor === undefined || product === undefined) return { what, count: 1, detail: {} }
      return { what, count: 1, detail: { vendor: parseInt(vendor, 16), product: parseInt(product, 16) } }
    }
    case "enclosure_opened":
      return { what, count: 1, detail: {} }
    case "gap": {
      const missing = Number(detail.to) - Number(detail.from) + 1
      return missing > 0 ? { what, count: 1, detail: { missing: Math.min(missing, 1_000_000) } } : null
    }
    case "reader_said":
    case "alarm_raised": {
      const [table, word] = what === "reader_said" ? [saidKinds, kind] : [raisedAlarms, alarm]
      const told = Object.hasOwn(table, String(word)) ? table[String(word)] : undefined
      return told === undefined ? null : { what: told, count: 1, detail: {} }
    }
    default:
      return null
  }
}

/** Gaps that the report before did not name; events name them too, and where both do the events count. */
function gapSignals({ gaps, events }: LaneReport, held: HeldReport | null): Signal[] {
  const named = new Set([
    ...(held?.report.gaps ?? []).map(pair => pair.join("-")),
    ...events.filter(({ what }) => what === "gap").map(({ detail }) => `${detail.from}-${detail.to}`),
  ])
  return gaps
    .filter(pair => !named.has(pair.join("-")))
    .map(([from = 0, to = 0]) => {
      return { what: "gap", count: 1, detail: { missing: Math.min(to - from + 1, 1_000_000) } }
    })
}

/** What holds from one report to the next, and is raised once while it does. */
function standingSignals(now: HeldReport, held: HeldReport | null): Signal[] {
  const offset_s = Math.max(-1_000_000, Math.min(1_000_000, Math.round(now.offset_ms / 1000)))
  const clock: Signal[] =
    now.off_since_ms === null ? [] : [{ what: "clock_off", count: 1, detail: { offset_s } }]
  if (held === null) return clock
  // A run that another one followed has ended; it is heard again where two agents have the same key.
  const isTwo = held.earlier.includes(now.report.boot)
  // Whatever the vault had admitted when it answered the report before, one agent alone has numbered since.
  const isBack = now.report.numbered < held.last_sequence
  if (!isTwo && !isBack) return clock
  const why = isTwo ? "two_agents" : "number_went_back"
  return [...clock, { what: "device_replayed", count: 1, detail: { why } }]
}

function isAgain(newest: AlertState, now: HeldReport): boolean {
  if (newest.what === "clock_off") return Date.parse(newest.last_at) < (now.off_since_ms ?? 0)
  return newest.what !== "device_replayed" || !isOpen(newest)
}
