import type { Command } from "commander"
import { levelOf } from "../grant/level.ts"
import { termsDigest, type Purpose, type Terms } from "../grant/terms.ts"
import { Fault } from "../fault.ts"
import { contextOf, listQuery, type Context } from "./context.ts"
import { answer, table, tell } from "./say.ts"
import { endOf } from "./times.ts"

/** A grant as the server shows it. */
export interface Grant {
  readonly grant: string
  readonly terms: Terms
  readonly terms_sha256: string
  readonly requester: string
  readonly state: string
  readonly approvals: readonly { readonly person: string; readonly office: string }[]
  readonly images_used: number
  readonly images_left: number
  readonly releases: number
}

interface RequestOptions {
  readonly purpose: string
  readonly workOrder: string
  readonly contract?: string
  readonly holder: string
  readonly lane: string[]
  readonly hours: string
  readonly dates?: string
  readonly level: string
  readonly images: string
  readonly starts: string
  readonly ends: string
  readonly comment?: string
}

/** grant, for a vendor's person, and case, for the agency's own: the same terms, approvals and budget. */
export function grantCommands(program: Command): void {
  for (const [name, purpose] of [
    ["grant", "release"],
    ["case", "reveal"],
  ] as const) {
    const command = program
      .command(name)
      .description(
        name === "grant"
          ? "who may take what: request, approve, revoke"
          : "a case for reveals: open, approve, close",
      )
    const request = command
      .command(name === "grant" ? "request" : "open")
      .requiredOption(
        "--purpose <purpose>",
        "calibrate-reader, repair-reader, verify-reads, dispute-crossing, audit, incident",
      )
      .requiredOption("--work-order <number>", "work order or case file")
      .requiredOption("--holder <person>")
      .requiredOption("--lane <lane...>", "lanes, repeatable")
      .option("--hours <from-until>", "port-local hours of the day", "0-24")
      .option("--dates <first..last>", "port-local dates of capture; without it yesterday to today")
      .option("--level <level>", "L1 to L4", "L2")
      .requiredOption("--images <number>", "how many distinct images")
      .option("--starts <time>", "now, RFC 3339, or a span", "now")
      .option("--ends <time>", "RFC 3339, or a span from now", "1d")
      .option("--comment <text>", "kept apart from the log, which holds a commitment")
    if (name === "grant") request.requiredOption("--contract <contract>")
    request.action(async (options: RequestOptions, self: Command) =>
      requestGrant(await contextOf(self), options, purpose),
    )
    readingCommands(command, name)
    decidingCommands(command, name)
  }
}

async function requestGrant(
  context: Context,
  options: RequestOptions,
  purpose: "release" | "reveal",
): Promise<void> {
  const { comment_commitment: _, ...terms } = termsFrom(options, purpose)
  const { comment } = options
  const added = await context.client.json<{ grant: string; entry: number }>({
    method: "POST",
    path: "/v1/grants",
    statement: comment === undefined ? { ...terms, comment_commitment: null } : terms,
    ...(comment === undefined ? {} : { names: { comment } }),
  })
  answer(context.voice, added, [`${added.grant}  asked for, log entry ${added.entry}`])
  tell(
    context.voice,
    `next: two people of different offices, neither requester nor holder: sallyport ${purpose === "release" ? "grant" : "case"} approve ${added.grant}`,
  )
}

function termsFrom(options: RequestOptions, purpose: "release" | "reveal"): Terms {
  const now_ms = Date.now()
  const level = levelOf(options.level)
  const hours = /^(\d{1,2})-(\d{1,2})$/.exec(options.hours)
  const day = (back: number) => new Date(now_ms - back * 86_400_000).toISOString().slice(0, 10)
  const [first = "", last = first] = (options.dates ?? `${day(1)}..${day(0)}`).split("..")
  if (level === null) throw new Fault("INVALID", "--level is L1, L2, L3 or L4")
  if (hours === null) throw new Fault("INVALID", "--hours is FROM-UNTIL, such as 6-22")
  if (!/^\d{1,6}$/.test(options.images)) throw new Fault("INVALID", "--images is a whole number")
  return {
    for: purpose,
    purpose: options.purpose as Purpose,
    work_order: options.workOrder,
    contract: options.contract ?? null,
    holder: options.holder,
    lanes: [...options.lane].sort(),
    hours: { from: Number(hours[1]), until: Number(hours[2]) },
    dates: { first, last },
    level,
    images: Number(options.images),
    starts_at: endOf(options.starts, now_ms),
    ends_at: endOf(options.ends, now_ms),
    comment_commitment: null,
  }
}

