import { Answers, findingsOf, intervalOf, type Answer, type Findings } from "./answers.ts"
import type { Plan } from "./plan-shape.ts"
import type { Controls, Dependence } from "./looks.ts"
import { peopleCount, type Interval } from "./people.ts"
import type { ScopeResult } from "./scope.ts"

/** What two people's answers make of a count of people. */

/** A picture holds at most so many faces, or plates: a finding of more is none (`picture/level.ts`, `seal/contents.ts`). */
export const mostInImage = 32

/** Of how many people an answer against the machine's is needed, in a vault. */
export const looksNeeded = 2

/** What a plan and answers come to. The same in, the same out: whoever has both judges it again. */
export function estimated(
  plan: Plan,
  answers: readonly Answer[],
  of: { readonly dependence: Dependence; readonly searched: Controls["searched"] },
): { readonly findings: Findings; readonly interval: Interval | null } {
  const findings = findingsOf(plan, new Answers(answers), looksNeeded)
  return { findings, interval: intervalOf(plan, findings, { needed: looksNeeded, ...of }) }
}

/** An estimate as the log has it, with what it is of. */
export interface Estimate {
  readonly linkage: string
  /** Index of its entry. */
  readonly entry: number
  readonly interval: Interval | null
  readonly sampled: number
  readonly faces: number
  /** Faces that nobody compared, and images in which nothing looked for faces. */
  readonly unclustered: number
  readonly undetermined: number
}

/** A result with the estimate of people in what left, within the bounds that it has. */
export function withEstimate(result: ScopeResult, estimate: Estimate | null): ScopeResult {
  if (estimate?.interval == null) return result
  const { entry, interval, sampled, faces } = estimate
  const unclustered = estimate.unclustered + mostInImage * estimate.undetermined
  const number = (value: number) => value.toLocaleString("en-US")
  const rest =
    unclustered === 0
      ? ""
      : ` ${number(unclustered)} faces that were not compared may each be somebody more, and raise the upper end.`
  const method = `95 %: ${number(sampled)} of ${number(faces)} faces, drawn by a logged seed, were looked at by people, two of whom had to agree against the machine (entry ${entry}).${rest}`
  const { at_least, at_most, how } = result.left.people
  const people = { ...peopleCount({ at_least, at_most }, { interval, unclustered, method }), how }
  return { ...result, left: { ...result.left, people } }
}
