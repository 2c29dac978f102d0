import { readFileSync } from "node:fs"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { parseFacts, type ClockFacts } from "./clock-facts.ts"
import { parsePack, type Pack } from "./clock-pack.ts"
import { thresholdWords, clockWords, conditionWords, spanWords, weakestOf } from "./clock-say.ts"
import { evaluate, type Clock, type Law } from "./clocks.ts"
import { gaugesOf } from "./gauges.ts"

const packText = (name: string) => readFileSync(new URL(`../../packs/${name}.json`, import.meta.url), "utf8")
const dhsText = packText("us-dhs")
const dhs = parsePack(dhsText)

const facts: ClockFacts = parseFacts(
  JSON.stringify({
    v: 1,
    parties: {
      subcontractor: {
        roles: ["dhs_contractor"],
        zone: "America/New_York",
        moments: { discovered: "2026-06-01T10:00-04:00", notice_directed: "2026-06-02T10:00-04:00" },
      },
    },
    elements: { pii: "yes" },
    acknowledgements: [
      {
        rule: "hsar-72-pii",
        party: "subcontractor",
        receiver: "component_soc",
        at: "2026-06-01T10:20-04:00",
      },
      {
        rule: "hsar-72-pii",
        party: "subcontractor",
        receiver: "contracting_officer",
        at: "2026-06-01T10:40-04:00",
      },
    ],
  }),
)

interface Asking {
  readonly packs?: readonly Pack[]
  readonly facts?: ClockFacts
  readonly law?: Law
}

function clocksAt(
  at: string,
  { packs = [dhs], facts: given = facts, law = "then" }: Asking = {},
): readonly Clock[] {
  return evaluate(packs, given, { now_ms: Date.parse(at), law }).clocks
}

const find = (clocks: readonly Clock[], rule: string, pack = "us-dhs") =>
  clocks.find(each => each.rule.id === rule && each.pack.id === pack && each.party === "subcontractor")!

describe("time passes", () => {
  const states: [at: string, state: string][] = [
    ["2026-06-01T09:59-04:00", "waiting"],
    ["2026-06-01T10:00-04:00", "running"],
    ["2026-06-01T10:39-04:00", "running"],
    ["2026-06-01T10:40-04:00", "met"],
    ["2027-06-01T10:40-04:00", "met"],
  ]
  test.each(states)("what is later has not happened: at %s the clock is %s", (at, state) =>
    expect(find(clocksAt(at), "hsar-72-pii").status.state).toBe(state),
  )
  test("one receiver of two is not enough", () => {
    const { status } = find(clocksAt("2026-06-01T10:30-04:00"), "hsar-72-pii")
    expect(status).toMatchObject({
      ...{ state: "running", percent: 50, left_ms: 1_800_000 },
      run: {
        confirmed: [{ receiver: "component_soc", at: "2026-06-01T14:20:00.000Z" }],
        outstanding: ["contracting_officer"],
        reminders: [
          { percent: 50, at: "2026-06-01T14:30:00.000Z" },
          { percent: 80, at: "2026-06-01T14:48:00.000Z" },
          { percent: 100, at: "2026-06-01T15:00:00.000Z" },
        ],
      },
    })
  })
  test("at the due moment it is not late, and a millisecond later it is", () => {
    const silent = { ...facts, acknowledgements: [] }
    const at = (time: string) => find(clocksAt(time, { facts: silent }), "hsar-72-pii").status
    expect(at("2026-06-01T11:00:00.000-04:00")).toMatchObject({ state: "running", percent: 100, left_ms: 0 })
    expect(at("2026-06-01T11:00:00.001-04:00")).toMatchObject({ state: "missed", late_by_ms: 1 })
  })
  test("the first of two confirmations of one receiver counts", () => {
    const again = { ...facts.acknowledgements[1]!, at: "2026-06-03T10:00-04:00" }
    const twice = { ...facts, acknowledgements: [again, ...facts.acknowledgements] }
    expect(find(clocksAt("2026-06-04T10:00Z", { facts: twice }), "hsar-72-pii").status).toMatchObject({
      at: "2026-06-01T14:40:00.000Z",
      late_by_ms: 0,
    })
  })
})

