import type { Command } from "commander"
import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { verifyEd25519 } from "../ed25519.ts"
import { Fault, type FaultCode } from "../fault.ts"
import { assertExtended, readHeadOver, refreshReceipt, type LogSource } from "../log/reading.ts"
import { checkReceipt, type HeldFile, type Verdict } from "../log/verify.ts"
import { judge, parsePolicy, type Policy } from "../tlog/policy.ts"
import { parseProof } from "../tlog/receipt.ts"
import { contextOf, type Context } from "./context.ts"
import { answer, progress } from "./say.ts"
import { sourceOf } from "./source.ts"
import { writeWhole } from "../whole-file.ts"

interface Verified extends Pick<Verdict, "checks" | "notChecked"> {
  readonly file: string
  readonly refusal: FaultCode | null
  /** What contradicts what, where the log of today was asked. */
  readonly why: string | null
  readonly permit: number | null
}

interface VerifyOptions {
  readonly policy: string
  readonly image?: string
  readonly from?: string
  readonly online?: boolean
}

/** receipt verify and refresh: from the files and a pinned policy; the log is asked only where that is said. */
export function receiptCommands(program: Command): void {
  const receipt = program
    .command("receipt")
    .description("receipts: verify offline, hold against the log of today, take up cosignatures")
  receipt
    .command("verify <files...>")
    .description("verify .tlog-proof files; the image X is expected beside X.tlog-proof")
    .requiredOption("--policy <file>", "the log's key and witnesses, as you pinned them")
    .option("--image <file>", "the image, when it lies elsewhere (one receipt only)")
    .option("--online", "ask the server whether the log still extends the receipt's tree")
    .option("--from <where>", "the same, of a folder of tiles, a mirror, or the URL of a log")
    .action(async (files: string[], options: VerifyOptions, self: Command) => {
      if (options.image !== undefined && files.length > 1)
        throw new Fault("INVALID", "--image goes with one receipt")
      await verifyAll(files, options, await contextOf(self))
    })
  receipt
    .command("refresh <files...>")
    .description("prove receipts anew under the log's newest cosigned checkpoint")
    .requiredOption("--policy <file>", "the log's key and witnesses, as you pinned them")
    .option("--from <where>", "a folder of tiles, a mirror, or the URL of a log; without it the server")
    .action(async (files: string[], options: { policy: string; from?: string }, self: Command) => {
      await refreshAll(files, options, await contextOf(self))
    })
}

async function verifyAll(files: readonly string[], options: VerifyOptions, context: Context): Promise<void> {
  const policy = await readPolicy(options.policy)
  const isAsked = options.online === true || options.from !== undefined
  const source = isAsked ? await sourceOf(context, options.from) : null
  const verified: Verified[] = []
  for (const file of files) verified.push(await verifyFile(file, { policy, image: options.image, source }))
  answer(
    context.voice,
    { object: "list", data: verified },
    verified.flatMap(each => linesOf(each, files.length > 3)),
  )
  const failed = verified.filter(each => each.refusal !== null)
  if (failed.length > 0) {
    process.stderr.write(
      `FAILED  ${failed.length} of ${verified.length} receipts: ${[...new Set(failed.map(each => each.refusal))].join(", ")}\n`,
    )
    process.exitCode = 7
  }
}

async function refreshAll(
  files: readonly string[],
  options: { readonly policy: string; readonly from?: string },
  context: Context,
): Promise<void> {
  const policy = await readPolicy(options.policy)
  const source = await sourceOf(context, options.from)
  const done: { file: string; refreshed: boolean }[] = []
  for (const [i, file] of files.entries()) {
    const text = await readReceipt(file)
    const isMet = judge(policy, parseProof(text)?.checkpoint ?? "", verifyEd25519).kind === "ok"
    const asks = policy.quorum !== "none"
    if (!isMet || !asks)
      await writeWhole(file, await refreshReceipt(text, source, { policy, verify: verifyEd25519 }))
    done.push({ file, refreshed: !isMet || !asks })
    progress(context.voice, i + 1, files.length, "refreshed")
  }
  answer(
    context.voice,
    { object: "list", data: done },
    done.map(each => `${each.refreshed ? "refreshed" : "as it was"}  ${each.file}`),
  )
}

