import { assert, Fault } from "../fault.ts"
import { verifyEd25519, type Signer } from "../ed25519.ts"
import { wanting, type EntryRow, type Head, type Ledger } from "../ledger/ledger.ts"
import { formatVkey, noteSigner } from "../tlog/note.ts"
import type { Checkpoint } from "../tlog/checkpoint.ts"
import { formatPolicy, type Policy } from "../tlog/policy.ts"
import { checkConsistency, proveConsistency, proveInclusion, type HashReader } from "../tlog/proof.ts"
import { hashSize } from "../tlog/hash.ts"
import { Tile, tileReader, tileWidth } from "../tlog/tile.ts"
import { formatReceipt, type Proved } from "./receipt.ts"
import { parseEntry } from "./kinds.ts"
import { noticeOf, type Notice } from "./notices.ts"
import { Sequencer, type Appended, type Proposal } from "./sequencer.ts"
import { names } from "./state.ts"
import { Witnesses, type Seen, type WitnessBound, type WitnessesOptions } from "./witnesses.ts"

export interface LogOptions {
  readonly ledger: Ledger
  readonly origin: string
  readonly signer: Signer
  readonly clock: () => number
  /** Leaf tiles that are kept in memory, 8 KB each and 16 once proofs were made of them. Default 512. */
  readonly leafTilesHeld?: number
  /** Told of every entry that somebody must hear of, when it is in the signed tree. */
  readonly told?: (notice: Notice, index: number) => void
  /** Whether what the watch says is held, or only written. Without it: on. */
  readonly watch?: "on" | "observe"
  /** Who must have seen the log before more than the bound leaves; without them nobody is asked. */
  readonly witnesses?: {
    readonly policy: Policy
    readonly bound: WitnessBound
    readonly memory: WitnessesOptions["memory"]
  }
}

const tilesHeld = 512

/** The log: entries in, proofs out. */
export class Log {
  readonly origin: string
  /** The log's verification key (c2sp.org/signed-note). */
  readonly vkey: string
  readonly publicKey: Uint8Array
  readonly clock: () => number
  readonly watch: "on" | "observe"
  /** `null` where no quorum is asked for. */
  readonly witnesses: Witnesses | null
  /** A policy file's text for this log: to be pinned, not trusted. */
  readonly policy: string
  readonly #ledger: Ledger
  readonly #told: LogOptions["told"]
  readonly #sequencer: Sequencer
  readonly #leafTilesHeld: number
  readonly #leafTiles = new Map<string, Tile>()
  readonly #sharedTiles = new Map<string, Tile>()

  /** @throws Fault CONFIG when the witness policy names another log. */
  constructor({ ledger, origin, signer, clock, leafTilesHeld, witnesses, told, watch }: LogOptions) {
    const note = noteSigner(origin, signer.publicKey, message => signer.sign(message))
    this.origin = origin
    this.vkey = formatVkey(origin, signer.publicKey)
    this.publicKey = signer.publicKey
    this.clock = clock
    this.watch = watch ?? "on"
    this.#ledger = ledger
    this.#told = told
    this.#leafTilesHeld = leafTilesHeld ?? tilesHeld
    this.#sequencer = new Sequencer({ ledger, origin, signer: note, clock })
    const logs = [{ vkey: this.vkey, url: null }]
    const policy = witnesses?.policy ?? { logs, witnesses: [], groups: [], quorum: "none" }
    if (policy.logs.some(({ vkey }) => vkey !== this.vkey))
      throw new Fault("CONFIG", "the witness policy names another log's key than this vault's", {
        next: `log ${this.vkey}`,
      })
    this.policy = formatPolicy(policy)
    this.witnesses = witnesses === undefined || policy.quorum === "none" ? null : this.#asking(witnesses)
  }

  /** @throws what `Sequencer.append` throws. */
  async append(proposal: Proposal): Promise<Appended> {
    const appended = await this.#sequencer.append(proposal)
    this.witnesses?.grown()
    const notice = this.#told === undefined ? null : noticeOf(appended.entry)
    if (notice !== null) this.#told?.(notice, appended.index)
    return appended
  }

  /** Why nothing is appended any more, or `null`. */
  get stopped(): string | null {
    return this.#sequencer.stopped
  }

  stop(why: string): void {
    this.#sequencer.stop(why)
  }

  head(): Promise<Head> {
    return this.#ledger.head()
  }

  /** The newest signed checkpoint. */
  async checkpoint(): Promise<string> {
    return this.#sequencer.sign(await this.#ledger.head())
  }

  /** The checkpoint for strangers: the newest that the quorum cosigned, or the newest where nobody is asked. */
  async published(): Promise<string> {
    return this.witnesses?.published?.checkpoint ?? (await this.checkpoint())
  }

  entries(from: number, until: number): Promise<readonly EntryRow[]> {
    return this.#ledger.entries(from, until)
  }

