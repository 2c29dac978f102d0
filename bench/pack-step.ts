import { createWriteStream } from "node:fs"
import { readFile, readdir } from "node:fs/promises"
import { join } from "node:path"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { folderSource } from "../src/cli/source.ts"
import { start } from "../src/cli/start.ts"
import { verifyEd25519 } from "../src/ed25519.ts"
import type { ScopeResult } from "../src/incident/scope.ts"
import { readHead } from "../src/log/reading.ts"
import { archived } from "../src/pack/archive.ts"
import { packMembers } from "../src/pack/make.ts"
import { parsePolicy } from "../src/tlog/policy.ts"

/** One step of `bench/pack.ts` in a process of its own, so that its memory and processor time are its own. */

const [, , step, ...words] = process.argv
if (step === "make") await make(words as [string, string, "whole" | "none"])
else process.exitCode = await start([step ?? "", ...words])

/** As `incident pack --from` makes it, from a folder with the mirror, the policy, the result and the signed statement. */
async function make([folder, out, log]: [string, string, "whole" | "none"]): Promise<void> {
  const policy = await readFile(join(folder, "policy"), "utf8")
  const parsed = parsePolicy(policy)
  if (parsed.kind === "refuse") throw new Error(parsed.why)
  const source = folderSource(join(folder, "mirror"))
  const head = await readHead(source, parsed.policy, verifyEd25519)
  const result = JSON.parse(await readFile(join(folder, "result.json"), "utf8")) as ScopeResult
  const names = await readdir(join(folder, "statement"))
  const statement = await Promise.all(
    names.sort().map(async name => ({ name, bytes: await readFile(join(folder, "statement", name)) })),
  )
  const members = packMembers({ source, head, policy, result, statement, plan: null, log })
  await pipeline(Readable.from(archived(members)), createWriteStream(out))
}
