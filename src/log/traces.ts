import type { FaultCode } from "../fault.ts"
import type { Draft, EntryOf } from "./kinds.ts"
import { mustHold, record } from "./standing.ts"
import { names, type Effects, type State } from "./state.ts"

/** Found files, and whose copies they are: fixed in number and kind before any of them is looked at. */
export interface TraceState {
  readonly trace: string
  readonly person: string
  readonly opened_at: string
  readonly entry: number
  /** SHA-256 of each file. */
  readonly files: readonly string[]
  /** The most often that any of the files was traced, this time included: what is tried again is paid for. */
  readonly runs: number
  /** Originals that were opened for it. */
  readonly originals: number
  /** `null` until it is closed. */
  readonly verdicts: EntryOf<"trace.closed">["verdicts"] | null
  readonly closed_at: string | null
  readonly closed_entry: number | null
}

/** For each file at most so many originals are opened. */
export const originalsPerFile = 3

type Part = Partial<Effects>

export function traced(entry: EntryOf<"trace.opened" | "trace.closed">, index: number, state: State): Part {
  return entry.kind === "trace.opened" ? traceOpened(entry, index, state) : traceClosed(entry, index, state)
}

function traceOpened(entry: EntryOf<"trace.opened">, index: number, state: State): Part {
  const { trace, person, at } = entry
  const { files } = entry.statement
  const runs = files.map(file => state.member(names.traced, file) + 1)
  return {
    records: [
      record("trace", trace, {
        ...{ trace, person, opened_at: at, entry: index, files, runs: Math.max(...runs), originals: 0 },
        ...{ verdicts: null, closed_at: null, closed_entry: null },
      }),
    ],
    members: files.map((member, i) => ({ set: names.traced, member, value: runs[i] as number })),
  }
}

/** One original more was opened for a trace. */
export function originalOpened(trace: string, state: State): Part {
  const held = mustHold(state.record("trace", trace))
  return { records: [record("trace", trace, { ...held, originals: held.originals + 1 })] }
}

function traceClosed(entry: EntryOf<"trace.closed">, index: number, state: State): Part {
  const held = mustHold(state.record("trace", entry.trace))
  const { verdicts, at } = entry
  return {
    records: [record("trace", entry.trace, { ...held, verdicts, closed_at: at, closed_entry: index })],
  }
}

/** What a trace's entries may follow on, once its author may ask for it. */
export function traceEntryRule(
  draft: Extract<Draft, { kind: "trace.opened" | "trace.closed" }>,
  state: State,
): FaultCode | null {
  return draft.kind === "trace.opened" ? traceRule(draft, state) : closingRule(draft, state)
}

/** No file stands twice, and the id is new. */
function traceRule(draft: Extract<Draft, { kind: "trace.opened" }>, state: State): FaultCode | null {
  const { files } = draft.statement
  if (new Set(files).size !== files.length) return "INVALID"
  return state.record("trace", draft.trace) === null ? null : "CONFLICT"
}

/** The system opens an original only for a trace that somebody opened, and few of them. */
export function originalRule(draft: Extract<Draft, { kind: "permit" }>, state: State): FaultCode | null {
  const { trace, linkage, asked, statement, examiner, mark_sha256, region } = draft
  if (trace === undefined || asked !== null || statement !== null || examiner !== null) return "INVALID"
  if ([mark_sha256, linkage, region].some(each => each !== undefined)) return "INVALID"
  const held = state.record("trace", trace)
  if (held === null) return "NOT_FOUND"
  const isOpen = held.verdicts === null && held.originals < originalsPerFile * held.files.length
  return isOpen ? null : "CONFLICT"
}

/** One verdict for each file, once. */
function closingRule(draft: Extract<Draft, { kind: "trace.closed" }>, state: State): FaultCode | null {
  const held = state.record("trace", draft.trace)
  if (held === null) return "NOT_FOUND"
  return held.verdicts === null && draft.verdicts.length === held.files.length ? null : "CONFLICT"
}
