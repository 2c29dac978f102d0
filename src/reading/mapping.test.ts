import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { parseMapping } from "./mapping.ts"

const least = { time: { at: "/t", form: "ms" } }

describe("a mapping of a lane's configuration", () => {
  test("needs nothing but the time", () => expect(parseMapping(least)).toEqual(least))
  test("is shown in docs/readers.md as it is taken", () => {
    const page = readFileSync(new URL("../../docs/readers.md", import.meta.url), "utf8")
    const [, shown = ""] = /```json\n([\s\S]*?)```/.exec(page) ?? []
    expect(parseMapping(JSON.parse(shown))).toHaveProperty("health.kinds.door", "enclosure_opened")
  })
  test.each([
    ["that is missing", null, "/"],
    ["without a time", { plate: "/p" }, "time"],
    ["with an unknown key", { ...least, palte: "/p" }, "palte"],
    ["with a place that is no pointer", { ...least, plate: "p" }, "/plate"],
    [
      "with three places of a box",
      { ...least, box: { at: ["/a", "/b", "/c"], form: "sides", whole: null } },
      "/box/at",
    ],
    ["with an unknown form of time", { time: { at: "/t", form: "years" } }, "/time/form"],
    [
      "with an unknown kind of health",
      { ...least, health: { at: "/s", kinds: { a: "fine" } } },
      "/health/kinds/a",
    ],
    [
      "with a confidence of which nothing is whole",
      { ...least, confidence: { at: "/c", whole: 0 } },
      "/confidence/whole",
    ],
  ])("%s is refused, and the place is named", (_, value, place) => {
    expect(() => parseMapping(value)).toThrow(
      expect.objectContaining({ code: "CONFIG", message: expect.stringContaining(place) as string }),
    )
  })
})
