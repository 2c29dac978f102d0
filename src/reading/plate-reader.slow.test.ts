import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { hasShared, sharedData } from "../../test/beside.ts"
import { Turnstile } from "../turnstile.ts"
import { lookMemory_mb, openLooker } from "./looker.ts"
import { plateRegions } from "./plate-syntax.ts"
import { scoresOf, type Answer, type Truth } from "./score.ts"

const asked = { claims: [], readsAgreed: true, faces: null, sketches: false } as const
/** No more pictures at once than wait for a child. */
const turnstile = new Turnstile({ inside: 8, waiting: 200 })

/** Real photographs of vehicles, which lie beside the project and are never in it. */
const there = hasShared("plates/index.csv")
const skipped = there ? "" : " (skipped: no ../shared/data/plates)"

test.skipIf(!there)(
  `of 193 photographs the reader reads what it is published to read, and is right when it is sure${skipped}`,
  async () => {
    const looker = openLooker({ processes: 2, timeout_ms: 60_000, memory_mb: lookMemory_mb })
    const rows = readFileSync(sharedData("plates/index.csv"), "utf8").trim().split("\n").slice(1)
    const pairs = await Promise.all(
      rows.map(async (row): Promise<readonly [Truth, Answer]> => {
        const [file = "", group = "", x, y, width, height, plate = ""] = row.split(",")
        const box = { x_px: Number(x), y_px: Number(y), width_px: Number(width), height_px: Number(height) }
        const region = plateRegions.find(each => each === group) ?? "any"
        const picture = readFileSync(sharedData(`plates/${file}`))
        const reading = (await turnstile.pass(() => looker.look({ ...asked, picture, region }))).plate!
        const text = reading.candidates[0]?.text ?? ""
        return [
          { group, plate, box },
          { state: reading.state, text, box: reading.box, cpu_ms: 0 },
        ]
      }),
    )
    await looker.close()
    const scores = new Map(scoresOf(pairs).map(score => [score.group, score]))
    const count = (group: string, of: "found" | "merged" | "answered") => scores.get(group)![of].count
    expect(scores.get("all")!.n).toBe(193)
    expect(count("all", "found")).toBeGreaterThanOrEqual(190)
    expect(count("eu", "merged")).toBeGreaterThanOrEqual(0.92 * 85)
    expect(count("br", "merged")).toBeGreaterThanOrEqual(17)
    expect(count("us", "merged")).toBeGreaterThanOrEqual(0.8 * 90)
    expect(count("eu", "answered")).toBeGreaterThanOrEqual(0.8 * 85)
    for (const group of ["eu", "us", "all"]) {
      const { count: right, of } = scores.get(group)!.rightWhenSure
      expect(right / of, group).toBeGreaterThanOrEqual(0.97)
    }
  },
)
