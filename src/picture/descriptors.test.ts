import { createHash } from "node:crypto"
import fc from "fast-check"
import sharp from "sharp"
import { beforeAll, describe as suite, expect, test } from "vitest"
import { chanceOf } from "../drawing/chance.ts"
import {
  descriptorsOf,
  leakDescriptorsOf,
  maxDescriptors,
  parseDescriptors,
  record_bytes,
  testPattern,
  type Descriptor,
} from "./descriptors.ts"
import type { Box } from "./level.ts"
import { colours, type Pixels } from "./pixels.ts"
import { parseSketch, sketchLimits, sketchOf } from "./sketch.ts"

const side = 400

function blank(width_px: number, height_px: number, value: number): Pixels {
  return { rgb: new Uint8Array(width_px * height_px * 3).fill(value), width_px, height_px }
}

/** Rectangles over each other, each of one grey, with a little noise. */
function picture(seed: string, width_px = side, height_px = side): Pixels {
  const chance = chanceOf(seed)
  const pixels = blank(width_px, height_px, 90)
  for (let n = 0; n < 160; n += 1) {
    const [left, top] = [chance.index(width_px), chance.index(height_px)]
    const [right, bottom] = [left + 8 + chance.index(50), top + 8 + chance.index(50)]
    const value = chance.index(256)
    for (let y = top; y < Math.min(height_px, bottom); y += 1) {
      pixels.rgb.fill(value, (y * width_px + left) * 3, (y * width_px + Math.min(width_px, right)) * 3)
    }
  }
  for (let at = 0; at < pixels.rgb.length; at += 3) {
    pixels.rgb.fill(Math.min(255, pixels.rgb[at]! + chance.index(4)), at, at + 3)
  }
  return pixels
}

/** Turned clockwise by a quarter. */
function quarterTurned({ rgb, width_px, height_px }: Pixels): Pixels {
  const turned = blank(height_px, width_px, 0)
  for (let y = 0; y < height_px; y += 1) {
    for (let x = 0; x < width_px; x += 1) {
      const from = (y * width_px + x) * 3
      turned.rgb.set(rgb.subarray(from, from + 3), (x * height_px + height_px - 1 - y) * 3)
    }
  }
  return turned
}

/** What a copy shows that keeps `box` alone. */
function onlyKept(pixels: Pixels, box: Box): Pixels {
  const copy = blank(pixels.width_px, pixels.height_px, colours.solid[0])
  for (let y = box.y_px; y < box.y_px + box.height_px; y += 1) {
    const start = (y * pixels.width_px + box.x_px) * 3
    copy.rgb.set(pixels.rgb.subarray(start, start + box.width_px * 3), start)
  }
  return copy
}

function apart(one: Descriptor, other: Descriptor): number {
  const differing = one.bits.map((byte, i) => byte ^ other.bits[i]!)
  return [...differing].reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0)
}

const parsed = (bytes: Uint8Array) => parseDescriptors(bytes)!

