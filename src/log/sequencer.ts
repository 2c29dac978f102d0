import { assert, Fault } from "../fault.ts"
import { equal } from "../bytes.ts"
import { failpoint } from "../failpoint.ts"
import type {
  CaptureRow,
  Change,
  Head,
  Ledger,
  MessageRow,
  OpeningRow,
  Sequencing,
  TileRow,
  Wanted,
} from "../ledger/ledger.ts"
import { formatCheckpoint } from "../tlog/checkpoint.ts"
import { leafHash } from "../tlog/hash.ts"
import { signNote, type NoteSigner } from "../tlog/note.ts"
import { edgeTiles, growTiles } from "../tlog/tile.ts"
import { formatFrontier, grow, parseFrontier, rootOf } from "../tlog/tree.ts"
import { isTimely } from "./authentic.ts"
import { effectsOf } from "./effects.ts"
import { tellingKeys } from "./messages.ts"
import { formatEntry, kinds, type Draft, type Entry } from "./kinds.ts"
import { names, recordRow, Register, type CaptureFacts, type State } from "./state.ts"

/** What a proposal puts in the log, and what stands beside its entry in the ledger. */
export interface Drafted {
  readonly entry: Draft
  /** The columns of a capture's row that no entry holds. */
  readonly capture?: Pick<
    CaptureRow,
    "capturedAt_ms" | "crossing" | "headerJson" | "headerSignature" | "ageHeader" | "findingsJson"
  >
  readonly openings?: readonly Omit<OpeningRow, "entry">[]
  /** Openings of earlier entries that go with this one. */
  readonly destroyed?: Change["destroyed"]
  /** What somebody is told and the entry must not say: written with it, and no replay leads to it. @param index  of the entry. */
  readonly beside?: (index: number) => readonly MessageRow[]
}

/** A question to the log. */
export interface Proposal {
  /** Every row that drafting and the entry's effects read. */
  readonly wanted: Wanted
  /**
   * Decides and drafts, inside the transaction, on rows that nobody else can change meanwhile. A Fault refuses this
   * proposal alone, without an entry.
   * @param now_ms  the entry's time: the later of the clock and the newest entry.
   */
  readonly draft: (state: State, now_ms: number) => Drafted
}

/** An entry that is in the signed tree. */
export interface Appended {
  readonly index: number
  readonly entry: Entry
  readonly bytes: Uint8Array
  /** The signed checkpoint of the batch: the entry is under it. */
  readonly checkpoint: string
  readonly size: number
}

interface Waiting {
  readonly proposal: Proposal
  readonly resolve: (appended: Appended) => void
  readonly reject: (error: unknown) => void
}

export interface SequencerOptions {
  readonly ledger: Ledger
  readonly origin: string
  readonly signer: NoteSigner
  readonly clock: () => number
}

interface Attempt {
  readonly head: Head
  readonly drafted: readonly (Omit<Appended, "checkpoint" | "size"> & { readonly waiting: Waiting })[]
}

const reloads = 50
const reloadPause_ms = 200
const maxBatch = 256
const maxWaiting = 4096
/** Every entry counts itself. */
const totals = [...Object.keys(kinds).map(names.total), ...[names.opened, names.openAlerts, names.unexamined]]

/**
 * Appends in batches: while one commits, the next gathers. Each batch is one transaction under the ledger's head lock:
 * load the rows, let each proposal decide and draft, apply the effects, grow the tree, store all. Only what is stored is
 * signed (Ed25519 signatures repeat, so the signature is as durable as the head), and only what is signed is answered.
 */
export class Sequencer {
  readonly #options: SequencerOptions
  readonly #waiting: Waiting[] = []
  #running = false
  #stopped: string | null = null
  #newest: { readonly size: number; readonly root: Uint8Array } | null = null

  constructor(options: SequencerOptions) {
    this.#options = options
  }

