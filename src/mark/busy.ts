import type { Area } from "./lapped.ts"
import { boxAround, cell_px, piecesOf, type Cells } from "./pieces.ts"
import type { View } from "./view.ts"

/** Grey levels, squared: what is drawn over a picture varies less than this within a cell, a camera's picture mostly more. */
const leastVariance = 1

/** A cell counts where so many of it and the eight around it are busy: the edge of a bar is only a line of them. */
const enoughAround = 7

/** What hangs together with fewer cells than this share of the largest piece's is lettering, or a pattern. */
const leastShare = 0.1

/**
 * The box of what is busy all over, as pictures are and bars, their patterns, windows and lettering are not; `null` where nothing is.
 * Costs about 3 ns a pixel.
 */
export function busyBox(view: View): Area | null {
  const pieces = piecesOf(inside(busyCells(view)))
  const largest = Math.max(...pieces.map(({ cells }) => cells))
  return boxAround(
    pieces
      .filter(({ cells }) => cells >= leastShare * largest)
      .map(piece => ({
        ...piece,
        left: Math.max(0, piece.left - 1),
        top: Math.max(0, piece.top - 1),
        right: piece.right + 1,
        bottom: piece.bottom + 1,
      })),
    view.luma,
  )
}

function busyCells({ luma, valid }: View): Cells {
  const { width_px, height_px } = luma
  const [across, down] = [Math.floor(width_px / cell_px), Math.floor(height_px / cell_px)]
  const cells = { values: new Uint8Array(across * down), across, down }
  for (let row = 0, n = 0; row < down; row += 1)
    for (let column = 0; column < across; column += 1, n += 1) {
      let [count, sum, squares] = [0, 0, 0]
      for (let y = 0; y < cell_px; y += 1) {
        const start = (row * cell_px + y) * width_px + column * cell_px
        for (let at = start; at < start + cell_px; at += 1) {
          const value = luma.values[at] as number
          count += valid.values[at] as number
          sum += value
          squares += value * value
        }
      }
      const variance = squares / cell_px ** 2 - (sum / cell_px ** 2) ** 2
      cells.values[n] = 2 * count >= cell_px ** 2 && variance >= leastVariance ? 1 : 0
    }
  return cells
}

/** Those that most around are like; beyond the picture's edge lies what its edge is. */
function inside({ values, across, down }: Cells): Cells {
  const within = (at: number, size: number) => Math.max(0, Math.min(size - 1, at))
  const count = (_: number, at: number) => {
    const [row, column] = [Math.floor(at / across), at % across]
    let around = 0
    for (let y = row - 1; y <= row + 1; y += 1)
      for (let x = column - 1; x <= column + 1; x += 1)
        around += values[within(y, down) * across + within(x, across)] as number
    return around >= enoughAround ? 1 : 0
  }
  return { values: values.map(count), across, down }
}
