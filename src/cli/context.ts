import type { Command } from "commander"
import { Client } from "./client.ts"
import { readKeyFile } from "./keyfile.ts"
import type { Voice } from "./say.ts"

/** Options that every command takes. */
export interface Globals extends Voice {
  readonly server: string
  readonly key?: string
  readonly device?: string
  readonly limit?: string
  readonly since?: string
  readonly until?: string
  /** `false` with --no-input. */
  readonly input?: boolean
}

export interface Context {
  readonly voice: Voice
  readonly globals: Globals
  readonly client: Client
  /** Id of the key file's owner; empty without a key. */
  readonly id: string
}

export const defaultServer = "http://127.0.0.1:7300"

export function globalsOf(command: Command): Globals {
  return command.optsWithGlobals<Globals>()
}

/** The client of a command, signing with --key. Without a key only public things can be read. */
export async function contextOf(command: Command): Promise<Context> {
  const globals = globalsOf(command)
  const key = globals.key === undefined ? null : await readKeyFile(globals.key)
  const device = globals.device === undefined ? null : (await readKeyFile(globals.device)).signer
  const signs = { vault: key?.vault ?? "", signer: key?.signer ?? null, device }
  const client = new Client({ server: globals.server, ...signs })
  return { voice: globals, globals, client, id: key?.id ?? "" }
}

/** `limit`, `since` and `until` as a query; empty without them. */
export function listQuery(globals: Globals, more: Readonly<Record<string, string | undefined>> = {}): string {
  const given = { limit: globals.limit, ...more }
  const query = new URLSearchParams(
    Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== undefined),
  )
  return query.size === 0 ? "" : `?${query}`
}
