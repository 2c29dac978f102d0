import { execFile } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, test } from "vitest"

const program = fileURLToPath(new URL("../../dist/sallyport.js", import.meta.url))
const bin = fileURLToPath(new URL("../../bin/sallyport", import.meta.url))
const pack = readFileSync(new URL("../../packs/us-dhs.json", import.meta.url), "utf8")
const story = fileURLToPath(new URL("../../examples/clocks-2019.json", import.meta.url))
let folder: string

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

function clocks(...parameters: string[]): Promise<Ran> {
  return new Promise(resolve => {
    execFile(process.execPath, [bin, "clocks", ...parameters], { maxBuffer: 2 ** 24 }, (error, out, err) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err }),
    )
  })
}

async function written(name: string, text: string): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, text)
  return file
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-clocks-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe.skipIf(!existsSync(program))("clocks, from files alone (skipped: dist is not built)", () => {
  test("packs are listed, and one rule is shown with its source and how well it is known", async () => {
    const list = await clocks("packs", "--json")
    expect(list.code).toBe(0)
    const { packs, conflicts } = JSON.parse(list.out)
    expect(packs.map((each: { id: string }) => each.id)).toContain("us-dhs")
    expect(conflicts).toEqual([])
    const rule = await clocks("show", "us-dhs/hsar-73-notice")
    expect(rule.out).toMatch(/source +HSAR 3052\.204-73, read 2026-11; for counsel to confirm/)
    expect(rule.out).toMatch(/read +Homeland Security .*, 88 FR 40560, 2023-06-21: https:\/\//)
    expect(rule.out).toMatch(/time +5 business days, from notice_directed/)
    expect(rule.out).toMatch(
      /known +duty read in a source; trigger, starts, duration, contents from general knowledge, not re-read/,
    )
    const whole = await clocks("show", "us-dhs")
    expect(whole.out).toMatch(
      /known +duty, trigger read in a source; starts, duration read in a secondary source; contents from/,
    )
    const none = await clocks("show", "us-dhs/none")
    expect([none.code, none.err]).toEqual([6, expect.stringContaining("there is no rule us-dhs/none")])
  })

  test("a pack with errors is refused with each line, and one that differs from another says so", async () => {
    const bad = await written(
      "bad.json",
      pack.replace('"hours": 1', '"hours": 0').replace('"element": "spii"', '"element": "plates"'),
    )
    const refused = await clocks("check", bad)
    expect(refused.code).toBe(2)
    const line = pack.slice(0, pack.indexOf('"hours": 1')).split("\n").length
    expect(refused.out).toContain(`${bad}:${line}  /rules/0/duration/hours  no possible duration`)
    expect(refused.out).toContain("/rules/0/trigger/any/1/element  must be one of")
    const ours = pack.replace('"id": "us-dhs"', '"id": "ours"').replace('"hours": 1', '"hours": 4')
    const good = await clocks("check", await written("ours.json", ours))
    expect(good.code).toBe(0)
    expect(good.out).toContain(
      "rules differ on hsar-72-pii: us-dhs/hsar-72-pii: 1 hour, ours/hsar-72-pii: 4 hours; both are shown, the stricter leads",
    )
    const again = await clocks(
      "check",
      await written("again.json", pack.replace('"version": 1', '"version": 2')),
    )
    expect([again.code, again.out]).toEqual([
      0,
      expect.stringContaining("it takes the place of version 1, which comes along"),
    ])
    const same = await clocks("check", await written("same.json", pack.replace('"hours": 1', '"hours": 2')))
    expect([same.code, same.err]).toEqual([2, expect.stringContaining("is not higher than version 1")])
  })

  test("an own pack stands in the list as docs/clocks.md has it", async () => {
    const page = readFileSync(new URL("../../docs/clocks.md", import.meta.url), "utf8")
    const [, own = ""] = /^```json pack\n([\s\S]*?)^```$/m.exec(page)!
    const [, printed] = /^\$ sallyport clocks packs --own own\n([\s\S]*?)^```$/m.exec(page)!
    await mkdir(join(folder, "own"))
    await written("own/port-authority.json", own)
    const ran = await clocks("packs", "--own", join(folder, "own"))
    expect([ran.code, ran.out]).toEqual([0, printed])
  })

  test("the story's clocks at a time that is given, as lines and as JSON", async () => {
    const asked = ["try", "--facts", story, "--at", "2019-06-10T12:00-04:00", "--law", "newest"]
    const lines = await clocks(...asked)
    expect(lines.code).toBe(0)
    expect(lines.out).toContain(
      "as of 2019-06-10T16:00:00.000Z, by the newest rules, whenever a clock started; every line is for counsel to confirm",
    )
    expect(lines.out).toContain("met 2019-05-31 12:00 (America/New_York), 17 d 23 h late")
    expect(lines.out.split("\n")[2]).toContain("17 d 23 h late")
    expect(lines.out).not.toContain("not triggered, because")
    const all = await clocks(...asked, "--all")
    expect(all.out).toContain(
      "not triggered, because not involved: a name linked to the data, or joinable to them",
    )
    const { clocks: each, gauges, unmatched } = JSON.parse((await clocks(...asked, "--json")).out)
    expect(each[0]).toMatchObject({ leads: true, counsel: "for counsel to confirm" })
    expect(gauges).toContainEqual(
      expect.objectContaining({ of: "people", threshold: 100_000, state: "unknown" }),
    )
    expect(unmatched).toEqual([])
  })

  test("facts, times and packs that are wrong are refused", async () => {
    const bent = await written(
      "facts.json",
      readFileSync(story, "utf8").replace('"zone": "America/New_York"', '"zone": "America/NewYork"'),
    )
    const zone = await clocks("try", "--facts", bent)
    expect([zone.code, zone.err]).toEqual([
      2,
      expect.stringMatching(
        /CLOCK_FACTS .*facts\.json, line 6, \/parties\/subcontractor\/zone: no such time zone/,
      ),
    ])
    const time = await clocks("try", "--facts", story, "--at", "2019-06-10T12:00")
    expect([time.code, time.err]).toEqual([2, expect.stringContaining("with its offset")])
    const empty = await clocks("packs", "--packs", folder, "--json")
    expect(empty.code).toBe(2)
    const absent = await clocks("check", join(folder, "absent.json"))
    expect(absent.code).toBe(6)
  })
})
