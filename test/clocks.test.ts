import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { readPacks, shippedPacks } from "../src/custody/clock-packs.ts"
import { parseFacts } from "../src/incident/clock-facts.ts"
import { localMinute } from "../src/incident/calendar.ts"
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

const named = (all: readonly Example[]) =>
  all.map((example, i) => [`${example.rule}, example ${i + 1}`, example] as const)

test.each(named(examples))("%s comes to what was worked out by hand", (_, example) => {
  const { due_at, met_at, earliest_due_at, ...others } = example.is
  const times = Object.entries({ due_at, met_at, earliest_due_at }).filter(([, at]) => at !== undefined)
  expect(saidOf(clockOf(example, example.facts))).toMatchObject({
    ...others,
    ...Object.fromEntries(times.map(([key, at]) => [key, utc(at)])),
  })
})

test.each(named(examples.filter(each => each.not_triggered !== undefined)))(
  "%s is not triggered where one thing is different",
  (_, example) => {
    const other = laid(example.facts, example.not_triggered!.with)
    expect(clockOf(example, other).status).toEqual({
      state: "not_triggered",
      because: example.not_triggered!.because,
    })
  },
)

describe("the order of 2019, by the newest rules", () => {
  const facts = parseFacts(readFileSync(join(root, "examples/clocks-2019.json"), "utf8"))
  const at = (now: string, law: Law) => evaluate(packs, facts, { now_ms: Date.parse(now), law }).clocks
  const asked = at("2019-06-10T12:00-04:00", "newest")
  const rows = [
    ...page.matchAll(/^\| (subcontractor|prime|agency) \| (\S+) \| (.+?) \| (\w+) \| (.*?) ?\|$/gm),
  ]
  const find = (clocks: readonly Clock[], rule: string, party: string) =>
    clocks.find(each => `${each.pack.id}/${each.rule.id}` === rule && each.party === party)!

  test("the page's table is what the clocks say", () => {
    const said = rows.map(([, party, rule]) => {
      const { status, zone } = find(asked, rule!, party!)
      const due =
        status.state === "waiting" ? status.earliest_due_at : "run" in status ? status.run.due_at : null
      const late_ms = status.state === "met" || status.state === "missed" ? status.late_by_ms! : null
      const by = { met: "late", missed: ", and going on" }[status.state as "met"]
      return [
        ...[
          party,
          rule,
          `${localMinute(Date.parse(due!), zone)}${status.state === "waiting" ? " at the earliest" : ""}`,
        ],
        ...[status.state, late_ms === null ? "" : `${spanWords(late_ms)}${by === "late" ? " late" : by}`],
      ]
    })
    expect(said.length).toBe(5)
    expect(said).toEqual(rows.map(([, ...cells]) => cells))
  })
  test("the vendor's clock was missed by 431 hours and the prime's by 335, by the newest rule and not by one of then", () => {
    const late = (["subcontractor", "prime"] as const).map(party => find(asked, "us-dhs/hsar-72-pii", party))
    expect(late.map(({ status }) => status.state === "met" && status.late_by_ms)).toEqual([
      431 * 3_600_000,
      335 * 3_600_000,
    ])
    for (const { notes } of late)
      expect(notes.join()).toMatch(/^the newest rule applied to 2019-05-1[37]: in force from 2023-07-21 on/)
    const then = find(at("2019-06-10T12:00-04:00", "then"), "us-dhs/hsar-72-pii", "subcontractor")
    expect(then.status).toEqual({
      state: "not_triggered",
      because: ["in force from 2023-07-21 on, and not on 2019-05-13"],
    })
  })
  test("asked on 20 May, both clocks are missed and the agency knows of nothing", () => {
    const clocks = at("2019-05-20T12:00-04:00", "newest")
    const states = (["subcontractor", "prime"] as const).map(
      party => find(clocks, "us-dhs/hsar-72-pii", party).status,
    )
    expect(states.map(each => each.state === "missed" && each.late_by_ms / 3_600_000)).toEqual([167, 71])
    expect(find(clocks, "us-federal/cisa-incident", "agency").status).toMatchObject({
      state: "waiting",
      for: ["discovered of the agency: when it knew or suspected"],
    })
  })
  test("no clock of a state or of Europe fires for a plate and a face without a name", () => {
    const abroad = asked.filter(({ pack }) =>
      ["us-tx", "us-az", "us-nm", "us-ca", "eu", "canada"].includes(pack.id),
    )
    expect(abroad.length).toBeGreaterThan(30)
    expect(abroad.filter(({ status }) => status.state !== "not_triggered")).toEqual([])
    expect(find(asked, "us-tx/tx-521-individuals", "subcontractor").status).toMatchObject({
      because: ["not involved: a name linked to the data, or joinable to them", "not involved: health data"],
    })
  })
})

test("packs that come along say how well each part is known, and what was read says when", () => {
  for (const pack of packs)
    for (const { id, citation, confidence } of pack.rules) {
      const isRead = Object.values(confidence).some(
        each => each === "verified" || each === "verified_secondary",
      )
      expect([id, citation.read]).toEqual([id, isRead ? "2026-11" : null])
    }
})

test("the page's count of times that were not read is the packs' own", () => {
  const known = packs.flatMap(pack => pack.rules.map(rule => rule.confidence.duration))
  const unread = known.filter(each => each === "general_knowledge" || each === "inference")
  expect(page).toContain(
    `The times of ${unread.length} of the ${known.length} rules are from general knowledge`,
  )
})