test("whenever it is asked, a clock's start, due time and reminders are the same", () => {
  const silent = { ...facts, acknowledgements: [] }
  const runAt = (at_ms: number) => {
    const { status } = find(clocksAt(new Date(at_ms).toISOString(), { facts: silent }), "hsar-73-notice")
    return "run" in status ? status.run : null
  }
  const start_ms = Date.parse("2026-06-02T10:00-04:00")
  const first = runAt(start_ms)
  expect(first).not.toBeNull()
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 40 * 86_400_000 }), later_ms => {
      expect(runAt(start_ms + later_ms)).toEqual(first)
    }),
    { numRuns: 100 },
  )
})

describe("who is not concerned", () => {
  test("a party that the incident does not name", () => {
    const prime = clocksAt("2026-06-02T10:00Z").find(each => each.party === "prime")!
    expect(prime.status).toEqual({ state: "not_triggered", because: ["the incident names no prime"] })
  })
  test("an acknowledgement that ends no clock is not swallowed", () => {
    const stray = [
      { ...facts.acknowledgements[0]!, receiver: "press" },
      { ...facts.acknowledgements[0]!, rule: "gdpr-33" },
      { ...facts.acknowledgements[0]!, pack: "eu" },
      { ...facts.acknowledgements[0]!, party: "agency" as const },
    ]
    const given = { ...facts, acknowledgements: [...facts.acknowledgements, ...stray] }
    expect(
      evaluate([dhs], given, { now_ms: Date.parse("2026-06-02T10:00Z"), law: "then" }).unmatched,
    ).toEqual(stray)
  })
})

describe("two packs that differ", () => {
  const ours = (duration: string) =>
    parsePack(dhsText.replace('"id": "us-dhs"', '"id": "ours"').replace('"hours": 1', duration))
  const silent = { ...facts, acknowledgements: [] }
  test("are both shown, the stricter leads, and both say so", () => {
    const clocks = clocksAt("2026-06-01T12:30-04:00", { packs: [ours('"hours": 4'), dhs], facts: silent })
    const [theirs, own] = [find(clocks, "hsar-72-pii"), find(clocks, "hsar-72-pii", "ours")]
    expect([theirs.status.state, own.status.state]).toEqual(["missed", "running"])
    expect([theirs.leads, own.leads]).toEqual([true, false])
    for (const each of [theirs, own])
      expect(each.conflict).toContain("the stricter leads, us-dhs/hsar-72-pii")
    expect(own.conflict).toContain("ours/hsar-72-pii says 4 hours, us-dhs/hsar-72-pii says 1 hour")
  })
  test("a fixed time leads over one that is not fixed", () => {
    const clocks = clocksAt("2026-06-01T10:30-04:00", {
      packs: [ours('"unfixed": "promptly"'), dhs],
      facts: silent,
    })
    expect(find(clocks, "hsar-72-pii").leads).toBe(true)
    expect(find(clocks, "hsar-72-pii", "ours")).toMatchObject({
      leads: false,
      notes: ["the law fixes no time: promptly"],
    })
  })
  test("that agree are no conflict, and one of them leads", () => {
    const clocks = clocksAt("2026-06-01T10:30-04:00", { packs: [dhs, ours('"hours": 1')], facts: silent })
    const both = [find(clocks, "hsar-72-pii"), find(clocks, "hsar-72-pii", "ours")]
    expect(both.map(each => each.conflict)).toEqual([null, null])
    expect(both.map(each => each.leads)).toEqual([true, false])
  })
  test("an acknowledgement of one pack's clock does not end the other's", () => {
    const given = {
      ...facts,
      acknowledgements: facts.acknowledgements.map(each => ({ ...each, pack: "ours" })),
    }
    const clocks = clocksAt("2026-06-01T10:50-04:00", { packs: [dhs, ours('"hours": 4')], facts: given })
    expect(find(clocks, "hsar-72-pii").status.state).toBe("running")
    expect(find(clocks, "hsar-72-pii", "ours").status.state).toBe("met")
  })
})

