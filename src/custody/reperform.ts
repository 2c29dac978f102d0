import type { VerifyEd25519 } from "../ed25519.ts"
import { Fault, type FaultCode } from "../fault.ts"
import { isAuthentic } from "../log/authentic.ts"
import { parseEntry, type EntryOf } from "../log/kinds.ts"
import { provedBundles, receiptFrom, type LogSource, type ReadHead } from "../log/reading.ts"
import { Replay, type Problem } from "../log/replay.ts"
import { drawn } from "../log/sample.ts"
import { checkReceipt } from "../log/verify.ts"
import type { State } from "../log/state.ts"
import type { Policy } from "../tlog/policy.ts"
import { permitTable, type PermitContext } from "../vault/checks.ts"

/** One check of a release, as it was judged when it was done again. */
export interface Redone {
  readonly name: string
  readonly holds: boolean
}

/** One release that was done again from the log alone. */
export interface Reperformed {
  /** Entries. */
  readonly delivered: number
  readonly permit: number
  readonly at: string
  readonly capture: string
  readonly person: string | null
  readonly grant: string | null
  readonly level: string
  readonly sha256: string
  readonly approvals: readonly { readonly entry: number; readonly person: string; readonly office: string }[]
  /** In the order judged, up to the first that failed. */
  readonly checks: readonly Redone[]
  readonly refusal: FaultCode | null
}

export interface Sample {
  readonly checkpoint: { readonly origin: string; readonly size: number }
  readonly seed: string
  /** How many deliveries there are to draw from. */
  readonly deliveries: number
  readonly releases: readonly Reperformed[]
  /** What the replay found up to the last of them; none where the log is sound. */
  readonly problems: readonly Problem[]
}

export interface SampleAsk {
  readonly source: LogSource
  readonly head: ReadHead
  readonly policy: Policy
  readonly verify: VerifyEd25519
  readonly count: number
  readonly seed: string
}

/** What each row of the vault's own table asks, in the auditor's words. */
const questions: Partial<Record<FaultCode, string>> = {
  RECEIPT_KEY: "the key that asked is enrolled, and is that person's",
  RECEIPT_REQUEST: "the person's signed request holds",
  RECEIPT_TERMS: "the terms in force then are those that the permit names",
  RECEIPT_APPROVAL: "they were approved by as many people of different offices as the policy asked",
  RECEIPT_DECISION: "the decision table, asked again at that place, gives a permit with the same counts",
}

/**
 * Draws deliveries and does each again from the log: request, terms, approvals, decision, delivery, receipt. Reads the log
 * twice: once to know what there is to draw from, which the signed root proves, and once to lead the state to each permit.
 * @throws Fault LOG_INVALID where the entries do not lead to the root.
 */
export async function reperform(ask: SampleAsk): Promise<Sample> {
  const permitOf = await deliveriesIn(ask)
  const taken = drawn([...permitOf.keys()], ask.count, ask.seed)
  const run = new Run(ask, { permitOf, taken })
  const last = taken.at(-1) ?? -1
  for await (const rows of provedBundles(ask.source, ask.head)) {
    if (rows[0] !== undefined && rows[0].index <= last) for (const row of rows) run.take(row, last)
  }
  const { origin, size } = ask.head
  const releases = await run.releases(taken)
  return {
    ...{ checkpoint: { origin, size }, seed: ask.seed, deliveries: permitOf.size },
    ...{ releases, problems: run.problems },
  }
}

/** Each delivery's permit. */
async function deliveriesIn({ source, head }: SampleAsk): Promise<ReadonlyMap<number, number>> {
  const permitOf = new Map<number, number>()
  for await (const rows of provedBundles(source, head))
    for (const { index, bytes } of rows) {
      const entry = parseEntry(bytes)
      if (entry?.kind === "delivered") permitOf.set(index, entry.permit)
    }
  return permitOf
}

/** What was seen of one permit at its place. */
interface Judged {
  readonly permit: EntryOf<"permit">
  readonly checks: readonly Redone[]
  readonly refusal: FaultCode | null
  readonly approvals: Reperformed["approvals"]
}

/** The second reading: leads the state along, and judges the drawn permits in passing. */
class Run {
  readonly problems: Problem[] = []
  readonly #ask: SampleAsk
  readonly #replay: Replay
  readonly #permitOf: ReadonlyMap<number, number>
  readonly #wanted: ReadonlySet<number>
  readonly #judged = new Map<number, Judged>()
  readonly #delivered = new Map<number, EntryOf<"delivered">>()
  readonly #approvals = new Map<number, EntryOf<"grant.approved">>()

