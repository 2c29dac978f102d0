import type { Command } from "commander"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Fault } from "../fault.ts"
import type { Mode } from "../seal/recipient.ts"
import { globalsOf } from "./context.ts"
import { writeKeyFile } from "./keyfile.ts"
import { answer, tell, type Voice } from "./say.ts"

/** init and serve: making a vault, and opening its doors. Heavy modules are loaded when they are asked for. */
export function vaultCommands(program: Command): void {
  program
    .command("init")
    .description("make a vault: its keys, its log, its first custodian")
    .requiredOption("--data <folder>")
    .requiredOption("--origin <name>", "the log's name, such as sallyport.example/el-paso; it never changes")
    .requiredOption("--agency <name>")
    .requiredOption("--custodian <name>", "the first custodian; kept apart from the log")
    .option("--mode <mode>", "hybrid, or x25519 for sites whose age program is older than 1.3", "hybrid")
    .option(
      "--escrow <recipient>",
      "the agency's offline age recipient; without it one is made in people/escrow.key",
    )
    .option("--postgres-url-file <file>", "keep the ledger on Postgres")
    .action(async (options: InitFlags, self: Command) => init(options, globalsOf(self)))
  program
    .command("serve")
    .description("open the vault's doors: the HTTP server, the examiner of new captures")
    .requiredOption("--data <folder>")
    .option("--listen <address>", "HOST:PORT", "127.0.0.1:7300")
    .action(async (options: { data: string; listen: string }, self: Command) => {
      const { serve } = await import("./serve.ts")
      const served = await serve({ ...options, voice: globalsOf(self) })
      await served.ended
    })
}

interface InitFlags {
  readonly data: string
  readonly origin: string
  readonly agency: string
  readonly custodian: string
  readonly mode: string
  readonly escrow?: string
  readonly postgresUrlFile?: string
}

async function init(flags: InitFlags, voice: Voice): Promise<void> {
  const { initVault } = await import("../sallyport.ts")
  if (flags.mode !== "hybrid" && flags.mode !== "x25519")
    throw new Fault("INVALID", "--mode is hybrid or x25519")
  const made = await initVault({
    data: flags.data,
    origin: flags.origin,
    mode: flags.mode satisfies Mode,
    agency: flags.agency,
    custodianName: flags.custodian,
    ...(flags.escrow === undefined ? {} : { escrowRecipient: flags.escrow }),
    ...(flags.postgresUrlFile === undefined
      ? {}
      : { settings: { ledger: { postgres_url_file: flags.postgresUrlFile } } }),
  })
  const people = join(flags.data, "people")
  await mkdir(people, { recursive: true, mode: 0o700 })
  await writeKeyFile(join(people, "custodian.key"), {
    vault: flags.origin,
    id: made.person,
    notes: {},
    seed: made.custodianSeed,
  })
  if (made.escrowIdentity !== null) await writeEscrow(join(people, "escrow.key"), made.escrowIdentity)
  const { organization, person } = made
  answer(voice, { organization, person, data: flags.data }, [
    `vault ${flags.origin} made in ${flags.data}; agency ${organization}, custodian ${person}`,
  ])
  tell(voice, `the custodian's key: ${join(people, "custodian.key")}`)
  if (made.escrowIdentity !== null)
    tell(
      voice,
      `the escrow key: ${join(people, "escrow.key")}: move it offline now; it opens every examined capture`,
    )
  tell(voice, `next: sallyport serve --data ${flags.data}`)
}

/** The escrow identity as `age -i` reads it. @throws Fault CONFLICT where a file stands. */
export async function writeEscrow(file: string, identity: string): Promise<void> {
  await writeFile(file, `# Sallyport escrow identity: keep offline\n${identity}\n`, {
    mode: 0o600,
    flag: "wx",
  }).catch((cause: unknown) => {
    throw new Fault("CONFLICT", `${file} exists, or its folder does not`, { cause })
  })
}
