import { describe, expect, test } from "vitest"
import { utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { packContents, unpackContents } from "../seal/contents.ts"
import type { OtherFields, Read } from "../seal/read.ts"
import { eventOf, shotsOf } from "./event.ts"

const read: Read = {
  source: "axis",
  captured_at: "2026-03-04T05:06:07.089Z",
  clock: "stated",
  event_id: "a/1",
  crossing_id: "a/c",
  camera: "a",
  lane: null,
  plate: {
    text: "SP7X042",
    normalized: "SP7X042",
    region: null,
    confidence: 0.5,
    box: { x_px: 100, y_px: 60, width_px: 40, height_px: 10 },
    candidates: [],
  },
  vehicle: { make: null, model: null, colour: null, type: null, box: null },
  direction: null,
  speed: null,
  pictures: [{ role: "scene", index: 0, width_px: 640, height_px: 480, origin: null }],
  doubts: [],
  other: { fields: {}, left_out: 0 },
}

const sizeOf = (value: unknown) => utf8(canonical(value)).length
const many = (count: number, text: string): OtherFields => ({
  fields: Object.fromEntries(Array.from({ length: count }, (_, i) => [`/f${i}`, text])),
  left_out: 3,
})

describe("an event that is sealed", () => {
  test.each([
    ["in Latin", "x".repeat(100)],
    ["in Cyrillic", "ж".repeat(100)],
    ["of characters that are escaped", "\u0001".repeat(100)],
  ])("keeps as many unknown fields as fit into 65,536 bytes, and counts the others: %s", (_, text) => {
    const event = eventOf([{ ...read, other: many(2_000, text) }], 0)
    const { fields, left_out } = event.reads[0]!.other
    expect(Object.keys(fields).length + left_out).toBe(2_003)
    expect(sizeOf(event)).toBeLessThanOrEqual(65_536)
    expect(sizeOf(event)).toBeGreaterThan(65_536 - 1_000)
    expect(unpackContents(packContents({ picture: utf8("p"), event }))?.event).toEqual(event)
  })
  test("reads that share a picture share the room", () => {
    const event = eventOf(
      [1, 2, 3].map(() => ({ ...read, other: many(1_000, "x".repeat(50)) })),
      0,
    )
    const counts = event.reads.map(each => Object.keys(each.other.fields).length)
    expect(new Set(counts).size).toBe(1)
    expect(event.plates).toHaveLength(3)
    expect(sizeOf(event)).toBeLessThanOrEqual(65_536)
  })
  test("all fields that fit are kept", () => {
    expect(eventOf([{ ...read, other: many(5, "x") }], 0).reads[0]?.other).toEqual(many(5, "x"))
  })
  test("an event too large without any unknown field is refused", () => {
    const long = {
      ...read,
      camera: "\u0001".repeat(128),
      event_id: "\u0001".repeat(128),
      crossing_id: "\u0001".repeat(128),
    }
    const candidate = { text: "\u0001".repeat(32), confidence: null }
    const plate = {
      ...read.plate!,
      text: "\u0001".repeat(32),
      candidates: Array(10).fill(candidate) as (typeof candidate)[],
    }
    expect(() => eventOf(Array(16).fill({ ...long, plate }) as Read[], 0)).toThrow(
      expect.objectContaining({ code: "READER_EVENT" }),
    )
  })
})

describe("where the plate lies", () => {
  const boxIn = (picture: Partial<Read["pictures"][number]>) =>
    eventOf([{ ...read, pictures: [{ ...read.pictures[0]!, ...picture }] }], 0).plates[0]?.box
  test("a scene shows it where it was told, a plate's crop is all plate", () => {
    expect(boxIn({})).toEqual(read.plate?.box)
    expect(boxIn({ role: "plate", width_px: 44, height_px: 12 })).toEqual({
      x_px: 0,
      y_px: 0,
      width_px: 44,
      height_px: 12,
    })
  })
  test("a vehicle's crop shows it moved by its corner, and not at all where that is not known or it lies outside", () => {
    const crop = { role: "vehicle" as const, width_px: 100, height_px: 50 }
    expect(boxIn({ ...crop, origin: { x_px: 90, y_px: 50 } })).toEqual({
      x_px: 10,
      y_px: 10,
      width_px: 40,
      height_px: 10,
    })
    expect(boxIn(crop)).toBeUndefined()
    expect(boxIn({ ...crop, origin: { x_px: 120, y_px: 50 } })).toBeUndefined()
    expect(boxIn({ ...crop, origin: { x_px: 90, y_px: 5 } })).toBeUndefined()
  })
  test("a second scene of another size does not show it", () => {
    const [first] = read.pictures
    const two = { ...read, pictures: [first!, { ...first!, index: 1, width_px: 320 }] }
    expect(eventOf([two], 0).plates).toHaveLength(1)
    expect(eventOf([two], 1).plates).toHaveLength(0)
  })
})

test("of 20 reads that share a picture the picture is sealed twice, with 16 and with 4", () => {
  const picture = { bytes: utf8("p"), format: "jpeg" as const, width_px: 640, height_px: 480 }
  const reads = Array.from({ length: 20 }, (_, i) => ({ ...read, event_id: `a/${i}` }))
  const shots = shotsOf({ reads, pictures: [picture], health: [], passedOver: [] })
  expect(shots.map(shot => shot.event.reads.length)).toEqual([16, 4])
  expect(shots.flatMap(shot => shot.event.reads.map(each => each.event_id))).toEqual(
    reads.map(each => each.event_id),
  )
})

test("a passage without a picture is sealed with none", () => {
  const [shot] = shotsOf({ reads: [{ ...read, pictures: [] }], pictures: [], health: [], passedOver: [] })
  expect(shot).toMatchObject({
    kind: "scene",
    event: { role: null, plates: [] },
    capturedAt_ms: Date.parse(read.captured_at),
  })
  expect(shot?.picture).toHaveLength(0)
})
