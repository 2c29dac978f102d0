import { describe, expect, test } from "vitest"
import { now_ms, someTerms } from "../../test/terms.ts"
import type { Office } from "./office.ts"
import { approvalsSuffice, decide, decisionTable, type Ask, type Facts } from "./decide.ts"
import { defaultPolicy, type Policy } from "./policy.ts"
import type { Terms } from "./terms.ts"

const terms = someTerms

const ask: Ask = { for: "release", person: "per_engineer", level: "L2", device: null, network: null }

const facts: Facts = {
  grant: {
    grant: "grt_1",
    version: 1,
    frozen_at: 100,
    glass: null,
    entries: [97, 98, 100],
    terms,
    terms_sha256: "00",
    requester: "per_engineer",
    status: "approved",
    approvals: [
      { person: "per_cor", office: "cor", version: 1, entry: 98 },
      { person: "per_privacy", office: "privacy", version: 1, entry: 100 },
    ],
  },
  person: { person: "per_engineer", organization: "org_sub", office: "engineer", suspended: false },
  organizations: [
    { organization: "org_sub", parent: "org_prime", suspended: false },
    { organization: "org_prime", parent: null, suspended: false },
  ],
  contracts: [
    {
      contract: "con_1",
      organization: "org_prime",
      under: null,
      purposes: ["calibrate-reader"],
      ends_at: "2027-01-01T00:00:00.000Z",
      attestations: [{ name: "SOC 2", ends_at: "2026-12-01T00:00:00.000Z" }],
      devices: [],
      networks: [],
    },
  ],
  capture: { capture: "cap_1", lane: "lan_1", hour: "2026-11-24T06-06:00", admitted: 99, faces: 2 },
  policy: { approvals: [], person_day: 20, organization_30d: 40, vault_day: 30, glass_images: 10 },
  isStopped: false,
  releases: 0,
  used: { person_day: 0, organization_day: 0, organization_30d: 0, vault_day: 0 },
  images: 0,
  people: 0,
  times: 0,
  held: "L0",
  isSeconded: false,
}

const askReveal: Ask = { ...ask, for: "reveal", person: "per_analyst" }
const caseFacts: Facts = {
  ...facts,
  person: { ...facts.person, person: "per_analyst", office: "analyst" },
  contracts: [],
  grant: {
    ...facts.grant,
    requester: "per_analyst",
    terms: {
      ...terms,
      for: "reveal",
      contract: null,
      holder: "per_analyst",
      level: "L4",
      purpose: "incident",
    },
  },
}

const withTerms = (changed: Partial<Terms>): Facts => ({
  ...facts,
  grant: { ...facts.grant, terms: { ...terms, ...changed } },
})
const withGrant = (changed: Partial<Facts["grant"]>): Facts => ({
  ...facts,
  grant: { ...facts.grant, ...changed },
})

