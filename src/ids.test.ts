import { decodeTime } from "ulid"
import { expect, test } from "vitest"
import { isId, placedId } from "./ids.ts"

test("the id of what an entry made is the same whoever computes it, has its time, and no other place has it", () => {
  const at_ms = Date.parse("2026-11-25T03:00:00.123Z")
  const ids = [0, 1, 65_535].flatMap(nth =>
    [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER].map(index => placedId("alt", { at_ms, index, nth })),
  )
  expect(new Set(ids).size).toBe(12)
  for (const id of ids) {
    expect(isId(id, "alt"), id).toBe(true)
    expect(decodeTime(id.slice(4))).toBe(at_ms)
  }
  expect(placedId("alt", { at_ms, index: 7, nth: 2 })).toBe(placedId("alt", { at_ms, index: 7, nth: 2 }))
})
