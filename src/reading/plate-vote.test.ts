import { expect, test } from "vitest"
import { confidenceOf, isSure } from "./plate-confidence.ts"
import { evidenceOf, merged, vote } from "./plate-vote.ts"
import { alphabet, classCount, type TextOdds } from "./text-recogniser.ts"

/** What a recogniser sees of a text: each character for one step, after one of nothing; `doubt` goes to another character. */
function seen(text: string, doubt: { at?: number; for?: string; share?: number } = {}): TextOdds {
  const steps = 2 * text.length
  const odds = new Float32Array(steps * classCount)
  ;[...text].forEach((character, i) => {
    odds[2 * i * classCount] = 1
    const share = doubt.at === i ? (doubt.share ?? 0) : 0
    odds[(2 * i + 1) * classCount + alphabet.indexOf(character) + 1] = 1 - share
    if (doubt.at === i) odds[(2 * i + 1) * classCount + alphabet.indexOf(doubt.for!) + 1] = share
  })
  return { steps, odds }
}

const five = (reading: TextOdds) => [reading, reading, reading, reading, reading]

test("five readings that agree give their text, for sure", () => {
  const candidates = vote(five(seen("ABC1234")), "br")
  expect(candidates[0]).toMatchObject({ text: "ABC1234", share: 1 })
  const [best, ...others] = candidates
  expect(isSure(confidenceOf(evidenceOf([best!, ...others], "br")))).toBe(true)
})

test("one reading that misses a character is outvoted", () => {
  expect(vote([seen("AB1234"), ...five(seen("ABC1234")).slice(1)], "us")[0]!.text).toBe("ABC1234")
})

test("between two characters that look alike the series decides", () => {
  const either = five(seen("ABCI234", { at: 3, for: "1", share: 0.4 }))
  expect(vote(either, "br")[0]!.text).toBe("ABC1234")
})

test("what no series knows is still read when it is seen clearly", () => {
  expect(vote(five(seen("GWAGEN")), "eu")[0]!.text).toBe("GWAGEN")
})

test("readings that differ are not sure", () => {
  const [best, ...others] = vote(
    ["ABC1234", "A8C1284", "ABG1Z34", "AC1234", "48C12"].map(text => seen(text)),
    "us",
  )
  expect(isSure(confidenceOf(evidenceOf([best!, ...others], "us")))).toBe(false)
})

test("less is seen, less is sure: confidence grows with each part of its evidence", () => {
  const evidence = { share: 0.6, margin: 2, isOfSeries: false }
  const base = confidenceOf(evidence)
  expect(confidenceOf({ ...evidence, share: 1 })).toBeGreaterThan(base)
  expect(confidenceOf({ ...evidence, margin: 4 })).toBeGreaterThan(base)
  expect(confidenceOf({ ...evidence, isOfSeries: true })).toBeGreaterThan(base)
})

test("nothing seen is no candidate", () => {
  expect(vote(five({ steps: 0, odds: new Float32Array(0) }), "any")).toEqual([])
  expect(vote(five(seen("AB")), "any")).toEqual([])
})

test("O, Q and 0 merge, and I and 1, and nothing else", () => {
  expect(merged("OQ0I1DB8")).toBe("00011DB8")
})
