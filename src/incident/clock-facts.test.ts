import { describe, expect, test } from "vitest"
import { factProblems, parseFacts } from "./clock-facts.ts"

const good = `{
  "v": 1,
  "parties": {
    "prime": {
      "roles": ["business"],
      "zone": "America/Chicago",
      "moments": {
        "discovered": "2026-02-20T09:00-06:00",
        "determined": "2026-02-21T09:00-06:00"
      }
    }
  },
  "counts": {
    "people": { "at_least": 10, "at_most": 40, "estimate": { "low": 12, "high": 30, "point": 20, "method": "m" }, "how": "h" }
  },
  "acknowledgements": [
    { "rule": "gdpr-33", "party": "prime", "receiver": "supervisory_authority", "at": "2026-03-01T09:00Z" }
  ]
}`

test("what is left out is unknown", () => {
  const facts = parseFacts(good)
  expect(facts).toMatchObject({
    residents: {},
    elements: {},
    findings: {},
    encryption: { encrypted: "unknown", key_safe: "unknown" },
  })
  expect(facts.acknowledgements[0]).toMatchObject({ pack: null, reference: null })
})

describe("facts with one thing wrong are refused with line and path", () => {
  const table: [what: string, from: string, to: string, line: number, path: string, problem: string][] = [
    ["a party that is none", '"prime": {', '"vendor": {', 4, "/parties/vendor", "no such key"],
    ["a role that is none", '"business"', '"shop"', 5, "/parties/prime/roles/0", "must be one of"],
    [
      "a zone that is none",
      "America/Chicago",
      "America/Chicagoo",
      6,
      "/parties/prime/zone",
      "no such time zone",
    ],
    ["a time without offset", "09:00-06:00", "09:00", 8, "/parties/prime/moments/discovered", "pattern"],
    [
      "a day that is none",
      "2026-02-20T",
      "2026-02-30T",
      8,
      "/parties/prime/moments/discovered",
      "no such time",
    ],
    [
      "an hour that is none",
      "T09:00-06:00",
      "T25:00-06:00",
      8,
      "/parties/prime/moments/discovered",
      "no such time",
    ],
    [
      "determined before it was known",
      "2026-02-21",
      "2026-02-19",
      9,
      "/parties/prime/moments/determined",
      "before it was discovered",
    ],
    [
      "bounds that cross",
      '"at_least": 10',
      '"at_least": 41',
      14,
      "/counts/people/at_least",
      "more than at_most",
    ],
    [
      "an interval that crosses",
      '"low": 12',
      '"low": 31',
      14,
      "/counts/people/estimate/low",
      "more than high",
    ],
    [
      "a number below nothing",
      '"at_least": 10',
      '"at_least": -1',
      14,
      "/counts/people/at_least",
      "must be >= 0",
    ],
    ["a unit that is none", '"people": {', '"persons": {', 14, "/counts/persons", "no such key"],
    [
      "an acknowledgement at no time",
      "2026-03-01",
      "2026-13-01",
      17,
      "/acknowledgements/0/at",
      "no such time",
    ],
    [
      "a time of no century of ours",
      '"at": "2026-03-01',
      '"at": "0026-03-01',
      17,
      "/acknowledgements/0/at",
      "1970 to 2199",
    ],
    ["a key that JavaScript knows", '"counts": {', '"__proto__": {', 13, "/__proto__", "no such key"],
  ]
  test.each(table)("%s", (_, ...[from, to, line, path, problem]) => {
    const bent = good.replace(from, to)
    expect(bent).not.toBe(good)
    expect(factProblems(bent)).toEqual([{ line, path, problem: expect.stringContaining(problem) }])
    expect(() => parseFacts(bent, "f.json")).toThrow(`f.json, line ${line}, ${path}: `)
  })
})
