import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { ClockFacts, Tri } from "./clock-facts.ts"
import { elements, keysOf } from "./clock-words.ts"
import { judge, thresholdOf, type Condition } from "./conditions.ts"

const nothing: ClockFacts = {
  parties: { prime: { roles: ["business"], zone: "UTC", moments: {} } },
  counts: {},
  residents: {},
  elements: {},
  findings: {},
  encryption: { encrypted: "unknown", key_safe: "unknown" },
  acknowledgements: [],
}
const asked = (facts: Partial<ClockFacts>) => ({ facts: { ...nothing, ...facts }, party: "prime" as const })

describe("encryption is a harbor only where the key is safe too", () => {
  const table: [encrypted: Tri, key_safe: Tri, is: string][] = [
    ["yes", "yes", "yes"],
    ["yes", "no", "no"],
    ["no", "yes", "no"],
    ["no", "unknown", "no"],
    ["unknown", "no", "no"],
    ["yes", "unknown", "open"],
    ["unknown", "yes", "open"],
  ]
  test.each(table)("encrypted %s, key safe %s: %s", (encrypted, key_safe, is) =>
    expect(judge({ encryption: "holds" }, asked({ encryption: { encrypted, key_safe } })).is).toBe(is),
  )
})

describe("counts", () => {
  const over: Condition = { count: "people", over: 1000 }
  test("over 1,000 is from 1,001 on", () => expect(thresholdOf({ over: 1000 })).toBe(1001))
  test("bounds on both sides are no missing fact", () =>
    expect(judge(over, asked({ counts: { people: { at_least: 900, at_most: 1100 } } }))).toMatchObject({
      ...{ is: "open", missing: [] },
      straddles: [{ of: "people", threshold: 1001, state: "possible" }],
    }))
  test("a count that nobody made is", () =>
    expect(judge(over, asked({ counts: { people: null } }))).toMatchObject({
      is: "open",
      missing: ["the number of people"],
    }))
  test("residents of a state are counted apart", () =>
    expect(
      judge(
        { residents: "US-TX", at_least: 250 },
        asked({ residents: { "US-TX": { at_least: 250, at_most: 250 } } }),
      ).is,
    ).toBe("yes"))
})

test("a list of roles is whole, and one that is not given is open", () => {
  expect(judge({ role: "business" }, asked({})).is).toBe("yes")
  expect(judge({ role: "state_body" }, asked({})).because).toEqual([
    "the prime is not a body of a state, or of a part of it",
  ])
  const unsaid = { prime: { roles: null, zone: "UTC", moments: {} } }
  expect(judge({ role: "business" }, asked({ parties: unsaid })).missing).toEqual([
    "what the prime is before the law",
  ])
})

test("what decides is said, and what does not is left out", () => {
  const condition: Condition = {
    all: [{ element: "name_linked" }, { any: [{ element: "health" }, { element: "account_number" }] }],
  }
  const judged = judge(
    condition,
    asked({ elements: { name_linked: "yes", health: "no", account_number: "no" } }),
  )
  expect(judged).toMatchObject({
    is: "no",
    because: ["not involved: health data", "not involved: numbers of financial accounts"],
  })
})

const words = keysOf(elements).slice(0, 5)
const leaf = fc.constantFrom(...words).map((element): Condition => ({ element }))
const { tree: conditions } = fc.letrec<{ tree: Condition }>(tie => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie("tree"), { minLength: 1, maxLength: 3 }).map((all): Condition => ({ all })),
    fc.array(tie("tree"), { minLength: 1, maxLength: 3 }).map((any): Condition => ({ any })),
    tie("tree").map((not): Condition => ({ not })),
  ),
}))
const facts = fc.record(
  Object.fromEntries(words.map(word => [word, fc.constantFrom<Tri>("yes", "no", "unknown")])),
) as fc.Arbitrary<Record<string, Tri>>

/** Two values alone, by JavaScript's own operators. */
function holds(condition: Condition, known: Record<string, Tri>): boolean {
  if ("all" in condition) return condition.all.every(each => holds(each, known))
  if ("any" in condition) return condition.any.some(each => holds(each, known))
  if ("not" in condition) return !holds(condition.not, known)
  return "element" in condition && known[condition.element] === "yes"
}

test("whatever is decided stays so, whichever way the unknown facts turn out", () => {
  fc.assert(
    fc.property(
      conditions,
      facts,
      fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
      (condition, known, turns) => {
        const { is, because, missing } = judge(condition, asked({ elements: known }))
        const turned = Object.fromEntries(
          words.map((word, i) => [
            word,
            known[word] === "unknown" ? (turns[i]! ? "yes" : "no") : known[word]!,
          ]),
        ) as Record<string, Tri>
        if (is !== "open") expect(holds(condition, turned)).toBe(is === "yes")
        expect(judge(condition, asked({ elements: turned })).is).toBe(holds(condition, turned) ? "yes" : "no")
        expect(is === "open" ? missing.length : because.length).toBeGreaterThan(0)
      },
    ),
    { numRuns: 500 },
  )
})
