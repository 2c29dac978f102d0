import type { Area } from "./lapped.ts"

/** A leak is looked at in cells of so many pixels: a JPEG's blocks stay whole. */
export const cell_px = 8

/** Rows of cells, 1 where one counts. */
export interface Cells {
  readonly values: Uint8Array
  readonly across: number
  readonly down: number
}

/** Cells that hang together, and their box in cells. */
export interface Piece extends Area {
  readonly cells: number
}

/** What hangs together side by side or one above the other. Clears the cells. */
export function piecesOf({ values, across }: Cells): readonly Piece[] {
  const pieces: Piece[] = []
  for (let start = values.indexOf(1); start >= 0; start = values.indexOf(1, start + 1))
    pieces.push(pieceAt(values, across, start))
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

/** The box around all of them, in pixels of a picture of that size. `null` for none. */
export function boxAround(
  pieces: readonly Piece[],
  { width_px, height_px }: { readonly width_px: number; readonly height_px: number },
): Area | null {
  if (pieces.length === 0) return null
  const all = (side: "left" | "top" | "right" | "bottom") => pieces.map(piece => piece[side])
  return {
    left: Math.min(...all("left")) * cell_px,
    top: Math.min(...all("top")) * cell_px,
    right: Math.min(width_px, Math.max(...all("right")) * cell_px),
    bottom: Math.min(height_px, Math.max(...all("bottom")) * cell_px),
  }
}
