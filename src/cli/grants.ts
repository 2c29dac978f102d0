import type { Command } from "commander"
import type { Glass } from "../grant/glass.ts"
import { levelOf } from "../grant/level.ts"
import type { Preview } from "../custody/preview.ts"
import type { Statement } from "../grant/request.ts"
import { termsDigest, unusual, type Purpose, type Terms } from "../grant/terms.ts"
import { Fault, faults, type FaultCode } from "../fault.ts"
import { editCommand } from "./edit.ts"
import { lookCommand } from "./glass.ts"
import { contextOf, listQuery, type Context } from "./context.ts"
import { answer, table, tell } from "./say.ts"
import { endOf } from "./times.ts"

/** A grant as the server shows it. */
export interface Grant {
  readonly grant: string
  readonly terms: Terms
  readonly version: number
  readonly terms_sha256: string
  readonly requester: string
  readonly state: string
  readonly approvals: readonly {
    readonly person: string
    readonly office: string
    readonly version: number
  }[]
  readonly glass: Glass | null
  readonly images_used: number
  readonly images_left: number
  readonly releases: number
  /** Why somebody should look at it, or `null`. */
  readonly stale: string | null
}

/** What terms are typed as. */
export interface TermsOptions {
  readonly purpose: string
  readonly workOrder: string
  readonly contract?: string
  readonly lane: string[]
  readonly hours: string
  readonly dates?: string
  readonly level: string
  readonly images: string
  readonly releases?: string
  readonly open?: true
  readonly onlyDevice?: string
  readonly capture?: string[]
  readonly starts: string
  readonly ends: string
  readonly destroy: string
}

interface RequestOptions extends TermsOptions {
  readonly holder: string
  readonly try?: true
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
    const request = termsOptions(command.command(name === "grant" ? "request" : "open"))
      .requiredOption("--holder <person>")
      .option("--try", "only say which rule would refuse it")
      .option("--comment <text>", "kept apart from the log, which holds a commitment")
    if (name === "grant") request.requiredOption("--contract <contract>")
    request.action(async (options: RequestOptions, self: Command) =>
      requestGrant(await contextOf(self), options, purpose),
    )
    readingCommands(command, name)
    editCommand(command)
    decidingCommands(command, name)
    if (name === "case") lookCommand(command)
  }
}

/** The options that every request for images takes. */
export function termsOptions(command: Command): Command {
  return command
    .requiredOption(
      "--purpose <purpose>",
      "calibrate-reader, repair-reader, verify-reads, dispute-crossing, audit, incident",
    )
    .requiredOption("--work-order <number>", "work order or case file")
    .requiredOption("--lane <lane...>", "lanes, repeatable")
    .option("--hours <from-until>", "port-local hours of the day", "0-24")
    .option("--dates <first..last>", "port-local dates of capture; without it yesterday to today")
    .option("--level <level>", "L1 to L4", "L2")
    .requiredOption("--images <number>", "how many distinct images")
    .option("--releases <number>", "how often they leave in all, re-reading included; 3 for each image")
    .option("--open", "also captures that come after the approval; without it the selection is frozen there")
    .option("--only-device <key>", "the public key of the one device that may take the images")
    .option("--capture <capture...>", "a manifest: only these captures")
    .option("--starts <time>", "now, RFC 3339, or a span", "now")
    .option("--ends <time>", "RFC 3339, or a span from now", "1d")
    .option(
      "--destroy <time>",
      "until when copies must be destroyed: RFC 3339, or a span from the end",
      "30d",
    )
}

