import { chacha20 } from "@noble/ciphers/chacha.js"

/**
 * The code: for each chip of an image a secret bias, and for each holder a chip drawn by that bias. Three biases, as are
 * best against up to six colluders. Source: Nuida et al. 2009, "An improvement of discrete Tardos fingerprinting codes",
 * table 2 (c = 6); in 65,536ths, so that what is drawn has exactly the probability that the bound reckons with.
 */
export const biases = [7_386 / 65_536, 0.5, 58_150 / 65_536] as const

/** How many of 65,536 draws give the first bias, and the first or the second. */
const biasBounds = [21_758, 43_778] as const

const chipBounds = [7_386, 32_768, 58_150] as const

/** What a chip counts: mean 0 and variance 1 over holders who did not receive the copy. Source: Tardos 2003; Škorić 2008. */
export const weights = biases.map(p => [-Math.sqrt(p / (1 - p)), Math.sqrt((1 - p) / p)] as const)

/**
 * How much chips count by their biases: all alike, as whoever has a copy shows himself in them; or those of the middle bias
 * half and the other way round. Where several write the symbol that fewer of them have, one of five agrees with what is
 * written at an outer bias (0.56 likelier so than not, by counting) and disagrees at the middle one (0.25); all alike would
 * have the one take back half of the other.
 */
export const emphases = { all: [1, 1, 1], rarer: [1, -0.5, 1] } as const

export type Emphasis = keyof typeof emphases

/**
 * What a chip adds to the picture: 2 (chip − bias), scaled to mean square 1. The two values of a chip are equally far apart
 * at every bias, so that copies held against each other do not show it; and no energy is spent on what all copies share.
 */
export const amplitudes = (() => {
  const shares = [21_758 / 65_536, 22_020 / 65_536, 21_758 / 65_536]
  const power = biases.reduce((sum, p, i) => sum + (shares[i] as number) * 4 * p * (1 - p), 0)
  return biases.map(p => [(-2 * p) / Math.sqrt(power), (2 - 2 * p) / Math.sqrt(power)] as const)
})()

/** The bytes behind 16 bits a chip, the lower one first. @param key  32 bytes. */
function draws(key: Uint8Array, count: number): Uint8Array {
  return chacha20(key, new Uint8Array(12), new Uint8Array(2 * count))
}

/** For each chip which of `biases` it has: 0, 1 or 2. @param key  the image's bias key, 32 bytes. */
export function biasesOf(key: Uint8Array, count: number): Uint8Array {
  const bytes = draws(key, count)
  const drawn = new Uint8Array(count)
  for (let i = 0; i < count; i += 1) {
    const draw = (bytes[2 * i] as number) + 256 * (bytes[2 * i + 1] as number)
    drawn[i] = draw < biasBounds[0] ? 0 : draw < biasBounds[1] ? 1 : 2
  }
  return drawn
}

/** The chips, 0 or 1. @param key  a codeword key, 32 bytes. Costs about 10 ns a chip. */
export function chipsOf(key: Uint8Array, bias: Uint8Array): Uint8Array {
  const bytes = draws(key, bias.length)
  const chips = new Uint8Array(bias.length)
  for (let i = 0; i < chips.length; i += 1)
    chips[i] =
      (bytes[2 * i] as number) + 256 * (bytes[2 * i + 1] as number) <
      (chipBounds[bias[i] as 0 | 1 | 2] as number)
        ? 1
        : 0
  return chips
}
