import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { parsePack, type Pack } from "./clock-pack.ts"
import { listed, placed } from "./pack-place.ts"

const text = readFileSync(new URL("../../packs/us-nm.json", import.meta.url), "utf8")

function pack(version: number, from: string | null = null, until: string | null = null): Pack {
  return { ...parsePack(text.replace('"version": 1', `"version": ${version}`)), effective: { from, until } }
}
const own = (file: string, of: Pack) => ({ file, pack: of })
const rows = (all: ReturnType<typeof placed>) =>
  listed(all).packs.map(({ id, version, file, replaces }) => [id, version, file, replaces])

describe("an agency's packs beside those that come along", () => {
  test("one with an id of its own stands beside them", () => {
    const mine = { ...pack(1), id: "ours" }
    expect(rows(placed([pack(1)], [own("ours.json", mine)]))).toEqual([
      ["us-nm", 1, null, []],
      ["ours", 1, "ours.json", []],
    ])
  })
  test("a higher version of one that comes along takes its place", () => {
    expect(rows(placed([pack(1)], [own("nm.json", pack(7))]))).toEqual([["us-nm", 7, "nm.json", [1]]])
  })
  test("it does so on its own days: a version for other days stays", () => {
    const shipped = [pack(1, null, "2020-01-01"), pack(2, "2020-01-01", null)]
    expect(rows(placed(shipped, [own("nm.json", pack(3, "2026-01-01"))]))).toEqual([
      ["us-nm", 1, null, []],
      ["us-nm", 3, "nm.json", [2]],
    ])
  })
  test.each([
    ["the same version", pack(2)],
    ["a lower one", pack(1)],
    ["the same version for other days", pack(2, "2030-01-01")],
  ])("%s is refused, with its file", (_, mine) => {
    expect(() => placed([pack(2, null, "2030-01-01")], [own("nm.json", mine)])).toThrow(
      /^nm\.json: version \d of us-nm is not higher than version 2, which comes along$/,
    )
  })
  test("two of its own for one day are refused, with both files; two for days apart go together", () => {
    const [one, two] = [own("a.json", pack(2, null, "2026-01-02")), own("b.json", pack(3, "2026-01-01"))]
    const why = "a.json and b.json are both us-nm (versions 2 and 3) and in force on one day"
    expect(() => placed([pack(1)], [one, two])).toThrow(why)
    const apart = own("b.json", pack(3, "2026-01-02"))
    expect(rows(placed([pack(1)], [one, apart]))).toEqual([
      ["us-nm", 2, "a.json", [1]],
      ["us-nm", 3, "b.json", [1]],
    ])
  })
})
