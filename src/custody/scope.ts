import type { VerifyEd25519 } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import type { ScopeQuery, ScopeResult } from "../incident/scope.ts"
import type { LogSource } from "../log/reading.ts"
import type { Policy } from "../tlog/policy.ts"
import type { House } from "./house.ts"

/** What the log binds by a digest and does not hold: rows of the ledger, or files of a pack. */
export interface Beside {
  /** Where there is none of a capture, it is left out, and bounds widen. */
  rows(captures: readonly string[]): Promise<ReadonlyMap<string, BesideRow>>
}

/** Each part as the ledger has it, held against its digest in the log before anything is read from it. */
export interface BesideRow {
  readonly headerJson: string | null
  readonly headerSignature: Uint8Array | null
  readonly findingsJson: string | null
}

/** Everything that a scope is read from. The same log and rows give the same bytes of canonical JSON, from whichever source. */
export interface ScopeSources {
  /** The ledger (`houseSources`), a server, or a folder that `log mirror` made. */
  readonly log: LogSource
  /** Pinned; whose signature makes a checkpoint. */
  readonly policy: Policy
  readonly verify: VerifyEd25519
  /** `null`: entries alone. Files, images and people are the same then; `merged`, crossings, plates and vehicles have wider bounds. */
  readonly beside: Beside | null
}

/** A face count of one image of a set, for the bounds of people; bounds are replaceable. */
export interface Pictured {
  readonly capture: string
  readonly port: string
  readonly lane: string
  /** The port-local hour with its offset, as the entry has it. */
  readonly hour: string
  /** From the signed header; `null` where that is not at hand. */
  readonly captured_ms: number | null
  /** `null`: nothing looked for faces. */
  readonly faces: number | null
}

export interface PeopleBounds {
  readonly at_least: number
  readonly at_most: number
  readonly how: string
}

export interface ScopeAsk {
  /** `inc_…`; goes into the result and changes nothing in it. */
  readonly incident: string
  readonly query: ScopeQuery
  /** The tree to read; without it the newest that the source publishes. */
  readonly checkpoint?: { readonly size: number; readonly root: Uint8Array }
  /** Captures that are nobody's picture: left out of every set, and counted among the unknowns. Default: none. */
  readonly isCanary?: (capture: string) => boolean
  /** In place of the simple bounds. */
  readonly people?: (images: readonly Pictured[]) => PeopleBounds
  readonly progress?: (done: number, of: number) => void
}

/** A result with the captures of each set: sorted ids, whose digests are in the result. */
export interface Scoped {
  readonly result: ScopeResult
  readonly captures: {
    readonly left: readonly string[]
    readonly refused: readonly string[]
    readonly takeable: readonly string[]
  }
  /** Permits that make up `left`, for notices and the accounting of disclosures. */
  readonly disclosures: readonly Disclosure[]
}

/** One permit of the set `left`. */
export interface Disclosure {
  readonly permit: number
  readonly delivered: number | null
  readonly at: string
  readonly capture: string
  readonly person: string
  readonly organization: string
  readonly grant: string
  readonly level: string
}

/** The sources of a vault's own: its ledger and signed head. */
export async function houseSources(house: House): Promise<ScopeSources> {
  return Promise.reject(new Fault("INVALID", `not yet: ${house.log.origin}`))
}

/**
 * The exact scope of an incident at one checkpoint. Every entry is verified up to it (tree, authors, verdicts); two engines
 * count, and a result where they differ is never given.
 * @throws Fault INVALID (T2 not after T1, a window outside of the log), NOT_FOUND (ids that the log does not have), CONFLICT (a
 * trace that is open), LOG_INVALID, LOG_FORK, RECEIPT_CHECKPOINT, RECEIPT_WITNESS (the log does not verify), LEDGER_DIFFERS (a row
 * is not what its entry binds), SCOPE_DIFFERS (the engines differ). None gives a figure.
 */
export async function scopeOf(sources: ScopeSources, ask: ScopeAsk): Promise<Scoped> {
  return Promise.reject(new Fault("INVALID", `not yet: ${sources.log.name} ${ask.incident}`))
}
