import type { Command } from "commander"
import type { Problem } from "../log/replay.ts"
import { contextOf, globalsOf, listQuery } from "./context.ts"
import { followCommands } from "./log-follow.ts"
import { answer, progress, table } from "./say.ts"

interface Status {
  readonly origin: string
  readonly vkey: string
  readonly size: number
  readonly root: string
  readonly newest_at: string | null
  readonly vault: string
  readonly why: string | null
  readonly differences: number
  readonly witnesses: {
    readonly size: number | null
    readonly cosigned_at: string | null
    readonly refusal: string | null
    readonly each: readonly { name: string; size: number | null; at: string | null; problem: string | null }[]
  } | null
}

/** log: status, policy, ls, entry, destroy-opening, fsck, rebuild-tiles, verify, mirror, watch. */
export function logCommands(program: Command): void {
  const log = program
    .command("log")
    .description("the log: look, verify it without trusting the server, compare it with the ledger")
  log.command("status").action(async (_options: unknown, self: Command) => {
    const { client, voice } = await contextOf(self)
    const status = await client.json<Status>({ method: "GET", path: "/v1/log/status" })
    answer(voice, status, statusLines(status))
    if (status.vault !== "open" || status.differences > 0) process.exitCode = 7
  })
  log
    .command("policy")
    .description("the policy file with the log's key: compare, pin, keep")
    .action(async (_options: unknown, self: Command) => {
      const { client } = await contextOf(self)
      process.stdout.write(await client.text({ method: "GET", path: "/log/policy" }))
    })
  log
    .command("ls")
    .option("--kind <kind>")
    .action(async (options: { kind?: string }, self: Command) => {
      const { client, voice, globals } = await contextOf(self)
      const page = await client.json<{
        data: {
          index: number
          entry: { kind: string; at: string; code?: string; capture?: string; grant?: string }
        }[]
      }>({
        method: "GET",
        path: `/v1/log/entries${listQuery(globals, { kind: options.kind })}`,
      })
      const rows = page.data.map(({ index, entry }) => [
        index,
        entry.at,
        entry.kind,
        entry.code ?? entry.capture ?? entry.grant ?? "",
      ])
      answer(
        voice,
        page,
        page.data.length === 0 ? ["no such entry"] : table(["entry", "at", "kind", "of"], rows),
      )
    })
  entryCommands(log)
  checkingCommands(log)
  rebuildCommand(log)
  followCommands(log)
}

/** On the machine of the vault, while it is stopped. */
function rebuildCommand(log: Command): void {
  log
    .command("rebuild-tiles")
    .description("make the log's tiles again from its entries, with the vault stopped")
    .requiredOption("--data <folder>")
    .action(async ({ data }: { data: string }, self: Command) => {
      const { openLedger } = await import("../sallyport.ts")
      const { readConfig } = await import("../config.ts")
      const { rebuildTiles } = await import("../log/rebuild.ts")
      const voice = globalsOf(self)
      const ledger = await openLedger(data, await readConfig(data))
      try {
        const done = await rebuildTiles(ledger, (at, of) => progress(voice, at, of, "entries read"))
        answer(voice, done, [
          `OK  ${done.tiles} tiles are those of the entries; ${done.written} were written`,
        ])
      } finally {
        await ledger.close()
      }
    })
}

/** One entry: look, and destroy what stands behind a commitment. */
function entryCommands(log: Command): void {
  log.command("entry <index>").action(async (index: string, _options: unknown, self: Command) => {
    const { client, voice } = await contextOf(self)
    const shown = await client.json<Record<string, unknown>>({
      method: "GET",
      path: `/v1/log/entries/${encodeURIComponent(index)}`,
    })
    answer(voice, shown, [JSON.stringify({ ...shown, proof: undefined }, null, 2)])
  })
  log
    .command("destroy-opening <index>")
    .description("destroy the text behind one commitment of an entry (custodian, privacy officer)")
    .requiredOption("--field <name>", "such as name, comment or reason")
    .action(async (index: string, options: { field: string }, self: Command) => {
      const { client, voice } = await contextOf(self)
      const statement = { entry: Number(index), field: options.field }
      const done = await client.json<{ entry: number }>({
        method: "POST",
        path: "/v1/openings/destruction",
        statement,
      })
      answer(voice, done, [`destroyed: ${options.field} of entry ${index}; entry ${done.entry} says so`])
    })
}

/** What the server computes anew. */
function checkingCommands(log: Command): void {
  log
    .command("fsck")
    .description("compute the ledger anew from the log, and compare")
    .action(async (_options: unknown, self: Command) => {
      const { client, voice } = await contextOf(self)
      const found = await client.json<{ size: number; problems: Problem[]; counted: Record<string, number> }>(
        { method: "GET", path: "/v1/log/fsck" },
      )
      const counted = Object.entries(found.counted).map(([what, count]) => `${count} ${what}`)
      const lines = found.problems.map(
        ({ at, why }, i) => `${i === 0 ? "DIFFERS FIRST" : "DIFFERS"}  ${at}: ${why}`,
      )
      answer(voice, found, lines.length > 0 ? lines : [`OK  log and ledger agree: ${counted.join(", ")}`])
      if (found.problems.length > 0) process.exitCode = 7
    })
}

function statusLines(status: Status): string[] {
  return [
    `origin   ${status.origin}`,
    `key      ${status.vkey}`,
    `size     ${status.size} entries, newest ${status.newest_at ?? "–"}`,
    `root     ${status.root}`,
    `vault    ${status.vault}${status.why === null ? "" : `: ${status.why}`}`,
    ...witnessLines(status),
    `ledger   ${status.differences === 0 ? "agrees with the log" : `differs from the log in ${status.differences} places: sallyport log fsck`}`,
  ]
}

function witnessLines({ witnesses }: Status): string[] {
  if (witnesses === null)
    return ["witness  none is asked: a rewritten log is found only by those who kept a receipt"]
  const each = witnesses.each.map(({ name, size, at, problem }) => {
    return `         ${name}: ${size === null ? "not yet" : `saw ${size} entries at ${at ?? ""}`}${problem === null ? "" : `; ${problem}`}`
  })
  const quorum =
    witnesses.refusal ??
    `the quorum has seen ${witnesses.size ?? 0} entries, at ${witnesses.cosigned_at ?? ""}`
  return [`witness  ${quorum}`, ...each]
}
