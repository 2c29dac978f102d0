import { crc32, deflateSync } from "node:zlib"
import sharp, { type Sharp } from "sharp"
import { beforeAll, describe as suite, expect, test } from "vitest"
import type { FaultCode } from "../fault.ts"
import type { Extent, Level } from "../grant/level.ts"
import { pictureLimits } from "./format.ts"
import { keptBoxes, undoubted, type Box, type Findings } from "./level.ts"
import { colours, describe, keepRegions } from "./pixels.ts"

const width = 320
const height = 200

/** No pixel of it is one of our colours, so that a kept pixel is told from a painted one. */
function pattern(): Buffer {
  const rgb = Buffer.alloc(width * height * 3)
  for (let i = 0; i < rgb.length; i += 1) rgb[i] = i % 3 === 0 ? 5 + ((i * 7919) % 60) : 200 + ((i * 31) % 55)
  return rgb
}

function raw(rgb: Buffer): Sharp {
  return sharp(rgb, { raw: { width, height, channels: 3 } })
}

async function pixelsOf(bytes: Uint8Array): Promise<Buffer> {
  return sharp(bytes).raw().toBuffer()
}

function isInside(boxes: readonly Box[], x: number, y: number): boolean {
  return boxes.some(b => x >= b.x_px && x < b.x_px + b.width_px && y >= b.y_px && y < b.y_px + b.height_px)
}

async function refusal(work: Promise<unknown>): Promise<FaultCode | string> {
  return work.then(
    () => "nothing refused",
    error => error.code ?? String(error),
  )
}

const found: Findings = {
  width_px: width,
  height_px: height,
  plates: [{ x_px: 140, y_px: 120, width_px: 40, height_px: 14 }],
  faces: [{ x_px: 150, y_px: 100, width_px: 16, height_px: 16 }],
  doubted: undoubted,
}

let png: Buffer
let jpeg: Buffer
beforeAll(async () => {
  png = await raw(pattern()).png().toBuffer()
  jpeg = await raw(pattern()).jpeg({ quality: 90 }).toBuffer()
})

suite("redaction keeps, it does not hide", () => {
  test.each<Extent>([{ level: "L2" }, { level: "L2", region: "wide" }, { level: "L3" }])(
    "at %o a pixel is the original inside the kept boxes and solid elsewhere",
    async extent => {
      const { bytes, mediaType } = await keepRegions(png, extent, found, null)
      const original = pattern()
      const copy = await pixelsOf(bytes)
      const { keep, solid } = keptBoxes(extent.level, found, extent.region)
      const wrong: number[] = []
      for (let i = 0; i < copy.length; i += 1) {
        const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)]
        const isKept = isInside(keep, x, y) && !isInside(solid, x, y)
        if (copy[i] !== (isKept ? original[i] : colours.solid[0])) wrong.push(i)
      }
      expect(mediaType).toBe("image/png")
      expect(wrong).toEqual([])
    },
  )

  test("a silhouette has three colours of ours and no pixel of the original", async () => {
    const copy = await pixelsOf((await keepRegions(jpeg, { level: "L1" }, found, null)).bytes)
    const seen = new Set<string>()
    for (let i = 0; i < copy.length; i += 3) seen.add(copy.subarray(i, i + 3).join())
    expect([...seen].sort()).toEqual(
      Object.values(colours)
        .map(colour => colour.join())
        .sort(),
    )
  })

  test.each<Level>(["L1", "L2", "L3"])("without findings nothing is shown at %s", async level => {
    const copy = await pixelsOf((await keepRegions(png, { level }, null, null)).bytes)
    expect(copy.equals(Buffer.alloc(copy.length, 128))).toBe(true)
  })

  test("while no face finder has looked, L3 shows nothing", async () => {
    const copy = await pixelsOf(
      (await keepRegions(png, { level: "L3" }, { ...found, faces: null }, null)).bytes,
    )
    expect(copy.equals(Buffer.alloc(copy.length, 128))).toBe(true)
  })

  test("L4 is the full frame as a JPEG", async () => {
    const { bytes, mediaType } = await keepRegions(png, { level: "L4" }, null, null)
    const copy = await pixelsOf(bytes)
    const original = pattern()
    const error = copy.reduce((sum, value, i) => sum + Math.abs(value - (original[i] ?? 0)), 0) / copy.length
    expect(mediaType).toBe("image/jpeg")
    expect((await sharp(bytes).metadata()).chromaSubsampling).toBe("4:4:4")
    expect(error).toBeLessThan(8)
  })

  test("L0 is no picture", async () => {
    expect(await refusal(keepRegions(png, { level: "L0" }, found, null))).toBe("INVALID")
  })

  test("findings of a picture of another size are refused, not stretched", async () => {
    expect(await refusal(keepRegions(png, { level: "L2" }, { ...found, width_px: width + 1 }, null))).toBe(
      "INVALID",
    )
  })

  test("what transparency hides is not shown", async () => {
    const clear = await sharp({
      create: { width: 40, height: 40, channels: 4, background: { r: 1, g: 2, b: 3, alpha: 0 } },
    })
      .png()
      .toBuffer()
    const copy = await pixelsOf((await keepRegions(clear, { level: "L4" }, null, null)).bytes)
    expect(copy.every(value => Math.abs(value - 128) <= 1)).toBe(true)
  })

  test("a grey, a 16-bit and a CMYK picture give three channels of 8 bits", async () => {
    const kinds = [
      await raw(pattern()).toColourspace("b-w").png().toBuffer(),
      await raw(pattern()).toColourspace("rgb16").png().toBuffer(),
      await raw(pattern()).toColourspace("cmyk").jpeg().toBuffer(),
      await raw(pattern()).webp().toBuffer(),
      await raw(pattern()).png({ palette: true }).toBuffer(),
    ]
    for (const picture of kinds) {
      const copy = await keepRegions(picture, { level: "L2" }, found, null)
      expect(await sharp(copy.bytes).metadata()).toMatchObject({ width, height, channels: 3, depth: "uchar" })
    }
  })
})

