import type { AskedPair, Silhouette } from "../custody/adjudication.ts"
import type { Box } from "../picture/level.ts"

/** A pair as boxes in letters: how large the faces are, where they sit, and what is around them. */

const [columns, rows] = [34, 13]

/** Both pictures side by side: the face that is asked about solid, other faces and plates as outlines of letters. */
export function silhouetteLines({ subject, other }: AskedPair): string[] {
  const [left, right] = [linesOf(subject), linesOf(other)]
  return left.map((line, i) => `  ${line}   ${right[i] ?? ""}`)
}

function linesOf(of: Silhouette): string[] {
  const cells = Array.from({ length: rows }, () => Array.from({ length: columns }, () => "·"))
  const scale = { x: columns / of.width_px, y: rows / of.height_px }
  for (const plate of of.plates) fill(cells, plate, { scale, with: "=" })
  for (const face of of.faces) fill(cells, face, { scale, with: "o" })
  fill(cells, of.face, { scale, with: "█" })
  const { width_px, height_px } = of.face
  const [date, hour] = [of.hour.slice(0, 10), of.hour.slice(11, 13)]
  const head = `${date} ${hour} h  face ${width_px} × ${height_px} px`
  return [head.padEnd(columns), ...cells.map(line => line.join(""))]
}

function fill(
  cells: string[][],
  box: Box,
  of: { readonly scale: { readonly x: number; readonly y: number }; readonly with: string },
): void {
  const { scale } = of
  const from = { x: Math.floor(box.x_px * scale.x), y: Math.floor(box.y_px * scale.y) }
  const to = {
    x: Math.max(from.x + 1, Math.ceil((box.x_px + box.width_px) * scale.x)),
    y: Math.max(from.y + 1, Math.ceil((box.y_px + box.height_px) * scale.y)),
  }
  for (const line of cells.slice(from.y, to.y))
    for (let x = from.x; x < Math.min(to.x, columns); x += 1) line[x] = of.with
}

/** A page that shows the two pictures with the faces framed: what a browser opens. @param files  names beside it. */
export function pairPage(pair: AskedPair, files: readonly [subject: string, other: string]): string {
  const figures = [pair.subject, pair.other].map((of, i) => {
    const { x_px, y_px, width_px, height_px } = of.face
    const frame = `<rect x="${x_px}" y="${y_px}" width="${width_px}" height="${height_px}"/>`
    // As wide as the picture, whatever strip is below it.
    const over = `<svg viewBox="0 0 ${of.width_px} ${of.height_px}">${frame}</svg>`
    return `<figure><img src="${encodeURIComponent(files[i] ?? "")}" alt="">${over}</figure>`
  })
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>pair ${pair.pair + 1}</title>
<style>body{margin:0;display:flex;gap:8px;background:#222}figure{margin:0;position:relative;flex:1}img{width:100%;display:block}
svg{position:absolute;left:0;top:0;width:100%}rect{fill:none;stroke:#ffd400;stroke-width:4}</style>
${figures.join("\n")}
</html>
`
}