  /**
   * @throws Fault LOG_STOPPED once the head went back or changed under us; BUSY with 4,096 proposals waiting;
   *         LOG_UNKNOWN_OUTCOME and STORE_FULL as the ledger says; and whatever the draft threw.
   */
  append(proposal: Proposal): Promise<Appended> {
    if (this.#stopped !== null) return Promise.reject(new Fault("LOG_STOPPED", this.#stopped))
    if (this.#waiting.length >= maxWaiting)
      return Promise.reject(new Fault("BUSY", "4,096 entries wait to be stored"))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ proposal, resolve, reject })
      if (!this.#running) void this.#run()
    })
  }

  /** Why it stopped for good, or `null`. */
  get stopped(): string | null {
    return this.#stopped
  }

  /** Stops for good: nothing is appended any more. */
  stop(why: string): void {
    this.#stopped ??= why
  }

  /** The signed checkpoint of a head that is stored. */
  sign(head: { readonly size: number; readonly root: Uint8Array }): string {
    const { origin, signer } = this.#options
    return signNote(formatCheckpoint({ origin, size: head.size, root: head.root }), [signer])
  }

  async #run(): Promise<void> {
    this.#running = true
    // One turn of the event loop, so that callers of the same moment share a batch.
    await new Promise(resolve => setImmediate(resolve))
    while (this.#waiting.length > 0) await this.#batch(this.#waiting.splice(0, maxBatch))
    this.#running = false
  }

  async #batch(batch: readonly Waiting[]): Promise<void> {
    let attempt: Attempt | null = null
    try {
      if (this.#stopped !== null) throw new Fault("LOG_STOPPED", this.#stopped)
      await this.#options.ledger.sequence(async transaction => {
        attempt = await this.#store(transaction, batch)
      })
      assert(attempt !== null, "a batch that committed was drafted")
      this.#answer(attempt)
    } catch (error) {
      const isUnknown = error instanceof Fault && error.code === "LOG_UNKNOWN_OUTCOME"
      if (isUnknown && attempt !== null && (await this.#reload(attempt))) return this.#answer(attempt)
      const told = isUnknown ? this.#notStored(error) : error
      for (const waiting of batch) waiting.reject(told)
    }
  }

  #notStored(cause: Fault): Fault {
    if (this.#stopped !== null) return cause
    const detail = "the commit failed; the log was read again and holds nothing of it: ask again"
    return new Fault("LOG_UNKNOWN_OUTCOME", detail, { cause })
  }

  /** Only what is stored comes here. */
  #answer({ head, drafted }: Attempt): void {
    failpoint("log.stored")
    this.#newest = head
    const checkpoint = this.sign(head)
    for (const { waiting, ...appended } of drafted)
      waiting.resolve({ ...appended, checkpoint, size: head.size })
  }

  /**
   * After a commit without an answer nothing goes on until the ledger says whether it took effect: the head's lock waits
   * for a commit that is still under way, and entries are never written twice.
   * @returns whether the batch is stored, bytes for bytes. With no answer in 10 s the sequencer stops for good.
   */
  async #reload({ head, drafted }: Attempt): Promise<boolean> {
    const { ledger } = this.#options
    for (let tries = 0; tries < reloads; tries += 1) {
      try {
        const now = await ledger.sequence(transaction => Promise.resolve(transaction.head))
        this.#follow(now)
        const [first] = drafted
        if (first === undefined || now.size < head.size) return false
        const stored = await ledger.entries(first.index, head.size)
        return drafted.every(({ bytes }, i) => equal(bytes, stored[i]?.bytes ?? new Uint8Array()))
      } catch {
        if (this.#stopped !== null) return false
        await new Promise(resolve => setTimeout(resolve, reloadPause_ms))
      }
    }
    this.stop("the ledger did not say within 10 s whether a commit took effect; start the server again")
    return false
  }

  async #store(transaction: Sequencing, batch: readonly Waiting[]): Promise<Attempt> {
    this.#follow(transaction.head)
    const wanted = union(batch.map(waiting => waiting.proposal.wanted))
    const found = await transaction.load(wanted)
    const rows = new Map(found.captures.map(row => [row.id, row]))
    const register = Register.of(wanted, found)
    const work = new Batch(transaction.head, register, rows)
    for (const waiting of batch) work.draft(waiting, this.#options.clock())
    if (work.drafted.length > 0) await transaction.store(await work.change(transaction))
    return { head: work.head, drafted: work.drafted }
  }

  /** The head that the ledger holds must be the one we left, or one that another server built on it. */
  #follow(head: Head): void {
    const newest = this.#newest
    if (newest === null || head.size > newest.size) return
    if (head.size === newest.size && equal(head.root, newest.root)) return
    this.stop(`the ledger's head went from size ${newest.size} to another tree of size ${head.size}`)
    throw new Fault("LOG_STOPPED", "the ledger's head is not the one that was signed")
  }
}

