import { Fault } from "../fault.ts"
import { newId } from "../ids.ts"
import type { Draft, EntryOf } from "../log/kinds.ts"
import { names } from "../log/state.ts"
import { originalsPerFile } from "../log/traces.ts"
import { closestOf, explains, isOneSure, likelyOf, type Close, type Weighed } from "../picture/lookup.ts"
import type { Comparison, FoundFile } from "../picture/tracer.ts"
import { sha256Hex } from "../vault/vault.ts"
import { recordOf, type Caller } from "./caller.ts"
import type { House } from "./house.ts"
import { entryOfKind } from "./copies.ts"
import { originalsFor, sketchesOf } from "./originals.ts"
import { propose } from "./propose.ts"
import { openedFor } from "./system-opening.ts"

/** A trace under way, in the memory of the server that opened it. */
export interface Running {
  readonly trace: string
  readonly person: string
  /** Of its opening. */
  readonly receipt: string
  readonly files: Map<string, Looked | null>
  /** Looks are made one after the other. */
  turn: Promise<unknown>
}

/** What was found of one file, before anybody is judged by it. */
export interface Looked {
  readonly file: string
  /** `copy`: its very bytes were delivered; `compared`: laid onto an original; `unknown`: of no original; else unreadable. */
  readonly is: "copy" | "compared" | "unknown" | "unreadable"
  /** In words: why not, or what was tried. */
  readonly why: string | null
  readonly capture: string | null
  /** Entry of the delivery whose bytes these are. */
  readonly delivered: number | null
  readonly comparison: Comparison | null
  /** Originals that were opened and compared. */
  readonly tried: readonly string[]
}

export interface TraceOpening {
  readonly trace: string
  readonly entry: number
  readonly files: readonly string[]
}

const mostRunning = 4
const life_ms = 60 * 60_000

/** A file is laid onto an original with at least this; with less it is of none. */
const barely = 0.25

const running = new WeakMap<House, Map<string, Running>>()

function runningOf(house: House): Map<string, Running> {
  const held = running.get(house) ?? new Map<string, Running>()
  running.set(house, held)
  return held
}

/** The trace of this id that this server has open. @throws Fault NOT_FOUND */
export function openOne(house: House, trace: string): Running {
  const held = runningOf(house).get(trace)
  if (held === undefined)
    throw new Fault("NOT_FOUND", `this server has no trace ${trace} open`, {
      next: "the same again: a trace that was not closed within an hour, or lost with a restart, is opened anew",
    })
  return held
}

/** Ends it. */
export function forgetTrace(house: House, trace: string): void {
  runningOf(house).delete(trace)
}

/**
 * Opens a trace: which files it is about, and so what will be pooled, is in the log before any of them is looked at.
 * @throws Fault BUSY while four others run; of the rule that refuses, which is in the log.
 */
export async function openTrace(house: House, caller: Caller): Promise<TraceOpening> {
  const statement = caller.statement as EntryOf<"trace.opened">["statement"]
  const all = runningOf(house)
  if (all.size >= mostRunning)
    throw new Fault("BUSY", `${mostRunning} traces run; ask again when one has ended`)
  const [trace, { person }, { files }] = [newId("trc"), caller.person, statement]
  const draft: Draft = { kind: "trace.opened", trace, person, asked: caller.asked, statement }
  const appended = await propose(house, caller, {
    of: "trace",
    draft,
    records: [{ kind: "trace", id: trace }],
    members: files.map(member => ({ set: names.traced, member })),
  })
  const receipt = await house.log.receipt(appended)
  all.set(trace, {
    ...{ trace, person, receipt, turn: Promise.resolve() },
    files: new Map(files.map(file => [file, null])),
  })
  setTimeout(() => forgetTrace(house, trace), life_ms).unref()
  return { trace, entry: appended.index, files }
}

/**
 * Takes one of a trace's files and finds what it is: a copy's very bytes, a picture of one of our originals, or neither. Who
 * had a copy is not asked yet. The same file again gives the same answer.
 * @throws Fault NOT_FOUND without such a trace; INVALID for a file that it does not name.
 */