suite("descriptors of a picture", () => {
  test("the pattern is the one of the format: a changed pattern would orphan every sketch that is kept", () => {
    expect([...testPattern.subarray(0, 8)]).toEqual([-6, 4, 0, 8, -6, -4, 4, 4])
    expect(createHash("sha256").update(testPattern).digest("hex")).toBe(
      "feae5d63c5425b69660e552337ac4624d9802365c976b31a153b0e18d96674f8",
    )
  })

  test("the same pixels give the same bytes, others give others", () => {
    const bytes = descriptorsOf(picture("one"), null, 200)
    expect(bytes).toEqual(descriptorsOf(picture("one"), null, 200))
    expect(bytes).not.toEqual(descriptorsOf(picture("other"), null, 200))
  })

  test("turned by a quarter, most corners are found again, their angle a quarter on, most of their bits the same", () => {
    const before = parsed(descriptorsOf(picture("turn"), null, 300))
    const after = parsed(descriptorsOf(quarterTurned(picture("turn")), null, 300))
    const kept = before.filter(one =>
      after.some(
        other =>
          one.scale === other.scale &&
          Math.abs(other.x_px - (side - 1 - one.y_px)) <= 2 &&
          Math.abs(other.y_px - one.x_px) <= 2 &&
          Math.abs(((other.angle - one.angle + 320) & 255) - 128) <= 2 &&
          apart(one, other) <= 32,
      ),
    )
    expect(before.length).toBeGreaterThan(200)
    expect(kept.length / before.length).toBeGreaterThan(0.8)
  })

  test("a flat picture has none, and neither has one too narrow or one that is solid", () => {
    expect(descriptorsOf(blank(640, 480, 200), null, 300)).toHaveLength(0)
    expect(leakDescriptorsOf(blank(640, 480, colours.solid[0]), null, 300)).toHaveLength(0)
    for (const [width, height] of [
      [1, 1],
      [3000, 5],
      [5, 3000],
      [2000, 20],
    ] as const) {
      expect(descriptorsOf(picture("narrow", width, height), null, 300)).toHaveLength(0)
    }
  })

  test("never more than asked for, each inside its part, whatever the size", () => {
    const sizes = fc.record({
      width: fc.integer({ min: 24, max: 900 }),
      height: fc.integer({ min: 24, max: 300 }),
    })
    const law = fc.property(sizes, fc.integer({ min: 0, max: 60 }), ({ width, height }, most) => {
      const pixels = picture("sizes", width, height)
      const part = { x_px: width >> 2, y_px: height >> 3, width_px: width >> 1, height_px: height >> 1 }
      const bytes = descriptorsOf(pixels, part, most)
      expect(bytes.length).toBeLessThanOrEqual(most * record_bytes)
      for (const { x_px, y_px } of parsed(bytes)) {
        expect(x_px >= part.x_px && x_px < part.x_px + part.width_px).toBe(true)
        expect(y_px >= part.y_px && y_px < part.y_px + part.height_px).toBe(true)
      }
      expect(descriptorsOf(pixels, null, most).length).toBeLessThanOrEqual(most * record_bytes)
    })
    fc.assert(law, { numRuns: 25, seed: 7 })
  })

  test("of a part, what lies around it changes nothing", () => {
    const box = { x_px: 90, y_px: 120, width_px: 240, height_px: 130 }
    const pixels = picture("part")
    const bytes = descriptorsOf(pixels, box, 180)
    expect(bytes.length).toBeGreaterThan(60 * record_bytes)
    expect(descriptorsOf(onlyKept(pixels, box), box, 180)).toEqual(bytes)
  })
})

suite("packed descriptors", () => {
  const bytes = descriptorsOf(picture("packed"), null, 50)

  test("a record is x, y, scale, angle and 256 bits", () => {
    const [first] = parsed(bytes)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    expect(first).toEqual({
      x_px: view.getUint16(0),
      y_px: view.getUint16(2),
      scale: 2 ** ((view.getUint8(4) - 32) / 16),
      angle: view.getUint8(5),
      bits: bytes.slice(6, 38),
    })
    expect(parsed(new Uint8Array())).toEqual([])
  })

  test("what is malformed is null: a cut record, too many, a scale below a half", () => {
    const tooMany = new Uint8Array((maxDescriptors + 1) * record_bytes).fill(99)
    expect(parseDescriptors(tooMany.subarray(record_bytes))).toHaveLength(maxDescriptors)
    expect(parseDescriptors(tooMany)).toBeNull()
    expect(parseDescriptors(bytes.subarray(1))).toBeNull()
    const small = bytes.slice()
    small[4] = 15
    expect(parseDescriptors(small)).toBeNull()
  })
})

