import type { Count, Counts } from "../incident/scope.ts"
import type { CaptureFacts } from "../log/state.ts"
import type { Dense } from "../scope/dense.ts"
import { mostInPicture, type SetFigures } from "../scope/figures.ts"
import type { Bitmaps } from "./scope-bitmaps.ts"
import type { Known } from "./scope-beside.ts"
import type { Apart } from "./scope-apart.ts"

/** What one set is made of, for its counts. */
export interface SetParts {
  readonly bitmaps: Bitmaps
  readonly set: Dense
  /** Those of which a copy was delivered; of a set of which nothing left, the set itself. */
  readonly delivered: Dense
  readonly files: number
  readonly files_delivered: number
  readonly known: ReadonlyMap<string, Known>
}

/** The first engine's figures of one set: columns over the set's ordinals, and how many different values they have. */
export function figuresOf({ bitmaps, set, delivered, known, ...files }: SetParts): SetFigures {
  const ordinals = set.values()
  const facts = [...ordinals].map(ordinal => imageAt(bitmaps, ordinal))
  const isOut = [...ordinals].map(ordinal => delivered.has(ordinal))
  const of = facts.map(({ id }) => known.get(id))
  const crossings = of.map(each => each?.crossing ?? null)
  const merged = facts.map(({ kind, lane }, n) => {
    const crossing = crossings[n] ?? null
    return crossing === null ? null : `${crossing} ${kind} ${lane}`
  })
  const out = facts.filter((_, n) => isOut[n])
  return {
    images: ordinals.length,
    images_delivered: out.length,
    ...files,
    merged: counted(merged, isOut),
    crossings: counted(crossings, isOut),
    plates: platesIn(facts, of, isOut),
    vehicles_delivered: vehiclesIn(
      facts.flatMap(({ id }, n) => {
        const digests = of[n]?.digests ?? []
        return isOut[n] === true ? [{ crossing: crossings[n] ?? id, digests }] : []
      }),
    ),
    faces: facts.reduce((sum, { faces }) => sum + (faces ?? 0), 0),
    without_face: facts.filter(({ faces }) => faces === 0).length,
    undetermined: facts.filter(({ faces }) => faces === null).length,
  }
}

export function imageAt({ images }: Bitmaps, ordinal: number): CaptureFacts {
  return images[ordinal] as CaptureFacts
}

function counted(values: readonly (string | null)[], isOut: readonly boolean[]): SetFigures["crossings"] {
  const held = values.filter(value => value !== null)
  const out = values.filter((value, n) => value !== null && isOut[n] === true)
  return {
    known: new Set(held).size,
    known_delivered: new Set(out).size,
    unknown: values.length - held.length,
  }
}

function platesIn(
  facts: readonly CaptureFacts[],
  known: readonly (Known | undefined)[],
  isOut: readonly boolean[],
): SetFigures["plates"] {
  const [all, out] = [new Set<string>(), new Set<string>()]
  let unknown = 0
  for (const [n, { plates, examined }] of facts.entries()) {
    const digests = known[n]?.digests ?? null
    if (digests === null || examined === null) unknown += mostInPicture
    else unknown += Math.max(0, (plates ?? 0) - digests.length)
    for (const digest of digests ?? []) {
      all.add(digest)
      if (isOut[n] === true) out.add(digest)
    }
  }
  return { known: all.size, known_delivered: out.size, unknown }
}

/** Crossings with plates, joined where they share one (union-find): how many are left. */
function vehiclesIn(
  crossings: readonly { readonly crossing: string; readonly digests: readonly string[] }[],
): number {
  const above = new Map<string, string>()
  const top = (name: string): string => {
    let at = name
    for (let next = above.get(at) ?? at; next !== at; next = above.get(at) ?? at) at = next
    if (at !== name) above.set(name, at)
    return at
  }
  const names = new Set<string>()
  for (const { crossing, digests } of crossings)
    for (const digest of digests) {
      names.add(crossing)
      above.set(top(`crossing ${crossing}`), top(`plate ${digest}`))
    }
  return new Set([...names].map(name => top(`crossing ${name}`))).size
}

/** What of a set is told apart beside the engines, and whether copies were made at all. */
export interface Beyond {
  readonly people: Apart
  readonly vehicles: Apart
  readonly isLeft: boolean
}

/** What the engines agreed on, as counts with their bounds. */
export function countsOf(figures: SetFigures, { people, vehicles, isLeft }: Beyond): Counts {
  const { images, images_delivered, files, files_delivered, merged, crossings, plates } = figures
  const least = (unit: SetFigures["merged"]) => Math.max(unit.known_delivered, images_delivered > 0 ? 1 : 0)
  const headless = unknownHeaders(crossings.unknown)
  const allowed = isLeft
    ? " At most: all that permits allowed, whether or not the log says that a copy was delivered."
    : ""
  return {
    files: count(
      files_delivered,
      files,
      isLeft ? `Copies that were delivered.${allowed}` : "Nothing of this set left: no copy was made.",
    ),
    images: count(images_delivered, images, `Distinct captures.${allowed}`),
    merged: count(
      least(merged),
      merged.known + merged.unknown,
      `Captures of one crossing, lane and kind counted once; no picture is compared with another.${headless}${allowed}`,
    ),
    crossings: count(
      least(crossings),
      crossings.known + crossings.unknown,
      `Distinct crossings, as readers signed them.${headless}${allowed}`,
    ),
    plates: count(
      plates.known_delivered,
      plates.known + plates.unknown,
      `Distinct texts of plates, as they were read. At most: each plate without a sure text, and ${mostInPicture} in a picture whose findings are not at hand, as another one.${allowed}`,
    ),
    vehicles: count(
      Math.max(figures.vehicles_delivered, vehicles.at_least),
      crossings.known + crossings.unknown,
      `At least: crossings with a plate that was read, joined where they share one; or, where that is more, ${vehicles.how}. At most: each crossing another vehicle.${headless}${allowed}`,
    ),
    people: count(
      people.at_least,
      figures.faces + mostInPicture * figures.undetermined,
      `People in the pictures, whether or not the level showed them. ${people.how} At most: every face found is another person, and ${mostInPicture} in an image in which nothing looked for faces. A face that the finder missed is counted nowhere.${allowed}`,
    ),
  }
}

function unknownHeaders(unknown: number): string {
  return unknown === 0
    ? ""
    : ` Of ${unknown.toLocaleString("en-US")} the header is not at hand: at most each of them another one.`
}

function count(at_least: number, at_most: number, how: string): Count {
  return { at_least, at_most, how }
}
