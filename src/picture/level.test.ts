import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  countedPlates,
  faceLimits,
  keptBoxes,
  plateLimits,
  undoubted,
  type Box,
  type Findings,
} from "./level.ts"

function box(x_px: number, y_px: number, width_px: number, height_px: number): Box {
  return { x_px, y_px, width_px, height_px }
}

const plate = box(500, 450, 200, 70)
const face = box(600, 370, 60, 80)
const found: Findings = { width_px: 1280, height_px: 800, plates: [plate], faces: [face], doubted: undoubted }

/** The first limit that this box breaks, as its reason's first words. */
function broken(limits: typeof plateLimits, one: Box): string | undefined {
  return limits.find(limit => !limit.holds(one, found))?.because
}

describe("what a level keeps", () => {
  test("L0 and L1 keep no pixel", () => {
    expect(keptBoxes("L0", found)).toEqual({ keep: [], solid: [] })
    expect(keptBoxes("L1", found)).toEqual({ keep: [], solid: [] })
  })

  test("L2 keeps the bare plate until a face finder has looked", () => {
    expect(keptBoxes("L2", { ...found, faces: null })).toEqual({ keep: [plate], solid: [] })
  })

  test("L2 keeps the plate grown by one width to each side, one height up and two down; faces stay solid", () => {
    expect(keptBoxes("L2", found)).toEqual({ keep: [box(300, 380, 600, 280)], solid: [face] })
  })

  test("a plate that is not below every face stays bare: beside people nothing around a claimed plate shows", () => {
    const beside = box(500, 300, 200, 70)
    expect(keptBoxes("L2", { ...found, plates: [beside], faces: [box(100, 290, 60, 80)] }).keep).toEqual([
      beside,
    ])
    const claimed = { plates: [], faces: [box(100, 290, 60, 80)] }
    expect(keptBoxes("L2", { ...found, plates: [beside], faces: [], doubted: claimed }).keep).toEqual([
      beside,
    ])
    const above = box(500, 370, 200, 70)
    expect(keptBoxes("L2", { ...found, plates: [above], faces: [box(100, 290, 60, 80)] }).keep).not.toEqual([
      above,
    ])
  })

  test("what a reader claims and nobody sees hides, and shows nothing", () => {
    const doubted = { plates: [box(0, 0, 300, 100)], faces: [box(610, 460, 20, 30)] }
    expect(keptBoxes("L2", { ...found, plates: [], faces: [], doubted }).keep).toEqual([])
    expect(keptBoxes("L3", { ...found, plates: [], doubted }).solid).toEqual(doubted.plates)
    expect(keptBoxes("L2", { ...found, faces: [], doubted }).solid).toEqual(doubted.faces)
    expect(keptBoxes("L3", { ...found, faces: [], doubted }).keep).toEqual([])
  })

  test("a grown plate is clipped to the picture", () => {
    expect(keptBoxes("L2", { ...found, plates: [box(0, 750, 100, 40)] }).keep).toEqual([box(0, 710, 200, 90)])
  })

  test("plates that would grow over half the picture stay bare", () => {
    const plates = [box(400, 300, 400, 130)]
    expect(keptBoxes("L2", { ...found, plates }).keep).toEqual(plates)
  })

  describe("a wide region", () => {
    const small = box(600, 500, 80, 20)
    const wide = (changed: Partial<Findings> = {}) =>
      keptBoxes("L2", { ...found, plates: [small], ...changed }, "wide")

    test("grows to the sides and down, by quarters, until it shows 200,000 pixels; never up; faces stay solid", () => {
      const within = box(620, 470, 20, 30)
      expect(wide({ faces: [within] })).toEqual({ keep: [box(200, 480, 880, 240)], solid: [within] })
    })

    test("is the usual one where that shows as much, and where no surroundings show", () => {
      const large = { ...found, plates: [box(500, 400, 260, 80)] }
      expect(keptBoxes("L2", large, "wide")).toEqual(keptBoxes("L2", large))
      expect(wide({ faces: null }).keep).toEqual([small])
      expect(wide({ faces: [box(100, 500, 60, 80)] }).keep).toEqual([small])
      const doubted = { plates: [], faces: [box(100, 500, 60, 80)] }
      expect(wide({ faces: [], doubted }).keep).toEqual([small])
    })

    test("is shared by plates: together they show so much", () => {
      const { keep } = wide({ plates: [small, box(200, 600, 80, 20)], faces: [] })
      expect(keep).toEqual([box(320, 480, 640, 180), box(0, 580, 560, 180)])
    })

    test("is at most half of its picture", () => {
      const { keep } = wide({ width_px: 400, height_px: 300, plates: [box(160, 150, 80, 20)], faces: [] })
      expect(keep).toEqual([box(0, 130, 400, 150)])
    })

    test("at the picture's edge reaches as far as it may, and ends", () => {
      const { keep } = wide({ plates: [box(0, 780, 80, 20)], faces: [] })
      expect(keep).toEqual([box(0, 760, 1280, 40)])
    })

    test("belongs to L2 alone", () => {
      for (const level of ["L0", "L1", "L3", "L4"] as const)
        expect(keptBoxes(level, found, "wide")).toEqual(keptBoxes(level, found))
    })
  })

  test("L3 keeps faces and leaves plates solid", () => {
    expect(keptBoxes("L3", found)).toEqual({ keep: [face], solid: [plate] })
    expect(keptBoxes("L3", { ...found, faces: null }).keep).toEqual([])
  })

  test("L4 keeps the whole picture", () => {
    expect(keptBoxes("L4", found)).toEqual({ keep: [box(0, 0, 1280, 800)], solid: [] })
  })

  test("a box that hides needs no limits: whatever is claimed as a plate is solid at L3, clipped outward", () => {
    const plates = [box(-10, 399.5, 2000, 3), box(Number.NaN, 0, 10, 10)]
    expect(keptBoxes("L3", { ...found, plates }).solid).toEqual([box(0, 399, 1280, 4)])
  })

  test("kept boxes lie inside the picture on whole pixels, whatever is claimed", () => {
    const anyNumber = fc.oneof(fc.integer({ min: -200, max: 2000 }), fc.double())
    const anyBox = fc.record({ x_px: anyNumber, y_px: anyNumber, width_px: anyNumber, height_px: anyNumber })
    const boxes = fc.array(anyBox, { maxLength: 40 })
    const any = fc.record({
      width_px: fc.integer({ min: 1, max: 1500 }),
      height_px: fc.integer({ min: 1, max: 1500 }),
      plates: boxes,
      faces: fc.option(boxes),
      doubted: fc.record({ plates: boxes, faces: boxes }),
    })
    const inside = (findings: Findings) => (one: Box) =>
      Object.values(one).every(Number.isInteger) &&
      one.x_px >= 0 &&
      one.y_px >= 0 &&
      one.width_px > 0 &&
      one.height_px > 0 &&
      one.x_px + one.width_px <= findings.width_px &&
      one.y_px + one.height_px <= findings.height_px
    fc.assert(
      fc.property(any, fc.constantFrom("L1", "L2", "L3", "L4"), (findings, level) => {
        const { keep, solid } = keptBoxes(level, findings, "wide")
        return [...keep, ...solid, ...keptBoxes(level, findings).keep].every(inside(findings))
      }),
    )
  })
})

