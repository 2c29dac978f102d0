import { equal } from "../bytes.ts"
import { Fault } from "../fault.ts"
import { changing, type Ledger } from "../ledger/ledger.ts"
import { leafHash } from "../tlog/hash.ts"
import { edgeTiles, growTiles } from "../tlog/tile.ts"
import { emptyFrontier, grow, rootOf } from "../tlog/tree.ts"

/** A multiple of a tile's width. */
const page = 4096

/**
 * Computes every tile anew from the entries and writes those that differ: tiles are derived, entries and head are not. By
 * the same function that the sequencer grows them with.
 * @returns how many tiles there are and how many were written.
 * @throws Fault LOG_INVALID, and writes nothing, unless the entries lead to the head.
 */
export async function rebuildTiles(
  ledger: Ledger,
  progress: (done: number, of: number) => void = () => undefined,
): Promise<{ readonly tiles: number; readonly written: number }> {
  const head = await ledger.head()
  let frontier = emptyFrontier
  for (let at = 0; at < head.size; at += page) frontier = grow(frontier, await leaves(ledger, at, head.size))
  if (frontier.size !== head.size || !equal(rootOf(frontier), head.root))
    throw new Fault("LOG_INVALID", "the entries do not lead to the head; tiles cannot be made of them", {
      notDone: "Nothing was written.",
    })
  let [tiles, written] = [0, 0]
  let edge = new Map<number, Uint8Array>()
  for (let at = 0; at < head.size; at += page) {
    const grown = growTiles(at, edge, await leaves(ledger, at, head.size))
    const until = Math.min(at + page, head.size)
    edge = new Map(
      edgeTiles(until).map(({ level, index }) => {
        const tile =
          grown.find(each => each.level === level && each.index === index)?.hashes ?? edge.get(level)
        return [level, tile ?? new Uint8Array()]
      }),
    )
    const differing = []
    for (const tile of grown) {
      const held = await ledger.tile(tile.level, tile.index)
      // A tile of an upper level is met again as it grows: only its last form is compared with what is stored.
      if (held === null || !equal(held.hashes.subarray(0, tile.hashes.length), tile.hashes))
        differing.push(tile)
      else if (until === head.size && held.hashes.length !== tile.hashes.length) differing.push(tile)
    }
    tiles += grown.filter(tile => tile.hashes.length === 256 * 32).length
    written += differing.length
    if (differing.length > 0) await put(ledger, differing)
    progress(until, head.size)
  }
  return { tiles: tiles + edge.size, written }
}

async function leaves(ledger: Ledger, from: number, size: number): Promise<Uint8Array[]> {
  const rows = await ledger.entries(from, Math.min(from + page, size))
  return rows.map(row => leafHash(row.bytes))
}

async function put(
  ledger: Ledger,
  tiles: readonly { readonly level: number; readonly index: number; readonly hashes: Uint8Array }[],
): Promise<void> {
  await ledger.sequence(({ head, store }) => store(changing(head, { tiles })))
}
