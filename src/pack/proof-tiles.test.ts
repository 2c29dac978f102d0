import { describe, expect, test } from "vitest"
import { utf8 } from "../bytes.ts"
import { leafHash } from "../tlog/hash.ts"
import { growTiles, tilePath } from "../tlog/tile.ts"
import { emptyFrontier, grow, rootOf } from "../tlog/tree.ts"
import { ProvingTiles } from "./proof-tiles.ts"

const most = 66_000
const leaves = Array.from({ length: most }, (_, n) => leafHash(utf8(`entry ${n}`)))

const trees = new Map<number, ReturnType<typeof madeTree>>()

function treeOf(size: number) {
  const held = trees.get(size) ?? madeTree(size)
  trees.set(size, held)
  return held
}

/** A tree of so many leaves, and its tiles by path. */
function madeTree(size: number) {
  const some = leaves.slice(0, size)
  const tiles = new Map(
    growTiles(0, new Map(), some).map(({ level, index, hashes }) => [
      tilePath({ level, index, width: hashes.length / 32 }),
      hashes,
    ]),
  )
  const root = rootOf(grow(emptyFrontier, some))
  return { tree: { origin: "o", size, root }, tiles }
}

const reading = (tiles: ReadonlyMap<string, Uint8Array>) => (path: string) =>
  Promise.resolve(tiles.get(path) ?? null)

async function provedOf(size: number): Promise<ProvingTiles> {
  const { tree, tiles } = treeOf(size)
  const proving = await ProvingTiles.of(reading(tiles), tree)
  if (!(proving instanceof ProvingTiles)) throw new Error(proving.why)
  return proving
}

const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))

describe.each([1, 2, 255, 256, 257, 511, 1000, 65_535, 65_536, 65_537, most])("a tree of %i leaves", size => {
  const some = [0, 1, 255, 256, 257, 40_000, 65_535, 65_536, size - 1].filter(index => index < size)
  test("each leaf is proved, in any order", async () => {
    const proving = await provedOf(size)
    for (const index of [...some, ...some.toReversed()])
      expect(await proving.leaf(index)).toEqual(leaves[index])
  })
  test("one bit of any tile that was needed is found, and so is a tile that is gone", async () => {
    const { tree, tiles } = treeOf(size)
    const proving = await provedOf(size)
    for (const index of some) await proving.leaf(index)
    for (const path of proving.used()) {
      const bytes = tiles.get(path)!
      const at = path.length % bytes.length
      for (const bent of [flipped(bytes, at), bytes.subarray(0, bytes.length - 32), null]) {
        const others = new Map(tiles)
        if (bent === null) others.delete(path)
        else others.set(path, bent)
        const found = await ProvingTiles.of(reading(others), tree)
        const said = found instanceof ProvingTiles ? await Promise.all(some.map(i => found.leaf(i))) : [found]
        expect(
          said.some(each => "path" in each),
          path,
        ).toBe(true)
      }
    }
  })
  test("another root is refused", async () => {
    const { tree, tiles } = treeOf(size)
    const found = await ProvingTiles.of(reading(tiles), { ...tree, root: flipped(tree.root, 3) })
    expect(found).toMatchObject({ why: "the tiles at its edge do not lead to the signed root" })
  })
})

test("few entries of a large tree need few tiles: one of each level, and the edge", async () => {
  const proving = await provedOf(most)
  await proving.leaf(70)
  await proving.leaf(200)
  expect(proving.used()).toEqual([
    "tile/0/000",
    "tile/0/257.p/208",
    "tile/1/000",
    "tile/1/001.p/1",
    "tile/2/000.p/1",
  ])
})
