import { isCanary } from "./canaries.ts"
import type { House } from "./house.ts"
import { foundIn } from "../vault/findings.ts"

/** What a lane's pictures are like, and nothing of any one of them: medians over many, rounded to 8 pixels. */
export interface Geometry {
  /** How many captures the medians are of. */
  readonly captures: number
  readonly width_px: number
  readonly height_px: number
  /** `null` where too few plates were found. */
  readonly plate: { readonly width_px: number; readonly height_px: number } | null
}

/** Fewer would tell of single captures. */
const least = 20
const most = 500
const grain_px = 8

/** The geometry of a lane, or `null` before 20 of its captures were examined. Opens nothing. */
export async function geometryOf(house: House, lane: string): Promise<Geometry | null> {
  const rows = await house.ledger.captures({ lanes: [lane], examined: true, limit: most })
  const found = rows.flatMap(row => {
    const held = foundIn(row)
    return held === null || isCanary(house, row.id) ? [] : [held]
  })
  if (found.length < least) return null
  const plates = found.flatMap(each => each.plates)
  return {
    captures: found.length,
    width_px: median(found.map(each => each.width_px)),
    height_px: median(found.map(each => each.height_px)),
    plate:
      plates.length < least
        ? null
        : {
            width_px: median(plates.map(box => box.width_px)),
            height_px: median(plates.map(box => box.height_px)),
          },
  }
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return Math.max(grain_px, Math.round((sorted[sorted.length >> 1] ?? 0) / grain_px) * grain_px)
}
