import type { Alignment } from "../mark/align.ts"
import { evidenceIn, laidOnto, roughlyLaid, type Compared } from "../mark/evidence.ts"
import { lumaOf, type Plane } from "../mark/plane.ts"
import type { Steps } from "../mark/quantiser.ts"
import { explained } from "../mark/shown.ts"
import { startOf, type Match } from "../mark/starts.ts"
import type { View } from "../mark/view.ts"
import { scaling, type Warp } from "../mark/warp.ts"
import { closeDescriptorsOf, maxDescriptors, parseDescriptors, type Descriptor } from "./descriptors.ts"
import { distance, matchLimit_bits, words, wordsInto } from "./hamming.ts"
import { keptBoxes, undoubted, type Box } from "./level.ts"
import type { Pixels } from "./pixels.ts"
import { sideOf } from "./sides.ts"
import { describedParts } from "./sketch.ts"

/** With so many corners agreeing, only starts with a good share of as many are tried beside it. */
const plenty = 25

/** A vehicle's front looks in a mirror much as it does: another start with this share of the best one's is tried too. */
const rivalShare = 0.2

/**
 * Lays a leaked picture onto an original and takes from it what it says of the original's chips; `null` where it is none of
 * this original's. Nobody's chips are known here.
 * @param plates  of the original, whose surroundings a copy may show alone.
 */
export function compare(
  original: Pixels,
  leak: Pixels,
  plates: readonly Box[],
  steps: Steps | null,
): Told | null {
  return compareTo(sightOf(original, plates), leak, steps)
}

export type Told = Compared & { readonly isMirrored: boolean }

/** What an original is known again by, made once for several leaks. */
export interface Sight {
  readonly original: Pixels
  readonly luma: Plane
  readonly descriptors: readonly (readonly Descriptor[])[]
  /** What a copy may show alone, and the whole. */
  readonly boxes: readonly Box[]
}

export function sightOf(original: Pixels, plates: readonly Box[]): Sight {
  const { width_px, height_px } = original
  let known: Sight["descriptors"] | null = null
  return {
    original,
    luma: lumaOf(original),
    get descriptors() {
      return (known ??= [
        ...describedParts(original, plates).map(part => parseDescriptors(part.records) ?? []),
        parseDescriptors(closeDescriptorsOf(original, maxDescriptors)) ?? [],
      ])
    },
    boxes: [{ x_px: 0, y_px: 0, width_px, height_px }, ...shownAlone(original, plates)],
  }
}

/** What L2 may show around plates, and the wide regions where they are more. */
function shownAlone({ width_px, height_px }: Pixels, plates: readonly Box[]): readonly Box[] {
  const found = { width_px, height_px, plates, faces: [], doubted: undoubted }
  const close = keptBoxes("L2", found).keep
  const isMore = (box: Box) => close.every(each => JSON.stringify(each) !== JSON.stringify(box))
  return [...close, ...keptBoxes("L2", found, "wide").keep.filter(isMore)]
}

/**
 * As `compare`, with one original and several leaks.
 * @param guesses  how the leak may lie on the original, as looking for it told: where both are alike so, no other way is tried.
 */
export function compareTo(
  sight: Sight,
  leak: Pixels,
  steps: Steps | null,
  guesses: readonly Lie[] = [],
): Told | null {
  const [guessed = null] = guesses
    .map(guess => closelyLaid(sight, leak, { ...guess, agreeing: 0 }))
    .sort((one, other) => other.alignment.likeness - one.alignment.likeness)
  const isSure = guessed !== null && guessed.alignment.likeness >= sureLikeness
  const laid = isSure ? guessed : moreAlike(guessed, bestLaid(sight, leak))
  if (laid === null || laid.alignment.likeness < leastLikeness) return null
  const { view, alignment, isMirrored } = laid
  return { ...evidenceIn(sight.original, view, alignment, isMirrored ? null : steps), isMirrored }
}

/** How a leak may lie on an original. */
export interface Lie {
  /** From the leak, or its mirror image, to the original. */
  readonly warp: Warp
  readonly isMirrored: boolean
}

interface Try extends Lie {
  /** How many corners lie so. */
  readonly agreeing: number
}

