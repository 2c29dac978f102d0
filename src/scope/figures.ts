import { mostInImage } from "../incident/with-estimate.ts"
import type { Breakdown } from "../incident/scope.ts"

/** What both engines count of one set, in integers that must be equal; `custody/scope.ts` makes bounds of them. */
export interface SetFigures {
  /** Distinct images, and those of which a copy was delivered. A set of which nothing left has no copies, and counts as delivered. */
  readonly images: number
  readonly images_delivered: number
  /** Permits, and deliveries. */
  readonly files: number
  readonly files_delivered: number
  /** Distinct (crossing, kind, lane) of images whose header is known; `unknown`: images without. */
  readonly merged: Counted
  readonly crossings: Counted
  /** Distinct digests of plates' texts; `unknown`: plates of which no text is known, at most. */
  readonly plates: Counted
  /** Crossings with a plate's digest, joined where they share one: each is another vehicle. */
  readonly vehicles_delivered: number
  /** Faces of all images in which somebody looked for them, images in which none was found, and in which nothing looked. */
  readonly faces: number
  readonly without_face: number
  readonly undetermined: number
}

interface Counted {
  readonly known: number
  readonly known_delivered: number
  readonly unknown: number
}

/** Everything that both engines answer. */
export interface Figures {
  readonly left: SetFigures
  readonly refused: SetFigures
  readonly takeable: SetFigures
  readonly left_by: Breakdown
  readonly window_30d: { readonly narrower: number; readonly wider: number }
  readonly live: readonly LiveFigures[]
}

export interface LiveFigures {
  readonly grant: string
  readonly images_left: number
  /** Images of the set `takeable` that it reaches. */
  readonly takeable: number
}

/** Figures with what they count: capture ids, ascending. */
export interface Answer {
  readonly figures: Figures
  readonly ids: {
    readonly left: readonly string[]
    readonly refused: readonly string[]
    readonly takeable: readonly string[]
  }
}

/** A picture holds at most so many plates or faces: a finding of more is none (`picture/level.ts`, `seal/contents.ts`). */
export const mostInPicture = mostInImage

/** What each window is: RFC 3339 UTC with milliseconds, `until` exclusive. */
export interface Windows {
  readonly from: string
  readonly until: string
  /** T1 and T2 moved by 30 days; `null` where nothing is left of the window. */
  readonly narrower: { readonly from: string; readonly until: string } | null
  readonly wider: { readonly from: string; readonly until: string }
}

/** The raw texts that the log binds, held against their digests before. */
export interface BesideTexts {
  readonly headerJson: string | null
  readonly findingsJson: string | null
}
