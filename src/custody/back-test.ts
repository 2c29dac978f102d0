import { sha256 } from "@noble/hashes/sha2.js"
import { hex, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { Fault } from "../fault.ts"
import { parseEntry, type Draft, type EntryOf } from "../log/kinds.ts"
import { Retelling } from "../log/retelling.ts"
import { withThresholds } from "../log/watch-models.ts"
import { BackTest, type Tried } from "../watch/back-test.ts"
import type { ModelFile } from "../watch/model.ts"
import type { Caller } from "./caller.ts"
import type { House } from "./house.ts"
import { learnModel } from "./models.ts"
import { propose } from "./propose.ts"

/** What a model and thresholds would have done in the 30 days before the newest entry of a log. Its canonical JSON has one digest. */
export interface BackTested {
  readonly v: 1
  readonly model: string
  readonly thresholds: ModelFile["thresholds"]
  /** Of the log. */
  readonly size: number
  readonly from: string
  readonly until: string
  /** That the watch looked at; 0 is no data, and says nothing. */
  readonly requests: number
  readonly people: number
  readonly asked: { readonly was: number; readonly would_be: number }
  readonly suspended: { readonly was: number; readonly would_be: number }
  /** Images that left, and would not have. */
  readonly images_held_back: number
  /** At most 1,000; who would be suspended first. */
  readonly tried: readonly Tried[]
  readonly more: number
}

const window_ms = 30 * 86_400_000
const mostShown = 1000
const page = 256

interface Asked {
  readonly model: string
  readonly thresholds: ModelFile["thresholds"]
  /** The log as it stood then; `null`: as it stands. */
  readonly size: number | null
}

/**
 * Follows the whole log under another model or other thresholds. Reads every entry once.
 * @throws Fault WATCH_MODEL for one that neither came along nor is in the log.
 */
export async function backTest(
  house: House,
  asked: Asked,
  progress: (done: number, of: number) => void = () => undefined,
): Promise<BackTested> {
  const model = await learnModel(house, asked.model)
  if (model === null)
    throw new Fault("WATCH_MODEL", `no model ${asked.model} came along or is in the log`, {
      notDone: "Nothing was tried.",
      next: "sallyport watch model ls; sallyport watch model add FILE",
    })
  const head = await house.log.head()
  const size = asked.size ?? head.size
  if (size < 1 || size > head.size)
    throw new Fault("INVALID", `the log has ${head.size} entries, not ${size}`)
  const until_ms = await timeOf(house, size - 1)
  const from_ms = until_ms - window_ms
  const test = new BackTest(withThresholds(model, asked.thresholds), from_ms)
  const retelling = new Retelling({
    opening: (past, entry) => test.take(past, entry),
    answered: (person, organization) => test.answered(person, organization),
    lifted: of => test.lifted(of),
  })
  while (retelling.size < size) {
    const rows = await house.ledger.entries(retelling.size, Math.min(retelling.size + page, size))
    const [problem] =
      rows.length === 0 ? [{ at: `entry ${retelling.size}`, why: "missing" }] : retelling.take(rows)
    if (problem !== undefined)
      throw new Fault("LEDGER_DIFFERS", `${problem.at}: ${problem.why}`, { next: "sallyport log fsck" })
    progress(retelling.size, size)
    // The embedded ledger answers at once: without a turn of the event loop nobody else would be served.
    await new Promise(resolve => setImmediate(resolve))
  }
  const { requests, people, tried } = test.result()
  const sum = (of: (each: Tried) => number) => tried.reduce((all, each) => all + of(each), 0)
  const [from, until] = [new Date(from_ms).toISOString(), new Date(until_ms).toISOString()]
  return {
    ...{ v: 1, model: asked.model, thresholds: asked.thresholds, size, from, until, requests, people },
    asked: { was: sum(each => each.asked), would_be: sum(each => each.would_be_asked) },
    suspended: { was: sum(each => each.suspended), would_be: sum(each => each.would_be_suspended) },
    images_held_back: sum(each => each.images_held_back),
    tried: tried.slice(0, mostShown),
    more: Math.max(0, tried.length - mostShown),
  }
}

async function timeOf(house: House, index: number): Promise<number> {
  const [row] = await house.ledger.entries(index, index + 1)
  const entry = row === undefined ? null : parseEntry(row.bytes)
  return entry === null ? 0 : Date.parse(entry.at)
}

/** Names a back test: SHA-256 of its canonical JSON, lowercase hexadecimal. */
export function backTestDigest(result: BackTested): string {
  return hex(sha256(utf8(canonical(result))))
}

const running = new WeakSet<House>()

/**
 * Makes a back test and puts its digest into the log. One at a time.
 * @throws Fault BUSY while one is under way; SIGNATURE_STALE where it took over five minutes.
 */
export async function logBackTest(
  house: House,
  caller: Caller,
  progress: (done: number, of: number) => void,
): Promise<BackTested & { readonly backtest: string; readonly entry: number }> {
  if (running.has(house)) throw new Fault("BUSY", "a back test is under way")
  running.add(house)
  try {
    const statement = caller.statement as EntryOf<"watch.backtested">["statement"]
    const result = await backTest(house, statement, progress)
    const { model, thresholds, size, from, requests, asked: questions, suspended } = result
    const draft: Draft = {
      ...{ kind: "watch.backtested", person: caller.person.person, model, thresholds, size, from, requests },
      result_sha256: backTestDigest(result),
      ...{ questions: questions.would_be, suspensions: suspended.would_be },
      ...{ asked: caller.asked, statement },
    }
    const records = [{ kind: "model", id: model }]
    const { index } = await propose(house, caller, { of: "watch", draft, records })
    return { ...result, backtest: draft.result_sha256, entry: index }
  } finally {
    running.delete(house)
  }
}
