import { columnsByDay, type Column } from "../src/incident/day-columns.ts"
import { number } from "../src/incident/scope-words.ts"
import type { Part } from "../src/incident/scope.ts"
import { graphic } from "./draw.ts"

const [width_px, height_px, base_px] = [640, 170, 140] as const

/** Above so many columns their numbers would not stand beside each other. */
const mostNumbered = 14
const mostDated = 6

/** Columns of images by day. Whoever does not see it is told its sum and its largest column. */
export function dayPlot(parts: readonly Part[]): SVGElement {
  const columns = columnsByDay(parts, 90)
  const most = columns.reduce((greatest, { images }) => Math.max(greatest, images), 1)
  const step_px = width_px / Math.max(columns.length, mostDated)
  const bars = columns.map((column, n) => {
    const bar_px = (column.images / most) * (base_px - 20)
    const at = { x: n * step_px + step_px * 0.1, width: step_px * 0.8 }
    const bar = graphic("rect", { ...at, y: base_px - bar_px, height: bar_px })
    bar.append(graphic("title", {}, `${daysOf(column)}: ${number(column.images)}`))
    const above = { x: (n + 0.5) * step_px, y: base_px - bar_px - 5, "text-anchor": "middle" }
    return columns.length > mostNumbered ? [bar] : [bar, graphic("text", above, number(column.images))]
  })
  const label = `images that left, by day: ${spoken(columns)}`
  return graphic(
    "svg",
    { viewBox: `0 0 ${width_px} ${height_px}`, class: "plot", role: "img", "aria-label": label },
    ...bars.flat(),
    graphic("line", { x1: 0, x2: width_px, y1: base_px, y2: base_px }),
    ...datesBelow(columns, step_px),
    ...(columns.length > mostNumbered
      ? [graphic("text", { x: 0, y: 12 }, `most in one column: ${number(most)}`)]
      : []),
  )
}

/** Of a few columns each date, else the first and the last. */
function datesBelow(columns: readonly Column[], step_px: number): SVGElement[] {
  const y = base_px + 20
  if (columns.length <= mostDated)
    return columns.map(({ from }, n) =>
      graphic("text", { x: (n + 0.5) * step_px, y, "text-anchor": "middle" }, from),
    )
  return [
    graphic("text", { x: 0, y }, columns[0]?.from ?? ""),
    graphic("text", { x: width_px, y, "text-anchor": "end" }, columns.at(-1)?.until ?? ""),
  ]
}

function daysOf({ from, until }: Column): string {
  return from === until ? from : `${from} to ${until}`
}

function spoken(columns: readonly Column[]): string {
  const [largest] = [...columns].sort((a, b) => b.images - a.images)
  if (largest === undefined) return "none"
  return `${columns.length} columns, the largest ${daysOf(largest)} with ${number(largest.images)}`
}
