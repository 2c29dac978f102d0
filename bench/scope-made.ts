import type { DisclosureRows, Extent } from "../src/scope/disclosures.ts"

/** Made disclosures of a made vault: seeded, with sizes as skewed as vendors are. */
export interface Made {
  readonly extent: Extent
  readonly rows: DisclosureRows
  /** For each image the person in it, from 1. */
  readonly person: Uint32Array
  readonly people: number
}

export interface Sizes {
  readonly disclosures: number
  readonly images: number
  readonly people: number
}

const holders = 64
const days = 730

/** Images of the last so many days are asked for, newer ones more often. */
const oldest_days = 60

/** 32 bits at a time. Source: Marsaglia, "Xorshift RNGs", 2003, the triple (13, 17, 5). */
function chanceOf(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** 4,096 picks, each value as often as its weight says. */
function wheel(weights: readonly number[]): Uint8Array {
  const sum = weights.reduce((all, each) => all + each, 0)
  const picks = new Uint8Array(4096)
  let [at, upTo] = [0, 0]
  for (const [value, weight] of weights.entries()) {
    upTo += (weight / sum) * picks.length
    for (; at < Math.round(upTo); at += 1) picks[at] = value
  }
  return picks
}

export function made({ disclosures, images, people }: Sizes): Made {
  const chance = chanceOf(20_190_613)
  const perDay = Math.floor(images / days)
  // The n-th organization takes n^-0.8 of the first's share: 15 % for the first, 0.7 % for the 41st.
  const holderWheel = wheel(Array.from({ length: holders }, (_, n) => (n + 1) ** -0.8))
  const ageWheel = wheel(Array.from({ length: oldest_days }, (_, age) => Math.exp(-age / 20)))
  const holder = new Uint8Array(disclosures)
  const day = new Uint16Array(disclosures)
  const ordinal = new Uint32Array(disclosures)
  for (let row = 0; row < disclosures; row += 1) {
    const released = Math.floor(chance() * days)
    const captured = Math.max(0, released - (ageWheel[Math.floor(chance() * 4096)] as number))
    holder[row] = holderWheel[Math.floor(chance() * 4096)] as number
    day[row] = released
    ordinal[row] = captured * perDay + Math.floor(chance() * perDay)
  }
  const person = new Uint32Array(images)
  // Some cross every day, most now and then: the share of a person falls with the square root of the rank.
  for (let image = 0; image < images; image += 1) person[image] = 1 + Math.floor(people * chance() ** 2)
  return { extent: { holders, days, images }, rows: { holder, day, ordinal }, person, people }
}
