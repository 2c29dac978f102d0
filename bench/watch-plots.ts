import type { Family } from "../src/drawing/traffic/attacks.ts"
import type { AttackRun } from "./watch-runs.ts"

/** Plots as SVG text: dots, lines and words. */

const ink = "#1b1b1b"
const pale = "#c9c9c9"
const hues = ["#005ea2", "#b50909", "#8168b3"] as const

interface Frame {
  readonly width: number
  readonly height: number
  readonly title: string
}

function framed({ width, height, title }: Frame, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="${ink}" role="img">`,
    `<title>${title}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="16" y="22" font-size="14">${title}</text>`,
    ...parts,
    "</svg>\n",
  ].join("\n")
}

const fixed = (value: number) => value.toFixed(1)

function label(x: number, y: number, text: string, anchor = "start"): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}">${text}</text>`
}

function rule(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${fixed(x1)}" y1="${fixed(y1)}" x2="${fixed(x2)}" y2="${fixed(y2)}" stroke="${pale}"/>`
}

/** Each run a dot: images let through before suspension by family, on a logarithmic scale. */
export function familiesPlot(runs: readonly AttackRun[], families: readonly Family[]): string {
  const [left, top, width, step] = [110, 60, 560, 24]
  const most = 1_000
  const x = (leaked: number) => left + (width * Math.log10(Math.max(1, leaked))) / Math.log10(most)
  const bottom = top + families.length * step
  const scale = [1, 2, 5, 10, 20, 60, 100, 300, 1_000].flatMap(tick => [
    rule(x(tick), top - 8, x(tick), bottom),
    label(x(tick), top - 14, String(tick), "middle"),
  ])
  const dots = families.flatMap((family, nth) => {
    const y = top + (nth + 0.5) * step
    const own = runs.filter(each => each.family === family)
    return [
      label(left - 10, y + 4, family, "end"),
      ...own.map(({ leaked, suspended }, i) => {
        const [cx, cy] = [x(Math.min(most, leaked)), y + ((i % 5) - 2) * 3]
        return `<circle cx="${fixed(cx)}" cy="${fixed(cy)}" r="3.5" fill="${suspended > 0 ? hues[0] : hues[1]}" fill-opacity="0.6"/>`
      }),
    ]
  })
  const title =
    "Images let through before suspension, one dot a seed; nothing denied by work orders or budgets"
  return framed({ width: left + width + 40, height: bottom + 20, title }, [...scale, ...dots])
}

export interface TraceLine {
  readonly name: string
  readonly points: readonly { readonly at_ms: number; readonly nats: number }[]
}

/** The points that can be told from the one kept before them. */
function seen(points: TraceLine["points"]): TraceLine["points"] {
  let kept = 0
  return points.filter(({ nats }) => {
    const isSeen = Math.abs(nats - kept) > 0.1
    if (isSeen) kept = nats
    return isSeen
  })
}

/** The statistic of people over days, with half of h and h. */
export function tracePlot(lines: readonly TraceLine[]): string {
  const [left, top, width, height] = [60, 50, 640, 260]
  const times = lines.flatMap(({ points }) => points.map(({ at_ms }) => at_ms))
  const [first, last] = [Math.min(...times), Math.max(...times)]
  const x = (at_ms: number) => left + (width * (at_ms - first)) / (last - first)
  const y = (nats: number) => top + height - (height * Math.min(20, nats)) / 20
  const scale = [0, 7, 14].flatMap(nats => [
    rule(left, y(nats), left + width, y(nats)),
    label(left - 8, y(nats) + 4, String(nats), "end"),
  ])
  const days = [0, 15, 30, 45, 60, 75, 90].map(day =>
    label(x(first + day * 86_400_000), top + height + 18, `day ${day}`, "middle"),
  )
  const drawn = lines.flatMap(({ name, points }, nth) => {
    const steps = seen(points).map(({ at_ms, nats }) => `H${fixed(x(at_ms))}V${fixed(y(nats))}`)
    const path = `M${left},${fixed(y(0))}${steps.join("")}H${fixed(x(points.at(-1)?.at_ms ?? first))}`
    const hue = hues[nth % hues.length] ?? ink
    return [
      `<path d="${path}" fill="none" stroke="${hue}" stroke-width="1.5"/>`,
      `<text x="${left + 12}" y="${top + 18 + 18 * nth}" fill="${hue}">${name}</text>`,
    ]
  })
  const words = [
    label(left + width - 4, y(7) - 5, "step-up", "end"),
    label(left + width - 4, y(14) - 5, "suspension", "end"),
  ]
  const title = "The statistic of three people of one seed, in nats"
  return framed({ width: left + width + 40, height: top + height + 40, title }, [
    ...scale,
    ...days,
    ...drawn,
    ...words,
  ])
}
