import type { Command } from "commander"
import { randomBytes } from "node:crypto"
import { mkdir, readdir, readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { canonical } from "../canonical.ts"
import { Fault, type FaultCode } from "../fault.ts"
import type { Plan } from "../custody/draw.ts"
import { Answering } from "./answering.ts"
import { contextOf, type Context } from "./context.ts"
import { answer, progress, refuse, tell } from "./say.ts"
import { writeWhole } from "../whole-file.ts"

interface DrawOptions {
  readonly grant: string
  readonly count?: string
  readonly capture?: string[]
  readonly level?: string
  readonly out: string
}

/** One image of a draw, as it lies on disk. */
interface Drawn {
  readonly capture: string
  readonly file: string
  readonly receipt: string
  /** Indexes of the entries; −1 for an image that an interrupted draw left, whose receipt says them. */
  readonly permit: number
  readonly delivered: number
  /** How strongly it is marked for who drew it, and what that should survive; `null` where it shows no pixel of the picture. */
  readonly mark?: string | null
}

interface Failed {
  readonly capture: string
  readonly fault: Fault
}

const atOnce = 8

/** What refuses every image that would follow: the draw stops there, and goes on with the same command. */
const ends: ReadonlySet<string> = new Set<FaultCode>([
  ...(["WATCH_STEP_UP", "WATCH_SUSPENDED", "PERSON_SUSPENDED", "GRANT_ORGANIZATION"] as const),
  ...(["GRANT_EXPIRED", "GRANT_REVOKED", "STOPPED"] as const),
])
/** Holds the key of a draw that has not ended. */
const unfinished = ".draw.json"

/** draw: a vendor's daily verb. */
export function drawCommand(program: Command): void {
  program
    .command("draw")
    .description(
      "take images under a grant, each with its receipt; the same command again goes on where it stopped",
    )
    .requiredOption("--grant <grant>")
    .option("--count <number>", "the oldest that the grant covers and has not released")
    .option("--capture <capture...>", "these; what was drawn before costs no budget")
    .option("--level <level>", "lower than the grant's")
    .requiredOption("--out <folder>", "where images and receipts go")
    .action(async (options: DrawOptions, self: Command) => {
      process.exitCode = await draw(await contextOf(self), options)
    })
}

async function draw(context: Context, options: DrawOptions): Promise<number> {
  const { client, voice } = context
  if ((options.count === undefined) === (options.capture === undefined))
    throw new Fault("INVALID", "give either --count N or --capture ID…")
  if (options.count !== undefined && !/^[1-9]\d{0,5}$/.test(options.count))
    throw new Fault("INVALID", "--count is a whole number from 1")
  await mkdir(options.out, { recursive: true })
  const statement = {
    grant: options.grant,
    count: options.count === undefined ? null : Number(options.count),
    captures: options.capture ?? null,
  }
  const key = await keyOf(options.out, canonical({ ...statement, holder: context.id }))
  const plan = await client.json<Plan>({
    method: "POST",
    path: "/v1/draws",
    statement,
    headers: { "idempotency-key": key },
  })
  const done: Drawn[] = []
  const failed: Failed[] = []
  const held = await presentIn(options.out, plan.captures)
  const answering = new Answering(context)
  await eachAtOnce(plan.captures, async capture => {
    if (failed.some(({ fault }) => ends.has(fault.code))) return
    const before = held.find(drawn => drawn.capture === capture)
    if (before !== undefined) done.push(before)
    else
      await drawOne(answering, { plan, capture, options }).then(
        drawn => done.push(drawn),
        (error: unknown) => failed.push(failureOf(capture, error)),
      )
    progress(voice, done.length + failed.length, plan.captures.length, "drawn")
  })
  await writeWhole(
    join(options.out, "index.json"),
    `${JSON.stringify({ grant: plan.grant, draw: plan.draw, images: merged(await indexOf(options.out), done) }, null, 2)}\n`,
  )
  if (failed.every(({ fault }) => fault.status < 500 && !ends.has(fault.code)))
    await rm(join(options.out, unfinished), { force: true })
  const summary = {
    draw: plan.draw,
    grant: plan.grant,
    images: done,
    failed: failed.map(({ capture, fault }) => ({ capture, code: fault.code })),
    short: plan.short,
  }
  answer(voice, summary, [
    `${done.length} images with receipts in ${options.out}, each marked as yours${plan.short > 0 ? `; ${plan.short} fewer than asked for: the grant covers no more` : ""}`,
  ])
  if (done.length > 0)
    tell(voice, `next: sallyport receipt verify ${join(options.out, "*.tlog-proof")} --policy FILE`)
  return exitCode(context, { failed, short: plan.short })
}

function exitCode(
  { voice }: Context,
  { failed, short }: { failed: readonly Failed[]; short: number },
): number {
  const worst = failed.find(({ fault }) => fault.code === "GRANT_BUDGET" || ends.has(fault.code)) ?? failed[0]
  if (worst === undefined) return short > 0 ? 10 : 0
  const code = refuse({ ...voice, json: false }, worst.fault)
  if (failed.length > 1)
    tell(voice, `        ${failed.length} images were refused; index.json lists what came.`)
  const isItsOwn = worst.fault.code === "GRANT_BUDGET" || worst.fault.code.startsWith("WATCH_")
  return isItsOwn ? code : 10
}

async function drawOne(
  answering: Answering,
  of: { plan: Plan; capture: string; options: DrawOptions },
): Promise<Drawn> {
  const { plan, capture, options } = of
  const statement = { grant: plan.grant, capture, level: options.level ?? plan.level }
  return storeDelivery(await answering.send({ method: "POST", path: "/v1/releases", statement }), {
    capture,
    folder: options.out,
  })
}

/** Image and receipt of a release or reveal, written whole or not at all. */
export async function storeDelivery(
  response: Response,
  { capture, folder }: { capture: string; folder: string },
): Promise<Drawn> {
  const parts = await response.formData()
  const [image, receipt] = [parts.get("image"), parts.get("receipt")]
  if (!(image instanceof Blob) || !(receipt instanceof Blob))
    throw new Fault("INTERNAL", "the answer holds no image with a receipt")
  const file = `${capture}.${image.type === "image/png" ? "png" : "jpg"}`
  await writeWhole(join(folder, `${file}.tlog-proof`), new Uint8Array(await receipt.arrayBuffer()))
  await writeWhole(join(folder, file), new Uint8Array(await image.arrayBuffer()))
  const number = (name: string) => Number(response.headers.get(name))
  return {
    capture,
    file,
    receipt: `${file}.tlog-proof`,
    permit: number("sallyport-permit"),
    delivered: number("sallyport-delivered"),
    mark: response.headers.get("sallyport-mark"),
  }
}

/** The idempotency key of this very draw into this folder: kept until the draw has ended, so that a broken one resumes. */
async function keyOf(folder: string, what: string): Promise<string> {
  const text = await readFile(join(folder, unfinished), "utf8").catch(() => "{}")
  const held = JSON.parse(text) as { what?: string; key?: string }
  if (held.what === what && held.key !== undefined) return held.key
  const key = randomBytes(18).toString("base64url")
  await writeWhole(join(folder, unfinished), JSON.stringify({ what, key }))
  return key
}

/** Images of the plan that lie in the folder with their receipts: the receipt is written first, the image last. */
async function presentIn(folder: string, captures: readonly string[]): Promise<Drawn[]> {
  const names = new Set(await readdir(folder))
  const listed = await indexOf(folder)
  return captures.flatMap(capture => {
    const file = [`${capture}.png`, `${capture}.jpg`].find(
      name => names.has(name) && names.has(`${name}.tlog-proof`),
    )
    const known = listed.find(drawn => drawn.capture === capture)
    return file === undefined
      ? []
      : [known ?? { capture, file, receipt: `${file}.tlog-proof`, permit: -1, delivered: -1 }]
  })
}

async function indexOf(folder: string): Promise<Drawn[]> {
  const text = await readFile(join(folder, "index.json"), "utf8").catch(() => null)
  return text === null ? [] : (JSON.parse(text) as { images: Drawn[] }).images
}

function merged(held: readonly Drawn[], done: readonly Drawn[]): Drawn[] {
  return [...new Map([...held, ...done].map(drawn => [drawn.capture, drawn])).values()]
}

function failureOf(capture: string, error: unknown): Failed {
  return {
    capture,
    fault:
      error instanceof Fault ? error : new Fault("INTERNAL", "the image did not arrive", { cause: error }),
  }
}

async function eachAtOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
}
