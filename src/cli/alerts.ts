import { Option, type Command } from "commander"
import type { AlertState } from "../log/alerts.ts"
import { contextOf, listQuery } from "./context.ts"
import { answer, table } from "./say.ts"

/** alert: ls, show, ack, close. */
export function alertCommands(program: Command): void {
  const alert = program
    .command("alert")
    .description("what the vault noticed of readers, or their agents told")
  alert
    .command("ls")
    .option("--all", "also what was acknowledged")
    .action(async (options: { all?: true }, self: Command) => {
      const { client, voice, globals } = await contextOf(self)
      const query = listQuery(globals, { status: options.all === true ? undefined : "open" })
      const page = await client.json<{ data: AlertState[]; has_more: boolean }>({
        method: "GET",
        path: `/v1/alerts${query}`,
      })
      const heads = ["alert", "what", "times", "last", "reader", "detail", "outcome"]
      const rows = page.data.map(each => [
        ...[each.alert, each.what, each.count, each.last_at, each.reader, detailOf(each)],
        each.acknowledged?.outcome ?? "open",
      ])
      const more = page.has_more ? ["more: --limit 200"] : []
      answer(voice, page, page.data.length === 0 ? ["no open alert"] : [...table(heads, rows), ...more])
    })
  alert.command("show <id>").action(async (id: string, _options: unknown, self: Command) => {
    const { client, voice } = await contextOf(self)
    const shown = await client.json<AlertState & { ended_at: string | null }>({
      method: "GET",
      path: `/v1/alerts/${encodeURIComponent(id)}`,
    })
    const { acknowledged: done, ended_at } = shown
    answer(voice, shown, [
      `${shown.alert}  ${shown.what}  ${detailOf(shown)}`,
      `about    reader ${shown.reader} on lane ${shown.lane}`,
      `raised   ${shown.raised_at}, log entry ${shown.entry}`,
      `count    ${shown.count}, last ${shown.last_at}, log entry ${shown.last_entry}`,
      ...(ended_at === null ? [] : [`ended    heard of again, ${ended_at}`]),
      ...closedLine(shown),
      done === null
        ? `open     sallyport alert ack ${shown.alert} --outcome expected|fixed|escalated`
        : `seen     ${done.outcome}, by ${done.person} at ${done.at}, log entry ${done.entry}`,
    ])
  })
  acknowledgement(alert)
  closing(alert)
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
  return [`closed   ${closed.outcome}, by ${closed.person} at ${closed.at}, log entry ${closed.entry}`]
}

function detailOf({ detail }: AlertState): string {
  const told = Object.entries(detail).map(([name, value]) => `${name}=${value}`)
  return told.length === 0 ? "–" : told.join(" ")
}
