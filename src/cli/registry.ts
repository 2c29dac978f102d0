import type { Command } from "commander"
import { dirname, join } from "node:path"
import { base64, fromBase64 } from "../bytes.ts"
import { newSeed, signerOf } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import type { Statement } from "../grant/request.ts"
import { contextOf, globalsOf, listQuery, type Context } from "./context.ts"
import { assertFree, readKeyFile, writeKeyFile } from "./keyfile.ts"
import { logKeyOf } from "./log-key.ts"
import { propose } from "./motions.ts"
import { readerTryCommand } from "./reader-try.ts"
import { sampleCommand } from "./sample.ts"
import { liftCommand } from "./watch-people.ts"
import { answer, table, tell } from "./say.ts"
import { endOf } from "./times.ts"

interface Added {
  readonly id: string
  readonly entry: number
  /** Set when a second person must sign. */
  readonly motion?: string
}

type Listed = Readonly<Record<string, unknown>> & { readonly id: string }

/** port, lane, reader, org, contract, person: what a custodian registers. */
export function registryCommands(program: Command): void {
  const org = noun(program, "org", { resource: "orgs", columns: ["id", "name", "parent", "suspended"] })
  org
    .command("add <name>")
    .option("--parent <org>", "the organization above it: a sub of a prime")
    .action(async (name: string, options: { parent?: string }, command: Command) =>
      add(await contextOf(command), "orgs", { statement: { name, parent: options.parent ?? null } }),
    )
  suspensions(org, "orgs")
  liftCommand(org, "organization")
  contractCommands(program)
  personCommands(program)
  placeCommands(program)
}

interface ContractOptions {
  readonly org: string
  readonly purpose: string[]
  readonly ends: string
  readonly under?: string
  readonly attestation?: string[]
  readonly device?: string[]
  readonly network?: string[]
}

/** `SOC 2=300d`. */
function attestationOf(text: string): { name: string; ends_at: string } {
  const at = text.lastIndexOf("=")
  if (at < 1) throw new Fault("INVALID", "--attestation is NAME=TIME, such as 'SOC 2=300d'")
  return { name: text.slice(0, at), ends_at: endOf(text.slice(at + 1), Date.now()) }
}

function contractCommands(program: Command): void {
  const contract = noun(program, "contract", {
    resource: "contracts",
    columns: ["id", "number", "organization", "ends_at"],
  })
  contract
    .command("attest <id> <name=time>")
    .description("the contractor showed it anew: 'SOC 2=300d'")
    .action(async (id: string, text: string, _options: unknown, command: Command) => {
      const { client, voice } = await contextOf(command)
      const path = `/v1/contracts/${encodeURIComponent(id)}/attestations`
      const done = await client.json<Added>({ method: "POST", path, statement: attestationOf(text) })
      answer(voice, done, [`${id}  attested, log entry ${done.entry}`])
    })
  contract
    .command("add <number>")
    .requiredOption("--org <org>", "the contractor")
    .requiredOption("--purpose <purpose...>", "purposes that it allows")
    .requiredOption("--ends <time>", "RFC 3339, or 30d")
    .option("--under <contract>", "the prime's contract, which it can only narrow")
    .option("--attestation <name=time...>", "what the contractor showed, until when it holds")
    .option("--device <key...>", "public keys of the only devices that images go to")
    .option("--network <cidr...>", "the only networks that requests come from, such as 192.0.2.0/24")
    .action(async (number: string, options: ContractOptions, command: Command) => {
      const statement = {
        organization: options.org,
        number,
        under: options.under ?? null,
        purposes: options.purpose,
        ends_at: endOf(options.ends, Date.now()),
        attestations: (options.attestation ?? []).map(attestationOf),
        devices: options.device ?? [],
        networks: options.network ?? [],
      }
      return add(await contextOf(command), "contracts", { statement })
    })
}

