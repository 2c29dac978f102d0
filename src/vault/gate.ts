import { equal } from "../bytes.ts"
import type { VerifyEd25519 } from "../ed25519.ts"
import { assert, Fault, type FaultCode } from "../fault.ts"
import type { CaptureRow, Ledger } from "../ledger/ledger.ts"
import { parseEntry, type Entry, type EntryOf, type Kind } from "../log/kinds.ts"
import type { Log } from "../log/log.ts"
import { openReceipt, type Receipt } from "../log/receipt.ts"
import { Replay } from "../log/replay.ts"
import { saysWhoMay } from "../log/passed-by.ts"
import { names, type RecordKind, type Records } from "../log/state.ts"
import { parseCheckpoint, type Checkpoint } from "../tlog/checkpoint.ts"
import { leafHash } from "../tlog/hash.ts"
import { noteVerifier, openNote, type NoteVerifier } from "../tlog/note.ts"
import { checkConsistency, checkInclusion } from "../tlog/proof.ts"
import { rootOf } from "../tlog/tree.ts"
import { captureTable, firstRefusal, permitTable, receiptTable, type WithdrawalContext } from "./checks.ts"

type Permit = EntryOf<"permit">

/** Where the vault remembers, over restarts, the newest checkpoint that it accepted. */
export interface CheckpointMemory {
  load(): Promise<string | null>
  save(checkpoint: string): Promise<void>
}

export interface GateOptions {
  readonly log: Log
  readonly ledger: Ledger
  readonly memory: CheckpointMemory
  readonly clock: () => number
  readonly verify: VerifyEd25519
}

const page = 1024
const saveEvery_ms = 1000
/** A permit opens within this time (checks.ts). */
const receiptLife_ms = 60_000

/** Which permit was the n-th, whose copies there are, and what a linkage opened and was told, is for others; the vault needs the counters alone. */
const unread = [names.permits(""), names.copies(""), names.linked(""), names.answers("")]

/**
 * The vault's judgement of receipts. It follows the log by itself, entry by entry: recomputes the tree, so that a
 * checkpoint which does not extend the accepted one is found at once, and keeps who is enrolled, which terms were approved
 * by whom, and how much of each budget is used. It asks no row of the ledger what the log can tell.
 */
export class Gate {
  readonly #options: GateOptions
  readonly #replay: Replay
  readonly #verifier: NoteVerifier
  readonly #verdicts = new Map<number, FaultCode | null>()
  readonly #used = new Map<number, number>()
  #turn: Promise<void> = Promise.resolve()
  #stopped: string | null = null
  #saved_ms = 0

