import { type Command } from "commander"
import { hex, equal, concat } from "../bytes.ts"
import { verifyEd25519 } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import { type Problem, Replay } from "../log/replay.ts"
import { leafHash } from "../tlog/hash.ts"
import { judge, type Policy } from "../tlog/policy.ts"
import { entriesPath, parseBundle, tilePath, tileWidth } from "../tlog/tile.ts"
import { rootOf } from "../tlog/tree.ts"
import { contextOf, listQuery, type Context } from "./context.ts"
import { readPolicy } from "./receipt.ts"
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

/** log: status, policy, ls, entry, verify, fsck. */
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
  log.command("entry <index>").action(async (index: string, _options: unknown, self: Command) => {
    const { client, voice } = await contextOf(self)
    const shown = await client.json<Record<string, unknown>>({
      method: "GET",
      path: `/v1/log/entries/${encodeURIComponent(index)}`,
    })
    answer(voice, shown, [JSON.stringify({ ...shown, proof: undefined }, null, 2)])
  })
  checkingCommands(log)
}

/** What is computed anew: the ledger by the server, the log by us. */
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
      const lines = found.problems.map(({ at, why }) => `DIFFERS  ${at}: ${why}`)
      answer(voice, found, lines.length > 0 ? lines : [`OK  log and ledger agree: ${counted.join(", ")}`])
      if (found.problems.length > 0) process.exitCode = 7
    })
  log
    .command("verify")
    .description(
      "read the whole log and verify it: signature, tree, tiles, and every entry's author and verdict",
    )
    .requiredOption("--policy <file>", "as you pinned it")
    .action(async (options: { policy: string }, self: Command) => {
      const context = await contextOf(self)
      const verified = await verifyLog(context, await readPolicy(options.policy))
      answer(context.voice, verified, verified.lines)
      if (verified.problems.length > 0) process.exitCode = 7
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

interface VerifiedLog {
  readonly size: number
  readonly problems: readonly Problem[]
  readonly lines: readonly string[]
}

/** Trusts nothing that the server says but what the policy's key signed. */
async function verifyLog(context: Context, policy: Policy): Promise<VerifiedLog> {
  const { client, voice } = context
  const note = await client.text({ method: "GET", path: "/log/checkpoint" })
  const judged = judge(policy, note, verifyEd25519)
  if (judged.kind === "refuse")
    throw new Fault("RECEIPT_CHECKPOINT", `the checkpoint does not meet the policy: ${judged.reason}`)
  const { size, root, origin } = judged.checkpoint
  const replay = new Replay({ origin, verify: verifyEd25519, folds: () => true })
  const problems: Problem[] = []
  for (let index = 0; index * tileWidth < size; index += 1) {
    const width = Math.min(tileWidth, size - index * tileWidth)
    const entries = parseBundle(await bytesAt(client, entriesPath(index, width)))
    const hashes = await bytesAt(client, tilePath({ level: 0, index, width }))
    if (entries?.length !== width || !equal(concat(...entries.map(leafHash)), hashes)) {
      problems.push({ at: `tile 0/${index}`, why: "bundle and hashes do not agree" })
      break
    }
    problems.push(
      ...replay.take(
        entries.map((bytes, i) => ({ index: index * tileWidth + i, kind: kindOf(bytes), bytes })),
      ),
    )
    progress(voice, replay.frontier.size, size, "verified")
  }
  if (problems.length === 0 && !equal(rootOf(replay.frontier), root))
    problems.push({ at: "root", why: "the entries do not lead to the signed root" })
  const good = [
    `OK  checkpoint of ${size} entries signed by ${judged.log}, witnesses: ${judged.witnesses.length}`,
    "OK  every bundle agrees with its hash tile, and the entries lead to the signed root",
    "OK  every entry's author signed it, and every verdict is the one that the log leads to",
    `    root ${hex(root)}`,
  ]
  return {
    size,
    problems,
    lines: problems.length === 0 ? good : problems.map(({ at, why }) => `FAILED  ${at}: ${why}`),
  }
}

async function bytesAt(client: Context["client"], path: string): Promise<Uint8Array> {
  const response = await client.send({ method: "GET", path: `/log/${path}` })
  return new Uint8Array(await response.arrayBuffer())
}

function kindOf(bytes: Uint8Array): string {
  try {
    return (JSON.parse(new TextDecoder().decode(bytes)) as { kind: string }).kind
  } catch {
    return ""
  }
}
