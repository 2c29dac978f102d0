import { Option, type Command } from "commander"
import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { canonical } from "../canonical.ts"
import { Fault } from "../fault.ts"
import type { ReceivedReport } from "../custody/incident-record.ts"
import type { Standing } from "../incident/gauges.ts"
import type { ScopeResult } from "../incident/scope.ts"
import { parties } from "../log/incident-shapes.ts"
import type { IncidentState } from "../log/incidents.ts"
import { evaluationLines } from "./clock-lines.ts"
import type { Client } from "./client.ts"
import { contextOf, listQuery, type Context } from "./context.ts"
import { evidenceCommands } from "./evidence.ts"
import { incidentAt, pathOf, statedAt } from "./incident-asking.ts"
import { containCommand } from "./incident-contain.ts"
import { clockLines, knownLines, nextLines, scopeLines, setLines, thresholdLines } from "./incident-lines.ts"
import { causeFrom, causeOptions, statementFrom, statementOptions } from "./incident-statement.ts"
import type { StatementOptions } from "./incident-statement.ts"
import { propose } from "./motions.ts"
import { linkageCommands } from "./linkage.ts"
import { answer, table, tell, type Voice } from "./say.ts"
import { momentOf } from "./times.ts"
import { writeWhole } from "../whole-file.ts"

interface Done {
  readonly incident: string
  readonly entry: number
  readonly again?: true
  /** Of a report. */
  readonly receipt?: string
}

/** incident: declare, report, ls, show, amend, scope, clocks, ack, sign-off, sign, contain, close. */
export function incidentCommands(program: Command): void {
  const incident = program
    .command("incident")
    .description("a breach: what is known of it, what left, whose clocks run, what is said of it")
  declaring(incident)
  reading(incident)
  reckoning(incident)
  clockActs(incident)
  ending(incident)
  containCommand(incident)
  evidenceCommands(incident)
  linkageCommands(incident)
}

type Declaring = StatementOptions & { readonly idempotencyKey?: string }

const nothing = { title: "", from: null, until: null, discovered: [], facts: {} }

function declaring(incident: Command): void {
  const key = "--idempotency-key <key>"
  const once = "the same key again is the same incident; without it, what is stated is the key"
  causeOptions(statementOptions(incident.command("declare")))
    .description("declare an incident by what is known of it")
    .option(key, once)
    .action(async (options: Declaring, self: Command) => {
      const cause = causeFrom(options)
      if (cause === null || options.title === undefined)
        throw new Fault(
          "INVALID",
          "--title and one of --org, --person, --device-key, --network, --trace are needed",
        )
      const context = await contextOf(self)
      const done = await declare(context, options, { path: "/v1/incidents", before: { ...nothing, cause } })
      tell(context.voice, `next: sallyport incident scope ${done.incident}`)
    })
  statementOptions(incident.command("report"))
    .description("for vendors: your own organization was breached; the agency hears of it at once")
    .option("--org <id>", "your organization, where the vault does not let you ask which it is")
    .option(key, once)
    .option("--receipt <file>", "where the receipt of the report is written")
    .action(async (options: Omit<Declaring, "org"> & { org?: string; receipt?: string }, self: Command) => {
      const context = await contextOf(self)
      const { org, receipt, ...stated } = options
      const organization = org ?? (await ownOrganization(context.client))
      const cause = { of: "organizations" as const, organizations: [organization] }
      const before = { ...nothing, title: "breach reported by the vendor", cause }
      const done = await declare(context, stated, { path: "/v1/breach-reports", before })
      await keepReceipt(context.voice, done, receipt)
    })
  causeOptions(statementOptions(incident.command("amend <id>")))
    .description("state anew what is believed; what is not typed stays. A closed incident is open again")
    .action(async (id: string, options: StatementOptions, self: Command) => {
      const { client, voice } = await contextOf(self)
      const held = await incidentAt(client, id)
      const { note_commitment: _, ...before } = held.statement
      const statement = { version: held.version, ...(await statementFrom(options, before, Date.now())) }
      const done = await client.json<Done>({
        ...{ method: "POST", path: pathOf(id, "amendments") },
        ...noted(statement, options.note),
      })
      answer(voice, done, [`${id}  stated anew, version ${held.version + 1}, log entry ${done.entry}`])
      tell(
        voice,
        `what was counted and started was of version ${held.version}: sallyport incident show ${id}`,
      )
    })
}

