import { expect, test } from "vitest"
import { hourSpan, localHour } from "./local-hour.ts"

const zone = "America/Chicago"
const span = (hour: string, of = zone) => {
  const found = hourSpan(hour, of)
  return found === null ? null : [found.from_ms, found.until_ms].map(at => new Date(at).toISOString())
}

test("an hour of a port is a span of time", () => {
  expect(span("2026-11-24T21")).toEqual(["2026-11-25T03:00:00.000Z", "2026-11-25T04:00:00.000Z"])
  expect(span("2026-11-24T21", "Asia/Kathmandu")).toEqual([
    "2026-11-24T15:15:00.000Z",
    "2026-11-24T16:15:00.000Z",
  ])
})

test("an hour that comes twice spans both; with its offset it is one of them", () => {
  expect(span("2026-11-01T01")).toEqual(["2026-11-01T06:00:00.000Z", "2026-11-01T08:00:00.000Z"])
  expect(span("2026-11-01T01-06:00")).toEqual(["2026-11-01T07:00:00.000Z", "2026-11-01T08:00:00.000Z"])
})

test("an hour that the clocks skip, and what is no hour, are none", () => {
  for (const hour of [
    "2026-03-08T02",
    "2026-11-24T24",
    "2026-13-24T01",
    "2026-11-24",
    "2026-11-24T21:00",
    "",
  ])
    expect(hourSpan(hour, zone), hour).toBeNull()
})

test("every moment of a span has its hour", () => {
  for (
    let at_ms = Date.parse("2026-10-31T00:00:00Z");
    at_ms < Date.parse("2026-11-03T00:00:00Z");
    at_ms += 1_234_567
  ) {
    const hour = localHour(new Date(at_ms).toISOString(), zone)
    const found = hourSpan(hour, zone)
    expect(found !== null && found.from_ms <= at_ms && at_ms < found.until_ms, hour).toBe(true)
  }
})
