import { expect, test } from "vitest"
import { madeLog } from "../../test/made-log.ts"
import { canonical } from "../canonical.ts"
import { SqlThread } from "./sql-thread.ts"
import { Sql, type SqlAsk } from "./sql.ts"

const made = madeLog(7, 3000)
const rows = made.entries.map((entry, index) => {
  return { index, kind: entry.kind, bytes: new TextEncoder().encode(canonical(entry)) }
})
const windows = {
  ...{ from: "2026-08-01T00:00:00.000Z", until: "2036-08-01T00:00:00.000Z", narrower: null },
  wider: { from: "2026-07-01T00:00:00.000Z", until: "2036-09-01T00:00:00.000Z" },
}
const asked: SqlAsk = {
  ...{ cause: { of: "organizations", organizations: made.organizations }, windows, live: [], canaries: [] },
}
const beside = new Map(
  [...made.beside].map(([capture, { headerJson, findingsJson }]) => [capture, { headerJson, findingsJson }]),
)

/** Turns of the event loop that others had while `work` was done. */
async function turnsDuring(work: () => unknown): Promise<number> {
  let [turns, isOver] = [0, false]
  const turn = () => {
    turns += 1
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  await work()
  isOver = true
  return turns
}

/** Whether others have more turns than so many while it is done; where this process itself waits for a core, it is tried again. */
async function leavesTurns(most: number, work: () => unknown): Promise<boolean> {
  for (let tries = 0; tries < 20; tries += 1) if ((await turnsDuring(work)) > most) return true
  return false
}

test("while the engine in its thread counts, everybody else has his turn; in the same thread nobody has", async () => {
  const [here, there] = [new Sql(), new SqlThread()]
  here.take(rows)
  await there.take(rows)
  expect(await leavesTurns(0, () => here.ask(asked))).toBe(false)
  expect(await leavesTurns(5, () => there.ask(asked))).toBe(true)
  here.beside(beside)
  expect(await leavesTurns(2, () => there.beside(beside))).toBe(true)
  const answer = here.answer(windows)
  let theirs: unknown = null
  const answered = async () => {
    theirs = await there.answer(windows)
  }
  expect(await leavesTurns(5, answered)).toBe(true)
  expect(theirs).toEqual(answer)
  expect(answer.figures.left.images).toBeGreaterThan(300)
  there.close()
})

test("a thread that ended answers nothing: whoever waits and whoever asks is refused", async () => {
  const thread = new SqlThread()
  await thread.take(rows.slice(0, 10))
  // The same entries again are none that a log can hold.
  const waits = [thread.take(rows.slice(0, 10)), thread.ask(asked)]
  for (const each of waits) await expect(each).rejects.toMatchObject({ code: "INTERNAL" })
  expect(thread.isOpen).toBe(false)
  await expect(thread.answer(windows)).rejects.toMatchObject({ code: "INTERNAL" })
})
