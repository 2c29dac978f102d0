import { createHash } from "node:crypto"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { concat, equal, hex } from "../bytes.ts"
import { leafHash } from "./hash.ts"
import { checkConsistency, checkInclusion, proveConsistency, proveInclusion } from "./proof.ts"
import { edgeTiles, growTiles, tileReader } from "./tile.ts"
import { emptyFrontier, formatFrontier, grow, parseFrontier, rootOf } from "./tree.ts"

/** RFC 6962 §2.1 word for word, on node's own SHA-256: it shares no code with what it judges. */
function naiveRoot(entries: readonly Uint8Array[]): Buffer {
  const hash = (...parts: Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest()
  if (entries.length === 0) return hash()
  if (entries.length === 1) return hash(Buffer.of(0), entries[0]!)
  let k = 1
  while (k * 2 < entries.length) k *= 2
  return hash(Buffer.of(1), naiveRoot(entries.slice(0, k)), naiveRoot(entries.slice(k)))
}

const entriesOf = (size: number) => Array.from({ length: size }, (_, i) => Buffer.from(`entry ${i}`))
const leavesOf = (size: number) => entriesOf(size).map(entry => leafHash(entry))

function readerOf(size: number) {
  const tiles = new Map(
    growTiles(0, new Map(), leavesOf(size)).map(tile => [`${tile.level} ${tile.index}`, tile.hashes]),
  )
  return tileReader(size, (level, index) => Promise.resolve(tiles.get(`${level} ${index}`)!))
}

test("the root is RFC 6962's for every size up to 130", () => {
  for (let size = 0; size <= 130; size += 1) {
    expect(hex(rootOf(grow(emptyFrontier, leavesOf(size))))).toBe(naiveRoot(entriesOf(size)).toString("hex"))
  }
})

test("growing in two steps is growing in one; a frontier survives its bytes", () => {
  fc.assert(
    fc.property(fc.nat(300), fc.nat(300), (a, b) => {
      const leaves = leavesOf(a + b)
      const first = grow(emptyFrontier, leaves.slice(0, a))
      const kept = parseFrontier(a, formatFrontier(first))!
      expect(equal(rootOf(grow(kept, leaves.slice(a))), rootOf(grow(emptyFrontier, leaves)))).toBe(true)
    }),
    { numRuns: 60 },
  )
})

test("a frontier of another size, or with a byte too few, is none", () => {
  const bytes = formatFrontier(grow(emptyFrontier, leavesOf(6)))
  expect(parseFrontier(6, bytes)).not.toBeNull()
  expect(parseFrontier(7, bytes)).toBeNull()
  expect(parseFrontier(6, bytes.subarray(1))).toBeNull()
  expect(parseFrontier(-1, new Uint8Array())).toBeNull()
})

describe("every proof that is made holds, and with one bit flipped anywhere it does not", () => {
  const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 255, 256, 257, 300]
  for (const size of sizes) {
    test(`inclusion in a tree of ${size}`, async () => {
      const [leaves, read] = [leavesOf(size), readerOf(size)]
      const root = rootOf(grow(emptyFrontier, leaves))
      for (const index of [...new Set([0, 1, Math.floor(size / 2), size - 1])].filter(i => i < size)) {
        const proof = await proveInclusion(index, size, read)
        const claim = { index, size, leaf: leaves[index]!, root, proof }
        expect(checkInclusion(claim)).toBe(true)
        expect(checkInclusion({ ...claim, index: index + 1 })).toBe(false)
        expect(checkInclusion({ ...claim, index: -1 })).toBe(false)
        expect(checkInclusion({ ...claim, index: size })).toBe(false)
        expect(checkInclusion({ ...claim, proof: [...proof, root] })).toBe(false)
        if (proof.length > 0) expect(checkInclusion({ ...claim, proof: proof.slice(1) })).toBe(false)
        for (const [i, hash] of [claim.leaf, root, ...proof].entries()) {
          const bent = hash.map((byte, at) => (at === (i * 7) % 32 ? byte ^ (1 << (i % 8)) : byte))
          const changed =
            i === 0
              ? { ...claim, leaf: bent }
              : i === 1
                ? { ...claim, root: bent }
                : { ...claim, proof: proof.with(i - 2, bent) }
          expect(checkInclusion(changed)).toBe(false)
        }
      }
    })

    test(`consistency up to ${size}`, async () => {
      const [leaves, read] = [leavesOf(size), readerOf(size)]
      const newRoot = rootOf(grow(emptyFrontier, leaves))
      for (let oldSize = 0; oldSize <= size; oldSize += 1 + Math.floor(size / 16)) {
        const oldRoot = rootOf(grow(emptyFrontier, leaves.slice(0, oldSize)))
        const proof = await proveConsistency(oldSize, size, read)
        const claim = { oldSize, newSize: size, oldRoot, newRoot, proof }
        expect(checkConsistency(claim)).toBe(true)
        expect(checkConsistency({ ...claim, proof: [...proof, newRoot] })).toBe(false)
        expect(checkConsistency({ ...claim, oldSize: size + 1 })).toBe(false)
        const flip = (hash: Uint8Array) => hash.map((byte, at) => (at === 5 ? byte ^ 4 : byte))
        expect(checkConsistency({ ...claim, oldRoot: flip(oldRoot) })).toBe(false)
        if (oldSize > 0) expect(checkConsistency({ ...claim, newRoot: flip(newRoot) })).toBe(false)
        for (let i = 0; i < proof.length; i += 1)
          expect(checkConsistency({ ...claim, proof: proof.with(i, flip(proof[i]!)) })).toBe(false)
      }
    })
  }
})

test("tiles that grow are the tiles that would have been made at once, around every edge", () => {
  const all = leavesOf(700)
  const whole = (size: number) =>
    new Map(
      growTiles(0, new Map(), all.slice(0, size)).map(tile => [
        `${tile.level} ${tile.index}`,
        hex(tile.hashes),
      ]),
    )
  fc.assert(
    fc.property(fc.nat(600), fc.integer({ min: 1, max: 100 }), (oldSize, more) => {
      const held = whole(oldSize)
      const edge = new Map(
        edgeTiles(oldSize).map(({ level, index }) => [
          level,
          Buffer.from(held.get(`${level} ${index}`)!, "hex"),
        ]),
      )
      for (const tile of growTiles(oldSize, edge, all.slice(oldSize, oldSize + more)))
        held.set(`${tile.level} ${tile.index}`, hex(tile.hashes))
      expect(held).toEqual(whole(oldSize + more))
    }),
    { numRuns: 60 },
  )
})

test("65,536 leaves roll up two levels", () => {
  const leaves = Array.from({ length: 65_537 }, (_, i) => leafHash(Buffer.from(String(i))))
  const tiles = growTiles(0, new Map(), leaves)
  const top = tiles.filter(tile => tile.level === 2)
  expect(top).toHaveLength(1)
  expect(equal(top[0]!.hashes, rootOf(grow(emptyFrontier, leaves.slice(0, 65_536))))).toBe(true)
  expect(concat(...tiles.filter(tile => tile.level === 1).map(tile => tile.hashes))).toHaveLength(256 * 32)
})