describe("versions of a pack", () => {
  const old: Pack = { ...dhs, effective: { from: null, until: "2026-06-01" } }
  const slower = parsePack(
    dhsText.replace('"version": 1', '"version": 2').replace('"hours": 1', '"hours": 72'),
  )
  const next: Pack = { ...slower, effective: { from: "2026-06-01", until: null } }
  const withStart = (discovered: string): ClockFacts => ({
    ...facts,
    acknowledgements: [],
    parties: { subcontractor: { ...facts.parties.subcontractor!, moments: { discovered } } },
  })
  test("the one that was in force when the clock started counts, by the day of the party's zone", () => {
    const dueFrom = (discovered: string, law: Law = "then") => {
      const given = withStart(discovered)
      const clock = find(
        clocksAt("2026-07-01T10:00Z", { packs: [next, old], facts: given, law }),
        "hsar-72-pii",
      )
      return [clock.pack.version, "run" in clock.status ? clock.status.run.due_at : null]
    }
    expect(dueFrom("2026-05-31T23:30-04:00")).toEqual([1, "2026-06-01T04:30:00.000Z"])
    expect(dueFrom("2026-06-01T00:30-04:00")).toEqual([2, "2026-06-04T04:30:00.000Z"])
    expect(dueFrom("2026-05-31T23:30-04:00", "newest")).toEqual([2, "2026-06-04T03:30:00.000Z"])
  })
  test("before any was in force nothing is triggered, and that is the reason", () =>
    expect(
      find(
        clocksAt("2026-07-01T10:00Z", { packs: [next], facts: withStart("2026-05-01T10:00Z") }),
        "hsar-72-pii",
      ).status,
    ).toEqual({
      state: "not_triggered",
      because: ["in force from 2026-06-01 on, and not on 2026-05-01"],
    }))
})

test("holidays that are unknown are said, and the due time is the earliest", () => {
  const unknown = parsePack(
    dhsText.replace('"from": 2000,\n        "until": 2035', '"from": 2000,\n        "until": 2025'),
  )
  const late = {
    ...facts,
    parties: {
      subcontractor: {
        ...facts.parties.subcontractor!,
        moments: { notice_directed: "2026-06-16T10:00-04:00" },
      },
    },
  }
  const [known, none] = [dhs, unknown].map(pack =>
    find(clocksAt("2026-06-16T15:00Z", { packs: [pack], facts: late }), "hsar-73-notice"),
  )
  // 17, 18, not the 19th (Juneteenth), 22, 23, 24; without holidays the 23rd.
  expect(known).toMatchObject({ notes: [], status: { run: { due_at: "2026-06-24T14:00:00.000Z" } } })
  expect(none!.status).toMatchObject({ run: { due_at: "2026-06-23T14:00:00.000Z" } })
  expect(none!.notes).toEqual([
    "holidays of us-federal are not known for 2026: counted without any, so this is the earliest due time",
  ])
})

test("each threshold of the packs is gauged once, with the rules that hang on it", () => {
  const packs = [
    parsePack(packText("us-federal")),
    parsePack(packText("us-az")),
    parsePack(packText("us-nm")),
  ]
  const given = {
    ...facts,
    counts: { people: { at_least: 900, at_most: 184_000, estimate: { low: 1001, high: 99_999 } } },
    residents: { "US-NM": { at_least: 1001, at_most: 1900 } },
  }
  expect(gaugesOf(packs, given).filter(({ of }) => of === "people")).toEqual([
    {
      ...{ of: "people", threshold: 100_000, state: "unlikely" },
      rules: ["us-federal/fisma-major", "us-federal/fisma-supplement"],
      citations: ["FISMA, 44 USC 3554(b)(7)(C); OMB M-17-05 and M-17-12", "FISMA 2014, section 2(d)"],
      interval: { l0: 900, l95: 1001, u95: 99_999, u0: 184_000 },
      ...{ crossed_on: null, possible_from: null, missing: "people are not counted by day" },
    },
  ])
  expect(gaugesOf(packs, given).filter(({ of }) => of === "residents of New Mexico")).toEqual([
    expect.objectContaining({
      ...{ threshold: 1, state: "crossed" },
      rules: ["us-nm/nm-57-12c-individuals"],
    }),
    expect.objectContaining({
      ...{ threshold: 1001, state: "crossed" },
      rules: ["us-nm/nm-57-12c-authorities"],
    }),
  ])
  expect(gaugesOf(packs, given).find(({ of }) => of === "residents of Arizona")).toMatchObject({
    state: "unknown",
    interval: null,
    missing: "nobody has stated how many residents of Arizona are concerned",
  })
})

