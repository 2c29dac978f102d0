import fc from "fast-check"
import { expect, test } from "vitest"
import { isOfSeries, plateRegions, plausibility, repaired } from "./plate-syntax.ts"

test.each([
  ["ABC1234", "br", true],
  ["ABC1D23", "br", true],
  ["ABC123", "br", false],
  ["AB12CDE", "eu", true],
  ["MAB1234", "eu", true],
  ["4A12345", "eu", true],
  ["1ABC234", "us", true],
  ["ABC1234", "us", true],
  ["ABCD1234", "us", false],
  ["ABC1D23", "any", true],
  ["", "any", false],
] as const)("%s is of a series of %s: %s", (text, region, holds) => {
  expect(isOfSeries(text, region)).toBe(holds)
})

test("a text of a series is likelier than the same with a character more, and digits make a plate", () => {
  for (const [text, region] of [
    ["ABC1234", "br"],
    ["4A12345", "eu"],
    ["1ABC234", "us"],
  ] as const) {
    expect(plausibility(text, region)).toBeGreaterThan(plausibility(`${text}X`, region))
    expect(plausibility(text, region)).toBeGreaterThan(plausibility("ABCDEFG", region))
  }
})

test("what is repaired is of a series, and differs by two exchanges or one character at most", () => {
  const characters = [..."ABDGIOQSZ0123456789"]
  const texts = fc
    .array(fc.constantFrom(...characters), { minLength: 4, maxLength: 8 })
    .map(all => all.join(""))
  fc.assert(
    fc.property(texts, fc.constantFrom(...plateRegions), (text, region) => {
      for (const other of repaired(text, region)) {
        expect(isOfSeries(other, region)).toBe(true)
        const differs = [...other].filter((character, i) => character !== text[i]).length
        expect(other.length < text.length || differs <= 2).toBe(true)
      }
    }),
  )
})

test("a letter where the series has a digit is exchanged", () => {
  expect(repaired("ABCI234", "br")).toContain("ABC1234")
  expect(repaired("A8C1234", "br")).toContain("ABC1234")
  expect(repaired("ABC12345", "br")).toContain("ABC1234")
})
