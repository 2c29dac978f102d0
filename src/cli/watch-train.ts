import type { Command } from "commander"
import { createHash } from "node:crypto"
import { basename } from "node:path"
import { hex } from "../bytes.ts"
import { drawHonest, linesOf, usualTraffic } from "../drawing/traffic/traffic.ts"
import { verifyEd25519 } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import { LogWalk, readHead } from "../log/reading.ts"
import { Retelling } from "../log/retelling.ts"
import { modelDigest } from "../log/watch-models.ts"
import { Courses, coursesOf, WatchedCourses } from "../watch/courses.ts"
import { formatModel, parseModel, type Provenance } from "../watch/model.ts"
import { train, type Course } from "../watch/train.ts"
import { writeWhole } from "../whole-file.ts"
import { contextOf, globalsOf, type Context } from "./context.ts"
import { readPolicy } from "./receipt.ts"
import { readLog, Refusals, sha256OfFile } from "./request-log.ts"
import { answer, progress, tell } from "./say.ts"
import { sourceOf } from "./source.ts"

/** watch train: a model out of logs of requests, drawn traffic, or the vault's own log. */
export function trainCommand(watch: Command): void {
  watch
    .command("train [file...]")
    .description("learn a model from logs of honest requests, or from the vault's own log")
    .requiredOption("--out <file>", "the model file")
    .requiredOption("--date <date>", "the day that the model names as its own, YYYY-MM-DD")
    .option("--leave-out", "leave out people whom a model of the others would suspend, instead of refusing")
    .option("--own-log", "learn from what the watch was told in the vault's log, as the server shows it")
    .option("--policy <file>", "with --own-log: the log's policy, as you pinned it")
    .option(
      "--from <where>",
      "with --own-log: a mirror of the log, or the URL of one, in place of the server",
    )
    .option("--drawn <count>", "learn from so many seeds of drawn traffic instead of files")
    .action(async (files: string[], flags: TrainFlags, self: Command) => {
      process.exitCode = await trainModel(self, files, flags)
    })
}

interface TrainFlags {
  readonly out: string
  readonly date: string
  readonly leaveOut?: true
  readonly drawn?: string
  readonly ownLog?: true
  readonly policy?: string
  readonly from?: string
}

interface Read {
  readonly courses: readonly Course[]
  readonly sources: Provenance["sources"]
}

async function trainModel(self: Command, files: readonly string[], flags: TrainFlags): Promise<number> {
  const voice = globalsOf(self)
  if (!/^\d{4}-\d{2}-\d{2}$/.test(flags.date)) throw new Fault("INVALID", "--date is a day, YYYY-MM-DD")
  if ([flags.drawn !== undefined, flags.ownLog === true, files.length > 0].filter(Boolean).length !== 1)
    throw new Fault("INVALID", "name the files to learn from, or --own-log, or --drawn", {
      next: "sallyport watch train FILE… --out MODEL",
    })
  const refusals = new Refusals()
  const read = await readCourses(self, files, { flags, refusals })
  const file = train(
    read.courses,
    { trained_at: flags.date, sources: read.sources },
    flags.leaveOut === true ? "who would be suspended" : "nobody",
  )
  const text = formatModel(file)
  parseModel(text)
  await writeWhole(flags.out, text)
  const sha256 = modelDigest(text)
  for (const line of refusals.lines()) tell(voice, line)
  const { requests, people, left_out } = file.provenance
  answer(voice, { model: flags.out, sha256, size_bytes: text.length, ...file.provenance }, [
    `${flags.out}  ${text.length} bytes, sha256 ${sha256}`,
    `learned from ${requests} requests of ${people} people${left_out.length === 0 ? "" : `; left out: ${left_out.join(", ")}`}`,
  ])
  return refusals.size === 0 ? 0 : 10
}

async function readCourses(
  self: Command,
  files: readonly string[],
  { flags, refusals }: { readonly flags: TrainFlags; readonly refusals: Refusals },
): Promise<Read> {
  if (flags.ownLog === true) return readOwnLog(await contextOf(self), flags)
  return flags.drawn === undefined ? readFiles(files, refusals) : drawn(Number(flags.drawn))
}

/** The vault's log, whose tree is verified while it is read. What was held for a question came again after it. */
async function readOwnLog(context: Context, { policy, from }: TrainFlags): Promise<Read> {
  if (policy === undefined)
    throw new Fault("INVALID", "--own-log reads a log by its policy", {
      next: "--policy FILE; the server shows one at /log/policy: compare its key before you keep it",
    })
  const source = await sourceOf(context, from)
  const head = await readHead(source, await readPolicy(policy), verifyEd25519)
  const courses = new WatchedCourses()
  const retelling = new Retelling({
    opening: ({ person, organization, request, isHeldBack }) => {
      const purpose = request.purpose === "" ? noPurpose : request.purpose
      if (!isHeldBack) courses.take({ person, organization }, { ...request, purpose })
    },
  })
  const [problem] = await new LogWalk(source, retelling).to(head, (done, of) =>
    progress(context.voice, done, of, "read"),
  )
  if (problem !== undefined) throw new Fault("LOG_INVALID", `${problem.at} ${problem.why}`)
  const name = `log of ${head.origin}, ${head.size} entries`
  return { courses: courses.all(), sources: [{ name, sha256: hex(head.root) }] }
}

/** Of requests that name no grant; their symbols are the pool's all the same. */
const noPurpose = "none"

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
