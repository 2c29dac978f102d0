import { concat, equal, textOf } from "../bytes.ts"
import type { VerifyEd25519 } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import type { Checkpoint } from "../tlog/checkpoint.ts"
import { leafHash } from "../tlog/hash.ts"
import { judge, type Policy } from "../tlog/policy.ts"
import { checkConsistency, proveConsistency, proveInclusion, type HashReader } from "../tlog/proof.ts"
import { parseProof } from "../tlog/receipt.ts"
import {
  entriesPath,
  foldTile,
  parseBundle,
  parseTilePath,
  tilePath,
  tileReader,
  tileWidth,
} from "../tlog/tile.ts"
import { emptyFrontier, grow, rootOf, type Frontier } from "../tlog/tree.ts"
import { formatEntry, parseEntry, type Entry } from "./kinds.ts"
import { formatReceipt, openReceipt } from "./receipt.ts"
import type { Problem, Replay } from "./replay.ts"

/**
 * A log as a stranger reads it (c2sp.org/tlog-tiles): a server, a folder of tiles or a mirror. Nothing that it says is
 * trusted but what the policy's keys signed.
 */
export interface LogSource {
  /** What messages call it. */
  readonly name: string
  /** The bytes at a path below the log's prefix, such as `checkpoint` or `tile/0/000`; `null` where there are none. */
  read(path: string): Promise<Uint8Array | null>
}

/** A checkpoint that meets the policy. */
export interface ReadHead extends Checkpoint {
  /** The signed note, verbatim. */
  readonly note: string
  readonly witnesses: readonly { readonly name: string; readonly time_s: number }[]
}

const hash_bytes = 32

/** @throws Fault RECEIPT_CHECKPOINT or RECEIPT_WITNESS unless the policy is met; NOT_FOUND without a checkpoint. */
export async function readHead(
  source: LogSource,
  policy: Policy,
  verify: VerifyEd25519,
  path: "checkpoint" | "head" = "checkpoint",
): Promise<ReadHead> {
  const bytes = await source.read(path)
  if (bytes === null) throw new Fault("NOT_FOUND", `${source.name} has no ${path}`)
  const note = textOf(bytes) ?? ""
  const judged = judge(path === "head" ? { ...policy, quorum: "none" } : policy, note, verify)
  if (judged.kind === "ok") return { ...judged.checkpoint, note, witnesses: judged.witnesses }
  if (judged.reason === "quorum")
    throw new Fault(
      "RECEIPT_WITNESS",
      `the checkpoint of ${source.name} lacks the witnesses of the policy's quorum`,
    )
  throw new Fault("RECEIPT_CHECKPOINT", `the checkpoint of ${source.name} is refused: ${judged.reason}`)
}

/** The newest head that covers `size`: the checkpoint, or else the head that waits for its witnesses. */
export async function readHeadOver(
  source: LogSource,
  size: number,
  ask: { readonly policy: Policy; readonly verify: VerifyEd25519 },
): Promise<ReadHead> {
  const published = await readHead(source, ask.policy, ask.verify)
  if (published.size >= size) return published
  const hasHead = (await source.read("head")) !== null
  return hasHead ? readHead(source, ask.policy, ask.verify, "head") : published
}

/** Hashes out of the source's tiles of a tree of that size; what they prove is checked against a signed root. */
export function hashesOf(source: LogSource, size: number): HashReader {
  return tileReader(size, (level, index) => readTile(source, { level, index, size }))
}

/** The hashes of the tile of that path, or `null`: a partial one also out of the whole one, once it was pruned. */
export async function readTileAt(source: LogSource, path: string): Promise<Uint8Array | null> {
  const named = parseTilePath(path)
  if (named?.kind !== "hashes") return null
  const { level, index, width } = named.tile
  const whole = tilePath({ level, index, width: tileWidth })
  const tile = (await source.read(path)) ?? (width < tileWidth ? await source.read(whole) : null)
  return tile === null || tile.length < width * hash_bytes ? null : tile.subarray(0, width * hash_bytes)
}

