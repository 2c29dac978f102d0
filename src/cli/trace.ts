import type { Command } from "commander"
import { createHash } from "node:crypto"
import { mkdir, readFile, stat } from "node:fs/promises"
import { basename, join } from "node:path"
import type { Accused, FileReport, TraceReport } from "../custody/close-trace.ts"
import type { TraceOpening } from "../custody/trace.ts"
import { Fault } from "../fault.ts"
import { traceLimits } from "../log/trace-limits.ts"
import type { TraceState } from "../log/traces.ts"
import { writeWhole } from "../whole-file.ts"
import { contextOf, listQuery, type Context } from "./context.ts"
import { answer, progress, table, tell } from "./say.ts"

interface TraceOptions {
  readonly report?: string
  readonly ls?: true
  readonly show?: string
}

interface Found {
  readonly file: string
  readonly sha256: string
  readonly bytes: Uint8Array
}

/** A file that never reached the vault. */
interface Unread {
  readonly file: string
  readonly why: string
}

/** trace: whose copies are these files? */
export function traceCommand(program: Command): void {
  program
    .command("trace")
    .description(
      "say whose copies these found files are, or nobody's; all of them are one case, pooled together",
    )
    .argument("[file...]", "pictures, as they were found: do not save them anew")
    .option(
      "--report <folder>",
      "write what an opponent needs to judge it again, verified by examples/verify_trace.py",
    )
    .option("--ls", "the traces so far")
    .option("--show <trace>", "one of them, as the log has it")
    .action(async (files: string[], options: TraceOptions, self: Command) => {
      const context = await contextOf(self)
      if (options.ls === true) return list(context)
      if (options.show !== undefined) return show(context, options.show)
      if (files.length === 0)
        throw new Fault("INVALID", "name the files to trace", { next: "sallyport trace FILE…" })
      process.exitCode = await trace(context, files, options)
    })
}

async function trace(context: Context, files: readonly string[], { report }: TraceOptions): Promise<number> {
  const { client, voice } = context
  const { found, unread } = await readAll(files)
  if (found.length === 0) {
    answer(
      voice,
      { trace: null, files: [], unread },
      unread.map(({ file, why }) => `${file}  unreadable  ${why}`),
    )
    return 10
  }
  const opened = await client.json<TraceOpening>({
    method: "POST",
    path: "/v1/traces",
    statement: { files: [...new Set(found.map(({ sha256 }) => sha256))] },
  })
  tell(voice, `${opened.trace}: opened for ${opened.files.length} files, log entry ${opened.entry}`)
  const brought = new Set<string>()
  for (const { sha256, bytes } of found) {
    if (!brought.has(sha256)) await client.bring(`/v1/traces/${opened.trace}/files`, bytes)
    brought.add(sha256)
    progress(voice, brought.size, opened.files.length, "compared")
  }
  const judged = await client.json<TraceReport>({
    method: "POST",
    path: `/v1/traces/${opened.trace}/closing`,
    statement: {},
  })
  if (report !== undefined) await writeReport(report, judged)
  const rows = found.map(each => {
    const file = judged.files.find(one => one.file === each.sha256)
    return file === undefined ? [] : rowOf(each.file, file)
  })
  const heads = ["file", "verdict", "made for", "capture", "released", "entry", "log10 bound", "by", "pixels"]
  const named = found.map(each => ({
    name: each.file,
    ...judged.files.find(one => one.file === each.sha256),
  }))
  answer(voice, { ...judged, files: named.map(withoutEvidence), unread }, [
    ...table(heads, rows),
    ...unread.map(({ file, why }) => `${file}  unreadable  ${why}`),
    "",
    ...summary(judged, found),
  ])
  return unread.length > 0 || judged.files.some(({ verdict }) => verdict === "unreadable") ? 10 : 0
}

