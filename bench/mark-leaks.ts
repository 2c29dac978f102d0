import { Fault } from "../src/fault.ts"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { log10Bound, type Evidence } from "../src/mark/score.ts"
import { psnrFor } from "../src/mark/policy.ts"
import { emphases, weights, type Emphasis } from "../src/mark/code.ts"
import { compareTo, sightOf, type Sight } from "../src/picture/compare.ts"
import { decodeLeak, type Leak } from "../src/picture/leak.ts"
import { decode } from "../src/picture/pixels.ts"
import { attacks } from "../test/attacks.ts"
import { acceptedBits, bitsRight, blindMarked, spreadingOf } from "./mark-blind.ts"
import {
  biasesFor,
  codewordFor,
  copyFor,
  isTraced,
  judge,
  released,
  silent,
  type CopyLevel,
  type MarkedCopy,
} from "./mark-copies.ts"
import { cut, type Picture } from "./mark-pictures.ts"
import type { Quality } from "./mark-quality.ts"

/** One picture, both its copies, every attack: who is led back, and who would be wrongly. */

/** Whom every copy is made for: pooling takes several pictures' leaks of this one. */
export const holder = "holder"

export interface LeakRow {
  readonly picture: string
  readonly level: CopyLevel
  readonly attack: string
  readonly kept_px: number
  readonly shown_px: number
  readonly t: number
  readonly bound: number
  readonly isTraced: boolean
  /** Of the usual watermark, on L4 copies: whether enough bits are right. */
  readonly isReadBlind: boolean | null
  readonly compare_ms: number
  /** Where what the leak says was put by, for pooling. */
  readonly evidence: string | null
}

export interface InnocentRow {
  readonly tests: number
  readonly accused: number
  readonly largestT: number
  readonly smallestBound: number
}

export interface PictureRow {
  readonly picture: string
  readonly width_px: number
  readonly height_px: number
  readonly copies: readonly { level: CopyLevel; kept_px: number; quality: Quality }[]
  readonly leaks: readonly LeakRow[]
  readonly innocents: InnocentRow
}

export interface LeakOptions {
  readonly innocents: number
  /** Where evidence is put by. */
  readonly folder: string
  /** The picture's place among all, by which its attacks are chosen: one of `thinning`. */
  readonly nth: number
  readonly thinning: number
}

/** Of an L2 copy these cut what is kept, not the grey around it. */
const cutting = /^(crop|combined|gauntlet)/

export async function leaksOf(picture: Picture, options: LeakOptions): Promise<PictureRow> {
  const { pixels, name } = picture
  const { innocents, folder, nth, thinning } = options
  const biases = biasesFor(picture)
  const codeword = codewordFor(picture, holder, biases)
  const sight = sightOf(pixels, [picture.plate])
  const crowd = Array.from(
    { length: innocents },
    (_, i) => codewordFor(picture, `innocent ${i}`, biases).chips,
  )
  const spreading = spreadingOf(pixels, name)
  const blind = await decode(
    await released(blindMarked(pixels, spreading, psnrFor(pixels.width_px * pixels.height_px, "usual"))),
  )
  const leaks: LeakRow[] = []
  const wronged: InnocentRow[] = []
  const copies: MarkedCopy[] = [await copyFor(picture, "L4", holder), await copyFor(picture, "L2", holder)]
  for (const [level, copy] of copies.entries()) {
    for (const [n, [attack, of]] of Object.entries(attacks).entries()) {
      if ((n + nth + 2 * level) % thinning !== 0) continue
      const shown = copy.level === "L2" && cutting.test(attack) ? cut(copy.pixels, copy.box) : copy.pixels
      const { statistics, shown_px, compare_ms } = await comparedTo(sight, await of(shown, name))
      const judged = statistics.length === 0 ? silent : judge(statistics, codeword)
      wronged.push(innocentsOf(statistics, biases, crowd))
      const isPooled = shown_px >= 2_000 && shown_px < 50_000
      leaks.push({
        ...{ picture: name, level: copy.level, attack, kept_px: copy.kept_px, shown_px, compare_ms },
        ...{ ...judged, isTraced: isTraced(judged.bound) },
        isReadBlind:
          copy.level === "L4"
            ? (await bitsRight(await decode(await of(blind, name)), spreading)) >= acceptedBits
            : null,
        evidence: isPooled ? await putBy(folder, `${name} ${copy.level} ${attack}`, statistics) : null,
      })
    }
  }
  return {
    ...{ picture: name, width_px: pixels.width_px, height_px: pixels.height_px, leaks },
    copies: copies.map(({ level, kept_px, quality }) => ({ level, kept_px, quality })),
    innocents: wronged.reduce(together, noInnocents),
  }
}

