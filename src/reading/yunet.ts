import { Fault } from "../fault.ts"
import type { FaceGuess, FaceNetwork } from "./face-finder.ts"
import { openNetwork, type Tensor } from "./network.ts"
import { planesOf } from "./planes.ts"

/** Pixels between the places of each of the three grids. */
const strides = [8, 16, 32] as const

/** Blue, green, red, 0 to 255. */
const channels = ([2, 1, 0] as const).map(from => ({ from, less: 0, over: 1 }))

/**
 * An operator's face detector in the format of YuNet: input [1, 3, height, width] in blue, green, red of 0 to 255;
 * outputs `cls_N`, `obj_N` and `bbox_N` for N of 8, 16, 32, one row for each place of that grid.
 * Source: Wu, Peng and Yu, YuNet: A Tiny Millisecond-level Face Detector, 2023; its box decoding.
 * @throws Fault MODEL for a model with other outputs.
 */
export async function openYunet(own: { bytes: Uint8Array; sha256: string }): Promise<FaceNetwork> {
  const network = await openNetwork(own.bytes)
  const trial = await network.run({ data: new Float32Array(3 * 64 * 64), shape: [1, 3, 64, 64] })
  for (const stride of strides) gridOf(trial, stride, (64 / stride) ** 2)
  return {
    model: `own sha256:${own.sha256}`,
    looks_px: [512, 1024],
    least: 0.3,
    async guess(shown, least) {
      const { width_px, height_px } = shown
      const outputs = await network.run({
        data: planesOf(shown, channels),
        shape: [1, 3, height_px, width_px],
      })
      return strides.flatMap(stride => {
        const across = width_px / stride
        return guessesOf(gridOf(outputs, stride, (across * height_px) / stride), { stride, across, least })
      })
    },
  }
}

interface Grid {
  readonly isFace: Float32Array
  readonly isThing: Float32Array
  readonly boxes: Float32Array
}

function gridOf(outputs: ReadonlyMap<string, Tensor>, stride: number, places: number): Grid {
  const take = (name: string, each: number) => {
    const data = outputs.get(`${name}_${stride}`)?.data
    if (data?.length !== places * each)
      throw new Fault("MODEL", `the face model has no output ${name}_${stride} in the format of YuNet`)
    return data
  }
  return { isFace: take("cls", 1), isThing: take("obj", 1), boxes: take("bbox", 4) }
}

/** score = √(face × thing); middle = (place + x, y) × stride; size = e^(width, height) × stride. */
function guessesOf(
  { isFace, isThing, boxes }: Grid,
  { stride, across, least }: { stride: number; across: number; least: number },
): FaceGuess[] {
  const found: FaceGuess[] = []
  for (let place = 0; place < isFace.length; place += 1) {
    const score = Math.sqrt(unit(isFace[place]) * unit(isThing[place]))
    if (score < least) continue
    const [dx = 0, dy = 0, dw = 0, dh = 0] = boxes.subarray(4 * place, 4 * place + 4)
    const [x, y] = [((place % across) + dx) * stride, (Math.floor(place / across) + dy) * stride]
    const [w, h] = [(Math.exp(dw) * stride) / 2, (Math.exp(dh) * stride) / 2]
    found.push({ left: x - w, top: y - h, right: x + w, bottom: y + h, score })
  }
  return found
}

function unit(value = 0): number {
  return Math.max(0, Math.min(1, value))
}