/** Reads what can be read; the others are said, and the rest goes on. */
async function readAll(files: readonly string[]): Promise<{ found: Found[]; unread: Unread[] }> {
  if (files.length > traceLimits.files)
    throw new Fault(
      "INVALID",
      `${files.length} files; one trace takes ${traceLimits.files}: pooling more weakens every bound`,
    )
  const found: Found[] = []
  const unread: Unread[] = []
  for (const file of files) {
    try {
      const { size } = await stat(file)
      if (size > traceLimits.file_bytes) {
        unread.push({ file, why: "over 48 MB: reduce it" })
        continue
      }
      const bytes = await readFile(file)
      found.push({ file, bytes, sha256: createHash("sha256").update(bytes).digest("hex") })
    } catch (error) {
      unread.push({ file, why: (error as NodeJS.ErrnoException).code ?? "it cannot be read" })
    }
  }
  return { found, unread }
}

function rowOf(name: string, file: FileReport): readonly (string | number)[] {
  const [first, ...others] = file.people
  const more = others.length === 0 ? "" : ` and ${others.length} more`
  return [
    ...[
      basename(name),
      file.verdict,
      first === undefined ? "–" : `${first.person}${more}`,
      file.capture ?? "–",
    ],
    ...[first?.at ?? "–", first === undefined ? "–" : (first.delivered ?? first.permit)],
    ...[first === undefined ? "–" : first.log10_bound.toFixed(0), first?.by ?? "–", file.shown_px ?? "–"],
  ]
}

function summary({ trace, entry, files, tried, limits }: TraceReport, found: readonly Found[]): string[] {
  const nameOf = (sha256: string) => basename(found.find(each => each.sha256 === sha256)?.file ?? sha256)
  const accused = files.filter(({ verdict }) => verdict === "accused").length
  return [
    `${accused} of ${files.length} files were made for somebody; ${trace} closed, log entry ${entry}`,
    `A person is named where chance would name him with a probability of 10^-9 at most, for all ${Math.round(10 ** tried.log10).toLocaleString("en-US")} tests of this case together.`,
    ...files
      .filter(({ verdict, is_canary }) => verdict !== "accused" || is_canary === true)
      .map(({ file, said }) => `${nameOf(file)}  ${said}`),
    ...limits.slice(0, 1),
  ]
}

/** Evidence is long, and in the report. */
function withoutEvidence({ people = [], ...file }: { readonly people?: readonly Accused[] }) {
  return { ...file, people: people.map(({ proof: _, receipt: __, ...person }) => person) }
}

async function writeReport(folder: string, judged: TraceReport): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeWhole(join(folder, `${judged.trace}.json`), `${JSON.stringify(judged, null, 2)}\n`)
  await writeWhole(join(folder, `${judged.trace}.tlog-proof`), judged.receipt)
}

async function list({ client, voice, globals }: Context): Promise<void> {
  const page = await client.json<{ data: TraceState[]; has_more: boolean }>({
    method: "GET",
    path: `/v1/traces${listQuery(globals, {})}`,
  })
  const rows = page.data.map(each => [
    ...[each.trace, each.opened_at, each.files.length, each.person],
    each.verdicts === null
      ? "open, or lost"
      : `${each.verdicts.filter(one => one.verdict === "accused").length} made for somebody`,
  ])
  const heads = ["trace", "opened", "files", "by", "outcome"]
  answer(voice, page, page.data.length === 0 ? ["nothing was traced yet"] : table(heads, rows))
}

async function show({ client, voice }: Context, id: string): Promise<void> {
  const held = await client.json<TraceState>({ method: "GET", path: `/v1/traces/${encodeURIComponent(id)}` })
  const rows = held.files.map((file, i) => {
    const verdict = held.verdicts?.[i]
    const people = verdict?.people.map(
      ({ person, by, log10_bound }) => `${person} (${by}, 10^${log10_bound})`,
    )
    return [
      `${file.slice(0, 16)}…`,
      verdict?.verdict ?? "–",
      verdict?.capture ?? "–",
      people?.join(", ") ?? "–",
    ]
  })
  answer(voice, held, [
    `${held.trace}  opened ${held.opened_at} by ${held.person}, log entry ${held.entry}`,
    held.closed_entry === null
      ? "not closed"
      : `closed ${held.closed_at ?? ""}, log entry ${held.closed_entry}`,
    ...table(["file", "verdict", "capture", "made for"], rows),
  ])
}