test("a threshold has the day on which it was crossed, and from which it was possible", () => {
  const packs = [parsePack(packText("us-federal")), parsePack(packText("us-az"))]
  const days = [
    { day: "2026-05-01", bounds: { at_least: 3, at_most: 40_000 } },
    { day: "2026-05-04", bounds: { at_least: 1_200, at_most: 120_000 } },
  ]
  const given = {
    ...{ ...facts, counts: { people: days[1]!.bounds } },
    residents: { "US-AZ": { at_least: 1, at_most: 9 } },
  }
  const gauges = gaugesOf(packs, given, { people: days })
  const stands = (of: string) => gauges.filter(each => each.of === of)
  expect(stands("people")).toMatchObject([
    ...[
      { threshold: 100_000, state: "possible", crossed_on: null, possible_from: "2026-05-04", missing: null },
    ],
  ])
  const uncounted = { crossed_on: null, missing: "residents of Arizona are not counted by day" }
  expect(stands("residents of Arizona")).toMatchObject([
    { threshold: 1, state: "crossed", ...uncounted },
    { threshold: 1_001, state: "not", ...uncounted },
  ])
  expect(stands("people").map(thresholdWords)).toEqual([
    "100,000 people: possibly crossed, and not before 2026-05-04 (at least 1,200 and at most 120,000)",
  ])
  const more = [...days, { day: "2026-05-06", bounds: { at_least: 100_000, at_most: 130_000 } }]
  const crossed = gaugesOf(packs, { ...facts, counts: { people: more[2]!.bounds } }, { people: more })
  const people = crossed.filter(({ of }) => of === "people")
  expect(people).toMatchObject([{ state: "crossed", crossed_on: "2026-05-06", possible_from: "2026-05-04" }])
  expect(people.map(thresholdWords)).toEqual([
    "100,000 people: crossed, first by the end of 2026-05-06 (at least 100,000 and at most 130,000)",
  ])
})

test("sentences say the local time, what is left, and by how much it was missed", () => {
  const words = (at: string) => clockWords(find(clocksAt(at), "hsar-72-pii"))
  expect(words("2026-06-01T10:30-04:00")).toBe(
    "due 2026-06-01 11:00 (America/New_York): 30 min left, 50 % gone",
  )
  expect(words("2026-06-01T12:00-04:00")).toBe("met 2026-06-01 10:40 (America/New_York), 20 min early")
  expect([0, 999, 61_000, 90 * 60_000, 431 * 3_600_000, 86_400_000].map(spanWords)).toEqual([
    "0 s",
    "0 s",
    "1 min 1 s",
    "1 h 30 min",
    "17 d 23 h",
    "1 d",
  ])
  expect(weakestOf(dhs.rules[0]!.confidence)).toBe("general_knowledge")
})

test("a trigger reads as a sentence, with brackets where and meets or", () => {
  const rule = parsePack(packText("us-federal")).rules.find(each => each.id === "fisma-major")!
  expect(conditionWords(rule.trigger)).toBe(
    "((personally identifiable information or sensitive personally identifiable information) and 100,000 or more people) or demonstrable harm",
  )
  const nm = parsePack(packText("us-nm")).rules[2]!
  expect(conditionWords(nm.trigger)).toMatch(
    /^not \(the party is a body of a state, .* and more than 1,000 residents of New Mexico$/,
  )
})
