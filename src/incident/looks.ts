/** What adjudicators get wrong, measured on pairs whose truth is known, and what that does to a count of sames. */

/** Answers to pairs of known truth which were mixed in among the others; nobody who answered could tell them. */
export interface Control {
  /** Pairs that everybody who had to look at them has answered, none of them with "unsure". */
  readonly pairs: number
  /** Single answers to them, and how many of those were wrong. */
  readonly looks: number
  readonly wrong: number
  /** Pairs to which both answers were wrong; those answered once count by their one answer. */
  readonly bothWrong: number
}

export interface Controls {
  /** Two images that are known to show one person. */
  readonly duplicates: Control
  /** Two images that are known to show two people. */
  readonly foils: Control
  /** Of images known to show one person, apart from each other in the clusters, those whose search found the other. */
  readonly searched: { readonly found: number; readonly of: number } | null
}

/** A probability that was measured, and its variance. */
export interface Measured {
  readonly value: number
  readonly variance: number
}

/** Of how many adjudicators a word against the machine's is needed. */
export type LooksNeeded = 1 | 2

/** The unknowns of an adjudication, each measured: one look's errors, and both looks' where they are not independent. */
export interface LookErrors {
  readonly needed: LooksNeeded
  readonly miss: Measured
  readonly mistake: Measured
  /** `null` where the controls speak for independence: then it is the square. */
  readonly missTwice: Measured | null
  readonly mistakeTwice: Measured | null
  readonly search: Measured
}

/** The fewest pairs of each kind without which nothing is said of adjudicators' errors. */
export const leastControls = 50

/**
 * Whether two people's errors may be taken as independent. "tested": unless the controls speak against it, at 5 %; narrow,
 * and too narrow where a part of the errors is in pairs that are hard for everybody and the controls are too few to show it.
 * "measured": never; wider, and needs 1,000 foils to stay narrow enough.
 */
export type Dependence = "tested" | "measured"

/** From so many wrong on, of known pairs or of searches, nothing can be corrected. */
const mostWrong = 0.25

/** @returns `null` for too few controls, or where more than a quarter of the answers or searches were wrong. */
export function errorsOf(
  { duplicates, foils, searched }: Controls,
  needed: LooksNeeded,
  dependence: Dependence,
): LookErrors | null {
  if (Math.min(duplicates.pairs, foils.pairs, searched?.of ?? Infinity) < leastControls) return null
  const shares = [duplicates.wrong / duplicates.looks, foils.wrong / foils.looks]
  if (searched !== null) shares.push(1 - searched.found / searched.of)
  if (shares.some(share => share > mostWrong)) return null
  const twice = (of: Control) => {
    return dependence === "measured" ? measured(of.bothWrong, of.pairs) : beyondChance(of)
  }
  return {
    needed,
    miss: measured(duplicates.wrong, duplicates.looks),
    mistake: measured(foils.wrong, foils.looks),
    missTwice: twice(duplicates),
    mistakeTwice: twice(foils),
    search: searched === null ? { value: 1, variance: 0 } : measured(searched.found, searched.of),
  }
}

/** The share; its variance as if a half more had been counted each way, so that none of many is not taken for never. */
function measured(count: number, of: number): Measured {
  const near = (count + 0.5) / (of + 1)
  return { value: count / of, variance: (near * (1 - near)) / of }
}

/** The share that both got wrong, where it is more than independent errors make at 5 %: hard pairs are hard for everybody. */
function beyondChance({ pairs, looks, wrong, bothWrong }: Control): Measured | null {
  const expected = pairs * (wrong / looks) ** 2
  return poissonAtLeast(bothWrong, expected) < 0.05 ? measured(bothWrong, pairs) : null
}

/** The probability of `count` or more where `expected` are. */
function poissonAtLeast(count: number, expected: number): number {
  let [term, below] = [Math.exp(-expected), 0]
  for (let n = 0; n < count; n += 1) {
    below += term
    term *= expected / (n + 1)
  }
  return 1 - below
}

/**
 * How likely a pair ends as "same": the machine's word stands until the needed looks are all against it.
 * Inside: in one cluster; outside: in two.
 */
export interface SameOdds {
  readonly foundInside: number
  readonly foundOutside: number
  readonly mistakenInside: number
  readonly mistakenOutside: number
}

/** The unknowns as numbers, in the order of their variances; NaN where two looks' share is the square of one look's. */
export function valuesOf({ miss, mistake, missTwice, mistakeTwice, search }: LookErrors): number[] {
  return [miss, mistake, missTwice, mistakeTwice, search].map(each => each?.value ?? NaN)
}

export function variancesOf({ miss, mistake, missTwice, mistakeTwice, search }: LookErrors): number[] {
  return [miss, mistake, missTwice, mistakeTwice, search].map(each => each?.variance ?? 0)
}

export function oddsOf(values: readonly number[], needed: LooksNeeded): SameOdds {
  const [miss = 0, mistake = 0, missTwice = NaN, mistakeTwice = NaN, search = 1] = values
  if (needed === 1) {
    return {
      foundInside: 1 - miss,
      foundOutside: search * (1 - miss),
      mistakenInside: mistake,
      mistakenOutside: mistake,
    }
  }
  const [both, bothMistaken] = [
    Number.isNaN(missTwice) ? miss * miss : missTwice,
    Number.isNaN(mistakeTwice) ? mistake * mistake : mistakeTwice,
  ]
  return {
    foundInside: 1 - both,
    foundOutside: search * (1 - (2 * miss - both)),
    mistakenInside: 2 * mistake - bothMistaken,
    mistakenOutside: bothMistaken,
  }
}
