import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { readPacks, shippedPacks } from "../src/custody/clock-packs.ts"
import { parseFacts } from "../src/incident/clock-facts.ts"
import { spanWords } from "../src/incident/clock-say.ts"
import { evaluate, type Clock, type Law } from "../src/incident/clocks.ts"
import { root } from "./tidy.ts"

/** Every rule that ships has its example in docs/clocks.md, worked by hand there; this holds the page against the code. */

interface Example {
  readonly rule: string
  readonly party: string
  readonly at: string
  readonly law?: Law
  readonly facts: Record<string, unknown>
  readonly is: Record<string, unknown>
  readonly not_triggered?: { readonly with: Record<string, unknown>; readonly because: readonly string[] }
}

const page = readFileSync(join(root, "docs/clocks.md"), "utf8")
const examples = [...page.matchAll(/^```json example\n([\s\S]*?)^```$/gm)].map(
  match => JSON.parse(match[1]!) as Example,
)
const packs = await readPacks(shippedPacks())
const rules = packs.flatMap(pack => pack.rules.map(rule => `${pack.id}/${rule.id}`))

function clockOf({ rule, party, at, law = "then" }: Example, facts: unknown): Clock {
  const { clocks } = evaluate(packs, parseFacts(JSON.stringify(facts)), { now_ms: Date.parse(at), law })
  return clocks.find(each => `${each.pack.id}/${each.rule.id}` === rule && each.party === party)!
}

const utc = (at: unknown) => (typeof at === "string" ? new Date(at).toISOString() : at)
const span = (span_ms: number | null) => (span_ms === null ? null : spanWords(span_ms))

/** What the page can say of a clock. */
function saidOf({ status, notes }: Clock): Record<string, unknown> {
  return {
    ...status,
    ...("run" in status ? { due_at: status.run.due_at, outstanding: status.run.outstanding } : {}),
    ...(status.state === "running" ? { left: span(status.left_ms) } : {}),
    ...(status.state === "met"
      ? { met_at: status.at, early_by: span(status.early_by_ms), late_by: span(status.late_by_ms) }
      : {}),
    ...(status.state === "missed" ? { late_by: span(status.late_by_ms) } : {}),
    ...(status.state === "possible" ? { threshold: status.straddles[0]!.state } : {}),
    note: notes.at(-1),
  }
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** `over` laid upon `under`, key by key. */
function laid(under: unknown, over: unknown): unknown {
  if (!isPlain(under) || !isPlain(over)) return over
  return {
    ...under,
    ...Object.fromEntries(Object.entries(over).map(([key, value]) => [key, laid(under[key], value)])),
  }
}

test("every rule that ships has an example that triggers it, and one that does not", () => {
  expect(rules.length).toBeGreaterThan(20)
  const triggered = examples.filter(({ is }) => is.state !== "not_triggered").map(({ rule }) => rule)
  const not = examples.filter(each => each.not_triggered !== undefined).map(({ rule }) => rule)
  expect(rules.filter(rule => !triggered.includes(rule))).toEqual([])
  expect(rules.filter(rule => !not.includes(rule))).toEqual([])
  expect(examples.filter(({ rule }) => !rules.includes(rule))).toEqual([])
})

test("examples show every state that a clock can have", () => {
  const states = new Set(examples.map(({ is }) => is.state))
  expect([...states].sort()).toEqual(["met", "missed", "not_triggered", "possible", "running", "waiting"])
})

describe.each(examples.map((example, i) => [`${example.rule}, example ${i + 1}`, example] as const))(
  "%s",
  (_, example) => {
    test("comes to what was worked out by hand", () => {
      const { due_at, met_at, earliest_due_at, ...others } = example.is
      const times = Object.entries({ due_at, met_at, earliest_due_at }).filter(([, at]) => at !== undefined)
      expect(saidOf(clockOf(example, example.facts))).toMatchObject({
        ...others,
        ...Object.fromEntries(times.map(([key, at]) => [key, utc(at)])),
      })
    })
    test.skipIf(example.not_triggered === undefined)("is not triggered where one thing is missing", () => {
      const other = laid(example.facts, example.not_triggered!.with)
      const { status } = clockOf(example, other)
      expect(status).toEqual({ state: "not_triggered", because: example.not_triggered!.because })
    })
  },
)
