import type { Evidence } from "./plate-vote.ts"

/**
 * How often the best candidate is right, given this evidence: a logistic curve fitted on the development part of the
 * photographs (docs/reader.md says which, and shows it on the others).
 */
export function confidenceOf({ share, margin, isOfSeries }: Evidence): number {
  const { constant, perShare, perMargin, ofSeries } = fitted
  const log = constant + perShare * share + perMargin * margin + (isOfSeries ? ofSeries : 0)
  return 1 / (1 + Math.exp(-log))
}

const fitted = { constant: -1.28, perShare: 1.87, perMargin: 1.03, ofSeries: 0.41 } as const

const limits = { sure: 0.93, worthSaying: 0.05 } as const

/** Whether the reader answers with the text. */
export function isSure(confidence: number): boolean {
  return confidence >= limits.sure
}

/** Whether it names candidates. */
export function isWorthSaying(confidence: number): boolean {
  return confidence >= limits.worthSaying
}
