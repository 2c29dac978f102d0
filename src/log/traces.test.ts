import { expect, test } from "vitest"
import type { Draft, EntryOf } from "./kinds.ts"
import { names, Register } from "./state.ts"
import { originalOpened, originalRule, originalsPerFile, traced, traceEntryRule } from "./traces.ts"

const at = "2026-11-25T09:00:00.000Z"
const [trace, other] = ["trc_01M88ZVNKFVXM538BK2SFPRZ1D", "trc_01M88ZVNKFVXM538BK2SFPRZ1E"]
const files = ["a".repeat(64), "b".repeat(64)]
const whole = { records: [], counters: [], members: [], captures: [], messages: [] }

type Opened = Extract<Draft, { kind: "trace.opened" }>
type Closed = Extract<Draft, { kind: "trace.closed" }>
type Permit = Extract<Draft, { kind: "permit" }>

const opening = (of = trace, list = files) =>
  ({
    kind: "trace.opened",
    trace: of,
    person: "per_x",
    asked: {},
    statement: { files: list },
  }) as unknown as Opened
const nobody: Closed["verdicts"][number] = { verdict: "nobody", capture: null, people: [], holders: 0 }
const closing = (verdicts: Closed["verdicts"] = [nobody, nobody]) =>
  ({ kind: "trace.closed", trace, verdicts }) as Closed
const permit = (bent: Partial<Permit> = {}) =>
  ({ kind: "permit", for: "trace", trace, asked: null, statement: null, examiner: null, ...bent }) as Permit

function openedState(): Register {
  const state = new Register()
  const entry = { v: 1, at, ...opening() } as unknown as EntryOf<"trace.opened">
  state.apply({ ...whole, ...traced(entry, 5, state) }, 5)
  return state
}

test("the system opens an original for a trace that is open, and for no other", () => {
  expect(originalRule(permit(), new Register())).toBe("NOT_FOUND")
  const state = openedState()
  expect(originalRule(permit(), state)).toBeNull()
  expect(originalRule(permit({ trace: other }), state)).toBe("NOT_FOUND")
  const closed = { v: 1, at, ...closing() } as EntryOf<"trace.closed">
  state.apply({ ...whole, ...traced(closed, 6, state) }, 6)
  expect(originalRule(permit(), state)).toBe("CONFLICT")
})

test("a permit for a trace has no author, no examiner, no mark and no region", () => {
  const state = openedState()
  const bent: readonly Partial<Permit>[] = [
    { asked: {} as never },
    { statement: {} as never },
    { examiner: "finders/1" },
    { mark_sha256: "0".repeat(64) },
    { region: "wide" },
  ]
  for (const each of bent) expect(originalRule(permit(each), state)).toBe("INVALID")
})

test("no more originals are opened than three for each file", () => {
  const state = openedState()
  for (let n = 0; n < originalsPerFile * files.length; n += 1) {
    expect(originalRule(permit(), state)).toBeNull()
    state.apply({ ...whole, ...originalOpened(trace, state) }, 6 + n)
  }
  expect(originalRule(permit(), state)).toBe("CONFLICT")
})

test("a trace names no file twice, is opened once, and closed once with a verdict for each file", () => {
  const state = openedState()
  expect(traceEntryRule(opening(other, [files[0]!, files[0]!]), state)).toBe("INVALID")
  expect(traceEntryRule(opening(), state)).toBe("CONFLICT")
  expect(traceEntryRule(closing([nobody]), state)).toBe("CONFLICT")
  expect(traceEntryRule(closing(), state)).toBeNull()
  state.apply({ ...whole, ...traced({ v: 1, at, ...closing() } as EntryOf<"trace.closed">, 6, state) }, 6)
  expect(traceEntryRule(closing(), state)).toBe("CONFLICT")
})

test("runs are those of the file that was traced most often", () => {
  const state = openedState()
  const again = {
    v: 1,
    at,
    ...opening(other, ["c".repeat(64), files[1]!]),
  } as unknown as EntryOf<"trace.opened">
  state.apply({ ...whole, ...traced(again, 7, state) }, 7)
  expect(state.record("trace", other)!.runs).toBe(2)
  expect(state.member(names.traced, files[1]!)).toBe(2)
  expect(state.member(names.traced, "c".repeat(64))).toBe(1)
})
