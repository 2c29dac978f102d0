import type { Chance } from "./chance.ts"
import { lettering } from "../picture/lettering.ts"
import { ellipse, fade, mix, outline, path, round, type Corner } from "./shapes.ts"

/** Twice as wide as high, as in North America, and larger beside its vehicle than life. */
export const plateSize = { width_px: 184, height_px: 92 } as const

/** How a jurisdiction that does not exist paints its plates. */
interface Jurisdiction {
  readonly header: string
  readonly footer: string
  readonly top: string
  readonly bottom: string
  readonly ink: string
  readonly accent: string
}

const jurisdictions: readonly [Jurisdiction, ...Jurisdiction[]] = [
  {
    header: "PALISADE",
    footer: "GATEWAY STATE",
    top: "#f7f7f2",
    bottom: "#f3f3ee",
    ink: "#1c2f6b",
    accent: "#b3272d",
  },
  {
    header: "RIO SECO",
    footer: "LAND OF MESAS",
    top: "#f8df9a",
    bottom: "#f9efd0",
    ink: "#3a1d14",
    accent: "#a8321e",
  },
  {
    header: "NORTHMARK",
    footer: "TRUE AND FAR",
    top: "#dcebf7",
    bottom: "#f6f8f7",
    ink: "#12355b",
    accent: "#12355b",
  },
  {
    header: "ALTAMESA",
    footer: "HIGH COUNTRY",
    top: "#f6f7f3",
    bottom: "#dfeedd",
    ink: "#0e4a2f",
    accent: "#0e4a2f",
  },
  {
    header: "CALDERA",
    footer: "SUN AND STONE",
    top: "#f7f4ef",
    bottom: "#fbe6d3",
    ink: "#22242a",
    accent: "#c2561a",
  },
]

/** Letters and digits that no reader takes for one another. */
const letters = "ACDEFHJKLMNPRTUVWXY"
const digits = "2345679"

/**
 * A plate text that is nobody's: SP, then digit and letter by turns ("SP4K7M2"). No series of a jurisdiction known to
 * us is built so; a real one would be a coincidence, and none is meant. There are 123,823 of them.
 */
export function plateText(chance: Chance): string {
  const letter = () => letters.charAt(chance.index(letters.length))
  const digit = () => digits.charAt(chance.index(digits.length))
  return `SP${digit()}${letter()}${digit()}${letter()}${digit()}`
}

/** The plate, its upper left corner at the origin, `plateSize` large, in SVG. */
export function drawPlate(text: string, chance: Chance): string {
  const { width_px: w, height_px: h } = plateSize
  const style = chance.pick(jurisdictions)
  const corners = (inset: number, radius: number): Corner[] => [
    [inset, inset, radius],
    [w - inset, inset, radius],
    [w - inset, h - inset, radius],
    [inset, h - inset, radius],
  ]
  const bolts = [28, w - 28].flatMap(x => [8, h - 8].map(y => bolt(x, y)))
  return [
    `<defs>${fade("plate", [
      [0, style.top],
      [1, style.bottom],
    ])}</defs>`,
    path(outline(corners(0, 8)), "url(#plate)"),
    path(outline(corners(3, 6)), "none", `stroke="${style.ink}" stroke-width="1.8" stroke-opacity="0.85"`),
    centred({ text: style.header, capHeight_px: 11.5, gap_px: 2.2, baseline: 18.5 }, style.accent),
    centred({ text: style.footer, capHeight_px: 6.5, gap_px: 1.6, baseline: h - 8 }, style.accent),
    embossed(text, style),
    ...bolts,
  ].join("")
}

/** Characters with the light edge above and the dark one below that pressed sheet metal has. */
function embossed(text: string, { ink, top }: Jurisdiction): string {
  const { d, width_px } = lettering(text, 45, 4)
  const squeeze = Math.min(1, (plateSize.width_px - 20) / width_px)
  const x = (plateSize.width_px - width_px * squeeze) / 2
  const copy = (dx: number, dy: number, fill: string, opacity: number) =>
    path(
      d,
      fill,
      `transform="matrix(${squeeze.toFixed(3)} 0 0 1 ${round(x + dx)} ${71.5 + dy})" fill-opacity="${opacity}"`,
    )
  return copy(-0.8, -1, mix(top, "#ffffff", 0.8), 0.9) + copy(0.9, 1.2, "#000000", 0.28) + copy(0, 0, ink, 1)
}

interface Line {
  readonly text: string
  readonly capHeight_px: number
  readonly gap_px: number
  readonly baseline: number
}

function centred({ text, capHeight_px, gap_px, baseline }: Line, fill: string): string {
  const { d, width_px } = lettering(text, capHeight_px, gap_px)
  return path(d, fill, `transform="translate(${round((plateSize.width_px - width_px) / 2)} ${baseline})"`)
}

function bolt(x: number, y: number): string {
  return ellipse([x, y], [2.6, 2.6], "#8d9094") + ellipse([x - 0.6, y - 0.7], [1.2, 1.2], "#d9dbdd")
}