function personCommands(program: Command): void {
  const person = noun(program, "person", {
    resource: "people",
    columns: ["id", "office", "organization", "suspended"],
  })
  person
    .command("add")
    .requiredOption("--name <name>", "kept apart from the log, which holds a commitment")
    .requiredOption("--office <office>", "custodian, cor, privacy, analyst, auditor, manager, engineer")
    .requiredOption("--org <org>")
    .option("--public-key <base64>", "the person's own Ed25519 public key")
    .option("--new-key <file>", "make a key file for the person instead")
    .action(async (options: PersonOptions, command: Command) =>
      addPerson(await contextOf(command), options, command),
    )
  keyCommands(person)
  suspensions(person, "people")
  liftCommand(person, "person")
}

interface PersonOptions {
  readonly name: string
  readonly office: string
  readonly org: string
  readonly publicKey?: string
  readonly newKey?: string
}

async function addPerson(context: Context, options: PersonOptions, command: Command): Promise<void> {
  if (options.newKey !== undefined) await assertFree(options.newKey)
  const seed = options.newKey === undefined ? null : newSeed()
  const key = seed === null ? options.publicKey : base64(signerOf(seed).publicKey)
  if (key === undefined || fromBase64(key)?.length !== 32)
    throw new Fault("INVALID", "give --public-key (32 bytes in base64) or --new-key FILE")
  const statement = { organization: options.org, office: options.office, key }
  const added = await context.client.json<Added>({
    method: "POST",
    path: "/v1/people",
    statement,
    names: { name: options.name },
  })
  if (seed !== null && options.newKey !== undefined) {
    const own = await readKeyFile(globalsOf(command).key ?? "")
    await writeKeyFile(options.newKey, { vault: own.vault, id: added.id, notes: {}, seed })
  }
  const { motion } = added
  const state = motion === undefined ? "enrolled" : "proposed; not enrolled yet"
  answer(context.voice, added, [`${added.id}  ${state}, log entry ${added.entry}`])
  if (motion !== undefined)
    tell(context.voice, `next, a person of another office: sallyport motion second ${motion}`)
}

function keyCommands(person: Command): void {
  person
    .command("move <id>")
    .description(
      "another office for a person; a second person signs it, and his approvals so far count no more",
    )
    .requiredOption("--office <office>")
    .action(async (id: string, { office }: { office: string }, command: Command) =>
      propose(await contextOf(command), "change-office", { person: id, office }),
    )
  for (const [verb, act, what] of [
    ["add-key", "add-key", "another key for a person"],
    ["remove-key", "remove-key", "take a key away, for good"],
  ] as const)
    person
      .command(`${verb} <id>`)
      .description(`${what}; a second person signs it`)
      .requiredOption("--public-key <base64>", "as the key file's owner, or the page of a passkey, tells it")
      .option("--credential <id>", "of a passkey")
      .option("--sign-in", "not a key but a sign-in at the identity provider, by its digest")
      .action(async (id: string, options: KeyOptions, command: Command) =>
        propose(await contextOf(command), act, keyStatement(act, id, options)),
      )
}

interface KeyOptions {
  readonly publicKey: string
  readonly credential?: string
  readonly signIn?: true
}

function keyStatement(act: "add-key" | "remove-key", person: string, options: KeyOptions): Statement {
  const { publicKey: key, credential, signIn } = options
  if (act === "remove-key") return { person, key }
  const kind = signIn === true ? "subject" : credential === undefined ? "ed25519" : "passkey"
  return { person, key, kind, credential: credential ?? null }
}

function placeCommands(program: Command): void {
  noun(program, "port", { resource: "ports", columns: ["id", "name", "time_zone"] })
    .command("add <name>")
    .requiredOption("--zone <zone>", "IANA time zone, such as America/Chicago")
    .action(async (name: string, options: { zone: string }, command: Command) =>
      add(await contextOf(command), "ports", { statement: { name, time_zone: options.zone } }),
    )
  const lane = noun(program, "lane", {
    resource: "lanes",
    columns: [
      ...["id", "name", "port", "readers", "last_heard_at", "last_sequence"],
      ...["captures_today", "open_alerts"],
    ],
  })
  sampleCommand(lane)
  lane
    .command("add <name>")
    .requiredOption("--port <port>")
    .action(async (name: string, options: { port: string }, command: Command) =>
      add(await contextOf(command), "lanes", { statement: { name, port: options.port } }),
    )
  const reader = noun(program, "reader", {
    resource: "readers",
    columns: ["id", "name", "lane", "boxes", "last_sequence"],
  })
  readerTryCommand(reader)
  reader
    .command("enroll <name>")
    .description("enroll a reader on a lane, and make its key file")
    .requiredOption("--lane <lane>")
    .requiredOption("--new-key <file>", "where the reader's key file goes")
    .option("--boxes <trust>", "trusted: its plate boxes count; none: they do not", "none")
    .action(async (name: string, options: ReaderOptions, command: Command) =>
      enrollReader(await contextOf(command), name, { options, command }),
    )
}

