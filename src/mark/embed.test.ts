import { describe, expect, test } from "vitest"
import { chanceOf } from "../drawing/chance.ts"
import { biasesOf, chipsOf } from "./code.ts"
import { embed } from "./embed.ts"
import { gridOf } from "./lapped.ts"
import type { Rgb } from "./plane.ts"
import { survivalOf, psnrFor } from "./policy.ts"
import { runsOf, type Runs } from "./runs.ts"

const [width_px, height_px] = [200, 160]

function picture(grain: number): Rgb {
  const chance = chanceOf("embed", grain)
  const rgb = new Uint8Array(width_px * height_px * 3)
  for (let i = 0; i < rgb.length; i += 3) {
    const [x, y] = [(i / 3) % width_px, Math.floor(i / 3 / width_px)]
    const value = 120 + 40 * Math.sin(x / 9) * Math.cos(y / 7) + chance.between(-grain, grain)
    rgb.fill(value, i, i + 3)
  }
  return { rgb, width_px, height_px }
}

function codewordOf(original: Rgb, seed: number) {
  const biases = biasesOf(new Uint8Array(32).fill(1), gridOf(original).count)
  return { biases, chips: chipsOf(new Uint8Array(32).fill(seed), biases) }
}

function copied(original: Rgb): Rgb {
  return { ...original, rgb: Uint8Array.from(original.rgb) }
}

/** The structural similarity over blocks of 8 × 8, of red. */
function likeness(one: Rgb, other: Rgb): number {
  let sum = 0
  for (let y = 0; y < height_px; y += 8)
    for (let x = 0; x < width_px; x += 8) {
      const blocks = [one, other].map(({ rgb }) =>
        Array.from({ length: 64 }, (_, i) => rgb[3 * ((y + (i >> 3)) * width_px + x + (i & 7))]!),
      )
      const means = blocks.map(block => block.reduce((all, value) => all + value, 0) / 64)
      const moment = (i: number, j: number) =>
        blocks[i]!.reduce((all, value, n) => all + (value - means[i]!) * (blocks[j]![n]! - means[j]!), 0) / 64
      sum += (2 * moment(0, 1) + 58.5) / (moment(0, 0) + moment(1, 1) + 58.5)
    }
  return sum / ((width_px * height_px) / 64)
}

const half = Uint8Array.from({ length: width_px * height_px }, (_, i) =>
  i % width_px < width_px / 2 ? 1 : 0,
)

const left = runsOf(half, width_px)

/** The peak signal to noise over what is shown, in dB. */
function reached_db(original: Rgb, copy: Rgb, { shown_px }: Runs): number {
  const squares = copy.rgb.reduce((sum, value, i) => sum + (value - original.rgb[i]!) ** 2, 0)
  return 10 * Math.log10((255 ** 2 * 3 * shown_px) / squares)
}

describe("a mark", () => {
  test.each([44, 42])("at %i dB changes what is kept by no more than that, and by little less", psnr_db => {
    const original = picture(30)
    const copy = copied(original)
    embed(original, copy, { codeword: codewordOf(original, 2), shown: left, psnr_db })
    const reached = reached_db(original, copy, left)
    expect(reached).toBeGreaterThanOrEqual(psnr_db)
    expect(reached).toBeLessThan(psnr_db + 1)
  })

  test.each([8, 16, 24])("has what was asked where busy cells of %i pixels lie beside calm ones", side_px => {
    const calm = picture(8)
    const busy = picture(60)
    const rgb = calm.rgb.map((value, i) => {
      const [x, y] = [Math.floor(i / 3) % width_px, Math.floor(i / 3 / width_px)]
      const isBusy = (Math.floor(x / side_px) + Math.floor(y / side_px)) % 2 === 1
      return isBusy ? busy.rgb[i]! : value
    })
    const original = { rgb, width_px, height_px }
    const copy = copied(original)
    embed(original, copy, { codeword: codewordOf(original, 2), shown: left, psnr_db: 44 })
    const reached = reached_db(original, copy, left)
    expect(reached).toBeGreaterThanOrEqual(44)
    expect(reached).toBeLessThan(44.2)
  })

  test("is weaker where a picture is so flat that 44 dB would change its structure", () => {
    const original = picture(4)
    const copy = copied(original)
    const shown = runsOf(half.slice().fill(1), width_px)
    embed(original, copy, { codeword: codewordOf(original, 2), shown, psnr_db: 40 })
    expect(reached_db(original, copy, shown)).toBeGreaterThan(41)
    expect(likeness(original, copy)).toBeGreaterThan(0.985)
  })

  test("leaves what is not kept as it is, and changes red, green and blue alike", () => {
    const original = picture(30)
    const copy = copied(original)
    // A face that is hidden amid what is kept.
    const kept = half.slice()
    for (let y = 40; y < 80; y += 1) kept.fill(0, y * width_px + 30, y * width_px + 60)
    const shown = runsOf(kept, width_px)
    embed(original, copy, { codeword: codewordOf(original, 2), shown, psnr_db: 44 })
    expect(shown.shown_px).toBe(half.length / 2 - 40 * 30)
    for (let i = 0; i < kept.length; i += 1) {
      const change = [0, 1, 2].map(c => copy.rgb[3 * i + c]! - original.rgb[3 * i + c]!)
      expect(new Set(change).size).toBe(1)
      if (kept[i] === 0) expect(change[0]).toBe(0)
    }
  })

  test("is faint where a picture is flat, however much was asked for", () => {
    const original = { rgb: new Uint8Array(width_px * height_px * 3).fill(90), width_px, height_px }
    const copy = copied(original)
    embed(original, copy, { codeword: codewordOf(original, 2), shown: left, psnr_db: 30 })
    expect(reached_db(original, copy, left)).toBeGreaterThan(45)
    expect(Math.max(...copy.rgb) - 90).toBeLessThanOrEqual(5)
  })

  test("is the same for the same holder, and another for another", () => {
    const original = picture(30)
    const marked = [2, 2, 3].map(seed => {
      const copy = copied(original)
      embed(original, copy, { codeword: codewordOf(original, seed), shown: left, psnr_db: 44 })
      return Buffer.from(copy.rgb).toString("base64")
    })
    expect(marked[0]).toBe(marked[1])
    expect(marked[0]).not.toBe(marked[2])
  })

  test("on nothing is none", () => {
    const original = picture(30)
    const copy = copied(original)
    const shown = runsOf(new Uint8Array(half.length), width_px)
    embed(original, copy, { codeword: codewordOf(original, 2), shown, psnr_db: 44 })
    expect(shown.shown_px).toBe(0)
    expect(copy.rgb).toEqual(original.rgb)
  })
})

test("what shows little is marked more strongly, and says what it does not survive", () => {
  expect([psnrFor(49_999, "usual"), psnrFor(50_000, "usual"), psnrFor(50_000, "strong")]).toEqual([
    42, 44, 42,
  ])
  const said = [10_000, 30_000, 60_000].map(marked_px => survivalOf({ marked_px, psnr_db: 44 }))
  expect(new Set(said).size).toBe(3)
})
