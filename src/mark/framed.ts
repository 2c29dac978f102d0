import type { Area } from "./lapped.ts"
import { boxAround, cell_px, piecesOf, type Cells } from "./pieces.ts"
import type { Plane } from "./plane.ts"

/** What lies around the rest spans so much of a picture both ways, and fills less than this of it. */
const spans = 0.9
const fills = 0.7

/** What is inside of a frame and has fewer cells than this is an icon or a speck. */
const enoughCells = 30

/**
 * The box of what a frame surrounds: a screenshot of a copy whose solid area separates what it shows from the desktop around it.
 * `null` where nothing is framed. Costs about 2 ns a pixel.
 * @param valid  1 where a pixel shows something, 0 where it is solid.
 */
export function framedBox(valid: Plane): Area | null {
  const cells = cellsOf(valid)
  const { across, down } = cells
  const pieces = piecesOf(cells)
  const frame = pieces.find(
    ({ left, top, right, bottom, cells }) =>
      right - left >= spans * across &&
      bottom - top >= spans * down &&
      cells < fills * (right - left) * (bottom - top),
  )
  if (frame === undefined) return null
  return boxAround(
    pieces.filter(piece => piece !== frame && piece.cells >= enoughCells),
    valid,
  )
}

/** 1 for each cell of which half or more shows something. */
function cellsOf({ values, width_px, height_px }: Plane): Cells {
  const [across, down] = [Math.ceil(width_px / cell_px), Math.ceil(height_px / cell_px)]
  const counts = new Uint8Array(across * down)
  for (let y = 0, i = 0; y < height_px; y += 1) {
    const row = Math.floor(y / cell_px) * across
    for (let x = 0; x < width_px; x += 1, i += 1)
      if (values[i] === 1) counts[row + (x >> 3)] = (counts[row + (x >> 3)] as number) + 1
  }
  return { values: counts.map(count => (2 * count >= cell_px ** 2 ? 1 : 0)), across, down }
}
