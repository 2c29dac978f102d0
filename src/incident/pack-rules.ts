import { isZone, type Duration, type Holiday } from "./calendar.ts"
import type { Citation, Effective, PackCalendar, PackFile, Rule } from "./clock-pack.ts"
import { elements, findings, places, roles } from "./clock-words.ts"
import type { Misfit } from "./json-lines.ts"
import { units } from "./scope.ts"
import { isDate } from "./shape.ts"

/** What must hold of a pack beyond the types of its fields. */
export function packMisfits(pack: PackFile): Misfit[] {
  const calendars = new Set(pack.calendars.map(each => each.id))
  return [
    ...effectiveMisfits(pack.effective, "/effective"),
    ...twice(pack.calendars, "/calendars"),
    ...pack.calendars.flatMap((each, i) => calendarMisfits(each, `/calendars/${i}`)),
    ...twice(pack.rules, "/rules"),
    ...pack.rules.flatMap((rule, i) => ruleMisfits(rule, calendars, `/rules/${i}`)),
    ...pack.without_clock.flatMap(({ citation }, i) =>
      citationMisfits(citation, `/without_clock/${i}/citation`),
    ),
  ]
}

function twice(all: readonly { readonly id: string }[], path: string): Misfit[] {
  return all.flatMap(({ id }, i) => {
    const first = all.findIndex(each => each.id === id)
    return first === i
      ? []
      : [{ path: `${path}/${i}/id`, problem: `${id} stands in ${path}/${first} already` }]
  })
}

function effectiveMisfits({ from, until }: Effective, path: string): Misfit[] {
  const wrong = Object.entries({ from, until }).flatMap(([key, day]) =>
    day === null || isDate(day) ? [] : [{ path: `${path}/${key}`, problem: "no such day" }],
  )
  if (wrong.length > 0 || from === null || until === null || from < until) return wrong
  return [{ path: `${path}/until`, problem: "not after from" }]
}

function citationMisfits({ read, sources = [] }: Citation, path: string): Misfit[] {
  if (sources.length > 0 && read === null)
    return [
      { path: `${path}/read`, problem: "sources stand beside it, and no month in which they were read" },
    ]
  return sources.flatMap(({ dated }, i) =>
    dated === null || dated.length < 10 || isDate(dated)
      ? []
      : [{ path: `${path}/sources/${i}/dated`, problem: "no such day" }],
  )
}

function ruleMisfits(rule: Rule, calendars: ReadonlySet<string>, path: string): Misfit[] {
  const { duration, calendar, zone } = rule
  const needsCalendar = isObject(duration) && "business_days" in duration
  return [
    ...citationMisfits(rule.citation, `${path}/citation`),
    ...(rule.effective === undefined ? [] : effectiveMisfits(rule.effective, `${path}/effective`)),
    ...conditionMisfits(rule.trigger, `${path}/trigger`),
    ...durationMisfits(duration, `${path}/duration`),
    ...twice(rule.recipients, `${path}/recipients`),
    ...(zone === "party" || isZone(zone)
      ? []
      : [{ path: `${path}/zone`, problem: "neither party nor a time zone that is known" }]),
    ...(calendar !== null && !calendars.has(calendar)
      ? [{ path: `${path}/calendar`, problem: `the pack has no calendar ${calendar}` }]
      : []),
    ...(needsCalendar === (calendar !== null)
      ? []
      : [{ path: `${path}/calendar`, problem: "business days have a calendar, and nothing else has" }]),
  ]
}

/** The most that a duration can be: longer is a slip of the pen. */
const durations = { hours: 8784, calendar_days: 3660, business_days: 366 } as const

