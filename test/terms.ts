import type { Terms } from "../src/grant/terms.ts"

/** The moment that tests of pure rules judge at. */
export const now_ms = Date.parse("2026-11-24T12:00:00.000Z")

/** Terms that hold together at that moment, in short ids. */
export const someTerms: Terms = {
  for: "release",
  purpose: "calibrate-reader",
  work_order: "WO-1",
  contract: "con_1",
  holder: "per_engineer",
  device: null,
  lanes: ["lan_1", "lan_2"],
  hours: { from: 6, until: 12 },
  dates: { first: "2026-11-20", last: "2026-11-24" },
  level: "L2",
  selection: "frozen",
  captures: null,
  images: 20,
  releases: 60,
  people: null,
  starts_at: "2026-11-24T00:00:00.000Z",
  ends_at: "2026-11-25T00:00:00.000Z",
  destroy_by: "2026-12-25T00:00:00.000Z",
  comment_commitment: null,
}
