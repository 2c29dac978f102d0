import { wide_px } from "../src/grant/level.ts"
import { attacks } from "../test/attacks.ts"
import { coalitions, strategies, type CollusionRow } from "./mark-collusion.ts"
import type { CostRow } from "./mark-cost.ts"
import { limitLog10, triesLog10, type CopyLevel } from "./mark-copies.ts"
import { together, type InnocentRow, type LeakRow, type PictureRow } from "./mark-leaks.ts"
import { isCloseL2, levels, type BoundRow, type ColludedPool, type PooledRow } from "./mark-pooled.ts"

/** All that one run found. */
export interface Results {
  readonly date: string
  readonly machine: string
  readonly pictures: readonly PictureRow[]
  readonly pooled: readonly PooledRow[]
  readonly bounds: readonly BoundRow[]
  readonly collusion: readonly CollusionRow[]
  readonly colludedPools: readonly ColludedPool[]
  readonly costs: { readonly rows: readonly CostRow[]; readonly memory_mb: number } | null
}

/** Several attacks at once on a small picture are told apart: nobody claims them. */
const isGauntlet = (attack: string) => attack === "gauntlet"

interface Class {
  readonly title: string
  readonly holds: (leak: LeakRow) => boolean
}

const shownClasses: readonly Class[] = [
  { title: "≥ 50,000 px", holds: leak => leak.shown_px >= 50_000 },
  { title: "20,000–50,000", holds: leak => leak.shown_px >= 20_000 && leak.shown_px < 50_000 },
  { title: "< 20,000", holds: leak => leak.shown_px < 20_000 },
]

const keptClasses: readonly Class[] = [
  { title: "≥ 50,000 px", holds: leak => leak.kept_px >= 50_000 },
  { title: "32,000–50,000", holds: leak => leak.kept_px >= 32_000 && leak.kept_px < 50_000 },
  { title: "20,000–32,000", holds: leak => leak.kept_px >= 20_000 && leak.kept_px < 32_000 },
  { title: "< 20,000", holds: leak => leak.kept_px < 20_000 },
]

export function tablesOf(results: Results): string {
  return [
    head(results),
    qualityTable(results.pictures),
    attackTable(results, "L4", shownClasses),
    attackTable(results, "L2", keptClasses),
    pooledTable(results.pooled),
    innocentLines(results),
    boundTable(results.bounds),
    wideTable(results.collusion.filter(isWide)),
    collusionTable(results.collusion.filter(({ region }) => region === "close")),
    colludedPoolsTable(results),
    costTable(results.costs),
    gates(results),
  ]
    .filter(part => part !== "")
    .join("\n\n")
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`
  return [line(headings), line(headings.map(() => "---")), ...rows.map(line)].join("\n")
}

function head({ date, machine, pictures }: Results): string {
  const drawn = pictures.filter(each => each.picture.startsWith("drawn")).length
  return `${date}, ${machine}. ${pictures.length} pictures: ${drawn} drawn, ${pictures.length - drawn} photographs; ${Object.keys(attacks).length} attacks.
Traced: log₁₀ of the bound + ${triesLog10.toFixed(1)} (10,000 originals × 1,000 holders × 3 statistics × 2 emphases) ≤ ${limitLog10}.`
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN
}

function copiesOf(pictures: readonly PictureRow[]) {
  return pictures.flatMap(({ copies }) => copies)
}

function qualityTable(pictures: readonly PictureRow[]): string {
  const all = copiesOf(pictures)
  const rows = [
    { title: "L4", of: all.filter(copy => copy.level === "L4") },
    { title: "L2, ≥ 50,000 px kept", of: all.filter(copy => copy.level === "L2" && copy.kept_px >= 50_000) },
    { title: "L2, < 50,000 px kept", of: all.filter(copy => copy.level === "L2" && copy.kept_px < 50_000) },
  ].map(({ title, of }) => {
    const [psnr, ssim] = [of.map(({ quality }) => quality.psnr_db), of.map(({ quality }) => quality.ssim)]
    return [
      ...[title, String(of.length), Math.min(...psnr).toFixed(2), median(psnr).toFixed(2)],
      ...[Math.min(...ssim).toFixed(4), median(ssim).toFixed(4)],
    ]
  })
  const headings = ["copies", "number", "PSNR, smallest", "median, dB", "SSIM, smallest", "median"]
  return `### Quality: marked beside unmarked, luma over what is kept, before encoding\n\n${table(headings, rows)}`
}

