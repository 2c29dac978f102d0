import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { hasShared, sharedData } from "../../test/beside.ts"
import { drawCapture } from "../drawing/capture.ts"
import type { Box } from "../picture/level.ts"
import { decode } from "../picture/pixels.ts"
import { openFaceFinder } from "./face-finder.ts"
import { openPlateReader } from "./plate-reader.ts"
import { plateRegions } from "./plate-syntax.ts"
import { merged } from "./plate-vote.ts"
import { scoresOf, type Answer, type Truth } from "./score.ts"

/** Real photographs of vehicles, which lie beside the project and are never in it. */
const there = hasShared("plates/index.csv")
const skipped = there ? "" : " (skipped: no ../shared/data/plates)"

test.skipIf(!there)(
  `of 193 photographs the reader reads what it is published to read, and is right when it is sure${skipped}`,
  async () => {
    const reader = await openPlateReader()
    const rows = readFileSync(sharedData("plates/index.csv"), "utf8").trim().split("\n").slice(1)
    const pairs: (readonly [Truth, Answer])[] = []
    for (const row of rows) {
      const [file = "", group = "", x, y, width, height, plate = ""] = row.split(",")
      const box = { x_px: Number(x), y_px: Number(y), width_px: Number(width), height_px: Number(height) }
      const region = plateRegions.find(each => each === group) ?? "any"
      const pixels = await decode(readFileSync(sharedData(`plates/${file}`)))
      const reading = await reader.read(pixels, region)
      const text = reading.candidates[0]?.text ?? ""
      pairs.push([
        { group, plate, box },
        { state: reading.state, text, box: reading.box, cpu_ms: 0 },
      ])
    }
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

const holds = (box: Box, x: number, y: number) =>
  x > box.x_px && x < box.x_px + box.width_px && y > box.y_px && y < box.y_px + box.height_px

test("of the drawn port, at every hour, 95 % of plates are read right and 95 % of faces found", async () => {
  const [reader, finder] = [await openPlateReader(), await openFaceFinder(null)]
  let [plates, faces, found] = [0, 0, 0]
  const count = 60
  for (let index = 0; index < count; index += 1) {
    const drawn = await drawCapture({ seed: "slow", lane: (index % 4) + 1, hour: (index * 5.3) % 24, index })
    const pixels = await decode(drawn.picture)
    const reading = await reader.read(pixels, "any")
    if (merged(reading.candidates[0]?.text ?? "") === merged(drawn.plate.text)) plates += 1
    const boxes = (await finder.find(pixels)).map(({ box }) => box)
    for (const face of drawn.faces) {
      faces += 1
      const [x, y] = [face.x_px + face.width_px / 2, face.y_px + face.height_px / 2]
      if (boxes.some(box => holds(box, x, y))) found += 1
    }
  }
  expect(plates / count).toBeGreaterThanOrEqual(0.95)
  expect(found / faces).toBeGreaterThanOrEqual(0.95)
})
