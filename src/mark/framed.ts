import type { Area } from "./lapped.ts"
import type { Plane } from "./plane.ts"

/** A leak is looked at in cells of so many pixels: a JPEG's blocks stay whole. */
const cell_px = 8

/** What lies around the rest spans so much of a picture both ways, and fills less than this of it. */
const spans = 0.9
const fills = 0.7

/** What is inside of a frame and has fewer cells than this is an icon or a speck. */
const enoughCells = 30

/** Cells that hang together. */
interface Piece extends Area {
  readonly cells: number
}

/**
 * The box of what a frame surrounds: a screenshot of a copy whose solid area separates what it shows from the desktop around it.
 * `null` where nothing is framed. Costs about 2 ns a pixel.
 * @param valid  1 where a pixel shows something, 0 where it is solid.
 */
export function framedBox(valid: Plane): Area | null {
  const [across, down] = [Math.ceil(valid.width_px / cell_px), Math.ceil(valid.height_px / cell_px)]
  const pieces = piecesOf(cellsOf(valid, across, down), across)
  const frame = pieces.find(
    ({ left, top, right, bottom, cells }) =>
      right - left >= spans * across &&
      bottom - top >= spans * down &&
      cells < fills * (right - left) * (bottom - top),
  )
  const inside = pieces.filter(piece => piece !== frame && piece.cells >= enoughCells)
  if (frame === undefined || inside.length === 0) return null
  const { left, top, right, bottom } = inside.reduce<Area>(around, inside[0] as Piece)
  return {
    left: left * cell_px,
    top: top * cell_px,
    right: Math.min(valid.width_px, right * cell_px),
    bottom: Math.min(valid.height_px, bottom * cell_px),
  }
}

function around(one: Area, other: Area): Area {
  return {
    left: Math.min(one.left, other.left),
    top: Math.min(one.top, other.top),
    right: Math.max(one.right, other.right),
    bottom: Math.max(one.bottom, other.bottom),
  }
}

/** 1 for each cell of which half or more shows something. */
function cellsOf({ values, width_px, height_px }: Plane, across: number, down: number): Uint8Array {
  const counts = new Uint8Array(across * down)
  for (let y = 0, i = 0; y < height_px; y += 1) {
    const row = Math.floor(y / cell_px) * across
    for (let x = 0; x < width_px; x += 1, i += 1)
      if (values[i] === 1) counts[row + (x >> 3)] = (counts[row + (x >> 3)] as number) + 1
  }
  return counts.map(count => (2 * count >= cell_px ** 2 ? 1 : 0))
}

/** Clears `cells`. */
function piecesOf(cells: Uint8Array, across: number): readonly Piece[] {
  const pieces: Piece[] = []
  for (let start = cells.indexOf(1); start >= 0; start = cells.indexOf(1, start + 1))
    pieces.push(pieceAt(cells, across, start))
  return pieces
}

function pieceAt(cells: Uint8Array, across: number, start: number): Piece {
  let [left, top, right, bottom, count] = [across, Infinity, 0, 0, 0]
  const waiting = [start]
  cells[start] = 0
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const [x, y] = [at % across, Math.floor(at / across)]
    count += 1
    left = Math.min(left, x)
    right = Math.max(right, x + 1)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y + 1)
    const beside = [x > 0 ? at - 1 : -1, x + 1 < across ? at + 1 : -1, at - across, at + across]
    for (const next of beside) {
      if (cells[next] !== 1) continue
      cells[next] = 0
      waiting.push(next)
    }
  }
  return { left, top, right, bottom, cells: count }
}