interface ReaderOptions {
  readonly lane: string
  readonly newKey: string
  readonly boxes: string
}

async function enrollReader(
  context: Context,
  name: string,
  { options, command }: { options: ReaderOptions; command: Command },
): Promise<void> {
  const own = await readKeyFile(globalsOf(command).key ?? "")
  const lane = await context.client.json<{ port: string }>({
    method: "GET",
    path: `/v1/lanes/${encodeURIComponent(options.lane)}`,
  })
  const log = await logKeyOf(context.client, own.vault)
  const seed = newSeed()
  const statement = { lane: options.lane, key: base64(signerOf(seed).publicKey), boxes: options.boxes, name }
  const added = await context.client.json<Added>({ method: "POST", path: "/v1/readers", statement })
  const notes = { port: lane.port, lane: options.lane, custodian: base64(own.signer.publicKey), log }
  await writeKeyFile(options.newKey, { vault: own.vault, id: added.id, notes, seed })
  answer(context.voice, added, [`${added.id}  enrolled, log entry ${added.entry}`])
  tell(
    context.voice,
    `its key: ${join(dirname(options.newKey), "")}${options.newKey.split("/").at(-1) ?? ""}; give it to the lane and keep no copy`,
  )
}

async function add(
  context: Context,
  resource: string,
  what: { readonly statement: Statement },
): Promise<void> {
  const added = await context.client.json<Added>({ method: "POST", path: `/v1/${resource}`, ...what })
  answer(context.voice, added, [`${added.id}  added, log entry ${added.entry}`])
}

/** A noun with `ls` and `show`. */
function noun(
  program: Command,
  name: string,
  of: { readonly resource: string; readonly columns: readonly string[] },
): Command {
  const command = program.command(name).description(`${name}: add, list, show`)
  command
    .command("ls")
    .description(`list: ${of.resource}`)
    .action(async (_options: unknown, self: Command) => {
      const { client, voice, globals } = await contextOf(self)
      const page = await client.json<{ data: Listed[] }>({
        method: "GET",
        path: `/v1/${of.resource}${listQuery(globals)}`,
      })
      const rows = page.data.map(row => of.columns.map(column => cell(row[column])))
      answer(
        voice,
        page,
        page.data.length === 0 ? [`no ${name} yet: sallyport ${name} add`] : table(of.columns, rows),
      )
    })
  command.command("show <id>").action(async (id: string, _options: unknown, self: Command) => {
    const { client, voice } = await contextOf(self)
    const shown = await client.json<Listed>({
      method: "GET",
      path: `/v1/${of.resource}/${encodeURIComponent(id)}`,
    })
    answer(
      voice,
      shown,
      Object.entries(shown).map(([field, value]) => `${field.padEnd(14)} ${cell(value)}`),
    )
  })
  return command
}

function suspensions(command: Command, resource: string): void {
  for (const [verb, suspended] of [
    ["suspend", true],
    ["resume", false],
  ] as const) {
    command.command(`${verb} <id>`).action(async (id: string, _options: unknown, self: Command) => {
      const { client, voice } = await contextOf(self)
      const path = `/v1/${resource}/${encodeURIComponent(id)}/suspension`
      const done = await client.json<Added>({ method: "POST", path, statement: { suspended } })
      answer(voice, done, [`${id}  ${verb === "suspend" ? "suspended" : "resumed"}, log entry ${done.entry}`])
    })
  }
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "–"
  return typeof value === "object" ? JSON.stringify(value) : String(value as string | number | boolean)
}
