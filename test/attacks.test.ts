import sharp from "sharp"
import { expect, test } from "vitest"
import { attacks, pixelsOf } from "./attacks.ts"

test.each(["none", "JPEG 90", "overlay 20 %", "screenshot", "mirror"])("after %s red is red", async name => {
  const red = await pixelsOf(
    sharp({ create: { width: 400, height: 300, channels: 3, background: "#c81e1e" } }),
  )
  const { rgb, width_px, height_px } = await pixelsOf(sharp(await attacks[name]!(red, "seed")))
  const middle = 3 * (width_px * (height_px >> 1) + (width_px >> 1))
  const off = [200, 30, 30].map((value, n) => Math.abs(value - rgb[middle + n]!))
  expect(Math.max(...off)).toBeLessThan(8)
})
