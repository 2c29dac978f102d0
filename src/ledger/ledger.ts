/**
 * The ledger: rows, the log's head and its bytes, on SQLite or Postgres.
 *
 * Every row but a nonce, a draw, a lane's report, how a delivery stands and a wrapped key is a cache of the log: `log/effects.ts` says what an entry does to the
 * rows, the sequencer stores both in one transaction, and `log fsck` computes the rows anew and compares.
 */

/** The newest state of one thing (a person, a grant, …) as the log's entries leave it. */
export interface RecordRow {
  readonly kind: string
  readonly id: string
  /** Index of the entry that wrote this state. */
  readonly version: number
  /** Canonical JSON (RFC 8785). */
  readonly body: string
}

/** A count of things; an integer from 0 to 2^53 − 1. */
export interface CounterRow {
  readonly name: string
  readonly value: number
}

/** `member` belongs to `set` with an integer value, such as how often a capture was released under a grant. */
export interface MemberRow {
  readonly set: string
  readonly member: string
  readonly value: number
}

export type CaptureKind = "plate" | "face" | "scene"

/** One sealed capture: what its entries say, and the two texts that are kept apart from its body. */
export interface CaptureRow {
  readonly id: string
  readonly port: string
  readonly lane: string
  readonly reader: string
  /** The reader's own count, from 1; unique with `reader`. */
  readonly sequence: number
  readonly capturedAt_ms: number
  /** The port-local hour with its offset, as the entry has it: `2026-11-24T04-06:00`. */
  readonly hour: string
  readonly kind: CaptureKind
  readonly crossing: string
  /** The name of the key that the age header is to: `day/2026-11-24` or `epoch/standard/2026-11`. */
  readonly sealedTo: string
  /** SHA-256 of the age body (the STREAM with its nonce), lowercase hexadecimal. */
  readonly bodySha256: string
  readonly size_bytes: number
  /** Index of the entry `admitted`. */
  readonly admitted: number
  /** Index of the newest entry `examined`, or `null` before it. */
  readonly examined: number | null
  /** How many plates L2 can show, by that examination or as two people set them; `null` before it. */
  readonly plates: number | null
  /** How many faces that examination found; `null` before it, and where nothing looked for them. */
  readonly faces: number | null
  /** The signed capture header as it came (canonical JSON). */
  readonly headerJson: string
  readonly headerSignature: Uint8Array
  /** The age header, of the day at first, of the epoch after examination. */
  readonly ageHeader: Uint8Array
  /** The examination's findings (canonical JSON with its salt), or `null` before it. */
  readonly findingsJson: string | null
}

/** The value and salt behind a commitment in an entry. Destroying the row leaves every proof as it is. */
export interface OpeningRow {
  readonly entry: number
  readonly field: string
  readonly salt: Uint8Array
  readonly value: string
}

/** What one destination is to be told: of the log, as the records are. */
export interface MessageRow {
  readonly id: string
  readonly destination: string
  /** Of one subject a destination is told in the order of the ids. */
  readonly subject: string
  readonly event: string
  /** The entry that it tells of; `null` for what the log itself cannot say. */
  readonly entry: number | null
  /** Not told before. */
  readonly due_ms: number
  /** Canonical JSON: what is sent. */
  readonly body: string
}

/** How the delivery of a message stands: beside the log. */
export interface Delivery {
  /** `ended`: a person took it before it was due; `abandoned`: nobody took it for three days. */
  readonly state: "waiting" | "delivered" | "ended" | "abandoned"
  readonly attempts: number
  readonly next_ms: number
  /** From when on it was tried: when it was due, or was last sent again by a person. */
  readonly since_ms: number
  /** Who is at it, and until when nobody else is. */
  readonly lease: string
  readonly leasedUntil_ms: number
  /** When it was delivered, ended or abandoned. */
  readonly settled_ms: number | null
  readonly failed_ms: number | null
  /** Why it failed last, for a person. */
  readonly failure: string | null
}

export type HeldMessage = MessageRow & Delivery

/** How one destination stands. */
export interface Backlog {
  readonly waiting: number
  readonly abandoned: number
  /** When the oldest that is due became so. */
  readonly oldest_ms: number | null
  readonly delivered_ms: number | null
  readonly failed_ms: number | null
  readonly failure: string | null
}

export interface EntryRow {
  readonly index: number
  readonly kind: string
  /** Canonical JSON in UTF-8, at most 65,535 bytes. */
  readonly bytes: Uint8Array
}

/** The tree as it stands: `frontier` holds the roots of its full subtrees, the largest first, 32 bytes each. */
export interface Head {
  readonly size: number
  readonly root: Uint8Array
  readonly frontier: Uint8Array
  /** The time of the newest entry; 0 in an empty log. */
  readonly time_ms: number
}

/** `hashes` is a tile of 1 to 256 hashes of 32 bytes (c2sp.org/tlog-tiles); a partial one grows in place. */
export interface TileRow {
  readonly level: number
  readonly index: number
  readonly hashes: Uint8Array
}

