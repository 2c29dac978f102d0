import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { root } from "../../test/tidy.ts"
import { shipped } from "../../test/watched.ts"
import {
  alphabets,
  contexts,
  expectation,
  formatModel,
  parseModel,
  unfairContext,
  whole,
  type ModelFile,
} from "./model.ts"
import { levelCount, levelOf, micronatsOf, naturalLog } from "./ratio.ts"
import { alphabet } from "./symbols.ts"

const text = readFileSync(join(root, "models/watch.json"), "utf8")
/** What of a model file is bent here, to be written to. */
interface Bendable {
  v: number
  readonly provenance: { trained_at?: string }
  readonly thresholds: { readonly person: { stepUp_micronats: number } }
  readonly bets: { readonly order: number[][] }
  readonly micronats: { readonly stakes: number[][] }
  readonly pool: { readonly order: number[][] }
  readonly purposes: Readonly<Record<string, { readonly order: Readonly<Record<string, number[]>> }>>
  readonly shares: number[]
}

const bent = (bend: (file: Bendable) => void) => {
  const file = JSON.parse(text) as Bendable
  bend(file)
  return () => parseModel(formatModel(file as unknown as ModelFile))
}

test("under the model E[e] is at most 1 in every context, for every stake, summed over the whole alphabet", () => {
  const { file } = shipped
  let checked = 0
  for (const each of alphabets) {
    const stakes = each === "session" ? [file.micronats.session] : file.micronats.stakes
    const rows = [file.pool[each], ...Object.values(file.purposes).map(own => own[each])].flatMap(own =>
      Object.entries(own),
    )
    for (const [context, row] of rows)
      for (const levels of stakes) {
        const bet = file.bets[each][Number(context)] ?? file.bets[each][0]!
        expect(row.reduce((sum, part) => sum + part, 0)).toBe(whole)
        expect(row.length).toBe(alphabet[each])
        // Written out again: p · e with e read from the table of the model.
        const e = row.map((part, i) => Math.exp(levels[levelOf(bet[i]! / part)]! / 1e6))
        const mean = row.reduce((sum, part, i) => sum + (part / whole) * e[i]!, 0)
        expect(mean).toBeLessThanOrEqual(1)
        expect(mean).toBeCloseTo(expectation(row, bet, levels), 12)
        checked += 1
      }
  }
  expect(checked).toBeGreaterThan(3 * (contexts.order + contexts.roam))
  expect(unfairContext(file)).toBeNull()
})

test("the shipped model is small, canonical, and says what it learned from", () => {
  expect(text.length).toBeLessThan(200_000)
  expect(formatModel(shipped.file)).toBe(text)
  expect(shipped.file.provenance.sources).toHaveLength(8)
  expect(shipped.file.provenance.left_out).toEqual([])
  expect(shipped.file.thresholds.person).toEqual({ stepUp_micronats: 7e6, suspend_micronats: 14e6 })
})

const bends: [string, (file: Bendable) => void][] = [
  ["it is of version 1", file => (file.v = 2)],
  ["it says where it comes from", file => delete file.provenance.trained_at],
  ["a step-up comes before a suspension", file => (file.thresholds.person.stepUp_micronats = 14e6)],
  ["bets add up", file => (file.bets.order[0]![0]! += 1)],
  ["there are three stakes and the session's", file => file.micronats.stakes.pop()],
  ["the pool has a row for each context", file => file.pool.order.pop()],
  ["rows of each purpose add up", file => (Object.values(file.purposes)[0]!.order["0"]![0]! += 1)],
  ["shares add up", file => (file.shares[0]! -= 1)],
  [
    "its bets are fair in every context",
    file => (file.micronats.stakes[0] = file.micronats.stakes[0]!.map(level => level + 400_000)),
  ],
]
for (const [rule, bend] of bends)
  test(`a model is refused unless ${rule}`, () => expect(bent(bend)).toThrow(rule))

test("a model that is not JSON, or not canonical, is refused", () => {
  expect(() => parseModel("{")).toThrow("not JSON")
  expect(() => parseModel(text.trimEnd())).toThrow("canonical")
  expect(() => parseModel("null")).toThrow("version 1")
})

test("logarithms are those of the library to its last bits, but made of exact steps", () => {
  for (let x = 1e-7; x < 1e7; x *= 1.37)
    expect(Math.abs(naturalLog(x) - Math.log(x))).toBeLessThan(
      2e-15 * Math.max(1, Math.abs(Math.log(x))) + 1e-15,
    )
})

test("levels round down, so that evidence is never more than the true one", () => {
  const levels = micronatsOf(0.5, 1e9)
  expect(levels).toHaveLength(levelCount)
  for (let ratio = 1e-5; ratio < 1e5; ratio *= 1.083) {
    const exact = 1e6 * Math.log(0.5 + 0.5 * ratio)
    const got = levels[levelOf(ratio)]!
    expect(got).toBeLessThanOrEqual(exact)
    expect(got).toBeGreaterThan(exact - 1e6 * Math.log(2 ** 0.25) - 2)
  }
})