const withUsed = (changed: Partial<Facts["used"]>): Facts => ({
  ...facts,
  used: { ...facts.used, ...changed },
})
const withPolicy = (changed: Partial<Policy>): Facts => ({
  ...facts,
  policy: { ...facts.policy, ...changed },
})
const contract = facts.contracts[0]!
const withContract = (changed: Partial<Facts["contracts"][number]>): Facts => ({
  ...facts,
  contracts: [{ ...contract, ...changed }],
})
const withFaces = (of: Facts, faces: number | null): Facts => ({ ...of, capture: { ...of.capture, faces } })
const cor1 = { office: "cor", people: 1 } as const

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
  STOPPED: [["an emergency stop holds", ask, { ...facts, isStopped: true }]],
  POLICY: [
    ["the policy is empty (openbao#3666)", ask, { ...facts, policy: {} as Policy }],
    ["approvals are left out", ask, withPolicy({ approvals: undefined as never })],
    ["approvals of nobody", ask, withPolicy({ approvals: [{ office: "cor", people: 0 }] })],
    ["approvals of half a person", ask, withPolicy({ approvals: [{ office: "cor", people: 0.5 }] })],
    ["approvals of a vendor", ask, withPolicy({ approvals: [{ office: "engineer", people: 1 }] })],
    ["one office twice", ask, withPolicy({ approvals: [cor1, cor1] })],
    ["a budget of nothing", ask, withPolicy({ vault_day: 0 })],
    ["a fraction of an image", ask, withPolicy({ person_day: 1.5 })],
    ["a budget below nothing", ask, withPolicy({ organization_30d: -1 })],
  ],
  GRANT_CONTRACT: [
    ["the contract ended", ask, withContract({ ends_at: "2026-11-24T12:00:00.000Z" })],
    ["the contract does not allow the purpose", ask, withContract({ purposes: [] })],
    ["the contract is another organization's", ask, withContract({ organization: "org_other" })],
    ["the contract is another one", ask, withContract({ contract: "con_2" })],
    ["there is no contract", ask, { ...facts, contracts: [] }],
    [
      "the prime's contract ended",
      ask,
      { ...facts, contracts: [...facts.contracts, { ...contract, ends_at: "2026-11-24T12:00:00.000Z" }] },
    ],
  ],
  ATTESTATION: [
    [
      "an attestation expired",
      ask,
      withContract({ attestations: [{ name: "SOC 2", ends_at: "2026-11-24T12:00:00.000Z" }] }),
    ],
  ],
  GRANT_SELECTION: [
    ["it came after the approval", ask, { ...facts, capture: { ...facts.capture, admitted: 101 } }],
    ["it is not in the manifest", ask, withTerms({ captures: ["cap_2"] })],
  ],
  GRANT_PEOPLE: [
    ["one person more than agreed", ask, { ...withTerms({ people: 5 }), people: 4 }],
    ["no face finder has looked", ask, withFaces(withTerms({ people: 5 }), null)],
  ],
  GRANT_RELEASES: [
    ["as many releases as the terms allow", ask, { ...facts, releases: 60 }],
    ["the same image once too often", ask, { ...facts, images: 1, times: 60, releases: 60 }],
  ],
  BUDGET_PERSON: [["the person's day is used up", ask, withUsed({ person_day: 20 })]],
  BUDGET_ORGANIZATION: [["the tree's 30 days are used up", ask, withUsed({ organization_30d: 40 })]],
  BUDGET_VENDOR: [["half of the vault's day went to this tree", ask, withUsed({ organization_day: 15 })]],
  BUDGET_VAULT: [["the vault's day is used up", ask, withUsed({ vault_day: 30 })]],
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
  GRANT_DEVICE: [
    ["the grant names a device, and none signed", ask, withTerms({ device: "dev_1" })],
    ["another device signed", { ...ask, device: "dev_2" }, withTerms({ device: "dev_1" })],
    ["the contract names devices, and none signed", ask, withContract({ devices: ["dev_1"] })],
    [
      "a device that the contract does not name",
      { ...ask, device: "dev_2" },
      withContract({ devices: ["dev_1"] }),
    ],
    [
      "the prime's contract names devices, and the sub's none",
      { ...ask, device: "dev_2" },
      { ...facts, contracts: [...facts.contracts, { ...contract, devices: ["dev_1"] }] },
    ],
  ],
  GRANT_NETWORK: [
    ["from nowhere that the contract names", ask, withContract({ networks: ["192.0.2.0/24"] })],
    [
      "from another network",
      { ...ask, network: "198.51.100.0/24" },
      withContract({ networks: ["192.0.2.0/24"] }),
    ],
  ],
  REVEAL_SECOND: [["the full frame, and nobody signed beside", { ...askReveal, level: "L4" }, caseFacts]],
  GRANT_BUDGET: [["the budget is used up", ask, { ...facts, images: 20 }]],
}