/** One batch on its way: what was drafted, on a state that grows with each entry. */
class Batch {
  readonly drafted: (Omit<Appended, "checkpoint" | "size"> & { readonly waiting: Waiting })[] = []
  head: Head
  readonly #start: Head
  readonly #register: Register
  readonly #rows: Map<string, CaptureRow>
  readonly #openings: OpeningRow[] = []
  readonly #destroyed: Change["destroyed"][number][] = []
  readonly #messages: MessageRow[] = []
  readonly #touched = {
    records: new Set<string>(),
    counters: new Set<string>(),
    members: new Map<string, { set: string; member: string }>(),
    captures: new Set<string>(),
  }

  constructor(head: Head, register: Register, rows: Map<string, CaptureRow>) {
    this.#start = head
    this.head = head
    this.#register = register
    this.#rows = rows
  }

  draft(waiting: Waiting, clock_ms: number): void {
    const now_ms = Math.max(clock_ms, this.head.time_ms)
    try {
      const {
        entry: draft,
        capture,
        openings,
        destroyed,
        beside,
      } = waiting.proposal.draft(this.#register, now_ms)
      // A clock that was set, or a store that stalled, since the door let the request in: such an entry would not replay.
      if (!isTimely(draft, now_ms))
        throw new Fault("SIGNATURE_STALE", "the request waited over 5 minutes for its turn; sign a new one")
      const entry = { v: 1, at: new Date(now_ms).toISOString(), ...draft } as Entry
      const bytes = formatEntry(entry)
      const index = this.#start.size + this.drafted.length
      this.#apply(entry, index, capture)
      this.#destroyed.push(...(destroyed ?? []))
      this.#messages.push(...(beside?.(index) ?? []))
      for (const opening of openings ?? []) this.#openings.push({ entry: index, ...opening })
      this.drafted.push({ index, entry, bytes, waiting })
      this.head = { ...this.head, time_ms: now_ms }
    } catch (error) {
      waiting.reject(error)
    }
  }

  /** All that the batch writes; sets `head` to the tree with it. */
  async change(transaction: Sequencing): Promise<Change> {
    const leaves = this.drafted.map(({ bytes }) => leafHash(bytes))
    const frontier = parseFrontier(this.#start.size, this.#start.frontier)
    assert(frontier !== null, "the stored frontier fits the stored size")
    assert(equal(rootOf(frontier), this.#start.root), "the stored frontier has the stored root")
    const edge = new Map(
      (await transaction.tiles(edgeTiles(this.#start.size))).map(tile => [tile.level, tile.hashes]),
    )
    const tiles: readonly TileRow[] = growTiles(this.#start.size, edge, leaves)
    const grown = grow(frontier, leaves)
    this.head = {
      size: grown.size,
      root: rootOf(grown),
      frontier: formatFrontier(grown),
      time_ms: this.head.time_ms,
    }
    return {
      head: this.head,
      entries: this.drafted.map(({ index, entry, bytes }) => ({ index, kind: entry.kind, bytes })),
      tiles,
      ...this.#rowsTouched(),
      openings: this.#openings,
      destroyed: this.#destroyed,
      messages: this.#messages,
    }
  }

  #apply(entry: Entry, index: number, beside: Drafted["capture"]): void {
    const effects = effectsOf(entry, index, this.#register)
    this.#register.apply(effects, index)
    this.#messages.push(...effects.messages)
    for (const { kind, id } of effects.records) this.#touched.records.add(`${kind} ${id}`)
    for (const { name } of effects.counters) this.#touched.counters.add(name)
    for (const { set, member } of effects.members)
      this.#touched.members.set(`${set} ${member}`, { set, member })
    for (const facts of effects.captures) {
      this.#touched.captures.add(facts.id)
      this.#rows.set(facts.id, captureRow(facts, beside, this.#rows.get(facts.id)))
    }
  }

  #rowsTouched(): Pick<Change, "records" | "counters" | "members" | "captures"> {
    const { records, counters, members, captures } = this.#touched
    return {
      records: [...records].map(name => {
        const held = this.#register.records.get(name)
        assert(held !== undefined, "a touched record is held")
        return recordRow(held.key.kind, held.key.id, held)
      }),
      counters: [...counters].map(name => ({ name, value: this.#register.counters.get(name) ?? 0 })),
      members: [...members.values()].map(({ set, member }) => {
        return { set, member, value: this.#register.sets.get(set)?.get(member) ?? 0 }
      }),
      captures: [...captures].map(id => {
        const row = this.#rows.get(id)
        assert(row !== undefined, "a touched capture has a row")
        return row
      }),
    }
  }
}

function captureRow(
  facts: CaptureFacts,
  beside: Drafted["capture"],
  held: CaptureRow | undefined,
): CaptureRow {
  const texts = beside ?? held
  assert(texts !== undefined, "a new capture comes with its headers")
  const { capturedAt_ms, crossing, headerJson, headerSignature, ageHeader, findingsJson } = texts
  return { ...facts, capturedAt_ms, crossing, headerJson, headerSignature, ageHeader, findingsJson }
}

function union(all: readonly Wanted[]): Wanted {
  const unique = <T>(items: readonly T[], name: (item: T) => string) => [
    ...new Map(items.map(item => [name(item), item])).values(),
  ]
  return {
    records: unique(
      [...tellingKeys, ...all.flatMap(wanted => wanted.records)],
      key => `${key.kind} ${key.id}`,
    ),
    counters: unique([...totals, ...all.flatMap(wanted => wanted.counters)], name => name),
    members: unique(
      all.flatMap(wanted => wanted.members),
      member => `${member.set} ${member.member}`,
    ),
    captures: unique(
      all.flatMap(wanted => wanted.captures),
      id => id,
    ),
    sequences: unique(
      all.flatMap(wanted => wanted.sequences),
      pair => `${pair.reader} ${pair.sequence}`,
    ),
  }
}
