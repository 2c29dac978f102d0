import { readdirSync, readFileSync } from "node:fs"
import { Compile } from "typebox/compile"
import { describe, expect, test } from "vitest"
import { Fault } from "../fault.ts"
import { elements, findings, keysOf, moments, places, roles } from "./clock-words.ts"
import { packProblems, parsePack } from "./clock-pack.ts"
import { checkTogether, conflictsOf } from "./pack-set.ts"

const file = new URL("../../packs/us-dhs.json", import.meta.url)
const good = readFileSync(file, "utf8")

/** The line of the first place that has `text`. */
const lineWith = (whole: string, text: string, from = 0) =>
  whole.slice(0, whole.indexOf(text, from)).split("\n").length

describe("a pack with one thing wrong is refused with its line and path", () => {
  const table: [what: string, from: string, to: string, path: string, problem: string][] = [
    ["a key that nobody knows", '"observed"', '"observes"', "/calendars/0/observes", "no such key is known"],
    [
      "an element that nobody knows",
      '"element": "spii"',
      '"element": "plates"',
      "/rules/0/trigger/any/1/element",
      "must be one of pii, spii",
    ],
    [
      "a role that nobody knows",
      '"dhs_contractor"',
      '"vendor"',
      "/rules/0/whose/roles/0",
      "must be one of federal_agency",
    ],
    [
      "an operator that nobody knows",
      '"any": [',
      '"either": [',
      "/rules/0/trigger",
      "must be one of all, any, not",
    ],
    [
      "an empty list of conditions",
      '"any": [\n          {\n            "element": "pii"\n          },\n          {\n            "element": "spii"\n          }\n        ]',
      '"any": []',
      "/rules/0/trigger/any",
      "1 to 32 conditions",
    ],
    [
      "an address that is none",
      '"address": "https://',
      '"address": "on a shelf: ',
      "/rules/0/citation/sources/0/address",
      "must match",
    ],
    [
      "a source of a day that is none",
      '"dated": "2023-06-21"',
      '"dated": "2023-02-30"',
      "/rules/0/citation/sources/0/dated",
      "no such day",
    ],
    [
      "sources, and no month of reading",
      '"text": "HSAR 3052.204-72(c)",\n        "read": "2026-11"',
      '"text": "HSAR 3052.204-72(c)",\n        "read": null',
      "/rules/0/citation/read",
      "no month in which they were read",
    ],
    ["no time at all", '"hours": 1', '"hours": 0', "/rules/0/duration/hours", "no possible duration"],
    [
      "a time that runs backwards",
      '"hours": 1',
      '"hours": -1',
      "/rules/0/duration/hours",
      "no possible duration",
    ],
    ["a time of parts", '"hours": 1', '"hours": 1.5', "/rules/0/duration/hours", "no possible duration"],
    [
      "a time of years in hours",
      '"hours": 1',
      '"hours": 87600',
      "/rules/0/duration/hours",
      "no possible duration",
    ],
    ["a unit that nobody knows", '"hours": 1', '"weeks": 1', "/rules/0/duration", "must be one of hours"],
    ["two units", '"hours": 1', '"hours": 1, "calendar_days": 1', "/rules/0/duration", "nothing beside it"],
    [
      "business days of no calendar",
      '"calendar": "us-federal"',
      '"calendar": null',
      "/rules/2/calendar",
      "business days have a calendar",
    ],
    [
      "a calendar that the pack has not",
      '"calendar": "us-federal"',
      '"calendar": "us-state"',
      "/rules/2/calendar",
      "no calendar us-state",
    ],
    [
      "a calendar where no days are counted",
      '"calendar": null',
      '"calendar": "us-federal"',
      "/rules/0/calendar",
      "and nothing else has",
    ],
    [
      "two rules with one id",
      '"id": "hsar-72-other"',
      '"id": "hsar-72-pii"',
      "/rules/1/id",
      "stands in /rules/0 already",
    ],
    [
      "a start that nobody knows",
      '"starts": "discovered"',
      '"starts": "noticed"',
      "/rules/0/starts",
      "must be one of discovered",
    ],
    [
      "a zone that nobody knows",
      '"zone": "party"',
      '"zone": "America/El_Pasoo"',
      "/rules/0/zone",
      "neither party nor a time zone",
    ],
    [
      "a day that is none",
      '"from": "2023-07-21"',
      '"from": "2023-02-30"',
      "/rules/0/effective/from",
      "no such day",
    ],
    [
      "an end before the beginning",
      '"from": "2023-07-21",\n        "until": null',
      '"from": "2023-07-21",\n        "until": "2023-07-21"',
      "/rules/0/effective/until",
      "not after from",
    ],
    [
      "a confidence that nobody knows",
      '"verified_secondary"',
      '"sure"',
      "/rules/0/confidence/starts",
      "must be one of verified",
    ],
    [
      "one receiver twice",
      '"id": "contracting_officer"',
      '"id": "component_soc"',
      "/rules/0/recipients/1/id",
      "already",
    ],
    ["a holiday in no month", '"month": 7', '"month": 13', "/calendars/0/holidays/5/month", "1 to 12"],
    [
      "a holiday on no day",
      '"day": 19',
      '"day": 31',
      "/calendars/0/holidays/4/day",
      "no such day in that month",
    ],
    ["a fifth Monday", '"nth": 3', '"nth": 5', "/calendars/0/holidays/1/nth", "1 to 4"],
    [
      "a key that stands twice",
      '"version": 1',
      '"version": 1, "version": 2',
      "/version",
      "this key stands twice",
    ],
    ["a format of another time", '"v": 1', '"v": 2', "/v", ""],
  ]
  test.each(table)("%s", (_, ...[from, to, path, problem]) => {
    expect(good).toContain(from)
    const bent = good.replace(from, to)
    const [first] = packProblems(bent)
    expect(first).toMatchObject({ path, problem: expect.stringContaining(problem) })
    const at = good.indexOf(from)
    const lines = bent.split("\n")
    // The line that is named lies within what was changed, or opens the object that it is in.
    const changed = [
      good.slice(0, at).split("\n").length,
      good.slice(0, at).split("\n").length + to.split("\n").length - 1,
    ]
    const isWithin = first!.line >= changed[0]! && first!.line <= changed[1]!
    const last = path.split("/").at(-1)!
    expect(isWithin || lines[first!.line - 1]!.includes(`"${last}"`)).toBe(true)
    expect(() => parsePack(bent, "x.json")).toThrow(`x.json, line ${first!.line}, ${path}: `)
  })
  test("a missing key is told at the object that lacks it", () => {
    const bent = good.replace('"starts": "discovered",\n', "")
    const [first] = packProblems(bent)
    expect(first).toMatchObject({ path: "/rules/0", line: lineWith(bent, "{", bent.indexOf('"rules"')) })
    expect(first!.problem).toContain("starts")
  })
  test("what is no JSON is told with the line", () => {
    expect(packProblems('{\n  "v": 1,\n}')).toEqual([
      { line: 3, path: "", problem: "not JSON: Unexpected token RBrace found." },
    ])
    expect(packProblems("")[0]).toMatchObject({ line: 1, path: "" })
    expect(packProblems('{\n"a": "x",\n"c\td": 1}')).toEqual([
      { line: 3, path: "/c\td", problem: "not JSON: a control character within a string" },
    ])
    expect(packProblems('["a",\n"x\ny"]')[0]).toMatchObject({ line: 2, path: "/1" })
    expect(packProblems("[".repeat(200_000))).toEqual([
      { line: 1, path: "", problem: "nested deeper than 32 levels" },
    ])
    expect(packProblems(" ".repeat(1_048_577))[0]!.problem).toContain("longer than")
  })
  test("counts go with one limit, a whole number", () => {
    const federal = readFileSync(new URL("../../packs/us-federal.json", import.meta.url), "utf8")
    const bend = (to: string) => packProblems(federal.replace('"at_least": 100000', to))[0]
    expect(bend('"at_least": "100000"')).toMatchObject({ problem: "must be a whole number" })
    expect(bend('"at_least": 100000, "over": 5')!.problem).toContain("one of at_least and over")
    expect(bend('"at_most": 100000')!.problem).toContain("one of at_least and over")
    expect(packProblems(federal.replace('"count": "people"', '"count": "persons"'))[0]!.path).toMatch(
      /\/count$/,
    )
  })
  test("all that is wrong is told, by line, at most 8", () => {
    const bent = good.replaceAll('"month": ', '"moon": ')
    const problems = packProblems(bent)
    expect(problems.length).toBe(8)
    expect(problems.map(({ line }) => line)).toEqual(problems.map(({ line }) => line).sort((a, b) => a - b))
  })
})