export interface KeyOf {
  readonly kind: string
  readonly id: string
}

export interface MemberOf {
  readonly set: string
  readonly member: string
}

/** The rows that a batch of the sequencer asks for; each list at most 4,096 long. */
export interface Wanted {
  readonly records: readonly KeyOf[]
  readonly counters: readonly string[]
  readonly members: readonly MemberOf[]
  readonly captures: readonly string[]
  /** (reader, sequence) pairs, to find the capture that used a number before. */
  readonly sequences: readonly { readonly reader: string; readonly sequence: number }[]
}

/** What was found, in no order; what does not exist is left out. Rows found by sequence are among `captures`. */
export interface Found {
  readonly records: readonly RecordRow[]
  readonly counters: readonly CounterRow[]
  readonly members: readonly MemberRow[]
  readonly captures: readonly CaptureRow[]
}

/** Everything that one batch writes. Records, counters, members and captures are whole new rows (upserts). */
export interface Change {
  readonly head: Head
  readonly entries: readonly EntryRow[]
  readonly tiles: readonly TileRow[]
  readonly records: readonly RecordRow[]
  readonly counters: readonly CounterRow[]
  readonly members: readonly MemberRow[]
  readonly captures: readonly CaptureRow[]
  readonly openings: readonly OpeningRow[]
  /** Openings to delete; SQLite overwrites the page (secure_delete), Postgres with its next vacuum. */
  readonly destroyed: readonly Pick<OpeningRow, "entry" | "field">[]
  readonly messages: readonly MessageRow[]
}

/** Rows to load, from those that are named; the rest is empty. */
export function wanting(parts: Partial<Wanted>): Wanted {
  return { records: [], counters: [], members: [], captures: [], sequences: [], ...parts }
}

/** A change of what is named, and of nothing else. @param head  as it stands, unless `parts` has another. */
export function changing(head: Head, parts: Partial<Change>): Change {
  const nothing = {
    entries: [],
    tiles: [],
    records: [],
    counters: [],
    members: [],
    captures: [],
    openings: [],
    messages: [],
  }
  return { head, ...nothing, destroyed: [], ...parts }
}

/** Inside a sequencing transaction: the head is locked against every other process until it ends. */
export interface Sequencing {
  readonly head: Head
  load(wanted: Wanted): Promise<Found>
  /** The tiles that exist among those asked for. */
  tiles(at: readonly { readonly level: number; readonly index: number }[]): Promise<readonly TileRow[]>
  store(change: Change): Promise<void>
}

/** A vault key: the identity is wrapped by the root key and sealed to escrow; both gone means purged. */
export interface IdentityRow {
  /** `day/YYYY-MM-DD` or `epoch/CLASS/YYYY-MM`. */
  readonly name: string
  /** The age recipient string. */
  readonly recipient: string
  /** Wrapped by the vault's root key; `null` once destroyed. */
  readonly wrapped: Uint8Array | null
  /** An age file to the escrow recipient; `null` for a day key, or once destroyed. */
  readonly escrow: Uint8Array | null
}

/** A plan of a draw: which captures were picked, kept so that a broken draw resumes by its key. */
export interface DrawRow {
  readonly id: string
  readonly person: string
  readonly grant: string
  /** The caller's Idempotency-Key; unique with `person`. */
  readonly idempotencyKey: string
  /** SHA-256 of the request's body, lowercase hexadecimal. */
  readonly requestSha256: string
  readonly captures: readonly string[]
  readonly createdAt_ms: number
}

/** The newest report of a reader's agent. */
export interface LaneReportRow {
  readonly reader: string
  /** The agent's clock. */
  readonly at_ms: number
  /** The earlier of `at_ms` and `received_ms`: only a report of after it is news. */
  readonly mark_ms: number
  readonly received_ms: number
  /** Of the report's bytes, lowercase hexadecimal. */
  readonly sha256: string
  /** JSON. */
  readonly body: string
}

export interface CaptureFilter {
  readonly lanes?: readonly string[]
  /** Inclusive. */
  readonly from_ms?: number
  /** Exclusive. */
  readonly until_ms?: number
  readonly examined?: boolean
  /** Those with a plate that L2 can show; `false`: examined, and without. */
  readonly plate?: boolean
  /** Those with a face; `false`: looked for, and without. */
  readonly face?: boolean
  /** Leaves out the captures that are members of this set. */
  readonly notIn?: string
  readonly sealedTo?: string
  /** Only ids after this one in the order of the answer. */
  readonly after?: string
  /** At most 1,000. */
  readonly limit: number
}

/** The plain reads and small writes. */
export type Reading = Omit<Ledger, "engine" | "sequence" | "view" | "close">

/** The port. Two implementations, one contract suite (`ledger.contract.ts`). */
export interface Ledger {
  readonly engine: "sqlite" | "postgres"
  /**
   * One transaction under the head's lock. What `work` stores is durable when the promise resolves, on every process's view.
   * If `work` throws, nothing is stored and its error goes on.
   * @throws Fault LOG_UNKNOWN_OUTCOME when the commit itself failed in a way that leaves open whether it took effect.
   * @throws Fault STORE_FULL when the disk is full (nothing was stored).
   */
  sequence<T>(work: (transaction: Sequencing) => Promise<T>): Promise<T>