function share(leaks: readonly LeakRow[]): string {
  return leaks.length === 0 ? "–" : `${leaks.filter(each => each.isTraced).length}/${leaks.length}`
}

function attackTable({ pictures }: Results, level: CopyLevel, classes: readonly Class[]): string {
  const leaks = pictures.flatMap(each => each.leaks).filter(each => each.level === level)
  const rows = Object.keys(attacks).map(attack => {
    const own = leaks.filter(each => each.attack === attack)
    const blind = own.filter(each => each.isReadBlind === true).length
    return [
      attack,
      ...classes.map(({ holds }) => share(own.filter(holds))),
      own.length === 0 ? "–" : Math.min(...own.map(each => each.t)).toFixed(1),
      median(own.map(each => each.t)).toFixed(1),
      ...(level === "L4" ? [`${blind}/${own.length}`] : []),
    ]
  })
  const title =
    level === "L4"
      ? "### L4 copies: traced / leaks, by pixels that the leak shows of the picture"
      : "### L2 copies: traced / leaks, by pixels that the copy keeps (crops, combined and gauntlet of what is kept alone)"
  const headings = ["attack", ...classes.map(each => each.title), "smallest t", "median t"]
  return `${title}\n\n${table(level === "L4" ? [...headings, "usual watermark, blind"] : headings, rows)}`
}

function pooledTable(pooled: readonly PooledRow[]): string {
  if (pooled.length === 0) return ""
  const rows = pooled.map(({ level, attack, leaks, singly, triples, traced }) => {
    return [`${level}, ${attack}`, `${singly}/${leaks}`, `${traced}/${triples}`]
  })
  const headings = ["leaks of 20,000–50,000 px shown", "singly", "three together"]
  return `### Three pictures' leaks of one holder together, where not every one is traced by itself\n\n${table(headings, rows)}`
}

const noInnocents: InnocentRow = { tests: 0, accused: 0, largestT: -Infinity, smallestBound: 0 }

function innocentLines({ pictures, collusion }: Results): string {
  const lines = [
    ["attacks", pictures.map(each => each.innocents)],
    ["collusion", collusion.map(each => each.innocents)],
  ] as const
  const rows = lines.map(([title, of]) => {
    const all = of.reduce(together, noInnocents)
    return [
      ...[title, all.tests.toLocaleString("en"), String(all.accused)],
      ...[all.largestT.toFixed(2), all.smallestBound.toFixed(2)],
    ]
  })
  const headings = [
    "leaks of",
    "tests (one holder, one leak)",
    "accused",
    "largest t",
    "smallest log₁₀ bound",
  ]
  return `### Innocents\n\n${table(headings, rows)}`
}

function boundTable(bounds: readonly BoundRow[]): string {
  if (bounds.length === 0) return ""
  const rows = bounds.map(({ leak, chips, draws, below }) => [
    ...[leak, chips.toLocaleString("en"), draws.toLocaleString("en")],
    ...below.map(count => `${(count / draws).toExponential(1)} (${count})`),
  ])
  const headings = ["evidence", "chips", "draws", ...levels.map(level => `bound ≤ 10^${level}`)]
  return `### The bound, tried: innocents' chips drawn anew against the same evidence; how often the bound is so small\n\n${table(headings, rows)}`
}

