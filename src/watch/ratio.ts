/**
 * Logarithms of bets as whole numbers. A ratio q/p is rounded down to a quarter of an octave, and the logarithm of each bet
 * on it down to a micronat, so that sums of evidence are sums of integers: the same on every machine, and never more than
 * the true evidence.
 */

/** Quarters of an octave from 2⁻²⁰ to 2²⁰. */
export const levelCount = 161
const middle = 80

/** 2^(1/4): IEEE 754 rounds square roots correctly, so it is the same number everywhere. */
const quarter = Math.sqrt(Math.sqrt(2))

/** The smallest ratio of each level. */
const smallest: readonly number[] = Array.from({ length: levelCount }, (_, level) => {
  const [octaves, quarters] = [Math.floor((level - middle) / 4), (level - middle) & 3]
  let ratio = 1
  for (let i = 0; i < quarters; i += 1) ratio *= quarter
  return octaves >= 0 ? ratio * (1 << octaves) : ratio / (1 << -octaves)
})

/** The level of `ratio`, rounded down; 0 below 2⁻²⁰. Costs about eight comparisons. */
export function levelOf(ratio: number): number {
  let [low, high] = [0, levelCount]
  while (high - low > 1) {
    const between = (low + high) >> 1
    if ((smallest[between] ?? Infinity) <= ratio) low = between
    else high = between
  }
  return low
}

/**
 * Of each level, ⌊10⁶ · ln(1 − stake + stake · ratio)⌋, and `most_micronats` at most. Level 0 stands for a ratio of nothing.
 */
export function micronatsOf(stake: number, most_micronats: number): number[] {
  return smallest.map((ratio, level) => {
    const e = 1 - stake + (level === 0 ? 0 : stake * ratio)
    return Math.min(most_micronats, Math.floor(1e6 * naturalLog(e)))
  })
}

const ln2 = 0.6931471805599453

/**
 * ln x for x > 0 by additions, products and quotients alone, which IEEE 754 rounds in one way: `Math.log` may differ between
 * machines in its last bit. ln x = 2 artanh((x − 1)/(x + 1)) after halving or doubling into [3/4, 3/2).
 */
export function naturalLog(x: number): number {
  let [rest, octaves] = [x, 0]
  for (; rest >= 1.5; rest /= 2) octaves += 1
  for (; rest < 0.75; rest *= 2) octaves -= 1
  const t = (rest - 1) / (rest + 1)
  let [sum, power] = [0, t]
  for (let n = 1; n < 40; n += 2, power *= t * t) sum += power / n
  return 2 * sum + octaves * ln2
}
