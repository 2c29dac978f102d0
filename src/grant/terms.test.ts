import { describe, expect, test } from "vitest"
import { now_ms, someTerms } from "../../test/terms.ts"
import { brokenRule, termsDigest, termsRules, unusual, type Terms } from "./terms.ts"

const terms = someTerms

const bent: [string, Partial<Terms>][] = [
  ["contract", { contract: null }],
  ["contract", { for: "reveal" }],
  ["purpose", { level: "L4" }],
  ["L0", { level: "L0" }],
  ["wide region", { level: "L1", region: "wide" }],
  ["ascending", { lanes: ["lan_2", "lan_1"] }],
  ["ascending", { lanes: ["lan_1", "lan_1"] }],
  ["releases", { releases: 19 }],
  ["releases", { releases: 201 }],
  ["manifest", { captures: ["cap_2", "cap_1"], images: 1, releases: 1 }],
  ["manifest", { captures: ["cap_1"], images: 2, releases: 2 }],
  ["hours", { hours: { from: 5, until: 5 } }],
  ["dates", { dates: { first: "2026-11-24", last: "2026-11-23" } }],
  ["dates", { dates: { first: "2026-02-30", last: "2026-03-01" } }],
  ["end comes after", { starts_at: "2026-11-26T00:00:00.000Z" }],
  ["future", { starts_at: "2026-11-20T00:00:00.000Z", ends_at: "2026-11-24T12:00:00.000Z" }],
  ["366 days", { destroy_by: "2026-11-24T23:59:59.000Z" }],
  ["366 days", { destroy_by: "2027-11-27T00:00:00.000Z" }],
  ["31 days", { ends_at: "2026-12-26T00:00:00.000Z" }],
]

test("terms that hold together break no rule", () => {
  expect(brokenRule(terms, now_ms)).toBeNull()
  expect(brokenRule({ ...terms, region: "wide" }, now_ms)).toBeNull()
})

describe("terms that are wrong in one thing name the rule", () => {
  for (const [word, changed] of bent) {
    test(`${word}: ${JSON.stringify(changed)}`, () =>
      expect(brokenRule({ ...terms, ...changed }, now_ms)).toContain(word))
  }
  test("every rule has a case", () => {
    for (const rule of termsRules) expect(bent.some(([word]) => rule.broken.includes(word))).toBe(true)
  })
})

test("the digest changes with every field and not with their order", () => {
  const digests = new Set([
    termsDigest(terms),
    ...bent.map(([, changed]) => termsDigest({ ...terms, ...changed })),
  ])
  expect(digests.size).toBe(bent.length + 1)
  expect(termsDigest(Object.fromEntries(Object.entries(terms).reverse()) as unknown as Terms)).toBe(
    termsDigest(terms),
  )
})

test("terms of the close region keep the digest that they had before there was another", () => {
  expect(termsDigest(terms)).toBe("71a44283516467bcf858b4bb290ab028566647bc91b8d1bd34a8c589b365fe0c")
})

test("whoever approves the close region reads what cannot be traced then", () => {
  expect(unusual({ ...terms, region: "wide" })).toEqual([])
  expect(unusual({ ...terms, level: "L1" })).toEqual([])
  expect(unusual(terms)).toEqual([expect.stringContaining("a trace may name none of them")])
})
