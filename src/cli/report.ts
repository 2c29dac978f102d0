import type { Command } from "commander"
import { reperform, type Reperformed, type Sample } from "../custody/reperform.ts"
import { verifyEd25519 } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import { readHead } from "../log/reading.ts"
import { seedOf } from "../log/sample.ts"
import { contextOf, type Context } from "./context.ts"
import { readPolicy } from "./receipt.ts"
import { answer, table } from "./say.ts"
import { sourceOf } from "./source.ts"

interface SampleOptions {
  readonly releases: string
  readonly seed?: string
  readonly policy: string
  readonly from?: string
}

/** report sample: an auditor draws releases and does them again. */
export function reportCommands(program: Command): void {
  program
    .command("report")
    .description("what an auditor asks of the log")
    .command("sample")
    .description(
      "draw releases by a seed and do each again from the log: request, terms, approvals, decision, receipt",
    )
    .requiredOption("--policy <file>", "as you pinned it")
    .option("--releases <number>", "how many, 1 to 1,000", "25")
    .option("--seed <text>", "as you chose it; without it of the checkpoint, which nobody who asks chose")
    .option("--from <where>", "a folder of tiles, a mirror, or the URL of a log; without it the server")
    .action(async (options: SampleOptions, self: Command) => sample(await contextOf(self), options))
}

async function sample(context: Context, options: SampleOptions): Promise<void> {
  const count = /^\d{1,4}$/.test(options.releases) ? Number(options.releases) : 0
  if (count < 1 || count > 1000) throw new Fault("INVALID", "--releases is a whole number from 1 to 1,000")
  if (options.seed !== undefined && !/^[ -~]{1,128}$/.test(options.seed))
    throw new Fault("INVALID", "--seed is 1 to 128 printable characters")
  const policy = await readPolicy(options.policy)
  const source = await sourceOf(context, options.from)
  const head = await readHead(source, policy, verifyEd25519)
  const seed = options.seed ?? seedOf(head)
  const done = await reperform({ source, head, policy, verify: verifyEd25519, count, seed })
  const seedFrom = options.seed === undefined ? "checkpoint" : "given"
  const failed = done.releases.filter(({ refusal }) => refusal !== null)
  answer(context.voice, { ...done, seed_from: seedFrom, failed: failed.length }, linesOf(done, seedFrom))
  if (failed.length > 0 || done.problems.length > 0) process.exitCode = 7
}

function linesOf({ checkpoint, seed, deliveries, releases, problems }: Sample, seedFrom: string): string[] {
  const failed = releases.filter(({ refusal }) => refusal !== null)
  const why =
    seedFrom === "checkpoint"
      ? "of the checkpoint: nobody chose it here, but whoever runs the log could have waited for one; give --seed for one of your own"
      : "as you gave it"
  const verdict =
    problems.length > 0
      ? `FAILED  the log itself: ${problems[0]?.at ?? ""} ${problems[0]?.why ?? ""}`
      : failed.length > 0
        ? `FAILED  ${failed.length} of ${releases.length} releases`
        : `OK  ${releases.length} of ${deliveries} releases were done again, and every check of them holds`
  return [
    ...(releases.length === 0
      ? []
      : table(
          ["release", "permit", "capture", "person", "level", "approvals", "checks"],
          releases.map(rowOf),
        )),
    ...failed.map(
      ({ delivered, refusal, checks }) =>
        `FAILED  entry ${delivered}: not so: ${checks.at(-1)?.name ?? ""} (${refusal ?? ""})`,
    ),
    verdict,
    `    log ${checkpoint.origin}, ${checkpoint.size} entries`,
    `    seed ${seed}, ${why}`,
    "NOT CHECKED  the pictures themselves: hold each copy against its SHA-256 (--json), or its receipt",
  ]
}

function rowOf({
  delivered,
  permit,
  capture,
  person,
  level,
  approvals,
  checks,
}: Reperformed): (string | number)[] {
  const held = checks.filter(({ holds }) => holds).length
  const by = approvals.map(({ office, entry }) => `${office} ${entry}`).join(", ")
  return [
    delivered,
    permit,
    capture,
    person ?? "–",
    level,
    by === "" ? "two keys" : by,
    `${held} of ${checks.length}`,
  ]
}
