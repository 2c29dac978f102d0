/** Where a plate may be from: what is written on it, and how, differs. */
export const plateRegions = ["eu", "us", "br", "any"] as const
export type PlateRegion = (typeof plateRegions)[number]

/**
 * How plates of cars are written: L a letter, D a digit, a number after one how often it may come ("L1-3"). Current and
 * recent series for passenger cars, from what is generally known of the countries' and states' formats; no list is
 * complete, and personal plates follow none, so a series makes a text likelier and never rules another out.
 */
const series: Readonly<Record<Exclude<PlateRegion, "any">, readonly string[]>> = {
  br: ["LLLDDDD", "LLLDLDD"],
  us: each(
    // Most states; then California, Illinois, Missouri, New Jersey, Florida, Maryland, Massachusetts, Alabama, the
    // Virginias, Tennessee, Connecticut, Maine, Delaware, New Hampshire, Idaho and Nevada.
    "LLLDDDD LLLDDD DDDLLL LLDDDDD LLDDDD DDDDLL DDDDDD DDDDD",
    "DLLLDDD LDDDDDD DDDDDDD LLDLDL DDLDLL LDDLLL LLLDDL LDDDLL LLLLDD DLLDDDD DLLLDD DDDLLD",
    "DDLDDDD LLLDDLL DLLDDD LDDDDL DDLDDD LLDDD DDDLL DDLDD",
  ),
  eu: each(
    // Britain and Ireland; France and Italy with Slovakia, Croatia and Serbia; Spain; Portugal.
    "LLDDLLL LDDDLLL LLLDDDL D2-3L1-2D1-6 LLDDDLL LLDDDDLL DDDDLLL LDDDDLL LLDDDD LLDDLL DDLLDD DDDDLL",
    // Germany; Austria; Switzerland; the Netherlands, Belgium, Luxembourg.
    "L2-5D1-4 L1-2D1-5L1-3 LLD1-6 LLDDDL DDLLLD LDDDLL LLLDDL DLLLDD LLLLDD DDLLLL DLLLDDD DDDLLL",
    // The north, Poland, Czechia, Hungary, Slovenia, Romania, Bulgaria, Greece, the Baltic states, Ukraine.
    "LLDDDDD LLLDDD LLLDDDD LLD4-5L0-1 DLDDDDD DLLDDDD LLLLDDD LLLDDLL",
  ),
}

function each(...lines: readonly string[]): readonly string[] {
  return lines.flatMap(line => line.split(" "))
}

/** Series as expressions, by region; "any" is all of them. */
const expressions = new Map<PlateRegion, readonly RegExp[]>()

function expressionsOf(region: PlateRegion): readonly RegExp[] {
  const known = expressions.get(region)
  if (known !== undefined) return known
  const texts = region === "any" ? Object.values(series).flat() : series[region]
  const made = [...new Set(texts)].map(expressionOf)
  expressions.set(region, made)
  return made
}

function expressionOf(text: string): RegExp {
  const body = text.replace(/([LD])(\d?)(?:-(\d))?/g, (_, kind: string, least: string, most?: string) => {
    const count = least === "" ? "" : `{${least},${most ?? least}}`
    return `${kind === "L" ? "[A-Z]" : "[0-9]"}${count}`
  })
  return new RegExp(`^${body}$`)
}

/** Whether a text is of a series of the region. */
export function isOfSeries(text: string, region: PlateRegion): boolean {
  return expressionsOf(region).some(expression => expression.test(text))
}

/** Lengths of nearly all plates. */
const lengths: Readonly<Record<PlateRegion, readonly [least: number, most: number]>> = {
  br: [7, 7],
  eu: [5, 8],
  us: [5, 7],
  any: [5, 8],
}

/**
 * How much likelier than a text of no series a text is to stand on a plate of the region, before anything is seen, as a
 * natural logarithm: a weighing of few facts, chosen on the development part of the photographs, not a statistic.
 */
export function plausibility(text: string, region: PlateRegion): number {
  const [least, most] = lengths[region]
  const beyond = Math.max(least - text.length, text.length - most, 0)
  const digits = text.replace(/[^0-9]/g, "").length
  return (isOfSeries(text, region) ? 2 : 0) - 1.5 * beyond - (digits === 0 ? 1.5 : 0)
}

/** Letters and digits that are taken for each other. */
const alike: readonly (readonly [letters: string, digit: string])[] = [
  ["OQD", "0"],
  ["ILTJ", "1"],
  ["Z", "2"],
  ["S", "5"],
  ["G", "6"],
  ["T", "7"],
  ["B", "8"],
  ["AL", "4"],
]

/** The texts of a series that are at most two exchanges of letter and digit, or one character less, away from `text`. */
export function repaired(text: string, region: PlateRegion): string[] {
  const places = Array.from({ length: text.length }, (_, i) => i)
  const swapped = places.flatMap(i =>
    exchanges(text[i] ?? "").map(other => text.slice(0, i) + other + text.slice(i + 1)),
  )
  const twice = swapped.flatMap(once =>
    places.flatMap(i => exchanges(once[i] ?? "").map(other => once.slice(0, i) + other + once.slice(i + 1))),
  )
  const shorter = places.map(i => text.slice(0, i) + text.slice(i + 1))
  return [...new Set([...swapped, ...twice, ...shorter])].filter(other => isOfSeries(other, region))
}

function exchanges(character: string): string[] {
  return alike.flatMap(([letters, digit]) =>
    character === digit ? [...letters] : letters.includes(character) ? [digit] : [],
  )
}