  constructor(
    ask: SampleAsk,
    of: { readonly permitOf: ReadonlyMap<number, number>; readonly taken: readonly number[] },
  ) {
    this.#ask = ask
    this.#permitOf = of.permitOf
    this.#wanted = new Set(of.taken.map(delivered => of.permitOf.get(delivered) ?? -1))
    this.#replay = new Replay({ origin: ask.head.origin, verify: ask.verify, folds: () => true })
  }

  take({ index, bytes }: { readonly index: number; readonly bytes: Uint8Array }, last: number): void {
    if (index > last) return
    const entry = parseEntry(bytes)
    if (entry?.kind === "grant.approved") this.#approvals.set(index, entry)
    if (entry?.kind === "permit" && this.#wanted.has(index)) this.#judged.set(index, this.#judge(entry))
    if (entry?.kind === "delivered" && this.#wanted.has(entry.permit)) this.#delivered.set(index, entry)
    this.problems.push(...this.#replay.take([{ index, kind: entry?.kind ?? "", bytes }]))
  }

  #judge(permit: EntryOf<"permit">): Judged {
    const { head, verify } = this.#ask
    const context: PermitContext = { permit, state: this.#replay.register, origin: head.origin, verify }
    const approvals = this.#approvalsOf(permit, context.state)
    const rows = [
      ...permitTable.map(({ refuse, holds }) => {
        return { name: questions[refuse] ?? refuse, refuse, holds: () => holds(context) }
      }),
      {
        name: "each approver's own signature over these terms holds",
        refuse: "APPROVAL_SIGNATURE" as const,
        holds: () => approvals.every(({ entry }) => this.#isSigned(entry)),
      },
    ]
    return { permit, approvals, ...upToFirst(rows) }
  }

  #approvalsOf({ by }: EntryOf<"permit">, state: State): Reperformed["approvals"] {
    const grant = by === null ? null : state.record("grant", by.grant)
    return (grant?.approvals ?? []).map(({ entry, person, office }) => ({ entry, person, office }))
  }

  #isSigned(index: number): boolean {
    const entry = this.#approvals.get(index)
    if (entry === undefined) return false
    const { head, verify } = this.#ask
    return isAuthentic(entry, { origin: head.origin, at_ms: Date.parse(entry.at), verify })
  }

  async releases(taken: readonly number[]): Promise<readonly Reperformed[]> {
    const done: Reperformed[] = []
    for (const index of taken) done.push(await this.#release(index))
    return done
  }

  async #release(index: number): Promise<Reperformed> {
    const delivered = this.#delivered.get(index)
    const judged = delivered === undefined ? undefined : this.#judged.get(delivered.permit)
    if (delivered === undefined || judged === undefined)
      throw new Fault("LOG_INVALID", `entry ${index} delivers under a permit that is not there`)
    const { permit, approvals } = judged
    const receipt = judged.refusal === null ? await this.#receipt(index, delivered) : null
    return {
      ...{ delivered: index, permit: delivered.permit, at: delivered.at, capture: delivered.capture },
      ...{ person: permit.by?.person ?? null, grant: permit.by?.grant ?? null, level: permit.level },
      ...{ sha256: delivered.sha256, approvals },
      checks: [...judged.checks, ...(receipt?.checks ?? [])],
      refusal: judged.refusal ?? receipt?.refusal ?? null,
    }
  }

  /** One delivery of the permit, and a receipt that a stranger would accept. */
  async #receipt(index: number, { permit, sha256, size_bytes }: EntryOf<"delivered">) {
    const { source, head, policy, verify } = this.#ask
    const isOnly = [...this.#permitOf.values()].filter(each => each === permit).length === 1
    const receipt = await receiptFrom(source, index, head)
    const verdict = checkReceipt({ receipt, policy, file: { sha256, size_bytes }, verify })
    return upToFirst([
      { name: "the permit was used once", refuse: "RECEIPT_USED", holds: () => isOnly },
      ...verdict.checks.map(({ name, holds }) => {
        return { name, refuse: verdict.refusal ?? "RECEIPT_FORMAT", holds: () => holds }
      }),
    ])
  }
}

interface Row {
  readonly name: string
  readonly refuse: FaultCode
  readonly holds: () => boolean
}

function upToFirst(rows: readonly Row[]): Pick<Judged, "checks" | "refusal"> {
  const checks: Redone[] = []
  for (const { name, refuse, holds } of rows) {
    const isSo = holds()
    checks.push({ name, holds: isSo })
    if (!isSo) return { checks, refusal: refuse }
  }
  return { checks, refusal: null }
}