async function readTile(
  source: LogSource,
  { level, index, size }: { readonly level: number; readonly index: number; readonly size: number },
): Promise<Uint8Array> {
  const width = Math.min(tileWidth, Math.floor(size / tileWidth ** level) - index * tileWidth)
  const tile = await readTileAt(source, tilePath({ level, index, width }))
  if (tile !== null) return tile
  throw new Fault("LOG_INVALID", `${source.name} has no tile ${level}/${index} of ${width} hashes`)
}

/**
 * Whether the newer tree extends the older one, by the source's own tiles. A source that cannot show it is taken at that:
 * it does not.
 */
export async function isExtended(source: LogSource, older: Checkpoint, newer: Checkpoint): Promise<boolean> {
  if (older.size > newer.size) return false
  try {
    const proof = await proveConsistency(older.size, newer.size, hashesOf(source, newer.size))
    return checkConsistency({
      oldSize: older.size,
      newSize: newer.size,
      oldRoot: older.root,
      newRoot: newer.root,
      proof,
    })
  } catch (error) {
    if (error instanceof Fault && error.code === "LOG_INVALID") return false
    throw error
  }
}

/** @throws Fault LOG_FORK saying which of two signed trees contradicts which, unless the newer extends the older. */
export async function assertExtended(
  source: LogSource,
  older: Checkpoint & { readonly of: string },
  newer: ReadHead,
): Promise<void> {
  if (await isExtended(source, older, newer)) return
  const shown = `the tree of ${newer.size} entries that ${source.name} shows now`
  const why =
    older.size > newer.size
      ? `is shorter than the ${older.size} entries of ${older.of}: the log was rolled back`
      : `does not extend the tree of ${older.size} entries of ${older.of}: the log was rewritten`
  throw new Fault(
    "LOG_FORK",
    `${shown} ${why}. Both are signed by ${newer.origin}; one of them hides something`,
    {
      next: "keep both checkpoints: together they prove it to anyone",
    },
  )
}

/** The receipt of an entry out of the source alone: its bundle and hash tiles, a `delivered` one with its permit. */
export async function receiptFrom(source: LogSource, index: number, head: ReadHead): Promise<string> {
  const entry = await entryAt(source, index, head)
  const permit = entry.kind === "delivered" ? await entryAt(source, entry.permit, head) : null
  const behind = entry.kind === "delivered" && permit !== null ? { index: entry.permit, entry: permit } : null
  return receiptUnder(source, { index, entry, permit: behind }, head)
}

async function entryAt(source: LogSource, index: number, { size }: ReadHead): Promise<Entry> {
  if (index >= size) throw new Fault("NOT_FOUND", `the log has ${size} entries; there is no entry ${index}`)
  const bundle = Math.floor(index / tileWidth)
  const entries = await readBundle(source, bundle, Math.min(tileWidth, size - bundle * tileWidth))
  const bytes = entries[index % tileWidth]
  const entry = bytes === undefined ? null : parseEntry(bytes)
  if (entry === null) throw new Fault("LOG_INVALID", `${source.name} has no entry ${index} of a known kind`)
  return entry
}

async function receiptUnder(
  source: LogSource,
  of: {
    readonly index: number
    readonly entry: Entry
    readonly permit: { readonly index: number; readonly entry: Entry } | null
  },
  head: ReadHead,
): Promise<string> {
  const hashes = hashesOf(source, head.size)
  const proved = async (at: number, entry: Entry) => {
    return { index: at, bytes: formatEntry(entry), proof: await proveInclusion(at, head.size, hashes) }
  }
  const behind = of.permit === null ? null : await proved(of.permit.index, of.permit.entry)
  const receipt = formatReceipt(await proved(of.index, of.entry), behind, head.note)
  const opened = openReceipt(receipt, () => head)
  if (opened.kind === "refuse") throw new Fault("LOG_INVALID", `${source.name}: ${opened.why}`)
  return receipt
}