test("the digest is of what a pack says, not of how it is laid out", () => {
  const pack = parsePack(good)
  expect(parsePack(JSON.stringify(JSON.parse(good))).sha256).toBe(pack.sha256)
  expect(parsePack(good.replace('"hours": 1', '"hours": 2')).sha256).not.toBe(pack.sha256)
})

describe("packs beside each other", () => {
  const version = (number: number, from: string | null, until: string | null) => ({
    ...parsePack(good.replace('"version": 1', `"version": ${number}`)),
    effective: { from, until },
  })
  test("versions that follow each other go together, in whichever order they are given", () => {
    const [versions] = checkTogether([version(2, "2026-01-01", null), version(1, null, "2026-01-01")])
    expect(versions!.packs.map(each => each.version)).toEqual([1, 2])
  })
  const overlapping: [string, ReturnType<typeof version>, ReturnType<typeof version>][] = [
    ["by a day", version(1, null, "2026-01-02"), version(2, "2026-01-01", null)],
    ["one without an end", version(1, null, null), version(2, "2026-01-01", null)],
    ["the very same", version(1, null, null), version(1, null, null)],
  ]
  test.each(overlapping)("versions that overlap are refused: %s", (_, one, other) => {
    expect(() => checkTogether([one, other])).toThrow(Fault)
    expect(() => checkTogether([other, one])).toThrow("are both in force on")
  })
  test("rules of one duty in two packs that differ are a conflict; those that agree are none", () => {
    const ours = (hours: number) =>
      parsePack(good.replace('"id": "us-dhs"', '"id": "ours"').replace('"hours": 1', `"hours": ${hours}`))
    expect(conflictsOf([parsePack(good), ours(1)])).toEqual([])
    expect(conflictsOf([parsePack(good), ours(4)])).toEqual([
      {
        duty: "hsar-72-pii",
        rules: [
          { pack: "us-dhs", rule: "hsar-72-pii", duration: "1 hour" },
          { pack: "ours", rule: "hsar-72-pii", duration: "4 hours" },
        ],
      },
    ])
  })
})

