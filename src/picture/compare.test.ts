import sharp from "sharp"
import { beforeAll, describe as suite, expect, test } from "vitest"
import { drawCapture } from "../drawing/capture.ts"
import { identity, shifting } from "../mark/warp.ts"
import { compareTo, sightOf, type Lie, type Sight, type Told } from "./compare.ts"
import type { Box } from "./level.ts"
import { decode, type Pixels } from "./pixels.ts"

suite("a leak that is compared where looking for it told that it lies", () => {
  let original: Pixels
  let plate: Box
  let half: Pixels
  let mirrored: Pixels

  beforeAll(async () => {
    const drawn = await drawCapture({ seed: "compare", lane: 1, hour: 10, index: 0 })
    plate = drawn.plate.box
    original = await decode(drawn.picture)
    const small = sharp(drawn.picture).resize(original.width_px / 2)
    half = await decode(await small.clone().jpeg({ quality: 60 }).toBuffer())
    mirrored = await decode(await small.clone().flop().jpeg({ quality: 60 }).toBuffer())
  })

  /** How often the original was described, which is what a right guess spares. */
  const compared = (leak: Pixels, guess: Lie | null): { told: Told | null; described: number } => {
    const sight = sightOf(original, [plate])
    let described = 0
    const counted: Sight = {
      original: sight.original,
      luma: sight.luma,
      boxes: sight.boxes,
      get descriptors() {
        described += 1
        return sight.descriptors
      },
    }
    return { told: compareTo(counted, leak, null, guess), described }
  }

  test.each([false, true])("lies as all ways that are tried would tell (mirrored: %s)", isMirrored => {
    const leak = isMirrored ? mirrored : half
    const searched = compared(leak, null)
    const guessed = compared(leak, { warp: [2, 0, 2, 0, 2, -1.5, 0, 0], isMirrored })
    expect([searched.described, guessed.described]).toEqual([1, 0])
    expect(guessed.told!.isMirrored).toBe(isMirrored)
    expect(guessed.told!.alignment.likeness).toBeCloseTo(searched.told!.alignment.likeness, 2)
    expect(guessed.told!.shown_px).toBeGreaterThan(0.98 * searched.told!.shown_px)
  })

  test.each([
    ["far off", { warp: shifting(300, 200), isMirrored: false }],
    ["too small", { warp: identity, isMirrored: false }],
  ])("is searched for where the guess is wrong: %s", (_, guess) => {
    const { told, described } = compared(half, guess)
    expect(described).toBe(1)
    expect(told!.isMirrored).toBe(false)
    expect(told!.alignment.likeness).toBeCloseTo(compared(half, null).told!.alignment.likeness, 2)
  })
})
