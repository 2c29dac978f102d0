import { equal } from "../bytes.ts"
import type { Checkpoint } from "../tlog/checkpoint.ts"
import { hashSize } from "../tlog/hash.ts"
import { edgeTiles, foldTile, Tile, tilePath, tileWidth, type TileAt } from "../tlog/tile.ts"
import { rootOf } from "../tlog/tree.ts"

/** A tile that is missing, or does not lead to the root: its path, and why. */
export interface Unproved {
  readonly path: string
  readonly why: string
}

/** The bytes of a tile of exactly that width, or `null`. */
export type ReadTile = (path: string) => Promise<Uint8Array | null>

/**
 * Leaves of a signed tree, proved by hash tiles that many entries share (c2sp.org/tlog-tiles): each tile's root is a hash of the
 * tile above it, and those at the right edge make the signed root. One tile of each level is in memory, and the edge.
 */
export class ProvingTiles {
  /** Of the tree. */
  readonly size: number
  readonly #read: ReadTile
  readonly #edge: ReadonlyMap<number, Uint8Array>
  readonly #held = new Map<number, { readonly index: number; readonly hashes: Uint8Array }>()
  readonly #used: Set<string>
  readonly #edgeIndex: ReadonlyMap<number, number>

  private constructor(
    read: ReadTile,
    size: number,
    edge: readonly (TileAt & { readonly hashes: Uint8Array })[],
  ) {
    this.#read = read
    this.size = size
    this.#edge = new Map(edge.map(({ level, hashes }) => [level, hashes]))
    this.#edgeIndex = new Map(edge.map(({ level, index }) => [level, index]))
    this.#used = new Set(edge.map(tilePath))
  }

  /** Reads the edge, and holds it against the tree's root. */
  static async of(read: ReadTile, { size, root }: Checkpoint): Promise<ProvingTiles | Unproved> {
    const edge: (TileAt & { hashes: Uint8Array })[] = []
    for (const tile of edgeTiles(size)) {
      const hashes = await read(tilePath(tile))
      if (hashes?.length !== tile.width * hashSize) return missing(tilePath(tile))
      edge.push({ ...tile, hashes })
    }
    const hashes = edge.toReversed().flatMap(({ width, hashes }) => subtreesOf(new Tile(hashes), width))
    if (equal(rootOf({ size, hashes }), root)) return new ProvingTiles(read, size, edge)
    return { path: "tile", why: "the tiles at its edge do not lead to the signed root" }
  }

  /** The hash of a leaf, 0 ≤ index < size. Cheapest in ascending order. */
  async leaf(index: number): Promise<Uint8Array | Unproved> {
    const hashes = await this.#tile(0, Math.floor(index / tileWidth))
    return hashes instanceof Uint8Array ? hashOf(hashes, index) : hashes
  }

  /** Paths of all tiles that were needed, ascending by level and number. */
  used(): readonly string[] {
    return [...this.#used].sort((a, b) => levelOf(a) - levelOf(b) || (a < b ? -1 : 1))
  }

  async #tile(level: number, index: number): Promise<Uint8Array | Unproved> {
    const edge = this.#edge.get(level)
    if (edge !== undefined && this.#edgeIndex.get(level) === index) return edge
    const held = this.#held.get(level)
    if (held?.index === index) return held.hashes
    const path = tilePath({ level, index, width: tileWidth })
    const hashes = await this.#read(path)
    if (hashes?.length !== tileWidth * hashSize) return missing(path)
    const above = await this.#tile(level + 1, Math.floor(index / tileWidth))
    if (!(above instanceof Uint8Array)) return above
    if (!equal(foldTile(hashes), hashOf(above, index)))
      return { path, why: "it is not the one that the tile above it names" }
    this.#held.set(level, { index, hashes })
    this.#used.add(path)
    return hashes
  }
}

function hashOf(hashes: Uint8Array, index: number): Uint8Array {
  const at = (index % tileWidth) * hashSize
  return hashes.subarray(at, at + hashSize)
}

/** The roots of the full subtrees that `width` hashes make up, the largest first: one for each 1-bit. */
function subtreesOf(tile: Tile, width: number): Uint8Array[] {
  const roots: Uint8Array[] = []
  for (let [at, count] = [0, tileWidth / 2]; count >= 1; count /= 2)
    if ((width & count) !== 0) {
      roots.push(tile.root(at, count))
      at += count
    }
  return roots
}

function levelOf(path: string): number {
  return Number(path.split("/")[1])
}

function missing(path: string): Unproved {
  return { path, why: "it is missing, or of another width" }
}
