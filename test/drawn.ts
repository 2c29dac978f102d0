import { examine } from "../src/custody/examine.ts"
import { drawCapture } from "../src/drawing/capture.ts"
import { sealAndAdmit, type TestPort } from "./port.ts"

/** Drawn vehicles of one lane, sealed in and examined by our own finders: their captures, and the pictures behind them. */
export async function takeInDrawn(
  port: TestPort,
  { seed, hour, count }: { readonly seed: string; readonly hour: number; readonly count: number },
): Promise<{ readonly captures: readonly string[]; readonly pictures: readonly Uint8Array[] }> {
  const captures: string[] = []
  const pictures: Uint8Array[] = []
  for (let index = 0; index < count; index += 1) {
    const { picture, plate, faces } = await drawCapture({ seed, lane: 1, hour, index })
    const event = { v: 1, source: "index", file: null, plates: [plate], faces } as const
    captures.push((await sealAndAdmit(port, { picture, event })).capture)
    pictures.push(picture)
  }
  await Promise.all(captures.map(capture => examine(port.house, capture, { again: false })))
  return { captures, pictures }
}
