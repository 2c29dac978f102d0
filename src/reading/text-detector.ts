import type { Box } from "../picture/level.ts"
import type { Pixels } from "../picture/pixels.ts"
import { assert } from "../fault.ts"
import { modelFiles, readModel } from "./model-file.ts"
import { openNetwork } from "./network.ts"
import { planesOf, type Channel } from "./planes.ts"
import { placed, regionOf } from "./region.ts"
import { resized, type Size } from "./sampling.ts"
import { textsOf, type FoundText } from "./text-boxes.ts"

/** Finds lines of text. */
export interface TextDetector {
  /**
   * The lines of text in a part of a picture, best first, at most 200, in the picture's pixels.
   * @param part        whole pixels inside the picture.
   * @param longest_px  how large the part is shown to the network along its longer side; the cost grows with the square:
   * 960 × 540 takes about 120 ms of one core, 384 × 192 about 15.
   */
  find(pixels: Pixels, part: Box, longest_px: number): Promise<FoundText[]>
}

/** The network halves its input five times. */
const step_px = 32

/** Mean and deviation of ImageNet's colours, in the order that the network was trained on: blue, green, red. */
const channels: readonly Channel[] = [
  { from: 2, less: 255 * 0.485, over: 255 * 0.229 },
  { from: 1, less: 255 * 0.456, over: 255 * 0.224 },
  { from: 0, less: 255 * 0.406, over: 255 * 0.225 },
]

/** The PP-OCRv4 mobile text detector. @throws Fault MODEL */
export async function openTextDetector(): Promise<TextDetector> {
  const network = await openNetwork(await readModel(modelFiles.textDetector))
  return {
    async find(pixels, part, longest_px) {
      const shown = await resized(pixels, part, shownSize(part, longest_px))
      const { width_px, height_px } = shown
      const outputs = await network.run({
        data: planesOf(shown, channels),
        shape: [1, 3, height_px, width_px],
      })
      const [map] = outputs.values()
      assert(map?.data.length === width_px * height_px, "the detector answers with one number for each pixel")
      return textsOf({ odds: map.data, width_px, height_px }).map(({ region, score }) => {
        return { region: placed(region, regionOf(part), shown), score }
      })
    },
  }
}

function shownSize({ width_px, height_px }: Box, longest_px: number): Size {
  const zoom = longest_px / Math.max(width_px, height_px)
  const rounded = (side_px: number) => Math.max(step_px, Math.round((side_px * zoom) / step_px) * step_px)
  return { width_px: rounded(width_px), height_px: rounded(height_px) }
}
