import { canonical } from "../canonical.ts"
import { Fault } from "../fault.ts"
import type { Cause } from "../incident/scope.ts"
import { nextTurn } from "../next-turn.ts"
import type { Dense } from "../scope/dense.ts"
import type { Answer, Windows } from "../scope/figures.ts"
import { knownOf, type Known } from "./scope-beside.ts"
import { Bitmaps } from "./scope-bitmaps.ts"
import { hitOf, type Hit } from "./scope-cause.ts"
import { liveGrants, type Live } from "./scope-live.ts"
import type { ReadLog } from "./scope-reading.ts"
import type { PermitRow } from "./scope-rows.ts"
import { figuresOf, type SetParts } from "./scope-units.ts"
import type { Beside } from "./scope.ts"

/** What was counted twice, and what it was counted of. */
export interface Both {
  readonly answer: Answer
  readonly hit: Hit
  readonly live: readonly Live[]
  readonly bitmaps: Bitmaps
  readonly sets: Sets
  readonly known: ReadonlyMap<string, Known>
  readonly canaries: readonly string[]
}

/**
 * Counts by both engines. They share the cause's ids, which grants are live, and the texts beside the log that were held against their
 * digests; each reads the entries by itself.
 * @throws Fault SCOPE_DIFFERS naming the first figure in which they differ; what `hitOf` and `knownOf` throw.
 */
export async function countedTwice(
  verified: ReadLog,
  of: {
    readonly cause: Cause
    readonly windows: Windows
    readonly isCanary: (capture: string) => boolean
    readonly beside: Beside | null
  },
): Promise<Both> {
  const { cause, windows } = of
  const hit = hitOf(cause, verified)
  const live = await liveGrants(hit, verified)
  const canaries = await canariesIn(verified, of.isCanary)
  const bitmaps = new Bitmaps(verified, capture => canaries.has(capture))
  const sets = setsOf(bitmaps, { hit, live, windows, verified })
  await verified.sql.ask({ cause, windows, live: live.map(({ grant }) => grant), canaries: [...canaries] })
  const all = [...sets.ids.left, ...sets.ids.refused, ...sets.ids.takeable]
  const known = await knownOf(of.beside, verified.rows.bound, all)
  await verified.sql.beside(known)
  const answer = await answered(bitmaps, sets, { hit, live, windows, known, verified })
  assertEqual(answer, await verified.sql.answer(windows))
  return { answer, hit, live, bitmaps, sets, known, canaries: [...canaries] }
}

/** Images of which it is asked in one turn of the event loop whether they are canaries: some 5 ms. */
const atOnce = 1024

async function canariesIn(
  { register }: ReadLog,
  isCanary: (capture: string) => boolean,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  let looked = 0
  for (const capture of register.captures.keys()) {
    if (isCanary(capture)) found.add(capture)
    if (++looked % atOnce === 0) await nextTurn()
  }
  return found
}

export interface Sets {
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
    readonly verified: ReadLog
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

/** The first engine's answer, one figure in a turn of the event loop. */
async function answered(
  bitmaps: Bitmaps,
  sets: Sets,
  of: {
    readonly hit: Hit
    readonly live: readonly Live[]
    readonly windows: Windows
    readonly known: ReadonlyMap<string, Known>
    readonly verified: ReadLog
  },
): Promise<Answer> {
  const { hit, live, windows, known, verified } = of
  const files_delivered = sets.permits.filter(({ permit }) => verified.rows.delivered.has(permit)).length
  const nothing = { files: 0, files_delivered: 0 }
  const files = { files: sets.permits.length, files_delivered }
  const within = (window: Windows["narrower"]) => (window === null ? 0 : bitmaps.left(hit, window).count())
  const figures = async (parts: Pick<SetParts, "set" | "delivered" | "files" | "files_delivered">) => {
    await nextTurn()
    return figuresOf({ bitmaps, known, ...parts })
  }
  return {
    ids: sets.ids,
    figures: {
      left: await figures({ ...files, set: sets.left, delivered: sets.leftDelivered }),
      refused: await figures({ ...nothing, set: sets.refused, delivered: sets.refused }),
      takeable: await figures({ ...nothing, set: sets.takeable, delivered: sets.takeable }),
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
