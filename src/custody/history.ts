import { Fault } from "../fault.ts"
import type { GrantState } from "../grant/decide.ts"
import type { Level, Region } from "../grant/level.ts"
import type { Office } from "../grant/office.ts"
import type { Terms } from "../grant/terms.ts"
import { parseEntry, type Entry, type EntryOf } from "../log/kinds.ts"
import { names, permitName } from "../log/state.ts"
import { recordOf } from "./caller.ts"
import type { House } from "./house.ts"

/** One thing that somebody did to a grant, with the entry that says so. */
export interface Event {
  readonly entry: number
  readonly at: string
  readonly what:
    "requested" | "edited" | "approved" | "denied" | "revoked" | "opened by two keys" | "reviewed"
  readonly person: string
  /** The office that he holds now. */
  readonly office: Office | null
  /** The version of the terms that it made, or signed. */
  readonly version: number | null
  /** The terms that it made; `grant/edit.ts` says what differs between two. */
  readonly terms: Terms | null
}

/** One release or reveal under a grant. */
export interface Released {
  /** Indexes of the permit and of what was delivered; `null`: charged, and no copy left. */
  readonly permit: number
  readonly delivered: number | null
  readonly at: string
  readonly capture: string
  readonly level: Level
  readonly region?: Region
  readonly lane: string
  readonly person: string
  /** Of the bytes that left, lowercase hexadecimal. */
  readonly sha256: string | null
}

/** What became of a grant, in order: who asked, changed, signed, refused, ended it. */
export async function historyOf(house: House, grant: GrantState): Promise<readonly Event[]> {
  return Promise.all(grant.entries.map(index => eventAt(house, grant, index)))
}

/** A page of what left under a grant, oldest first. @param after  the permit that the page before ended with. */
export async function releasesOf(
  house: House,
  grant: string,
  page: { readonly limit: number; readonly after?: string },
): Promise<readonly Released[]> {
  const set = names.permits(grant)
  const after = page.after === undefined ? {} : { after: { set, member: permitName(Number(page.after)) } }
  const rows = await house.ledger.members({ set, limit: page.limit, ...after })
  return Promise.all(rows.map(row => releasedAt(house, Number(row.member))))
}

async function releasedAt(house: House, index: number): Promise<Released> {
  const permit = (await entryAt(house, index)) as EntryOf<"permit">
  const delivered = await house.ledger.member(names.delivered, permitName(index))
  const copy = delivered === 0 ? null : ((await entryAt(house, delivered)) as EntryOf<"delivered">)
  return {
    permit: index,
    delivered: copy === null ? null : delivered,
    at: permit.at,
    capture: permit.capture,
    level: permit.level,
    ...(permit.region === undefined ? {} : { region: permit.region }),
    lane: permit.lane,
    person: permit.by?.person ?? "",
    sha256: copy?.sha256 ?? null,
  }
}

async function entryAt(house: House, index: number): Promise<Entry> {
  const [row] = await house.ledger.entries(index, index + 1)
  const entry = row === undefined ? null : parseEntry(row.bytes)
  if (entry === null) throw new Fault("LEDGER_DIFFERS", `entry ${index} is not there, or is none`)
  return entry
}

function termsIn(entry: Entry): Terms | null {
  if (entry.kind === "grant.requested") return entry.statement
  return entry.kind === "grant.edited" ? entry.statement.terms : null
}

const verbs = {
  "grant.requested": "requested",
  "grant.edited": "edited",
  "grant.approved": "approved",
  "grant.denied": "denied",
  "grant.revoked": "revoked",
  "motion.seconded": "opened by two keys",
  "glass.reviewed": "reviewed",
} as const satisfies Partial<Record<Entry["kind"], Event["what"]>>

async function eventAt(house: House, { requester }: GrantState, index: number): Promise<Event> {
  const of = (await entryAt(house, index)) as Extract<Entry, { readonly kind: keyof typeof verbs }>
  const person = of.kind === "grant.requested" ? requester : of.person
  return {
    entry: index,
    at: of.at,
    what: verbs[of.kind],
    person,
    office: (await recordOf(house, "person", person))?.office ?? null,
    version: versionIn(of),
    terms: termsIn(of),
  }
}

function versionIn(entry: Entry): number | null {
  switch (entry.kind) {
    case "grant.requested":
      return 1
    case "grant.edited":
      return entry.statement.version + 1
    case "grant.approved":
    case "grant.denied":
      return entry.statement.version
    default:
      return null
  }
}
