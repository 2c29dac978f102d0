import type { Command } from "commander"
import { Option } from "commander"
import { parse } from "csv-parse/sync"
import { availableParallelism } from "node:os"
import { readFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { Fault } from "../fault.ts"
import { readFolder, type FolderPicture, type Skipped } from "../lane/folder.ts"
import type { Look } from "../reading/look-shape.ts"
import { lookMemory_mb, openLooker, type Looker } from "../reading/looker.ts"
import { plateRegions, type PlateRegion } from "../reading/plate-syntax.ts"
import { scoresOf, type Rate, type Score } from "../reading/score.ts"
import { globalsOf } from "./context.ts"
import { answer, progress, table, tell, type Voice } from "./say.ts"

interface TryOptions {
  readonly region?: PlateRegion
  readonly faces?: string
}

/** One picture, looked at. */
interface Tried {
  readonly picture: FolderPicture
  readonly look: Look
}

const heads = ["file", "state", "plate", "confidence", "candidates", "box", "cpu_ms"]

/** `reader try DIR`: what the built-in reader makes of a folder of pictures. Speaks to no vault. */
export function readerTryCommand(reader: Command): void {
  reader
    .command("try <dir>")
    .description(
      "read a folder of pictures with the built-in reader; scores itself where there is an index.csv",
    )
    .addOption(
      new Option("--region <region>", "whose plates; by default what the index says, else any").choices([
        ...plateRegions,
      ]),
    )
    .option("--faces <model>", "find faces too: 'default', or an ONNX file in the format of YuNet")
    .action(async (dir: string, options: TryOptions, command: Command) => {
      const globals = globalsOf(command)
      process.exitCode = await tryReader(globals, dir, options)
    })
}

/** @returns the exit code: 0, or 10 when a picture could not be read; what is no picture by its name is left out. */
async function tryReader(voice: Voice, dir: string, options: TryOptions): Promise<number> {
  const { pictures, skipped } = await readFolder(dir)
  if (pictures.length === 0) throw new Fault("NOT_FOUND", `there is no picture in ${dir}`)
  const groups = await groupsOf(dir)
  const regionOf = ({ name }: FolderPicture) => options.region ?? known(groups.get(name))
  const processes = Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2)))
  const looker = openLooker({ processes, timeout_ms: 60_000, memory_mb: lookMemory_mb })
  try {
    const { tried, refused } = await lookAll(voice, looker, {
      pictures,
      faces: facesOf(options.faces),
      regionOf,
    })
    const [others, empty] = parted(skipped, ({ why }) => why.startsWith("not a "))
    for (const { name, why } of others) tell(voice, `left out: ${name}: ${why}`)
    const unread = [...empty, ...refused]
    say(voice, { tried, unread, scores: scoresOf(pairsOf(tried, groups)) })
    return unread.length === 0 ? 0 : 10
  } finally {
    await looker.close()
  }
}

/** Those that hold and those that do not. */
function parted<T>(all: readonly T[], holds: (each: T) => boolean): [yes: T[], no: T[]] {
  return [all.filter(holds), all.filter(each => !holds(each))]
}

function facesOf(option: string | undefined): { ownModel: string | null } | null {
  if (option === undefined) return null
  return { ownModel: option === "default" ? null : resolve(option) }
}

function known(region = "any"): PlateRegion {
  return plateRegions.find(each => each === region) ?? "any"
}

interface Work {
  readonly pictures: readonly FolderPicture[]
  readonly faces: { readonly ownModel: string | null } | null
  readonly regionOf: (picture: FolderPicture) => PlateRegion
}