export async function takeFile(house: House, trace: string, bytes: Uint8Array): Promise<Looked> {
  const one = openOne(house, trace)
  const file = sha256Hex(bytes)
  if (!one.files.has(file))
    throw new Fault("INVALID", "the trace was opened for other files", {
      next: "open a trace that names this file: which files are pooled is fixed beforehand",
    })
  const turn = one.turn.then(async () => {
    const looked = one.files.get(file) ?? (await lookedAt(house, one, { file, bytes }))
    one.files.set(file, looked)
    return looked
  })
  one.turn = turn.catch(() => undefined)
  return turn
}

async function lookedAt(
  house: House,
  one: Running,
  { file, bytes }: { readonly file: string; readonly bytes: Uint8Array },
): Promise<Looked> {
  const nothing = { file, why: null, capture: null, delivered: null, comparison: null, tried: [] } as const
  const delivered = await house.ledger.member(names.bytes, file)
  if (delivered > 0) {
    const { capture } = await entryOfKind(house, delivered, "delivered")
    return { ...nothing, is: "copy", capture, delivered }
  }
  try {
    const close = await closestTo(house, one, bytes)
    return await compared(house, one, { bytes, close, nothing })
  } catch (error) {
    if (!(error instanceof Fault) || (error.code !== "PICTURE" && error.code !== "PICTURE_SIZE")) throw error
    return { ...nothing, is: "unreadable", why: error.message }
  }
}

/**
 * The originals that the file's corners, or those of its mirror image, lie on, whose small likenesses are most alike it: as it is,
 * and as its negative where nothing explains it as it is. Light made dark leaves corners where they were, and none as it was.
 */
async function closestTo(house: House, one: Running, file: Uint8Array): Promise<readonly Close[]> {
  const asItIs = await weighedBy(house, one, { file, isNegative: false })
  const negative = isOneSure(asItIs) ? [] : await weighedBy(house, one, { file, isNegative: true })
  return closestOf([...asItIs, ...negative]).slice(0, originalsPerFile)
}

async function weighedBy(house: House, one: Running, found: FoundFile): Promise<readonly Weighed[]> {
  const look = await house.pictures.tracer.look(found)
  const likely = await likelyOf(await originalsFor(house, one.receipt), look)
  const names = likely.map(({ name }) => name)
  const sketches = await sketchesOf(house, one.receipt, names)
  const guesses = likely.map(({ ways }, n) => {
    return { ways, parts: sketches[n]?.parts.map(({ box, likeness }) => ({ box, likeness })) ?? [] }
  })
  const told = guesses.length === 0 ? [] : await house.pictures.tracer.liken(found, guesses)
  const { isNegative } = found
  return likely.map((each, n) => ({ ...each, isNegative, likened: sketches[n] ? told[n] : undefined }))
}

interface Comparing {
  readonly bytes: Uint8Array
  readonly close: readonly Close[]
  readonly nothing: Omit<Looked, "is">
}

/** Which original it is goes by how alike both are, never by anybody's codeword. */
async function compared(house: House, one: Running, { bytes, close, nothing }: Comparing): Promise<Looked> {
  let best: { readonly capture: string; readonly comparison: Comparison } | null = null
  const tried: string[] = []
  const gone: string[] = []
  for (const { name: capture, isNegative, guesses } of close) {
    const opened = await originalOrNull(house, one, capture)
    if (opened === null) {
      gone.push(capture)
      continue
    }
    tried.push(capture)
    const plates = opened.findings?.plates ?? []
    const asked = { original: opened.picture, plates, guesses }
    const comparison = await house.pictures.tracer.compare({ file: bytes, isNegative }, asked)
    if (comparison === null || comparison.likeness <= barely) continue
    if (best === null || explains(comparison) > explains(best.comparison)) best = { capture, comparison }
  }
  if (best !== null) return { ...nothing, is: "compared", ...best, tried }
  const why =
    gone.length > 0
      ? "its likeliest original is destroyed: without it no mark can be read, and only the very bytes of a copy could be traced"
      : tried.length > 0
        ? "it resembles an original, and lies on none"
        : "none of the originals resembles it"
  return { ...nothing, is: "unknown", why, tried }
}

function originalOrNull(house: House, { trace }: Running, capture: string) {
  const records = [{ kind: "trace", id: trace }]
  return openedFor(house, { of: { for: "trace", trace }, records }, capture)
}

/** A trace as the log has it. @throws Fault NOT_FOUND */
export async function traceOf(house: House, trace: string) {
  const held = await recordOf(house, "trace", trace)
  if (held === null) throw new Fault("NOT_FOUND", `there is no trace ${trace}`)
  return held
}
