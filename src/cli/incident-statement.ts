import { Option, type Command } from "commander"
import { readFile } from "node:fs/promises"
import { Fault } from "../fault.ts"
import { parties, type IncidentStatement } from "../log/incident-shapes.ts"
import { momentOf } from "./times.ts"

/** An incident's statement from what a person types; what is not typed stays as it was. */

export interface StatementOptions {
  readonly title?: string
  readonly org?: readonly string[]
  readonly person?: readonly string[]
  readonly deviceKey?: readonly string[]
  readonly network?: readonly string[]
  readonly trace?: readonly string[]
  readonly from?: string
  readonly to?: string
  readonly discovered?: readonly string[]
  readonly facts?: string
  readonly role?: readonly string[]
  readonly zone?: readonly string[]
  readonly moment?: readonly string[]
  readonly element?: readonly string[]
  readonly finding?: readonly string[]
  readonly encrypted?: string
  readonly keySafe?: string
  readonly note?: string
}

type Facts = IncidentStatement["facts"]
type Cause = IncidentStatement["cause"]
type Stated = Omit<IncidentStatement, "note_commitment">

const ago = "RFC 3339 with its offset, now, or how long ago (18d, 4h)"

/** The options by which anybody says what is known, the cause apart. */
export function statementOptions(command: Command): Command {
  const answers = ["yes", "no", "unknown"]
  return command
    .option("--title <text>", "a few words; no person's name")
    .option("--from <time>", `T1, when the first image may have left: ${ago}, or unknown`)
    .option("--to <time>", `T2, from when on none did: ${ago}, or unknown`)
    .option("--discovered <party=time...>", `who discovered it when: subcontractor, prime, agency; ${ago}`)
    .option("--facts <file>", "facts of law as JSON (docs/formats/clock-pack.md)")
    .option(
      "--role <party=roles...>",
      "what a party is before the law, such as prime=dhs_contractor,federal_contractor",
    )
    .option(
      "--zone <party=zone...>",
      "by whose clock a party's days are counted, such as agency=America/Chicago",
    )
    .option(
      "--moment <party.moment=time...>",
      "when something happened to a party, such as agency.determined=2h",
    )
    .option("--element <element=answer...>", "kinds of data, such as plate_image=yes or name_linked=no")
    .option("--finding <finding=answer...>", "what was found, such as demonstrable_harm=no")
    .addOption(new Option("--encrypted <answer>", "whether what left was encrypted").choices(answers))
    .addOption(new Option("--key-safe <answer>", "whether its key is safe").choices(answers))
    .option("--note <text>", "kept apart from the log")
}

/** The options by which the agency says what an incident is known by: one of them. */
export function causeOptions(command: Command): Command {
  return command
    .option("--org <id...>", "organizations that were breached, each with all under it")
    .option("--person <id...>", "people whose key or copies were taken")
    .option("--device-key <key...>", "devices, by their public keys as contracts name them")
    .option("--network <block...>", "networks, as contracts name them")
    .option("--trace <id...>", "closed traces of found files")
}

/** @throws Fault INVALID unless exactly one cause is named. */
export function causeFrom({ org, person, deviceKey, network, trace }: StatementOptions): Cause | null {
  const named: Cause[] = [
    ...(org === undefined ? [] : [{ of: "organizations" as const, organizations: [...org] }]),
    ...(person === undefined ? [] : [{ of: "people" as const, people: [...person] }]),
    ...(deviceKey === undefined ? [] : [{ of: "devices" as const, devices: [...deviceKey] }]),
    ...(network === undefined ? [] : [{ of: "networks" as const, networks: [...network] }]),
    ...(trace === undefined ? [] : [{ of: "files" as const, traces: [...trace] }]),
  ]
  if (named.length <= 1) return named[0] ?? null
  throw new Fault(
    "INVALID",
    "an incident is known by one of --org, --person, --device-key, --network and --trace",
    {
      next: "declare one incident for each",
    },
  )
}

