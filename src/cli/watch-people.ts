import type { Command } from "commander"
import type { Suspicion, SuspectedPerson } from "../custody/suspicion.ts"
import { contextOf, listQuery, type Context } from "./context.ts"
import { propose } from "./motions.ts"
import { answer, table, tell } from "./say.ts"

/** watch ls, show, answer: what the watch holds against whom, and what it is told. */
export function watchPeopleCommands(watch: Command): void {
  watch
    .command("ls")
    .description("who has evidence against him, how much, and why")
    .option("--all", "also who has none")
    .action(async (options: { all?: true }, self: Command) => {
      const { client, voice, globals } = await contextOf(self)
      const query = listQuery(globals, { all: options.all === true ? "true" : undefined })
      const page = await client.json<{ data: Suspicion[]; has_more: boolean }>({
        method: "GET",
        path: `/v1/watch${query}`,
      })
      const more = page.has_more ? ["more: --limit 200"] : []
      const none = ["nobody has evidence against him; sallyport watch ls --all shows whom the watch met"]
      answer(voice, page, page.data.length === 0 ? none : [...listed(page.data), ...more])
    })
  watch
    .command("show <person>")
    .description("rule, threshold, actual, first and last event, and his last 30 days")
    .action(async (id: string, _options: unknown, self: Command) => {
      const { client, voice } = await contextOf(self)
      const path = `/v1/watch/${encodeURIComponent(id)}`
      const shown = await client.json<SuspectedPerson>({ method: "GET", path })
      answer(voice, shown, shownLines(shown))
    })
  watch
    .command("answer")
    .description("say why, where the watch asked: signed with your key, and kept apart from the log")
    .requiredOption("--reason <text>", "one line, at least 15 characters")
    .action(async ({ reason }: { reason: string }, self: Command) => {
      const context = await contextOf(self)
      const done = await answerWatch(context, reason)
      answer(context.voice, done, [`answered, log entry ${done.entry}`])
      tell(context.voice, "next: the same request again")
    })
}

/** `person lift` and `org lift`: a second person signs it. */
export function liftCommand(command: Command, of: "person" | "organization"): void {
  command
    .command("lift <id>")
    .description("propose to end a suspension, with what the watch holds; a second person signs it")
    .action(async (id: string, _options: unknown, self: Command) =>
      propose(await contextOf(self), `lift-${of}`, { [of]: id }),
    )
}

/** Says why to the watch, with the key of this command. */
export function answerWatch({ client }: Context, reason: string): Promise<{ readonly entry: number }> {
  return client.json({ method: "POST", path: "/v1/watch/answers", statement: {}, names: { reason } })
}

function listed(all: readonly Suspicion[]): string[] {
  const heads = ["who", "organization", "standing", "evidence", "since", "why"]
  const rows = all.map(each => [
    ...[each.id, each.of === "person" ? each.organization : "itself", each.standing],
    ...[barOf(each), each.since ?? "–", whyOf(each)],
  ])
  return table(heads, rows)
}

/** Nothing is said of a person without evidence. */
function whyOf({ of, why }: Suspicion): string {
  return why ?? (of === "organization" ? "what its people did adds up" : "–")
}

const bar_cells = 14

/** The share of the threshold of suspension, as a bar with the step-up's place in it. */
function barOf({ statistic_micronats, asks_micronats, suspends_micronats }: Suspicion): string {
  const cellsOf = (micronats: number) => Math.round((bar_cells * micronats) / suspends_micronats)
  const full = Math.min(bar_cells, cellsOf(statistic_micronats))
  const asks = cellsOf(asks_micronats) - 1
  const cells = Array.from({ length: bar_cells }, (_, i) => (i < full ? "#" : i === asks ? "|" : "."))
  const share = Math.round((100 * statistic_micronats) / suspends_micronats)
  return `${cells.join("")} ${share} %`
}

const nats = (micronats: number) => (micronats / 1e6).toFixed(1)

function shownLines(shown: SuspectedPerson): string[] {
  const { id, organization, standing, first, last, since, why } = shown
  const most = Math.max(1, ...shown.days.map(day => day.images))
  return [
    `${id}  of ${organization === "" ? "an organization that the watch has not met" : organization}  ${standing}`,
    `rule       ${shown.rule}`,
    `threshold  asks at ${nats(shown.asks_micronats)}, suspends at ${nats(shown.suspends_micronats)}`,
    `actual     ${nats(shown.statistic_micronats)}`,
    ...(why === null ? ["why        no evidence stands"] : [`why        ${why}`]),
    ...(since === null ? [] : [`first      ${since}, log entry ${first ?? 0}`]),
    ...(last === null ? [] : [`last       log entry ${last}: the newest outside of a grant`]),
    "",
    `distinct images a day, 30 days to ${shown.days.at(-1)?.date ?? ""}; most ${most}`,
    ...plotOf(shown.days.map(day => day.images / most)),
    `${shown.days[0]?.date ?? ""}${" ".repeat(10)}${shown.days.at(-1)?.date ?? ""}`,
  ]
}

const plotRows = 4

/** A column a day; a day with any image shows at least one mark. */
function plotOf(shares: readonly number[]): string[] {
  return Array.from({ length: plotRows }, (_, row) => {
    const from = (plotRows - 1 - row) / plotRows
    return shares.map(share => (share > from ? "#" : " ")).join("")
  }).map(line => `${line.trimEnd()}`)
}
