import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { pixels, placed, type Scale } from "./boxes.ts"

const scene = { width_px: 1280, height_px: 720 }
const raw = { x: 100, y: 50, width: 40, height: 10 }
const left = { box: null, doubts: ["box-left-out"] }

describe("a box in the scene", () => {
  test("counts the scene's pixels when nothing else is told", () => {
    expect(placed(raw, pixels, scene).box).toEqual({ x_px: 100, y_px: 50, width_px: 40, height_px: 10 })
    expect(placed(raw, pixels, null).box).toEqual({ x_px: 100, y_px: 50, width_px: 40, height_px: 10 })
  })
  test("grows with the scene when the reader saw a smaller frame of its shape", () => {
    const scale: Scale = { counts: "pixels", frame: { width_px: 640, height_px: 360 } }
    expect(placed(raw, scale, scene).box).toEqual({ x_px: 200, y_px: 100, width_px: 80, height_px: 20 })
  })
  test("is left out when the scene has another shape than the frame: it was cut, and nobody knows where", () => {
    expect(placed(raw, { counts: "pixels", frame: { width_px: 640, height_px: 480 } }, scene)).toEqual(left)
  })
  test("in shares needs a frame or a scene, and in an unknown unit is left out", () => {
    const share = { x: 0.25, y: 0.5, width: 0.5, height: 0.25 }
    const box = { x_px: 320, y_px: 360, width_px: 640, height_px: 180 }
    expect(placed(share, { counts: 1, frame: null }, scene).box).toEqual(box)
    expect(placed(share, { counts: 1, frame: scene }, null).box).toEqual(box)
    expect(placed(share, { counts: 1, frame: null }, null)).toEqual(left)
    expect(placed(raw, { counts: "unknown", frame: scene }, scene)).toEqual(left)
  })
  test("that is none is no doubt", () =>
    expect(placed(null, pixels, scene)).toEqual({ box: null, doubts: [] }))
  test("lies in whole pixels within the scene, whatever was told", () => {
    const number = fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: -2_000, max: 3_000 }))
    const side = fc.constantFrom(0.5, 1, 640, 360, 70_000, 1e12)
    fc.assert(
      fc.property(
        fc.record({ x: number, y: number, width: number, height: number }),
        fc.record({
          counts: fc.constantFrom("pixels" as const, 1, 1_000, 8_192),
          frame: fc.option(fc.record({ width_px: side, height_px: side })),
        }),
        fc.constantFrom(scene, null),
        (told, scale, within) => {
          const { box } = placed(told, scale, within)
          if (box === null) return
          const { x_px, y_px, width_px, height_px } = box
          const whole = within ?? { width_px: 65_535, height_px: 65_535 }
          expect([x_px, y_px, width_px, height_px].every(each => Number.isInteger(each) && each >= 0)).toBe(
            true,
          )
          expect(x_px + width_px).toBeLessThanOrEqual(whole.width_px)
          expect(y_px + height_px).toBeLessThanOrEqual(whole.height_px)
        },
      ),
    )
  })
})