  /**
   * Reads of one moment: nothing that is stored meanwhile is seen. Postgres goes on beside it; the embedded ledger waits
   * until it ends, so what can be read before is read before.
   */
  view<T>(work: (reading: Reading) => Promise<T>): Promise<T>

  head(): Promise<Head>
  /** Entries with from ≤ index < until, in order; at most 4,096 of them. */
  entries(from: number, until: number): Promise<readonly EntryRow[]>
  /** The newest entries of a kind with index < before, newest first; `limit` at most 200. */
  newestEntries(options: {
    readonly kind?: string
    readonly before?: number
    readonly limit: number
  }): Promise<readonly EntryRow[]>
  tile(level: number, index: number): Promise<TileRow | null>
  openings(entry: number): Promise<readonly OpeningRow[]>

  record(kind: string, id: string): Promise<RecordRow | null>
  /** Of one kind, ids ascending, after `after`; `limit` at most 1,000. */
  records(
    kind: string,
    options: { readonly after?: string; readonly limit: number },
  ): Promise<readonly RecordRow[]>
  counter(name: string): Promise<number>
  counters(options: { readonly after?: string; readonly limit: number }): Promise<readonly CounterRow[]>
  member(set: string, member: string): Promise<number>
  members(options: {
    readonly set?: string
    readonly after?: MemberOf
    readonly limit: number
  }): Promise<readonly MemberRow[]>
  capture(id: string): Promise<CaptureRow | null>
  /** Ordered by captured-at, then id. */
  captures(filter: CaptureFilter): Promise<readonly CaptureRow[]>
  /** How many there are, by lane. */
  captureCounts(): Promise<
    readonly { readonly lane: string; readonly count: number; readonly examined: number }[]
  >

  identity(name: string): Promise<IdentityRow | null>
  identities(): Promise<readonly IdentityRow[]>
  /** Stores it unless the name is taken; says whether it did. Durable. */
  addIdentity(row: IdentityRow): Promise<boolean>
  /** Sets `wrapped` (and, if asked, `escrow`) to null. Durable; the page is overwritten where the engine can (secure_delete). */
  destroyIdentity(name: string, options: { readonly escrowToo: boolean }): Promise<void>

  /** Remembers a nonce until `expiresAt_ms`; `false` if it was remembered before. Forgets expired ones. Durable. */
  useNonce(nonce: string, expiresAt_ms: number, now_ms: number): Promise<boolean>
  draw(person: string, idempotencyKey: string): Promise<DrawRow | null>
  drawById(id: string): Promise<DrawRow | null>
  /** Stores it unless (person, idempotencyKey) is taken; says whether it did. */
  addDraw(row: DrawRow): Promise<boolean>

  laneReport(reader: string): Promise<LaneReportRow | null>
  /** Stores it unless `at_ms` is not after the `mark_ms` of the one that is held; says whether it did. Durable. */
  putLaneReport(row: LaneReportRow): Promise<boolean>

  message(id: string): Promise<HeldMessage | null>
  /** Ids ascending, after `after`; `limit` at most 1,000. */
  messages(options: { readonly after?: string; readonly limit: number }): Promise<readonly HeldMessage[]>
  /** Of one destination, ids descending, before `before`; `limit` at most 200. */
  newestMessages(options: {
    readonly destination: string
    readonly before?: string
    readonly limit: number
  }): Promise<readonly HeldMessage[]>
  /** Stores what no entry tells, unless the id is taken; says whether it did. Durable. */
  addMessage(row: MessageRow): Promise<boolean>
  /** Destinations with a message that is due and that nobody is at. */
  dueDestinations(now_ms: number): Promise<readonly string[]>
  /**
   * Takes messages that are due until `until_ms`: of each subject the first that is not settled, and nothing while somebody
   * is at it. Two who ask at once get different ones. @param limit  at most 200.
   */
  leaseMessages(options: {
    readonly destination: string
    readonly lease: string
    readonly now_ms: number
    readonly until_ms: number
    readonly limit: number
  }): Promise<readonly HeldMessage[]>
  /** Says how it went, if the lease is still the caller's; says whether it was. Durable. */
  settleMessage(
    of: Pick<HeldMessage, "id" | "lease">,
    how: Pick<Delivery, "state" | "next_ms" | "settled_ms" | "failed_ms" | "failure">,
  ): Promise<boolean>
  /** Lets go of every lease: a process that has the ledger alone knows that nobody is at anything. */
  releaseLeases(): Promise<void>
  /** Sends it again, whatever became of it; `false` where there is no such message. Durable. */
  resendMessage(id: string, now_ms: number): Promise<boolean>
  backlog(destination: string, now_ms: number): Promise<Backlog>

  close(): Promise<void>
}
