import { busyBox } from "../mark/busy.ts"
import type { Area } from "../mark/lapped.ts"
import { viewOf, type View } from "../mark/view.ts"
import { leakDescriptorsOf } from "./descriptors.ts"
import type { Pixels } from "./pixels.ts"

/** So many corners of a leak are asked for, */
const corners = 600

/** and so many of all of it beside, where only a part of it, smaller than this share, looks like a picture. */
const cornersBeside = 400
export const smallShare = 0.7

/** A leak as it is, or as in a mirror. Looks of several kinds ask the same of it: each is answered once. */
export class Side {
  readonly pixels: Pixels
  #view: View | null = null
  #corners: Uint8Array | null = null

  constructor(pixels: Pixels) {
    this.pixels = pixels
  }

  get view(): View {
    return (this.#view ??= viewOf(this.pixels))
  }

  /** Packed. */
  get corners(): Uint8Array {
    return (this.#corners ??= leakCornersOf(this.pixels, this.view))
  }
}

const asItIs = new WeakMap<Pixels, Side>()
const mirrored = new WeakMap<Pixels, Side>()

/** A leak, or its mirror image, held as long as the leak's pixels are. */
export function sideOf(leak: Pixels, isMirrored: boolean): Side {
  const known = isMirrored ? mirrored : asItIs
  const side = known.get(leak) ?? new Side(isMirrored ? flopped(leak) : leak)
  known.set(leak, side)
  return side
}

/**
 * The corners of a leak, packed. Where bars were drawn over it, or it stands among other things, what looks like a picture
 * is looked at by itself, and so more closely: else the others' corners, which are sharper, are all that is seen.
 * @param view  of these pixels.
 */
function leakCornersOf(pixels: Pixels, view: View): Uint8Array {
  const busy = busyBox(view)
  if (busy === null || areaOf(busy) > smallShare * pixels.width_px * pixels.height_px)
    return leakDescriptorsOf(pixels, null, corners)
  const { left, top, right, bottom } = busy
  const part = { x_px: left, y_px: top, width_px: right - left, height_px: bottom - top }
  const lists = [leakDescriptorsOf(pixels, part, corners), leakDescriptorsOf(pixels, null, cornersBeside)]
  return Buffer.concat(lists)
}

export function areaOf({ left, top, right, bottom }: Area): number {
  return (right - left) * (bottom - top)
}

/** As in a mirror. */
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