interface Said {
  readonly statistics: readonly Evidence[]
  readonly shown_px: number
  readonly compare_ms: number
}

/** What a leaked file says of a picture's chips: by each statistic that it has, or nothing where it is not found in it. */
export async function comparedTo(sight: Sight, file: Uint8Array): Promise<Said> {
  const found = await readable(file)
  if (found === null) return { statistics: [], shown_px: 0, compare_ms: 0 }
  const { pixels: leak, steps } = found
  const start = process.cpuUsage()
  const compared = compareTo(sight, leak, steps)
  const { user, system } = process.cpuUsage(start)
  const statistics =
    compared === null ? [] : [compared.plain, compared.even, compared.quantised].filter(each => each !== null)
  // Where a leak is not recognized, so many pixels could have been.
  const shown_px = compared?.shown_px ?? leak.width_px * leak.height_px
  return { statistics, shown_px, compare_ms: (user + system) / 1000 }
}

/** `null` for what a trace refuses: a side of fewer than 32 pixels. */
async function readable(file: Uint8Array): Promise<Leak | null> {
  try {
    return await decodeLeak(file)
  } catch (error) {
    if (error instanceof Fault) return null
    throw error
  }
}

const noInnocents: InnocentRow = { tests: 0, accused: 0, largestT: -Infinity, smallestBound: 0 }

export function together(one: InnocentRow, other: InnocentRow): InnocentRow {
  return {
    tests: one.tests + other.tests,
    accused: one.accused + other.accused,
    largestT: Math.max(one.largestT, other.largestT),
    smallestBound: Math.min(one.smallestBound, other.smallestBound),
  }
}

/**
 * Each of a crowd held against one leak by every statistic and emphasis: a test is one holder and one leak. Of each the bound
 * is reckoned for the largest sum, since it falls as the sum grows.
 */
export function innocentsOf(
  statistics: readonly Evidence[],
  biases: Uint8Array,
  crowd: readonly Uint8Array[],
): InnocentRow {
  const accused = new Set<number>()
  let largestT = -Infinity
  let smallestBound = 0
  for (const evidence of statistics) {
    const outer = sumsOf(evidence, biases, { isMiddle: false, crowd })
    const middle = sumsOf(evidence, biases, { isMiddle: true, crowd })
    for (const [name, [, factor]] of Object.entries(emphases)) {
      const variance = outer.variance + factor ** 2 * middle.variance
      if (variance === 0) continue
      const ranked = outer.sums
        .map((sum, i) => [sum + factor * middle.sums[i]!, i] as const)
        .sort((a, b) => b[0] - a[0])
      for (const [sum, i] of ranked) {
        const bound = log10Bound([{ evidence, biases }], sum, name as Emphasis)
        largestT = Math.max(largestT, sum / Math.sqrt(variance))
        smallestBound = Math.min(smallestBound, bound)
        if (!isTraced(bound)) break
        accused.add(i)
      }
    }
  }
  return { tests: statistics.length === 0 ? 0 : crowd.length, accused: accused.size, largestT, smallestBound }
}

/** `scoresOf` for many at once, in chips of the middle bias or the others: what chips of 0 give, and for each chip of 1 what it gives more. */
function sumsOf(
  evidence: Evidence,
  biases: Uint8Array,
  { isMiddle, crowd }: { readonly isMiddle: boolean; readonly crowd: readonly Uint8Array[] },
): { sums: number[]; variance: number } {
  const places = Uint32Array.from(evidence.keys()).filter(
    i => evidence[i] !== 0 && (biases[i] === 1) === isMiddle,
  )
  const steps = Float64Array.from(places, i => {
    const [zero, one] = weights[biases[i]!]!
    return evidence[i]! * (one - zero)
  })
  const least = places.reduce((sum, i) => sum + evidence[i]! * weights[biases[i]!]![0], 0)
  const sums = crowd.map(chips => {
    let sum = least
    for (let n = 0; n < places.length; n += 1) sum += steps[n]! * chips[places[n]!]!
    return sum
  })
  return { sums, variance: places.reduce((sum, i) => sum + evidence[i]! ** 2, 0) }
}

/** @returns the file, or `null` for a leak that says nothing. */
export async function putBy(
  folder: string,
  name: string,
  statistics: readonly Evidence[],
): Promise<string | null> {
  if (statistics.length === 0) return null
  const file = join(folder, Buffer.from(name).toString("hex"))
  await writeFile(
    file,
    Buffer.concat(statistics.map(each => new Uint8Array(each.buffer, each.byteOffset, each.byteLength))),
  )
  return file
}
