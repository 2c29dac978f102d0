import type { Pixels } from "../picture/pixels.ts"
import { assert } from "../fault.ts"
import { modelFiles, readModel } from "./model-file.ts"
import { openNetwork } from "./network.ts"
import { planesOf } from "./planes.ts"

/** What a plate is written with: 26 letters and ten digits. */
export const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/** Classes of a step: nothing new (0), then the alphabet in order. */
export const classCount = alphabet.length + 1

/**
 * What the recogniser sees, step by step from left to right: `classCount` probabilities for each step. What is no letter
 * and no digit (dots, bolts, seals, characters of other scripts) counts as nothing.
 */
export interface TextOdds {
  readonly steps: number
  readonly odds: Float32Array
}

export interface TextRecogniser {
  /**
   * Reads a line of text.
   * @param line  48 pixels high (`lineHeight_px`); its width is free, and sets the number of steps: one for 8 pixels.
   * Costs about 15 ms of one core for 48 × 192.
   */
  read(line: Pixels): Promise<TextOdds>
}

export const lineHeight_px = 48

/** Blue, green, red, −1 to 1. */
const channels = ([2, 1, 0] as const).map(from => ({ from, less: 127.5, over: 127.5 }))

/** The PP-OCRv4 mobile recogniser. @throws Fault MODEL */
export async function openTextRecogniser(): Promise<TextRecogniser> {
  const keys = new TextDecoder().decode(await readModel(modelFiles.characters)).split("\n")
  const network = await openNetwork(await readModel(modelFiles.textRecogniser))
  const classes = classesOf(keys)
  return {
    async read(line) {
      assert(line.height_px === lineHeight_px, "a line is as high as the recogniser takes")
      const outputs = await network.run({
        data: planesOf(line, channels),
        shape: [1, 3, lineHeight_px, line.width_px],
      })
      const [found] = outputs.values()
      const [, steps = 0, count = 0] = found?.shape ?? []
      assert(found !== undefined && count >= keys.length, "the recogniser knows all its characters")
      return { steps, odds: gathered(found.data, count, classes) }
    },
  }
}

/** Which of the network's classes stand for which of ours: its class 0 is the blank, class n the key n − 1. */
function classesOf(keys: readonly string[]): readonly (readonly [theirs: number, ours: number])[] {
  return keys.flatMap((key, i) => {
    const ours = key.length === 1 ? alphabet.indexOf(key.toUpperCase()) : -1
    return ours < 0 ? [] : [[i + 1, ours + 1] as const]
  })
}

function gathered(
  found: Float32Array,
  count: number,
  classes: readonly (readonly [number, number])[],
): Float32Array {
  const steps = found.length / count
  const odds = new Float32Array(steps * classCount)
  for (let step = 0; step < steps; step += 1) {
    const at = step * classCount
    let rest = 1
    for (const [theirs, ours] of classes) {
      const share = found[step * count + theirs] as number
      odds[at + ours] = (odds[at + ours] as number) + share
      rest -= share
    }
    odds[at] = Math.max(0, rest)
  }
  return odds
}
