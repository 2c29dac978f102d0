import { expect, test } from "vitest"
import { covers, join, levelOf, levels } from "./level.ts"

test("the order is partial: L2 and L3 do not compare, everything else does", () => {
  const pairs = levels.flatMap(a => levels.map(b => [a, b] as const))
  const incomparable = pairs.filter(([a, b]) => !covers(a, b) && !covers(b, a))
  expect(incomparable).toEqual([
    ["L2", "L3"],
    ["L3", "L2"],
  ])
})

test("plate and face together are the full frame", () => {
  expect(join("L2", "L3")).toBe("L4")
})

test("joining shows what both show, and no more than needed", () => {
  for (const a of levels) {
    for (const b of levels) {
      const both = join(a, b)
      expect(covers(both, a) && covers(both, b)).toBe(true)
      const lower = levels.filter(level => covers(level, a) && covers(level, b))
      expect(lower.every(level => covers(level, both))).toBe(true)
    }
  }
})

test("only the five names are levels", () => {
  expect(levelOf("L2")).toBe("L2")
  expect(levelOf("L5")).toBeNull()
  expect(levelOf("l2")).toBeNull()
})
