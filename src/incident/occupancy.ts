/** Bounds of a number of people, or of vehicles, which hold whatever a network or an adjudicator thinks. */

/** An image that shows somebody, or may. */
export interface Sighting {
  readonly port: string
  readonly lane: string
  /** The vehicle's or walker's passage that the image is of; `null` where it is not known. */
  readonly crossing: string | null
  /** `null` where it is not known when, or in which lane: nobody in it is told apart from anybody in another image. */
  readonly at_ms: number | null
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
export function boundsOf(sightings: readonly Sighting[], { occupancy, separation }: Rules): Bounds {
  const at_most = sightings.reduce((sum, { most }) => sum + (most ?? occupancy), 0)
  return { at_least: Math.min(at_most, atOnce(sightings, separation)), at_most }
}

export interface Rules {
  readonly occupancy: number
  readonly separation: Separation
}

/** So many images are looked at again by day, and two more for each that is there. */
const spare = 50_000

/**
 * L0 of all that was there by the end of each day, none below the one before, and the last that of `boundsOf`. What was there is looked at again
 * on every day while days times images is small; else on some days, and on the others what that day alone proves counts, so that a day between
 * may prove less than could be. Costs O(n log n).
 * @param sightings  each with its day, from 0.
 */
export function leastByDay(
  sightings: readonly (Sighting & { readonly day: number })[],
  days: number,
  rules: Rules,
): number[] {
  // Copies lie in memory as they are read, again and again.
  const inTime = [...sightings].sort((a, b) => (a.at_ms ?? 0) - (b.at_ms ?? 0)).map(each => ({ ...each }))
  const dayAt = Uint32Array.from(inTime, ({ day }) => day)
  const byDay = Array.from({ length: days }, (): Sighting[] => [])
  for (const each of inTime) byDay[each.day]?.push(each)
  let [least, there, credit] = [0, 0, spare]
  return byDay.map((own, today) => {
    there += own.length
    credit += 2 * own.length
    const isWhole = credit >= there || today === days - 1
    if (isWhole) credit -= there
    const seen = isWhole ? inTime.filter((_, n) => (dayAt[n] ?? 0) <= today) : own
    least = Math.max(least, boundsOf(seen, rules).at_least)
    return least
  })
}

function atOnce(sightings: readonly Sighting[], separation: Separation): number {
  const fullest = sightings.reduce((most, { least }) => Math.max(most, least), 0)
  const [lanes_ms, ports_ms] = [separation.otherLane_s, separation.otherPort_s].map(
    each_s => 1000 * (each_s - separation.clock_s),
  ) as [number, number]
  if (lanes_ms <= 0) return fullest
  const timed = sightings.filter(isTimed)
  const known = separation.nextCrossing_s < separation.otherLane_s ? [] : timed.filter(isOfCrossing)
  const byLane = largestSum(timed, [lanes_ms, ports_ms], ({ lane }) => lane)
  const byCrossing = largestSum(known, [lanes_ms, ports_ms], ({ lane, crossing }) => `${lane}\n${crossing}`)
  return Math.max(fullest, byLane, byCrossing)
}

type TimedSighting = Sighting & { readonly at_ms: number }

function isTimed(sighting: Sighting): sighting is TimedSighting {
  return sighting.at_ms !== null
}

/** Where crossings are told apart, an image of an unknown one may be of any of them. */
function isOfCrossing({ crossing }: Sighting): boolean {
  return crossing !== null
}

function largestSum(
  sightings: readonly TimedSighting[],
  [lanes_ms, ports_ms]: readonly [number, number],
  keyOf: (of: Sighting) => string,
): number {
  const peaks = [...byPort(sightings)].flatMap(([port, of]) => {
    const timed = of.map(each => ({ key: keyOf(each), at_ms: each.at_ms, value: each.least }))
    return peaksWithin(timed.sort(byTime), lanes_ms).map(peak => ({
      key: port,
      at_ms: peak.at_ms,
      value: peak.value,
    }))
  })
  const together = ports_ms <= lanes_ms ? peaks : peaksWithin(peaks.sort(byTime), ports_ms - lanes_ms)
  return together.reduce((most, { value }) => Math.max(most, value), 0)
}

function byTime(a: Timed, b: Timed): number {
  return a.at_ms - b.at_ms
}

function byPort(sightings: readonly TimedSighting[]): Map<string, TimedSighting[]> {
  const ports = new Map<string, TimedSighting[]>()
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

/** Those of one key in the window which may still become its largest, in falling order. */
interface Queue {
  readonly held: Timed[]
  first: number
}

/** For each of a list in time order, the sum over keys of the largest value less than `window_ms` old. */
function peaksWithin(list: readonly (Timed & { readonly key: string })[], window_ms: number): Timed[] {
  const byKey = new Map<string, Queue>()
  const queues = list.map(({ key }) => {
    const queue = byKey.get(key) ?? { held: [], first: 0 }
    byKey.set(key, queue)
    return queue
  })
  let [sum, oldest] = [0, 0]
  return list.map((each, n) => {
    for (; (list[oldest]?.at_ms ?? Infinity) <= each.at_ms - window_ms; oldest += 1) {
      const queue = queues[oldest]
      if (queue === undefined || queue.held[queue.first] !== list[oldest]) continue
      sum -= largest(queue)
      queue.first += 1
      sum += largest(queue)
    }
    const queue = queues[n] ?? { held: [], first: 0 }
    sum -= largest(queue)
    while (queue.held.length > queue.first && (queue.held.at(-1)?.value ?? 0) <= each.value) queue.held.pop()
    queue.held.push(each)
    sum += largest(queue)
    return { at_ms: each.at_ms, value: sum }
  })
}

function largest({ held, first }: Queue): number {
  return held[first]?.value ?? 0
}