function collusionTable(collusion: readonly CollusionRow[]): string {
  if (collusion.length === 0) return ""
  const copies = [...new Set(collusion.map(each => `${each.level}, ${each.kept_px.toLocaleString("en")} px`))]
  const rows = copies.flatMap(copy =>
    strategies.map(strategy => {
      const own = collusion.filter(
        each =>
          copy === `${each.level}, ${each.kept_px.toLocaleString("en")} px` && each.strategy === strategy,
      )
      const cells = coalitions.map(colluders => {
        const cases = own.filter(each => each.colluders === colluders)
        const accused = cases.reduce((sum, each) => sum + each.accused, 0)
        const largest = Math.min(...cases.map(each => each.largestT))
        return `${accused}/${colluders * cases.length} (t ${largest.toFixed(1)})`
      })
      return [copy, strategy, ...cells]
    }),
  )
  const headings = ["copies, kept", "how", ...coalitions.map(each => `${each} holders`)]
  return `### Collusion, then JPEG 50, on L4 copies, and on L2 copies whose grant says close: colluders accused, and the t of the most exposed one\n\n${table(headings, rows)}`
}

function colludedPoolsTable({ collusion, colludedPools }: Results): string {
  if (colludedPools.length === 0) return ""
  const rows = strategies.map(strategy => [
    strategy,
    ...colludedPools
      .filter(each => each.strategy === strategy)
      .map(({ singly, copies, traced, triples }) => `${singly}/${copies}, ${traced}/${triples}`),
  ])
  const sizes = sizesOf(collusion.filter(isCloseL2))
  const headings = ["how", ...coalitions.map(each => `${each} holders`)]
  return `### L2 copies whose grant says close, of ${sizes} px: copies that give away somebody singly, and sets of three of them that do\n\n${table(headings, rows)}`
}

/** Of copies, in words, the smallest first. */
function sizesOf(collusion: readonly CollusionRow[]): string {
  const kept = [...new Set(collusion.map(each => each.kept_px))].sort((a, b) => a - b)
  return kept.map(each => each.toLocaleString("en")).join("; ")
}

/** As a grant for L2 has its copies unless it says close. */
const isWide = ({ region }: CollusionRow) => region === "wide"

/** Of a picture that has at least as many pixels as a wide region would show. */
const isCapture = ({ picture_px }: CollusionRow) => picture_px >= wide_px

function wideTable(wide: readonly CollusionRow[]): string {
  if (wide.length === 0) return ""
  const cellOf = (rows: readonly CollusionRow[]) =>
    rows.length === 0
      ? "–"
      : `${exposed(rows)} (t ${Math.min(...rows.map(each => each.largestT)).toFixed(1)})`
  const rows = [true, false].flatMap(isLarge =>
    strategies.map(strategy => [
      ...[`${isLarge ? "≥" : "<"} ${wide_px.toLocaleString("en")} px`, strategy],
      ...coalitions.map(colluders =>
        cellOf(
          wide.filter(
            each => isCapture(each) === isLarge && each.strategy === strategy && each.colluders === colluders,
          ),
        ),
      ),
    ]),
  )
  const psnr_db = Math.min(...wide.map(({ quality }) => quality.psnr_db)).toFixed(2)
  const ssim = Math.min(...wide.map(({ quality }) => quality.ssim)).toFixed(4)
  const headings = ["pictures of", "how", ...coalitions.map(each => `${each} holders`)]
  return `### Collusion, then JPEG 50, on L2 copies: copies that give away somebody, and the smallest t of the most exposed one

The region is wide, as grants have it unless they say close. Shown of pictures of at least ${wide_px.toLocaleString("en")} pixels: ${sizesOf(wide.filter(isCapture))} px; of smaller ones, half of each at most: ${sizesOf(wide.filter(each => !isCapture(each)))} px (PSNR at least ${psnr_db} dB, SSIM ${ssim}).

${table(headings, rows)}`
}