function durationMisfits(duration: Duration, path: string): Misfit[] {
  const [key, value] = onlyEntry(duration) ?? []
  if (key === "unfixed")
    return typeof value === "string" && value.length > 0 && value.length <= 200
      ? []
      : [{ path: `${path}/unfixed`, problem: "must be the law's words for it, 1 to 200 characters" }]
  const most = entryOf(durations, key)
  if (key === undefined || most === undefined)
    return [
      {
        path,
        problem: `must be one of ${Object.keys(durations).join(", ")}, unfixed, and nothing beside it`,
      },
    ]
  return isWhole(value, 1, most)
    ? []
    : [{ path: `${path}/${key}`, problem: `no possible duration: a whole number from 1 to ${most}` }]
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isWhole = (value: unknown, least: number, most: number) =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most

function onlyEntry(value: unknown): [string, unknown] | null {
  const [first, ...more] = isObject(value) ? Object.entries(value) : []
  return first === undefined || more.length > 0 ? null : first
}

function entryOf<T>(list: Readonly<Record<string, T>>, key: string | undefined): T | undefined {
  return key !== undefined && Object.hasOwn(list, key) ? list[key] : undefined
}

/** What a leaf of the language may say, and what counts are of. */
const leaves: Readonly<Record<string, readonly unknown[]>> = {
  always: [true],
  element: Object.keys(elements),
  finding: Object.keys(findings),
  role: Object.keys(roles),
  encryption: ["holds"],
}
const counted: Readonly<Record<string, readonly unknown[]>> = { count: units, residents: Object.keys(places) }

function conditionMisfits(condition: unknown, path: string): Misfit[] {
  const unknown = [
    {
      path,
      problem: `must be one of all, any, not, ${Object.keys(leaves).join(", ")}, or count or residents with at_least or over`,
    },
  ]
  if (!isObject(condition)) return unknown
  const of = Object.keys(counted).find(key => Object.hasOwn(condition, key))
  if (of !== undefined) return countMisfits(condition, of, path)
  const [key, value] = onlyEntry(condition) ?? []
  if (key === "not") return conditionMisfits(value, `${path}/not`)
  if (key === "all" || key === "any") {
    if (!Array.isArray(value) || value.length === 0 || value.length > 32)
      return [{ path: `${path}/${key}`, problem: "must be a list of 1 to 32 conditions" }]
    return value.flatMap((each, i) => conditionMisfits(each, `${path}/${key}/${i}`))
  }
  const allowed = entryOf(leaves, key)
  if (key === undefined || allowed === undefined) return unknown
  return oneOfMisfits(value, allowed, `${path}/${key}`)
}

function countMisfits(condition: Record<string, unknown>, of: string, path: string): Misfit[] {
  const others = Object.keys(condition).filter(key => key !== of)
  const [limit] = others
  if (limit === undefined || others.length > 1 || (limit !== "at_least" && limit !== "over"))
    return [{ path, problem: `${of} goes with one of at_least and over, and with nothing else` }]
  return [
    ...oneOfMisfits(condition[of], counted[of] ?? [], `${path}/${of}`),
    ...(isWhole(condition[limit], limit === "over" ? 0 : 1, Number.MAX_SAFE_INTEGER - 1)
      ? []
      : [{ path: `${path}/${limit}`, problem: "must be a whole number" }]),
  ]
}

function oneOfMisfits(value: unknown, allowed: readonly unknown[], path: string): Misfit[] {
  return allowed.includes(value) ? [] : [{ path, problem: `must be one of ${allowed.join(", ")}` }]
}

function calendarMisfits({ known, holidays, days }: PackCalendar, path: string): Misfit[] {
  return [
    ...(known !== null && known.from > known.until
      ? [{ path: `${path}/known/until`, problem: "before from" }]
      : []),
    ...holidays.flatMap((holiday, i) => holidayMisfits(holiday, `${path}/holidays/${i}`)),
    ...days.flatMap((day, i) => (isDate(day) ? [] : [{ path: `${path}/days/${i}`, problem: "no such day" }])),
  ]
}

const onDay = { name: null, month: null, day: null, since: null }
const onWeekday = { name: null, month: null, weekday: null, nth: null, since: null }

function holidayMisfits(holiday: Holiday, path: string): Misfit[] {
  const wrong = (key: string, problem: string) => [{ path: `${path}/${key}`, problem }]
  if (!isObject(holiday)) return [{ path, problem: "must be an object" }]
  const fields = "weekday" in holiday ? onWeekday : onDay
  const stray = Object.keys(holiday).find(key => !Object.hasOwn(fields, key))
  if (stray !== undefined) return wrong(stray, "no such key is known")
  const { name, month, since } = holiday as Holiday
  if (typeof name !== "string" || name.length === 0 || name.length > 80)
    return wrong("name", "must be a name")
  if (!isWhole(month, 1, 12)) return wrong("month", "must be 1 to 12")
  if (since !== undefined && !isWhole(since, 1900, 2200)) return wrong("since", "must be a year")
  if ("weekday" in holiday) {
    if (!isWhole(holiday.weekday, 0, 6)) return wrong("weekday", "must be 0 (Sunday) to 6")
    return [1, 2, 3, 4, -1].includes(holiday.nth as number)
      ? []
      : wrong("nth", "must be 1 to 4, or -1 for the last")
  }
  // A day that not every year has is no holiday by rule.
  return isWhole(holiday.day, 1, 31) && isDate(`2026-${pad(month)}-${pad(holiday.day as number)}`)
    ? []
    : wrong("day", "no such day in that month")
}

const pad = (value: number) => String(value).padStart(2, "0")