function readingCommands(command: Command, name: string): void {
  command.command("ls").action(async (_options: unknown, self: Command) => {
    const { client, voice, globals } = await contextOf(self)
    const page = await client.json<{ data: Grant[] }>({
      method: "GET",
      path: `/v1/grants${listQuery(globals)}`,
    })
    const data = page.data.filter(grant => grant.grant.startsWith(name === "grant" ? "grt_" : "cas_"))
    const rows = data.map(({ grant, state, terms, images_used }) => [
      grant,
      state,
      terms.purpose,
      terms.level,
      `${images_used} of ${terms.images}`,
      terms.ends_at,
    ])
    const lines =
      data.length === 0
        ? [`no ${name} yet: sallyport ${name} ${name === "grant" ? "request" : "open"}`]
        : table([name, "state", "purpose", "level", "images", "ends"], rows)
    answer(voice, { ...page, data }, lines)
  })
  command.command("show <id>").action(async (id: string, _options: unknown, self: Command) => {
    const { client, voice } = await contextOf(self)
    const grant = await fetchGrant(client, id)
    answer(voice, grant, [
      ...termsLines(grant.terms),
      `state          ${grant.state}, ${grant.approvals.length} of 2 approvals`,
      `used           ${grant.images_used} of ${grant.terms.images} images, ${grant.releases} releases`,
    ])
  })
}

function decidingCommands(command: Command, name: string): void {
  for (const decision of ["approve", "deny"] as const) {
    command
      .command(`${decision} <id>`)
      .description(`${decision} the terms, which are shown and digested here, not by the server`)
      .action(async (id: string, _options: unknown, self: Command) => {
        const { client, voice } = await contextOf(self)
        const { terms } = await fetchGrant(client, id)
        for (const line of termsLines(terms)) tell(voice, line)
        const statement = { terms_sha256: termsDigest(terms), decision }
        const done = await client.json<{ entry: number }>({
          method: "POST",
          path: `/v1/grants/${encodeURIComponent(id)}/approvals`,
          statement,
        })
        const after = await fetchGrant(client, id)
        const lines = [
          `${id}  ${decision === "approve" ? "approved" : "denied"}, log entry ${done.entry}; now ${after.state}, ${after.approvals.length} of 2 approvals`,
        ]
        answer(voice, { ...done, state: after.state }, lines)
      })
  }
  command
    .command(`${name === "grant" ? "revoke" : "close"} <id>`)
    .action(async (id: string, _options: unknown, self: Command) => {
      const { client, voice } = await contextOf(self)
      const { terms } = await fetchGrant(client, id)
      const path = `/v1/grants/${encodeURIComponent(id)}/revocation`
      const done = await client.json<{ entry: number }>({
        method: "POST",
        path,
        statement: { terms_sha256: termsDigest(terms) },
      })
      answer(voice, done, [
        `${id}  ${name === "grant" ? "revoked" : "closed"}, log entry ${done.entry}; no permit follows it`,
      ])
    })
}

export function fetchGrant(client: Context["client"], id: string): Promise<Grant> {
  return client.json<Grant>({ method: "GET", path: `/v1/grants/${encodeURIComponent(id)}` })
}

function termsLines(terms: Terms): string[] {
  return [
    `purpose        ${terms.purpose}, work order ${terms.work_order}, contract ${terms.contract ?? "none (a case)"}`,
    `holder         ${terms.holder}`,
    `what           ${terms.images} distinct images at ${terms.level}`,
    `from           ${terms.lanes.join(", ")}`,
    `captured       ${terms.dates.first} to ${terms.dates.last}, hours ${terms.hours.from} to ${terms.hours.until} (port-local)`,
    `live           ${terms.starts_at} to ${terms.ends_at}`,
  ]
}
