import sharp from "sharp"
import { beforeAll, describe as suite, expect, test } from "vitest"
import { drawCapture } from "../drawing/capture.ts"
import { chanceOf } from "../drawing/chance.ts"
import { biasesOf, chipsOf } from "../mark/code.ts"
import { gridOf } from "../mark/lapped.ts"
import { strongest } from "../mark/score.ts"
import { identity, shifting } from "../mark/warp.ts"
import { compareTo, sightOf, type Lie, type Sight, type Told } from "./compare.ts"
import { undoubted, type Box } from "./level.ts"
import { decode, marked, redacted, shownAt, type Pixels } from "./pixels.ts"

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
  const compared = (leak: Pixels, ...guesses: readonly Lie[]): { told: Told | null; described: number } => {
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
    return { told: compareTo(counted, leak, null, guesses), described }
  }

  test.each([false, true])("lies as all ways that are tried would tell (mirrored: %s)", isMirrored => {
    const leak = isMirrored ? mirrored : half
    const searched = compared(leak)
    const guessed = compared(leak, { warp: [2, 0, 2, 0, 2, -1.5, 0, 0], isMirrored })
    expect([searched.described, guessed.described]).toEqual([1, 0])
    expect(guessed.told!.isMirrored).toBe(isMirrored)
    expect(guessed.told!.alignment.likeness).toBeCloseTo(searched.told!.alignment.likeness, 2)
    expect(guessed.told!.shown_px).toBeGreaterThan(0.98 * searched.told!.shown_px)
    // Where it is not known which way round, both are laid.
    const lies = [false, true].map((isMirrored): Lie => ({ warp: [2, 0, 2, 0, 2, -1.5, 0, 0], isMirrored }))
    const both = compared(leak, ...lies)
    expect(both).toMatchObject({ described: 0, told: { isMirrored } })
    expect(both.told!.alignment.likeness).toBe(guessed.told!.alignment.likeness)
  })

  test.each([
    ["far off", { warp: shifting(300, 200), isMirrored: false }],
    ["too small", { warp: identity, isMirrored: false }],
  ])("is searched for where the guess is wrong: %s", (_, guess) => {
    const { told, described } = compared(half, guess)
    expect(described).toBe(1)
    expect(told!.isMirrored).toBe(false)
    expect(told!.alignment.likeness).toBeCloseTo(compared(half).told!.alignment.likeness, 2)
  })
})

test("a front that is much as in a mirror is searched for where only that way round was guessed", async () => {
  const size = { width: 480, height: 360 }
  const grain = async (seed: number) => {
    const chance = chanceOf("front", seed)
    const rgb = Uint8Array.from({ length: 3 * size.width * size.height }, () => chance.between(0, 256))
    return decode(
      await sharp(rgb, { raw: { ...size, channels: 3 } })
        .blur(3)
        .normalise()
        .png()
        .toBuffer(),
    )
  }
  const [both, own] = await Promise.all([grain(1), grain(2)])
  const at = (x: number, y: number, c: number) => 3 * (y * size.width + x) + c
  const original = { ...own, rgb: Uint8Array.from(own.rgb) }
  for (let y = 0; y < size.height; y += 1)
    for (let x = 0; x < size.width; x += 1)
      for (let c = 0; c < 3; c += 1) {
        const same = both.rgb[at(Math.min(x, size.width - 1 - x), y, c)]!
        original.rgb[at(x, y, c)] = 0.6 * same + 0.4 * own.rgb[at(x, y, c)]!
      }
  const sight = sightOf(original, [])
  const wrong = { warp: identity, isMirrored: true }
  const told = compareTo(sight, original, null, [wrong])!
  expect(told.isMirrored).toBe(false)
  expect(told.alignment.likeness).toBeGreaterThan(0.95)
  // Laid so alone it is alike enough to be taken for this original's.
  const { alignment } = compareTo({ ...sight, descriptors: [], boxes: [] }, original, null, [wrong])!
  expect(alignment.likeness).toBeGreaterThan(0.5)
  expect(alignment.likeness).toBeLessThan(0.7)
})

test("a leak may show what L2 does, usual or wide, and nothing else: each is tried once", () => {
  const original: Pixels = { rgb: new Uint8Array(3 * 800 * 600), width_px: 800, height_px: 600 }
  const whole = { x_px: 0, y_px: 0, width_px: 800, height_px: 600 }
  const plate = { x_px: 360, y_px: 300, width_px: 80, height_px: 20 }
  const usual = { x_px: 280, y_px: 280, width_px: 240, height_px: 80 }
  const wide = { x_px: 0, y_px: 280, width_px: 800, height_px: 250 }
  expect(sightOf(original, [plate]).boxes).toEqual([whole, usual, wide])
  const large = { x_px: 285, y_px: 300, width_px: 230, height_px: 74 }
  expect(sightOf(original, [large]).boxes).toHaveLength(2)
})

suite("what a leak says", () => {
  test("after AVIF, calm places that lost the mark with all else count no more than others: `even` says more than `plain`", async () => {
    const drawn = await drawCapture({ seed: "calm", lane: 2, hour: 12, index: 1 })
    const original = await decode(drawn.picture)
    const { width_px, height_px } = original
    const plates = [drawn.plate.box]
    const shown = shownAt("L2", { width_px, height_px, plates, faces: [], doubted: undoubted })
    const copy = redacted(original, shown)
    const keys = { biases: new Uint8Array(32).fill(1), codeword: new Uint8Array(32).fill(2) }
    marked(original, copy, { keys, policy: "usual", shown })
    const raw = { width: width_px, height: height_px, channels: 3 } as const
    const file = await sharp(copy.rgb, { raw }).avif({ quality: 30, effort: 2 }).toBuffer()
    const told = compareTo(sightOf(original, plates), await decode(await sharp(file).png().toBuffer()), null)!
    const biases = biasesOf(keys.biases, gridOf(original).count)
    const codeword = { biases, chips: chipsOf(keys.codeword, biases) }
    const [even, plain] = [told.even, told.plain].map(
      evidence => strongest([{ evidence, codeword }]).deviations,
    )
    expect(even).toBeGreaterThan(1.2 * plain!)
    expect(even).toBeGreaterThan(9)
    const stranger = { biases, chips: chipsOf(new Uint8Array(32).fill(3), biases) }
    expect(strongest([{ evidence: told.even, codeword: stranger }]).deviations).toBeLessThan(5)
  })
})
