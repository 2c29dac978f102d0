import { alphabet, classCount, type TextOdds } from "./text-recogniser.ts"

/** A text and the natural logarithm of how likely it is. */
export interface Likely {
  readonly text: string
  readonly log: number
}

/** Below this a class of a step starts no new text. */
const leastOdds = 0.002

/** What stands for the probability zero: no network is as sure as its numbers say. */
const floor = 1e-4

interface Beam {
  readonly text: string
  /** Probability of all paths that end with nothing new, and of those that end with the text's last character. */
  readonly blank: number
  readonly last: number
}

/**
 * The likeliest texts of a line, best first, at most `width`.
 * Source: Graves 2006 (connectionist temporal classification), searched by prefixes as in Hannun 2014, algorithm 1,
 * without a language model. Costs steps × width × the characters that a step allows.
 */
export function likeliestTexts({ steps, odds }: TextOdds, width: number): Likely[] {
  let beams: Beam[] = [{ text: "", blank: 1, last: 0 }]
  for (let step = 0; step < steps; step += 1) {
    const row = odds.subarray(step * classCount, (step + 1) * classCount)
    beams = heaviest(extended(beams, row), width)
  }
  return beams.map(({ text, blank, last }) => ({ text, log: Math.log(Math.max(blank + last, 1e-30)) }))
}

function extended(beams: readonly Beam[], row: Float32Array): Map<string, { blank: number; last: number }> {
  const next = new Map<string, { blank: number; last: number }>()
  const at = (text: string) => {
    const known = next.get(text)
    if (known !== undefined) return known
    const made = { blank: 0, last: 0 }
    next.set(text, made)
    return made
  }
  for (const { text, blank, last } of beams) {
    const same = at(text)
    const ending = text.at(-1)
    same.blank += (blank + last) * (row[0] ?? 0)
    for (let c = 1; c < classCount; c += 1) {
      const share = row[c] ?? 0
      if (share < leastOdds) continue
      const character = alphabet[c - 1] ?? ""
      if (character === ending) same.last += last * share
      at(text + character).last += (character === ending ? blank : blank + last) * share
    }
  }
  return next
}

function heaviest(next: ReadonlyMap<string, { blank: number; last: number }>, width: number): Beam[] {
  return [...next]
    .map(([text, { blank, last }]) => ({ text, blank, last }))
    .sort((a, b) => b.blank + b.last - a.blank - a.last)
    .slice(0, width)
}

/**
 * The natural logarithm of the probability that a line says `text`; −∞ only for a text longer than the line's steps.
 * Source: Graves 2006, the forward variables α of equation 6, scaled at each step. Costs steps × characters.
 */
export function logOdds({ steps, odds }: TextOdds, text: string): number {
  const labels = [...text].map(character => alphabet.indexOf(character) + 1)
  const states = 2 * labels.length + 1
  const classOf = (state: number) => (state % 2 === 0 ? 0 : (labels[(state - 1) / 2] ?? 0))
  let alpha = new Float64Array(states)
  alpha[0] = 1
  let log = 0
  for (let step = 0; step < steps; step += 1) {
    const next = new Float64Array(states)
    let sum = 0
    for (let s = 0; s < states; s += 1) {
      const skips = s % 2 === 1 && s > 1 && classOf(s) !== classOf(s - 2) ? (alpha[s - 2] ?? 0) : 0
      const isFirst = step === 0 && s === 1
      const before = (alpha[s] ?? 0) + (s > 0 ? (alpha[s - 1] ?? 0) : 0) + skips
      const share = Math.max(floor, odds[step * classCount + classOf(s)] ?? 0)
      next[s] = (isFirst ? 1 : before) * share
      sum += next[s] ?? 0
    }
    if (sum === 0) return -Infinity
    alpha = next.map(value => value / sum)
    log += Math.log(sum)
  }
  const ends = (alpha[states - 1] ?? 0) + (states > 1 ? (alpha[states - 2] ?? 0) : 0)
  return ends === 0 ? -Infinity : log + Math.log(ends)
}
