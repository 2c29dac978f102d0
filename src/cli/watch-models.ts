import { InvalidArgumentError, type Command } from "commander"
import { readFile } from "node:fs/promises"
import type { BackTested } from "../custody/back-test.ts"
import type { ShownModel } from "../custody/models.ts"
import { Fault } from "../fault.ts"
import type { Records } from "../log/state.ts"
import { modelDigest, packModel } from "../log/watch-models.ts"
import { parseModel, type ModelFile } from "../watch/model.ts"
import { contextOf, type Context } from "./context.ts"
import { propose } from "./motions.ts"
import { answer, progress, table, tell } from "./say.ts"

type Thresholds = ModelFile["thresholds"]

/** watch model: ls, add, propose; and watch backtest: what judges, and what another would have done. */
export function watchModelCommands(watch: Command): void {
  const model = watch.command("model").description("what the watch judges by; another takes two people")
  model.command("ls").action(async (_options: unknown, self: Command) => {
    const { client, voice } = await contextOf(self)
    const page = await client.json<{ data: ShownModel[] }>({ method: "GET", path: "/v1/watch/models" })
    answer(voice, page, listed(page.data))
  })
  model
    .command("add <file>")
    .description("put a model's file into the log; it judges nothing before two people put it in force")
    .action(async (file: string, _options: unknown, self: Command) => addModel(await contextOf(self), file))
  model
    .command("propose <backtest>")
    .description("propose the model and thresholds that a back test of the last 24 hours tried")
    .action(async (backtest: string, _options: unknown, self: Command) => {
      const context = await contextOf(self)
      const { model: digest, thresholds } = await triedBy(context, backtest)
      await propose(context, "adopt-model", { model: digest, thresholds: { ...thresholds }, backtest })
    })
  backTestCommand(watch)
}

const nats = (micronats: number) => (micronats / 1e6).toFixed(1)

function said({ person, organization }: Thresholds): string {
  const each = ({ stepUp_micronats, suspend_micronats }: Thresholds["person"]) =>
    `${nats(stepUp_micronats)}/${nats(suspend_micronats)}`
  return `${each(person)}, ${each(organization)}`
}

function listed(all: readonly ShownModel[]): string[] {
  const heads = [
    "model",
    "in force",
    "from",
    "trained",
    "requests",
    "people",
    "asks/suspends: person, organization",
  ]
  const rows = all.map(each => [
    ...[each.model, each.in_force ? "yes" : "no", each.file ?? `log entry ${each.entry ?? ""}`],
    ...[each.trained_at, each.requests, each.people, said(each.thresholds)],
  ])
  return table(heads, rows)
}

/** @throws Fault WATCH_MODEL for a file that is no model: it is judged here before it is sent. */
async function addModel({ client, voice }: Context, file: string): Promise<void> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new Fault("WATCH_MODEL", `${file} cannot be read`, { cause })
  })
  parseModel(text)
  const digest = modelDigest(text)
  const statement = { model: digest, gzip: packModel(text) }
  const done = await client.json<{ entry: number }>({ method: "POST", path: "/v1/watch/models", statement })
  answer(voice, { model: digest, ...done }, [
    `${digest}  in the log, log entry ${done.entry}; it judges nothing yet`,
  ])
  tell(voice, `next: sallyport watch backtest --model ${digest}`)
}

function triedBy({ client }: Context, backtest: string): Promise<Records["backtest"]> {
  const path = `/v1/watch/backtests/${encodeURIComponent(backtest)}`
  return client.json<Records["backtest"]>({ method: "GET", path })
}

interface Flags {
  readonly model?: string
  readonly again?: string
  readonly asks?: number
  readonly suspends?: number
  readonly orgAsks?: number
  readonly orgSuspends?: number
}

