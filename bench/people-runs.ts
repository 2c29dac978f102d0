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
  /** L0 ≤ people ≤ U0. */
  readonly bounded: number
  /** Means, as shares of the true number: half of the interval, and how far point and clusters are off. */
  readonly half: number
  readonly bias: number
  readonly naive: number
  /** Means: L0 and U0 over the true number. */
  readonly least: number
  readonly most: number
}

/** @param isBounded  whether the bounds are reckoned too. */
export function run(
  of: Case,
  incidents: number,
  { seed, isBounded }: { seed: string; isBounded: boolean },
): Outcome {
  const sum = {
    covered: 0,
    below: 0,
    above: 0,
    coveredAll: 0,
    bounded: 0,
    half: 0,
    bias: 0,
    naive: 0,
    least: 0,
    most: 0,
  }
  for (let i = 0; i < incidents; i += 1) {
    const chance = chanceOf(seed, of.name, i)
    const incident = drawIncident(chance, of.errors)
    const { sampled, controls } = look(chance, incident, {
      count: of.sampled,
      model: of.model,
      needed: of.needed,
    })
    const errors = errorsOf(controls, of.needed, of.dependence)
    const { clusters, clusteredPeople: truth, people, unclustered } = incident
    const faces = incident.personOf.length
    const interval = errors === null ? null : estimateOf({ faces, clusters, sampled, errors })
    if (interval === null) throw new Error("every simulated incident has an interval")
    const sightings = isBounded ? incident.sightings : []
    const bounds = boundsOf(sightings, { occupancy, separation: usualSeparation })
    sum.covered += Number(interval.low <= truth && truth <= interval.high)
    sum.below += Number(truth < interval.low)
    sum.above += Number(truth > interval.high)
    sum.coveredAll += Number(interval.low <= people && people <= interval.high + unclustered)
    sum.bounded += Number(bounds.at_least <= people && people <= bounds.at_most)
    sum.half += (interval.high - interval.low) / 2 / truth / incidents
    sum.bias += (interval.point / truth - 1) / incidents
    sum.naive += (clusters / truth - 1) / incidents
    sum.least += bounds.at_least / people / incidents
    sum.most += bounds.at_most / people / incidents
  }
  return { incidents, ...sum }
}