test("what is right in everything is permitted", () => {
  expect(decide(ask, facts, now_ms)).toBeNull()
  expect(decide({ ...ask, device: "dev_1" }, withTerms({ device: "dev_1" }), now_ms)).toBeNull()
  const contracted = withContract({ devices: ["dev_1"], networks: ["192.0.2.0/24"] })
  expect(decide({ ...ask, device: "dev_1", network: "192.0.2.0/24" }, contracted, now_ms)).toBeNull()
  expect(decide({ ...askReveal, level: "L4" }, { ...caseFacts, isSeconded: true }, now_ms)).toBeNull()
  expect(decide({ ...askReveal, level: "L2" }, caseFacts, now_ms)).toBeNull()
})

test("a broken glass needs two keys, and no policy's approvals", () => {
  const glass = { second: "per_cor", review_due_at: "2026-11-28T00:00:00.000Z", outcome: null }
  const broken = (changed: object) => ({
    ...caseFacts,
    grant: { ...caseFacts.grant, approvals: [], glass: { ...glass, ...changed } },
  })
  expect(decide(askReveal, broken({}), now_ms)).toBeNull()
  expect(decide(askReveal, broken({ second: caseFacts.grant.requester }), now_ms)).toBe("GRANT_PENDING")
})

test("an hour that the clocks go through twice counts twice, and one that they leave out never comes", () => {
  const at = (hour: string) => ({ ...facts, capture: { ...facts.capture, hour } })
  const night = (hour: string, from: number) =>
    decide(
      ask,
      {
        ...at(hour),
        grant: {
          ...facts.grant,
          terms: {
            ...terms,
            hours: { from, until: from + 1 },
            dates: { first: "2026-03-08", last: "2026-11-24" },
          },
        },
      },
      now_ms,
    )
  expect([night("2026-11-01T01-05:00", 1), night("2026-11-01T01-06:00", 1)]).toEqual([null, null])
  expect(night("2026-03-08T03-05:00", 2)).toBe("GRANT_HOURS")
})

test("an image that was released before is free of every budget of distinct images", () => {
  const used = { person_day: 20, organization_day: 15, organization_30d: 40, vault_day: 30 }
  expect(decide(ask, { ...facts, images: 20, times: 1, releases: 59, used }, now_ms)).toBeNull()
  const bounded = { ...withTerms({ people: 5 }), people: 5 }
  expect(decide(ask, { ...bounded, images: 3, times: 1 }, now_ms)).toBeNull()
  expect(decide(ask, { ...bounded, people: 3 }, now_ms)).toBeNull()
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
  const cor = { person: "per_cor", office: "cor", version: 1 } as const
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
  const signed = (approvals: readonly { person: string; office: Office }[]) => ({
    ...grant,
    approvals: approvals.map(each => ({ ...each, version: 1, entry: 1 })),
  })
  for (const [title, approvals, suffices] of cases)
    test(`${title}: ${suffices}`, () =>
      expect(approvalsSuffice(signed(approvals), defaultPolicy)).toBe(suffices))
  test("AND over offices, and two of one: as the policy asks", () => {
    const two = [cor, { person: "per_privacy", office: "privacy" as const }]
    const policy = { ...defaultPolicy, approvals: [cor1, { office: "custodian" as const, people: 2 }] }
    expect(approvalsSuffice(signed(two), policy)).toBe(false)
    const one = { person: "per_custodian", office: "custodian" as const }
    expect(approvalsSuffice(signed([...two, one]), policy)).toBe(false)
    expect(approvalsSuffice(signed([...two, one, one]), policy)).toBe(false)
    const other = { person: "per_custodian2", office: "custodian" as const }
    expect(approvalsSuffice(signed([...two, one, other]), policy)).toBe(true)
  })
  test("openbao#3666: a policy that is empty or malformed suffices for nothing", () => {
    const two = signed([cor, { person: "per_privacy", office: "privacy" }])
    for (const policy of [{}, { ...defaultPolicy, approvals: undefined }, null])
      expect(approvalsSuffice(two, policy as Policy)).toBe(false)
  })
})
