import { expect, test } from "vitest"
import { runsOf } from "./runs.ts"

test("of each row what is shown, one stretch after the other", () => {
  const kept = Uint8Array.from([
    ...[1, 1, 0, 1], //
    ...[0, 0, 0, 0],
    ...[0, 1, 1, 1],
    ...[1, 1, 1, 1],
  ])
  const { stretches, shown_px } = runsOf(kept, 4)
  expect([...stretches]).toEqual([0, 0, 2, 0, 3, 4, 2, 1, 4, 3, 0, 4])
  expect(shown_px).toBe(10)
})

test("of nothing none", () => {
  expect(runsOf(new Uint8Array(12), 4)).toEqual({ stretches: new Int32Array(0), shown_px: 0 })
})
