import { describe, expect, test } from "vitest"
import { now_ms, someTerms } from "../../test/terms.ts"
import { decisionTable, type Facts } from "../grant/decide.ts"
import type { Terms } from "../grant/terms.ts"
import { defaultPolicy } from "../grant/policy.ts"
import { Register, type Records } from "./state.ts"
import { isEvidence, isOtherKind, scopeOf, scopeTable, type OrderScope } from "./watch-scope.ts"

const facts: Facts = {
  grant: {
    ...{ grant: "grt_1", version: 1, frozen_at: 100, glass: null, entries: [97, 98, 100] },
    ...{ terms: someTerms, terms_sha256: "00", requester: "per_engineer", status: "approved", approvals: [] },
  },
  person: { person: "per_engineer", organization: "org_sub", office: "engineer", suspended: false },
  ...{ organizations: [], contracts: [], policy: defaultPolicy, isStopped: false, isSeconded: false },
  capture: { capture: "cap_1", lane: "lan_1", hour: "2026-11-24T06-06:00", admitted: 99, faces: 2 },
  ...{ releases: 0, images: 0, people: 0, times: 0, held: "L0" },
  used: { person_day: 0, organization_day: 0, organization_30d: 0, vault_day: 0 },
}
const withTerms = (changed: Partial<Terms>): Facts => ({
  ...facts,
  grant: { ...facts.grant, terms: { ...someTerms, ...changed } },
})
const withCapture = (changed: Partial<Facts["capture"]>): Facts => ({
  ...facts,
  capture: { ...facts.capture, ...changed },
})

describe("how an image lies to its grant: right but for one thing", () => {
  const bent: readonly [string, OrderScope, Facts][] = [
    ["nothing", "within", facts],
    ["another holds it", "another's", withTerms({ holder: "per_colleague" })],
    ["it has ended", "outside", withTerms({ ends_at: "2026-11-24T12:00:00.000Z" })],
    ["the lane", "outside", withCapture({ lane: "lan_3" })],
    ["the day before", "outside", withCapture({ hour: "2026-11-19T06-06:00" })],
    ["the day after", "outside", withCapture({ hour: "2026-11-25T06-06:00" })],
    ["the hour before", "outside", withCapture({ hour: "2026-11-24T05-06:00" })],
    ["the hour after", "outside", withCapture({ hour: "2026-11-24T12-06:00" })],
    ["not on its list", "beside", withTerms({ captures: ["cap_2"] })],
    ["after a frozen selection", "beside", withCapture({ admitted: 100 })],
    ["no image left", "over need", { ...facts, images: 20 }],
    ["no release left", "over need", { ...facts, releases: 60 }],
  ]
  test.each(bent)("%s: %s", (_, scope, of) => {
    expect(scopeOf(of, "cap_1", now_ms)).toBe(scope)
  })
  test("every row of the table decides one of them", () => {
    for (const row of scopeTable)
      expect(bent.some(([, , of]) => scopeTable.find(each => each.holds(of, now_ms)) === row)).toBe(true)
  })
  test("what lies outside in two ways is told as the worse", () => {
    const both = { ...withTerms({ captures: ["cap_2"], holder: "per_colleague" }), images: 20 }
    expect(scopeOf(both, "cap_1", now_ms)).toBe("another's")
  })
  test("no such grant, no such capture: outside", () => {
    expect(scopeOf(null, "cap_1", now_ms)).toBe("outside")
    expect(scopeOf(facts, null, now_ms)).toBe("outside")
  })
  test("a level above the grant's is another kind", () => {
    expect([isOtherKind(facts, "L2"), isOtherKind(facts, "L3"), isOtherKind(null, "L4")]).toEqual([
      false,
      true,
      false,
    ])
  })
})

describe("what is evidence", () => {
  const register = new Register()
  const put = (
    kind: "person" | "organization",
    id: string,
    body: Records["person"] | Records["organization"],
  ) => register.records.set(`${kind} ${id}`, { key: { kind, id }, version: 0, body })
  const prime = { organization: "org_prime", name: "Prime", parent: null, suspended: false }
  put("organization", "org_prime", prime)
  put("organization", "org_sub", { ...prime, organization: "org_sub", parent: "org_prime" })
  put("person", "per_engineer", { ...facts.person, key: "" })
  const isSeen = (code: Parameters<typeof isEvidence>[0]["code"], of: Facts | null = facts, at_ms = now_ms) =>
    isEvidence({ code, facts: of, person: "per_engineer" }, register, at_ms)

  test("of the decision table's refusals, those that say how far a person reached, and no other", () => {
    const codes = [...new Set(decisionTable.map(rule => rule.refuse))]
    expect(codes.filter(code => isSeen(code))).toEqual([
      ...["GRANT_UNKNOWN", "GRANT_HOLDER", "GRANT_LEVEL", "GRANT_LANE", "GRANT_DATES", "GRANT_HOURS"],
      ...["GRANT_SELECTION", "GRANT_BUDGET", "GRANT_RELEASES"],
    ])
    expect([isSeen("NOT_FOUND"), isSeen(null)]).toEqual([true, true])
  })
  test("a grant that ended is, an hour after its end: a draw under way outlives it", () => {
    const ends_ms = Date.parse(someTerms.ends_at)
    expect(isSeen("GRANT_EXPIRED", facts, ends_ms + 3_599_999)).toBe(false)
    expect(isSeen("GRANT_EXPIRED", facts, ends_ms + 3_600_000)).toBe(true)
  })
  test("nothing of one who is suspended, or whose organization or one above it is", () => {
    put("organization", "org_prime", { ...prime, suspended: true })
    expect(isSeen("GRANT_LANE")).toBe(false)
    put("organization", "org_prime", prime)
    expect(isSeen("GRANT_LANE")).toBe(true)
    put("person", "per_engineer", { ...facts.person, suspended: true, key: "" })
    expect(isSeen("GRANT_LANE")).toBe(false)
  })
})
