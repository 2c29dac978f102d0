import { describe, expect, test } from "vitest"
import { errorsOf, oddsOf, valuesOf, type Control } from "./looks.ts"
import { estimateOf, peopleCount, reciprocalOf, type Adjudicated } from "./people.ts"

const none = { same: 0, different: 0, unsure: 0 }
const control = (wrong: number, bothWrong: number): Control => ({ pairs: 200, looks: 400, wrong, bothWrong })
const perfect = { duplicates: control(0, 0), foils: control(0, 0), searched: null }
const face = (more: Partial<Adjudicated> = {}): Adjudicated => ({
  isFace: true,
  clusterSize: 1,
  inside: none,
  outside: none,
  ...more,
})

function binomial(n: number, k: number): number {
  return k === 0 ? 1 : (binomial(n - 1, k - 1) * n) / k
}

describe("one over the number of a person's faces", () => {
  test("without errors it is that", () => {
    const odds = { foundInside: 1, foundOutside: 1, mistakenInside: 0, mistakenOutside: 0 }
    const told = face({ inside: { ...none, same: 2 }, outside: { ...none, same: 1, different: 9 } })
    expect(reciprocalOf(told, odds, 0)).toBeCloseTo(1 / 4, 12)
  })
  test("with misses and mistakes its mean over all that could be told is that", () => {
    const odds = { foundInside: 0.97, foundOutside: 0.9, mistakenInside: 0.04, mistakenOutside: 0.01 }
    const [inside, outside, foils] = [2, 3, 6]
    let mean = 0
    for (let a = 0; a <= inside; a += 1)
      for (let b = 0; b <= outside; b += 1)
        for (let c = 0; c <= foils; c += 1) {
          const probability =
            binomial(inside, a) *
            0.97 ** a *
            0.03 ** (inside - a) *
            (binomial(outside, b) * 0.9 ** b * 0.1 ** (outside - b)) *
            (binomial(foils, c) * 0.01 ** c * 0.99 ** (foils - c))
          // The number of truly different pairs shown is what the correction takes; of those told it is nearly that.
          const told = face({
            inside: { ...none, same: a },
            outside: { same: b + c, different: foils, unsure: 0 },
          })
          mean += probability * reciprocalOf(told, odds, 0)
        }
    expect(mean).toBeCloseTo(1 / (1 + inside + outside), 10)
  })
})

describe("adjudicators' errors", () => {
  test("too few controls say nothing, and neither do people or searches that are wrong too often", () => {
    expect(errorsOf({ ...perfect, duplicates: control(101, 30) }, 2, "tested")).toBeNull()
    expect(errorsOf({ ...perfect, searched: { found: 70, of: 100 } }, 2, "tested")).toBeNull()
    expect(errorsOf({ ...perfect, searched: { found: 9, of: 9 } }, 2, "tested")).toBeNull()
    expect(errorsOf({ ...perfect, foils: { ...control(0, 0), pairs: 49 } }, 2, "tested")).toBeNull()
  })
  test("a word against the machine needs both, so mistakes outside are rare and misses there are double", () => {
    const errors = errorsOf({ duplicates: control(8, 0), foils: control(8, 0), searched: null }, 2, "tested")!
    const odds = oddsOf(valuesOf(errors), 2)
    expect(odds.mistakenOutside).toBeCloseTo(0.0004, 10)
    expect(odds.foundOutside).toBeCloseTo(0.98 ** 2, 10)
    expect(odds.foundInside).toBeCloseTo(1 - 0.0004, 10)
  })
  test("pairs that are hard for both are seen by the controls, and then counted as measured", () => {
    const errors = errorsOf({ duplicates: control(8, 0), foils: control(8, 3), searched: null }, 2, "tested")!
    expect(errors.mistakeTwice?.value).toBeCloseTo(3 / 200, 10)
    expect(errors.missTwice).toBeNull()
  })
  test("or always as measured, where independence is not to be taken for granted", () => {
    const errors = errorsOf(
      { duplicates: control(8, 0), foils: control(8, 1), searched: null },
      2,
      "measured",
    )!
    expect([errors.missTwice?.value, errors.mistakeTwice?.value]).toEqual([0, 1 / 200])
    expect(errors.missTwice!.variance).toBeGreaterThan(0)
  })
})

describe("the estimate of people", () => {
  const errors = errorsOf(perfect, 2, "tested")!
  const right = Array.from({ length: 1000 }, () => face())
  test("right clusters and no errors give the clusters, within a half of a percent", () => {
    const interval = estimateOf({ faces: 50_000, clusters: 50_000, sampled: right, errors })!
    expect(interval.point).toBe(50_000)
    expect(interval.low).toBeGreaterThan(49_000)
    expect(interval.low).toBeLessThan(50_000)
  })
  test("a split person moves it down, a merged one up, and nobody counts as nobody", () => {
    const of = (some: Adjudicated) => {
      const sampled = [...Array.from({ length: 100 }, () => some), ...right.slice(100)]
      return estimateOf({ faces: 12_000, clusters: 10_000, sampled, errors })!.point
    }
    expect(of(face({ outside: { same: 1, different: 9, unsure: 0 } }))).toBe(9400)
    expect(of(face({ clusterSize: 2, inside: { ...none, different: 1 } }))).toBe(10_600)
    expect(of(face({ isFace: false }))).toBe(8800)
  })
  test("an unsure pair widens both ends", () => {
    const unsure = Array.from({ length: 100 }, () => face({ outside: { same: 0, different: 9, unsure: 1 } }))
    const sampled = [...unsure, ...right.slice(100)]
    const interval = estimateOf({ faces: 12_000, clusters: 10_000, sampled, errors })!
    expect(interval.low).toBeLessThan(9400)
    expect(interval.high).toBeGreaterThan(10_000)
  })
  test("worse controls make it wider, and a sample too small gives none", () => {
    const sampled = right.map((each, i) => (i < 100 ? face({ outside: { ...none, same: 1 } }) : each))
    const width = (of: ReturnType<typeof errorsOf>) => {
      const { low, high } = estimateOf({ faces: 12_000, clusters: 10_000, sampled, errors: of! })!
      return high - low
    }
    const controls = { duplicates: control(40, 4), foils: control(8, 0), searched: { found: 80, of: 100 } }
    const bad = errorsOf(controls, 2, "tested")
    expect(width(bad)).toBeGreaterThan(width(errors))
    expect(estimateOf({ faces: 12_000, clusters: 10_000, sampled: right.slice(0, 99), errors })).toBeNull()
  })
  test("a count stays within its bounds and its upper end takes in whatever was not clustered", () => {
    const interval = { point: 900, low: 880, high: 920 }
    const count = peopleCount({ at_least: 12, at_most: 1000 }, { interval, unclustered: 50, method: "m" })
    expect(count.estimate).toEqual({ point: 900, low: 880, high: 970, method: "m" })
    const capped = peopleCount({ at_least: 12, at_most: 910 }, { interval, unclustered: 50, method: "m" })
    expect(capped.estimate).toMatchObject({ point: 900, high: 910 })
    expect(
      peopleCount({ at_least: 1, at_most: 2 }, { interval: null, unclustered: 0, method: "m" }).estimate,
    ).toBeUndefined()
  })
})
