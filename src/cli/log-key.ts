import { readFile } from "node:fs/promises"
import { Fault } from "../fault.ts"
import { parseVkey } from "../tlog/note.ts"
import { parsePolicy } from "../tlog/policy.ts"
import type { Client } from "./client.ts"
import type { KeyFile } from "./keyfile.ts"

/**
 * The verification key of a vault's log, as the vault says it: to be pinned in a key file by a custodian, who has the key from
 * where the vault was made, and can compare.
 * @throws Fault CONFIG where the vault names no key for its own name.
 */
export async function logKeyOf(client: Client, vault: string): Promise<string> {
  const text = await client.text({ method: "GET", path: "/log/policy" })
  const [vkey] = logsIn(text, vault)
  if (vkey === undefined) throw new Fault("CONFIG", `the vault names no log key of ${vault}`)
  return vkey
}

/**
 * The log keys that an agent trusts: those of a policy file, or the one in its reader's key file.
 * @throws Fault CONFIG where there is neither: without one no admission can be proven.
 */
export async function pinnedLogs(key: KeyFile, policyFile: string | undefined): Promise<string[]> {
  const text = policyFile === undefined ? null : await readPolicy(policyFile)
  const logs = text === null ? [key.notes.log ?? ""] : logsIn(text, key.vault)
  const own = logs.filter(vkey => parseVkey(vkey)?.name === key.vault)
  if (own.length > 0) return own
  throw new Fault("CONFIG", `no key of the log ${key.vault} is known; an admission could not be proven`, {
    next: "--policy FILE, or a line `log: VKEY` in the reader's key file",
  })
}

async function readPolicy(file: string): Promise<string> {
  return readFile(file, "utf8").catch((cause: unknown) => {
    throw new Fault("CONFIG", `the policy ${file} cannot be read`, { cause })
  })
}

function logsIn(text: string, vault: string): string[] {
  const parsed = parsePolicy(text)
  if (parsed.kind === "refuse") throw new Fault("CONFIG", `the policy does not hold: ${parsed.why}`)
  return parsed.policy.logs.map(({ vkey }) => vkey).filter(vkey => parseVkey(vkey)?.name === vault)
}
