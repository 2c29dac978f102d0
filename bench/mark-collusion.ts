import sharp from "sharp"
import { chanceOf } from "../src/drawing/chance.ts"
import type { Codeword } from "../src/mark/embed.ts"
import { chipsIn, fieldOf } from "../src/mark/lapped.ts"
import { lumaOf } from "../src/mark/plane.ts"
import { sightOf } from "../src/picture/compare.ts"
import type { Region } from "../src/grant/level.ts"
import type { Pixels } from "../src/picture/pixels.ts"
import {
  biasesFor,
  codewordFor,
  copyFor,
  isTraced,
  judge,
  type CopyLevel,
  type MarkedCopy,
} from "./mark-copies.ts"
import { comparedTo, innocentsOf, putBy, type InnocentRow } from "./mark-leaks.ts"
import type { Picture } from "./mark-pictures.ts"
import type { Quality } from "./mark-quality.ts"

/** Several who received a copy of the same picture make one of them that should be nobody's. */

export const coalitions = [2, 3, 4, 5] as const

interface Member {
  readonly pixels: Pixels
  readonly codeword: Codeword
}

/** What value a place takes of those that the members' copies have there. */
type Choice = (values: readonly number[], chance: () => number) => number

const mean: Choice = values => values.reduce((sum, each) => sum + each, 0) / values.length
const ranked = (values: readonly number[]) => [...values].sort((a, b) => a - b)

const byPixel: Readonly<Record<string, Choice>> = {
  average: mean,
  median: values => {
    const sorted = ranked(values)
    return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2
  },
  min: values => Math.min(...values),
  max: values => Math.max(...values),
  "min or max by lot": (values, chance) => (chance() < 0.5 ? Math.min(...values) : Math.max(...values)),
}

/** Those who know how the mark is made: at each chip in which they differ they write the symbol that fewer, or more, have. */
const byChip = ["minority", "majority"] as const

export const strategies = [...Object.keys(byPixel), "mosaic of 16 pixels", ...byChip] as const

export function colluded(members: readonly Member[], strategy: string, seed: string): Pixels {
  const drawn = chanceOf("collusion", strategy, seed)
  const chance = () => drawn.between(0, 1)
  if (strategy === "mosaic of 16 pixels") return mosaic(members, chance)
  if (strategy === "minority" || strategy === "majority") return rewritten(members, strategy, chance)
  return chosen(members, byPixel[strategy]!, chance)
}

function chosen(members: readonly Member[], choice: Choice, chance: () => number): Pixels {
  const [first] = members as [Member]
  const rgb = new Uint8Array(first.pixels.rgb.length)
  const values = members.map(() => 0)
  for (let i = 0; i < rgb.length; i += 1) {
    for (let n = 0; n < members.length; n += 1) values[n] = members[n]!.pixels.rgb[i]!
    rgb[i] = Math.round(choice(values, chance))
  }
  return { ...first.pixels, rgb }
}

function mosaic(members: readonly Member[], chance: () => number): Pixels {
  const [first] = members as [Member]
  const { width_px, height_px } = first.pixels
  const across = Math.ceil(width_px / 16)
  const owners = Array.from({ length: across * Math.ceil(height_px / 16) }, () =>
    Math.floor(chance() * members.length),
  )
  const rgb = Uint8Array.from(first.pixels.rgb, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width_px, Math.floor(i / 3 / width_px)]
    return members[owners[(y >> 4) * across + (x >> 4)]!]!.pixels.rgb[i]!
  })
  return { ...first.pixels, rgb }
}

/** Stronger than in life: they are told where their chips differ, which they would have to find out. */
function rewritten(members: readonly Member[], side: "minority" | "majority", chance: () => number): Pixels {
  const average = chosen(members, mean, chance)
  const { width_px, height_px } = average
  const area = { left: 0, top: 0, right: width_px, bottom: height_px }
  const seen = members.map(({ pixels }) => chipsIn(lumaOf(pixels), area))
  const moves = Float32Array.from(seen[0]!, (_, chip) => {
    const ones = members.map(({ codeword }) => codeword.chips[chip] === 1)
    const count = ones.filter(Boolean).length
    if (count === 0 || count === members.length) return 0
    const isOneRarer = 2 * count === members.length ? chance() < 0.5 : 2 * count < members.length
    const wanted = isOneRarer === (side === "minority")
    const values = seen.map(each => each[chip]!)
    return (
      mean(
        values.filter((_, n) => ones[n] === wanted),
        chance,
      ) - mean(values, chance)
    )
  })
  const field = fieldOf(moves, average, area)
  const rgb = Uint8Array.from(average.rgb, (value, i) => {
    const isShown = members.some(({ pixels }) => pixels.rgb[i] !== 128)
    return isShown ? Math.max(0, Math.min(255, Math.round(value + field.values[Math.floor(i / 3)]!))) : value
  })
  return { ...average, rgb }
}

export interface CollusionRow {
  readonly picture: string
  readonly picture_px: number
  readonly level: CopyLevel
  readonly region: Region
  readonly kept_px: number
  /** Of one holder's copy. */
  readonly quality: Quality
  readonly strategy: string
  readonly colluders: number
  readonly accused: number
  readonly smallestT: number
  readonly largestT: number
  readonly innocents: InnocentRow
  /** Where what a close L2 leak says was put by, for pooling. */
  readonly evidence: string | null
}

export interface CollusionOptions {
  readonly level: CopyLevel
  readonly innocents: number
  readonly region: Region
  /** Where evidence is put by. */
  readonly folder: string
}

export const colluder = (n: number) => `colluder ${n}`

export async function collusionOf(
  picture: Picture,
  { level, region, innocents, folder }: CollusionOptions,
): Promise<readonly CollusionRow[]> {
  const biases = biasesFor(picture)
  const crowd = Array.from(
    { length: innocents },
    (_, i) => codewordFor(picture, `innocent ${i}`, biases).chips,
  )
  const sight = sightOf(picture.pixels, [picture.plate])
  const copies: MarkedCopy[] = []
  for (let n = 0; n < Math.max(...coalitions); n += 1)
    copies.push(await copyFor(picture, level, colluder(n), region))
  const [{ kept_px, quality }] = copies as [MarkedCopy]
  const members = copies.map(({ pixels }, n): Member => {
    return { pixels, codeword: codewordFor(picture, colluder(n), biases) }
  })
  const rows: CollusionRow[] = []
  for (const strategy of strategies) {
    for (const colluders of coalitions) {
      const party = members.slice(0, colluders)
      const { rgb, width_px, height_px } = colluded(party, strategy, picture.name)
      const raw = { width: width_px, height: height_px, channels: 3 } as const
      const file = await sharp(rgb, { raw }).jpeg({ quality: 50 }).toBuffer()
      const { statistics } = await comparedTo(sight, file)
      const judged = party.map(({ codeword }) => judge(statistics, codeword))
      rows.push({
        ...{ picture: picture.name, picture_px: width_px * height_px },
        ...{ level, region, kept_px, quality, strategy, colluders },
        accused: judged.filter(({ bound }) => isTraced(bound)).length,
        smallestT: Math.min(...judged.map(({ t }) => t)),
        largestT: Math.max(...judged.map(({ t }) => t)),
        innocents: innocentsOf(statistics, biases, crowd),
        evidence:
          level === "L2" && region === "close"
            ? await putBy(folder, `${picture.name} ${strategy} ${colluders}`, statistics)
            : null,
      })
    }
  }
  return rows
}
