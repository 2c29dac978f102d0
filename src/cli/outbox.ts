import { InvalidArgumentError, Option, type Command } from "commander"
import { destinationKinds } from "../log/destinations.ts"
import { eventNames, eventOf } from "../log/event-table.ts"
import type { Client } from "./client.ts"
import { contextOf } from "./context.ts"
import { propose } from "./motions.ts"
import { answer, table, tell } from "./say.ts"

interface Destination {
  readonly destination: string
  readonly name: string
  readonly kind: string
  readonly status: string
  readonly address: string | null
  readonly events: readonly string[]
  readonly organization: string
  readonly rung: number
  readonly waiting: number
  readonly abandoned: number
  readonly oldest_waiting_at: string | null
  readonly last_delivered_at: string | null
  readonly last_failed_at: string | null
  readonly last_failure: string | null
}

interface Message {
  readonly message: string
  readonly event: string
  readonly entry: number | null
  readonly state: string
  readonly attempts: number
  readonly due_at: string
  readonly next_at: string | null
  readonly settled_at: string | null
  readonly last_failure: string | null
}

/** outbox: who is told. ls, show, add, remove, test, resend, events. */
export function outboxCommands(program: Command): void {
  const outbox = program.command("outbox").description("who is told of what happens, and whether it arrives")
  lists(outbox)
  show(outbox)
  adding(outbox)
  sending(outbox)
}

function lists(outbox: Command): void {
  outbox
    .command("ls")
    .option("--all", "also what was removed, or waits for a second person")
    .action(async (options: { all?: true }, self: Command) => {
      const { client, voice } = await contextOf(self)
      const path = `/v1/destinations${options.all === true ? "?all=yes" : ""}`
      const page = await client.json<{ data: Destination[] }>({ method: "GET", path })
      const heads = ["destination", "name", "kind", "told", "waiting", "last delivered", "last failure"]
      const rows = page.data.map(each => [
        ...[each.destination, each.name, each.kind, tellingOf(each), each.waiting],
        ...[each.last_delivered_at ?? "never", failureOf(each)],
      ])
      answer(voice, page, page.data.length === 0 ? ["nobody is told"] : table(heads, rows))
    })
  outbox
    .command("events")
    .description("what can be told, with one sentence each")
    .action(async (_options: unknown, self: Command) => {
      const { voice } = await contextOf(self)
      const all = eventNames.map(name => ({ event: name, ...eventOf(name) }))
      const rows = all.map(each => [each.event, each.severity, each.vendors ? "own" : "no", each.sentence])
      answer(voice, all, table(["event", "severity", "vendors", "what"], rows))
    })
}

const rungWords = ["at once", "after 15 min", "after 1 h", "after 4 h"]

function tellingOf({ status, rung }: Destination): string {
  return status === "active" ? (rungWords[rung] ?? "") : status
}

function failureOf({ last_failed_at, last_failure }: Destination): string {
  return last_failed_at === null ? "–" : `${last_failed_at} ${last_failure ?? ""}`
}

function show(outbox: Command): void {
  outbox.command("show <id>").action(async (id: string, _options: unknown, self: Command) => {
    const { client, voice } = await contextOf(self)
    const path = `/v1/destinations/${encodeURIComponent(id)}`
    const shown = await client.json<Destination & { messages: Message[] }>({ method: "GET", path })
    const heads = ["message", "event", "entry", "state", "attempts", "settled or next", "why not"]
    const rows = shown.messages.map(each => [
      ...[each.message, each.event, each.entry ?? "–", each.state, each.attempts],
      ...[each.settled_at ?? each.next_at ?? "", each.last_failure ?? "–"],
    ])
    answer(voice, shown, [
      `${shown.destination}  ${shown.name}  ${shown.kind}  ${tellingOf(shown)}`,
      `address    ${shown.address ?? "destroyed"}`,
      `of         ${shown.organization}`,
      `events     ${shown.events.join(" ")}`,
      `waiting    ${shown.waiting}${shown.oldest_waiting_at === null ? "" : `, the oldest since ${shown.oldest_waiting_at}`}`,
      `given up   ${shown.abandoned}`,
      `delivered  last ${shown.last_delivered_at ?? "never"}`,
      `failed     last ${failureOf(shown)}`,
      ...(rows.length === 0 ? [] : ["", ...table(heads, rows)]),
    ])
  })
}

