import { equal } from "../bytes.ts"
import { assert } from "../fault.ts"
import { emptyRoot, hashSize, nodeHash } from "./hash.ts"

/** The root of the full subtree of 2^level leaves whose number, from the left, is `index`. */
export interface Node {
  readonly level: number
  readonly index: number
}

/** Gives the hashes of these nodes, in order. */
export type HashReader = (nodes: readonly Node[]) => Promise<readonly Uint8Array[]>

/** Largest power of two below `n`; n ≥ 2. */
function split(n: number): number {
  let half = 1
  while (half * 2 < n) half *= 2
  return half
}

/** The nodes whose hashes, folded from the right, give the root of leaves [from, until). */
function nodesOf(from: number, until: number): Node[] {
  const nodes: Node[] = []
  for (let at = from; at < until;) {
    let level = 0
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= until) level += 1
    nodes.push({ level, index: at / 2 ** level })
    at += 2 ** level
  }
  return nodes
}

/** Reads the subtrees of a proof in one call and folds each to its root. */
async function rootsOf(
  ranges: readonly (readonly [number, number])[],
  read: HashReader,
): Promise<Uint8Array[]> {
  const parts = ranges.map(([from, until]) => nodesOf(from, until))
  const hashes = [...(await read(parts.flat()))]
  return parts.map(part => {
    const [last, ...left] = hashes.splice(0, part.length).reverse()
    assert(last !== undefined, "a subtree has nodes")
    return left.reduce((right, each) => nodeHash(each, right), last)
  })
}

/**
 * The proof that leaf `index` is in the tree of `size`: sibling hashes from the leaf up, at most ⌈log₂ size⌉.
 * Source: RFC 6962 §2.1.1.
 */
export async function proveInclusion(index: number, size: number, read: HashReader): Promise<Uint8Array[]> {
  assert(Number.isSafeInteger(index) && index >= 0 && index < size, "the leaf is in the tree")
  const ranges: (readonly [number, number])[] = []
  for (let [from, until] = [0, size]; until - from > 1;) {
    const middle = from + split(until - from)
    ranges.push(index < middle ? [middle, until] : [from, middle])
    ;[from, until] = index < middle ? [from, middle] : [middle, until]
  }
  return rootsOf(ranges.reverse(), read)
}

/**
 * Whether `proof` shows that the leaf hash is at `index` of the tree with this size and root. Source: RFC 9162 §2.1.3.2.
 */
export function checkInclusion(claim: {
  readonly index: number
  readonly size: number
  readonly leaf: Uint8Array
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}): boolean {
  const { index, size, leaf, root, proof } = claim
  if (!isSize(size) || !isSize(index) || index >= size) return false
  if (![leaf, root, ...proof].every(hash => hash.length === hashSize)) return false
  let [node, last, hash] = [index, size - 1, leaf]
  for (const sibling of proof) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash)
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)]
    } else {
      hash = nodeHash(hash, sibling)
    }
    ;[node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  }
  return last === 0 && equal(hash, root)
}

/** The proof that the tree of `oldSize` is a prefix of that of `newSize`. Source: RFC 6962 §2.1.2. */
export async function proveConsistency(
  oldSize: number,
  newSize: number,
  read: HashReader,
): Promise<Uint8Array[]> {
  assert(isSize(oldSize) && isSize(newSize) && oldSize <= newSize, "the old tree is not larger")
  if (oldSize === 0 || oldSize === newSize) return []
  const ranges: (readonly [number, number])[] = []
  let [from, until] = [0, newSize]
  while (oldSize !== until) {
    const middle = from + split(until - from)
    ranges.push(oldSize <= middle ? [middle, until] : [from, middle])
    ;[from, until] = oldSize <= middle ? [from, middle] : [middle, until]
  }
  if (from !== 0) ranges.push([from, until])
  return rootsOf(ranges.reverse(), read)
}

/**
 * Whether `proof` shows that the old tree is a prefix of the new one. The empty tree is a prefix of every tree, with an
 * empty proof. Source: RFC 9162 §2.1.4.2.
 */
export function checkConsistency(claim: {
  readonly oldSize: number
  readonly newSize: number
  readonly oldRoot: Uint8Array
  readonly newRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}): boolean {
  const { oldSize, newSize, oldRoot, newRoot, proof } = claim
  if (!isSize(oldSize) || !isSize(newSize) || oldSize > newSize) return false
  if (![oldRoot, newRoot, ...proof].every(hash => hash.length === hashSize)) return false
  if (oldSize === 0) return proof.length === 0 && equal(oldRoot, emptyRoot())
  if (oldSize === newSize) return proof.length === 0 && equal(oldRoot, newRoot)
  const isFull = 2 ** Math.round(Math.log2(oldSize)) === oldSize
  const [first, ...rest] = isFull ? [oldRoot, ...proof] : proof
  if (first === undefined) return false
  let [node, last] = [oldSize - 1, newSize - 1]
  while (node % 2 === 1) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  let [older, newer] = [first, first]
  for (const sibling of rest) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      ;[older, newer] = [nodeHash(sibling, older), nodeHash(sibling, newer)]
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)]
    } else {
      newer = nodeHash(newer, sibling)
    }
    ;[node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  }
  return last === 0 && equal(older, oldRoot) && equal(newer, newRoot)
}

function isSize(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0
}
