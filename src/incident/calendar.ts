import { zoneOffset } from "../zone-clock.ts"

/** Days as people count them: by a zone's clock, its changes in spring and autumn, weekends and holidays. */

const day_ms = 86_400_000

/** Whether this machine's time zone data (IANA) have the zone. */
export function isZone(zone: string): boolean {
  try {
    zoneOffset(0, zone)
    return true
  } catch {
    return false
  }
}

/** What a zone's clock shows, as if the zone were UTC. */
function faceOf(at_ms: number, zone: string): number {
  return at_ms + zoneOffset(at_ms, zone)
}

/** The local date of a moment, YYYY-MM-DD. */
export function localDate(at_ms: number, zone: string): string {
  return new Date(faceOf(at_ms, zone)).toISOString().slice(0, 10)
}

/** A moment by a zone's clock, `2026-03-08 01:30`. */
export function localMinute(at_ms: number, zone: string): string {
  return new Date(faceOf(at_ms, zone)).toISOString().slice(0, 16).replace("T", " ")
}

/**
 * The first moment at which a zone's clock shows a time. Where the clock shows it twice, that is the earlier one; where it
 * skips it, the moment of the change.
 */
function momentOf(face_ms: number, zone: string): number {
  const offsetAt = (at_ms: number) => zoneOffset(at_ms, zone)
  // No zone is further than 15 hours from UTC, and none changes twice within three days.
  const offsets = [offsetAt(face_ms - 1.5 * day_ms), offsetAt(face_ms + 1.5 * day_ms)]
  const [early, late] = offsets.map(offset => face_ms - offset).sort((a, b) => a - b) as [number, number]
  for (const at_ms of [early, late]) if (faceOf(at_ms, zone) === face_ms) return at_ms
  return changeWithin(early, late, offsetAt)
}

function changeWithin(from_ms: number, until_ms: number, offsetAt: (at_ms: number) => number): number {
  const before = offsetAt(from_ms)
  let [low, high] = [from_ms, until_ms]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle) === before) low = middle
    else high = middle
  }
  return high
}

/** A holiday by rule. `since`: the first year with it. */
export type Holiday = {
  readonly name: string
  readonly month: number
  readonly since?: number
} & (
  | { readonly day: number }
  /** Weekday 0 is Sunday; `nth` 1 to 4, or −1 for the month's last. */
  | { readonly weekday: number; readonly nth: number }
)

/** Business days of some place: Monday to Friday without its holidays. */
export interface Calendar {
  readonly id: string
  /** Years whose holidays are known, or `null` for none. */
  readonly known: { readonly from: number; readonly until: number } | null
  /** A holiday on a Saturday or Sunday: kept on the nearest weekday, or not moved. */
  readonly observed: "nearest_weekday" | "same_day"
  readonly holidays: readonly Holiday[]
  /** Other closed days, YYYY-MM-DD. */
  readonly days: readonly string[]
}

/** The closed days of a year, as dates; those at the turn of a year can be kept in the other one. */
export function holidaysOf(calendar: Calendar, year: number): string[] {
  const byRule = [year - 1, year, year + 1].flatMap(each =>
    calendar.holidays
      .filter(({ since }) => since === undefined || since <= each)
      .map(holiday => observed(dayOf(holiday, each), calendar.observed)),
  )
  return [...new Set([...byRule.map(isoDate), ...calendar.days])]
    .filter(date => date.startsWith(`${String(year).padStart(4, "0")}-`))
    .sort()
}

function dayOf(holiday: Holiday, year: number): number {
  const { month } = holiday
  if ("day" in holiday) return Date.UTC(year, month - 1, holiday.day)
  if (holiday.nth > 0) {
    const first = Date.UTC(year, month - 1, 1)
    const ahead = (holiday.weekday - weekdayOf(first) + 7) % 7
    return first + (ahead + 7 * (holiday.nth - 1)) * day_ms
  }
  const last = Date.UTC(year, month, 0)
  return last - ((weekdayOf(last) - holiday.weekday + 7) % 7) * day_ms
}

function observed(day: number, how: Calendar["observed"]): number {
  const weekday = weekdayOf(day)
  if (how === "same_day" || (weekday !== 0 && weekday !== 6)) return day
  return weekday === 6 ? day - day_ms : day + day_ms
}

const weekdayOf = (day: number) => new Date(day).getUTCDay()
const isoDate = (day: number) => new Date(day).toISOString().slice(0, 10)

/** How long a clock runs. `unfixed`: the law's own words for a time without a number. */
export type Duration =
  | { readonly hours: number }
  | { readonly calendar_days: number }
  | { readonly business_days: number }
  | { readonly unfixed: string }

export interface Due {
  /** `null` for a duration that is not fixed. */
  readonly due_ms: number | null
  /** Years through which business days were counted without holidays, since nobody has told them. */
  readonly unknownYears: readonly number[]
}

export interface Counting {
  readonly zone: string
  /** For business days. */
  readonly calendar: Calendar | null
}

/**
 * When a clock that started is due, by the earliest reading: hours as they elapse; days to the same time by the zone's clock, the day of the start
 * not counted; a due time on a weekend is not moved. Holidays that are unknown are counted as business days, which is earlier than any that are not.
 */
export function dueOf(start_ms: number, duration: Duration, { zone, calendar }: Counting): Due {
  if ("unfixed" in duration) return { due_ms: null, unknownYears: [] }
  if ("hours" in duration) return { due_ms: start_ms + duration.hours * 3_600_000, unknownYears: [] }
  const face_ms = faceOf(start_ms, zone)
  const first = Math.floor(face_ms / day_ms) * day_ms
  const { last, unknownYears } =
    "calendar_days" in duration
      ? { last: first + duration.calendar_days * day_ms, unknownYears: [] }
      : afterBusinessDays(first, duration.business_days, calendar)
  return { due_ms: momentOf(last + face_ms - first, zone), unknownYears }
}

function afterBusinessDays(
  first: number,
  count: number,
  calendar: Calendar | null,
): { readonly last: number; readonly unknownYears: readonly number[] } {
  const closed = new Map<number, ReadonlySet<string> | null>()
  const closedIn = (year: number) => {
    const held = closed.get(year)
    if (held !== undefined) return held
    const known = calendar?.known ?? null
    const isKnown = known !== null && known.from <= year && year <= known.until
    const days = isKnown && calendar !== null ? new Set(holidaysOf(calendar, year)) : null
    closed.set(year, days)
    return days
  }
  let last = first
  for (let left = count; left > 0;) {
    last += day_ms
    const isClosed = closedIn(new Date(last).getUTCFullYear())?.has(isoDate(last)) ?? false
    if (!isClosed && weekdayOf(last) !== 0 && weekdayOf(last) !== 6) left -= 1
  }
  return { last, unknownYears: [...closed].filter(([, days]) => days === null).map(([year]) => year) }
}
