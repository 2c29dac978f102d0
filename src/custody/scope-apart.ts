import { boundsOf, leastByDay, usualSeparation, type Sighting } from "../incident/occupancy.ts"
import type { DayLeft } from "../incident/scope.ts"
import type { CaptureFacts } from "../log/state.ts"
import type { Dense } from "../scope/dense.ts"
import { mostInPicture } from "../scope/figures.ts"
import type { Both } from "./scope-engines.ts"
import type { PermitRow } from "./scope-rows.ts"
import { imageAt } from "./scope-units.ts"

/**
 * People and vehicles that separation in time and place tells apart: from verified entries, headers and findings, once, outside of the
 * two engines.
 */

/** One image of a set. */
export interface Pictured {
  readonly capture: string
  readonly port: string
  readonly lane: string
  readonly kind: CaptureFacts["kind"]
  /** From the signed header; `null` where that is not at hand. */
  readonly captured_ms: number | null
  /** Of the same header. */
  readonly crossing: string | null
  /** `null`: nothing looked for faces, or for plates. */
  readonly faces: number | null
  readonly plates: number | null
  /** Of the faces those that do not overlap; `null` where the findings are not at hand. */
  readonly apart: number | null
}

/** So many at least. */
export interface Apart {
  readonly at_least: number
  /** One sentence or more: what it rests on. */
  readonly how: string
}

const rules = { occupancy: mostInPicture, separation: usualSeparation }

export function picturedOf({ bitmaps, known }: Pick<Both, "bitmaps" | "known">, set: Dense): Pictured[] {
  return [...set.values()].map(ordinal => {
    const { id, port, lane, kind, faces, plates } = imageAt(bitmaps, ordinal)
    const { captured_ms = null, crossing = null, apart = null } = known.get(id) ?? {}
    return { capture: id, port, lane, kind, captured_ms, crossing, faces, plates, apart }
  })
}

/**
 * Told apart from none: a crossing that was seen in several lanes, which is one passage, and a scene, which may show what another lane's
 * camera shows too.
 */
function sightingsOf(
  images: readonly Pictured[],
  shownIn: (image: Pictured) => Pick<Sighting, "least" | "most">,
): Sighting[] {
  const lanes = new Map<string, string>()
  for (const { crossing, lane } of images)
    if (crossing !== null) lanes.set(crossing, (lanes.get(crossing) ?? lane) === lane ? lane : "several")
  return images.map(image => {
    const { port, lane, kind, crossing, captured_ms } = image
    const isPlaced = kind !== "scene" && crossing !== null && lanes.get(crossing) === lane
    return { port, lane, crossing, at_ms: isPlaced ? captured_ms : null, ...shownIn(image) }
  })
}

/** Where faces were found somebody is; of several that overlap, or whose boxes are not at hand, no more is certain. */
function peopleIn({ faces, apart }: Pictured): Pick<Sighting, "least" | "most"> {
  return { least: Math.min(faces ?? 0, Math.max(apart ?? 1, 1)), most: faces }
}

function vehicleIn({ plates }: Pictured): Pick<Sighting, "least" | "most"> {
  return { least: Math.min(plates ?? 0, 1), most: 1 }
}

/** Of images of which a copy was delivered, or of a set of which nothing left. */
export function peopleApart(delivered: readonly Pictured[]): Apart {
  const { at_least } = boundsOf(sightingsOf(delivered, peopleIn), rules)
  return { at_least, how: howPeople(delivered) }
}

/** By images in which a plate was found. */
export function vehiclesApart(delivered: readonly Pictured[]): Apart {
  const { at_least } = boundsOf(sightingsOf(delivered, vehicleIn), rules)
  return { at_least, how: `the most pictures with a plate that were taken at one time, ${apart}` }
}

const { clock_s, otherLane_s, otherPort_s } = usualSeparation
/** What "at one time" rests on. */
const apart = `in two lanes of one port less than ${otherLane_s - clock_s} s apart, in two ports less than ${otherPort_s - clock_s} s (nobody gets there sooner than in ${otherLane_s} s and ${otherPort_s} s, and clocks differ by ${clock_s} s at most)`

function howPeople(delivered: readonly Pictured[]): string {
  const some = (count: number, says: string) => (count === 0 ? "" : ` ${says}`)
  const unplaced = delivered.filter(({ captured_ms }) => captured_ms === null).length
  const unboxed = delivered.filter(({ faces, apart }) => (faces ?? 0) > 1 && apart === null).length
  return [
    `At least: the most at one time, by faces that do not overlap: ${apart}.`,
    some(
      unplaced,
      `The header of ${figure(unplaced)} is not at hand, and each of them is compared with no other.`,
    ),
    some(
      unboxed,
      `Where the faces are in ${figure(unboxed)} is not at hand, and each of them counts one person.`,
    ),
  ].join("")
}

const figure = (count: number) => count.toLocaleString("en-US")

/**
 * What had left by the end of each day, by the permits' own days; a day on which nothing left for the first time is left out.
 * @param permits  of the set `left`, in order. @param isDelivered  of a permit.
 */
export function leftByDay(
  left: readonly Pictured[],
  permits: readonly PermitRow[],
  isDelivered: (permit: number) => boolean,
): DayLeft[] {
  const permitted = firstDays(permits)
  const delivered = firstDays(permits.filter(({ permit }) => isDelivered(permit)))
  const days = [...new Set([...permitted.values(), ...delivered.values()])].sort()
  const grown = (first: ReadonlyMap<string, string>, count: (image: Pictured) => number) => {
    const added = new Map<string, number>()
    for (const image of left) {
      const day = first.get(image.capture)
      if (day !== undefined) added.set(day, (added.get(day) ?? 0) + count(image))
    }
    let sum = 0
    return days.map(day => (sum += added.get(day) ?? 0))
  }
  const out = left.filter(({ capture }) => delivered.has(capture))
  const nth = new Map(days.map((day, n) => [day, n]))
  const dayOf = (image: Pictured | undefined) => nth.get(delivered.get(image?.capture ?? "") ?? "") ?? 0
  const seen = sightingsOf(out, peopleIn).map((sighting, n) => ({ ...sighting, day: dayOf(out[n]) }))
  const least = leastByDay(seen, days.length, rules)
  const [images, copied] = [permitted, delivered].map(first => grown(first, () => 1))
  const faces = grown(permitted, each => each.faces ?? mostInPicture)
  return days.map((day, n) => ({
    day,
    images: { at_least: copied?.[n] ?? 0, at_most: images?.[n] ?? 0 },
    people: { at_least: least[n] ?? 0, at_most: faces[n] ?? 0 },
  }))
}

/** By capture. */
function firstDays(permits: readonly PermitRow[]): Map<string, string> {
  const first = new Map<string, string>()
  for (const { capture, at } of permits) if (!first.has(capture)) first.set(capture, at.slice(0, 10))
  return first
}
