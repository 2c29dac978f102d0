import { Option, type Command } from "commander"
import type { AlertDays } from "../custody/alert-days.ts"
import { alertTable } from "../log/alert-table.ts"
import type { AlertState } from "../log/alerts.ts"
import { contextOf, listQuery } from "./context.ts"
import { answer, table } from "./say.ts"

interface Event {
  readonly entry: number
  readonly at: string
  readonly sentence: string
}

type Shown = AlertState & {
  readonly ended_at: string | null
  readonly rule: string
  readonly threshold: string
  readonly actual: string
  readonly first_event: Event | null
  readonly last_event: Event | null
  readonly last_days: AlertDays | null
}

const standings = ["open", "acknowledged", "closed"] as const

/** alert: ls, show, ack, close. */
export function alertCommands(program: Command): void {
  const alert = program
    .command("alert")
    .description("what the vault noticed of readers, of those who ask and of those whom it tells")
  alert
    .command("ls")
    .option("--all", "also what was acknowledged or closed")
    .addOption(new Option("--status <status>", "those alone").choices(standings))
    .action(async (options: { all?: true; status?: string }, self: Command) => {
      const { client, voice, globals } = await contextOf(self)
      const status = options.status ?? (options.all === true ? undefined : "open")
      const query = listQuery(globals, { status })
      const page = await client.json<{ data: AlertState[]; has_more: boolean }>({
        method: "GET",
        path: `/v1/alerts${query}`,
      })
      const heads = ["alert", "what", "times", "last", "about", "actual", "outcome"]
      const rows = page.data.map(each => [
        ...[each.alert, each.what, each.count, each.last_at, each.reader ?? each.subject ?? ""],
        ...[alertTable[each.what].actual(each), outcomeOf(each)],
      ])
      const more = page.has_more ? ["more: --limit 200"] : []
      answer(voice, page, page.data.length === 0 ? ["no open alert"] : [...table(heads, rows), ...more])
    })
  alert
    .command("show <id>")
    .description("why: rule, threshold, actual, first and last event, and a person's last 30 days")
    .action(async (id: string, _options: unknown, self: Command) => {
      const { client, voice } = await contextOf(self)
      const path = `/v1/alerts/${encodeURIComponent(id)}`
      const shown = await client.json<Shown>({ method: "GET", path })
      answer(voice, shown, [...linesOf(shown), ...daysOf(shown)])
    })
  acknowledgement(alert)
  closing(alert)
}

function outcomeOf({ acknowledged, closed }: AlertState): string {
  if (closed !== undefined) return `${closed.outcome}, closed`
  return acknowledged?.outcome ?? "open"
}

function linesOf(shown: Shown): string[] {
  const { acknowledged: done, ended_at, first_event, last_event } = shown
  return [
    `${shown.alert}  ${shown.what}`,
    `rule       ${shown.rule}`,
    `threshold  ${shown.threshold}`,
    `actual     ${shown.actual}`,
    `about      ${aboutOf(shown)}`,
    `raised     ${shown.raised_at}, log entry ${shown.entry}`,
    `count      ${shown.count}, last ${shown.last_at}, log entry ${shown.last_entry}`,
    ...(first_event === null ? [] : [`first      ${first_event.sentence}`]),
    ...(last_event === null || shown.last_entry === shown.entry ? [] : [`last       ${last_event.sentence}`]),
    ...(ended_at === null ? [] : [`ended      heard of again, ${ended_at}`]),
    ...closedLine(shown),
    done === null
      ? `open       sallyport alert ack ${shown.alert} --outcome expected|fixed|escalated`
      : `seen       ${done.outcome}, by ${done.person} at ${done.at}, log entry ${done.entry}`,
  ]
}

function aboutOf({ reader, lane, subject }: Shown): string {
  if (reader !== undefined) return `reader ${reader} on lane ${lane ?? ""}`
  const word = { per: "person", org: "organization", dst: "destination" }[(subject ?? "").slice(0, 3)]
  const more = word === "person" ? `; sallyport watch show ${subject ?? ""}` : ""
  return `${word ?? "something"} ${subject ?? ""}${more}`
}

/** Two rows of a sign a day, the oldest first: what was let through, and what was refused. */
function daysOf({ last_days }: Shown): string[] {
  if (last_days === null) return []
  const { days, is_cut, searched } = last_days
  const first = days[0]?.date ?? ""
  const last = days.at(-1)?.date ?? ""
  return [
    "",
    `30 days    ${first} to ${last}, a sign a day; ${signs.slice(1)} from few to most`,
    `images     ${sparkOf(days.map(each => each.let_through))}`,
    `refused    ${sparkOf(days.map(each => each.refused))}`,
    ...(is_cut ? [`of the newest ${searched} refusals in the log; there are older ones`] : []),
  ]
}

const signs = ".:-=+*#"

/** A sign for each day: a dot for none, and six steps up to the most; then sum and most. */
function sparkOf(counts: readonly number[]): string {
  const most = Math.max(0, ...counts)
  const sum = counts.reduce((all, count) => all + count, 0)
  const sign = (count: number) =>
    count === 0 ? "." : (signs[Math.ceil(((signs.length - 1) * count) / most)] ?? "#")
  return `${counts.map(sign).join("")}  ${sum}, most ${most}`
}

function acknowledgement(alert: Command): void {
  alert
    .command("ack <id>")
    .description(
      "it was seen; what comes again opens another. For anything else that was told: its entry's number",
    )
    .addOption(outcomeOption())
    .option("--note <text>", "kept apart from the log")
    .action(async (id: string, options: { outcome: string; note?: string }, self: Command) => {
      const { client, voice } = await contextOf(self)
      const { outcome, note } = options
      const done = await client.json<{ entry: number }>({
        method: "POST",
        path: `/v1/${/^[0-9]+$/.test(id) ? "notices" : "alerts"}/${encodeURIComponent(id)}/acknowledgement`,
        statement: note === undefined ? { outcome, note_commitment: null } : { outcome },
        ...(note === undefined ? {} : { names: { note } }),
      })
      answer(voice, done, [`${id}  acknowledged: ${outcome}, log entry ${done.entry}`])
    })
}

function closing(alert: Command): void {
  alert
    .command("close <id>")
    .description("it is over: what came of it, and why")
    .addOption(outcomeOption())
    .requiredOption("--reason <text>", "at least 15 characters; kept apart from the log")
    .action(async (id: string, options: { outcome: string; reason: string }, self: Command) => {
      const { client, voice } = await contextOf(self)
      const { outcome, reason } = options
      const path = `/v1/alerts/${encodeURIComponent(id)}/closing`
      const ask = { method: "POST", path, statement: { outcome }, names: { reason } } as const
      const done = await client.json<{ entry: number }>(ask)
      answer(voice, done, [`${id}  closed: ${outcome}, log entry ${done.entry}`])
    })
}

function outcomeOption(): Option {
  const outcomes = ["expected", "fixed", "escalated"]
  return new Option("--outcome <what>", "what came of it").choices(outcomes).makeOptionMandatory()
}

function closedLine({ closed }: AlertState): string[] {
  if (closed === undefined) return []
  return [`closed     ${closed.outcome}, by ${closed.person} at ${closed.at}, log entry ${closed.entry}`]
}
