import sharp from "sharp"
import { takeIn, type Shot, type TestPort } from "./port.ts"

/** A flat picture of 120 × 80 pixels whose reader claims one plate in it: enough wherever nobody looks at the pixels. */
export async function flatShot(): Promise<Shot> {
  const picture = new Uint8Array(
    await sharp({ create: { width: 120, height: 80, channels: 3, background: "#456" } })
      .jpeg()
      .toBuffer(),
  )
  const box = { x_px: 20, y_px: 20, width_px: 60, height_px: 20 }
  return {
    picture,
    event: { v: 1, source: "index", file: null, plates: [{ text: "SP7X042", box }], faces: [] },
  }
}

/** Captures of it, examined. @returns their ids, in order. */
export async function takeInPlain(port: TestPort, count: number): Promise<string[]> {
  const shot = await flatShot()
  const captures: string[] = []
  for (let i = 0; i < count; i += 1) captures.push((await takeIn(port, shot)).capture)
  return captures
}
