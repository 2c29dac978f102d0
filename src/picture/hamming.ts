/** Up to this many of 256 bits apart, two descriptors may be of one corner; unrelated ones are about 128 apart. */
export const matchLimit_bits = 72

/** The 256 bits of a descriptor. */
export const words = 8

/** Writes a descriptor's 32 bytes as 8 words, the lowest byte first. */
export function wordsInto(target: Uint32Array, at: number, bits: Uint8Array): void {
  for (let n = 0; n < words; n += 1)
    target[at + n] =
      (bits[4 * n] as number) |
      ((bits[4 * n + 1] as number) << 8) |
      ((bits[4 * n + 2] as number) << 16) |
      ((bits[4 * n + 3] as number) << 24)
}

export function wordsOf(bits: Uint8Array): Uint32Array {
  const own = new Uint32Array(words)
  wordsInto(own, 0, bits)
  return own
}

/** Of two descriptors of one corner one half is as good as never off by so many bits more than the other. */
const mostUneven = 32

/**
 * How many bits of two descriptors differ; where at least `enough` do, any number from that on. Half-way, counting ends where
 * the other half would have to make up for too much: were 72 bits that differ drawn evenly, two in a million would be lost so.
 */
export function distance(own: Uint32Array, others: Uint32Array, at: number, enough: number): number {
  const half = fourWords(own, 0, others, at)
  if (half >= enough || 2 * half > enough + mostUneven) return Math.max(half, enough)
  return half + fourWords(own, 4, others, at + 4)
}

function fourWords(own: Uint32Array, from: number, others: Uint32Array, at: number): number {
  const bytes =
    onesOfBytes((own[from] as number) ^ (others[at] as number)) +
    onesOfBytes((own[from + 1] as number) ^ (others[at + 1] as number)) +
    onesOfBytes((own[from + 2] as number) ^ (others[at + 2] as number)) +
    onesOfBytes((own[from + 3] as number) ^ (others[at + 3] as number))
  return Math.imul(bytes, 0x0101_0101) >>> 24
}

/** How many bits of 32 are set. */
export function onesOf(word: number): number {
  return Math.imul(onesOfBytes(word), 0x0101_0101) >>> 24
}

/** In each of a word's bytes how many bits are set, in a byte. Source: Warren, "Hacker's Delight", figure 5-2. */
function onesOfBytes(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555)
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333)
  return (fours + (fours >>> 4)) & 0x0f0f_0f0f
}
