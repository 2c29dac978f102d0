import { concat } from "../bytes.ts"
import { assert } from "../fault.ts"
import { hashSize, nodeHash } from "./hash.ts"
import type { HashReader, Node } from "./proof.ts"

/** A full tile holds 2^8 hashes (c2sp.org/tlog-tiles). */
export const tileWidth = 256
const tileHeight = 8
const maxEntry_bytes = 65_535

export interface TileAt {
  /** 0 to 63; a hash at level l covers 256^l leaves. */
  readonly level: number
  readonly index: number
  /** Hashes in it, 1 to 256. */
  readonly width: number
}

/** `tile/0/x001/234`, or `tile/0/x001/234.p/17` for a partial tile. Source: c2sp.org/tlog-tiles. */
export function tilePath({ level, index, width }: TileAt): string {
  return `tile/${level}/${numberPath(index)}${partial(width)}`
}

/** The path of an entry bundle: numbered as the tiles of level 0. */
export function entriesPath(index: number, width: number): string {
  return `tile/entries/${numberPath(index)}${partial(width)}`
}

/** What a path names, or `null` unless it is exactly what `tilePath` or `entriesPath` writes. */
export function parseTilePath(
  path: string,
): { readonly kind: "hashes" | "entries"; readonly tile: TileAt } | null {
  const match = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path)
  if (match === null) return null
  const [, kind = "", groups = "", suffix] = match
  const index = Number(groups.replaceAll("x", "").replaceAll("/", ""))
  const width = suffix === undefined ? tileWidth : Number(suffix)
  const level = kind === "entries" ? 0 : Number(kind)
  if (level > 63 || (suffix !== undefined && width >= tileWidth) || numberPath(index) !== groups) return null
  return { kind: kind === "entries" ? "entries" : "hashes", tile: { level, index, width } }
}

/** The partial tiles at the right edge of a tree: those that grow next. */
export function edgeTiles(size: number): TileAt[] {
  const tiles: TileAt[] = []
  for (
    let [level, count] = [0, size];
    count > 0;
    [level, count] = [level + 1, Math.floor(count / tileWidth)]
  ) {
    const width = count % tileWidth
    if (width > 0) tiles.push({ level, index: Math.floor(count / tileWidth), width })
  }
  return tiles
}

/**
 * Every tile that is new or has grown when leaves are appended, whole.
 * @param edge    the partial tiles of the old size (`edgeTiles`), by level.
 * @param leaves  leaf hashes.
 */
export function growTiles(
  oldSize: number,
  edge: ReadonlyMap<number, Uint8Array>,
  leaves: readonly Uint8Array[],
): { readonly level: number; readonly index: number; readonly hashes: Uint8Array }[] {
  const tiles: { level: number; index: number; hashes: Uint8Array }[] = []
  let added = leaves
  for (
    let [level, count] = [0, oldSize];
    added.length > 0;
    [level, count] = [level + 1, Math.floor(count / tileWidth)]
  ) {
    const width = count % tileWidth
    const held = width === 0 ? new Uint8Array() : edge.get(level)
    assert(held !== undefined && held.length >= width * hashSize, "the edge has its partial tiles")
    const hashes = concat(held.subarray(0, width * hashSize), ...added)
    const first = Math.floor(count / tileWidth)
    const above: Uint8Array[] = []
    for (let at = 0; at < hashes.length; at += tileWidth * hashSize) {
      const tile = hashes.slice(at, at + tileWidth * hashSize)
      tiles.push({ level, index: first + above.length, hashes: tile })
      if (tile.length === tileWidth * hashSize) above.push(foldTile(tile))
    }
    added = above
  }
  return tiles
}

/** A tile that remembers the nodes above its hashes once they were computed: at most 255 more hashes. */
export class Tile {
  readonly hashes: Uint8Array
  readonly #nodes = new Map<number, Uint8Array>()

  constructor(hashes: Uint8Array) {
    this.hashes = hashes
  }

  /** The root of `count` (1, 2, 4, … 256) hashes from the `at`-th on. */
  root(at: number, count: number): Uint8Array {
    if (count === 1) return this.hashes.slice(at * hashSize, (at + 1) * hashSize)
    const name = at * 2 * tileWidth + count
    const held = this.#nodes.get(name)
    if (held !== undefined) return held
    const node = nodeHash(this.root(at, count / 2), this.root(at + count / 2, count / 2))
    this.#nodes.set(name, node)
    return node
  }
}

/**
 * Reads nodes out of tiles: a node of level l lies in a tile of level ⌊l / 8⌋, as the root of 2^(l mod 8) of its hashes.
 * Each tile is read once a call; a tile may be wider than the tree of `size` needs.
 */
export function tileReader(
  size: number,
  readTile: (level: number, index: number) => Promise<Uint8Array | Tile>,
): HashReader {
  return async nodes => {
    const tiles = new Map<string, Promise<Tile>>()
    const asTile = async (level: number, index: number) => {
      const tile = await readTile(level, index)
      return tile instanceof Tile ? tile : new Tile(tile)
    }
    return Promise.all(
      nodes.map(async node => {
        const { level, index, at, count } = placeOf(node)
        assert((node.index + 1) * 2 ** node.level <= size, "the node is a full subtree of the tree")
        const name = `${level} ${index}`
        const read = tiles.get(name) ?? asTile(level, index)
        tiles.set(name, read)
        const tile = await read
        assert(tile.hashes.length >= (at + count) * hashSize, "the tile is as wide as the tree needs")
        return tile.root(at, count)
      }),
    )
  }
}

/** uint16 length and bytes of each entry. Source: c2sp.org/tlog-tiles, "Log Entries". */
export function formatBundle(entries: readonly Uint8Array[]): Uint8Array {
  return concat(
    ...entries.flatMap(entry => {
      assert(entry.length <= maxEntry_bytes, "an entry has at most 65,535 bytes")
      return [Uint8Array.of(entry.length >> 8, entry.length & 255), entry]
    }),
  )
}

/** The entries of a bundle, or `null` where a length does not fit or there are more than 256. */
export function parseBundle(bytes: Uint8Array): Uint8Array[] | null {
  const entries: Uint8Array[] = []
  for (let at = 0; at < bytes.length;) {
    const size = (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0)
    const until = at + 2 + size
    if (until > bytes.length || entries.length >= tileWidth) return null
    entries.push(bytes.slice(at + 2, until))
    at = until
  }
  return entries
}

function placeOf({ level, index }: Node): { level: number; index: number; at: number; count: number } {
  const inside = level % tileHeight
  const first = index * 2 ** inside
  return {
    level: Math.floor(level / tileHeight),
    index: Math.floor(first / tileWidth),
    at: first % tileWidth,
    count: 2 ** inside,
  }
}

/** The root of 1, 2, 4, … 256 hashes. */
export function foldTile(hashes: Uint8Array): Uint8Array {
  assert(hashes.length > 0, "a tile that the tree implies holds its hashes")
  if (hashes.length === hashSize) return hashes.slice()
  const half = hashes.length / 2
  return nodeHash(foldTile(hashes.subarray(0, half)), foldTile(hashes.subarray(half)))
}

/** Groups of three digits, all but the last with an x: 1234067 is x001/x234/067. */
function numberPath(index: number): string {
  assert(Number.isSafeInteger(index) && index >= 0, "a tile has a number")
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, "0")
  const groups = digits.match(/\d{3}/g) ?? []
  return groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join("/")
}

function partial(width: number): string {
  assert(width >= 1 && width <= tileWidth, "a tile holds 1 to 256 hashes")
  return width === tileWidth ? "" : `.p/${width}`
}
