import { Fault } from "../fault.ts"
import type { Read } from "../seal/read.ts"
import type { ImportOptions } from "./imported.ts"
import type { Told } from "./told.ts"
import { zoneOffset } from "../zone-clock.ts"

/** A read's time and how it is known. */
export type KnownTime = Pick<Read, "captured_at" | "clock">

/** What a field's number counts since 1970; `text` is a date and a time, with a zone or without. */
export type TimeForm = "ms" | "s" | "ns" | "text"

const perMs = { ms: 1, s: 1_000, ns: 1e-6 } as const

const day_ms = 86_400_000
const maxAhead_ms = day_ms
const maxBehind_ms = 366 * day_ms

/**
 * The time at the first of several places that holds one. A lane that takes events in without a usable time gets that of
 * arrival, and what was told stays with the fields that were not used.
 * @throws Fault READER_TIME when there is none, or it has no zone and the lane gives none, or it is over a day ahead of the
 * arrival or over 366 days behind it.
 */
export function timeAt(
  told: Told,
  places: readonly (readonly [at: string, form: TimeForm])[],
  options: ImportOptions,
): KnownTime {
  const [at, form] = places.find(([place]) => told.look(place) !== null) ?? ["", "text"]
  try {
    const known =
      form === "text" ? timeOfText(told.look(at), options) : timeOfEpoch(told.look(at), form, options)
    told.use(at)
    return known
  } catch (error) {
    return orArrival(error, options)
  }
}

/** The time of arrival, where the lane allows that. @throws what it was given otherwise. */
export function orArrival(error: unknown, options: ImportOptions): KnownTime {
  if (!(error instanceof Fault) || error.code !== "READER_TIME" || options.badClock === "refuse") throw error
  return { captured_at: new Date(options.received_ms).toISOString(), clock: "arrival" }
}

function timeOfEpoch(value: unknown, form: "ms" | "s" | "ns", options: ImportOptions): KnownTime {
  const isNumeric =
    typeof value === "number" || (typeof value === "string" && /^\d{1,20}(\.\d{1,9})?$/.test(value))
  if (!isNumeric) throw refused("is not a number since 1970")
  return { captured_at: plausible(Math.floor(Number(value) * perMs[form]), options), clock: "stated" }
}

const written =
  /^\s*(\d{4})[-/]?(\d\d)[-/]?(\d\d)[T ]?\s*(\d\d):?(\d\d):?(\d\d)(?:[.,]?(\d{1,9}))?\s*(Z|[+-]\d\d:?\d\d)?\s*$/i

/**
 * A date and a time as readers write them: RFC 3339, with a space, or as digits only (`20260304 050607089`).
 * @throws Fault READER_TIME.
 */
export function timeOfText(value: unknown, options: ImportOptions): KnownTime {
  const parts = typeof value === "string" ? written.exec(value) : null
  if (parts === null) throw refused(value === null ? "is missing" : "is not a date and a time")
  const [, year, month, day, hour, minute, second, fraction = "", zone] = parts
  const face_ms = Date.parse(
    `${year}-${month}-${day}T${hour}:${minute}:${second}.${`${fraction}000`.slice(0, 3)}Z`,
  )
  if (!Number.isFinite(face_ms) || new Date(face_ms).getUTCDate() !== Number(day))
    throw refused("is no date of the calendar")
  if (zone !== undefined)
    return { captured_at: plausible(face_ms - offsetOf(zone), options), clock: "stated" }
  return timeOfFace(face_ms, options)
}

/**
 * The moment at which a clock in the lane's zone shows `face_ms`, a date and a time counted as if they were UTC. Of an
 * hour that comes twice it is the first, so that the same event gives the same time whenever it is sent.
 * @throws Fault READER_TIME for a lane without a zone; CONFIG for a zone that is none.
 */
export function timeOfFace(face_ms: number, options: ImportOptions): KnownTime {
  const { zone } = options
  if (zone === null)
    throw refused("has no zone, and the lane gives none", "set the lane's zone to that of the reader's clock")
  // By the offset of the day before and of the day after: where both hold and differ, the hour comes twice.
  const before_ms = face_ms - offsetAt(zone, face_ms - day_ms)
  const after_ms = face_ms - offsetAt(zone, face_ms + day_ms)
  const moments = [...new Set([before_ms, after_ms])].filter(
    moment_ms => moment_ms + offsetAt(zone, moment_ms) === face_ms,
  )
  const clock = (["zone-never", "zone", "zone-twice"] as const)[moments.length] ?? "zone"
  return { captured_at: plausible(moments[0] ?? before_ms, options), clock }
}

/** How far a zone's clocks are ahead of UTC at a moment, in milliseconds. */
function offsetAt(zone: string, moment_ms: number): number {
  if (/^([+-]\d\d:\d\d|Z)$/.test(zone)) return offsetOf(zone)
  try {
    return zoneOffset(moment_ms, zone)
  } catch (cause) {
    throw new Fault("CONFIG", "the lane's zone is none that this machine knows", {
      next: "a name such as Europe/Zagreb, or an offset such as +08:00",
      cause,
    })
  }
}

function offsetOf(zone: string): number {
  const [, sign, hours = "0", minutes = "0"] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? []
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
}

function plausible(time_ms: number, { received_ms }: ImportOptions): string {
  if (!(time_ms > 0) || time_ms < 365 * day_ms)
    throw refused("stands at 1970: the reader's clock was never set")
  if (time_ms - received_ms > maxAhead_ms) throw refused("is over a day ahead of the lane's clock")
  if (received_ms - time_ms > maxBehind_ms) throw refused("is over 366 days behind the lane's clock")
  return new Date(time_ms).toISOString()
}

function refused(why: string, next = "set the reader's clock by NTP and let it send the event again"): Fault {
  return new Fault("READER_TIME", `the event's time ${why}; nothing was sealed`, { next })
}
