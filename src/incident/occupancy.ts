/** Bounds of a number of people, or of vehicles, which hold whatever a network or an adjudicator thinks. */

/** An image that shows somebody, or may. */
export interface Sighting {
  readonly port: string
  readonly lane: string
  /** The vehicle's or walker's passage that the image is of; `null` where it is not known. */
  readonly crossing: string | null
  readonly at_ms: number
  /** So many are in it at least: faces that nobody doubts, which do not overlap. */
  readonly least: number
  /** So many are in it at most: every face that may be one; `null` where nobody can say, which counts as `occupancy`. */
  readonly most: number | null
}

/**
 * What makes two sightings two people. "Provably" means: as sure as these times are. Nobody is seen by two lanes of one
 * port, or by two ports, or in one lane in two crossings, whose true times lie less than this apart. 0 proves nothing.
 */
export interface Separation {
  /** By so much the recorded times of two lanes may differ when the true times are equal. */
  readonly clock_s: number
  readonly otherLane_s: number
  readonly otherPort_s: number
  readonly nextCrossing_s: number
}

/** Lanes: nobody leaves one lane's picture and is in another's in 5 s. Ports: they are kilometres apart. */
export const usualSeparation: Separation = {
  clock_s: 1,
  otherLane_s: 5,
  otherPort_s: 120,
  nextCrossing_s: 0,
}

export interface Bounds {
  readonly at_least: number
  readonly at_most: number
}

/**
 * U0: everybody in every image is somebody else; an undetermined image is as full as a vehicle can be.
 * L0: the most that were seen at one time, so that no two of them are one. Images within one lane count once there, by
 * the fullest of them, or by the fullest of each crossing where `nextCrossing_s` says that nobody comes again so soon.
 * A time is a window shorter than the separation less the clocks' difference, in each port; windows of several ports are
 * together where both lie in one of the ports' separation less the clocks'.
 * Both hold for any number of look-alikes and any error of a network, as long as each image's `least` and `most` do.
 * @param occupancy  the most that one image can show.
 * Costs O(n log n).
 */
export function boundsOf(
  sightings: readonly Sighting[],
  { occupancy, separation }: { readonly occupancy: number; readonly separation: Separation },
): Bounds {
  const at_most = sightings.reduce((sum, { most }) => sum + (most ?? occupancy), 0)
  return { at_least: Math.min(at_most, atOnce(sightings, separation)), at_most }
}

function atOnce(sightings: readonly Sighting[], separation: Separation): number {
  const fullest = sightings.reduce((most, { least }) => Math.max(most, least), 0)
  const [lanes_ms, ports_ms] = [separation.otherLane_s, separation.otherPort_s].map(
    each_s => 1000 * (each_s - separation.clock_s),
  ) as [number, number]
  if (lanes_ms <= 0) return fullest
  const known = separation.nextCrossing_s < separation.otherLane_s ? [] : sightings.filter(isOfCrossing)
  const byLane = largestSum(sightings, [lanes_ms, ports_ms], ({ lane }) => lane)
  const byCrossing = largestSum(known, [lanes_ms, ports_ms], ({ lane, crossing }) => `${lane}\n${crossing}`)
  return Math.max(fullest, byLane, byCrossing)
}

/** Where crossings are told apart, an image of an unknown one may be of any of them. */
function isOfCrossing({ crossing }: Sighting): boolean {
  return crossing !== null
}

function largestSum(
  sightings: readonly Sighting[],
  [lanes_ms, ports_ms]: readonly [number, number],
  keyOf: (of: Sighting) => string,
): number {
  const peaks = [...byPort(sightings)].flatMap(([port, of]) => {
    const timed = of.map(each => ({ key: keyOf(each), at_ms: each.at_ms, value: each.least }))
    return peaksWithin(timed.sort(byTime), lanes_ms).map(peak => ({ ...peak, key: port }))
  })
  const together = ports_ms <= lanes_ms ? peaks : peaksWithin(peaks.sort(byTime), ports_ms - lanes_ms)
  return together.reduce((most, { value }) => Math.max(most, value), 0)
}

function byTime(a: Timed, b: Timed): number {
  return a.at_ms - b.at_ms
}

function byPort(sightings: readonly Sighting[]): Map<string, Sighting[]> {
  const ports = new Map<string, Sighting[]>()
  for (const each of sightings) {
    const of = ports.get(each.port)
    if (of === undefined) ports.set(each.port, [each])
    else of.push(each)
  }
  return ports
}

interface Timed {
  readonly at_ms: number
  readonly value: number
}

/**
 * For each of a list in time order, the sum over keys of the largest value less than `window_ms` old.
 * Each key keeps those which may still become its largest, in falling order.
 */
function peaksWithin(list: readonly (Timed & { readonly key: string })[], window_ms: number): Timed[] {
  const held = new Map<string, Timed[]>()
  let sum = 0
  let oldest = 0
  const largest = (key: string) => held.get(key)?.[0]?.value ?? 0
  return list.map(each => {
    for (let first = list[oldest]; first !== undefined && first.at_ms <= each.at_ms - window_ms;) {
      const queue = held.get(first.key) ?? []
      sum -= largest(first.key)
      while (queue[0] !== undefined && queue[0].at_ms <= each.at_ms - window_ms) queue.shift()
      if (queue.length === 0) held.delete(first.key)
      sum += largest(first.key)
      first = list[(oldest += 1)]
    }
    const queue = held.get(each.key) ?? []
    sum -= largest(each.key)
    while ((queue.at(-1)?.value ?? Infinity) <= each.value) queue.pop()
    queue.push(each)
    held.set(each.key, queue)
    sum += largest(each.key)
    return { at_ms: each.at_ms, value: sum }
  })
}
