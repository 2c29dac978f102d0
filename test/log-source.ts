import { utf8 } from "../src/bytes.ts"
import type { LogSource } from "../src/log/reading.ts"
import { formatCheckpoint } from "../src/tlog/checkpoint.ts"
import { leafHash } from "../src/tlog/hash.ts"
import { signNote } from "../src/tlog/note.ts"
import { formatBundle, growTiles, parseTilePath } from "../src/tlog/tile.ts"
import { emptyFrontier, grow, rootOf } from "../src/tlog/tree.ts"
import { logSigner } from "./forge.ts"
import type { TestPort } from "./port.ts"

/** A log of these entries as its own key would publish it: whoever stole the key can. */
export async function sourceOfEntries(port: TestPort, entries: readonly Uint8Array[]): Promise<LogSource> {
  const leaves = entries.map(leafHash)
  const tiles = growTiles(0, new Map(), leaves)
  const root = rootOf(grow(emptyFrontier, leaves))
  const { origin } = port.house.log
  const note = signNote(formatCheckpoint({ origin, size: entries.length, root }), [await logSigner(port)])
  return {
    name: "a folder",
    read: path => {
      if (path === "checkpoint") return Promise.resolve(utf8(note))
      const named = parseTilePath(path)
      if (named === null) return Promise.resolve(null)
      const { level, index, width } = named.tile
      if (named.kind === "entries") {
        const bundle = entries.slice(index * 256, index * 256 + width)
        return Promise.resolve(bundle.length === width ? formatBundle(bundle) : null)
      }
      const tile = tiles.find(each => each.level === level && each.index === index)
      return Promise.resolve(tile === undefined ? null : tile.hashes.slice(0, width * 32))
    },
  }
}
