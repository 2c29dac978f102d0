import { InvalidArgumentError, type Command } from "commander"
import type { MuteState } from "../log/mutes.ts"
import { Fault } from "../fault.ts"
import { contextOf, type Context } from "./context.ts"
import { answer, table, tell } from "./say.ts"

interface Flags {
  readonly destination: string
  readonly of?: string
  readonly for: number
  readonly reason: string
}

/** watch mute, mutes, unmute: an event that a destination is not told of for a while. */
export function muteCommands(watch: Command): void {
  watch
    .command("mute <event>")
    .description("do not tell a destination of an event for a while; the other destinations hear of it")
    .requiredOption("--destination <name>", "its name or id; outbox ls lists them")
    .requiredOption("--for <time>", "such as 30m, 12h or 7d, which is the longest", lengthOf)
    .requiredOption("--reason <text>", "at least 15 characters; kept apart from the log")
    .option("--of <id>", "of this person, organization, alert … alone")
    .action(async (event: string, flags: Flags, self: Command) => {
      const { client, voice, ...context } = await contextOf(self)
      const destination = await destinationOf({ client, voice, ...context }, flags.destination)
      const until = new Date(Date.now() + flags.for).toISOString()
      const statement = { event, destination, subject: flags.of ?? null, until }
      const { reason } = flags
      const ask = { method: "POST", path: "/v1/watch/mutes", statement, names: { reason } } as const
      const done = await client.json<{ id: string; entry: number }>(ask)
      answer(voice, { ...done, until }, [
        `${done.id}  ${event} muted until ${until}, log entry ${done.entry}`,
      ])
      tell(voice, `it ends by itself; before that: sallyport watch unmute ${done.id}`)
    })
  watch
    .command("unmute <id>")
    .description("tell it again before its time; what was not told meanwhile stays so")
    .action(async (mute: string, _options: unknown, self: Command) => {
      const { client, voice } = await contextOf(self)
      const path = `/v1/watch/mutes/${encodeURIComponent(mute)}/ending`
      const done = await client.json<{ entry: number }>({ method: "POST", path, statement: { mute } })
      answer(voice, done, [`${mute}  is over, log entry ${done.entry}`])
    })
  watch
    .command("mutes")
    .description("what is not told to whom, until when, and how much that was")
    .action(async (_options: unknown, self: Command) => {
      const { client, voice } = await contextOf(self)
      const page = await client.json<{ data: MuteState[] }>({ method: "GET", path: "/v1/watch/mutes" })
      const heads = ["mute", "event", "destination", "of", "until", "not told", "by"]
      const rows = page.data.map(each => [
        ...[each.mute, each.event, each.destination, each.subject ?? "all", each.until],
        ...[each.held_back, each.person],
      ])
      answer(voice, page, rows.length === 0 ? ["nothing is muted"] : table(heads, rows))
    })
}

const units_ms: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

function lengthOf(text: string): number {
  const [, count = "", unit = ""] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? []
  if (unit === "") throw new InvalidArgumentError("Such as 30m, 12h or 7d.")
  return Number(count) * (units_ms[unit] ?? 0)
}

async function destinationOf({ client }: Context, name: string): Promise<string> {
  const path = "/v1/destinations"
  const { data } = await client.json<{ data: { destination: string; name: string }[] }>({
    ...{ method: "GET", path },
  })
  const found = data.find(each => each.name === name || each.destination === name)
  if (found === undefined)
    throw new Fault("NOT_FOUND", `no destination ${name} is told anything`, { next: "sallyport outbox ls" })
  return found.destination
}