describe("the format's page and schema", () => {
  const formats = new URL("../../docs/formats/", import.meta.url)
  const schema = JSON.parse(readFileSync(new URL("clock-pack.schema.json", formats), "utf8"))
  const validator = Compile(schema)
  test("the schema takes every pack that comes along", () => {
    const folder = new URL("../../packs/", import.meta.url)
    const names = readdirSync(folder)
    expect(names.length).toBeGreaterThan(8)
    for (const name of names)
      expect([name, validator.Check(JSON.parse(readFileSync(new URL(name, folder), "utf8")))]).toEqual([
        name,
        true,
      ])
  })
  const bent: [string, string][] = [
    ['"hours": 1', '"hours": 0'],
    ['"hours": 1', '"weeks": 1'],
    ['"element": "spii"', '"element": "plates"'],
    ['"any": [', '"either": ['],
    ['"day": 19', '"dag": 19'],
    ['"starts": "discovered"', '"starts": "noticed"'],
  ]
  test.each(bent)("the schema refuses what the parser refuses: %s as %s", (from, to) => {
    expect(validator.Check(JSON.parse(good.replace(from, to)))).toBe(false)
    expect(packProblems(good.replace(from, to))).not.toEqual([])
  })
  test("schema and page have the same closed lists as the code", () => {
    const page = readFileSync(new URL("clock-pack.md", formats), "utf8")
    const { condition, rule } = schema.$defs
    const leaf = (key: string) =>
      condition.anyOf.find((each: { properties: object }) => key in each.properties).properties[key].enum
    expect(leaf("element")).toEqual(keysOf(elements))
    expect(leaf("finding")).toEqual(keysOf(findings))
    expect(leaf("role")).toEqual(keysOf(roles))
    expect(leaf("residents")).toEqual(keysOf(places))
    expect(rule.properties.starts.enum).toEqual(keysOf(moments))
    for (const [name, list] of Object.entries({
      role: roles,
      moment: moments,
      element: elements,
      finding: findings,
      place: places,
    }))
      expect(page).toContain(
        `| ${name} | ${keysOf<string>(list)
          .map(word => `\`${word}\``)
          .join(", ")} |`,
      )
  })
})
