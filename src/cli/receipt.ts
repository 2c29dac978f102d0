import { type Command } from "commander"
import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { verifyEd25519 } from "../ed25519.ts"
import { Fault, type FaultCode } from "../fault.ts"
import { checkReceipt, type HeldFile, type Verdict } from "../log/verify.ts"
import { parsePolicy, type Policy } from "../tlog/policy.ts"
import { globalsOf } from "./context.ts"
import { answer } from "./say.ts"

interface Verified extends Pick<Verdict, "checks" | "notChecked"> {
  readonly file: string
  readonly refusal: FaultCode | null
  readonly permit: number | null
}

/** receipt verify: offline, from the files and a pinned policy alone. */
export function receiptCommands(program: Command): void {
  program
    .command("receipt")
    .description("receipts: verify offline")
    .command("verify <files...>")
    .description("verify .tlog-proof files; the image X is expected beside X.tlog-proof")
    .requiredOption("--policy <file>", "the log's key and witnesses, as you pinned them")
    .option("--image <file>", "the image, when it lies elsewhere (one receipt only)")
    .action(async (files: string[], options: { policy: string; image?: string }, self: Command) => {
      if (options.image !== undefined && files.length > 1)
        throw new Fault("INVALID", "--image goes with one receipt")
      const policy = await readPolicy(options.policy)
      const verified: Verified[] = []
      for (const file of files) verified.push(await verifyFile(file, policy, options.image))
      const voice = globalsOf(self)
      answer(
        voice,
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
    })
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

async function verifyFile(file: string, policy: Policy, image: string | undefined): Promise<Verified> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new Fault("NOT_FOUND", `${file} cannot be read`, { cause })
  })
  // A receipt is ASCII but for the dash of its signature lines; bytes that are not UTF-8 fail as its form.
  const receipt = bytes.toString("utf8")
  const held = await heldFile(image ?? file.replace(/\.tlog-proof$/, ""), file)
  const verdict = checkReceipt({ receipt, policy, file: held, verify: verifyEd25519 })
  const { checks, notChecked, refusal, entry } = verdict
  return { file, checks, notChecked, refusal, permit: entry?.kind === "delivered" ? entry.permit : null }
}

async function heldFile(image: string, receipt: string): Promise<HeldFile | null> {
  const bytes = image === receipt ? null : await readFile(image).catch(() => null)
  return bytes === null
    ? null
    : { sha256: createHash("sha256").update(bytes).digest("hex"), size_bytes: bytes.length }
}

function linesOf({ file, checks, notChecked, refusal, permit }: Verified, isMany: boolean): string[] {
  if (isMany && refusal === null) return [`OK      ${file}  permit ${permit ?? "–"}, ${checks.length} checks`]
  const lines = checks.map(check => `  ${check.holds ? "OK     " : "FAILED "} ${check.name}`)
  const rest = refusal === null ? notChecked.map(what => `  NOT CHECKED  ${what}`) : [`  ${refusal}`]
  return [`${refusal === null ? "OK" : "FAILED"}  ${file}`, ...lines, ...rest]
}
