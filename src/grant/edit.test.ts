import { describe, expect, test } from "vitest"
import { someTerms } from "../../test/terms.ts"
import { differencesOf, widens } from "./edit.ts"
import type { Terms } from "./terms.ts"

const terms: Terms = { ...someTerms, selection: "open" }

/** By term: an edit that narrows it, and one that widens it. */
const edits: Readonly<
  Record<keyof Terms, { narrower: Partial<Terms> | null; wider: Partial<Terms> | null }>
> = {
  for: { narrower: null, wider: { for: "reveal" } },
  purpose: { narrower: null, wider: { purpose: "verify-reads" } },
  work_order: { narrower: null, wider: { work_order: "WO-2" } },
  contract: { narrower: null, wider: { contract: "con_2" } },
  holder: { narrower: null, wider: { holder: "per_2" } },
  device: { narrower: { device: "AAAA" }, wider: null },
  lanes: { narrower: { lanes: ["lan_2"] }, wider: { lanes: ["lan_2", "lan_3"] } },
  hours: { narrower: { hours: { from: 7, until: 12 } }, wider: { hours: { from: 8, until: 13 } } },
  dates: {
    narrower: { dates: { first: "2026-11-21", last: "2026-11-24" } },
    wider: { dates: { first: "2026-11-19", last: "2026-11-20" } },
  },
  level: { narrower: { level: "L1" }, wider: { level: "L3" } },
  region: { narrower: null, wider: { region: "wide" } },
  selection: { narrower: { selection: "frozen" }, wider: null },
  captures: { narrower: { captures: ["cap_1"] }, wider: null },
  images: { narrower: { images: 19 }, wider: { images: 21 } },
  releases: { narrower: { releases: 20 }, wider: { releases: 61 } },
  starts_at: {
    narrower: { starts_at: "2026-11-24T01:00:00.000Z" },
    wider: { starts_at: "2026-11-23T23:59:59.999Z" },
  },
  ends_at: {
    narrower: { ends_at: "2026-11-24T23:00:00.000Z" },
    wider: { ends_at: "2026-11-25T00:00:00.001Z" },
  },
  destroy_by: {
    narrower: { destroy_by: "2026-12-24T00:00:00.000Z" },
    wider: { destroy_by: "2026-12-26T00:00:00.000Z" },
  },
  people: { narrower: { people: 3 }, wider: null },
  comment_commitment: { narrower: { comment_commitment: "x" }, wider: null },
}

describe("an edit narrows or widens, term by term", () => {
  for (const [term, { narrower, wider }] of Object.entries(edits)) {
    if (narrower !== null)
      test(`${term} narrowed`, () => {
        expect(widens(terms, { ...terms, ...narrower })).toBe(false)
        expect(differencesOf(terms, { ...terms, ...narrower })).toMatchObject([{ term, widens: false }])
      })
    if (wider !== null)
      test(`${term} widened`, () => {
        expect(widens(terms, { ...terms, ...wider })).toBe(true)
        expect(differencesOf(terms, { ...terms, ...wider })).toMatchObject([{ term, widens: true }])
      })
  }
})

test("what a frozen selection or a manifest opens again widens; another capture does too", () => {
  expect(widens({ ...terms, selection: "frozen" }, terms)).toBe(true)
  expect(widens({ ...terms, captures: ["cap_1"] }, terms)).toBe(true)
  expect(widens({ ...terms, captures: ["cap_1"] }, { ...terms, captures: ["cap_2"] })).toBe(true)
})

test("a wide region widens L2 alone: whoever has L4 sees it already", () => {
  const wide = { ...terms, level: "L2", region: "wide" } as const
  expect(widens({ ...terms, level: "L4" }, wide)).toBe(false)
  expect(widens({ ...terms, level: "L1" }, wide)).toBe(true)
  expect(widens({ ...terms, level: "L3" }, wide)).toBe(true)
})

test("back to the close region narrows, and is said by its name", () => {
  expect(differencesOf({ ...terms, region: "wide" }, terms)).toEqual([
    { term: "region", was: "wide", is: "close", widens: false },
  ])
})

test("one term widened among others narrowed widens", () => {
  expect(widens(terms, { ...terms, images: 1, releases: 3, lanes: ["lan_3"] })).toBe(true)
})

test("the same terms differ in nothing", () => {
  expect(differencesOf(terms, { ...terms })).toEqual([])
})
