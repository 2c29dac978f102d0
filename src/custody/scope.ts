import { hex, utf8 } from "../bytes.ts"
import type { VerifyEd25519 } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import type { ScopeQuery, ScopeResult } from "../incident/scope.ts"
import type { LogSource, ReadHead } from "../log/reading.ts"
import type { Windows } from "../scope/figures.ts"
import type { Policy } from "../tlog/policy.ts"
import { sha256Hex } from "../vault/vault.ts"
import { leftByDay, peopleApart, picturedOf, vehiclesApart, type Pictured } from "./scope-apart.ts"
import { countedTwice } from "./scope-engines.ts"
import { headFor, inTurn, verifiedTo, type Verified } from "./scope-reading.ts"
import type { PermitRow } from "./scope-rows.ts"
import { countsOf, type Beyond } from "./scope-units.ts"
import { canaryPermits, unknownsOf } from "./scope-unknowns.ts"

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
  /** `null`: entries alone. Files and images are the same then; the other units have wider bounds. */
  readonly beside: Beside | null
}

export interface ScopeAsk {
  /** `inc_…`; goes into the result and changes nothing in it. */
  readonly incident: string
  readonly query: ScopeQuery
  /** The tree to read; without it the newest that the source publishes. */
  readonly checkpoint?: { readonly size: number; readonly root: Uint8Array }
  /** Captures that are nobody's picture: left out of every set, and counted among the unknowns. Default: none. */
  readonly isCanary?: (capture: string) => boolean
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

/**
 * The exact scope of an incident at one checkpoint. Every entry is verified up to it (tree, authors, verdicts); two engines
 * count, and a result where they differ is never given. The sources of a vault's own are `houseSources` (scope-reading.ts).
 * @throws Fault INVALID (T2 not after T1, a window outside of the log), NOT_FOUND (ids that the log does not have), CONFLICT (a
 * trace that is open), LOG_INVALID, LOG_FORK, RECEIPT_CHECKPOINT, RECEIPT_WITNESS (the log does not verify), LEDGER_DIFFERS (a row
 * is not what its entry binds), SCOPE_DIFFERS (the engines differ). None gives a figure. Costs the reading of the whole log (about
 * 0.15 ms of processor time an entry) the first time, and what was added since when the same source is asked again within ten minutes.
 */
export async function scopeOf(sources: ScopeSources, ask: ScopeAsk): Promise<Scoped> {
  const windows = windowsOf(ask.query)
  return inTurn(sources.log, async () => {
    const at = await headFor(sources, ask.checkpoint)
    const verified = await verifiedTo(sources, at, ask.progress)
    assertWithin(windows, verified)
    return scoped({ ...ask, ...sources }, { windows, verified, head: at.head })
  })
}

/** Reads and verifies the log before anybody asks for a scope of it, so that who asks soon waits less. Whoever asks is told what is wrong. */
export async function readAhead(sources: ScopeSources): Promise<void> {
  await inTurn(sources.log, async () => {
    await verifiedTo(sources, await headFor(sources, undefined))
  }).catch(() => undefined)
}

async function scoped(
  ask: ScopeAsk & Pick<ScopeSources, "beside">,
  of: { readonly windows: Windows; readonly verified: Verified; readonly head: ReadHead },
): Promise<Scoped> {
  const { windows, verified, head } = of
  const { cause } = ask.query
  const isCanary = ask.isCanary ?? (() => false)
  const both = await countedTwice(verified, { cause, windows, isCanary, beside: ask.beside })
  const { sets } = both
  const { figures, ids } = both.answer
  const isDelivered = (permit: number) => verified.rows.delivered.has(permit)
  const unmoved = (name: "refused" | "takeable") =>
    countsOf(figures[name], beyond(picturedOf(both, sets[name]), false))
  const result: ScopeResult = {
    ...{ v: 1, incident: ask.incident, query: ask.query },
    checkpoint: { origin: head.origin, size: head.size, root: hex(head.root) },
    left: countsOf(figures.left, beyond(picturedOf(both, sets.leftDelivered), true)),
    left_by: figures.left_by,
    left_series: leftByDay(picturedOf(both, sets.left), sets.permits, isDelivered),
    ...{ refused: unmoved("refused"), takeable: unmoved("takeable") },
    live_grants: both.live.map(({ grant, holder }, n) => {
      const { images_left = 0, takeable = 0 } = figures.live[n] ?? {}
      return { grant, holder, images_left, takeable }
    }),
    window_30d: figures.window_30d,
    unknowns: unknownsOf({ ...both, ask, windows, verified, figures }),
    ids_sha256: {
      left: idsDigest(ids.left),
      refused: idsDigest(ids.refused),
      takeable: idsDigest(ids.takeable),
    },
    canaries_left: [
      ...new Set(canaryPermits({ ...both, windows, verified }).map(({ capture }) => capture)),
    ].sort(),
    engines: engines.map(name => ({
      ...{ name, left: ids.left.length, refused: ids.refused.length, takeable: ids.takeable.length },
    })),
  }
  return { result, captures: ids, disclosures: disclosuresOf(sets.permits, verified) }
}

const engines = ["bitmaps by holder and day", "SQL on rows of its own reading"] as const

const moved_ms = 30 * 86_400_000

/** @throws Fault INVALID unless T1 and T2 are times, T1 first. */
function windowsOf({ from, until }: ScopeQuery): Windows {
  const [start_ms, end_ms] = [Date.parse(from), Date.parse(until)]
  if (!isTime(from) || !isTime(until))
    throw refusal("T1 and T2 are times of release in UTC, such as 2026-11-24T21:00:00Z")
  if (start_ms >= end_ms) throw refusal(`T2 (${until}) is not after T1 (${from})`)
  const [earliest_ms, latest_ms] = [
    Date.parse("0001-01-01T00:00:00Z"),
    Date.parse("9999-12-31T23:59:59.999Z"),
  ]
  const time = (at_ms: number) => new Date(Math.min(latest_ms, Math.max(earliest_ms, at_ms))).toISOString()
  const isLong = start_ms + moved_ms < end_ms - moved_ms
  return {
    ...{ from: time(start_ms), until: time(end_ms) },
    narrower: isLong ? { from: time(start_ms + moved_ms), until: time(end_ms - moved_ms) } : null,
    wider: { from: time(start_ms - moved_ms), until: time(end_ms + moved_ms) },
  }
}

/** Of a day that there is: 30 February would be taken for a day of March. */
function isTime(text: string): boolean {
  const at_ms = Date.parse(text)
  const isWritten = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(text)
  return isWritten && !Number.isNaN(at_ms) && new Date(at_ms).toISOString().startsWith(text.slice(0, 19))
}

function refusal(why: string): Fault {
  return new Fault("INVALID", why, { notDone: "No figure was computed." })
}

/** A window that the log says nothing of has no scope, which is not the same as an empty one. */
function assertWithin({ from, until }: Windows, { rows }: Verified): void {
  if (until <= rows.first_at)
    throw refusal(
      `the window ends before the log's first entry (${rows.first_at}): nothing of before is in it`,
    )
  if (from > rows.last_at)
    throw refusal(`the window begins after the newest entry of this checkpoint (${rows.last_at})`)
}

function beyond(delivered: readonly Pictured[], isLeft: boolean): Beyond {
  return { people: peopleApart(delivered), vehicles: vehiclesApart(delivered), isLeft }
}

function idsDigest(ids: readonly string[]): string {
  return sha256Hex(utf8(ids.join("\n")))
}

function disclosuresOf(permits: readonly PermitRow[], { rows }: Verified): Disclosure[] {
  return permits.map(({ permit, at, capture, person, organization, grant, level }) => {
    return {
      permit,
      delivered: rows.delivered.get(permit) ?? null,
      at,
      capture,
      person,
      organization,
      grant,
      level,
    }
  })
}