/** @throws Fault RECEIPT_POLICY saying which line is wrong. */
export async function readPolicy(file: string): Promise<Policy> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new Fault("RECEIPT_POLICY", `the policy file ${file} cannot be read`, {
      cause,
      next: "sallyport log policy > policy, and compare its key",
    })
  })
  const parsed = parsePolicy(text)
  if (parsed.kind === "refuse") throw new Fault("RECEIPT_POLICY", `${file}: ${parsed.why}`)
  return parsed.policy
}

interface Against {
  readonly policy: Policy
  readonly image: string | undefined
  /** The log of today, or `null` to check offline. */
  readonly source: LogSource | null
}

async function verifyFile(file: string, { policy, image, source }: Against): Promise<Verified> {
  const receipt = await readReceipt(file)
  const held = await heldFile(image ?? file.replace(/\.tlog-proof$/, ""), file)
  const verdict = checkReceipt({ receipt, policy, file: held, verify: verifyEd25519 })
  const { checks, notChecked, refusal, entry } = verdict
  const permit = entry?.kind === "delivered" ? entry.permit : null
  if (refusal !== null || source === null)
    return { file, checks, notChecked: [offline, ...notChecked], refusal, why: null, permit }
  const fault = await heldAgainst(source, receipt, policy)
  const today = {
    name: `the log of today (${source.name}) extends the receipt's tree`,
    holds: fault === null,
  }
  return {
    file,
    checks: [...checks, today],
    notChecked,
    refusal: fault?.code ?? null,
    why: fault?.message ?? null,
    permit,
  }
}

const offline = "whether the log of today still holds it (--online)"

async function readReceipt(file: string): Promise<string> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new Fault("NOT_FOUND", `${file} cannot be read`, { cause })
  })
  // A receipt is ASCII but for the dash of its signature lines; bytes that are not UTF-8 fail as its form.
  return bytes.toString("utf8")
}

/** What the log of today says against the receipt's tree, or `null`. */
async function heldAgainst(source: LogSource, receipt: string, policy: Policy): Promise<Fault | null> {
  const older = judge(policy, parseProof(receipt)?.checkpoint ?? "", verifyEd25519)
  if (older.kind === "refuse") return null
  try {
    const newer = await readHeadOver(source, older.checkpoint.size, { policy, verify: verifyEd25519 })
    await assertExtended(source, { ...older.checkpoint, of: "the receipt" }, newer)
    return null
  } catch (error) {
    if (error instanceof Fault && error.exitCode === 7) return error
    throw error
  }
}

async function heldFile(image: string, receipt: string): Promise<HeldFile | null> {
  const bytes = image === receipt ? null : await readFile(image).catch(() => null)
  return bytes === null
    ? null
    : { sha256: createHash("sha256").update(bytes).digest("hex"), size_bytes: bytes.length }
}

function linesOf({ file, checks, notChecked, refusal, why, permit }: Verified, isMany: boolean): string[] {
  if (isMany && refusal === null) return [`OK      ${file}  permit ${permit ?? "–"}, ${checks.length} checks`]
  const lines = checks.map(check => `  ${check.holds ? "OK     " : "FAILED "} ${check.name}`)
  if (refusal === "RECEIPT_WITNESS")
    lines.push(`  once the witnesses have seen it:  sallyport receipt refresh ${file} --policy FILE`)
  const rest =
    refusal === null
      ? notChecked.map(what => `  NOT CHECKED  ${what}`)
      : [`  ${refusal}${why === null ? "" : `: ${why}`}`]
  return [`${refusal === null ? "OK" : "FAILED"}  ${file}`, ...lines, ...rest]
}