interface Added {
  readonly kind: string
  readonly address: string
  readonly events: string
  readonly org?: string
  readonly after: number
}

function adding(outbox: Command): void {
  outbox
    .command("add <name>")
    .description("propose who else is told; a second person signs it")
    .addOption(new Option("--kind <kind>").choices(destinationKinds).makeOptionMandatory())
    .requiredOption("--address <address>", "URL, mail address, syslog+tls://HOST:PORT, or NAME.ndjson")
    .requiredOption("--events <names>", "with commas between them; outbox events lists them")
    .option("--org <id>", "whose it is; the caller's own organization without it")
    .option("--after <rung>", "0: at once; 1 to 3: after 15 min, 1 h, 4 h without acknowledgement", rungOf, 0)
    .action(async (name: string, options: Added, self: Command) => {
      const context = await contextOf(self)
      const organization = options.org ?? (await ownOrganization(context.client))
      const events = options.events.split(",").map(each => each.trim())
      const statement = { name, kind: options.kind, events, organization, rung: options.after }
      await propose(context, "add-destination", statement, { address: options.address })
    })
  outbox
    .command("remove <id>")
    .description("propose to tell it nothing more; a second person signs it")
    .action(async (id: string, _options: unknown, self: Command) =>
      propose(await contextOf(self), "remove-destination", { destination: id }),
    )
}

function rungOf(text: string): number {
  if (/^[0-3]$/.test(text)) return Number(text)
  throw new InvalidArgumentError("0, 1, 2 or 3.")
}

async function ownOrganization(client: Client): Promise<string> {
  const { organization } = await client.json<{ organization: string }>({ method: "GET", path: "/v1/me" })
  return organization
}

const patience_ms = 20_000

function sending(outbox: Command): void {
  outbox
    .command("test <id>")
    .description("tell a destination that this is a test, and wait for how it goes")
    .action(async (id: string, _options: unknown, self: Command) => {
      const { client, voice } = await contextOf(self)
      const path = `/v1/destinations/${encodeURIComponent(id)}/test`
      const done = await client.json<{ entry: number }>({
        ...{ method: "POST", path, statement: { destination: id } },
      })
      tell(voice, `asked, log entry ${done.entry}`)
      const message = await settled(client, id, done.entry)
      answer(voice, message, [
        `${message.message}  ${message.state}${message.last_failure === null ? "" : `: ${message.last_failure}`}`,
      ])
      if (message.state !== "delivered") process.exitCode = 5
    })
  outbox
    .command("resend <message>")
    .description("send a message again, whatever became of it")
    .action(async (message: string, _options: unknown, self: Command) => {
      const { client, voice } = await contextOf(self)
      const path = `/v1/messages/${encodeURIComponent(message)}/resending`
      const done = await client.json<{ entry: number }>({ method: "POST", path, statement: { message } })
      answer(voice, done, [`${message}  is sent again, log entry ${done.entry}`])
    })
}

/** The message of an entry once its first attempt is over. */
async function settled(client: Client, destination: string, entry: number): Promise<Message> {
  const path = `/v1/destinations/${encodeURIComponent(destination)}`
  for (const until_ms = Date.now() + patience_ms; ;) {
    const { messages } = await client.json<{ messages: Message[] }>({ method: "GET", path })
    const found = messages.find(each => each.entry === entry)
    const isTried = found !== undefined && (found.state !== "waiting" || found.last_failure !== null)
    if (found !== undefined && (isTried || Date.now() > until_ms)) return found
    await new Promise(resolve => setTimeout(resolve, 500))
  }
}
