import { hex } from "../bytes.ts"
import { may } from "../grant/office.ts"
import { wholeId } from "../ids.ts"
import { parseEntry, type EntryOf } from "../log/kinds.ts"
import { messagesBeside, noticeSeen } from "../log/messages.ts"
import type { Drafted } from "../log/sequencer.ts"
import { names, permitName, type State } from "../log/state.ts"
import type { Caller } from "./caller.ts"
import type { TraceReport } from "./close-trace.ts"
import type { House } from "./house.ts"

/** Canaries: captures that no work needs. Which captures are some, only the vault's key tells (decision 0019). */

/** Whether a capture of this id is a canary. It is counted in no statistic and no scope, and no draw picks it. About 5 µs. */
export function isCanary({ keys }: Pick<House, "keys">, capture: string): boolean {
  return keys.root.canaries.marks(capture)
}

/** Somebody asked for canaries: what the entry is, read with the key. */
export interface Touch {
  readonly person: string
  readonly act: "release" | "reveal" | "draw"
  /** `permitted`, or the code that refused. */
  readonly outcome: string
  /** How it lies to the grant, as the watch was told; `null` where the watch did not look. */
  readonly scope: string | null
  readonly canaries: readonly string[]
}

type Opening = Pick<EntryOf<"permit">, "kind" | "by" | "for" | "capture" | "watch">
type Refusal = Pick<EntryOf<"refused">, "kind" | "of" | "code" | "person" | "capture" | "statement" | "watch">

/** Which canaries an entry asks for; `null` for one that touches none. Who is suspended touches nothing any more. */
export function touchOf(house: Pick<House, "keys">, entry: Opening | Refusal): Touch | null {
  const asked = entry.kind === "permit" ? permitted(entry) : refused(entry)
  if (asked === null) return null
  const canaries = asked.captures.filter(capture => isCanary(house, capture))
  const { person, act, outcome } = asked
  return canaries.length === 0
    ? null
    : { person, act, outcome, scope: entry.watch?.scope ?? null, canaries: [...new Set(canaries)] }
}

type Asked = Pick<Touch, "person" | "act" | "outcome"> & { readonly captures: readonly string[] }

function permitted({ by, for: act, capture }: Opening): Asked | null {
  if (by === null || (act !== "release" && act !== "reveal")) return null
  return { person: by.person, act, outcome: "permitted", captures: [capture] }
}

function refused({ of, code, person, capture, statement }: Refusal): Asked | null {
  if (person === null || code === "PERSON_SUSPENDED") return null
  if (of !== "release" && of !== "reveal" && of !== "draw") return null
  const listed = statement !== null && "captures" in statement ? (statement.captures ?? []) : []
  return { person, act: of, outcome: code, captures: capture === null ? listed : [capture] }
}

/**
 * Tells of a touch in the transaction that stores its entry. The entry is that of any capture: it, its evidence and its effects
 * say nothing of a canary, and so the replay needs no key.
 */
export function withTouch(
  house: House,
  drafted: Drafted,
  { state, now_ms }: { readonly state: State; readonly now_ms: number },
): Drafted {
  const { entry } = drafted
  const touch = entry.kind === "permit" || entry.kind === "refused" ? touchOf(house, entry) : null
  if (touch === null) return drafted
  const { person, act, outcome, scope } = touch
  const told = (index: number) => ({
    subject: `canary/${index}`,
    data: { person, act, outcome, ...(scope === null ? {} : { scope }) },
  })
  return {
    ...drafted,
    beside: index =>
      messagesBeside(
        { name: "canary.touched", told: told(index) },
        { index, at_ms: now_ms, state, idOf: (due_ms, to) => messageId(house, { due_ms, index, to }) },
      ),
  }
}

const hour_ms = 3_600_000

/** Says neither which entry nor the minute: entries about deliveries name the ids of messages. */
function messageId(
  { keys }: Pick<House, "keys">,
  { due_ms, index, to }: { readonly due_ms: number; readonly index: number; readonly to: string },
): string {
  const chance = BigInt(`0x${hex(keys.root.digest("canary-message", `${index} ${to}`).subarray(0, 10))}`)
  return wholeId("msg", due_ms - (due_ms % hour_ms), chance)
}

export interface Touched extends Touch {
  readonly entry: number
  readonly at: string
  readonly is_acknowledged: boolean
}

const searched = 2000
const page = 200

/**
 * Who touched canaries, newest first, read from the log with the key: nothing else is kept of it.
 * @returns `before`: where to go on, as so many entries are looked at in one turn; `null` at the log's beginning.
 */
export async function touches(
  house: House,
  of: { readonly limit: number; readonly before?: number },
): Promise<{ readonly touches: readonly Touched[]; readonly before: number | null }> {
  const scans = await Promise.all((["permit", "refused"] as const).map(kind => scan(house, kind, of.before)))
  const reached = Math.max(...scans.map(each => each.reached))
  const all = scans.flatMap(({ found }) => found).filter(({ entry }) => entry >= reached)
  const newest = all.sort((a, b) => b.entry - a.entry).slice(0, of.limit)
  const shown = await Promise.all(
    newest.map(async each => {
      const notice = await house.ledger.member(names.notices, permitName(each.entry))
      return { ...each, is_acknowledged: notice === noticeSeen }
    }),
  )
  const last = all.length > shown.length ? shown.at(-1)?.entry : reached
  return { touches: shown, before: last === undefined || last === 0 ? null : last }
}

type Found = Omit<Touched, "is_acknowledged">

async function scan(house: House, kind: "permit" | "refused", from: number | undefined) {
  const found: Found[] = []
  let before: { before?: number } = from === undefined ? {} : { before: from }
  for (let seen = 0; seen < searched; seen += page) {
    const rows = await house.ledger.newestEntries({ kind, limit: page, ...before })
    for (const { index, bytes } of rows) {
      const entry = parseEntry(bytes)
      if (entry?.kind !== "permit" && entry?.kind !== "refused") continue
      const touch = touchOf(house, entry)
      if (touch !== null) found.push({ entry: index, at: entry.at, ...touch })
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < page) return { found, reached: 0 }
    before = { before: last.index }
  }
  return { found, reached: before.before ?? 0 }
}

/** A trace's report, for those who may know with which of its files show a canary. The entry `trace.closed` says nothing of it. */
export function withCanaries(house: House, caller: Caller, report: TraceReport): TraceReport {
  if (!may(caller.person.office, "know canaries")) return report
  const files = report.files.map(file => {
    const is_canary = file.capture !== null && isCanary(house, file.capture)
    return { ...file, is_canary, said: is_canary ? `${file.said} ${leakedCanary(file)}` : file.said }
  })
  return { ...report, files }
}

function leakedCanary({ holders }: TraceReport["files"][number]): string {
  const how = holders > 0 ? "whoever had it asked for it by its id" : "it left by no release"
  return `Its original is a canary, which no work needs and no draw picks: ${how}.`
}