/** Every picture by turns; what cannot be read is named, and the others go on. A model that is not right ends all. */
async function lookAll(
  voice: Voice,
  looker: Looker,
  { pictures, faces, regionOf }: Work,
): Promise<{ tried: Tried[]; refused: Skipped[] }> {
  const tried: Tried[] = []
  const refused: Skipped[] = []
  const waiting = [...pictures]
  const worker = async () => {
    for (let picture = waiting.shift(); picture !== undefined; picture = waiting.shift()) {
      try {
        const bytes = await readFile(picture.file)
        tried.push({
          picture,
          look: await looker.look({
            picture: bytes,
            region: regionOf(picture),
            claims: [],
            readsAgreed: true,
            sketches: false,
            faces,
          }),
        })
      } catch (error) {
        if (!(error instanceof Fault) || !error.code.startsWith("PICTURE")) throw error
        refused.push({ name: picture.name, why: error.message })
      }
      progress(voice, tried.length + refused.length, pictures.length, "read")
    }
  }
  await Promise.all([worker(), worker(), worker(), worker()])
  tried.sort((a, b) => (a.picture.name < b.picture.name ? -1 : 1))
  return { tried, refused }
}

/** What `index.csv` calls the region of each file; empty without one. `readFolder` has judged the file's form. */
async function groupsOf(dir: string): Promise<ReadonlyMap<string, string>> {
  const bytes = await readFile(join(dir, "index.csv")).catch(() => null)
  if (bytes === null) return new Map()
  const rows: string[][] = parse(bytes, { skip_empty_lines: true, from_line: 2 })
  return new Map(rows.map(([file = "", region = ""]) => [file, region]))
}

/** Where the index names exactly one plate, what it is and what was read. */
function pairsOf(tried: readonly Tried[], groups: ReadonlyMap<string, string>) {
  return tried.flatMap(({ picture, look }) => {
    const [truth, ...others] = picture.event.plates
    if (truth === undefined || others.length > 0 || truth.text === "" || look.plate === null) return []
    const { state, candidates, box } = look.plate
    const group = groups.get(picture.name) || "all"
    const { cpu_ms } = look
    return [
      [
        { group, plate: truth.text, box: truth.box },
        { state, text: candidates[0]?.text ?? "", box, cpu_ms },
      ] as const,
    ]
  })
}

interface Outcome {
  readonly tried: readonly Tried[]
  readonly unread: readonly Skipped[]
  readonly scores: readonly Score[]
}

function say(voice: Voice, { tried, unread, scores }: Outcome): void {
  const files = tried.map(({ picture, look }) => {
    const { plate, faces, models, cpu_ms } = look
    return { file: picture.name, ...plate, faces, models, cpu_ms }
  })
  const rows = files.map(({ file, state, plate, confidence, candidates, box, cpu_ms }) => {
    const texts = (candidates ?? []).map(({ text, confidence }) => `${text} ${confidence.toFixed(2)}`)
    const corners = box == null ? "–" : `${box.x_px},${box.y_px},${box.width_px},${box.height_px}`
    return [
      file,
      state ?? "–",
      plate ?? "–",
      (confidence ?? 0).toFixed(3),
      texts.join(" ") || "–",
      corners,
      cpu_ms,
    ]
  })
  const lines = table(heads, rows)
  const named = unread.map(({ name, why }) => `not read: ${name}: ${why}`)
  const scored = scores.length === 0 ? [] : ["", ...scoreLines(scores)]
  answer(voice, { files, unread, scores }, [...lines, ...named, ...scored])
}

function scoreLines(scores: readonly Score[]): string[] {
  const rate = ({ count, of, low, high }: Rate) =>
    of === 0
      ? "–"
      : `${count} = ${((100 * count) / of).toFixed(1)} % (${(100 * low).toFixed(0)}–${(100 * high).toFixed(0)})`
  const rows = scores.map(score => [
    score.group,
    score.n,
    rate(score.found),
    rate(score.strict),
    rate(score.merged),
    rate(score.answered),
    rate(score.rightWhenSure),
    score.meanCpu_ms.toFixed(0),
  ])
  return table(
    ["region", "n", "found", "exact, strict", "exact, merged", "answered", "right when sure", "cpu ms"],
    rows,
  )
}
