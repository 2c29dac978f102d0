import type { Descriptor } from "./descriptors.ts"

/** Up to this many of 256 bits apart, two descriptors may be of one corner; unrelated ones are about 128 apart. */
export const matchLimit_bits = 72

/** A corner that looks like two others says little: the nearest must be this much nearer than the next. */
const ratio = 0.85

/**
 * How many of `a` have a nearest in `b` that is fewer than `most_bits` away, and clearly nearer than the second nearest
 * (0.85 of its distance; Lowe 2004, §7.1). Not the same the other way round.
 * Costs about 10 ns for each pair.
 */
export function matchesOf(a: readonly Descriptor[], b: readonly Descriptor[], most_bits: number): number {
  const [words, others] = [wordsOf(a), wordsOf(b)]
  const most = Math.ceil(most_bits / ratio)
  let count = 0
  for (let i = 0; i < words.length; i += 8) {
    const one = words.subarray(i, i + 8)
    let [nearest, second] = [most, most]
    for (let j = 0; j < others.length; j += 8) {
      const bits = distance(one, others, j, second)
      if (bits < nearest) {
        second = nearest
        nearest = bits
      } else if (bits < second) second = bits
    }
    if (nearest < most_bits && nearest < ratio * second) count += 1
  }
  return count
}

/**
 * How much speaks for each of several originals to be that of a leaked picture; the largest is the likeliest. For each of
 * the leak's descriptors: by how many bits the original's nearest is nearer than the mean of all originals, none being
 * counted farther than `most_bits`. What all pictures of a lane show, its booths and its road, thus speaks for none.
 * @param originals  for each its descriptors, those of all its parts together.
 * Costs about 8 ns for each pair.
 */
export function votesFor(
  leak: readonly Descriptor[],
  originals: readonly (readonly Descriptor[])[],
  most_bits: number,
): readonly number[] {
  const words = wordsOf(leak)
  const distances = originals.map(original => nearestOf(words, wordsOf(original), most_bits))
  const votes = originals.map(() => 0)
  for (let i = 0; i < leak.length; i += 1) {
    // One more that matches nothing, so that a single original is no mean of itself.
    const mean =
      distances.reduce((sum, each) => sum + (each[i] as number), most_bits) / (originals.length + 1)
    distances.forEach((each, n) => {
      votes[n] = (votes[n] as number) + Math.max(0, mean - (each[i] as number))
    })
  }
  return votes
}

/** For each of `words` how far its nearest of `others` is, at most `most_bits`. */
function nearestOf(words: Uint32Array, others: Uint32Array, most_bits: number): Float32Array {
  const found = new Float32Array(words.length / 8)
  for (let i = 0; i < words.length; i += 8) {
    const one = words.subarray(i, i + 8)
    let nearest = most_bits
    for (let j = 0; j < others.length; j += 8) {
      const bits = distance(one, others, j, nearest)
      if (bits < nearest) nearest = bits
    }
    found[i / 8] = nearest
  }
  return found
}

function wordsOf(list: readonly Descriptor[]): Uint32Array {
  const words = new Uint32Array(8 * list.length)
  list.forEach(({ bits }, i) => {
    const view = new DataView(bits.buffer, bits.byteOffset, bits.length)
    for (let n = 0; n < 8; n += 1) words[8 * i + n] = view.getUint32(4 * n)
  })
  return words
}

/** How many bits of `one` and of the eight words from `j` on differ; counting ends once `enough` are known to. */
function distance(one: Uint32Array, others: Uint32Array, j: number, enough: number): number {
  let bits = 0
  for (let n = 0; n < 8 && bits < enough; n += 1) {
    bits += ones((one[n] as number) ^ (others[j + n] as number))
  }
  return bits
}

/** How many bits of 32 are set. Source: Warren, "Hacker's Delight", figure 5-2. */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555)
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
}
