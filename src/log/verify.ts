import type { VerifyEd25519 } from "../ed25519.ts"
import type { FaultCode } from "../fault.ts"
import { judge, type Judgement, type Policy } from "../tlog/policy.ts"
import { parseProof } from "../tlog/receipt.ts"
import { isAuthentic } from "./authentic.ts"
import type { Entry, EntryOf } from "./kinds.ts"
import { openReceipt, type Opened, type Receipt } from "./receipt.ts"

/** The file that a receipt is held against. */
export interface HeldFile {
  /** Lowercase hexadecimal. */
  readonly sha256: string
  readonly size_bytes: number
}

export interface Question {
  /** The text of a `.tlog-proof` file. */
  readonly receipt: string
  readonly policy: Policy
  /** `null` for an admission proof or a report, which has no file. */
  readonly file: HeldFile | null
  readonly verify: VerifyEd25519
}

export interface Verdict {
  /** What was checked, in order, up to the first that failed. */
  readonly checks: readonly { readonly name: string; readonly holds: boolean }[]
  /** The code of the check that failed, or `null`. */
  readonly refusal: FaultCode | null
  /** What nobody can check from these files alone. */
  readonly notChecked: readonly string[]
  readonly entry: Entry | null
  readonly permit: EntryOf<"permit"> | null
}

interface Context {
  readonly opened: Opened
  readonly judged: Judgement
  readonly isProof: boolean
  readonly receipt: Receipt | null
  readonly delivered: EntryOf<"delivered"> | null
  readonly permit: EntryOf<"permit"> | null
  readonly question: Question
}

interface Check {
  readonly name: string
  readonly refuse: FaultCode
  readonly holds: (context: Context) => boolean
}

/** For every receipt. In the order judged. */
export const receiptChecks: readonly Check[] = [
  { name: "the file is a tlog-proof", refuse: "RECEIPT_FORMAT", holds: c => c.isProof },
  {
    name: "the checkpoint is signed by the log's key",
    refuse: "RECEIPT_CHECKPOINT",
    holds: c => c.judged.kind === "ok" || c.judged.reason === "quorum",
  },
  {
    name: "the witnesses that the policy asks for cosigned it",
    refuse: "RECEIPT_WITNESS",
    holds: c => c.judged.kind === "ok",
  },
  {
    name: "the entries are in that tree",
    refuse: "RECEIPT_INCLUSION",
    holds: c => c.opened.kind === "ok" || c.opened.code !== "RECEIPT_INCLUSION",
  },
  { name: "the entries are of known kinds", refuse: "RECEIPT_FORMAT", holds: c => c.opened.kind === "ok" },
]

/** For the receipt of an image. */
export const deliveryChecks: readonly Check[] = [
  {
    name: "the entry says that an image was delivered",
    refuse: "RECEIPT_NOT_PERMIT",
    holds: c => c.delivered !== null,
  },
  {
    name: "its permit is a permit, at the index that it names",
    refuse: "RECEIPT_NOT_PERMIT",
    holds: c => c.permit !== null && c.receipt?.permit?.index === c.delivered?.permit,
  },
  { name: "the permit is for a person", refuse: "RECEIPT_NOT_PERMIT", holds: c => c.permit?.by != null },
  {
    name: "the permit is for this capture",
    refuse: "RECEIPT_CAPTURE",
    holds: c => c.permit?.capture === c.delivered?.capture,
  },
  { name: "the delivery follows the permit", refuse: "RECEIPT_AGE", holds: c => isAfter(c) },
  { name: "the person's signed request holds", refuse: "RECEIPT_REQUEST", holds: c => isAsked(c) },
  {
    name: "the file's size is the delivered one's",
    refuse: "RECEIPT_FILE",
    holds: c => c.question.file?.size_bytes === c.delivered?.size_bytes,
  },
  {
    name: "the file's SHA-256 is the delivered one's",
    refuse: "RECEIPT_FILE",
    holds: c => c.question.file?.sha256 === c.delivered?.sha256,
  },
]

/** For the receipt of a report or declaration. */
export const reportChecks: readonly Check[] = [
  {
    name: "the author's signed request holds",
    refuse: "RECEIPT_REQUEST",
    holds: c => c.receipt !== null && isAuthored(c.receipt.entry, c),
  },
]

/**
 * Verifies a receipt offline: from the file, a policy that the reader pinned, and the image itself.
 * An admission proof (entry `admitted`) has no file, and ends with the first table; so has a report (`incident.declared`).
 */
export function checkReceipt(question: Question): Verdict {
  const context = contextOf(question)
  const entry = context.receipt?.entry ?? null
  const table = [...receiptChecks, ...checksOf(question.file === null ? entry : null)]
  const failed = table.findIndex(check => !check.holds(context))
  const done = failed < 0 ? table : table.slice(0, failed + 1)
  return {
    checks: done.map((check, i) => ({ name: check.name, holds: i !== failed })),
    refusal: failed < 0 ? null : (table[failed]?.refuse ?? null),
    notChecked:
      entry?.kind === "incident.declared"
        ? ["whether its author was enrolled with that key (sallyport log verify)"]
        : [
            "whether the two approvals stand in the log (sallyport log verify)",
            "whether the image was copied on after its delivery",
          ],
    entry,
    permit: context.permit,
  }
}

/** @param entry  of a receipt that comes without a file, or `null`. */
function checksOf(entry: Entry | null): readonly Check[] {
  switch (entry?.kind) {
    case "admitted":
      return []
    case "incident.declared":
      return reportChecks
    default:
      return deliveryChecks
  }
}

function contextOf(question: Question): Context {
  const { receipt: text, policy, verify } = question
  const proof = parseProof(text)
  const judged = judge(policy, proof?.checkpoint ?? "", verify)
  const opened = openReceipt(text, () => (judged.kind === "ok" ? judged.checkpoint : "RECEIPT_CHECKPOINT"))
  const receipt = opened.kind === "ok" ? opened.receipt : null
  const behind = receipt?.permit?.entry ?? null
  return {
    opened,
    judged,
    isProof:
      opened.kind === "ok" || opened.code !== "RECEIPT_FORMAT" || (proof !== null && proof.extra !== null),
    receipt,
    delivered: receipt?.entry.kind === "delivered" ? receipt.entry : null,
    permit: behind?.kind === "permit" ? behind : null,
    question,
  }
}

function isAfter({ receipt, permit, delivered }: Context): boolean {
  if (receipt === null || permit === null || delivered === null) return false
  return delivered.permit < receipt.index && Date.parse(permit.at) <= Date.parse(delivered.at)
}

function isAsked({ permit, ...context }: Context): boolean {
  if (permit === null || permit.statement === null) return false
  const { capture, level, grant } = permit.statement
  const isSame = capture === permit.capture && level === permit.level && grant === permit.by?.grant
  return isSame && isAuthored(permit, context)
}

/** Whether its author's signature holds for what the entry says. */
function isAuthored(entry: Entry, { judged, question }: Pick<Context, "judged" | "question">): boolean {
  if (judged.kind !== "ok") return false
  const { origin } = judged.checkpoint
  return isAuthentic(entry, { origin, at_ms: Date.parse(entry.at), verify: question.verify })
}
