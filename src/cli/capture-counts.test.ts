import { expect, test } from "vitest"
import { countLines } from "./capture-counts.ts"

const lane = "lan_01JDXV6Z0A0000000000000000"
const of = {
  names: new Map([[lane, "Lane 1"]]),
  since: "2026-11-25T02:10:00Z",
  until: "2026-11-25T06:10:00Z",
}
const counted = {
  ...{ lane, first_hour: "2026-11-24T21-06:00", last_heard_at: "2026-11-25T05:59:00Z" },
  hours: [
    { hour: "2026-11-24T21-06:00", captures: 1200 },
    { hour: "2026-11-24T23-06:00", captures: 3 },
  ],
}

test("an hour without captures is 0, and one of which nothing is known is not", () => {
  expect(countLines([counted], { ...of, isTerminal: false })).toEqual([
    "hour                 Lane 1",
    "2026-11-24T20-06:00  –",
    "2026-11-24T21-06:00  1,200",
    "2026-11-24T22-06:00  0",
    "2026-11-24T23-06:00  3",
    "2026-11-25T00-06:00  –",
  ])
})

test("on a terminal a block stands beside each number", () => {
  const [, , most, none, least] = countLines([counted], { ...of, isTerminal: true })
  expect([most, none, least]).toEqual([
    "2026-11-24T21-06:00  █ 1,200",
    "2026-11-24T22-06:00    0",
    "2026-11-24T23-06:00  ▁ 3",
  ])
})

test("without lanes or captures it says so", () => {
  expect(countLines([], { ...of, isTerminal: false })).toEqual(["no lane yet: sallyport lane add"])
  expect(countLines([{ ...counted, hours: [] }], { ...of, isTerminal: false })).toEqual([
    "no capture in these hours",
  ])
})
