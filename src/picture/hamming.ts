/**
 * What the first 128 bits of two descriptors may differ by where all 256 differ by fewer than `most_bits`: half of it and
 * about two standard deviations. Unrelated ones differ there by about 64, so that most are done with after half the work.
 */
export function halfOf(most_bits: number): number {
  return Math.round(most_bits / 2 + Math.sqrt(most_bits))
}

/** How many bits of 128 differ, in the four words from `i` and from `j` on. */
export function halfApart(a: Int32Array, i: number, b: Int32Array, j: number): number {
  return (
    ones((a[i] as number) ^ (b[j] as number)) +
    ones((a[i + 1] as number) ^ (b[j + 1] as number)) +
    ones((a[i + 2] as number) ^ (b[j + 2] as number)) +
    ones((a[i + 3] as number) ^ (b[j + 3] as number))
  )
}

/** How many bits of 32 are set. Source: Warren, "Hacker's Delight", figure 5-2. */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555)
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
}
