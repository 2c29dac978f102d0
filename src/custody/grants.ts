import { newId } from "../ids.ts"
import type { KeyOf } from "../ledger/ledger.ts"
import type { Draft, EntryOf } from "../log/kinds.ts"
import { chainKeys, recordOf, type Caller } from "./caller.ts"
import type { House } from "./house.ts"
import { propose } from "./propose.ts"

type TermsStated = EntryOf<"grant.requested">["statement"]
type ApprovalStated = EntryOf<"grant.approved">["statement"]

export interface GrantEntry {
  readonly grant: string
  readonly entry: number
}

/** Asks for a grant, or opens a case: the terms go into the log as they are, pending. */
export async function requestGrant(house: House, caller: Caller): Promise<GrantEntry> {
  const statement = caller.statement as TermsStated
  const grant = newId(statement.for === "release" ? "grt" : "cas")
  const holder = await recordOf(house, "person", statement.holder)
  const records: KeyOf[] = [
    { kind: "grant", id: grant },
    { kind: "person", id: statement.holder },
    ...statement.lanes.map(id => ({ kind: "lane", id })),
    ...(statement.contract === null ? [] : [{ kind: "contract", id: statement.contract }]),
    ...(holder === null ? [] : await chainKeys(house, holder.organization)),
  ]
  const draft: Draft = { kind: "grant.requested", grant, asked: caller.asked, statement }
  const { index } = await propose(house, caller, { of: "grant", draft, records, grant })
  return { grant, entry: index }
}

/** One person's yes or no to the terms that the digest names. */
export async function decideGrant(house: House, caller: Caller, grant: string): Promise<GrantEntry> {
  const statement = caller.statement as ApprovalStated
  const kind = statement.decision === "approve" ? "grant.approved" : "grant.denied"
  const draft: Draft = { kind, grant, person: caller.person.person, asked: caller.asked, statement }
  const { index } = await propose(house, caller, {
    of: "approval",
    draft,
    records: [{ kind: "grant", id: grant }],
    grant,
  })
  return { grant, entry: index }
}

/** Ends a grant at once: no permit follows this entry. */
export async function revokeGrant(house: House, caller: Caller, grant: string): Promise<GrantEntry> {
  const statement = caller.statement as EntryOf<"grant.revoked">["statement"]
  const draft: Draft = {
    kind: "grant.revoked",
    grant,
    person: caller.person.person,
    asked: caller.asked,
    statement,
  }
  const { index } = await propose(house, caller, {
    of: "grant",
    draft,
    records: [{ kind: "grant", id: grant }],
    grant,
  })
  return { grant, entry: index }
}
