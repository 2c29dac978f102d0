import { chanceOf } from "../src/drawing/chance.ts"
import type { Groups } from "../src/incident/groups.ts"
import { usualSeparation } from "../src/incident/occupancy.ts"
import { groupsFrom, linkageOf, usualThresholds, vehiclesOf, type Linkage } from "../src/incident/vehicles.ts"
import { drawReads, type ReadErrors, type VehicleIncident } from "./vehicle-incident.ts"

export interface VehicleOutcome {
  readonly incidents: number
  /** Means of pairs of reads: those in one group that are of one vehicle, and those of one vehicle that are in one group. */
  readonly precision: number
  readonly recall: number
  /** Means, as shares of the true number off. */
  readonly naive: number
  readonly point: number
  readonly low: number
  readonly high: number
  /** Truth between the counts of the two thresholds; and within the bounds that always hold. */
  readonly between: number
  readonly bounded: number
  readonly clerical: number
}

export function runVehicles(errors: ReadErrors, incidents: number, seed: string): VehicleOutcome {
  const sum = {
    precision: 0,
    recall: 0,
    naive: 0,
    point: 0,
    low: 0,
    high: 0,
    between: 0,
    bounded: 0,
    clerical: 0,
  }
  for (let i = 0; i < incidents; i += 1) {
    const incident = drawReads(chanceOf(seed, JSON.stringify(errors), i), errors)
    const { reads, vehicles: truth } = incident
    const linkage = linkageOf(reads)
    const clerk = new Map<string, boolean>()
    const count = vehiclesOf(reads, linkage, {
      thresholds: usualThresholds,
      separation: usualSeparation,
      clerk,
    })
    const pairs = pairsRight(incident, linkage, groupsFrom(linkage, 0.5, clerk))
    sum.precision += pairs.precision / incidents
    sum.recall += pairs.recall / incidents
    sum.naive += (count.texts / truth - 1) / incidents
    sum.point += (count.point / truth - 1) / incidents
    sum.low += (count.linkedLow / truth - 1) / incidents
    sum.high += (count.linkedHigh / truth - 1) / incidents
    sum.between += Number(count.linkedLow <= truth && truth <= count.linkedHigh)
    sum.bounded += Number(count.at_least <= truth && truth <= count.at_most)
    sum.clerical += count.clerical / incidents
  }
  return { incidents, ...sum }
}

/** Of pairs of reads. */
function pairsRight(
  { reads, vehicleOf }: VehicleIncident,
  { texts }: Linkage,
  groups: Groups,
): { precision: number; recall: number } {
  const groupOf = new Map(texts.flatMap((text, i) => text.reads.map(read => [read, groups.of(i)] as const)))
  const [together, own, linked] = [
    new Map<string, number>(),
    new Map<number, number>(),
    new Map<number, number>(),
  ]
  const add = <K>(counts: Map<K, number>, key: K) => counts.set(key, (counts.get(key) ?? 0) + 1)
  reads.forEach((read, i) => {
    const [group, vehicle] = [groupOf.get(read) ?? -1, vehicleOf[i] ?? -1]
    add(together, `${group} ${vehicle}`)
    add(own, vehicle)
    add(linked, group)
  })
  const pairs = (counts: Map<unknown, number>) =>
    [...counts.values()].reduce((sum, n) => sum + (n * (n - 1)) / 2, 0)
  return { precision: pairs(together) / pairs(linked), recall: pairs(together) / pairs(own) }
}
