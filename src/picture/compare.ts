import { evidenceIn, laidOnto, type Compared } from "../mark/evidence.ts"
import { lumaOf } from "../mark/plane.ts"
import type { Steps } from "../mark/quantiser.ts"
import { startOf, type Match } from "../mark/starts.ts"
import { viewOf, type View } from "../mark/view.ts"
import { scaling, type Warp } from "../mark/warp.ts"
import {
  closeDescriptorsOf,
  leakDescriptorsOf,
  maxDescriptors,
  parseDescriptors,
  type Descriptor,
} from "./descriptors.ts"
import { keptBoxes, undoubted, type Box } from "./level.ts"
import type { Pixels } from "./pixels.ts"
import { parseSketch, sketchOf } from "./sketch.ts"

/** So many descriptors of a leak are looked for in the original. */
const leakDescriptors = 600

/** A start with which so many corners agree needs no other beside it. */
const plenty = 25

/**
 * Lays a leaked picture onto an original and takes from it what it says of the original's chips; `null` where it is none of
 * this original's. Nobody's chips are known here.
 * @param plates  of the original, whose surroundings a copy may show alone.
 */
export function compare(
  original: Pixels,
  leak: Pixels,
  plates: readonly Box[],
  steps: Steps | null,
): (Compared & { isMirrored: boolean }) | null {
  const sketch = parseSketch(sketchOf(original, plates))
  const descriptors = [
    ...(sketch?.parts ?? []).map(part => part.descriptors),
    parseDescriptors(closeDescriptorsOf(original, maxDescriptors)) ?? [],
  ]
  const luma = lumaOf(original)
  const { width_px, height_px } = original
  const boxes = [
    { x_px: 0, y_px: 0, width_px, height_px },
    ...keptBoxes("L2", { width_px, height_px, plates, faces: [], doubted: undoubted }).keep,
  ]
  const tries: { warp: Warp; view: View; pixels: Pixels; isMirrored: boolean; agreeing: number }[] = []
  for (const isMirrored of [false, true]) {
    const pixels = isMirrored ? flopped(leak) : leak
    const view = viewOf(pixels)
    const found = parseDescriptors(leakDescriptorsOf(pixels, leakDescriptors)) ?? []
    const matches = descriptors.flatMap(list => matchesOf(found, list))
    const start = startOf(matches, Math.max(leak.width_px, leak.height_px))
    if (start !== null) tries.push({ ...start, view, pixels, isMirrored })
    if (start !== null && start.agreeing >= plenty) break
    for (const box of boxes) tries.push({ warp: filling(box, leak), view, pixels, isMirrored, agreeing: 0 })
  }
  tries.sort((a, b) => b.agreeing - a.agreeing)
  const [first] = tries
  if (first === undefined) return null
  const laid = (first.agreeing >= plenty ? [first] : tries).map(each => ({
    ...each,
    alignment: laidOnto(luma, each.view, each.warp),
  }))
  laid.sort((a, b) => b.alignment.likeness - a.alignment.likeness)
  const [best] = laid
  if (best === undefined || best.alignment.likeness < leastLikeness) return null
  return {
    ...evidenceIn(original, best.view, best.alignment, best.isMirrored ? null : steps),
    isMirrored: best.isMirrored,
  }
}

/** Below this a leak is none of this original's. */
const leastLikeness = 0.1

/** The leak shows this box and nothing else. */
function filling(box: Box, leak: Pixels): Warp {
  const [x, , , , y] = scaling(box.width_px / leak.width_px, box.height_px / leak.height_px)
  return [x, 0, box.x_px, 0, y, box.y_px, 0, 0]
}

function flopped({ rgb, width_px, height_px }: Pixels): Pixels {
  const turned = new Uint8Array(rgb.length)
  for (let y = 0; y < height_px; y += 1)
    for (let x = 0; x < width_px; x += 1) {
      const [from, to] = [3 * (y * width_px + x), 3 * (y * width_px + width_px - 1 - x)]
      turned[to] = rgb[from] as number
      turned[to + 1] = rgb[from + 1] as number
      turned[to + 2] = rgb[from + 2] as number
    }
  return { rgb: turned, width_px, height_px }
}

function matchesOf(leak: readonly Descriptor[], original: readonly Descriptor[]): Match[] {
  const words = original.map(each => new Uint32Array(each.bits.slice().buffer))
  return leak.flatMap(each => {
    const own = new Uint32Array(each.bits.slice().buffer)
    let [nearest, at, second] = [72, -1, 256]
    words.forEach((other, i) => {
      let bits = 0
      for (let n = 0; n < 8; n += 1) bits += ones((own[n] as number) ^ (other[n] as number))
      if (bits < nearest) [second, nearest, at] = [nearest, bits, i]
      else if (bits < second) second = bits
    })
    const match = original[at]
    return match === undefined || nearest > 0.95 * second ? [] : [{ leak: each, original: match }]
  })
}

function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x5555_5555)
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
}