/**
 * Every entry of the tree, a bundle at a time, read once. What was read is proved when the last bundle was taken: before it
 * nothing of it may be believed.
 * @throws Fault LOG_INVALID where a bundle is missing, or after the last where they do not lead to the head's root.
 */
export async function* provedBundles(
  source: LogSource,
  head: Checkpoint,
): AsyncGenerator<readonly { readonly index: number; readonly bytes: Uint8Array }[]> {
  let frontier = emptyFrontier
  while (frontier.size < head.size) {
    const from = frontier.size
    const bundle = Math.floor(from / tileWidth)
    const width = Math.min(tileWidth, head.size - from)
    const entries = await readBundle(source, bundle, width)
    if (entries.length !== width)
      throw new Fault("LOG_INVALID", `${source.name} has no bundle ${bundle} of ${width} entries`)
    frontier = grow(frontier, entries.map(leafHash))
    yield entries.map((bytes, i) => ({ index: from + i, bytes }))
  }
  if (!equal(rootOf(frontier), head.root))
    throw new Fault("LOG_INVALID", `the entries of ${source.name} do not lead to the signed root`)
}

async function readBundle(source: LogSource, index: number, width: number): Promise<readonly Uint8Array[]> {
  const bytes =
    (await source.read(entriesPath(index, width))) ??
    (width < tileWidth ? await source.read(entriesPath(index, tileWidth)) : null)
  return ((bytes && parseBundle(bytes)) ?? []).slice(0, width)
}

/** A receipt under the source's newest checkpoint: the same entries, proved anew from hash tiles alone. */
export async function refreshReceipt(
  text: string,
  source: LogSource,
  ask: { readonly policy: Policy; readonly verify: VerifyEd25519 },
): Promise<string> {
  const anyQuorum = { ...ask.policy, quorum: "none" }
  const judged = judge(anyQuorum, parseProof(text)?.checkpoint ?? "", ask.verify)
  const opened = openReceipt(text, () => (judged.kind === "ok" ? judged.checkpoint : "RECEIPT_CHECKPOINT"))
  if (opened.kind === "refuse") throw new Fault(opened.code, opened.why)
  const { checkpoint: older, index, entry, permit } = opened.receipt
  const newer = await readHead(source, ask.policy, ask.verify)
  // A receipt may be of a tree that the witnesses have not seen yet.
  const isAhead = older.size > newer.size && (await isExtended(source, newer, older))
  if (!isAhead) await assertExtended(source, { ...older, of: "the receipt" }, newer)
  if (newer.size <= index)
    throw new Fault(
      "LOG_UNWITNESSED",
      `the witnesses have seen ${newer.size} entries; the receipt's is ${index}`,
    )
  return receiptUnder(source, { index, entry, permit }, newer)
}

/** What entries are given to, in order. */
interface Takes {
  take(...of: Parameters<Replay["take"]>): Problem[] | Promise<Problem[]>
}

/** Where a walk over the whole log stands, so that it can go on when the log has grown. */
export class LogWalk {
  frontier: Frontier = emptyFrontier
  readonly #source: LogSource
  readonly #replay: Takes | null
  /** The hashes of each level's last tile, as the leaves lead to them. */
  readonly #edge: Uint8Array[][] = []

  /** @param replay  takes each entry, in order, and judges it; `null` to walk over the hash tiles alone. */
  constructor(source: LogSource, replay: Takes | null) {
    this.#source = source
    this.#replay = replay
  }

