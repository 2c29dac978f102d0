import { covers } from "./level.ts"
import type { Terms } from "./terms.ts"

/** One term that differs, with both values as text. */
export interface Difference {
  readonly term: keyof Terms
  readonly was: string
  readonly is: string
  /** Whether more may leave, or another thing, than before. */
  readonly widens: boolean
}

type Narrows = { readonly [T in keyof Terms]-?: (was: Terms, is: Terms) => boolean }

const never = () => false

/** By term: whether a changed value lets nothing through that the old one did not. What is not a matter of more or less widens. */
const narrows: Narrows = {
  for: never,
  purpose: never,
  work_order: never,
  contract: never,
  holder: never,
  device: was => was.device === null,
  lanes: (was, is) => is.lanes.every(lane => was.lanes.includes(lane)),
  hours: (was, is) => was.hours.from <= is.hours.from && is.hours.until <= was.hours.until,
  dates: (was, is) => was.dates.first <= is.dates.first && is.dates.last <= was.dates.last,
  level: (was, is) => covers(was.level, is.level),
  // Of levels that are not L2 the level says all.
  region: (was, is) => is.region === undefined || was.level !== "L2",
  selection: (_, is) => is.selection === "frozen",
  captures: (was, is) =>
    is.captures !== null &&
    (was.captures === null || is.captures.every(capture => was.captures?.includes(capture))),
  images: (was, is) => is.images <= was.images,
  people: (was, is) => is.people !== null && (was.people === null || is.people <= was.people),
  releases: (was, is) => is.releases <= was.releases,
  starts_at: (was, is) => Date.parse(was.starts_at) <= Date.parse(is.starts_at),
  ends_at: (was, is) => Date.parse(is.ends_at) <= Date.parse(was.ends_at),
  destroy_by: (was, is) => Date.parse(is.destroy_by) <= Date.parse(was.destroy_by),
  comment_commitment: () => true,
}

/**
 * What an edit changes, term by term. Approvals outlive it when nothing widens (GitHub's stale approvals and
 * infisical#6988 are what happens otherwise).
 */
export function differencesOf(was: Terms, is: Terms): Difference[] {
  return (Object.keys(narrows) as (keyof Terms)[])
    .filter(term => JSON.stringify(was[term]) !== JSON.stringify(is[term]))
    .map(term => ({ term, was: shown(was[term]), is: shown(is[term]), widens: !narrows[term](was, is) }))
}

/** Whether any term lets through what the old terms did not. */
export function widens(was: Terms, is: Terms): boolean {
  return differencesOf(was, is).some(difference => difference.widens)
}

/** What terms may leave out is the region, and that is the close one. */
function shown(value: unknown = "close"): string {
  return typeof value === "string" ? value : JSON.stringify(value)
}
