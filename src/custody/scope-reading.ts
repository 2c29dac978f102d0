import { equal, hex } from "../bytes.ts"
import { verifyEd25519 } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import type { EntryRow } from "../ledger/ledger.ts"
import { isExtended, LogWalk, readHead, type LogSource, type ReadHead } from "../log/reading.ts"
import { Replay, type Problem, type ReplayContext } from "../log/replay.ts"
import type { Register } from "../log/state.ts"
import { nextTurn } from "../next-turn.ts"
import { SqlThread, type SecondEngine } from "../scope/sql-thread.ts"
import { entriesPath, formatBundle, parseTilePath, tilePath, tileWidth } from "../tlog/tile.ts"
import type { House } from "./house.ts"
import { besideOf } from "./scope-beside.ts"
import { ScopeRows } from "./scope-rows.ts"
import type { ScopeSources } from "./scope.ts"

/** Entries that are judged in one turn of the event loop: some 20 ms where each is a permit with its signatures. */
const atOnce = 64

/** Entries up to one checkpoint, each verified: in the signed tree, by its author, and with the verdict that the log leads to. */
export class Verified {
  readonly rows = new ScopeRows()
  readonly sql = new SqlThread()
  readonly #replay: Replay

  constructor(context: ReplayContext) {
    this.#replay = new Replay(context)
  }

  get register(): Register {
    return this.#replay.register
  }

  /** Time of the newest entry. */
  get time_ms(): number {
    return this.#replay.time_ms
  }

  /** Takes the next entries, in order, as `Replay` does, until the first with which something is wrong. */
  async take(rows: readonly EntryRow[]): Promise<Problem[]> {
    for (let from = 0; from < rows.length; from += atOnce) {
      const some = rows.slice(from, from + atOnce)
      const problems = this.#replay.take(some)
      if (problems.length > 0) return problems
      this.rows.take(some)
      await this.sql.take(some)
      await nextTurn()
    }
    return []
  }
}

/** What a verified log came to, for those who count. */
export interface ReadLog extends Pick<Verified, "register" | "rows" | "time_ms"> {
  readonly sql: SecondEngine
}

/** The walk over one source, which goes on where it stood when the log has grown. */
interface Held {
  readonly walk: LogWalk
  readonly verified: Verified
  readonly timer: NodeJS.Timeout
}

/** What a walk leads to is kept so long after it was last asked: some MB for a thousand captures. */
const kept_ms = 10 * 60_000

const held = new WeakMap<LogSource, Held>()
const turns = new WeakMap<LogSource, Promise<unknown>>()

/** Runs one after the other what reads from one source. */
export async function inTurn<T>(source: LogSource, work: () => Promise<T>): Promise<T> {
  const turn = (turns.get(source) ?? Promise.resolve()).then(work, work)
  turns.set(
    source,
    turn.catch(() => undefined),
  )
  return turn
}

/** The checkpoint that is asked for, which the signed one extends. */
export async function headFor(
  { log, policy, verify }: ScopeSources,
  checkpoint: { readonly size: number; readonly root: Uint8Array } | undefined,
): Promise<{ readonly head: ReadHead; readonly published: ReadHead }> {
  const published = await readHead(log, policy, verify)
  if (checkpoint === undefined) return { head: published, published }
  const head = { ...published, ...checkpoint }
  const isOurs =
    checkpoint.size === published.size
      ? equal(checkpoint.root, published.root)
      : checkpoint.size > 0 && (await isExtended(reaching(log, published.size), head, published))
  if (isOurs) return { head, published }
  throw new Fault(
    "LOG_FORK",
    `the tree of ${checkpoint.size} entries with root ${hex(checkpoint.root).slice(0, 16)}… is none that the signed tree of ${published.size} entries extends`,
    { notDone: "No figure was computed." },
  )
}

/** @throws Fault LOG_INVALID for the first entry or tile that does not hold: then nothing is counted. */
export async function verifiedTo(
  { log, verify }: ScopeSources,
  { head, published }: { readonly head: ReadHead; readonly published: ReadHead },
  progress?: (done: number, of: number) => void,
): Promise<Verified> {
  const before = held.get(log)
  forget(log)
  const goesOn = before !== undefined && before.verified.sql.isOpen && before.walk.frontier.size <= head.size
  if (before !== undefined && !goesOn) before.verified.sql.close()
  const { walk, verified } = goesOn ? before : begun(log, { origin: head.origin, verify, published })
  const problems = await walk.to(head, progress).catch((error: unknown) => {
    verified.sql.close()
    throw error
  })
  const [first] = problems
  if (first !== undefined) {
    verified.sql.close()
    throw new Fault("LOG_INVALID", `${log.name} does not verify: ${first.at}: ${first.why}`, {
      notDone: "No figure was computed: the scope of a log that does not verify is worth nothing.",
      next: "sallyport log fsck, and sallyport log verify against a mirror",
    })
  }
  const timer = setTimeout(() => {
    forget(log)
    verified.sql.close()
  }, kept_ms)
  held.set(log, { walk, verified, timer: timer.unref() })
  return verified
}

function begun(
  log: LogSource,
  of: { readonly origin: string; readonly verify: ScopeSources["verify"]; readonly published: ReadHead },
): Pick<Held, "walk" | "verified"> {
  const keeps = (effects: Parameters<NonNullable<ConstructorParameters<typeof Replay>[0]["keeps"]>>[0]) => {
    return { ...effects, messages: [] }
  }
  const { origin, verify, published } = of
  const verified = new Verified({ origin, verify, folds: () => true, keeps })
  return { walk: new LogWalk(reaching(log, published.size), verified), verified }
}

function forget(log: LogSource): void {
  const before = held.get(log)
  if (before !== undefined) clearTimeout(before.timer)
  held.delete(log)
}

/** A source whose tiles at the edge of an older tree may be there only as wide as the newest tree has them. */
function reaching(log: LogSource, size: number): LogSource {
  return {
    name: log.name,
    read: async path => {
      const bytes = await log.read(path)
      const named = parseTilePath(path)
      if (bytes !== null || named === null) return bytes
      const { level, index } = named.tile
      const held = Math.floor(size / tileWidth ** level) - index * tileWidth
      const width = Math.min(tileWidth, held)
      if (width <= named.tile.width) return null
      return log.read(
        named.kind === "entries" ? entriesPath(index, width) : tilePath({ level, index, width }),
      )
    },
  }
}

const sources = new WeakMap<House, ScopeSources>()

/** The sources of a vault's own: its ledger and its newest signed head. */
export function houseSources(house: House): ScopeSources {
  const known = sources.get(house)
  if (known !== undefined) return known
  const log = ledgerSource(house)
  const policy = { logs: [{ vkey: house.log.vkey, url: null }], witnesses: [], groups: [], quorum: "none" }
  const made = { log, policy, verify: verifyEd25519, beside: besideOf(house.ledger) }
  sources.set(house, made)
  return made
}

/** The ledger as a stranger would read it: paths below the log's prefix. */
export function ledgerSource({ ledger, log }: House): LogSource {
  const utf8 = new TextEncoder()
  return {
    name: "the ledger",
    read: async path => {
      if (path === "checkpoint" || path === "head") return utf8.encode(await log.checkpoint())
      const named = parseTilePath(path)
      if (named === null) return null
      const { level, index, width } = named.tile
      if (named.kind === "hashes") return (await ledger.tile(level, index))?.hashes ?? null
      const rows = await ledger.entries(index * tileWidth, index * tileWidth + width)
      return formatBundle(rows.map(row => row.bytes))
    },
  }
}
