import { expect, test } from "vitest"
import { endOf } from "./times.ts"

const from_ms = Date.parse("2026-11-01T06:00:00Z")

test("a moment is typed as now, a span, or RFC 3339", () => {
  expect(endOf("now", from_ms)).toBe("2026-11-01T06:00:00.000Z")
  expect(endOf("90m", from_ms)).toBe("2026-11-01T07:30:00.000Z")
  expect(endOf("2d", from_ms)).toBe("2026-11-03T06:00:00.000Z")
  expect(endOf("2026-11-01T06:30:00Z", from_ms)).toBe("2026-11-01T06:30:00.000Z")
})

test("on the night when the clocks go back, both half past ones can be said, and neither by itself", () => {
  expect(endOf("2026-11-01T01:30:00-05:00", from_ms)).toBe("2026-11-01T06:30:00.000Z")
  expect(endOf("2026-11-01T01:30:00-06:00", from_ms)).toBe("2026-11-01T07:30:00.000Z")
  for (const text of ["2026-11-01T01:30:00", "2026-11-01", "2026-03-08T02:30:00", "tomorrow", ""])
    expect(() => endOf(text, from_ms), text).toThrow(/offset/)
})