  /** Walks on to `head`. @returns the first difference, or none. */
  async to(
    head: ReadHead,
    progress: (done: number, of: number) => void = () => undefined,
  ): Promise<Problem[]> {
    while (this.frontier.size < head.size) {
      const problems = await this.#bundle(head.size)
      if (problems.length > 0) return problems
      progress(this.frontier.size, head.size)
    }
    const edge = await this.#edgeProblems(head.size)
    if (edge.length > 0) return edge
    return equal(rootOf(this.frontier), head.root)
      ? []
      : [{ at: "root", why: "the entries do not lead to the signed root" }]
  }

  async #bundle(size: number): Promise<Problem[]> {
    const from = this.frontier.size
    const index = Math.floor(from / tileWidth)
    const width = Math.min(tileWidth, size - index * tileWidth)
    const skip = from % tileWidth
    const hashes = await readTile(this.#source, { level: 0, index, size })
    const found = split(hashes)
    const problems: Problem[] = []
    if (this.#replay !== null) {
      const entries = await readBundle(this.#source, index, width)
      const differs = entries.findIndex((bytes, i) => !equal(leafHash(bytes), found[i] ?? new Uint8Array()))
      if (entries.length !== width)
        problems.push({ at: `bundle ${index}`, why: "missing, or of another width" })
      else if (differs >= 0)
        problems.push({ at: `entry ${index * tileWidth + differs}`, why: `is not that of tile 0/${index}` })
      else problems.push(...(await this.#replay.take(rowsOf(entries, index).slice(skip))))
    }
    const leaves = found.slice(skip)
    this.frontier = grow(this.frontier, leaves)
    return problems.length > 0 ? problems : this.#push(0, leaves)
  }

  /** Takes hashes into a level; a tile that is full is compared with the source's, and its root goes a level up. */
  async #push(level: number, hashes: readonly Uint8Array[]): Promise<Problem[]> {
    const edge = (this.#edge[level] ??= [])
    const above: Uint8Array[] = []
    const problems: Problem[] = []
    for (const hash of hashes) {
      edge.push(hash)
      if (edge.length % tileWidth !== 0) continue
      const tile = concat(...edge.splice(0))
      const index = Math.floor(this.frontier.size / tileWidth ** (level + 1)) - 1
      problems.push(...(await this.#compare({ level, index, tile })))
      above.push(foldTile(tile))
    }
    return above.length === 0 ? problems : [...problems, ...(await this.#push(level + 1, above))]
  }

  async #edgeProblems(size: number): Promise<Problem[]> {
    const problems: Problem[] = []
    for (const [level, edge] of this.#edge.entries()) {
      if (edge.length === 0) continue
      const index = Math.floor(size / tileWidth ** (level + 1))
      problems.push(...(await this.#compare({ level, index, tile: concat(...edge) })))
    }
    return problems
  }

  async #compare({
    level,
    index,
    tile,
  }: {
    level: number
    index: number
    tile: Uint8Array
  }): Promise<Problem[]> {
    if (level === 0) return []
    const size = (index * tileWidth + tile.length / hash_bytes) * tileWidth ** level
    const stored = await readTile(this.#source, { level, index, size })
    return equal(stored, tile)
      ? []
      : [{ at: `tile ${level}/${index}`, why: "is not that of the tiles below it" }]
  }
}

function split(hashes: Uint8Array): Uint8Array[] {
  return Array.from({ length: hashes.length / hash_bytes }, (_, i) =>
    hashes.slice(i * hash_bytes, (i + 1) * hash_bytes),
  )
}

/** The kind as the bytes state it: `Replay` judges whether they are an entry of that kind at all. */
function kindIn(bytes: Uint8Array): string {
  try {
    const { kind } = JSON.parse(textOf(bytes) ?? "") as { readonly kind?: unknown }
    return typeof kind === "string" ? kind : ""
  } catch {
    return ""
  }
}

function rowsOf(entries: readonly Uint8Array[], bundle: number) {
  return entries.map((bytes, i) => ({ index: bundle * tileWidth + i, kind: kindIn(bytes), bytes }))
}