  /** The receipt of an appended entry, under the checkpoint of its own batch. */
  async receipt(appended: Appended): Promise<string> {
    return formatReceipt(await this.#prove(appended, appended.size), null, appended.checkpoint)
  }

  /**
   * The receipt of a stored entry, a `delivered` one with its permit: under the newest cosigned checkpoint that covers it,
   * else under the newest.
   */
  async receiptAt(index: number): Promise<string> {
    const [row] = await this.#ledger.entries(index, index + 1)
    if (row === undefined) throw new Fault("NOT_FOUND", `there is no entry ${index}`)
    const { size, checkpoint } = await this.#covering(index)
    const entry = parseEntry(row.bytes)
    const [permit] =
      entry?.kind === "delivered" ? await this.#ledger.entries(entry.permit, entry.permit + 1) : []
    return formatReceipt(
      await this.#prove({ index, bytes: row.bytes }, size),
      permit === undefined ? null : await this.#prove(permit, size),
      checkpoint,
    )
  }

  /** The receipt of a `delivered` entry with the permit that it names, cosigned if the witnesses have seen it already. */
  async deliveryReceipt(delivered: Appended, permit: Appended): Promise<string> {
    const seen = this.witnesses?.newest ?? null
    const { size, checkpoint } = seen !== null && seen.size > delivered.index ? seen : delivered
    const [main, behind] = await Promise.all([this.#prove(delivered, size), this.#prove(permit, size)])
    return formatReceipt(main, behind, checkpoint)
  }

  /** The proof that entry `index` is in the tree of `size`; index < size ≤ the head's. */
  inclusion(index: number, size: number): Promise<Uint8Array[]> {
    return proveInclusion(index, size, this.#reader(size))
  }

  consistency(oldSize: number, newSize: number): Promise<Uint8Array[]> {
    return proveConsistency(oldSize, newSize, this.#reader(newSize))
  }

  /** Whether `signature` is this log's key's over `message`. */
  verify(message: Uint8Array, signature: Uint8Array): boolean {
    return verifyEd25519(this.publicKey, message, signature)
  }

  #asking({ policy, bound, memory }: NonNullable<LogOptions["witnesses"]>): Witnesses {
    return new Witnesses({
      policy,
      bound,
      memory,
      clock: this.clock,
      verify: verifyEd25519,
      vkey: this.vkey,
      head: () => this.#seen(),
      consistency: (oldSize, newSize) => this.consistency(oldSize, newSize),
      isOurs: checkpoint => this.holds(checkpoint),
      contradicted: why => this.stop(why),
    })
  }

  /** Whether this checkpoint is of a tree that the log, as it stands, extends. */
  async holds({ size, root }: Checkpoint): Promise<boolean> {
    const head = await this.#ledger.head()
    if (size > head.size) return false
    const proof = await this.consistency(size, head.size)
    return checkConsistency({ oldSize: size, newSize: head.size, oldRoot: root, newRoot: head.root, proof })
  }

  /** The head with the count of images that left in it, in one transaction. */
  #seen(): Promise<Seen> {
    return this.#ledger.sequence(async ({ head, load }) => {
      const { counters } = await load(wanting({ counters: [names.opened] }))
      const opened = counters.find(({ name }) => name === names.opened)?.value ?? 0
      return { size: head.size, checkpoint: this.#sequencer.sign(head), opened }
    })
  }

  /** The newest cosigned checkpoint if entry `index` is under it, else the newest. */
  async #covering(index: number): Promise<{ readonly size: number; readonly checkpoint: string }> {
    const cosigned = this.witnesses?.published ?? null
    if (cosigned !== null && cosigned.size > index) return cosigned
    const head = await this.#ledger.head()
    return { size: head.size, checkpoint: this.#sequencer.sign(head) }
  }

  async #prove(
    { index, bytes }: { readonly index: number; readonly bytes: Uint8Array },
    size: number,
  ): Promise<Proved> {
    return { index, bytes, proof: await this.inclusion(index, size) }
  }

  #reader(size: number): HashReader {
    return tileReader(size, (level, index) => {
      const count = Math.floor(size / tileWidth ** level) - index * tileWidth
      return this.#tile(level, index, Math.min(tileWidth, count))
    })
  }

  /** Tiles above level 0 and at the right edge are few, and every proof needs them: they are kept apart from those that come and go. */
  async #tile(level: number, index: number, width: number): Promise<Tile> {
    const isLeaf = level === 0 && width === tileWidth
    const tiles = isLeaf ? this.#leafTiles : this.#sharedTiles
    const name = `${level} ${index}`
    const held = tiles.get(name)
    if (held !== undefined && held.hashes.length >= width * hashSize) return held
    const row = await this.#ledger.tile(level, index)
    if (row === null) throw new Fault("LOG_INVALID", `tile ${level}/${index} is missing`)
    assert(row.hashes.length % hashSize === 0, "a tile holds whole hashes")
    const tile = new Tile(row.hashes)
    const most = isLeaf ? this.#leafTilesHeld : tilesHeld
    if (tiles.size >= most) tiles.clear()
    if (most > 0) tiles.set(name, tile)
    return tile
  }
}
