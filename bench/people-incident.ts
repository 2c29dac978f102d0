import type { Chance } from "../src/drawing/chance.ts"
import type { Control, Controls, LooksNeeded } from "../src/incident/looks.ts"
import type { Sighting } from "../src/incident/occupancy.ts"
import type { Adjudicated, Told } from "../src/incident/people.ts"

/** Simulated incidents whose people are known: families cross, a machine clusters their faces wrongly, people err. */

/** Shares. Split and merge: faces of a person after the first that stand in a cluster of their own, and people in another's cluster. */
export interface MachineErrors {
  /** Of crossings, those in which a box without a face is found. */
  readonly falseBoxes: number
  readonly split: number
  readonly merge: number
}

/** How often one look is wrong; of that, the share in pairs that are hard for everybody (wrong half of the time). */
export interface LookModel {
  readonly wrong: number
  readonly hardShare: number
}

export const drawn = {
  people: 20_000,
  /** Crossings of a family: 1 and then, each with this probability, one more. */
  again: 0.4444,
  ports: 3,
  lanes: 4,
  days: 45,
  /** Of a family's members, those in a crossing beside the driver. */
  comesAlong: 0.85,
  tooSmall: 0.04,
  undetermined: 0.01,
  /** Faces of the same person in other clusters that the search finds. */
  search: 0.98,
  neighbours: 10,
  duplicates: 200,
  foils: 1000,
} as const

export interface Incident {
  readonly sightings: readonly Sighting[]
  /** Of each clustered face its person, or -1 for a box without a face, and its cluster. */
  readonly personOf: Int32Array
  readonly clusterOf: Int32Array
  readonly clusters: number
  /** People with a clustered face, and all people in any image. */
  readonly clusteredPeople: number
  readonly people: number
  /** Faces too small, and undetermined images at their fullest. */
  readonly unclustered: number
}

export const occupancy = 5

const sizes = [1, 1, 1, 1, 1, 2, 2, 2, 3, 4] as const

/** @param isSighted  whether sightings are kept, which takes most of the time. */
export function drawIncident(chance: Chance, errors: MachineErrors, isSighted: boolean): Incident {
  const sightings: Sighting[] = []
  const persons: number[] = []
  const seen = new Set<number>()
  let unclustered = 0
  for (let first = 0, family = 0; first < drawn.people; family += 1) {
    const size = Math.min(chance.pick(sizes), drawn.people - first)
    for (const at_ms of timesOf(chance)) {
      const inside = membersOf(chance, first, size)
      for (const person of inside) seen.add(person)
      const isUndetermined = chance.happens(drawn.undetermined)
      const faces = isUndetermined ? [] : inside.filter(() => !chance.happens(drawn.tooSmall))
      const boxes = !isUndetermined && chance.happens(errors.falseBoxes) ? 1 : 0
      persons.push(...faces, ...Array.from({ length: boxes }, () => -1))
      unclustered += isUndetermined ? occupancy : inside.length - faces.length
      const [port, lane] = [chance.index(drawn.ports), chance.index(drawn.lanes)]
      if (!isSighted) continue
      sightings.push({
        port: String(port),
        lane: String(lane),
        crossing: `${family} ${at_ms}`,
        at_ms,
        least: faces.length,
        most: isUndetermined ? null : inside.length + boxes,
      })
    }
    first += size
  }
  const personOf = Int32Array.from(persons)
  const { clusterOf, clusters } = clustered(chance, personOf, errors)
  const clusteredPeople = new Set(persons.filter(person => person >= 0)).size
  return { sightings, personOf, clusterOf, clusters, clusteredPeople, people: seen.size, unclustered }
}

const slot_ms = 1_800_000

/** Half an hour apart at least: nobody crosses twice at once. */
function timesOf(chance: Chance): number[] {
  const slots = new Set<number>()
  do slots.add(chance.index((drawn.days * 86_400_000) / slot_ms / 2))
  while (chance.happens(drawn.again))
  return [...slots].map(slot => 2 * slot * slot_ms + chance.index(slot_ms))
}

function membersOf(chance: Chance, first: number, size: number): number[] {
  return Array.from({ length: size }, (_, i) => first + i).filter(
    person => person === first || chance.happens(drawn.comesAlong),
  )
}

