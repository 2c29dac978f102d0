import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { counts } from "../../test/scope-result.ts"
import {
  crossingOf,
  intervalOf,
  seriesOf,
  thresholdState,
  type Bounds,
  type ThresholdState,
} from "./thresholds.ts"

const T = 100_000
const bounds = (at_least: number, at_most: number, low?: number, high?: number): Bounds =>
  low === undefined || high === undefined
    ? { at_least, at_most }
    : { at_least, at_most, estimate: { low, high } }

describe("a count against a threshold", () => {
  const table: [state: ThresholdState, Bounds][] = [
    ["crossed", bounds(T, T)],
    ["not", bounds(0, T - 1)],
    ["possible", bounds(T - 1, T)],
    ["crossed", bounds(90_000, 184_000, 100_000, 106_000)],
    ["possible", bounds(90_000, 184_000, 99_999, 106_000)],
    ["unlikely", bounds(60_000, 100_000, 70_000, 99_999)],
    ["possible", bounds(60_000, 100_000, 70_000, 100_000)],
    ["not", bounds(60_000, 99_999, 70_000, 99_999)],
  ]
  test.each(table)("%s: %j", (state, each) => expect(thresholdState(each, T)).toBe(state))
})

test("an estimate is cut to the bounds that always hold", () =>
  expect(intervalOf(bounds(10, 20, 5, 30))).toEqual({ l0: 10, l95: 10, u95: 20, u0: 20 }))

test("the states agree with their formulas for any interval", () => {
  const four = fc
    .array(fc.integer({ min: 0, max: 20 }), { minLength: 4, maxLength: 4 })
    .map(all => all.sort((a, b) => a - b))
  fc.assert(
    fc.property(four, fc.integer({ min: 1, max: 20 }), ([l0, l95, u95, u0], t) => {
      const state = thresholdState(bounds(l0!, u0!, l95!, u95!), t)
      expect(state === "crossed").toBe(l95! >= t)
      expect(state === "not").toBe(u0! < t)
      expect(state === "unlikely").toBe(u95! < t && t <= u0!)
    }),
  )
})

describe("the day of a crossing", () => {
  const series = [
    { day: "2018-08-20", bounds: bounds(20_000, 60_000) },
    { day: "2018-10-02", bounds: bounds(80_000, 120_000, 90_000, 101_000) },
    { day: "2018-11-15", bounds: bounds(95_000, 150_000, 100_000, 110_000) },
    { day: "2019-01-09", bounds: bounds(120_000, 184_000, 130_000, 140_000) },
  ]
  test("is the first whose cumulative L95 reaches it", () =>
    expect(crossingOf(series, T)).toEqual({
      state: "crossed",
      crossed_on: "2018-11-15",
      possible_from: "2018-10-02",
    }))
  test("is none while it is only possible", () =>
    expect(crossingOf(series.slice(0, 2), T)).toEqual({
      state: "possible",
      crossed_on: null,
      possible_from: "2018-10-02",
    }))
  test("is none where nothing left", () =>
    expect(crossingOf([], T)).toEqual({ state: "not", crossed_on: null, possible_from: null }))
  test("is not told of days that do not ascend", () =>
    expect(() => crossingOf([series[1]!, series[0]!], T)).toThrow("2018-08-20 stands after 2018-10-02"))
})

describe("what had left by an earlier day, from an estimate of all", () => {
  test("holds the number of each day wherever the estimate holds the last", () => {
    // By day, who is in each picture that left.
    const person = fc.integer({ min: 0, max: 30 })
    const picture = fc.uniqueArray(person, { maxLength: 4 })
    const days = fc.array(fc.array(picture, { maxLength: 5 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(days, fc.nat(9), fc.nat(9), (pictures, below, above) => {
        const truth = pictures.map((_, n) => new Set(pictures.slice(0, n + 1).flat(2)).size)
        const left_series = pictures.map((_, n) => {
          const faces = pictures.slice(0, n + 1).flat(2).length
          const fullest = Math.max(0, ...pictures.slice(0, n + 1).flatMap(day => day.map(all => all.length)))
          const [images, people] = [0, fullest].map(at_least => ({ at_least, at_most: faces }))
          return { day: `2026-05-0${n + 1}`, images: images!, people: people! }
        })
        const all = truth.at(-1)!
        const estimate = { point: all, low: Math.max(0, all - below), high: all + above, method: "" }
        const people = { ...left_series.at(-1)!.people, estimate, how: "" }
        const series = seriesOf({ left: counts({ people }), left_series }).people!
        for (const [n, { bounds }] of series.entries()) {
          const { l95, u95 } = intervalOf(bounds)
          expect(l95).toBeLessThanOrEqual(truth[n]!)
          expect(u95).toBeGreaterThanOrEqual(truth[n]!)
        }
        expect(intervalOf(series.at(-1)!.bounds)).toEqual(intervalOf(people))
      }),
    )
  })
  test("a result of before days were counted has none", () =>
    expect(seriesOf({ left: counts() })).toEqual({}))
})
