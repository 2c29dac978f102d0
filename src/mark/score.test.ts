import { describe, expect, test } from "vitest"
import { chanceOf } from "../drawing/chance.ts"
import { biases, biasesOf, chipsOf, weights } from "./code.ts"
import { log10Bound, scoresOf } from "./score.ts"
import { log10Tried, together, weightOf } from "./verdict.ts"

const key = (seed: number) => Uint8Array.from({ length: 32 }, (_, i) => (seed >> (8 * (i % 4))) & 255)

function evidenceOf(seed: string, length: number): Float32Array {
  const chance = chanceOf(seed)
  return Float32Array.from({ length }, () => chance.between(-2, 2) ** 3)
}

describe("the bound", () => {
  test("is never below the exact probability, which twelve chips allow to count", () => {
    for (const seed of ["a", "b", "c", "d", "e"]) {
      const evidence = evidenceOf(seed, 12)
      const bias = biasesOf(key(seed.charCodeAt(0)), 12)
      const outcomes = Array.from({ length: 4096 }, (_, word) => {
        let [sum, probability] = [0, 1]
        for (let i = 0; i < 12; i += 1) {
          const chip = ((word >> i) & 1) as 0 | 1
          const p = biases[bias[i] as 0 | 1 | 2]
          sum += evidence[i]! * weights[bias[i]!]![chip]
          probability *= chip === 1 ? p : 1 - p
        }
        return { sum, probability }
      })
      for (const threshold of [0.5, 2, 5, 9, 14, 20]) {
        const exact = outcomes.reduce(
          (all, { sum, probability }) => all + (sum >= threshold ? probability : 0),
          0,
        )
        const bound = log10Bound([{ evidence, biases: bias }], threshold)
        expect(exact === 0 ? -Infinity : Math.log10(exact)).toBeLessThanOrEqual(bound + 1e-9)
      }
    }
  })

  test("is never exceeded by true chips: of 20,000 innocents at most one in ten reaches 10⁻¹, one in a hundred 10⁻²", () => {
    const evidence = evidenceOf("simulated", 400)
    const bias = biasesOf(key(7), 400)
    for (const emphasis of ["all", "rarer"] as const) {
      const counts = [0, 0, 0]
      for (let n = 0; n < 20_000; n += 1) {
        const scores = scoresOf(evidence, { biases: bias, chips: chipsOf(key(1000 + n), bias) })
        const bound = log10Bound([{ evidence, biases: bias }], scores[emphasis].sum, emphasis)
        counts.forEach((count, i) => (counts[i] = count + (bound <= -1 - i ? 1 : 0)))
      }
      counts.forEach((count, i) => expect(count / 20_000).toBeLessThanOrEqual(10 ** (-1 - i)))
      expect(counts[0]).toBeGreaterThan(0)
    }
  })

  test("says nothing for a score that is not above 0, and for no evidence", () => {
    const bias = biasesOf(key(1), 100)
    expect(log10Bound([{ evidence: evidenceOf("x", 100), biases: bias }], 0)).toBe(0)
    expect(log10Bound([{ evidence: new Float32Array(100), biases: bias }], 5)).toBe(0)
    expect(log10Bound([], 5)).toBe(0)
  })
})

