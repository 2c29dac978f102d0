import sharp, { type Sharp } from "sharp"
import { expect, test } from "vitest"
import { attacks, pixelsOf, raw } from "../../test/attacks.ts"
import { decodeLeak } from "./leak.ts"

const size = { width: 640, height: 400, channels: 3 as const }
const solid = "#808080"

const grained = (width: number, height: number) =>
  sharp({
    create: {
      width,
      height,
      channels: 3,
      background: "#888",
      noise: { type: "gaussian", mean: 128, sigma: 60 },
    },
  })
    .png()
    .toBuffer()

/** What a copy of L2 shows, from (200, 160) on, on solid; with a desktop around that, or not. */
async function copy(isFramed: boolean): Promise<Sharp> {
  const piece = { input: await grained(128, 88), left: 200, top: 160 }
  if (!isFramed) return sharp({ create: { ...size, background: solid } }).composite([piece])
  const page = await sharp({ create: { width: 560, height: 340, channels: 3, background: solid } })
    .png()
    .toBuffer()
  return sharp({ create: { ...size, background: "#222" } }).composite([
    { input: page, left: 40, top: 40 },
    piece,
  ])
}

const sideOf = ({ width_px, height_px }: { width_px: number; height_px: number }) => [width_px, height_px]

test.each([
  ["solid", false],
  ["solid and a desktop", true],
])("what a leak shows is cut out of the %s around it", async (_, isFramed) => {
  const { pixels } = await decodeLeak(await (await copy(isFramed)).png().toBuffer())
  const [width_px, height_px] = sideOf(pixels) as [number, number]
  expect(Math.abs(width_px - 128)).toBeLessThanOrEqual(16)
  expect(Math.abs(height_px - 88)).toBeLessThanOrEqual(16)
  expect(pixels.rgb).toHaveLength(3 * width_px * height_px)
})

test.each([
  ["darkened", "darker"],
  ["brightened", "gamma 1.4"],
  ["covered by noise", "noise σ 20"],
])("solid that was %s is known as solid", async (_, attack) => {
  const file = await attacks[attack]!(await pixelsOf(await copy(false)), "solid")
  const [width_px, height_px] = sideOf((await decodeLeak(file)).pixels) as [number, number]
  expect(Math.abs(width_px - 128)).toBeLessThanOrEqual(24)
  expect(Math.abs(height_px - 88)).toBeLessThanOrEqual(24)
})

test.each([
  ["brighter to one side", "#303030", 24],
  ["nearly black", "#0a0a0a", 0],
])("what lies around and is %s stays", async (_, background, light) => {
  const { rgb, ...rest } = await pixelsOf(
    sharp({ create: { ...size, background } }).composite([
      { input: await grained(128, 88), left: 200, top: 160 },
    ]),
  )
  const lit = rgb.map((value, at) => Math.min(255, value + (light * (Math.floor(at / 3) % 640)) / 640))
  const file = await raw({ rgb: lit, ...rest })
    .png()
    .toBuffer()
  expect(sideOf((await decodeLeak(file)).pixels)).toEqual([640, 400])
})

test("the negative of a negative is the picture, cut to what it shows", async () => {
  const file = await (await copy(false)).png().toBuffer()
  const inverted = await sharp(file).negate({ alpha: false }).png().toBuffer()
  const [asItIs, turnedBack] = [await decodeLeak(file), await decodeLeak(inverted, { isNegative: true })]
  expect(sideOf(turnedBack.pixels)).toEqual(sideOf(asItIs.pixels))
  expect(Buffer.compare(turnedBack.pixels.rgb, asItIs.pixels.rgb)).toBe(0)
})

test("a JPEG's cut keeps its steps, since blocks stay whole", async () => {
  const { pixels, steps } = await decodeLeak(await (await copy(false)).jpeg({ quality: 70 }).toBuffer())
  expect(steps).toHaveLength(64)
  expect(sideOf(pixels).every(side => side < 160 && side % 8 === 0)).toBe(true)
})

test("what is all solid, and what is none, stays as it is", async () => {
  const blank = await sharp({ create: { ...size, background: solid } })
    .png()
    .toBuffer()
  for (const file of [blank, await grained(640, 400)])
    expect(sideOf((await decodeLeak(file)).pixels)).toEqual([640, 400])
})
