import { describe, expect, test } from "vitest"
import sharp from "sharp"
import { lookAt } from "./picture-bytes.ts"

const drawn = (format: "jpeg" | "png" | "webp", options = {}) =>
  sharp({ create: { width: 96, height: 64, channels: 3, background: "#369" } })
    .toFormat(format, options)
    .toBuffer()

describe("what a picture's bytes say of themselves", () => {
  test.each([
    ["jpeg", {}],
    ["jpeg", { progressive: true }],
    ["jpeg", { chromaSubsampling: "4:4:4", optimizeCoding: true }],
    ["png", {}],
  ] as const)("format and size of a %s %j", async (format, options) => {
    expect(lookAt(await drawn(format, options))).toEqual({ format, width_px: 96, height_px: 64 })
  })
  test("a thumbnail's end within a segment does not end a picture that was cut", async () => {
    const bytes = await drawn("jpeg")
    const thumbnail = Buffer.from([0xff, 0xe1, 0, 6, 0xff, 0xd8, 0xff, 0xd9])
    const whole = Buffer.concat([bytes.subarray(0, 2), thumbnail, bytes.subarray(2)])
    expect(lookAt(whole)).toMatchObject({ width_px: 96 })
    expect(lookAt(whole.subarray(0, -2))).toBe("ends early")
  })
  test.each([
    ["cut at any byte before its end", "jpeg"],
    ["cut at any byte before its end", "png"],
  ] as const)("%s, no %s is whole", async (_, format) => {
    const bytes = await drawn(format)
    for (let size = 0; size < bytes.length; size += 1)
      expect(lookAt(bytes.subarray(0, size)), String(size)).toBeTypeOf("string")
  })
  test("other formats are none", async () => {
    expect(lookAt(await drawn("webp"))).toBe("is neither JPEG nor PNG")
    expect(lookAt(Buffer.from("BM"))).toBe("is neither JPEG nor PNG")
  })
  test("a picture of no pixels is none", async () => {
    const bytes = await drawn("png")
    expect(lookAt(bytes.fill(0, 16, 20))).toBe("has no pixels")
  })
})
