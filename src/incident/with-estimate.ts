import { peopleCount, type Interval } from "./people.ts"
import type { ScopeResult } from "./scope.ts"

/** An estimate of people beside a result, as everybody shows it. */

/** A picture holds at most so many faces, or plates: a finding of more is none (`picture/level.ts`, `seal/contents.ts`). */
export const mostInImage = 32

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

/** Of a linkage, what an estimate is made of. */
interface Linkage {
  readonly linkage: string
  readonly scoped: number
  readonly planned: Pick<Estimate, "faces" | "unclustered" | "undetermined"> | null
  readonly estimated: Pick<Estimate, "entry" | "interval" | "sampled"> | null
}

/** The newest estimate of a linkage, where that is of what the incident's newest scope counts. */
export function estimateIn(
  { linkage, planned, estimated, scoped }: Linkage,
  incident: { readonly scoped: { readonly entry: number } | null },
): Estimate | null {
  if (planned === null || estimated === null || scoped !== incident.scoped?.entry) return null
  const { entry, interval, sampled } = estimated
  const { faces, unclustered, undetermined } = planned
  return { linkage, entry, interval, sampled, faces, unclustered, undetermined }
}