function clustered(
  chance: Chance,
  personOf: Int32Array,
  { split, merge }: MachineErrors,
): { clusterOf: Int32Array; clusters: number } {
  const main = Int32Array.from({ length: drawn.people }, (_, person) =>
    chance.happens(merge) ? chance.index(drawn.people) : person,
  )
  const isSeen = new Uint8Array(drawn.people)
  const isUsed = new Uint8Array(drawn.people)
  let clusters = 0
  let next = drawn.people
  const own = () => {
    clusters += 1
    return next++
  }
  const clusterOf = personOf.map(person => {
    if (person < 0) return own()
    const isFirst = isSeen[person] === 0
    isSeen[person] = 1
    if (!isFirst && chance.happens(split)) return own()
    const cluster = main[person] ?? 0
    clusters += 1 - (isUsed[cluster] ?? 0)
    isUsed[cluster] = 1
    return cluster
  })
  return { clusterOf, clusters }
}

/** A sample of faces, looked at by two people who err. */
export function look(
  chance: Chance,
  { personOf, clusterOf }: Incident,
  of: { readonly count: number; readonly model: LookModel; readonly needed: LooksNeeded },
): { sampled: Adjudicated[]; controls: Controls } {
  const faces = new Int32Array(drawn.people)
  const sizes = new Int32Array(clusterOf.reduce((most, cluster) => Math.max(most, cluster + 1), 0))
  const own = new Map<number, number>()
  const key = (i: number) => (personOf[i] ?? 0) * sizes.length + (clusterOf[i] ?? 0)
  personOf.forEach((person, i) => {
    if (person >= 0) faces[person] = (faces[person] ?? 0) + 1
    sizes[clusterOf[i] ?? 0] = (sizes[clusterOf[i] ?? 0] ?? 0) + 1
    if (person >= 0) own.set(key(i), (own.get(key(i)) ?? 0) + 1)
  })
  const picked = new Set<number>()
  while (picked.size < of.count) picked.add(chance.index(personOf.length))
  const sampled = [...picked].map(i => {
    const [person = 0, cluster = 0] = [personOf[i], clusterOf[i]]
    const [size, here] = [sizes[cluster] ?? 1, person < 0 ? 1 : (own.get(key(i)) ?? 1)]
    const elsewhere = person < 0 ? 0 : (faces[person] ?? 1) - here
    const searched = Math.min(
      drawn.neighbours,
      times(elsewhere, () => chance.happens(drawn.search)),
    )
    const told = (isInside: boolean, same: number, different: number): Told => {
      const ends = (pairs: number, isSame: boolean) =>
        times(pairs, () => endsSame(chance, of, { isInside, isSame }))
      const said = ends(same, true) + ends(different, false)
      return { same: said, different: same + different - said, unsure: 0 }
    }
    return {
      isFace: person >= 0 || endsSame(chance, of, { isInside: true, isSame: false }),
      clusterSize: size,
      inside: told(true, here - 1, size - here),
      outside: told(false, searched, drawn.neighbours - searched),
    }
  })
  const searched = {
    found: times(drawn.duplicates, () => chance.happens(drawn.search)),
    of: drawn.duplicates,
  }
  return {
    sampled,
    controls: {
      duplicates: controlOf(chance, drawn.duplicates, of),
      foils: controlOf(chance, drawn.foils, of),
      searched,
    },
  }
}

function times(count: number, happens: () => boolean): number {
  let all = 0
  for (let i = 0; i < count; i += 1) if (happens()) all += 1
  return all
}

interface Looking {
  readonly model: LookModel
  readonly needed: LooksNeeded
}

/** How likely a look at this pair is wrong: half of the time for a hard one, for the others what is left. */
function errorOf(chance: Chance, { wrong, hardShare }: LookModel): number {
  const hard = 2 * wrong * hardShare
  return chance.happens(hard) ? 0.5 : (wrong * (1 - hardShare)) / (1 - hard)
}

/** The first answer where it is the machine's, or one is enough; else "against" only if the second says it too. */
function endsSame(
  chance: Chance,
  { model, needed }: Looking,
  pair: { readonly isInside: boolean; readonly isSame: boolean },
): boolean {
  const error = errorOf(chance, model)
  const says = () => chance.happens(error) !== pair.isSame
  const first = says()
  if (needed === 1 || first === pair.isInside) return first
  return says() === first ? first : pair.isInside
}

function controlOf(chance: Chance, pairs: number, { model, needed }: Looking): Control {
  let [wrong, bothWrong] = [0, 0]
  for (let i = 0; i < pairs; i += 1) {
    const error = errorOf(chance, model)
    const here = times(needed, () => chance.happens(error))
    wrong += here
    if (here === needed) bothWrong += 1
  }
  return { pairs, looks: pairs * needed, wrong, bothWrong }
}
