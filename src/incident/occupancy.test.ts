import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { chanceOf } from "../drawing/chance.ts"
import { boundsOf, leastByDay, usualSeparation, type Sighting } from "./occupancy.ts"

const rules = { occupancy: 5, separation: usualSeparation }
const at = (seconds: number, more: Partial<Sighting> = {}): Sighting => ({
  port: "a",
  lane: "1",
  crossing: null,
  at_ms: 1000 * seconds,
  least: 1,
  most: 1,
  ...more,
})

describe("bounds of people", () => {
  test("everybody is somebody else at most, and an undetermined image is full", () => {
    expect(boundsOf([at(0, { most: 2 }), at(9, { least: 0, most: null })], rules).at_most).toBe(7)
    expect(boundsOf([], rules)).toEqual({ at_least: 0, at_most: 0 })
  })
  test("the same moment in two lanes is two people, and in one lane it may be one", () => {
    expect(boundsOf([at(0), at(3, { lane: "2" })], rules).at_least).toBe(2)
    expect(boundsOf([at(0), at(3)], rules).at_least).toBe(1)
  })
  test("who could have walked, or whose clocks could be off, may be one", () => {
    expect(boundsOf([at(0), at(4, { lane: "2" })], rules).at_least).toBe(1)
    expect(boundsOf([at(0), at(114, { port: "b" })], rules).at_least).toBe(2)
    expect(boundsOf([at(0), at(115, { port: "b" })], rules).at_least).toBe(1)
  })
  test("the fullest image of a lane counts, and ports add up", () => {
    const sightings = [at(0, { least: 2, most: 2 }), at(2), at(1, { lane: "2" }), at(60, { port: "b" })]
    expect(boundsOf(sightings, rules).at_least).toBe(4)
  })
  test("crossings of one lane are told apart where nobody comes again so soon, but an unknown one never", () => {
    const separation = { ...usualSeparation, nextCrossing_s: 60 }
    const two = [at(0, { crossing: "x" }), at(2, { crossing: "y" })]
    expect(boundsOf(two, { occupancy: 5, separation }).at_least).toBe(2)
    expect(boundsOf([...two, at(1)], { occupancy: 5, separation }).at_least).toBe(2)
  })
  test("no set of pictures proves more people than there are", () => {
    // Each person stands somewhere for a while and goes on no faster than the separation allows.
    const person = fc.array(
      fc.record({
        port: fc.constantFrom("a", "b"),
        lane: fc.constantFrom("1", "2", "3"),
        rest: fc.integer({ min: 0, max: 9 }),
      }),
      { minLength: 1, maxLength: 6 },
    )
    fc.assert(
      fc.property(fc.array(person, { maxLength: 8 }), people => {
        const sightings = people.flatMap(places => {
          let [seconds, before] = [0, places[0]!]
          return places.map(place => {
            const isMoved = place.port !== before.port || place.lane !== before.lane
            seconds += place.rest + (place.port !== before.port ? 120 : isMoved ? 5 : 0)
            before = place
            return at(seconds, { port: place.port, lane: place.lane })
          })
        })
        const { at_least, at_most } = boundsOf(sightings, rules)
        expect(at_least).toBeLessThanOrEqual(people.length)
        expect(at_most).toBeGreaterThanOrEqual(people.length)
      }),
    )
  })
})

describe("the most at one time", () => {
  /** Over each pair of images as the ends of a port's window and of all ports' window. */
  const slowly = (all: readonly (Sighting & { readonly at_ms: number })[]) => {
    const within = (at_ms: number, end_ms: number, window_s: number) =>
      at_ms <= end_ms && at_ms > end_ms - 1000 * window_s
    const inPort = (port: string, end_ms: number) => {
      const lanes = new Map<string, number>()
      for (const { lane, least } of all.filter(e => e.port === port && within(e.at_ms, end_ms, 4)))
        lanes.set(lane, Math.max(lanes.get(lane) ?? 0, least))
      return [...lanes.values()].reduce((sum, least) => sum + least, 0)
    }
    const ports = [...new Set(all.map(({ port }) => port))]
    const sums = all.map(({ at_ms: end_ms }) =>
      ports
        .map(port => {
          const ends = all.filter(e => e.port === port && within(e.at_ms, end_ms, 115))
          return Math.max(0, ...ends.map(e => inPort(port, e.at_ms)))
        })
        .reduce((sum, most) => sum + most, 0),
    )
    return Math.max(0, ...sums)
  }
  test("is what looking at every window says", () => {
    const sighting = fc.record({
      port: fc.constantFrom("a", "b", "c"),
      lane: fc.constantFrom("1", "2", "3"),
      crossing: fc.constant(null),
      at_ms: fc.integer({ min: 0, max: 150 }).map(seconds => 1000 * seconds),
      least: fc.integer({ min: 0, max: 4 }),
      most: fc.constant(4),
    })
    fc.assert(
      fc.property(fc.array(sighting, { maxLength: 30 }), all => {
        expect(boundsOf(all, rules).at_least).toBe(slowly(all))
      }),
    )
  })
})

describe("what is proven by the end of each day", () => {
  const sighting = fc.record({
    port: fc.constantFrom("a", "b"),
    lane: fc.constantFrom("1", "2", "3"),
    crossing: fc.constant(null),
    at_ms: fc.option(fc.integer({ min: 0, max: 300_000 })),
    least: fc.integer({ min: 0, max: 4 }),
    most: fc.constant(4),
    day: fc.integer({ min: 0, max: 5 }),
  })
  test("is what all images of that day and before prove", () => {
    fc.assert(
      fc.property(fc.array(sighting, { maxLength: 40 }), all => {
        const proven = Array.from({ length: 6 }, (_, today) => {
          const there = all.filter(({ day }) => day <= today)
          return boundsOf(there, rules).at_least
        })
        expect(leastByDay(all, 6, rules)).toEqual(proven)
      }),
    )
  })
  test("is never more than that among many images and days, and the same after the last", () => {
    const chance = chanceOf(7)
    const all = Array.from({ length: 2_000 }, () => ({
      ...at(chance.index(86_400), { port: `${chance.index(3)}`, lane: `${chance.index(9)}` }),
      day: chance.index(180),
    }))
    const found = leastByDay(all, 180, rules)
    const proven = found.map((_, today) => {
      return boundsOf(
        all.filter(({ day }) => day <= today),
        rules,
      ).at_least
    })
    for (const [today, least] of found.entries()) expect(least).toBeLessThanOrEqual(proven[today]!)
    expect([...found].sort((a, b) => a - b)).toEqual(found)
    expect(found.at(-1)).toBe(proven.at(-1))
    // Some days are left out, and not all.
    const behind = found.filter((least, today) => least < proven[today]!).length
    expect(behind).toBeGreaterThan(0)
    expect(behind).toBeLessThan(120)
  })
  test("an image of an unknown time counts by itself", () => {
    const seen = [at(0), at(3, { lane: "2" }), at(0, { at_ms: null, least: 3, most: 3 })]
    expect(boundsOf(seen, rules).at_least).toBe(3)
    expect(boundsOf([...seen, at(3, { port: "b", least: 2 })], rules).at_least).toBe(4)
    expect(leastByDay([], 0, rules)).toEqual([])
  })
})
