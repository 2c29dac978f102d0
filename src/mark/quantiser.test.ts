import sharp from "sharp"
import { expect, test } from "vitest"
import { stepsOf } from "./quantiser.ts"

async function jpeg(quality: number, progressive: boolean): Promise<Uint8Array> {
  const rgb = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251)
  return sharp(rgb, { raw: { width: 64, height: 64, channels: 3 } })
    .jpeg({ quality, progressive })
    .toBuffer()
}

/** ITU-T T.81, table K.1. */
const firstRow = [16, 11, 10, 16, 24, 40, 51, 61]

test("the luma steps of a JPEG file are read in the order of frequencies, at quality 50 those of the standard", async () => {
  for (const progressive of [false, true]) {
    const steps = stepsOf(await jpeg(50, progressive))!
    expect([...steps.subarray(0, 8)]).toEqual(firstRow)
    expect([steps[8], steps[63]]).toEqual([12, 99])
  }
  expect(stepsOf(await jpeg(92, false))![0]).toBeLessThan(4)
})

test("what is no JPEG has none, and no bent or cut file throws", async () => {
  expect(stepsOf(new Uint8Array())).toBeNull()
  expect(stepsOf(Uint8Array.of(0x89, 0x50, 0x4e, 0x47))).toBeNull()
  const file = await jpeg(50, false)
  for (let at = 0; at < 700; at += 1) {
    stepsOf(file.subarray(0, at))
    stepsOf(file.map((byte, i) => (i === at ? byte ^ 0xff : byte)))
  }
})