/** Who is suspended may ask nothing, and still report. */
async function ownOrganization(client: Client): Promise<string> {
  try {
    return (await client.json<{ organization: string }>({ method: "GET", path: "/v1/me" })).organization
  } catch (error) {
    if (!(error instanceof Fault) || error.status !== 403) throw error
    throw new Fault(error.code, error.message, {
      notDone: "Nothing was reported.",
      next: "the same with --org and your organization's id: who is suspended may still report",
    })
  }
}

async function declare(
  { client, voice }: Context,
  options: Declaring,
  of: { readonly path: string; readonly before: Parameters<typeof statementFrom>[1] },
): Promise<Done> {
  const statement = await statementFrom(options, of.before, Date.now())
  if (statement.discovered.length === 0)
    throw new Fault("INVALID", "--discovered is needed: clocks run from it", {
      next: "--discovered subcontractor=18d prime=14d agency=now",
    })
  const key = options.idempotencyKey ?? createHash("sha256").update(canonical(statement)).digest("hex")
  const done = await client.json<Done>({
    ...{ method: "POST", path: of.path, headers: { "idempotency-key": key } },
    ...noted(statement, options.note),
  })
  const what = done.again === true ? "was declared before" : "declared"
  answer(voice, done, [`${done.incident}  ${what}, log entry ${done.entry}; whoever watches was told`])
  return done
}

/** The statement with its note behind a commitment, or without one. */
function noted(statement: object, note: string | undefined) {
  return note === undefined
    ? { statement: { ...statement, note_commitment: null } }
    : { statement: { ...statement }, names: { note } }
}

function reading(incident: Command): void {
  incident
    .command("ls")
    .option("--all", "also those that are closed")
    .action(async (options: { all?: true }, self: Command) => {
      const { client, voice, globals } = await contextOf(self)
      const query = listQuery(globals, { status: options.all === true ? undefined : "open" })
      const page = await client.json<{ data: IncidentState[]; has_more: boolean }>({
        ...{ method: "GET", path: `/v1/incidents${query}` },
      })
      const rows = page.data.map(each => [
        ...[each.incident, each.status, each.declared_at, each.scoped?.left ?? "not counted"],
        ...[each.clocks === null ? "not started" : each.clocks.running.length, each.statement.title],
      ])
      const heads = ["incident", "status", "since", "images left", "clocks", "title"]
      const more = page.has_more ? ["more: --limit 200"] : []
      const none = "no open incident; sallyport incident declare --help says how one is declared"
      answer(voice, page, page.data.length === 0 ? [none] : [...table(heads, rows), ...more])
    })
  incident
    .command("show <id>")
    .description("what is known, what left, which clocks run and by how much one was missed, what to do next")
    .option("--receipt <file>", "for the vendor who reported it: where the receipt of his report is written")
    .action(async (id: string, options: { receipt?: string }, self: Command) => {
      const { client, voice } = await contextOf(self)
      const held = await client.json<IncidentState | ReceivedReport>({ method: "GET", path: pathOf(id) })
      if ("receipt" in held) return received(voice, held, options.receipt)
      if (options.receipt !== undefined)
        throw new Fault("INVALID", "--receipt is for the vendor who reported it", {
          next: `sallyport log entry ${held.entry} --json has the proof`,
        })
      const result = await statedAt(client, held)
      const clocks = await client.json<Standing>({ method: "GET", path: pathOf(id, "clocks") })
      answer(voice, { ...held, scope: result, standing: clocks }, [
        ...knownLines(held),
        "",
        ...(result === null ? ["nothing is counted yet"] : countedLines(held, result)),
        "",
        ...thresholdLines(clocks.thresholds, "counted"),
        "",
        ...clockLines(clocks, held),
        ...nextLines(held, result, clocks),
      ])
    })
}

