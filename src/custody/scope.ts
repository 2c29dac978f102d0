import { hex, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import type { VerifyEd25519 } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import type { ScopeQuery, ScopeResult } from "../incident/scope.ts"
import type { LogSource, ReadHead } from "../log/reading.ts"
import type { Dense } from "../scope/dense.ts"
import type { Answer, Windows } from "../scope/figures.ts"
import type { Policy } from "../tlog/policy.ts"
import { sha256Hex } from "../vault/vault.ts"
import { knownOf, type Known } from "./scope-beside.ts"
import { Bitmaps } from "./scope-bitmaps.ts"
import { hitOf, type Hit } from "./scope-cause.ts"
import { liveGrants, type Live } from "./scope-live.ts"
import { headFor, inTurn, verifiedTo, type Verified } from "./scope-reading.ts"
import type { PermitRow } from "./scope-rows.ts"
import { countsOf, figuresOf, imageAt, simplePeople } from "./scope-units.ts"
import { unknownsOf } from "./scope-unknowns.ts"

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

/**
 * The exact scope of an incident at one checkpoint. Every entry is verified up to it (tree, authors, verdicts); two engines
 * count, and a result where they differ is never given. The sources of a vault's own are `houseSources` (scope-reading.ts).
 * @throws Fault INVALID (T2 not after T1, a window outside of the log), NOT_FOUND (ids that the log does not have), CONFLICT (a
 * trace that is open), LOG_INVALID, LOG_FORK, RECEIPT_CHECKPOINT, RECEIPT_WITNESS (the log does not verify), LEDGER_DIFFERS (a row
 * is not what its entry binds), SCOPE_DIFFERS (the engines differ). None gives a figure. Costs the reading of the whole log (about
 * 0.1 ms an entry) the first time, and what was added since when the same source is asked again within ten minutes.
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

async function scoped(
  ask: ScopeAsk & Pick<ScopeSources, "beside">,
  of: { readonly windows: Windows; readonly verified: Verified; readonly head: ReadHead },
): Promise<Scoped> {
  const { windows, verified, head } = of
  const isCanary = ask.isCanary ?? (() => false)
  const hit = hitOf(ask.query.cause, verified)
  const live = liveGrants(hit, verified)
  const bitmaps = new Bitmaps(verified, isCanary)
  const sets = setsOf(bitmaps, { hit, live, windows, verified })
  const canaries = [...verified.register.captures.keys()].filter(isCanary)
  const { cause } = ask.query
  verified.sql.ask({ cause, windows, live: live.map(({ grant }) => grant), canaries })
  const all = [...sets.ids.left, ...sets.ids.refused, ...sets.ids.takeable]
  const known = await knownOf(ask.beside, verified.rows.bound, all)
  verified.sql.beside(known)
  const answer = answered(bitmaps, sets, { hit, live, windows, known, verified })
  assertEqual(answer, verified.sql.answer({ windows }))
  const people = (set: Dense) => (ask.people ?? simplePeople)(picturedOf(bitmaps, set, known))
  const { figures, ids } = answer
  const [most, least] = [people(sets.left), people(sets.leftDelivered)]
  const result: ScopeResult = {
    ...{ v: 1, incident: ask.incident, query: ask.query },
    checkpoint: { origin: head.origin, size: head.size, root: hex(head.root) },
    left: countsOf(figures.left, { ...most, at_least: least.at_least }, true),
    left_by: figures.left_by,
    refused: countsOf(figures.refused, people(sets.refused), false),
    takeable: countsOf(figures.takeable, people(sets.takeable), false),
    live_grants: live.map(({ grant, holder }, n) => {
      const { images_left = 0, takeable = 0 } = figures.live[n] ?? {}
      return { grant, holder, images_left, takeable }
    }),
    window_30d: figures.window_30d,
    unknowns: unknownsOf({ ask, hit, windows, verified, figures, known, canaries }),
    ids_sha256: {
      left: idsDigest(ids.left),
      refused: idsDigest(ids.refused),
      takeable: idsDigest(ids.takeable),
    },
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
  const isTime = (text: string) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(text)
  if (!isTime(from) || !isTime(until) || Number.isNaN(start_ms + end_ms))
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

interface Sets {
  readonly left: Dense
  readonly leftDelivered: Dense
  readonly refused: Dense
  readonly takeable: Dense
  readonly permits: readonly PermitRow[]
  readonly ids: Answer["ids"]
}

/** The three sets, disjoint in this order: left in the window; refused in it, and never left; allowed now, and neither. */
function setsOf(
  bitmaps: Bitmaps,
  of: {
    readonly hit: Hit
    readonly live: readonly Live[]
    readonly windows: Windows
    readonly verified: Verified
  },
): Sets {
  const { hit, live, windows, verified } = of
  const left = bitmaps.left(hit, windows)
  const permits = bitmaps.permitsIn(hit, windows)
  const leftDelivered = bitmaps.empty()
  for (const { permit, capture } of permits)
    if (verified.rows.delivered.has(permit)) leftDelivered.add(bitmaps.ordinal(capture))
  const refused = bitmaps.empty()
  for (const row of verified.rows.refused)
    if (windows.from <= row.at && row.at < windows.until && hit.refused(row))
      for (const capture of row.captures) if (bitmaps.has(capture)) refused.add(bitmaps.ordinal(capture))
  refused.remove(bitmaps.left(hit, null))
  const takeable = bitmaps.empty()
  for (const { captures } of live)
    for (const capture of captures) if (bitmaps.has(capture)) takeable.add(bitmaps.ordinal(capture))
  takeable.remove(left)
  takeable.remove(refused)
  const ids = { left: bitmaps.ids(left), refused: bitmaps.ids(refused), takeable: bitmaps.ids(takeable) }
  return { left, leftDelivered, refused, takeable, permits, ids }
}

/** The first engine's answer. */
function answered(
  bitmaps: Bitmaps,
  sets: Sets,
  of: {
    readonly hit: Hit
    readonly live: readonly Live[]
    readonly windows: Windows
    readonly known: ReadonlyMap<string, Known>
    readonly verified: Verified
  },
): Answer {
  const { hit, live, windows, known, verified } = of
  const files_delivered = sets.permits.filter(({ permit }) => verified.rows.delivered.has(permit)).length
  const nothing = { files: 0, files_delivered: 0, bitmaps, known }
  const files = { files: sets.permits.length, files_delivered }
  const within = (window: Windows["narrower"]) => (window === null ? 0 : bitmaps.left(hit, window).count())
  return {
    ids: sets.ids,
    figures: {
      left: figuresOf({ bitmaps, known, ...files, set: sets.left, delivered: sets.leftDelivered }),
      refused: figuresOf({ ...nothing, set: sets.refused, delivered: sets.refused }),
      takeable: figuresOf({ ...nothing, set: sets.takeable, delivered: sets.takeable }),
      left_by: bitmaps.breakdown(sets.left, sets.permits),
      window_30d: { narrower: within(windows.narrower), wider: within(windows.wider) },
      live: live.map(({ grant, images_left, captures }) => {
        const reached = captures.filter(id => bitmaps.has(id) && sets.takeable.has(bitmaps.ordinal(id)))
        return { grant, images_left, takeable: reached.length }
      }),
    },
  }
}

/** @throws Fault SCOPE_DIFFERS naming the first figure in which the engines differ. */
function assertEqual(one: Answer, two: Answer): void {
  if (canonical(one) === canonical(two)) return
  const where = differing({ ...one.figures, ids: one.ids }, { ...two.figures, ids: two.ids }, "")
  throw new Fault("SCOPE_DIFFERS", `the two engines differ in ${where}`, {
    notDone: "No figure is given, and nothing can be signed.",
    next: "keep the log as it is and report this: it is a fault of Sallyport, not of the log",
  })
}

function differing(one: unknown, two: unknown, at: string): string {
  if (typeof one !== "object" || typeof two !== "object" || one === null || two === null)
    return `${at}: ${JSON.stringify(one)} and ${JSON.stringify(two)}`
  const [a, b] = [one as Record<string, unknown>, two as Record<string, unknown>]
  const name = [...new Set([...Object.keys(a), ...Object.keys(b)])].find(
    key => canonicalOf(a[key]) !== canonicalOf(b[key]),
  )
  return name === undefined
    ? at
    : differing(a[name] ?? null, b[name] ?? null, at === "" ? name : `${at}.${name}`)
}

function canonicalOf(value: unknown): string {
  return value === undefined ? "" : canonical(value)
}

function picturedOf(bitmaps: Bitmaps, set: Dense, known: ReadonlyMap<string, Known>): Pictured[] {
  return [...set.values()].map(ordinal => {
    const { id, port, lane, hour, faces } = imageAt(bitmaps, ordinal)
    return { capture: id, port, lane, hour, captured_ms: known.get(id)?.captured_ms ?? null, faces }
  })
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