suite("a sketch", () => {
  const pixels = picture("sketch", 800, 600)
  const plate = { x_px: 300, y_px: 300, width_px: 90, height_px: 30 }
  let bytes = new Uint8Array()

  beforeAll(async () => {
    bytes = Uint8Array.from(await sketchOf(pixels, [plate]))
  })

  test("is the whole and what L2 shows around each plate, and reads back", async () => {
    const region = { x_px: 210, y_px: 270, width_px: 270, height_px: 120 }
    const { parts, ...size } = parseSketch(bytes)!
    expect(size).toEqual({ width_px: 800, height_px: 600 })
    expect(parts.map(({ box, descriptors }) => ({ box, descriptors }))).toEqual([
      {
        box: { x_px: 0, y_px: 0, width_px: 800, height_px: 600 },
        descriptors: parsed(descriptorsOf(pixels, null, sketchLimits.whole)),
      },
      { box: region, descriptors: parsed(descriptorsOf(pixels, region, sketchLimits.region)) },
    ])
    expect(parseSketch(await sketchOf(pixels, []))!.parts).toHaveLength(1)
    expect(parseSketch(await sketchOf(blank(1, 1, 5), []))!.parts[0]!.descriptors).toEqual([])
  })

  test("holds of each part what it looks like, small and grey", async () => {
    const { rgb } = pixels
    const meanAround = (x: number, y: number) => {
      let sum = 0
      for (let row = y - 4; row <= y + 4; row += 1)
        for (let at = 3 * (800 * row + x - 4); at <= 3 * (800 * row + x + 4); at += 3)
          sum += 0.299 * rgb[at]! + 0.587 * rgb[at + 1]! + 0.114 * rgb[at + 2]!
      return sum / 81
    }
    const [whole, region] = parseSketch(bytes)!.parts.map(each => sharp(each.likeness))
    expect(await whole!.metadata()).toMatchObject({ format: "jpeg", width: 320, height: 240, channels: 1 })
    expect(await region!.metadata()).toMatchObject({ format: "jpeg", width: 270, height: 120 })
    const small = await whole!.blur(1.5).toColourspace("b-w").raw().toBuffer()
    for (const [x, y] of [
      [20, 30],
      [400, 300],
      [770, 560],
    ] as const)
      expect(Math.abs(small[320 * (y / 2.5) + x / 2.5]! - meanAround(x, y))).toBeLessThan(25)
  })

  test("has four regions at most, and stays within its bytes", async () => {
    const plates = [0, 1, 2, 3, 4, 5].map(n => {
      return { x_px: 60 + 220 * (n % 3), y_px: 100 + 250 * Math.floor(n / 3), width_px: 60, height_px: 24 }
    })
    const many = await sketchOf(pixels, plates)
    expect(many.length).toBeLessThanOrEqual(sketchLimits.bytes)
    expect(parseSketch(many)!.parts).toHaveLength(1 + sketchLimits.regions)
    const { whole, region, regions } = sketchLimits
    const perPart = 12 + 65_535
    expect(6 + perPart * (1 + regions) + record_bytes * (whole + region * regions)).toBe(417_421)
  })

  test("has no region for a plate that does not count", async () => {
    expect(parseSketch(await sketchOf(pixels, [{ ...plate, width_px: 700 }]))!.parts).toHaveLength(1)
  })

  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ["another version", b => b.fill(1, 0, 1)],
    ["no part", b => b.fill(0, 1, 2)],
    ["one part more than there is", b => b.fill(3, 1, 2)],
    ["one part fewer", b => b.fill(1, 1, 2)],
    ["six parts", b => b.fill(6, 1, 2)],
    ["a picture of another width", b => b.fill(9, 3, 4)],
    ["a whole that is not", b => b.fill(1, 7, 8)],
    ["one descriptor more than there is", b => b.fill(b[15]! + 1, 15, 16)],
    ["a likeness a byte longer", b => b.fill(b[17]! + 1, 17, 18)],
    ["a corner outside of its part", b => b.fill(255, 18, 20)],
    ["a scale that none has", b => b.fill(3, 22, 23)],
    ["a byte fewer", b => b.subarray(0, -1)],
    ["a byte more", b => Uint8Array.from([...b, 0])],
    ["nothing", b => b.subarray(0, 0)],
  ])("with %s is null", (_, bend) => {
    expect(parseSketch(bytes)).not.toBeNull()
    expect(parseSketch(bend(bytes.slice()))).toBeNull()
  })

  test("any bytes are a sketch or null, and never throw", () => {
    const law = fc.property(fc.uint8Array({ maxLength: 200 }), noise => {
      expect(parseSketch(noise)).toBeNull()
      expect(parseSketch(Uint8Array.from([...bytes.subarray(0, 60), ...noise]))).toBeNull()
    })
    fc.assert(law, { numRuns: 200, seed: 7 })
  })
})