/** A vendor's own report: that it was received, and nothing else of the incident. */
async function received(voice: Voice, report: ReceivedReport, file: string | undefined): Promise<void> {
  answer(voice, report, [`${report.incident}  received ${report.received_at}, log entry ${report.entry}`])
  await keepReceipt(voice, report, file)
}

/** @param file  where a report's receipt is written; without it, how one gets it is said. */
async function keepReceipt(voice: Voice, of: Done, file: string | undefined): Promise<void> {
  if (file !== undefined) await writeWhole(file, of.receipt ?? "")
  tell(
    voice,
    file === undefined
      ? `that it was received, with its receipt: sallyport incident show ${of.incident} --receipt FILE`
      : `check it yourself: sallyport receipt verify ${file} --policy FILE`,
  )
}

function countedLines({ scoped, version }: IncidentState, result: ScopeResult): string[] {
  const isOld = scoped !== null && scoped.version !== version
  return [
    `counted at log entry ${scoped?.entry ?? 0}${isOld ? `, of version ${scoped.version}: count anew` : ""}; ${result.unknowns.length} things are not known`,
    ...setLines(result),
  ]
}

function reckoning(incident: Command): void {
  incident
    .command("scope <id>")
    .description("count what left, what was refused, what can still be taken; what stops it is offered first")
    .option("--last", "the newest result, and count nothing")
    .option(
      "--parts",
      "what left also by port, lane, day of capture and of release, level and holder, and by the end of each day",
    )
    .action(async (id: string, options: { last?: true; parts?: true }, self: Command) => {
      const { client, voice } = await contextOf(self)
      const held = await incidentAt(client, id)
      if (options.last === true) {
        const result = await statedAt(client, held)
        if (result === null) throw new Fault("NOT_FOUND", "nothing of the incident was counted yet")
        const thresholds = await thresholdsOf(client, id)
        return answer(voice, result, [
          ...scopeLines(result, options.parts === true),
          ...thresholdLines(thresholds, "counted"),
        ])
      }
      const statement = { version: held.version }
      const done = await client.json<Done & { result: ScopeResult; result_sha256: string }>({
        ...{ method: "POST", path: pathOf(id, "scopes"), statement },
      })
      const thresholds = await thresholdsOf(client, id)
      answer(voice, { ...done, thresholds }, [
        ...scopeLines(done.result, options.parts === true),
        ...thresholdLines(thresholds, "counted"),
        `counted, log entry ${done.entry}; result ${done.result_sha256.slice(0, 16)}`,
      ])
    })
  incident
    .command("clocks <id>")
    .description("how every clock stands now")
    .option("--start", "start those that run, and have reminders sent, in place of those that ran before")
    .option("--all", "also what is not triggered, and why")
    .action(async (id: string, options: { start?: true; all?: true }, self: Command) => {
      const { client, voice } = await contextOf(self)
      const held = await incidentAt(client, id)
      const path = pathOf(id, "clocks")
      const statement = { version: held.version }
      const done =
        options.start === true
          ? await client.json<Done & { clocks: object[] }>({ method: "POST", path, statement })
          : null
      const standing = await client.json<Standing>({ method: "GET", path })
      const started = done === null ? [] : [`${done.clocks.length} clocks started, log entry ${done.entry}`]
      answer(voice, { ...standing, started: done }, [
        ...evaluationLines(standing, options.all === true ? "all" : "triggered"),
        ...thresholdLines(standing.thresholds, "all"),
        ...started,
      ])
    })
}

async function thresholdsOf(client: Client, id: string): Promise<Standing["thresholds"]> {
  return (await client.json<Standing>({ method: "GET", path: pathOf(id, "clocks") })).thresholds
}

interface ClockOptions {
  readonly clock: string
  readonly party: string
}

/** A clock by its pack, rule and party. */
function clockCommand(command: Command): Command {
  return command
    .requiredOption("--clock <pack/rule>", "as incident show has it")
    .addOption(new Option("--party <party>", "whose").choices(parties).makeOptionMandatory())
}