async function requestGrant(
  context: Context,
  options: RequestOptions,
  purpose: "release" | "reveal",
): Promise<void> {
  const { comment_commitment: _, ...terms } = termsFrom(options, purpose)
  const { comment } = options
  if (options.try === true) return tryRequest(context, { ...terms, comment_commitment: null })
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

async function tryRequest({ client, voice }: Context, statement: Statement): Promise<void> {
  const tried = await client.json<{ refusal: FaultCode | null; why: string | null }>({
    method: "POST",
    path: "/v1/grants/trial",
    statement,
  })
  const why = tried.why ?? ""
  answer(voice, tried, [
    tried.refusal === null ? "no rule refuses this" : `would be refused: ${tried.refusal}: ${why}`,
  ])
  if (tried.refusal !== null) process.exitCode = faults[tried.refusal][1]
}

export function termsFrom(
  options: TermsOptions & { readonly holder: string },
  purpose: "release" | "reveal",
): Terms {
  const now_ms = Date.now()
  const ends_at = endOf(options.ends, now_ms)
  const level = levelOf(options.level)
  const hours = /^(\d{1,2})-(\d{1,2})$/.exec(options.hours)
  const day = (back: number) => new Date(now_ms - back * 86_400_000).toISOString().slice(0, 10)
  const [first = "", last = first] = (options.dates ?? `${day(1)}..${day(0)}`).split("..")
  if (level === null) throw new Fault("INVALID", "--level is L1, L2, L3 or L4")
  if (hours === null) throw new Fault("INVALID", "--hours is FROM-UNTIL, such as 6-22")
  wholeOf("images", options.images)
  return {
    for: purpose,
    purpose: options.purpose as Purpose,
    work_order: options.workOrder,
    contract: options.contract ?? null,
    holder: options.holder,
    device: options.onlyDevice ?? null,
    lanes: [...options.lane].sort(),
    hours: { from: Number(hours[1]), until: Number(hours[2]) },
    dates: { first, last },
    level,
    selection: options.open === true ? "open" : "frozen",
    captures: options.capture === undefined ? null : [...options.capture].sort(),
    images: Number(options.images),
    releases:
      options.releases === undefined ? 3 * Number(options.images) : wholeOf("releases", options.releases),
    starts_at: endOf(options.starts, now_ms),
    ends_at,
    destroy_by: purpose === "reveal" ? ends_at : endOf(options.destroy, Date.parse(ends_at)),
    comment_commitment: null,
  }
}

function wholeOf(option: string, text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new Fault("INVALID", `--${option} is a whole number`)
  return Number(text)
}

function listCommand(command: Command, name: string): void {
  const ls = command.command("ls").option("--stale", "only what waits, or is not used, for days")
  ls.action(async (options: { stale?: true }, self: Command) => {
    const { client, voice, globals } = await contextOf(self)
    const page = await client.json<{ data: Grant[] }>({
      method: "GET",
      path: `/v1/grants${listQuery(globals)}`,
    })
    const data = page.data
      .filter(grant => grant.grant.startsWith(name === "grant" ? "grt_" : "cas_"))
      .filter(grant => options.stale !== true || grant.stale !== null)
    const rows = data.map(({ grant, state, terms, images_used, stale }) => [
      grant,
      state,
      terms.purpose,
      terms.level,
      `${images_used} of ${terms.images}`,
      terms.ends_at,
      stale ?? "",
    ])
    const lines =
      data.length === 0
        ? [`no ${name} yet: sallyport ${name} ${name === "grant" ? "request" : "open"}`]
        : table([name, "state", "purpose", "level", "images", "ends", ""], rows)
    answer(voice, { ...page, data }, lines)
  })
}

function readingCommands(command: Command, name: string): void {
  listCommand(command, name)
  command.command("show <id>").action(async (id: string, _options: unknown, self: Command) => {
    const { client, voice } = await contextOf(self)
    const grant = await fetchGrant(client, id)
    answer(voice, grant, [
      ...termsLines(grant.terms),
      `state          ${grant.state}, version ${grant.version}, ${grant.approvals.length} approvals${grant.approvals.map(each => `, ${each.office} ${each.person} (version ${each.version})`).join("")}`,
      ...(grant.stale === null ? [] : [`STALE          ${grant.stale}`]),
      ...(grant.glass === null
        ? []
        : [
            `BREAK-GLASS    second key ${grant.glass.second}; ${grant.glass.outcome ?? `review due by ${grant.glass.review_due_at}`}`,
          ]),
      `used           ${grant.images_used} of ${grant.terms.images} images, ${grant.releases} of ${grant.terms.releases} releases`,
    ])
  })
  command
    .command("releases <id>")
    .description("what left under it, and how often: the captures, whose receipts are in the log")
    .action(async (id: string, _options: unknown, self: Command) => {
      const { client, voice, globals } = await contextOf(self)
      const path = `/v1/grants/${encodeURIComponent(id)}/releases${listQuery(globals)}`
      const page = await client.json<{ data: { capture: string; times: number }[] }>({ method: "GET", path })
      const rows = page.data.map(({ capture, times }) => [capture, times])
      answer(
        voice,
        page,
        rows.length === 0 ? ["nothing has left under it"] : table(["capture", "times"], rows),
      )
    })
  command
    .command("preview <id>")
    .description("what would leave, by lane and hour, and what a breach of its holder would lose")
    .action(async (id: string, _options: unknown, self: Command) => {
      const { client, voice } = await contextOf(self)
      const path = `/v1/grants/${encodeURIComponent(id)}/preview`
      const shown = await client.json<Preview>({ method: "GET", path })
      answer(voice, shown, previewLines(shown))
    })
}

function decidingCommands(command: Command, name: string): void {
  for (const decision of ["approve", "deny"] as const) {
    command
      .command(`${decision} <id>`)
      .description(`${decision} the terms, which are shown and digested here, not by the server`)
      .action(async (id: string, _options: unknown, self: Command) => {
        const { client, voice } = await contextOf(self)
        const { terms, version } = await fetchGrant(client, id)
        for (const line of termsLines(terms)) tell(voice, line)
        const statement = { version, terms_sha256: termsDigest(terms), decision }
        const done = await client.json<{ entry: number }>({
          method: "POST",
          path: `/v1/grants/${encodeURIComponent(id)}/approvals`,
          statement,
        })
        const after = await fetchGrant(client, id)
        const lines = [
          `${id}  ${decision === "approve" ? "approved" : "denied"}, log entry ${done.entry}; now ${after.state}, ${after.approvals.length} approvals`,
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
    `holder         ${terms.holder}${terms.device === null ? "" : `, on the device ${terms.device}`}`,
    `what           ${terms.images} distinct images at ${terms.level}`,
    `from           ${terms.lanes.join(", ")}`,
    `captured       ${terms.dates.first} to ${terms.dates.last}, hours ${terms.hours.from} to ${terms.hours.until} (port-local)`,
    `selection      ${terms.captures === null ? "" : `${terms.captures.length} named captures, `}${terms.selection === "frozen" ? "as it is when approved" : "open: also what comes later"}`,
    `releases       ${terms.releases}, re-reading included`,
    `live           ${terms.starts_at} to ${terms.ends_at}; copies destroyed by ${terms.destroy_by}`,
    ...unusual(terms).map(sentence => `UNUSUAL        ${sentence}`),
  ]
}

function previewLines({ selected, would_leave, by_lane, by_hour, if_breached, is_cut }: Preview): string[] {
  const peak = Math.max(1, ...by_hour)
  const bars = by_hour.map(count =>
    count === 0 ? " " : ("▁▂▃▄▅▆▇█"[Math.ceil((count / peak) * 8) - 1] ?? "█"),
  )
  return [
    `selected       ${selected} captures${is_cut ? " or more" : ""}, of which at most ${would_leave} leave`,
    ...by_lane.map(({ lane, captures }) => `lane           ${lane}  ${captures}`),
    `hours 0 to 23  ${bars.join("")}`,
    `IF BREACHED    tomorrow, this vendor would lose ${if_breached.images} images (${if_breached.held_already} it holds already), of ${if_breached.crossings} crossings in this grant, ${if_breached.faces === null ? "faces not counted: nobody looked for them" : `${if_breached.faces} faces`}`,
  ]
}
