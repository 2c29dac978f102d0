import type { Command } from "commander"
import { join } from "node:path"
import { mkdir } from "node:fs/promises"
import { canonical } from "../canonical.ts"
import type { Accounting, AccountingAsk, Disclosure } from "../custody/accounting.ts"
import { Fault } from "../fault.ts"
import { csvField } from "../incident/letter.ts"
import { writeWhole } from "../whole-file.ts"
import { laneIdOf } from "./capture-counts.ts"
import { contextOf, type Context } from "./context.ts"
import { answer, table } from "./say.ts"
import { endOf } from "./times.ts"

interface Options {
  readonly port?: string
  readonly lane?: string
  readonly at: string
  readonly within: string
  readonly crossing?: string
  readonly out?: string
}

/** accounting: what a traveler may ask for. Found by place and time, never by searching faces or plates. */
export function accountingCommand(program: Command): void {
  program
    .command("accounting")
    .description("what of a traveler's crossing left, to whom, when and why (privacy officer)")
    .option("--port <port>", "its id or name; not needed where there is one port")
    .option("--lane <lane>", "its id or name; without it every lane of the port")
    .requiredOption("--at <time>", "as the traveler gives it: 2026-11-24T14:10:00-06:00")
    .option("--within <span>", "before and after: 10m, 2h; at most 12h", "30m")
    .option("--crossing <id>", "which of the crossings in that window is the traveler's")
    .option("--out <folder>", "write accounting.csv, accounting.json and, for one crossing, traveler.txt")
    .action(async (options: Options, self: Command) => {
      const context = await contextOf(self)
      const ask = await askOf(context, options)
      const made = await context.client.json<Accounting>({
        ...{ method: "POST", path: "/v1/accountings", statement: {}, names: { ask: canonical(ask) } },
      })
      if (options.out !== undefined) await write(options.out, made)
      answer(context.voice, made, linesOf(made, options.out))
    })
}

async function askOf({ client }: Context, options: Options): Promise<AccountingAsk> {
  const lane = (await laneIdOf(client, options.lane)) ?? null
  const span_ms = Date.parse(endOf(options.within, 0))
  if (!/^\d+[mh]$/.test(options.within) || span_ms < 60_000 || span_ms > 720 * 60_000)
    throw new Fault("INVALID", "--within is a span from 1m to 12h")
  const { data: ports } = await client.json<{ data: { id: string; name: string }[] }>({
    ...{ method: "GET", path: "/v1/ports?limit=200" },
  })
  const named = ports.filter(
    ({ id, name }) => options.port === undefined || [id, name].includes(options.port),
  )
  const [port] = named
  if (port === undefined) throw new Fault("NOT_FOUND", `there is no port ${options.port ?? ""}`)
  if (named.length > 1) throw new Fault("INVALID", "there are several ports: name one with --port")
  return {
    ...{ port: port.id, lane, at: endOf(options.at, Date.now()), within_minutes: span_ms / 60_000 },
    crossing: options.crossing ?? null,
  }
}

const columns = [
  ...["at", "nature", "visible", "level", "purpose", "work_order", "organization_name", "organization"],
  ...["person_name", "person", "within_agency", "hour", "lane", "kind", "capture", "crossing", "grant"],
  ...["permit", "delivered"],
] as readonly (keyof Disclosure)[]

function csvOf({ disclosures }: Accounting): string {
  const rows = disclosures.map(each => columns.map(name => csvField(String(each[name] ?? ""))).join(","))
  return `${[columns.join(","), ...rows].join("\r\n")}\r\n`
}

async function write(folder: string, made: Accounting): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeWhole(join(folder, "accounting.json"), `${JSON.stringify(made, null, 2)}\n`)
  await writeWhole(join(folder, "accounting.csv"), csvOf(made))
  if (made.crossings.length === 1) await writeWhole(join(folder, "traveler.txt"), textFor(made))
}

function linesOf(made: Accounting, out: string | undefined): string[] {
  const { crossings, disclosures, entry, limits } = made
  if (crossings.length === 0) return ["no capture in that window", `    log entry ${entry}`]
  const rows = disclosures.map(each => {
    const who = each.person_name ?? each.person
    return [
      each.at,
      each.nature,
      each.level,
      each.organization_name,
      who,
      each.purpose,
      each.work_order,
      each.permit,
    ]
  })
  const which =
    crossings.length > 1
      ? [
          ...table(
            ["crossing", "first picture", "captures", "disclosures"],
            crossings.map(each => [each.crossing, each.first_at, each.captures, each.disclosures]),
          ),
          "several crossings lie in that window: --crossing says which is the traveler's; no text was written for him",
        ]
      : []
  return [
    ...which,
    ...(rows.length === 0
      ? ["nothing of it left"]
      : table(["at", "nature", "level", "organization", "person", "purpose", "work order", "entry"], rows)),
    ...limits,
    `    log entry ${entry}${out === undefined ? "" : `, files in ${out}`}`,
  ]
}

/** For the traveler: his own crossing alone. */
function textFor({ ask, as_of, disclosures, limits, entry }: Accounting): string {
  const each = disclosures.map((one, i) => {
    const whom = `${one.person_name ?? `a person known to us as ${one.person}`}, of ${one.organization_name}`
    const nature = {
      copy: "got a copy",
      look: "looked at it",
      charged: "was allowed a copy; we do not know that it arrived",
    }
    return [
      `${i + 1}. On ${one.at}, ${whom}, ${nature[one.nature]}.`,
      `   What could be seen: ${one.visible}.`,
      `   Why: ${one.purpose}, under work order ${one.work_order}.`,
      `   Proof: log entry ${one.permit}${one.delivered === null ? "" : ` and ${one.delivered}`}.`,
    ].join("\n")
  })
  const found =
    disclosures.length === 0
      ? "No picture of this crossing was shown to anybody, and no copy left."
      : `This is who got to see pictures of this crossing:\n\n${each.join("\n\n")}`
  return [
    `You asked what left our vault of your crossing around ${ask.at} (within ${ask.within_minutes} minutes).`,
    "We found it by the place and time that you gave. We did not search by face or plate.",
    found,
    `This is what our log says as of ${as_of}. That you asked is log entry ${entry}; it does not say who you are, or when you crossed.`,
    ...limits,
    "",
  ].join("\n\n")
}