function clockFrom({ clock, party }: ClockOptions) {
  const [pack = "", rule = "", ...more] = clock.split("/")
  if (rule !== "" && more.length === 0) return { pack, rule, party }
  throw new Fault("INVALID", `${JSON.stringify(clock.slice(0, 40))} is no clock: PACK/RULE`)
}

function clockActs(incident: Command): void {
  clockCommand(incident.command("ack <id>"))
    .description("one receiver of a notice acknowledged it; a clock is met when each of its receivers has")
    .requiredOption("--receiver <receiver>", "which of them")
    .requiredOption("--reference <text>", "his reference: a case number, a ticket")
    .option("--at <time>", "when he acknowledged it: RFC 3339 with its offset, now, or how long ago", "now")
    .action(
      async (
        id: string,
        options: ClockOptions & Record<"receiver" | "reference" | "at", string>,
        self: Command,
      ) => {
        const { client, voice } = await contextOf(self)
        const { receiver, reference, at } = options
        const statement = {
          ...clockFrom(options),
          receiver,
          reference,
          acknowledged_at: momentOf(at, Date.now()),
        }
        const done = await client.json<Done>({
          method: "POST",
          path: pathOf(id, "acknowledgements"),
          statement,
        })
        answer(voice, done, [
          `${options.clock}  ${options.party}  acknowledged by ${receiver}, log entry ${done.entry}`,
        ])
      },
    )
  clockCommand(incident.command("sign-off <id>"))
    .description("what counsel says of a clock; signed by the privacy officer")
    .addOption(
      new Option("--opinion <opinion>", "what counsel says")
        .choices(["confirmed", "doubted", "not_triggered"])
        .makeOptionMandatory(),
    )
    .option("--note <text>", "kept apart from the log")
    .action(async (id: string, options: ClockOptions & { opinion: string; note?: string }, self: Command) => {
      const { client, voice } = await contextOf(self)
      const { opinion, note } = options
      const done = await client.json<Done>({
        ...{ method: "POST", path: pathOf(id, "sign-offs") },
        ...noted({ ...clockFrom(options), opinion }, note),
      })
      answer(voice, done, [
        `${options.clock}  ${options.party}  counsel: ${opinion}, log entry ${done.entry}`,
      ])
    })
}

function ending(incident: Command): void {
  incident
    .command("sign <id>")
    .description("propose to freeze statement and letters by their digests; a person of another office signs")
    .requiredOption("--statement <file>", "as it will be published")
    .option("--letters <file>", "the letter data")
    .action(async (id: string, options: { statement: string; letters?: string }, self: Command) => {
      const context = await contextOf(self)
      const { scoped } = await incidentAt(context.client, id)
      if (scoped === null)
        throw new Fault("CONFLICT", "nothing was counted that a statement could rest on", {
          next: `sallyport incident scope ${id}`,
        })
      const { statement, letters } = options
      await propose(context, "sign-statement", {
        ...{ incident: id, scoped: scoped.entry, statement_sha256: await digestOf(statement) },
        letters_sha256: letters === undefined ? null : await digestOf(letters),
      })
    })
  incident
    .command("close <id>")
    .description("settled: no clock runs any more; unfounded: nothing had happened")
    .addOption(
      new Option("--outcome <outcome>", "what came of it")
        .choices(["settled", "unfounded"])
        .makeOptionMandatory(),
    )
    .requiredOption("--reason <text>", "at least 15 characters; kept apart from the log")
    .action(async (id: string, options: { outcome: string; reason: string }, self: Command) => {
      const { client, voice } = await contextOf(self)
      const { outcome, reason } = options
      const ask = {
        method: "POST",
        path: pathOf(id, "closing"),
        statement: { outcome },
        names: { reason },
      } as const
      const done = await client.json<Done>(ask)
      answer(voice, done, [`${id}  closed: ${outcome}, log entry ${done.entry}`])
    })
}

async function digestOf(file: string): Promise<string> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new Fault("CONFIG", `${file} cannot be read`, { cause })
  })
  return createHash("sha256").update(bytes).digest("hex")
}
