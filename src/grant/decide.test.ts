import { describe, expect, test } from "vitest"
import { approvalsSuffice, decide, decisionTable, type Ask, type Facts } from "./decide.ts"
import type { Terms } from "./terms.ts"

const now_ms = Date.parse("2026-11-24T12:00:00.000Z")

const terms: Terms = {
  for: "release",
  purpose: "calibrate-reader",
  work_order: "WO-1",
  contract: "con_1",
  holder: "per_engineer",
  lanes: ["lan_1", "lan_2"],
  hours: { from: 6, until: 12 },
  dates: { first: "2026-11-20", last: "2026-11-24" },
  level: "L2",
  images: 20,
  starts_at: "2026-11-24T00:00:00.000Z",
  ends_at: "2026-11-25T00:00:00.000Z",
  comment_commitment: null,
}

const ask: Ask = { for: "release", person: "per_engineer", level: "L2" }

const facts: Facts = {
  grant: {
    grant: "grt_1",
    terms,
    terms_sha256: "00",
    requester: "per_engineer",
    status: "approved",
    approvals: [
      { person: "per_cor", office: "cor" },
      { person: "per_privacy", office: "privacy" },
    ],
  },
  person: { person: "per_engineer", organization: "org_sub", office: "engineer", suspended: false },
  organizations: [
    { organization: "org_sub", parent: "org_prime", suspended: false },
    { organization: "org_prime", parent: null, suspended: false },
  ],
  contract: {
    contract: "con_1",
    organization: "org_prime",
    purposes: ["calibrate-reader"],
    ends_at: "2027-01-01T00:00:00.000Z",
  },
  capture: { lane: "lan_1", hour: "2026-11-24T06-06:00" },
  images: 0,
  times: 0,
  held: "L0",
}

const withTerms = (changed: Partial<Terms>): Facts => ({
  ...facts,
  grant: { ...facts.grant, terms: { ...terms, ...changed } },
})
const withGrant = (changed: Partial<Facts["grant"]>): Facts => ({
  ...facts,
  grant: { ...facts.grant, ...changed },
})

/** For each row of the table: facts that are right but for one thing. */
const bent: Record<string, [string, Ask, Facts][]> = {
  PERSON_SUSPENDED: [
    ["the person is suspended", ask, { ...facts, person: { ...facts.person, suspended: true } }],
  ],
  GRANT_ORGANIZATION: [
    [
      "the organization above is suspended",
      ask,
      { ...facts, organizations: facts.organizations.map((o, i) => ({ ...o, suspended: i === 1 })) },
    ],
  ],
  GRANT_UNKNOWN: [["a case is no grant", { ...ask, for: "reveal" }, facts]],
  GRANT_HOLDER: [["a colleague asks", { ...ask, person: "per_colleague" }, facts]],
  GRANT_DENIED: [["it was denied", ask, withGrant({ status: "denied" })]],
  GRANT_REVOKED: [["it was revoked", ask, withGrant({ status: "revoked" })]],
  GRANT_PENDING: [
    ["nobody approved, whatever the status says", ask, withGrant({ approvals: [] })],
    ["one approved", ask, withGrant({ approvals: facts.grant.approvals.slice(0, 1) })],
    ["it is pending", ask, withGrant({ status: "pending" })],
  ],
  GRANT_NOT_STARTED: [
    ["it starts a millisecond later", ask, withTerms({ starts_at: "2026-11-24T12:00:00.001Z" })],
  ],
  GRANT_EXPIRED: [["it ends now", ask, withTerms({ ends_at: "2026-11-24T12:00:00.000Z" })]],
  GRANT_CONTRACT: [
    [
      "the contract ended",
      ask,
      { ...facts, contract: { ...facts.contract!, ends_at: "2026-11-24T12:00:00.000Z" } },
    ],
    [
      "the contract does not allow the purpose",
      ask,
      { ...facts, contract: { ...facts.contract!, purposes: [] } },
    ],
    [
      "the contract is another organization's",
      ask,
      { ...facts, contract: { ...facts.contract!, organization: "org_other" } },
    ],
    ["the contract is another one", ask, { ...facts, contract: { ...facts.contract!, contract: "con_2" } }],
    ["there is no contract", ask, { ...facts, contract: null }],
  ],
  GRANT_LEVEL: [
    ["a face at a plate's level", { ...ask, level: "L3" }, facts],
    ["the full frame", { ...ask, level: "L4" }, facts],
  ],
  GRANT_LANE: [["another lane", ask, { ...facts, capture: { ...facts.capture, lane: "lan_3" } }]],
  GRANT_DATES: [
    ["the day before", ask, { ...facts, capture: { ...facts.capture, hour: "2026-11-19T06-06:00" } }],
    ["the day after", ask, { ...facts, capture: { ...facts.capture, hour: "2026-11-25T06-06:00" } }],
  ],
  GRANT_HOURS: [
    ["the hour before", ask, { ...facts, capture: { ...facts.capture, hour: "2026-11-24T05-06:00" } }],
    [
      "the hour at which it ends",
      ask,
      { ...facts, capture: { ...facts.capture, hour: "2026-11-24T12-06:00" } },
    ],
  ],
  GRANT_LEVEL_SUM: [["the organization holds the face", ask, { ...facts, held: "L3" }]],
  GRANT_BUDGET: [["the budget is used up", ask, { ...facts, images: 20 }]],
}

test("what is right in everything is permitted", () => {
  expect(decide(ask, facts, now_ms)).toBeNull()
})

test("the last image of a budget is permitted, and an image that was released before is free", () => {
  expect(decide(ask, { ...facts, images: 19 }, now_ms)).toBeNull()
  expect(decide(ask, { ...facts, images: 20, times: 1 }, now_ms)).toBeNull()
})

describe("what is wrong in one thing is refused by that rule's own code", () => {
  for (const [code, cases] of Object.entries(bent)) {
    for (const [why, bentAsk, bentFacts] of cases) {
      test(`${code}: ${why}`, () => expect(decide(bentAsk, bentFacts, now_ms)).toBe(code))
    }
  }
  test("every row of the table has its case here, and every case its row", () => {
    expect(decisionTable.map(rule => rule.refuse).sort()).toEqual(Object.keys(bent).sort())
  })
})

describe("two approvals suffice only from two people of different offices, neither requester nor holder", () => {
  const grant = { terms, requester: "per_manager" }
  const cor = { person: "per_cor", office: "cor" } as const
  const cases: [string, { person: string; office: "cor" | "privacy" | "engineer" | "manager" }[], boolean][] =
    [
      ["none", [], false],
      ["one person twice", [cor, cor], false],
      ["one person in two offices", [cor, { person: "per_cor", office: "privacy" }], false],
      ["two people of one office", [cor, { person: "per_cor2", office: "cor" }], false],
      ["the holder as one", [cor, { person: "per_engineer", office: "engineer" }], false],
      ["the requester as one", [cor, { person: "per_manager", office: "manager" }], false],
      ["two of two offices", [cor, { person: "per_privacy", office: "privacy" }], true],
    ]
  for (const [title, approvals, suffices] of cases) {
    test(`${title}: ${suffices}`, () => expect(approvalsSuffice({ ...grant, approvals })).toBe(suffices))
  }
})
