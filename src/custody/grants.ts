import type { FaultCode } from "../fault.ts"
import { newId } from "../ids.ts"
import { judge } from "../log/judge.ts"
import { wanting, type KeyOf } from "../ledger/ledger.ts"
import type { Draft, EntryOf } from "../log/kinds.ts"
import { explain } from "./explain.ts"
import { chainKeys, circleOf, personKeys, recordOf, stateOf, type Caller } from "./caller.ts"
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
  const records = [{ kind: "grant", id: grant }, ...(await termsKeys(house, statement))]
  const draft: Draft = { kind: "grant.requested", grant, asked: caller.asked, statement }
  const { index } = await propose(house, caller, { of: "grant", draft, records, grant })
  return { grant, entry: index }
}

/** What the rules of terms read. */
export async function termsKeys(house: House, terms: TermsStated): Promise<KeyOf[]> {
  const holder = await recordOf(house, "person", terms.holder)
  return [
    { kind: "person", id: terms.holder },
    ...terms.lanes.map(id => ({ kind: "lane", id })),
    ...(terms.contract === null ? [] : [{ kind: "contract", id: terms.contract }]),
    ...(holder === null ? [] : await chainKeys(house, holder.organization)),
  ]
}

/** Which rule would refuse, why, and what would pass; `null` where none would. */
export interface Trial {
  readonly refusal: FaultCode | null
  readonly why: string | null
  readonly next: string | null
}

/** What would come of these terms if this person asked for them now. Nothing is logged or charged. */
export async function tryTerms(house: House, caller: Caller): Promise<Trial> {
  const statement = caller.statement as TermsStated
  const grant = newId(statement.for === "release" ? "grt" : "cas")
  const records = [
    ...(await circleOf(house, caller)),
    { kind: "policy", id: "policy" },
    { kind: "grant", id: grant },
    ...(await termsKeys(house, statement)),
  ]
  const draft: Draft = { kind: "grant.requested", grant, asked: caller.asked, statement }
  const now_ms = house.log.clock()
  const state = await stateOf(house, wanting({ records }))
  const refusal = judge(draft, state, now_ms)
  if (refusal === null) return { refusal, why: null, next: null }
  const { detail, next = null } = explain(refusal, draft, { state, now_ms })
  return { refusal, why: detail, next }
}

/** Changes the terms in force: by who asked for them, or, if nothing widens, by an approver's office. */
export async function editGrant(house: House, caller: Caller, grant: string): Promise<GrantEntry> {
  const statement = caller.statement as EntryOf<"grant.edited">["statement"]
  const { asked, person } = caller
  const draft: Draft = { kind: "grant.edited", grant, person: person.person, asked, statement }
  const records = [{ kind: "grant", id: grant }, ...(await termsKeys(house, statement.terms))]
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
  const holder = (await recordOf(house, "grant", grant))?.terms.holder
  const holders = holder === undefined ? [] : await personKeys(house, holder)
  const { index } = await propose(house, caller, {
    of: "grant",
    draft,
    records: [{ kind: "grant", id: grant }, ...holders],
    grant,
  })
  return { grant, entry: index }
}
