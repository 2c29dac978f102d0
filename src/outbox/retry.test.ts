import fc from "fast-check"
import { expect, test } from "vitest"
import { patience_ms, retryDelay_ms } from "./retry.ts"

const usual = { first_ms: 5000, most_ms: 14_400_000 }

test("waits grow from 5 s to 4 h: 5 s, 15 s, 1, 5, 15 and 30 min, 1, 2, 4 h", () => {
  const steps = Array.from({ length: 11 }, (_, i) => retryDelay_ms(i + 1, { ...usual, random: 0.5 }) / 1000)
  expect(steps).toEqual([5, 15, 60, 300, 900, 1800, 3600, 7200, 14_400, 14_400, 14_400])
})

test("whatever chance says, a wait is 80 to 120 % of its step and never over the longest by more", () => {
  const random = fc.double({ min: 0, max: 0.999_999, noNaN: true })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), random, (attempts, x) => {
      const middle = retryDelay_ms(attempts, { ...usual, random: 0.5 })
      const delay = retryDelay_ms(attempts, { ...usual, random: x })
      expect(delay).toBeGreaterThanOrEqual(0.8 * middle - 1)
      expect(delay).toBeLessThanOrEqual(1.2 * middle + 1)
    }),
    { seed: 11 },
  )
})

test("within three days there are at least 20 attempts", () => {
  let waited_ms = 0
  let attempts = 1
  for (; waited_ms < patience_ms; attempts += 1)
    waited_ms += retryDelay_ms(attempts, { ...usual, random: 0.999 })
  expect(attempts).toBeGreaterThanOrEqual(20)
})
