import { chanceOf } from "../src/drawing/chance.ts"
import { errorsOf, type Dependence, type LooksNeeded } from "../src/incident/looks.ts"
import { boundsOf, usualSeparation } from "../src/incident/occupancy.ts"
import { estimateOf } from "../src/incident/people.ts"
import { drawIncident, look, occupancy, type LookModel, type MachineErrors } from "./people-incident.ts"

export interface Case {
  readonly name: string
  readonly errors: MachineErrors
  readonly model: LookModel
  readonly needed: LooksNeeded
  readonly dependence: Dependence
  readonly sampled: number
}

export interface Outcome {
  readonly incidents: number
  /** The interval holds the number of people with a clustered face. */
  readonly covered: number
  /** Truth below the interval, and above it. */
  readonly below: number
  readonly above: number
  /** The interval with everything unclustered holds the number of all people. */
  readonly coveredAll: number
  /** L0 ≤ people ≤ U0, of those that were reckoned. */
  readonly bounded: number
  /** Means, as shares of the true number: half of the interval, and how far point and clusters are off. */
  readonly half: number
  readonly bias: number
  readonly naive: number
}

/** @param bounded  of how many incidents the bounds are reckoned too. */
export function run(
  of: Case,
  incidents: number,
  { seed, bounded }: { seed: string; bounded: number },
): Outcome {
  const sum = { covered: 0, below: 0, above: 0, coveredAll: 0, bounded: 0, half: 0, bias: 0, naive: 0 }
  for (let i = 0; i < incidents; i += 1) {
    const chance = chanceOf(seed, of.name, i)
    const incident = drawIncident(chance, of.errors, i < bounded)
    const { sampled, controls } = look(chance, incident, {
      count: of.sampled,
      model: of.model,
      needed: of.needed,
    })
    const errors = errorsOf(controls, of.needed, of.dependence)
    const { clusters, clusteredPeople: truth, people, unclustered, sightings } = incident
    const faces = incident.personOf.length
    const interval = errors === null ? null : estimateOf({ faces, clusters, sampled, errors })
    if (interval === null) throw new Error("every simulated incident has an interval")
    sum.covered += Number(interval.low <= truth && truth <= interval.high)
    sum.below += Number(truth < interval.low)
    sum.above += Number(truth > interval.high)
    sum.coveredAll += Number(interval.low <= people && people <= interval.high + unclustered)
    sum.half += (interval.high - interval.low) / 2 / truth / incidents
    sum.bias += (interval.point / truth - 1) / incidents
    sum.naive += (clusters / truth - 1) / incidents
    if (i >= bounded) continue
    const bounds = boundsOf(sightings, { occupancy, separation: usualSeparation })
    sum.bounded += Number(bounds.at_least <= people && people <= bounds.at_most)
  }
  return { incidents, ...sum }
}