suite("orientation and metadata", () => {
  test("boxes refer to the oriented picture", async () => {
    const turned = await raw(pattern()).jpeg().withMetadata({ orientation: 6 }).toBuffer()
    expect(await describe(turned)).toEqual({ width_px: height, height_px: width, format: "jpeg" })
    const plate = { x_px: 60, y_px: 200, width_px: 40, height_px: 14 }
    const findings = { width_px: height, height_px: width, plates: [plate], faces: null, doubted: undoubted }
    const copy = await keepRegions(turned, { level: "L2" }, findings, null)
    expect([copy.width_px, copy.height_px]).toEqual([height, width])
    const kept = await sharp(copy.bytes)
      .extract({ left: 60, top: 200, width: 40, height: 14 })
      .raw()
      .toBuffer()
    const right = await sharp(turned).autoOrient().raw().toBuffer()
    const expected = await sharp(right, { raw: { width: height, height: width, channels: 3 } })
      .extract({ left: 60, top: 200, width: 40, height: 14 })
      .raw()
      .toBuffer()
    expect(kept.equals(expected)).toBe(true)
  })

  test.each<Level>(["L1", "L2", "L4"])("no metadata of the picture is in the copy at %s", async level => {
    const canary = "CANARY-7Q"
    const marked = await raw(pattern())
      .jpeg()
      .withExif({ IFD0: { Copyright: canary }, IFD3: { GPSLatitudeRef: "N" } })
      .withXmp(`<x:xmpmeta xmlns:x="adobe:ns:meta/">${canary}</x:xmpmeta>`)
      .toBuffer()
    expect(marked.includes(canary)).toBe(true)
    const { bytes } = await keepRegions(marked, { level }, found, null)
    expect(Buffer.from(bytes).includes(canary)).toBe(false)
    const left = await sharp(bytes).metadata()
    expect([left.exif, left.xmp, left.iptc, left.icc, left.comments]).toEqual(Array(5).fill(undefined))
  })
})

suite("what is no picture is refused", () => {
  function chunk(type: string, data: Buffer): Buffer {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data])
    const ends = Buffer.alloc(8)
    ends.writeUInt32BE(data.length, 0)
    ends.writeUInt32BE(crc32(body), 4)
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)])
  }

  /** A PNG that claims a size and holds a few bytes of pixels. */
  function claiming(width_px: number, height_px: number): Buffer {
    const header = Buffer.alloc(13)
    header.writeUInt32BE(width_px, 0)
    header.writeUInt32BE(height_px, 4)
    header.set([8, 2, 0, 0, 0], 8)
    const start = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    const pixels = chunk("IDAT", deflateSync(Buffer.alloc(1000)))
    return Buffer.concat([start, chunk("IHDR", header), pixels, chunk("IEND", Buffer.alloc(0))])
  }

  test.each([
    [60_000, 60_000],
    [16_385, 10],
    [10, 16_385],
    [10_000, 5_001],
  ])("a header of %i × %i is over the limits before a pixel is decoded", async (w, h) => {
    expect(await refusal(describe(claiming(w, h)))).toBe("PICTURE_SIZE")
  })

  test("a header within the limits whose pixels are missing does not decode", async () => {
    expect(await refusal(describe(claiming(10_000, 5_000)))).toBe("PICTURE")
  })

  test("too many bytes", async () => {
    const padded = Buffer.concat([jpeg, Buffer.alloc(pictureLimits.bytes)])
    expect(await refusal(describe(padded))).toBe("PICTURE_SIZE")
  })

  test("formats that are not taken, though the decoder could", async () => {
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    const tiff = await raw(pattern()).tiff().toBuffer()
    const gif = await raw(pattern()).gif().toBuffer()
    for (const other of [svg, tiff, gif, Buffer.alloc(0), Buffer.from("%PDF-1.7")]) {
      expect(await refusal(describe(other))).toBe("PICTURE")
    }
  })

  test("an animation", async () => {
    const frames = sharp([png, await sharp(png).negate().png().toBuffer()], { join: { animated: true } })
    expect(await refusal(describe(await frames.webp().toBuffer()))).toBe("PICTURE")
  })

  test("cut anywhere, or with bytes of its pixels changed", async () => {
    for (const share of [0.02, 0.3, 0.6, 0.9]) {
      expect(await refusal(describe(jpeg.subarray(0, jpeg.length * share)))).toBe("PICTURE")
      expect(await refusal(describe(png.subarray(0, png.length * share)))).toBe("PICTURE")
    }
    const bent = Buffer.from(png)
    bent.writeUInt8(bent.readUInt8(png.length / 2) ^ 1, png.length / 2)
    expect(await refusal(describe(bent))).toBe("PICTURE")
  })

  test("no word of the file is in the refusal", async () => {
    const named = Buffer.concat([jpeg.subarray(0, 20), Buffer.from("CANARY-7Q"), jpeg.subarray(30, 500)])
    const error = await describe(named).catch((caught: unknown) => caught)
    expect(`${error}${JSON.stringify(error)}${(error as Error).stack}`).not.toContain("CANARY")
  })
})
