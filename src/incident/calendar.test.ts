import fc from "fast-check"
import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import {
  dueOf,
  holidaysOf,
  isZone,
  localDate,
  localMinute,
  type Calendar,
  type Duration,
} from "./calendar.ts"
import { parsePack } from "./clock-pack.ts"

const dhs = parsePack(readFileSync(new URL("../../packs/us-dhs.json", import.meta.url), "utf8"))
const federal: Calendar = dhs.calendars[0]!
const none: Calendar = { ...federal, known: null }

function due(start: string, duration: Duration, zone: string, calendar: Calendar | null = null): string {
  return new Date(dueOf(Date.parse(start), duration, { zone, calendar }).due_ms!).toISOString()
}
const utc = (at: string) => new Date(at).toISOString()

describe("days when a zone's clock changes", () => {
  const table: [what: string, start: string, duration: Duration, zone: string, due: string][] = [
    [
      "an hour is an hour in spring",
      "2026-03-08T01:30-05:00",
      { hours: 1 },
      "America/New_York",
      "2026-03-08T03:30-04:00",
    ],
    ["and in autumn", "2026-11-01T01:30-04:00", { hours: 1 }, "America/New_York", "2026-11-01T01:30-05:00"],
    [
      "a day of 23 hours is a day",
      "2026-03-07T12:00-05:00",
      { calendar_days: 1 },
      "America/New_York",
      "2026-03-08T12:00-04:00",
    ],
    [
      "a day of 25 hours is one too",
      "2026-10-31T12:00-04:00",
      { calendar_days: 1 },
      "America/New_York",
      "2026-11-01T12:00-05:00",
    ],
    [
      "a time that the clock skips: when it changes",
      "2026-03-07T02:30-05:00",
      { calendar_days: 1 },
      "America/New_York",
      "2026-03-08T03:00-04:00",
    ],
    [
      "a time that it shows twice: the first",
      "2026-10-31T01:30-04:00",
      { calendar_days: 1 },
      "America/New_York",
      "2026-11-01T01:30-04:00",
    ],
    [
      "a zone without summer time",
      "2026-03-07T02:30-07:00",
      { calendar_days: 1 },
      "America/Phoenix",
      "2026-03-08T02:30-07:00",
    ],
    [
      "Europe changes on another Sunday",
      "2026-03-28T02:30+01:00",
      { calendar_days: 1 },
      "Europe/Berlin",
      "2026-03-29T03:00+02:00",
    ],
    [
      "a change of half an hour",
      "2026-10-03T02:15+10:30",
      { calendar_days: 1 },
      "Australia/Lord_Howe",
      "2026-10-04T02:30+11:00",
    ],
    [
      "a day that an island skipped",
      "2011-12-29T09:00-10:00",
      { calendar_days: 1 },
      "Pacific/Apia",
      "2011-12-31T00:00+14:00",
    ],
    ["the end of February", "2028-01-30T08:00Z", { calendar_days: 30 }, "UTC", "2028-02-29T08:00Z"],
  ]
  test.each(table)("%s", (_, ...[start, duration, zone, expected]) =>
    expect(due(start, duration, zone)).toBe(utc(expected)),
  )
})

