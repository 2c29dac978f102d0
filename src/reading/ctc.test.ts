import fc from "fast-check"
import { expect, test } from "vitest"
import { likeliestTexts, logOdds } from "./ctc.ts"
import { classCount, type TextOdds } from "./text-recogniser.ts"

/** Classes that the cases use: nothing, A, B. */
const used = 3

const lines = fc
  .array(fc.array(fc.integer({ min: 5, max: 100 }), { minLength: used, maxLength: used }), {
    minLength: 1,
    maxLength: 5,
  })
  .map(rows => {
    const odds = new Float32Array(rows.length * classCount)
    rows.forEach((row, step) => {
      const sum = row.reduce((a, b) => a + b, 0)
      row.forEach((weight, c) => (odds[step * classCount + c] = weight / sum))
    })
    return { steps: rows.length, odds }
  })

/** The probability of every text, by summing over all paths: shares nothing with what it judges. */
function bruteForce({ steps, odds }: TextOdds): Map<string, number> {
  const sums = new Map<string, number>()
  for (let path = 0; path < used ** steps; path += 1) {
    let [text, before, odd] = ["", 0, 1]
    for (let step = 0; step < steps; step += 1) {
      const c = Math.floor(path / used ** step) % used
      odd *= odds[step * classCount + c]!
      if (c !== 0 && c !== before) text += " AB"[c]
      before = c
    }
    sums.set(text, (sums.get(text) ?? 0) + odd)
  }
  return sums
}

test("the probability of a text is the sum over all its paths", () => {
  fc.assert(
    fc.property(lines, line => {
      for (const [text, odd] of bruteForce(line)) expect(Math.exp(logOdds(line, text))).toBeCloseTo(odd, 5)
    }),
  )
})

test("a search as wide as there are texts finds the likeliest one, with its probability", () => {
  fc.assert(
    fc.property(lines, line => {
      const best = Math.max(...bruteForce(line).values())
      expect(Math.exp(likeliestTexts(line, 200)[0]!.log)).toBeCloseTo(best, 5)
    }),
  )
})

test("a text longer than its line is impossible, and a doubled letter needs a step between", () => {
  const odds = new Float32Array(2 * classCount).fill(1 / classCount)
  expect(logOdds({ steps: 2, odds }, "AAA")).toBe(-Infinity)
  expect(logOdds({ steps: 2, odds }, "AA")).toBe(-Infinity)
  expect(logOdds({ steps: 2, odds }, "AB")).toBeGreaterThan(-10)
})
