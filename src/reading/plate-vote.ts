import { likeliestTexts, logOdds } from "./ctc.ts"
import { isOfSeries, plausibility, repaired, type PlateRegion } from "./plate-syntax.ts"
import type { TextOdds } from "./text-recogniser.ts"

/** A text that several readings of one plate were asked about. */
export interface Candidate {
  readonly text: string
  /** Mean of the readings' logarithms, and the syntax's word: what candidates are ranked by. */
  readonly score: number
  /** The share of readings whose own best text this is, with the characters merged that plates do not tell apart. */
  readonly share: number
}

const settings = {
  /** Texts taken from each reading. */
  perReading: 5,
  /** One reading that sees something else entirely does not count for more than this. */
  least: -8,
  /** What a natural logarithm of syntax weighs against the mean of the readings'. */
  syntax: 1.5,
  /** The most texts that all readings are asked about. */
  asked: 40,
} as const

/**
 * The texts that the readings of one plate are for, best first, at most `asked`; none when no reading sees three
 * characters. Each reading says how likely it finds every text that any of them proposes, or that a series is near to;
 * so a reading that misses one character still speaks for the right text.
 * Costs about 6 ms of one core for five readings.
 */
export function vote(readings: readonly TextOdds[], region: PlateRegion): Candidate[] {
  const lists = readings.map(reading => likeliestTexts(reading, settings.perReading))
  const best = lists.map(list => list[0]?.text ?? "")
  const texts = new Set(lists.flatMap(list => list.map(({ text }) => text)))
  for (const text of new Set(best)) {
    if (text.length <= 10) for (const other of repaired(text, region)) texts.add(other)
  }
  const asked = [...texts]
    .filter(text => text.length >= 3 && text.length <= 10)
    .map(text => ({ text, rank: Math.max(...readings.map(reading => logOdds(reading, text))) }))
    .sort((a, b) => b.rank - a.rank)
    .slice(0, settings.asked)
  return asked
    .map(({ text }) => {
      const logs = readings.map(reading => Math.max(settings.least, logOdds(reading, text)))
      const seen = logs.reduce((sum, log) => sum + log, 0) / logs.length
      const share = best.filter(own => merged(own) === merged(text)).length / best.length
      return { text, share, score: seen + settings.syntax * plausibility(text, region) }
    })
    .sort((a, b) => b.score - a.score)
}

/** The text with O and Q as 0 and I as 1: many plates write them alike, and so do those who annotate photographs. */
export function merged(text: string): string {
  return text.replace(/[OQ]/g, "0").replace(/I/g, "1")
}

/** What the confidence is made of. */
export interface Evidence {
  /** Of the best candidate. */
  readonly share: number
  /** From the best to the next one that is not the same when merged, at most 8. */
  readonly margin: number
  readonly isOfSeries: boolean
}

/** @param candidates  of `vote`, at least one. */
export function evidenceOf(candidates: readonly [Candidate, ...Candidate[]], region: PlateRegion): Evidence {
  const [best] = candidates
  const next = candidates.find(({ text }) => merged(text) !== merged(best.text))
  return {
    share: best.share,
    margin: Math.min(8, best.score - (next?.score ?? -Infinity)),
    isOfSeries: isOfSeries(best.text, region),
  }
}