function backTestCommand(watch: Command): void {
  watch
    .command("backtest")
    .description("what a model and thresholds would have done in the last 30 days, beside what was done")
    .option("--model <sha256>", "another model than the one in force; watch model ls lists them")
    .option("--asks <nats>", "where a person is asked", natsOf)
    .option("--suspends <nats>", "where a person is suspended", natsOf)
    .option("--org-asks <nats>", "where people of one organization are asked together", natsOf)
    .option("--org-suspends <nats>", "where an organization is suspended", natsOf)
    .option("--again <backtest>", "an earlier one once more, over the log as it stood, to compare")
    .action(async (flags: Flags, self: Command) => {
      const context = await contextOf(self)
      const done = await run(context, await askedFor(context, flags))
      answer(context.voice, done, lines(done))
      if (flags.again === undefined)
        return tell(context.voice, `next: sallyport watch model propose ${done.backtest}`)
      if (done.backtest === flags.again) return tell(context.voice, "the same as before, byte for byte")
      throw new Fault("LEDGER_DIFFERS", `the log leads to another result than ${flags.again}`)
    })
}

function natsOf(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 100)) throw new InvalidArgumentError("Nats, above 0 and at most 100.")
  return Math.round(value * 1e6)
}

interface Asked {
  readonly model: string
  readonly thresholds: Thresholds
  readonly size: number | null
}

async function askedFor(context: Context, flags: Flags): Promise<Asked> {
  if (flags.again !== undefined) {
    const { model, thresholds, size } = await triedBy(context, flags.again)
    return { model, thresholds, size }
  }
  const all = await context.client.json<{ data: ShownModel[] }>({ method: "GET", path: "/v1/watch/models" })
  const found = all.data.find(each =>
    flags.model === undefined ? each.in_force : each.model === flags.model,
  )
  if (found === undefined)
    throw new Fault("NOT_FOUND", `there is no model ${flags.model ?? "in force"}`, {
      next: "sallyport watch model ls; sallyport watch model add FILE",
    })
  const { person, organization } = found.thresholds
  return {
    model: found.model,
    thresholds: {
      person: changed(person, { asks: flags.asks, suspends: flags.suspends }),
      organization: changed(organization, { asks: flags.orgAsks, suspends: flags.orgSuspends }),
    },
    size: null,
  }
}

function changed(
  { stepUp_micronats, suspend_micronats }: Thresholds["person"],
  { asks, suspends }: { readonly asks: number | undefined; readonly suspends: number | undefined },
): Thresholds["person"] {
  return {
    stepUp_micronats: asks ?? stepUp_micronats,
    suspend_micronats: suspends ?? suspend_micronats,
  }
}

type Done = BackTested & { readonly backtest: string; readonly entry: number }

/** The server takes five minutes at most: then its entry would be younger than the signed request allows. */
const patience_ms = 300_000

function run({ client, voice }: Context, asked: Asked): Promise<Done> {
  const statement = { ...asked, thresholds: { ...asked.thresholds } }
  const ask = { method: "POST", path: "/v1/watch/backtests", statement, timeout_ms: patience_ms } as const
  return client.lines<Done>(ask, (done, of) => progress(voice, done, of, "log entries tried"))
}

function lines(done: Done): string[] {
  const heads = ["who", "asked", "would be", "suspended", "would be", "images held back", "first suspension"]
  const rows = done.tried.map(each => [
    ...[each.id, each.asked, each.would_be_asked, each.suspended, each.would_be_suspended],
    ...[each.images_held_back, each.first_suspension === null ? "–" : `entry ${each.first_suspension}`],
  ])
  const requests = done.requests.toLocaleString("en-US")
  return [
    `model      ${done.model}`,
    `asks at / suspends at, person, organization  ${said(done.thresholds)}`,
    `window     ${done.from} to ${done.until}, ${done.size} log entries`,
    done.requests === 0
      ? "NO DATA    the watch judged nothing in this window: this says nothing of the model"
      : `judged     ${requests} requests of ${done.people} people`,
    `asked      ${done.asked.was} times; would have been ${done.asked.would_be}`,
    `suspended  ${done.suspended.was}; would have been ${done.suspended.would_be}`,
    `images     ${done.images_held_back} that left would not have`,
    ...(rows.length === 0 ? [] : ["", ...table(heads, rows)]),
    ...(done.more === 0 ? [] : [`and ${done.more} more`]),
    `back test  ${done.backtest}, log entry ${done.entry}`,
  ]
}