  constructor(options: GateOptions) {
    this.#options = options
    const verifier = noteVerifier(options.log.vkey, options.verify)
    if (verifier === null) throw new Fault("CONFIG", "the log's key is malformed")
    this.#verifier = verifier
    this.#replay = new Replay({
      origin: options.log.origin,
      verify: options.verify,
      folds: saysWhoMay,
      keeps: effects => ({
        ...effects,
        messages: [],
        records: effects.records.filter(({ kind }) => kind !== "alert" && kind !== "signal"),
        members: effects.members.filter(each => !unread.some(set => each.set.startsWith(set))),
      }),
      permit: (permit, index, state) => {
        const verdict = firstRefusal(permitTable, {
          permit,
          state,
          origin: options.log.origin,
          verify: options.verify,
        })
        if (options.clock() - Date.parse(permit.at) <= 2 * receiptLife_ms) this.#verdicts.set(index, verdict)
        return verdict === null
      },
    })
  }

  /** Why the vault is stopped, or `null`. */
  get stopped(): string | null {
    return this.#stopped
  }

  /** Size of the tree that the vault accepted. */
  get size(): number {
    return this.#replay.frontier.size
  }

  /** Stops for good: nothing comes out any more. */
  stop(why: string): void {
    this.#stopped ??= why
  }

  /** Follows the whole log as it stands, past the checkpoint that was accepted before the restart. */
  async start(): Promise<void> {
    const remembered = await this.#options.memory.load()
    if (remembered !== null) {
      const checkpoint = this.#judgeCheckpoint(remembered)
      if (typeof checkpoint === "string")
        this.stop("the remembered checkpoint is not signed by the log's key")
      else await this.#accept(checkpoint)
    }
    const { size, root } = await this.#options.log.head()
    await this.#accept({ origin: this.#options.log.origin, size, root })
  }

  /**
   * Whether this receipt opens this capture now.
   * @throws Fault with the code of the first check that fails.
   */
  async open(
    captureId: string,
    receipt: string,
  ): Promise<{ permit: Permit; index: number; row: CaptureRow }> {
    const opened = await this.#proven(receipt)
    await this.#remember(receipt)
    const { entry, index } = opened
    const context = await this.#context(captureId, opened)
    const refusal =
      firstRefusal(receiptTable, context) ?? this.#verdict(index) ?? firstRefusal(captureTable, context)
    if (refusal !== null) throw new Fault(refusal, `the receipt of entry ${index} does not open ${captureId}`)
    assert(
      context.row !== null && entry.kind === "permit",
      "what the tables let pass is a permit for a capture",
    )
    this.#use(index, context.now_ms)
    return { permit: entry, index, row: context.row }
  }

  /**
   * The trace that this receipt opens, which is not closed yet.
   * @throws Fault with the code of the check that fails.
   */
  async openTrace(receipt: string): Promise<string> {
    const { entry, index } = await this.#proven(receipt)
    const held = entry.kind === "trace.opened" ? this.record("trace", entry.trace) : null
    if (held === null || held.entry !== index || held.verdicts !== null)
      throw new Fault("RECEIPT_DECISION", `entry ${index} opens no trace, or one that is closed`)
    return held.trace
  }

  /** The entry at `index` of the accepted tree. @throws Fault LEDGER_DIFFERS unless it is there, proved, of that kind. */
  async entry<K extends Kind>(index: number, kind: K): Promise<EntryOf<K>> {
    const entry = await this.#read(index)
    if (entry?.kind !== kind) throw new Fault("LEDGER_DIFFERS", `entry ${index} is not of kind ${kind}`)
    return entry as EntryOf<K>
  }

  /** The newest state of a thing in the accepted tree, or `null`. */
  record<K extends RecordKind>(kind: K, id: string): Records[K] | null {
    return this.#replay.register.record(kind, id)
  }

  /** What the receipt proves, under a checkpoint that extends the accepted tree. */
  async #proven(receipt: string): Promise<Receipt> {
    const opened = openReceipt(receipt, note => this.#judgeCheckpoint(note))
    if (opened.kind === "refuse") throw new Fault(opened.code, opened.why)
    await this.#accept(opened.receipt.checkpoint)
    return opened.receipt
  }

  async #context(captureId: string, { entry, index }: Receipt): Promise<WithdrawalContext> {
    const by = entry.kind === "permit" ? entry.by : null
    return {
      captureId,
      entry,
      admitted: entry.kind === "permit" ? await this.#read(entry.admitted) : null,
      row: await this.#options.ledger.capture(captureId),
      now_ms: this.#options.clock(),
      grant: by === null ? null : this.#replay.register.record("grant", by.grant),
      isUsed: this.#used.has(index),
    }
  }

  /** What `permitTable` said of the permit when the vault met it in the log. */
  #verdict(index: number): FaultCode | null {
    return this.#verdicts.get(index) ?? (this.#verdicts.has(index) ? null : "RECEIPT_AGE")
  }

  async #read(index: number): Promise<Entry | null> {
    const { size } = this.#replay.frontier
    if (index >= size) return null
    const root = rootOf(this.#replay.frontier)
    const [row] = await this.#options.log.entries(index, index + 1)
    if (row === undefined) return null
    const proof = await this.#options.log.inclusion(index, size)
    return checkInclusion({ index, size, leaf: leafHash(row.bytes), root, proof })
      ? parseEntry(row.bytes)
      : null
  }

  #judgeCheckpoint(note: string): Checkpoint | FaultCode {
    const opened = openNote(note, [this.#verifier])
    const checkpoint = opened.kind === "ok" ? parseCheckpoint(opened.text) : null
    return checkpoint?.origin === this.#options.log.origin ? checkpoint : "RECEIPT_CHECKPOINT"
  }

  /** One at a time: the tree grows by each checkpoint in turn. */
  #accept(checkpoint: Checkpoint): Promise<void> {
    const turn = this.#turn.then(() => this.#extend(checkpoint))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #extend(checkpoint: Checkpoint): Promise<void> {
    if (this.#stopped !== null) throw new Fault("VAULT_STOPPED", this.#stopped)
    while (this.size < checkpoint.size) await this.#follow(checkpoint.size)
    if (await this.#isConsistent(checkpoint)) return
    this.stop(`the tree of size ${checkpoint.size} contradicts the tree that this vault accepted`)
    this.#options.log.stop("the vault found a fork")
    throw new Fault("RECEIPT_FORK", `the tree of size ${checkpoint.size} contradicts the accepted one`)
  }

  async #follow(until: number): Promise<void> {
    const rows = await this.#options.log.entries(this.size, Math.min(this.size + page, until))
    const problem =
      rows.length === 0 ? { at: `entry ${this.size}`, why: "missing" } : this.#replay.take(rows)[0]
    if (problem === undefined) return
    this.stop(`${problem.at}: ${problem.why}`)
    throw new Fault("VAULT_STOPPED", `${problem.at}: ${problem.why}`)
  }

  async #isConsistent({ size, root }: Checkpoint): Promise<boolean> {
    const accepted = { size: this.size, root: rootOf(this.#replay.frontier) }
    if (size === accepted.size) return equal(root, accepted.root)
    const proof = await this.#options.log.consistency(size, accepted.size)
    return checkConsistency({
      oldSize: size,
      newSize: accepted.size,
      oldRoot: root,
      newRoot: accepted.root,
      proof,
    })
  }

  /** Remembers, at most once a second, a checkpoint that was accepted. */
  async #remember(receipt: string): Promise<void> {
    const now_ms = this.#options.clock()
    if (Math.abs(now_ms - this.#saved_ms) < saveEvery_ms) return
    this.#saved_ms = now_ms
    await this.#options.memory.save(receipt.slice(receipt.indexOf("\n\n") + 2))
  }

  /** Forgets what is too old to open anything. */
  #use(index: number, now_ms: number): void {
    this.#used.set(index, now_ms)
    for (const [old, at_ms] of this.#used) {
      if (now_ms - at_ms <= 2 * receiptLife_ms) break
      this.#used.delete(old)
      this.#verdicts.delete(old)
    }
  }
}
