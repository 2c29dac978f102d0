import { assert, Fault } from "../fault.ts"
import { verifyEd25519, type Signer } from "../ed25519.ts"
import { type EntryRow, type Head, type Ledger } from "../ledger/ledger.ts"
import { formatVkey, noteSigner } from "../tlog/note.ts"
import { proveConsistency, proveInclusion, type HashReader } from "../tlog/proof.ts"
import { tileReader } from "../tlog/tile.ts"
import { formatReceipt, type Proved } from "./receipt.ts"
import { Sequencer, type Appended, type Proposal } from "./sequencer.ts"

export interface LogOptions {
  readonly ledger: Ledger
  readonly origin: string
  readonly signer: Signer
  readonly clock: () => number
}

const maxTilesHeld = 512

/** The log: entries in, proofs out. */
export class Log {
  readonly origin: string
  /** The log's verification key (c2sp.org/signed-note). */
  readonly vkey: string
  readonly publicKey: Uint8Array
  readonly clock: () => number
  readonly #ledger: Ledger
  readonly #sequencer: Sequencer
  readonly #tiles = new Map<string, Uint8Array>()

  constructor({ ledger, origin, signer, clock }: LogOptions) {
    const note = noteSigner(origin, signer.publicKey, message => signer.sign(message))
    this.origin = origin
    this.vkey = formatVkey(origin, signer.publicKey)
    this.publicKey = signer.publicKey
    this.clock = clock
    this.#ledger = ledger
    this.#sequencer = new Sequencer({ ledger, origin, signer: note, clock })
  }

  /** @throws what `Sequencer.append` throws. */
  append(proposal: Proposal): Promise<Appended> {
    return this.#sequencer.append(proposal)
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

  entries(from: number, until: number): Promise<readonly EntryRow[]> {
    return this.#ledger.entries(from, until)
  }

  /** The receipt of an appended entry, under the checkpoint of its own batch. */
  async receipt(appended: Appended): Promise<string> {
    return formatReceipt(await this.#prove(appended, appended.size), null, appended.checkpoint)
  }

  /** The receipt of a stored entry, under the newest checkpoint. */
  async receiptAt(index: number): Promise<string> {
    const head = await this.#ledger.head()
    const [row] = await this.#ledger.entries(index, index + 1)
    if (row === undefined) throw new Fault("NOT_FOUND", `there is no entry ${index}`)
    const main = { index, bytes: row.bytes, proof: await this.inclusion(index, head.size) }
    return formatReceipt(main, null, this.#sequencer.sign(head))
  }

  /** The receipt of a `delivered` entry with the permit that it names. */
  async deliveryReceipt(delivered: Appended, permit: Appended): Promise<string> {
    const [main, behind] = await Promise.all([
      this.#prove(delivered, delivered.size),
      this.#prove(permit, delivered.size),
    ])
    return formatReceipt(main, behind, delivered.checkpoint)
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

  async #prove({ index, bytes }: Appended, size: number): Promise<Proved> {
    return { index, bytes, proof: await this.inclusion(index, size) }
  }

  #reader(size: number): HashReader {
    return tileReader(size, (level, index) => this.#tile(level, index))
  }

  async #tile(level: number, index: number): Promise<Uint8Array> {
    const name = `${level} ${index}`
    const held = this.#tiles.get(name)
    if (held !== undefined) return held
    const tile = await this.#ledger.tile(level, index)
    if (tile === null) throw new Fault("LOG_INVALID", `tile ${level}/${index} is missing`)
    assert(tile.hashes.length % 32 === 0, "a tile holds whole hashes")
    if (tile.hashes.length === 256 * 32) {
      if (this.#tiles.size >= maxTilesHeld) this.#tiles.clear()
      this.#tiles.set(name, tile.hashes)
    }
    return tile.hashes
  }
}
