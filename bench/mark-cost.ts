import sharp from "sharp"
import { embed } from "../src/mark/embed.ts"
import { stepsOf } from "../src/mark/quantiser.ts"
import { compare } from "../src/picture/compare.ts"
import { undoubted } from "../src/picture/level.ts"
import { decode, keepRegions, shownAt } from "../src/picture/pixels.ts"
import { biasesFor, codewordFor, keysOf } from "./mark-copies.ts"
import { pictureOf } from "./mark-pictures.ts"

/** What marking and tracing cost one core, in milliseconds of processor time for each megapixel. */

export interface CostRow {
  readonly work: string
  readonly ms_per_mp: number
  /** How many times what bare decoding and encoding costs; `null` where that says nothing. */
  readonly timesBare: number | null
}

export interface Costs {
  readonly rows: readonly CostRow[]
  readonly memory_mb: number
}

const warm = 12

/** The median of some runs after as many that do not count. */
async function timed(megapixels: number, work: () => unknown, runs: number): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < 2 * runs; n += 1) {
    const start = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(start)
    if (n >= runs) times.push((user + system) / 1000)
  }
  return times.sort((a, b) => a - b)[times.length >> 1]! / megapixels
}

export async function costs(): Promise<Costs> {
  sharp.concurrency(1)
  const picture = await pictureOf({ kind: "drawn", index: 1 })
  const { pixels, file, plate } = picture
  const { width_px, height_px } = pixels
  const megapixels = (width_px * height_px) / 1e6
  const codeword = codewordFor(picture, "holder", biasesFor(picture))
  const found = { width_px, height_px, plates: [plate], faces: [], doubted: undoubted }
  const keys = keysOf(picture.name, "holder")
  const marking = { keys, policy: "usual", label: null } as const
  const bare = () =>
    sharp(file).jpeg({ quality: 92, chromaSubsampling: "4:4:4", optimiseCoding: false }).toBuffer()
  const { bytes } = await keepRegions(file, { level: "L4" }, found, marking)
  const leak = await sharp(bytes).jpeg({ quality: 50 }).toBuffer()
  const leakPixels = await decode(leak)
  const copy = { ...pixels, rgb: Uint8Array.from(pixels.rgb) }
  const embedAlone = () => {
    // A copy that is marked again and again ends up black and white.
    copy.rgb.set(pixels.rgb)
    embed(pixels, copy, { codeword, shown: shownAt("L4", found), psnr_db: 44 })
  }
  const works: readonly [string, () => unknown, number][] = [
    ["bare decode and encode", bare, warm],
    ["embed alone, L4", embedAlone, warm],
    [
      "release L4: decode, keep, mark, encode",
      () => keepRegions(file, { level: "L4" }, found, marking),
      warm,
    ],
    ["the same without a mark", () => keepRegions(file, { level: "L4" }, found, null), warm],
    [
      "release L2: decode, keep, mark, encode",
      () => keepRegions(file, { level: "L2", region: "wide" }, found, marking),
      warm,
    ],
    ["release L2, close", () => keepRegions(file, { level: "L2" }, found, marking), warm],
    [
      "compare a leak (JPEG 50) with its original",
      () => compare(pixels, leakPixels, [plate], stepsOf(leak)),
      4,
    ],
  ]
  const rows: CostRow[] = []
  for (const [work, run, runs] of works)
    rows.push({ work, ms_per_mp: await timed(megapixels, run, runs), timesBare: null })
  const first = rows[0]!.ms_per_mp
  return {
    rows: rows.map((row, i) => ({ ...row, timesBare: i === 0 ? null : row.ms_per_mp / first })),
    memory_mb: process.memoryUsage().rss / 1e6,
  }
}
