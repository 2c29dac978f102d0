/** What a scope is asked and answers. Shapes alone: `custody/scope.ts` computes it, `scope/` counts, statement and clocks read it. */

/** By what the incident is known. Everything is as the log had it at the checkpoint; an organization stands for its tree. */
export type Cause =
  | { readonly of: "organizations"; readonly organizations: readonly string[] }
  | { readonly of: "people"; readonly people: readonly string[] }
  /** Public keys in base64, as contracts name them. */
  | { readonly of: "devices"; readonly devices: readonly string[] }
  /** Address blocks, as contracts name them. */
  | { readonly of: "networks"; readonly networks: readonly string[] }
  /** Found files, through closed traces. */
  | { readonly of: "files"; readonly traces: readonly string[] }

export interface ScopeQuery {
  readonly cause: Cause
  /** T1 and T2: times of release, RFC 3339 UTC; `from` inclusive, `until` exclusive. */
  readonly from: string
  readonly until: string
}

/** An integer with bounds that always hold. `estimate` only with a method and an interval of 95 %. */
export interface Count {
  readonly at_least: number
  readonly at_most: number
  readonly estimate?: {
    readonly point: number
    readonly low: number
    readonly high: number
    readonly method: string
  }
  /** One sentence: how it is counted, and why it is not exact where it is not. */
  readonly how: string
}

/** The seven units. They are never added up, and none stands for another. */
export const units = ["files", "images", "merged", "crossings", "plates", "vehicles", "people"] as const
export type Unit = (typeof units)[number]
export type Counts = Readonly<Record<Unit, Count>>

/** Distinct images and files of one part of a set, by one of its keys: at most, with permits whose copy was not delivered. */
export interface Part {
  readonly key: string
  readonly images: number
  readonly files: number
}

/** Every part's images are distinct within the part; parts by level, holder and release day overlap, those by port, lane and capture day do not. */
export interface Breakdown {
  readonly port: readonly Part[]
  readonly lane: readonly Part[]
  /** Local date of the port. */
  readonly capture_day: readonly Part[]
  /** UTC date. */
  readonly release_day: readonly Part[]
  readonly both_days: readonly {
    readonly captured: string
    readonly released: string
    readonly images: number
  }[]
  /** What was visible: the join of what a holder's organization got of the capture. */
  readonly level: readonly Part[]
  readonly holder: readonly Part[]
}

/** All that had left by the end of a day. */
export interface DayLeft {
  /** UTC date of the permits; a day on which nothing left for the first time has no row. */
  readonly day: string
  readonly images: Pick<Count, "at_least" | "at_most">
  readonly people: Pick<Count, "at_least" | "at_most">
}

export interface Unknown {
  /** Closed list, such as `screens`, `before_sallyport`, `window`, `no_face_found`, `sequence_gaps`, `charged_not_delivered`. */
  readonly what: string
  /** For a person; with its figure where there is one. */
  readonly sentence: string
  readonly count: number | null
}

export interface ScopeResult {
  readonly v: 1
  readonly incident: string
  readonly query: ScopeQuery
  readonly checkpoint: { readonly origin: string; readonly size: number; readonly root: string }
  readonly left: Counts
  readonly left_by: Breakdown
  /** By day, ascending: the last row is all of `left`. Missing in results of before it was counted. */
  readonly left_series?: readonly DayLeft[]
  readonly refused: Counts
  readonly takeable: Counts
  /** Live grants under which what is takeable could still be taken; to be suspended first. */
  readonly live_grants: readonly {
    readonly grant: string
    readonly holder: string
    /** Distinct images that its budget has left. */
    readonly images_left: number
    /** Images of the set `takeable` that it reaches: more than it has left, where only some of them can be taken. */
    readonly takeable: number
  }[]
  /** T1 and T2 moved by 30 days each way: distinct images that left. */
  readonly window_30d: { readonly narrower: number; readonly wider: number }
  readonly unknowns: readonly Unknown[]
  /** SHA-256 (lowercase hexadecimal) of the sorted capture ids of each set, joined by newlines. */
  readonly ids_sha256: { readonly left: string; readonly refused: string; readonly takeable: string }
  /** Canaries that left to the cause within T1 and T2, sorted: pictures of nobody, in no set and no count. */
  readonly canaries_left: readonly string[]
  /** What both engines answered; a result whose engines differ is never made. */
  readonly engines: readonly {
    readonly name: string
    readonly left: number
    readonly refused: number
    readonly takeable: number
  }[]
}
