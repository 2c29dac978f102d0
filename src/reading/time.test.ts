import { describe, expect, test } from "vitest"
import { strict } from "../../test/readers.ts"
import { timeOfFace, timeOfText } from "./time.ts"

const at = (text: string, zone: string | null, received = "2026-10-30T00:00:00Z") =>
  timeOfText(text, { ...strict, zone, received_ms: Date.parse(received) })
const why = (message: string, code = "READER_TIME") =>
  expect.objectContaining({ code, message: expect.stringContaining(message) as string }) as Error

describe("a written time", () => {
  test.each([
    ["2026-07-01T12:00:00Z", "2026-07-01T12:00:00.000Z"],
    ["2026-07-01T12:00:00.123456789+08:00", "2026-07-01T04:00:00.123Z"],
    ["2026-07-01 12:00:00.5-0330", "2026-07-01T15:30:00.500Z"],
    ["20260701T120000Z", "2026-07-01T12:00:00.000Z"],
    ["2026/07/01 12:00:00z", "2026-07-01T12:00:00.000Z"],
  ])("with a zone is UTC: %s", (text, captured_at) => {
    expect(at(text, null)).toEqual({ captured_at, clock: "stated" })
    expect(at(text, "Asia/Tokyo")).toEqual({ captured_at, clock: "stated" })
  })
  test.each([
    ["Europe/Zagreb", "2026-07-01T10:00:00.089Z"],
    ["America/Chicago", "2026-07-01T17:00:00.089Z"],
    ["Asia/Kathmandu", "2026-07-01T06:15:00.089Z"],
    ["-05:00", "2026-07-01T17:00:00.089Z"],
    ["Z", "2026-07-01T12:00:00.089Z"],
  ])("without one is a clock face in the lane's: %s", (zone, captured_at) => {
    expect(at("20260701 120000089", zone)).toEqual({ captured_at, clock: "zone" })
  })
  test.each([
    ["2026-02-29T12:00:00Z", "no date"],
    ["2026-02-30T12:00:00Z", "no date"],
    ["2026-13-01T12:00:00Z", "no date"],
    ["2026-07-01T24:00:00Z", "no date"],
    ["2026-07-01T12:00:60Z", "no date"],
    ["01.07.2026 12:00", "not a date"],
    ["2026-07-01", "not a date"],
  ])("that is none is refused: %s", (text, message) => expect(() => at(text, "Z")).toThrow(why(message)))
})

describe("where the clocks change", () => {
  test("an hour that comes twice is the first, and says so", () => {
    expect(at("2026-10-25T02:30:00", "Europe/Zagreb")).toEqual({
      captured_at: "2026-10-25T00:30:00.000Z",
      clock: "zone-twice",
    })
    expect(at("2026-11-01T01:30:00", "America/Chicago", "2026-11-02T00:00:00Z")).toEqual({
      captured_at: "2026-11-01T06:30:00.000Z",
      clock: "zone-twice",
    })
  })
  test("the hours beside it come once", () => {
    expect(at("2026-10-25T01:59:59", "Europe/Zagreb")).toEqual({
      captured_at: "2026-10-24T23:59:59.000Z",
      clock: "zone",
    })
    expect(at("2026-10-25T03:00:00", "Europe/Zagreb")).toEqual({
      captured_at: "2026-10-25T02:00:00.000Z",
      clock: "zone",
    })
  })
  test("an hour that never was is taken as if the clocks had not changed, and says so", () => {
    expect(at("2026-03-29T02:30:00", "Europe/Zagreb")).toEqual({
      captured_at: "2026-03-29T01:30:00.000Z",
      clock: "zone-never",
    })
  })
  test("an offset has no such hours", () => {
    expect(at("2026-10-25T02:30:00", "+01:00")).toEqual({
      captured_at: "2026-10-25T01:30:00.000Z",
      clock: "zone",
    })
  })
  test("every half hour of a year in a zone comes back to the face it was read from", () => {
    const zone = "Europe/Zagreb"
    const face = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" })
    const options = { ...strict, zone, received_ms: Date.parse("2026-12-31T00:00:00Z") }
    for (let face_ms = Date.UTC(2026, 0, 1); face_ms < Date.UTC(2026, 11, 31); face_ms += 1_800_000) {
      const { captured_at, clock } = timeOfFace(face_ms, options)
      const shown = face.format(Date.parse(captured_at)).replace(" ", "T")
      if (clock !== "zone-never") expect(`${shown}.000Z`).toBe(new Date(face_ms).toISOString())
    }
  })
})

test("a lane's zone that is none is the lane's fault", () => {
  expect(() => at("2026-07-01T12:00:00", "Mars/Olympus")).toThrow(why("zone", "CONFIG"))
})
