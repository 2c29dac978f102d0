import sharp from "sharp"
import { closeTrace, type FileReport, type TraceReport } from "../src/custody/close-trace.ts"
import { release } from "../src/custody/release.ts"
import { openTrace, takeFile } from "../src/custody/trace.ts"
import { sha256Hex } from "../src/vault/vault.ts"
import { attacks, pixelsOf } from "../test/attacks.ts"
import { takeInDrawn } from "../test/drawn.ts"
import { callerOf, grantOf, openTestPort, releaseCaller } from "../test/port.ts"

/**
 * A leak from end to end: an engineer is released 200 plates at L2, 19 of them turn up again, each after another attack, and
 * with them two of the vault's pictures that nobody was ever released. One trace has to say whose they are. Nothing is asserted.
 */
const released = Number(process.argv[2] ?? 200)
const reposted = 19
const decoys = 2

/** As pictures are passed on; what leaves next to nothing of a plate (crops to a quarter or less) is bench:mark's. */
const ways = [
  ...["JPEG 50", "WebP 60", "AVIF 50", "scale 0.5", "scale 0.33", "scale 1.5", "crop 75 %", "crop 50 %"],
  ...["turned 1°", "turned 5°", "mirror, JPEG 50", "grey", "contrast 1.3", "noise σ 10", "overlay 20 %"],
  ...["screenshot", "social 640", "photographed", "combined"],
] as const
const anHour = 12

interface Found {
  readonly attack: string
  readonly capture: string
  readonly isDecoy: boolean
  readonly file: Uint8Array
}

const port = await openTestPort()
const started = performance.now()
const captures: string[] = []
const pictures: Uint8Array[] = []
while (captures.length < released + decoys) {
  const hour = Math.floor(captures.length / anHour) % 24
  const count = Math.min(anHour, released + decoys - captures.length)
  const drawn = await takeInDrawn(port, { seed: `reposted ${captures.length}`, hour, count })
  captures.push(...drawn.captures)
  pictures.push(...drawn.pictures)
  say(`${captures.length} of ${released + decoys} pictures sealed in and examined`)
}

const holder = port.people.engineer.person
const grant = await grantOf(port, { terms: { holder, images: released, region: "wide" } })
const copies: Uint8Array[] = []
for (const capture of captures.slice(0, released)) {
  const caller = await releaseCaller(port, { grant, capture })
  copies.push((await release(port.house, caller)).bytes)
}
say(`${copies.length} copies released to one engineer`)

const found = await foundFiles()
const opened = performance.now()
const caller = await callerOf(port.house, port.people.privacy, {
  path: "/v1/traces",
  statement: { files: found.map(({ file }) => sha256Hex(file)) },
})
const { trace } = await openTrace(port.house, caller)
for (const { file } of found) await takeFile(port.house, trace, file)
const report = await closeTrace(port.house, trace)
const trace_s = (performance.now() - opened) / 1000
print(report)
await port.close()

/** The copies are spread over all that were released. */
async function foundFiles(): Promise<readonly Found[]> {
  const files: Found[] = []
  for (let n = 0; n < reposted; n += 1) {
    const index = Math.floor(((n + 0.5) * released) / reposted)
    const attack = ways[n % ways.length]!
    files.push(await foundOne(copies[index]!, { attack, capture: captures[index]!, isDecoy: false }))
  }
  for (let n = 0; n < decoys; n += 1) {
    const at = released + n
    const decoy = { attack: n === 0 ? "JPEG 70" : "combined", capture: captures[at]!, isDecoy: true }
    files.push(await foundOne(pictures[at]!, decoy))
  }
  return files
}

async function foundOne(copy: Uint8Array, about: Omit<Found, "file">): Promise<Found> {
  const file = await attacks[about.attack]!(await pixelsOf(sharp(copy)), about.capture)
  return { ...about, file }
}

function print({ files, tried }: TraceReport): void {
  const rows = files.map((file, n) => ({ file, posted: found[n]! }))
  console.log("| Found after | pixels of it | right original | made for | log₁₀ bound | by |")
  console.log("|---|---|---|---|---|---|")
  for (const { file, posted } of rows)
    console.log(
      `| ${posted.isDecoy ? "decoy, " : ""}${posted.attack} | ${file.shown_px ?? "–"} | ${file.capture === posted.capture ? "yes" : "no"} | ${whose(file)} | ${bound(file)} | ${file.people[0]?.by ?? "–"} |`,
    )
  for (const { file, posted } of rows)
    if (whose(file) !== "him")
      console.log(
        `\n${posted.attack}: ${file.said} Compared with ${file.originals_compared.length}, the right one ${file.originals_compared.includes(posted.capture) ? "among them" : "not among them"}; likeness ${file.likeness?.toFixed(2) ?? "–"}.`,
      )
  const right = rows.filter(({ file, posted }) => !posted.isDecoy && whose(file) === "him").length
  const nobody = rows.filter(({ file, posted }) => posted.isDecoy && whose(file) === "nobody").length
  const wrong = rows.filter(({ file }) => whose(file) === "another").length
  console.log(
    `\n${right} of ${reposted} led back to him, ${nobody} of ${decoys} decoys to nobody, ${wrong} to anybody else; ${Math.round(10 ** tried.log10).toLocaleString("en-US")} tests paid for.`,
  )
  console.log(
    `${captures.length} originals; the trace took ${trace_s.toFixed(1)} s, ${(trace_s / found.length).toFixed(1)} s a file; all of it ${((performance.now() - started) / 60_000).toFixed(1)} min.`,
  )
}

function whose({ people }: FileReport): "him" | "another" | "nobody" {
  if (people.length === 0) return "nobody"
  return people.every(({ person }) => person === holder) ? "him" : "another"
}

function bound({ people, strongest }: FileReport): string {
  const value = people[0]?.log10_bound ?? strongest?.log10_bound
  return value === undefined ? "–" : value.toFixed(1)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
