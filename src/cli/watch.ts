import type { Command } from "commander"
import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { basename } from "node:path"
import { fileURLToPath } from "node:url"
import { drawHonest, linesOf, usualTraffic } from "../drawing/traffic/traffic.ts"
import { Fault } from "../fault.ts"
import { Courses, coursesOf } from "../watch/courses.ts"
import { formatModel, parseModel, type Model, type Provenance } from "../watch/model.ts"
import { train, type Course } from "../watch/train.ts"
import { writeWhole } from "../whole-file.ts"
import { globalsOf } from "./context.ts"
import { readLog, Refusals, sha256OfFile } from "./request-log.ts"
import { answer, tell, type Voice } from "./say.ts"
import { watchPeopleCommands } from "./watch-people.ts"
import { replayFiles, type ReplayFlags } from "./watch-replay.ts"

/** The model that comes with the product, trained on drawn traffic: `npm run model:watch` makes it again. */
export const shippedModel = fileURLToPath(new URL("../../models/watch.json", import.meta.url))

/** watch: ls, show, answer, replay, train. */
export function watchCommands(program: Command): void {
  const watch = program
    .command("watch")
    .description("the watch over what people ask for: who stands how, replay a log, learn from one")
  watchPeopleCommands(watch)
  watch
    .command("replay <file...>")
    .description(
      "run logs of requests (.jsonl, .jsonl.gz) through guard and watch; a step-up is taken to be answered",
    )
    .option("--no-hard", "the watch alone: nothing is denied by work orders and budgets")
    .option("--score", "afterwards, hold the outcome against the truth in the log")
    .option(
      "--cloudtrail",
      "the files are CloudTrail's events of an object store, where no work order is known",
    )
    .option("--model <file>", "another model than the one that comes along")
    .action(async (files: string[], flags: ReplayFlags & { readonly model?: string }, self: Command) => {
      const model = await readModel(flags.model ?? shippedModel)
      process.exitCode = await replayFiles(globalsOf(self), { files, flags, model })
    })
  watch
    .command("train [file...]")
    .description("learn a model from logs of honest requests")
    .requiredOption("--out <file>", "the model file")
    .requiredOption("--date <date>", "the day that the model names as its own, YYYY-MM-DD")
    .option("--leave-out", "leave out people whom a model of the others would suspend, instead of refusing")
    .option("--drawn <count>", "learn from so many seeds of drawn traffic instead of files")
    .action(async (files: string[], flags: TrainFlags, self: Command) => {
      process.exitCode = await trainModel(globalsOf(self), files, flags)
    })
}

/** @throws Fault WATCH_MODEL for a file that is not there, and for one that is no model. */
export async function readModel(file: string): Promise<Model> {
  let text: string
  try {
    text = await readFile(file, "utf8")
  } catch (cause) {
    throw new Fault("WATCH_MODEL", `${file} cannot be read`, { cause })
  }
  return parseModel(text)
}

interface TrainFlags {
  readonly out: string
  readonly date: string
  readonly leaveOut?: true
  readonly drawn?: string
}

interface Read {
  readonly courses: readonly Course[]
  readonly sources: Provenance["sources"]
}

async function trainModel(voice: Voice, files: readonly string[], flags: TrainFlags): Promise<number> {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(flags.date)) throw new Fault("INVALID", "--date is a day, YYYY-MM-DD")
  if ((flags.drawn === undefined) === (files.length === 0))
    throw new Fault("INVALID", "name the files to learn from, or --drawn", {
      next: "sallyport watch train FILE… --out MODEL",
    })
  const refusals = new Refusals()
  const read = flags.drawn === undefined ? await readFiles(files, refusals) : drawn(Number(flags.drawn))
  const file = train(
    read.courses,
    { trained_at: flags.date, sources: read.sources },
    flags.leaveOut === true ? "who would be suspended" : "nobody",
  )
  const text = formatModel(file)
  parseModel(text)
  await writeWhole(flags.out, text)
  const sha256 = createHash("sha256").update(text).digest("hex")
  for (const line of refusals.lines()) tell(voice, line)
  const { requests, people, left_out } = file.provenance
  answer(voice, { model: flags.out, sha256, size_bytes: text.length, ...file.provenance }, [
    `${flags.out}  ${text.length} bytes, sha256 ${sha256}`,
    `learned from ${requests} requests of ${people} people${left_out.length === 0 ? "" : `; left out: ${left_out.join(", ")}`}`,
  ])
  return refusals.size === 0 ? 0 : 10
}

async function readFiles(files: readonly string[], refusals: Refusals): Promise<Read> {
  const courses: Course[] = []
  const sources: { name: string; sha256: string }[] = []
  for (const file of files) {
    const log = new Courses(basename(file))
    for await (const { number, line } of readLog(file)) {
      if (line.k === "refused") refusals.add(file, number, line.code)
      if (line.k === "principal") log.person(line.principal, line.zone_h)
      if (line.k === "wo") log.order(line.order)
      if (line.k === "req") log.request(line.request)
    }
    courses.push(...log.all())
    sources.push({ name: basename(file), sha256: await sha256OfFile(file) })
  }
  return { courses, sources }
}

/** Seeds `train 1` to `train <count>`. */
function drawn(count: number): Read {
  if (!Number.isInteger(count) || count < 1 || count > 100)
    throw new Fault("INVALID", "--drawn is 1 to 100 seeds")
  const courses: Course[] = []
  const sources: { name: string; sha256: string }[] = []
  for (let nth = 1; nth <= count; nth += 1) {
    const seed = `train ${nth}`
    const traffic = drawHonest({ seed, ...usualTraffic })
    courses.push(...coursesOf(traffic))
    const hash = createHash("sha256")
    for (const line of linesOf(traffic, "honest")) hash.update(`${line}\n`)
    sources.push({ name: `drawn, seed ${seed}, ${traffic.world.days} days`, sha256: hash.digest("hex") })
  }
  return { courses, sources }
}
