import type { Command } from "commander"
import type { Event, Released } from "../custody/history.ts"
import type { Preview } from "../custody/preview.ts"
import { Fault } from "../fault.ts"
import { differencesOf } from "../grant/edit.ts"
import type { Glass } from "../grant/glass.ts"
import { extentWords } from "../grant/level.ts"
import { unusual, type Terms } from "../grant/terms.ts"
import { contextOf, listQuery, type Context } from "./context.ts"
import { answer, table } from "./say.ts"

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
      extentWords(terms),
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

async function fetchHistory(client: Context["client"], id: string): Promise<readonly Event[]> {
  const path = `/v1/grants/${encodeURIComponent(id)}/history`
  return (await client.json<{ data: readonly Event[] }>({ method: "GET", path })).data
}

function showCommand(command: Command): void {
  command
    .command("show <id>")
    .description("its terms, its use, and who asked, changed, signed, ended it")
    .action(async (id: string, _options: unknown, self: Command) => {
      const { client, voice } = await contextOf(self)
      const [grant, history] = await Promise.all([fetchGrant(client, id), fetchHistory(client, id)])
      const signed = grant.approvals.map(each => `${each.office} ${each.person} (version ${each.version})`)
      answer(voice, { ...grant, history }, [
        ...termsLines(grant.terms),
        `state          ${grant.state}, version ${grant.version}; signed by ${signed.join(", ") || "nobody"}`,
        ...(grant.stale === null ? [] : [`STALE          ${grant.stale}`]),
        ...(grant.glass === null ? [] : [glassLine(grant.glass)]),
        `used           ${grant.images_used} of ${grant.terms.images} images, ${grant.releases} of ${grant.terms.releases} releases: sallyport ${command.name()} releases ${id}`,
        ...historyLines(history),
      ])
    })
}

function glassLine({ second, outcome, review_due_at }: Glass): string {
  return `BREAK-GLASS    second key ${second}; ${outcome ?? `review due by ${review_due_at}`}`
}

function historyLines(history: readonly Event[]): string[] {
  const rows = history.map(({ entry, at, what, office, person, version }) => [
    ...["", entry, at, what, office ?? "", person],
    version === null ? "" : `version ${version}`,
  ])
  return ["", ...table(["", "entry", "at", "what", "office", "person", "terms"], rows)]
}

function releasesCommand(command: Command): void {
  command
    .command("releases <id>")
    .description(
      "what left under it, oldest first; each line's entries are in the log: sallyport log entry N",
    )
    .option("--cursor <cursor>", "next_cursor of the page before")
    .action(async (id: string, options: { cursor?: string }, self: Command) => {
      const { client, voice, globals } = await contextOf(self)
      const path = `/v1/grants/${encodeURIComponent(id)}/releases${listQuery(globals, options)}`
      const page = await client.json<Releases>({ method: "GET", path })
      const rows = page.data.map(({ permit, delivered, at, capture, sha256, ...extent }) => [
        ...[at, capture, extentWords(extent), permit],
        ...[delivered ?? "not delivered", sha256?.slice(0, 16) ?? ""],
      ])
      const heads = ["at", "capture", "level", "permit", "delivered", "SHA-256"]
      const more = page.next_cursor === null ? [] : [`more: --cursor ${page.next_cursor}`]
      answer(
        voice,
        page,
        rows.length === 0 ? ["nothing has left under it"] : [...table(heads, rows), ...more],
      )
    })
}

interface Releases {
  readonly data: readonly Released[]
  readonly next_cursor: string | null
}

function diffCommand(command: Command): void {
  command
    .command("diff <id> [from] [to]")
    .description("what changed between two versions of the terms; without them, by the newest edit")
    .action(async (id: string, from: string | undefined, to: string | undefined, ...rest: unknown[]) => {
      const { client, voice } = await contextOf(rest[1] as Command)
      const versions = (await fetchHistory(client, id)).flatMap(({ terms }) =>
        terms === null ? [] : [terms],
      )
      const newest = to === undefined ? versions.length : Number(to)
      const [was, is] = [versions[Number(from ?? newest - 1) - 1], versions[newest - 1]]
      if (from === undefined && newest === 1) return answer(voice, [], ["never edited"])
      if (was === undefined || is === undefined)
        throw new Fault("NOT_FOUND", `there are versions 1 to ${versions.length}`)
      const changed = differencesOf(was, is)
      const rows = changed.map(each => [each.term, each.was, each.is, each.widens ? "widens" : "narrows"])
      answer(voice, changed, rows.length === 0 ? ["nothing differs"] : table(["term", "was", "is", ""], rows))
    })
}

/** ls, show, releases, diff and preview, of grants and of cases. */
export function readingCommands(command: Command, name: string): void {
  listCommand(command, name)
  showCommand(command)
  releasesCommand(command)
  diffCommand(command)
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

export function fetchGrant(client: Context["client"], id: string): Promise<Grant> {
  return client.json<Grant>({ method: "GET", path: `/v1/grants/${encodeURIComponent(id)}` })
}

/** The terms as whoever signs them reads them. */
export function termsLines(terms: Terms): string[] {
  return [
    `purpose        ${terms.purpose}, work order ${terms.work_order}, contract ${terms.contract ?? "none (a case)"}`,
    `holder         ${terms.holder}${terms.device === null ? "" : `, on the device ${terms.device}`}`,
    `what           ${terms.images} distinct images at ${extentWords(terms)}`,
    ...(terms.people === null
      ? []
      : [`people         at most ${terms.people}: faces found, added up over distinct images`]),
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
    `IF BREACHED    tomorrow, this vendor would lose ${if_breached.images} images (${if_breached.held_already} it holds already), of at least ${if_breached.crossings} crossings in this grant, ${if_breached.faces === null ? "faces not counted: nobody looked for them" : `${if_breached.faces} faces`}`,
  ]
}
