import { describe, expect, test } from "vitest"
import { Groups } from "./groups.ts"
import { fitted, matchOdds, weightOf, type LinkModel } from "./linkage.ts"
import { usualSeparation } from "./occupancy.ts"
import { keysOf, likenessOf } from "./plate-likeness.ts"
import { groupsFrom, linkageOf, linkKey, usualThresholds, vehiclesOf, type PlateRead } from "./vehicles.ts"

const hour_ms = 3_600_000
const read = (plate: string, hours: number, more: Partial<PlateRead> = {}): PlateRead => ({
  plate,
  region: "TX",
  port: "a",
  lane: "1",
  at_ms: hours * hour_ms,
  direction: null,
  crossing: null,
  ...more,
})
const rules = { thresholds: usualThresholds, separation: usualSeparation, clerk: new Map<string, boolean>() }

/** Many vehicles, read three times each and once with a look-alike in the same crossing. */
function reads(count: number): PlateRead[] {
  return Array.from({ length: count }, (_, i) => {
    const plate = `K${String.fromCharCode(65 + (i % 17))}X${4000 + 7 * i}`
    const wrong = plate.replace("4", "A")
    const crossing = `${i} second`
    const later = { crossing, at_ms: (2 * i + 700) * hour_ms }
    return [
      read(plate, 2 * i),
      read(plate, 0, later),
      read(wrong, 0, { ...later, at_ms: later.at_ms + 900 }),
      read(plate, 2 * i + 2000),
    ]
  }).flat()
}

describe("plates' likeness", () => {
  test("tells look-alikes, other characters and lost ones", () => {
    expect(likenessOf("KBX4017", "KBX4017")).toBe("same")
    expect(likenessOf("KBX4017", "K8X4017")).toBe("one-alike")
    expect(likenessOf("KBX4017", "K8X4O17")).toBe("more-alike")
    expect(likenessOf("KBX4017", "KBX4317")).toBe("one-unlike")
    expect(likenessOf("KBX4017", "KX4017")).toBe("one-missing")
    expect(likenessOf("KBX4017", "KBX9917")).toBeNull()
    expect(likenessOf("KBX4017", "X4017")).toBeNull()
  })
  test("texts that are alike share a key", () => {
    for (const other of ["K8X4O17", "KBX4317", "KX4017", "8BX4017"])
      expect(
        keysOf("KBX4017").some(key => keysOf(other).includes(key)),
        other,
      ).toBe(true)
  })
})

describe("linkage", () => {
  const model: LinkModel = { prior: 0.5, m: [[0.9, 0.1]], u: [[0.1, 0.9]] }
  test("a weight is the sum of log2(m/u), and the odds follow from it", () => {
    expect(weightOf(model, [0])).toBeCloseTo(Math.log2(9), 12)
    expect(matchOdds(model, [0])).toBeCloseTo(0.9, 12)
  })
  test("m, u and prior are found again from pairs drawn with them", () => {
    const true_ = { prior: 0.2, m: [0.9, 0.8, 0.95], u: [0.1, 0.3, 0.05] }
    const pairs: number[][] = []
    const counts = (share: number, levels: readonly number[]) => {
      for (let bits = 0; bits < 8; bits += 1) {
        const of = [bits & 1, (bits >> 1) & 1, (bits >> 2) & 1]
        const odds = of.reduce(
          (product, bit, i) => product * (bit === 0 ? levels[i]! : 1 - levels[i]!),
          share,
        )
        for (let n = 0; n < Math.round(odds * 20_000); n += 1) pairs.push(of)
      }
    }
    counts(true_.prior, true_.m)
    counts(1 - true_.prior, true_.u)
    const first = {
      prior: 0.4,
      m: [
        [0.7, 0.3],
        [0.7, 0.3],
        [0.7, 0.3],
      ],
      u: [
        [0.4, 0.6],
        [0.4, 0.6],
        [0.4, 0.6],
      ],
    }
    const found = fitted(pairs, first)
    expect(found.prior).toBeCloseTo(0.2, 2)
    found.m.forEach(([agrees], i) => expect(agrees).toBeCloseTo(true_.m[i]!, 1))
    found.u.forEach(([agrees], i) => expect(agrees).toBeCloseTo(true_.u[i]!, 1))
  })
  test("groups only grow together", () => {
    const groups = new Groups(4)
    expect([groups.join(0, 1), groups.join(1, 0), groups.join(2, 1)]).toEqual([true, false, true])
    expect([
      groups.count,
      groups.size(0),
      groups.of(0) === groups.of(2),
      groups.of(3) === groups.of(0),
    ]).toEqual([2, 3, true, false])
  })
})

describe("vehicles", () => {
  test("misreads in one crossing are one vehicle, so the count is not the texts", () => {
    const all = reads(120)
    const count = vehiclesOf(all, linkageOf(all), rules)
    expect(count.texts).toBe(240)
    expect(count.linkedHigh).toBe(120)
    expect(count.at_most).toBe(360)
    expect(count.at_least).toBeLessThanOrEqual(120)
  })
  test("the same moment in two lanes is never a link, however alike", () => {
    const all = [...reads(50), read("KBX4000", 9000), read("K8X4000", 9000, { lane: "2" })]
    const { texts, links } = linkageOf(all)
    const of = (plate: string) => texts.findIndex(text => text.plate === plate)
    const pair = [of("KBX4000"), of("K8X4000")]
    expect(links.some(({ a, b }) => pair.includes(a) && pair.includes(b))).toBe(false)
    expect(vehiclesOf(all.slice(-2), linkageOf(all.slice(-2)), rules).at_least).toBe(2)
  })
  test("a state misread once is no other vehicle, and two states read twice each are two", () => {
    const [one, two] = [
      [read("ABC123", 1), read("ABC123", 2), read("ABC123", 3, { region: "NM" })],
      [
        read("ABC123", 1),
        read("ABC123", 2),
        read("ABC123", 3, { region: "NM" }),
        read("ABC123", 4, { region: "NM" }),
      ],
    ]
    expect(linkageOf(one).texts).toHaveLength(1)
    expect(linkageOf([...one, read("ABC123", 5, { region: null })]).texts).toHaveLength(1)
    expect(linkageOf(two).texts).toHaveLength(2)
  })
  test("a clerk's word stands above the model's", () => {
    const all = reads(60)
    const linkage = linkageOf(all)
    const [first] = linkage.links
    const before = groupsFrom(linkage, 0.5, new Map()).count
    expect(groupsFrom(linkage, 0.5, new Map([[linkKey(first!), false]])).count).toBe(before + 1)
  })
  test("nothing read is nothing", () => {
    expect(vehiclesOf([], linkageOf([]), rules)).toMatchObject({
      at_least: 0,
      at_most: 0,
      point: 0,
      linkedHigh: 0,
    })
  })
})
