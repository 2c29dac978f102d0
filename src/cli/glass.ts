import type { Command } from "commander"
import { Fault } from "../fault.ts"
import type { Statement } from "../grant/request.ts"
import { motionPaths } from "../log/authentic.ts"
import { contextOf } from "./context.ts"
import { isWhole, type Given } from "./request-form.ts"
import { termsFrom, termsOptions } from "./terms.ts"
import { propose } from "./motions.ts"
import { answer, table, tell } from "./say.ts"

interface Told {
  readonly entry: number
  readonly at: string
  readonly severity: string
  readonly sentence: string
}

interface Notices {
  readonly data: readonly Told[]
  readonly reviews: readonly { readonly grant: string; readonly due_at: string }[]
}

/** break-glass, its review, one look at L4, and what the vault told. */
export function glassCommands(program: Command): void {
  const glass = program
    .command("break-glass")
    .description("a short, small case for yourself, when approvals cannot be had in time: loud, and reviewed")
  termsOptions(glass.command("open"))
    .requiredOption("--reason <text>", "at least 15 characters; kept apart from the log")
    .action(async (options: Given & { reason: string }, self: Command) => {
      const context = await contextOf(self)
      const given = { ...options, holder: context.id }
      if (!isWhole(given))
        throw new Fault("INVALID", "--purpose, --work-order, --lane and --images are needed")
      const terms = termsFrom(given, "reveal")
      const done = await context.client.json<{ id: string; motion: string; entry: number }>({
        method: "POST",
        path: motionPaths["break-glass"],
        statement: { terms },
        names: { reason: options.reason },
      })
      answer(context.voice, done, [
        `${done.id}  asked for, log entry ${done.entry}; everybody who watches was told`,
      ])
      tell(context.voice, `next, a person of another office: sallyport motion second ${done.motion}`)
    })
  glass
    .command("review <case>")
    .description("judge one that is over; neither of its two people may")
    .requiredOption("--outcome <outcome>", "justified or unjustified")
    .requiredOption("--note <text>", "kept apart from the log")
    .action(async (id: string, options: { outcome: string; note: string }, self: Command) => {
      const { client, voice } = await contextOf(self)
      const statement: Statement = { outcome: options.outcome }
      const path = `/v1/grants/${encodeURIComponent(id)}/review`
      const names = { note: options.note }
      const done = await client.json<{ entry: number }>({ method: "POST", path, statement, names })
      answer(voice, done, [`${id}  reviewed: ${options.outcome}, log entry ${done.entry}`])
    })
  program
    .command("notices")
    .description("alarms and notices, newest first, and the reviews that are due")
    .action(async (_options: unknown, self: Command) => {
      const { client, voice, globals } = await contextOf(self)
      const query = globals.limit === undefined ? "" : `?limit=${globals.limit}`
      const page = await client.json<Notices>({ method: "GET", path: `/v1/notices${query}` })
      const rows = page.data.map(each => [each.severity, each.at, each.entry, each.sentence])
      const due = page.reviews.map(each => `REVIEW DUE  ${each.grant} until ${each.due_at}`)
      const none = ["nothing was told yet"]
      answer(voice, page, [...(rows.length === 0 ? none : table(["", "at", "entry", "what"], rows)), ...due])
    })
}

/** `case look`: a second person signs for one look at L4. */
export function lookCommand(command: Command): void {
  command
    .command("look <case> <capture>")
    .description("propose one look at L4; a second person signs it, and it holds for 10 minutes")
    .action(async (grant: string, capture: string, _options: unknown, self: Command) =>
      propose(await contextOf(self), "look", { grant, capture }),
    )
}
