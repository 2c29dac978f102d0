import { expect, test } from "vitest"
import type { EntryOf } from "./kinds.ts"
import { reminders } from "./reminders.ts"

const at = "2026-11-25T09:00:00.000Z"
const incident = "inc_01M88ZVNKFVXM538BK2SFPRZ1D"

type Clock = EntryOf<"clocks.started">["clocks"][number]

function told(changed: Partial<Clock>) {
  const clock: Clock = {
    ...{ pack: "p", rule: "r", party: "agency", started_at: at, due_at: "2026-11-25T10:00:00.000Z" },
    ...{ receivers: ["cisa"], possible: false, leads: true },
    ...changed,
  }
  const entry = { at, incident, clocks: [clock] } as unknown as EntryOf<"clocks.started">
  return reminders(entry).map(({ at_ms, data }) => [
    data.percent,
    new Date(at_ms).toISOString().slice(11, 19),
  ])
}

test("half, four fifths and all of an hour that lies ahead", () =>
  expect(told({})).toEqual([
    [50, "09:30:00"],
    [80, "09:48:00"],
    [100, "10:00:00"],
  ]))

test("of what is over the last alone, and what lies ahead", () => {
  expect(told({ started_at: "2026-11-25T08:25:00.000Z", due_at: "2026-11-25T09:25:00.000Z" })).toEqual([
    [50, "08:55:00"],
    [80, "09:13:00"],
    [100, "09:25:00"],
  ])
  expect(told({ started_at: "2026-11-25T08:05:00.000Z", due_at: "2026-11-25T09:05:00.000Z" })).toEqual([
    [80, "08:53:00"],
    [100, "09:05:00"],
  ])
  expect(told({ started_at: "2026-11-25T07:00:00.000Z", due_at: "2026-11-25T08:00:00.000Z" })).toEqual([
    [100, "08:00:00"],
  ])
})

test("nothing where no time is fixed, and nothing where a stricter clock leads", () => {
  expect(told({ due_at: null })).toEqual([])
  expect(told({ leads: false })).toEqual([])
})
