import type { LeakLook } from "./leak.ts"
import { parseDescriptors } from "./descriptors.ts"
import type { Candidate, Originals } from "./originals.ts"
import type { Warp } from "../mark/warp.ts"
import type { Comparison } from "./tracer.ts"

/** An original that a leak, or its mirror image, may have come from. */
export interface Likely extends Candidate {
  readonly isMirrored: boolean
}

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

/** Nothing is told better than so: what two are unlike by counts, and not below a hundredth. */
const mostAlike = 0.99

/** The originals of a leak by its corners, or those of its mirror image, each the way that more speaks for, the likeliest first. */
export async function likelyOf(
  originals: Originals,
  { side_px, descriptors, mirrored }: LeakLook,
): Promise<readonly Likely[]> {
  const ways = [descriptors, mirrored].map(packed => parseDescriptors(packed) ?? [])
  const found = await originals.findEither(ways, side_px, 2 * mostLikely)
  return found
    .filter(({ agreeing }) => agreeing >= leastCorners)
    .filter(({ votes }) => votes >= likelyShare * (found[0]?.votes ?? 0))
    .filter(({ name }, i, all) => all.findIndex(other => other.name === name) === i)
    .slice(0, mostLikely)
    .map(each => ({ ...each, isMirrored: each.way === 1 }))
}

/**
 * The names of those that are worth comparing, the best first.
 * @param likenesses  of each to the leak, −1 to 1; `null` where there is nothing to hold against it any more.
 */
export function closestOf(
  likely: readonly Likely[],
  likenesses: readonly (number | null)[],
): readonly string[] {
  const ranked = likely
    .map(({ name, votes }, n) => {
      const likeness = likenesses[n] ?? null
      return {
        name,
        worth: likeness === null ? null : Math.sqrt(votes) / (1 - Math.min(mostAlike, likeness)),
      }
    })
    .sort((a, b) => (b.worth ?? Infinity) - (a.worth ?? Infinity))
  const best = ranked.find(({ worth }) => worth !== null)?.worth ?? 0
  const close = ranked.filter(({ worth }) => worth === null || worth >= closeShare * best)
  return [...new Set(close.map(({ name }) => name))]
}

/**
 * How much of a file an original explains: of another vehicle's of the same make only what is alike counts as shown, and that
 * may be very alike.
 */
export function explains({ likeness, shown_px }: Pick<Comparison, "likeness" | "shown_px">): number {
  return likeness ** 2 * shown_px
}

/** The ways in which a leak may lie on a candidate: with the perspective that its corners tell, and without. */
export function warpsOf({ warp, flat }: Candidate): readonly Warp[] {
  return warp[6] === 0 && warp[7] === 0 ? [warp] : [warp, flat]
}