/** What is stated, over what was stated before. @throws Fault INVALID naming the option. */
export async function statementFrom(
  options: StatementOptions,
  before: Stated,
  now_ms: number,
): Promise<Stated> {
  const discovered = pairsOf(options.discovered, "--discovered").map(([party, time]) => {
    return { party: partyOf(party), at: momentOf(time, now_ms) }
  })
  return {
    title: options.title ?? before.title,
    cause: causeFrom(options) ?? before.cause,
    from: edgeOf(options.from, before.from, now_ms),
    until: edgeOf(options.to, before.until, now_ms),
    discovered: parties.flatMap(party => {
      const found = [...discovered, ...before.discovered].find(each => each.party === party)
      return found === undefined ? [] : [found]
    }),
    facts: await factsFrom(options, before.facts, now_ms),
  }
}

function edgeOf(text: string | undefined, before: string | null, now_ms: number): string | null {
  if (text === undefined) return before
  return text === "unknown" ? null : momentOf(text, now_ms)
}

async function factsFrom(options: StatementOptions, before: Facts, now_ms: number): Promise<Facts> {
  const file = options.facts === undefined ? before : await factsIn(options.facts)
  const { encrypted, keySafe } = options
  const held = file.encryption ?? { encrypted: "unknown", key_safe: "unknown" }
  const isEncryptionNamed = encrypted !== undefined || keySafe !== undefined
  const encryption = { encrypted: encrypted ?? held.encrypted, key_safe: keySafe ?? held.key_safe }
  return {
    ...file,
    ...answers("elements", options.element, file.elements),
    ...answers("findings", options.finding, file.findings),
    ...(isEncryptionNamed ? { encryption: encryption as Facts["encryption"] } : {}),
    ...chainFrom(options, file.parties, now_ms),
  } as Facts
}

async function factsIn(file: string): Promise<Facts> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new Fault("CONFIG", `${file} cannot be read`, { cause })
  })
  try {
    return JSON.parse(text) as Facts
  } catch (cause) {
    throw new Fault("INVALID", `${file} is not JSON`, { cause })
  }
}

function answers(name: string, given: readonly string[] | undefined, before: object | undefined): object {
  if (given === undefined) return {}
  return { [name]: { ...before, ...Object.fromEntries(pairsOf(given, `--${name.slice(0, -1)}`)) } }
}

type Chain = NonNullable<Facts["parties"]>

function chainFrom(
  { role, zone, moment }: StatementOptions,
  before: Chain = {},
  now_ms: number,
): Pick<Facts, "parties"> {
  const chain: { -readonly [P in keyof Chain]: Chain[P] } = { ...before }
  const put = (name: string, changed: object) => {
    const party = partyOf(name)
    chain[party] = { roles: null, zone: "UTC", ...chain[party], ...changed }
  }
  for (const [party, list] of pairsOf(role, "--role")) put(party, { roles: list.split(",") })
  for (const [party, name] of pairsOf(zone, "--zone")) put(party, { zone: name })
  for (const [name, time] of pairsOf(moment, "--moment")) {
    const [party = "", what = ""] = name.split(".")
    put(party, { moments: { ...chain[partyOf(party)]?.moments, [what]: momentOf(time, now_ms) } })
  }
  return Object.keys(chain).length === 0 ? {} : { parties: chain }
}

function partyOf(text: string): (typeof parties)[number] {
  const party = parties.find(each => each === text)
  if (party !== undefined) return party
  throw new Fault("INVALID", `${JSON.stringify(text.slice(0, 40))} is no party: ${parties.join(", ")}`)
}

function pairsOf(given: readonly string[] | undefined, option: string): [string, string][] {
  return (given ?? []).map(text => {
    const at = text.indexOf("=")
    if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)]
    throw new Fault("INVALID", `${option} takes NAME=VALUE, not ${JSON.stringify(text.slice(0, 40))}`)
  })
}
