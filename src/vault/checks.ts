import type { VerifyEd25519 } from "../ed25519.ts"
import type { FaultCode } from "../fault.ts"
import { isApproved, type GrantState } from "../grant/decide.ts"
import { termsDigest } from "../grant/terms.ts"
import type { CaptureRow } from "../ledger/ledger.ts"
import { isAuthentic } from "../log/authentic.ts"
import { policyOf, signerOfRequest, standingGrant } from "../log/standing.ts"
import { judge } from "../log/judge.ts"
import type { Entry, EntryOf } from "../log/kinds.ts"
import type { State } from "../log/state.ts"

interface Check<C> {
  readonly refuse: FaultCode
  readonly holds: (context: C) => boolean
}

/** The code of the first check that does not hold, in the order judged, or `null`. */
export function firstRefusal<C>(table: readonly Check<C>[], context: C): FaultCode | null {
  return table.find(check => !check.holds(context))?.refuse ?? null
}

/** A permit as the vault meets it in the log, with what the log says up to it. */
export interface PermitContext {
  readonly permit: EntryOf<"permit">
  readonly state: State
  readonly origin: string
  readonly verify: VerifyEd25519
}

/** Whether a permit is one that people asked for and approved; judged once, at its place in the log. */
export const permitTable: readonly Check<PermitContext>[] = [
  {
    refuse: "RECEIPT_KEY",
    holds: c =>
      c.permit.asked === null || signerOfRequest(c.permit.asked.key, c.state)?.person === c.permit.by?.person,
  },
  {
    refuse: "RECEIPT_REQUEST",
    holds: c => isAuthentic(c.permit, { origin: c.origin, at_ms: Date.parse(c.permit.at), verify: c.verify }),
  },
  { refuse: "RECEIPT_TERMS", holds: c => c.permit.by === null || isInForce(c.permit.by, grantOf(c)) },
  { refuse: "RECEIPT_APPROVAL", holds: c => c.permit.by === null || hasApprovals(c) },
  { refuse: "RECEIPT_DECISION", holds: c => judge(c.permit, c.state, Date.parse(c.permit.at)) === null },
]

/** A withdrawal as it is asked, with what was found for it. */
export interface WithdrawalContext {
  readonly captureId: string
  /** The receipt's entry. */
  readonly entry: Entry
  /** The entry that the permit names as the capture's admission, proved; `null` where there is none. */
  readonly admitted: Entry | null
  readonly row: CaptureRow | null
  readonly now_ms: number
  /** The permit's grant as the newest accepted tree has it. */
  readonly grant: GrantState | null
  readonly isUsed: boolean
}

const maxAge_ms = 60_000
const maxAhead_ms = 5_000

/** Whether the receipt is one for this withdrawal; asked before the permit's own verdict. */
export const receiptTable: readonly Check<WithdrawalContext>[] = [
  { refuse: "RECEIPT_NOT_PERMIT", holds: c => c.entry.kind === "permit" },
  { refuse: "RECEIPT_CAPTURE", holds: c => c.entry.kind === "permit" && c.entry.capture === c.captureId },
  { refuse: "RECEIPT_AGE", holds: c => isYoung(Date.parse(c.entry.at), c.now_ms) },
  { refuse: "RECEIPT_USED", holds: c => !c.isUsed },
]

/** Whether grant and capture are still what the permit rests on; asked after it. */
export const captureTable: readonly Check<WithdrawalContext>[] = [
  { refuse: "GRANT_REVOKED", holds: c => c.grant === null || c.grant.status === "approved" },
  { refuse: "RECEIPT_DECISION", holds: c => isAdmission(c) },
  {
    refuse: "LEDGER_DIFFERS",
    holds: c => c.admitted?.kind === "admitted" && c.row?.bodySha256 === c.admitted.body_sha256,
  },
  { refuse: "LEDGER_DIFFERS", holds: c => c.entry.kind === "permit" && c.row?.examined === c.entry.examined },
]

/** The permit's lane and hour, which the decision went by, must be those of the capture's own admission. */
function isAdmission({ entry, admitted, captureId }: WithdrawalContext): boolean {
  if (entry.kind !== "permit" || admitted?.kind !== "admitted") return false
  return admitted.capture === captureId && admitted.lane === entry.lane && admitted.hour === entry.hour
}

function grantOf({ permit, state }: PermitContext): GrantState | null {
  return permit.by === null ? null : state.record("grant", permit.by.grant)
}

function isInForce(by: NonNullable<EntryOf<"permit">["by"]>, grant: GrantState | null): boolean {
  return grant !== null && termsDigest(grant.terms) === by.terms_sha256
}

function hasApprovals(context: PermitContext): boolean {
  const grant = grantOf(context)
  return grant !== null && isApproved(standingGrant(grant, context.state), policyOf(context.state))
}

function isYoung(at_ms: number, now_ms: number): boolean {
  return now_ms - at_ms <= maxAge_ms && at_ms - now_ms <= maxAhead_ms
}
