import type { LeakLook } from "./leak.ts"
import { parseDescriptors } from "./descriptors.ts"
import type { Candidate, Originals } from "./originals.ts"
import type { Lie } from "./compare.ts"
import { explained, mostAlike, type Likened, type Way } from "./likeness.ts"
import type { Comparison } from "./tracer.ts"

/** An original that a leak may have come from. */
export interface Likely {
  readonly name: string
  /** What speaks for it, of the way for which more corners do. */
  readonly votes: number
  /** How it may lie there, the likelier first; mirrored as well as not only where its corners leave doubt. */
  readonly ways: readonly Way[]
}

/** A vehicle's front looks in a mirror much as it does: with this share of what speaks for one way, the other may be it. */
const otherWayShare = 0.5

/** Fewer corners than this say nothing. */
const leastCorners = 4

/**
 * So many at most are held against the leak as small likenesses, and those alone for which so much speaks of what speaks for
 * the likeliest: two vehicles of one make look alike to most corners.
 */
const mostLikely = 20
const likelyShare = 0.2

/** What speaks with that for less than this share of the best is not opened: such are told apart by comparing pictures. */
const closeShare = 0.85

/** The originals of a leak by its corners, or those of its mirror image, the likeliest first. */
export async function likelyOf(
  originals: Originals,
  { side_px, descriptors, mirrored }: LeakLook,
): Promise<readonly Likely[]> {
  const ways = {
    asItIs: parseDescriptors(descriptors) ?? [],
    mirrored: parseDescriptors(mirrored) ?? [],
  }
  const found = (await originals.findEither(ways, side_px, 4 * mostLikely)).filter(
    ({ agreeing }) => agreeing >= leastCorners,
  )
  const likely = found.flatMap((each): readonly Likely[] => {
    const other = found.find(({ name, isMirrored }) => name === each.name && isMirrored !== each.isMirrored)
    // What speaks for each way was told by other originals beside it; how many corners agree was not.
    if (other !== undefined && other.agreeing > each.agreeing) return []
    const isOneWay = (other?.votes ?? 0) < otherWayShare * each.votes
    const ways = other === undefined || isOneWay ? [each] : [each, other]
    return [{ name: each.name, votes: each.votes, ways: ways.map(wayOf) }]
  })
  return likely
    .filter(({ name }, i) => likely.findIndex(each => each.name === name) === i)
    .filter(({ votes }) => votes >= likelyShare * (likely[0]?.votes ?? 0))
    .slice(0, mostLikely)
}

/** How a leak may lie on a candidate: with the perspective that its corners tell, and without. */
function wayOf({ warp, flat, isMirrored }: Candidate): Way {
  return { warps: warp[6] === 0 && warp[7] === 0 ? [warp] : [warp, flat], isMirrored }
}

/** Less alike than this are what have nothing to do with each other: those that a leak is of are at 0.4 or above, nearly always at 0.6. */
const leastAlike = 0.15

/** An original that a leak, or its negative, may have come from, and how alike it and their small likenesses are. */
export interface Weighed extends Likely {
  readonly isNegative: boolean
  /** `null` where that is little; `undefined` where there is nothing of it to hold against the leak any more. */
  readonly likened: Likened | null | undefined
}

/** An original that is worth comparing. */
export interface Close extends Pick<Weighed, "name" | "isNegative"> {
  /** How the leak lies on it, in two ways where it is not known which way round; none where nothing is known. */
  readonly guesses: readonly Lie[]
}

/** Those that a leak is of nearly always explain more of it than this; others less than half as much, of a tiny leak nearly as much. */
const surelyExplained = 0.3

/** Whether one explains so much of the leak that there is no need to look for its negative. */
export function isOneSure(weighed: readonly Weighed[]): boolean {
  return weighed.some(({ likened }) => (likened ? explained(likened) : 0) >= surelyExplained)
}

/** Those that are worth comparing, the best first; each once. */
export function closestOf(weighed: readonly Weighed[]): readonly Close[] {
  const shown = Math.max(...weighed.map(({ likened }) => likened?.share ?? 0))
  const ranked = weighed
    .flatMap((each): readonly (Close & { readonly worth: number })[] => {
      const { name, isNegative, likened } = each
      if (likened === undefined) return [{ name, isNegative, guesses: [], worth: Infinity }]
      if (likened === null || likened.likeness < leastAlike) return []
      return [{ name, isNegative, guesses: likened.lies, worth: worthOf(each, likened, shown) }]
    })
    .sort((a, b) => b.worth - a.worth)
  const best = ranked.find(({ worth }) => worth < Infinity)?.worth ?? 0
  return ranked
    .filter(({ name, worth }, i) => {
      return worth >= closeShare * best && ranked.findIndex(each => each.name === name) === i
    })
    .map(({ name, isNegative, guesses }) => ({ name, isNegative, guesses }))
}

/** @param shown  the most of the leak that any shows something of: what else it shows is held against none. */
function worthOf({ votes }: Likely, { likeness, share }: Likened, shown: number): number {
  return Math.sqrt(votes) / (1 - Math.min(mostAlike, likeness * Math.sqrt(share / shown)))
}

/**
 * How much of a file an original explains: of another vehicle's of the same make only what is alike counts as shown, and that
 * may be very alike.
 */
export function explains({ likeness, shown_px }: Pick<Comparison, "likeness" | "shown_px">): number {
  return likeness ** 2 * shown_px
}