interface Laid extends Try {
  readonly view: View
  readonly alignment: Alignment
}

/** Of all ways that corners tell, and as what a copy may show alone, the one in which most is alike. */
function bestLaid(sight: Sight, leak: Pixels): Laid | null {
  const { luma, descriptors, boxes } = sight
  const tries: Try[] = []
  for (const isMirrored of [false, true]) {
    const found = parseDescriptors(sideOf(leak, isMirrored).corners) ?? []
    const matches = descriptors.flatMap(list => matchesOf(found, list))
    const start = startOf(matches, Math.max(leak.width_px, leak.height_px))
    if (start !== null) tries.push({ ...start, isMirrored })
    for (const box of boxes) tries.push({ warp: filling(box, leak), isMirrored, agreeing: 0 })
  }
  tries.sort((a, b) => b.agreeing - a.agreeing)
  const most = tries[0]?.agreeing ?? 0
  const least = most >= plenty ? rivalShare * most : 0
  const roughly = tries
    .filter(each => each.agreeing >= least)
    .map(each => {
      const { view } = sideOf(leak, each.isMirrored)
      return { ...each, view, alignment: roughlyLaid(luma, view, each.warp) }
    })
    .sort((one, other) => promise(other) - promise(one))
  const likely = roughly.filter(each => promise(each) >= doubtful * promise(roughly[0] as Laid))
  const [best] = likely
    .slice(0, mostLaid)
    .map(each => closelyLaid(sight, leak, { ...each, warp: each.alignment.warp }))
    .sort((one, other) => promise(other) - promise(one))
  return best ?? null
}

function closelyLaid({ luma }: Sight, leak: Pixels, one: Try): Laid {
  const { view, warp } = explained(luma, sideOf(leak, one.isMirrored).view, one.warp)
  const { agreeing, isMirrored } = one
  return { agreeing, isMirrored, warp, view, alignment: laidOnto(luma, view, warp) }
}

/** Corners that agree count, and how alike both are where they lie; a start that no corner tells has a few to begin with. */
function promise({ alignment, agreeing }: Pick<Laid, "alignment" | "agreeing">): number {
  return (agreeing + fewCorners) * Math.max(0, alignment.likeness) ** 2
}

const fewCorners = 5

/** Roughly laid, the right start may promise less than another, down to this share. */
const doubtful = 0.3

/** So many starts are laid closely, which costs the most. */
const mostLaid = 3

function moreAlike(guessed: Laid | null, searched: Laid | null): Laid | null {
  if (guessed === null || searched === null) return guessed ?? searched
  return guessed.alignment.likeness > searched.alignment.likeness ? guessed : searched
}

/**
 * A guess with which both are so alike is not doubted: of 355 found copies all guesses lay the right way round, 348 of them more
 * alike than this, and corners alone laid two the wrong way.
 */
const sureLikeness = 0.7

/** Below this a leak is none of this original's. */
const leastLikeness = 0.1

/** The leak shows this box and nothing else. */
function filling(box: Box, leak: Pixels): Warp {
  const [x, , , , y] = scaling(box.width_px / leak.width_px, box.height_px / leak.height_px)
  return [x, 0, box.x_px, 0, y, box.y_px, 0, 0]
}

/** The nearest corner of the original for each of the leak's, where it is clearly nearer than the next. */
function matchesOf(leak: readonly Descriptor[], original: readonly Descriptor[]): Match[] {
  const others = new Uint32Array(words * original.length)
  original.forEach(({ bits }, i) => wordsInto(others, words * i, bits))
  const own = new Uint32Array(words)
  return leak.flatMap(each => {
    wordsInto(own, 0, each.bits)
    let [nearest, second, at] = [matchLimit_bits, 256, -1]
    for (let i = 0; i < original.length; i += 1) {
      const bits = distance(own, others, words * i, second)
      if (bits < nearest) [second, nearest, at] = [nearest, bits, i]
      else if (bits < second) second = bits
    }
    const match = original[at]
    return match === undefined || nearest > clearly * second ? [] : [{ leak: each, original: match }]
  })
}

/** A corner that looks like two others says little: the nearest must be this much nearer than the next. */
const clearly = 0.95
