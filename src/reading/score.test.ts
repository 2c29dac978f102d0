import { expect, test } from "vitest"
import { rateOf, scoresOf } from "./score.ts"

const box = { x_px: 100, y_px: 100, width_px: 80, height_px: 20 }
const truth = { group: "eu", plate: "AO-10 B", box }
const answer = { state: "read" as const, text: "AO10B", box, cpu_ms: 100 }

test("Wilson's interval for 80 of 100 is 71.1 to 86.7 %", () => {
  const { low, high } = rateOf(80, 100)
  expect(low).toBeCloseTo(0.711, 3)
  expect(high).toBeCloseTo(0.8666, 3)
  expect(rateOf(0, 0)).toEqual({ count: 0, of: 0, low: 0, high: 1 })
})

test("strict is to the letter, merged takes O for 0 and I for 1, and separators are no letters", () => {
  const [score] = scoresOf([
    [truth, answer],
    [truth, { ...answer, text: "A01OB" }],
    [truth, { ...answer, text: "A010B" }],
    [truth, { ...answer, text: "A011B" }],
  ])
  expect([score!.strict.count, score!.merged.count]).toEqual([1, 3])
})

test("a box is found when its middle lies in the plate and it is half as wide", () => {
  const boxes = [box, { ...box, width_px: 39, x_px: 120 }, { ...box, y_px: 130 }, null]
  const [score] = scoresOf(boxes.map(each => [truth, { ...answer, box: each }] as const))
  expect(score!.found.count).toBe(1)
})

test("only what was read counts as answered, and only that can be right when sure", () => {
  const [score] = scoresOf([
    [truth, answer],
    [truth, { ...answer, state: "unsure" }],
    [truth, { ...answer, text: "X" }],
  ])
  expect([score!.answered.count, score!.answered.of]).toEqual([2, 3])
  expect([score!.rightWhenSure.count, score!.rightWhenSure.of]).toEqual([1, 2])
})

test("each group has its row, and all together one more", () => {
  const other = { ...truth, group: "us" }
  const scores = scoresOf([
    [truth, answer],
    [other, { ...answer, cpu_ms: 300 }],
  ])
  expect(scores.map(({ group, n, meanCpu_ms }) => [group, n, meanCpu_ms])).toEqual([
    ["eu", 1, 100],
    ["us", 1, 300],
    ["all", 2, 200],
  ])
})
