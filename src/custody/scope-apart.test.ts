import { describe, expect, test } from "vitest"
import { madeLog } from "../../test/made-log.ts"
import { newId } from "../ids.ts"
import { undoubted, type Box } from "../picture/level.ts"
import { examinationCommitment, formatExamination, parseExamination } from "../vault/findings.ts"
import { leftByDay, peopleApart, picturedOf, vehiclesApart, type Pictured } from "./scope-apart.ts"
import { knownOf } from "./scope-beside.ts"
import { countedTwice } from "./scope-engines.ts"

let crossings = 0

/** One face and one plate, at a second, in lane 1 of port a, in a crossing of its own. */
function image(seconds: number, more: Partial<Pictured> = {}): Pictured {
  crossings += 1
  return {
    ...{ capture: newId("cap"), port: "a", lane: "1", kind: "face", crossing: `crs_${crossings}` },
    ...{ captured_ms: 1000 * seconds, faces: 1, plates: 1, apart: 1, ...more },
  }
}

const least = (...images: Pictured[]) => [peopleApart(images).at_least, vehiclesApart(images).at_least]

describe("people and vehicles that are told apart", () => {
  test("two lanes at one time are two of each, one lane or another time is one", () => {
    expect(least(image(0), image(3, { lane: "2" }))).toEqual([2, 2])
    expect(least(image(0), image(3))).toEqual([1, 1])
    expect(least(image(0), image(4, { lane: "2" }))).toEqual([1, 1])
    expect(least(image(0), image(100, { port: "b", lane: "9" }))).toEqual([2, 2])
  })
  test("a crossing of several lanes is one passage, and a scene may show what the next lane's camera shows", () => {
    expect(least(image(0, { crossing: "x" }), image(1, { lane: "2", crossing: "x" }))).toEqual([1, 1])
    expect(least(image(0, { kind: "scene" }), image(1, { lane: "2" }))).toEqual([1, 1])
    const three = [
      image(0, { crossing: "x" }),
      image(1, { lane: "2", crossing: "x" }),
      image(1, { lane: "3" }),
    ]
    expect(least(...three)).toEqual([1, 1])
    expect(least(...three, image(2, { lane: "4" }))).toEqual([2, 2])
  })
  test("without its header an image is compared with none, and says so", () => {
    const headless = { captured_ms: null, crossing: null }
    const images = [image(0), image(0, { lane: "2", ...headless, faces: 3, apart: 3 })]
    expect(least(...images)).toEqual([3, 1])
    expect(peopleApart(images).how).toContain("The header of 1 is not at hand")
    expect(peopleApart([image(0)]).how).not.toContain("not at hand")
  })
  test("faces that overlap, or whose boxes are not at hand, are one person at least", () => {
    expect(least(image(0, { faces: 4, apart: 2 }))).toEqual([2, 1])
    const images = [image(0, { faces: 4, apart: null })]
    expect(peopleApart(images).at_least).toBe(1)
    expect(peopleApart(images).how).toContain("Where the faces are in 1 is not at hand")
    expect(least(image(0, { faces: 0, apart: 0, plates: 0 }))).toEqual([0, 0])
    // Two people set it where the finder saw none.
    expect(least(image(0, { faces: 1, apart: 0 }))).toEqual([1, 1])
  })
  test("nothing looked: nobody at least", () => {
    expect(least(image(0, { faces: null, plates: null, apart: null }))).toEqual([0, 0])
  })
})

test("of the faces that were found those that do not overlap are taken from the findings", async () => {
  const face = (x_px: number): Box => ({ x_px, y_px: 20, width_px: 30, height_px: 36 })
  const models = { plates: null, faces: null }
  const apartIn = async (faces: readonly Box[] | null) => {
    const found = { width_px: 640, height_px: 480, plates: [], faces, doubted: undoubted }
    const findingsJson = formatExamination(
      { found, quality: null, read: "unread", models, texts: null, sketch_sha256: null, plate_digests: [] },
      new Uint8Array(32),
    )
    const findings_commitment = examinationCommitment(parseExamination(findingsJson)!)
    const row = { headerJson: null, headerSignature: null, findingsJson }
    const bound = new Map([["cap_1", { header_sha256: "", findings_commitment }]])
    const beside = { rows: () => Promise.resolve(new Map([["cap_1", row]])) }
    return (await knownOf(beside, bound, ["cap_1"])).get("cap_1")?.apart
  }
  expect(await apartIn([face(10), face(100), face(200)])).toBe(3)
  // The second overlaps both others, which are two.
  expect(await apartIn([face(10), face(35), face(60)])).toBe(2)
  expect(await apartIn([face(10), { ...face(100), width_px: 5 }])).toBe(1)
  expect(await apartIn([])).toBe(0)
  expect(await apartIn(null)).toBe(0)
})

test("by day: what all permits up to its end come to, for logs at random; the last day is all", async () => {
  let days = 0
  for (let seed = 1; seed <= 6; seed += 1) {
    const made = madeLog(seed, 400)
    const [from, until] = ["2026-08-01T00:00:00.000Z", "2027-08-01T00:00:00.000Z"]
    const both = await countedTwice(made.log, {
      cause: { of: "organizations", organizations: made.organizations },
      windows: { from, until, narrower: null, wider: { from, until } },
      isCanary: () => false,
      beside: { rows: () => Promise.resolve(made.beside) },
    })
    const { permits } = both.sets
    const left = picturedOf(both, both.sets.left)
    const isDelivered = (permit: number) => made.log.rows.delivered.has(permit)
    const series = leftByDay(left, permits, isDelivered)
    expect([...new Set(series.map(({ day }) => day))].sort()).toEqual(series.map(({ day }) => day))
    for (const { day, images, people } of series) {
      const there = permits.filter(({ at }) => at.slice(0, 10) <= day)
      const of = (some: typeof permits) => {
        const ids = new Set(some.map(({ capture }) => capture))
        return left.filter(({ capture }) => ids.has(capture))
      }
      const [all, out] = [of(there), of(there.filter(({ permit }) => isDelivered(permit)))]
      expect(images).toEqual({ at_least: out.length, at_most: all.length })
      expect(people.at_most).toBe(all.reduce((sum, { faces }) => sum + (faces ?? 32), 0))
      // A crossing of several lanes is known by all that left.
      expect(people.at_least).toBeLessThanOrEqual(peopleApart(out).at_least)
    }
    const last = series.at(-1)!
    const { images, images_delivered, faces, undetermined } = both.answer.figures.left
    expect(last.images).toEqual({ at_least: images_delivered, at_most: images })
    const { at_least } = peopleApart(picturedOf(both, both.sets.leftDelivered))
    expect(last.people).toEqual({ at_least, at_most: faces + 32 * undetermined })
    days += series.length
  }
  expect(days).toBeGreaterThan(60)
})