describe("business days", () => {
  test("federal holidays of a year, those of a weekend on the nearest weekday", () => {
    const days2026 = [
      "01-01",
      "01-19",
      "02-16",
      "05-25",
      "06-19",
      "07-03",
      "09-07",
      "10-12",
      "11-11",
      "11-26",
      "12-25",
    ]
    expect(holidaysOf(federal, 2026)).toEqual(days2026.map(day => `2026-${day}`))
  })
  test("New Year's Day on a Saturday is kept in the year before", () => {
    expect(holidaysOf(federal, 2021)).toContain("2021-12-31")
    expect(holidaysOf(federal, 2022)[0]).toBe("2022-01-17")
  })
  test("and a holiday on the last Sunday of a year in the next", () => {
    const lastDay = { ...federal, holidays: [{ name: "Last day", month: 12, day: 31 }] }
    // 31 December 2028 is a Sunday.
    expect(holidaysOf(lastDay, 2028)).toEqual([])
    expect(holidaysOf(lastDay, 2029)).toEqual(["2029-01-01", "2029-12-31"])
  })
  test("Juneteenth is one since 2021", () => {
    expect(holidaysOf(federal, 2020)).not.toContain("2020-06-19")
    expect(holidaysOf(federal, 2021)).toContain("2021-06-18")
  })
  test("from a weekend, the first business day is Monday", () =>
    expect(due("2026-06-06T10:00-04:00", { business_days: 1 }, "America/New_York", federal)).toBe(
      utc("2026-06-08T10:00-04:00"),
    ))
  test("which day it is, is told by the party's clock and not by UTC", () =>
    // 01:00 UTC on Saturday is Friday evening in Los Angeles.
    expect(due("2026-06-06T01:00Z", { business_days: 1 }, "America/Los_Angeles", federal)).toBe(
      utc("2026-06-08T18:00-07:00"),
    ))
  test("across the turn of a year whose holidays are unknown, the years are named and the time is the earliest", () => {
    const until2026 = { ...federal, known: { from: 2026, until: 2026 } }
    const start_ms = Date.parse("2026-12-30T09:00-05:00")
    const { due_ms, unknownYears } = dueOf(
      start_ms,
      { business_days: 3 },
      { zone: "America/New_York", calendar: until2026 },
    )
    expect(unknownYears).toEqual([2027])
    // 31 December, 1 January (unknown to be a holiday), 4 January; with the holiday it would be the 5th.
    expect(localDate(due_ms!, "America/New_York")).toBe("2027-01-04")
    const known = dueOf(start_ms, { business_days: 3 }, { zone: "America/New_York", calendar: federal })
    expect(localDate(known.due_ms!, "America/New_York")).toBe("2027-01-05")
    expect(known.unknownYears).toEqual([])
  })
})

const zones = [
  "America/New_York",
  "America/Phoenix",
  "Europe/Berlin",
  "Pacific/Apia",
  "Asia/Kathmandu",
  "UTC",
]
const starts = fc.integer({ min: Date.parse("2012-01-01"), max: Date.parse("2034-12-31") })

test("whatever the zone: so many dates later, at the same time where the clock shows it, and the first such moment", () => {
  fc.assert(
    fc.property(fc.constantFrom(...zones), starts, fc.integer({ min: 1, max: 400 }), (zone, start, days) => {
      const start_ms = Math.floor(start / 60_000) * 60_000
      const due_ms = dueOf(start_ms, { calendar_days: days }, { zone, calendar: null }).due_ms!
      const date = Date.parse(localDate(start_ms, zone)) + days * 86_400_000
      expect(localDate(due_ms, zone)).toBe(new Date(date).toISOString().slice(0, 10))
      const [was, is] = [start_ms, due_ms].map(at_ms => localMinute(at_ms, zone).slice(11))
      if (was !== is) expect(localMinute(due_ms - 1, zone).slice(11) < was!).toBe(true)
      for (const earlier_ms of [1_800_000, 3_600_000])
        expect(localMinute(due_ms - earlier_ms, zone)).not.toBe(localMinute(due_ms, zone))
    }),
    { numRuns: 300 },
  )
})

test("without holidays business days are never later, and always a weekday", () => {
  fc.assert(
    fc.property(starts, fc.integer({ min: 1, max: 60 }), (start_ms, count) => {
      const counting = { zone: "America/New_York", calendar: federal }
      const with_ms = dueOf(start_ms, { business_days: count }, counting).due_ms!
      const without_ms = dueOf(start_ms, { business_days: count }, { ...counting, calendar: none }).due_ms!
      expect(without_ms).toBeLessThanOrEqual(with_ms)
      for (const at_ms of [with_ms, without_ms])
        expect([0, 6]).not.toContain(new Date(localDate(at_ms, "America/New_York")).getUTCDay())
      expect(holidaysOf(federal, Number(localDate(with_ms, "America/New_York").slice(0, 4)))).not.toContain(
        localDate(with_ms, "America/New_York"),
      )
    }),
    { numRuns: 300 },
  )
})

test("zones are those of the machine's data", () => {
  expect(["America/Denver", "UTC", "Mars/Olympus", "Local"].map(isZone)).toEqual([true, true, false, false])
})