function costTable(costs: Results["costs"]): string {
  if (costs === null) return ""
  const rows = costs.rows.map(({ work, ms_per_mp, timesBare }) => {
    return [work, ms_per_mp.toFixed(1), timesBare === null ? "1" : timesBare.toFixed(2)]
  })
  const headings = ["work, one core, warm", "ms of processor time per MP", "times bare"]
  return `### Cost, on a drawn capture of 1024 × 768\n\n${table(headings, rows)}\n\nMemory of the process: ${costs.memory_mb.toFixed(0)} MB.`
}

function gates({ pictures, pooled, collusion, colludedPools }: Results): string {
  const leaks = pictures.flatMap(each => each.leaks)
  const plain = leaks.filter(each => !isGauntlet(each.attack))
  const large = plain.filter(each => each.shown_px >= 50_000)
  const middle = plain.filter(each => each.shown_px >= 20_000 && each.shown_px < 50_000)
  const percent = (of: readonly LeakRow[]) =>
    of.length === 0 ? "–" : ((100 * of.filter(each => each.isTraced).length) / of.length).toFixed(1)
  const triples = pooled.filter(each => !isGauntlet(each.attack))
  const [tracedTriples, allTriples] = [
    triples.reduce((sum, each) => sum + each.traced, 0),
    triples.reduce((sum, each) => sum + each.triples, 0),
  ]
  const gauntlets = leaks.filter(each => isGauntlet(each.attack))
  const wronged = collusion.reduce((sum, each) => sum + each.innocents.accused, 0)
  const [wide, close] = [collusion.filter(isWide), collusion.filter(isCloseL2)]
  const [pools, allPools] = [
    colludedPools.reduce((sum, each) => sum + each.traced, 0),
    colludedPools.reduce((sum, each) => sum + each.triples, 0),
  ]
  const missed = large.filter(each => !each.isTraced)
  const milliseconds = leaks
    .filter(each => each.level === "L4")
    .map(each => each.compare_ms / pixelsOf(pictures, each.picture))
  return [
    "### Gates",
    "",
    `- every attack, ≥ 50,000 px shown: ${share(large)}${missed.map(each => `; not: ${each.level} ${each.picture} ${each.attack} (t ${each.t.toFixed(1)})`).join("")}`,
    `- 20,000–50,000 px shown, singly: ${percent(middle)} % (${share(middle)})`,
    `- those not all traced singly, pooled by three: ${allTriples === 0 ? "–" : ((100 * tracedTriples) / allTriples).toFixed(1)} % (${tracedTriples}/${allTriples})`,
    `- gauntlet: ≥ 50,000 px ${share(gauntlets.filter(each => each.shown_px >= 50_000))}; 20,000–50,000 ${share(gauntlets.filter(each => each.shown_px >= 20_000 && each.shown_px < 50_000))}; below ${share(gauntlets.filter(each => each.shown_px < 20_000))}`,
    `- innocents accused: ${pictures.reduce((sum, each) => sum + each.innocents.accused, 0) + wronged}`,
    `- collusion, at least one guilty accused: L4 ${exposed(collusion.filter(({ level }) => level === "L4"))}; L2 ${exposed(wide.filter(isCapture))}, of pictures below ${wide_px.toLocaleString("en")} px ${exposed(wide.filter(each => !isCapture(each)))}`,
    `- the same where the grant says close: L2 ≥ 50,000 px ${exposed(close.filter(each => each.kept_px >= 50_000))}, smaller ${exposed(close.filter(each => each.kept_px < 50_000))}; any three of them together ${pools}/${allPools}`,
    `- compare, L4 leaks, median: ${median(milliseconds).toFixed(0)} ms per MP of the original`,
  ].join("\n")
}

/** Collusions that give away somebody, of so many. */
function exposed(collusion: readonly CollusionRow[]): string {
  return `${collusion.filter(each => each.accused > 0).length}/${collusion.length}`
}

function pixelsOf(pictures: readonly PictureRow[], name: string): number {
  const picture = pictures.find(each => each.picture === name)
  return picture === undefined ? 1 : (picture.width_px * picture.height_px) / 1e6
}
