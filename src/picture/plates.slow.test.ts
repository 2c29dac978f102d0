import { existsSync, readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { countedPlates, undoubted } from "./level.ts"
import { describe, keepRegions } from "./pixels.ts"

const folder = new URL("../../../shared/data/plates/", import.meta.url)
const isThere = existsSync(new URL("index.csv", folder))

test.skipIf(!isThere)(
  "every annotated plate of 193 photographs counts, and is kept (skipped without ../shared)",
  async () => {
    const lines = readFileSync(new URL("index.csv", folder), "utf8").trim().split("\n").slice(1)
    expect(lines).toHaveLength(193)
    for (const line of lines) {
      const [file = "", , ...numbers] = line.split(",")
      const [x_px = 0, y_px = 0, width_px = 0, height_px = 0] = numbers.slice(0, 4).map(Number)
      const picture = readFileSync(new URL(file, folder))
      const { width_px: w, height_px: h } = await describe(picture)
      const findings = {
        width_px: w,
        height_px: h,
        plates: [{ x_px, y_px, width_px, height_px }],
        faces: null,
        doubted: undoubted,
      }
      expect([file, countedPlates(findings).length]).toEqual([file, 1])
      expect((await keepRegions(picture, { level: "L2" }, findings, null)).mediaType).toBe("image/png")
    }
  },
)
