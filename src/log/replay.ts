import type { VerifyEd25519 } from "../ed25519.ts"
import { decide, decisionTable } from "../grant/decide.ts"
import { leafHash } from "../tlog/hash.ts"
import { emptyFrontier, grow, type Frontier } from "../tlog/tree.ts"
import type { EntryRow } from "../ledger/ledger.ts"
import { isAuthentic } from "./authentic.ts"
import { effectsOf } from "./effects.ts"
import { signerOfRequest } from "./standing.ts"
import { factsFor } from "./facts.ts"
import { judge } from "./judge.ts"
import { parseEntry, type Entry, type EntryOf } from "./kinds.ts"
import { Register, type Effects, type State } from "./state.ts"

/** Entries that no rule led to, or that are out of place. */
export interface Problem {
  /** The entry, or the row where no entry is at fault. */
  readonly at: string
  readonly why: string
}

export interface ReplayContext {
  readonly origin: string
  readonly verify: VerifyEd25519
  /** Which entries are judged and change the register; a vault that keeps no captures skips theirs. */
  readonly folds: (entry: Entry) => boolean
  /** What of an entry's effects the register keeps; everything without it. */
  readonly keeps?: (effects: Effects) => Effects
  /** Judges permits in place of the common rules; a permit that does not pass changes nothing and is no problem of the log. */
  readonly permit?: (permit: EntryOf<"permit">, index: number, state: State) => boolean
}

const decisions = new Set<string>(decisionTable.map(rule => rule.refuse))

/**
 * Follows the log from its first entry: recomputes the tree and the state, and judges every entry as it was judged when it
 * was written. Costs about 25 µs an entry, and a signature check for those that a person authored.
 */
export class Replay {
  readonly register: Register
  frontier: Frontier = emptyFrontier
  /** Time of the newest entry. */
  time_ms = 0
  readonly #context: ReplayContext

  constructor(context: ReplayContext) {
    this.#context = context
    this.register = new Register(null, context.keeps)
  }

  /** Takes the next entries, in order. @returns what is wrong with them; they are taken on all the same, save what no rule led to. */
  take(rows: readonly EntryRow[]): Problem[] {
    const problems = rows.flatMap((row, i) => {
      const why = row.index === this.frontier.size + i ? this.#entry(row) : "the index is out of order"
      return why === null ? [] : [{ at: `entry ${row.index}`, why }]
    })
    this.frontier = grow(
      this.frontier,
      rows.map(row => leafHash(row.bytes)),
    )
    return problems
  }

  #entry(row: EntryRow): string | null {
    const entry = parseEntry(row.bytes)
    if (entry === null) return "not an entry of a known kind in canonical form"
    if (entry.kind !== row.kind) return `the row says ${row.kind}, the entry ${entry.kind}`
    if ((entry.kind === "genesis") !== (row.index === 0)) return "genesis is entry 0 and no other"
    const at_ms = Date.parse(entry.at)
    if (at_ms < this.time_ms) return "its time is before the entry ahead of it"
    this.time_ms = at_ms
    if (!this.#context.folds(entry)) return null
    const { permit } = this.#context
    if (entry.kind === "permit" && permit !== undefined) {
      if (!permit(entry, row.index, this.register)) return null
    } else {
      const why = this.#judge(entry, at_ms)
      if (why !== null) return why
    }
    this.register.apply(effectsOf(entry, row.index, this.register), row.index)
    return null
  }

  #judge(entry: Entry, at_ms: number): string | null {
    if (!isAuthentic(entry, { origin: this.#context.origin, at_ms, verify: this.#context.verify })) {
      return "its author's signature does not hold for what it says"
    }
    const refusal = judge(entry, this.register, at_ms)
    if (refusal === "WATCH_MODEL") return missingModel(entry)
    if (refusal !== null) return `the log does not lead to it: ${refusal}`
    if (entry.kind === "refused") return this.#refusal(entry, at_ms)
    return entry.kind === "admitted" && this.register.captureAt(entry.reader, entry.sequence) !== null
      ? "its sequence number was used before"
      : null
  }

  /** A refusal by the decision table must be refused again, for the same reason. */
  #refusal({ code, network, asked, statement }: EntryOf<"refused">, at_ms: number): string | null {
    if (asked === null || statement === null || "count" in statement || !decisions.has(code)) return null
    const person = signerOfRequest(asked.key, this.register)
    const capture = this.register.capture(statement.capture)
    if (person === null || capture === null) return null
    const { lane, hour, admitted, faces } = capture
    const facts = factsFor(this.register, {
      person,
      grant: statement.grant,
      capture: { capture: capture.id, lane, hour, admitted, faces },
      now_ms: at_ms,
    })
    const purpose = "reason_commitment" in statement ? "reveal" : "release"
    const ask = { for: purpose, person: person.person, level: statement.level, network } as const
    // What names no grant at all is refused as one that does not exist.
    const again =
      facts === null ? "GRANT_UNKNOWN" : decide({ ...ask, device: asked.device?.key ?? null }, facts, at_ms)
    return again === code ? null : `the log leads to ${again ?? "a permit"}, not to ${code}`
  }
}

/** A model of the watch is in the log, or came along with the program that wrote it. */
function missingModel(entry: Entry): string {
  const named = "watch" in entry ? entry.watch?.model : "model" in entry ? entry.model : undefined
  return `it names a model of the watch that is not in force there, or that neither the log holds nor this program brings: ${named ?? "none"}`
}