describe("how much speaks for somebody", () => {
  const tried = { originals: 1, holders: 1, files: 1, runs: 1 }
  const codeword = (seed: number) => {
    const bias = biasesOf(key(3), 2000)
    return { biases: bias, chips: chipsOf(key(seed), bias) }
  }
  /** What a leak says that shows a holder's chips through noise. */
  const testimonyOf = (of: ReturnType<typeof codeword>, share: number, seed: string) => {
    const chance = chanceOf(seed)
    const plain = Float32Array.from(of.chips, (chip, i) => {
      return share * (chip - biases[of.biases[i] as 0 | 1 | 2]) + chance.between(-1.7, 1.7)
    })
    return { plain, even: plain, quantised: null }
  }

  test("everything that was tried is paid for", () => {
    const testimony = testimonyOf(codeword(5), 0.8, "paid")
    const alone = weightOf([{ testimony, codeword: codeword(5) }], tried).log10_bound
    const among = weightOf([{ testimony, codeword: codeword(5) }], { ...tried, originals: 3, holders: 1000 })
    expect(alone).toBeLessThan(-9)
    expect(among.log10_bound - alone).toBeCloseTo(Math.log10(3000), 6)
    expect(log10Tried({ originals: 10, holders: 10, files: 10, runs: 10 })).toBeCloseTo(4 + Math.log10(12), 9)
  })

  test("one of five who write the rarer symbol is named by the outer biases against the middle one, not by all alike", () => {
    const bias = biasesOf(key(3), 6000)
    const five = [0, 1, 2, 3, 4].map(n => chipsOf(key(70 + n), bias))
    const chance = chanceOf("rarer")
    const plain = Float32Array.from(bias, (_, i) => {
      const ones = five.filter(chips => chips[i] === 1).length
      const written = ones === 5 || (ones > 0 && ones < 3) ? 1 : 0
      return 1.1 * (written - 0.5) + chance.between(-1.7, 1.7)
    })
    const held = {
      testimony: { plain, even: plain, quantised: null },
      codeword: { biases: bias, chips: five[0]! },
    }
    const named = weightOf([held], { ...tried, originals: 10_000, holders: 1_000 })
    expect(named).toMatchObject({ emphasis: "rarer" })
    expect(named.log10_bound).toBeLessThan(-9)
    const { all } = scoresOf(plain, held.codeword)
    expect(log10Bound([{ evidence: plain, biases: bias }], all.sum) + 7).toBeGreaterThan(-9)
    const innocent = { ...held, codeword: { biases: bias, chips: chipsOf(key(900), bias) } }
    expect(weightOf([innocent], tried).log10_bound).toBeGreaterThan(-3)
  })

  test("the statistic that says most names, and a file that has none of a kind speaks in its plain one", () => {
    const { plain } = testimonyOf(codeword(5), 0, "nothing")
    const { plain: even } = testimonyOf(codeword(5), 0.8, "something")
    const held = { testimony: { plain, even, quantised: null }, codeword: codeword(5) }
    expect(weightOf([held], tried)).toMatchObject({ statistic: "even", emphasis: "all" })
    const quantised = { ...held.testimony, even: plain, quantised: even }
    expect(weightOf([{ ...held, testimony: quantised }], tried)).toMatchObject({ statistic: "quantised" })
    expect(
      weightOf([{ ...held, testimony: { ...quantised, quantised: null } }], tried).log10_bound,
    ).toBeGreaterThan(-3)
  })

  test("two files of one original count its chips once: what the same innocent's chips say twice is no more certain", () => {
    const [one, other] = ["first", "second"].map(seed => ({
      testimony: testimonyOf(codeword(5), 0.4, seed),
      codeword: codeword(5),
    })) as [Parameters<typeof together>[0], Parameters<typeof together>[0]]
    const merged = weightOf([together(one, other)], tried).log10_bound
    expect(merged).toBeLessThan(weightOf([one], tried).log10_bound)
    // An innocent whose chips happen to agree with evidence that is in both files by the same noise gains nothing.
    const same = weightOf([together(one, one)], tried).log10_bound
    expect(same).toBeCloseTo(weightOf([one], tried).log10_bound, 6)
  })

  test("one file that says too little and two more like it name somebody together, and nobody else", () => {
    const files = [0, 1, 2].map(i => ({
      testimony: testimonyOf(codeword(50 + i), 0.3, `weak ${i}`),
      codeword: codeword(50 + i),
    }))
    const singly = files.map(each => weightOf([each], tried).log10_bound)
    expect(Math.min(...singly)).toBeGreaterThan(-9)
    expect(weightOf(files, tried).log10_bound).toBeLessThan(Math.min(...singly) - 2)
    const innocent = files.map(({ testimony }, i) => ({ testimony, codeword: codeword(900 + i) }))
    expect(weightOf(innocent, tried).log10_bound).toBeGreaterThan(-3)
  })
})