describe("a box counts only within its limits, each for its own reason", () => {
  test.each([
    [box(500, 450, 200.5, 70), "whole pixels"],
    [box(-1, 450, 200, 70), "inside the picture"],
    [box(1100, 450, 200, 70), "inside the picture"],
    [box(500, 450, 0, 0), "not empty"],
    [box(500, 450, 15, 10), "16 × 8"],
    [box(500, 450, 20, 7), "16 × 8"],
    [box(0, 450, 970, 130), "3/4 as wide"],
    [box(500, 0, 400, 410), "half as high"],
    [box(0, 0, 700, 330), "22 %"],
    [box(500, 450, 79, 100), "0.8 to 8"],
    [box(100, 450, 900, 110), "0.8 to 8"],
  ])("plate %o: %s", (one, reason) => {
    expect(broken(plateLimits, one)).toContain(reason)
    expect(keptBoxes("L2", { ...found, plates: [one], faces: null }).keep).toEqual([])
    expect(broken(plateLimits, plate)).toBeUndefined()
  })

  test.each([
    [box(600, 400, 60, 80.5), "whole pixels"],
    [box(600, 400, 7, 8), "8 × 8"],
    [box(0, 0, 641, 401), "half as high and wide"],
    [box(600, 100, 390, 401), "half as high and wide"],
    [box(600, 400, 39, 100), "0.4 to 1.6"],
    [box(600, 400, 161, 100), "0.4 to 1.6"],
  ])("face %o: %s", (one, reason) => {
    expect(broken(faceLimits, one)).toContain(reason)
    expect(keptBoxes("L3", { ...found, faces: [one] }).keep).toEqual([])
    expect(broken(faceLimits, face)).toBeUndefined()
  })

  test("33 boxes are no finding: none counts", () => {
    const plates = Array.from({ length: 33 }, (_, i) => box(20 * i, 0, 16, 8))
    expect(countedPlates({ ...found, plates })).toEqual([])
    expect(countedPlates({ ...found, plates: plates.slice(1) })).toHaveLength(32)
  })

  test("boxes that would tile the picture together are no finding: none counts", () => {
    const plates = [0, 200, 400, 600].map(y_px => box(0, y_px, 640, 200))
    expect(countedPlates({ ...found, plates: plates.slice(0, 2) })).toHaveLength(2)
    expect(countedPlates({ ...found, plates })).toEqual([])
  })
})
