import type { Command } from "commander"
import { writeFile } from "node:fs/promises"
import { Fault } from "../fault.ts"
import { globalsOf } from "./context.ts"
import { answer } from "./say.ts"

/**
 * What an agency does with its data folder and its offline escrow key should Sallyport be gone. Nothing here opens
 * anything: the escrow file opens with the escrow identity, the capture with the key in it, both by the `age` command.
 */
export function escrowCommands(program: Command): void {
  const escrow = program
    .command("escrow")
    .description("on a stopped vault's folder: what the age command opens without Sallyport")
  escrow
    .command("key <name>")
    .description("write an epoch key, sealed to the escrow recipient, as an age file")
    .requiredOption("--data <folder>")
    .requiredOption("--out <file>")
    .action(async (name: string, options: { data: string; out: string }, self: Command) => {
      const row = await withLedger(options.data, ledger => ledger.identity(name))
      if (row?.escrow == null)
        throw new Fault("NOT_FOUND", `there is no key ${name} in escrow, or it was purged`)
      await writeFile(options.out, row.escrow, { flag: "wx", mode: 0o600 })
      answer(globalsOf(self), { name, file: options.out }, [
        `${options.out}: age -d -i escrow.key ${options.out} > epoch.key`,
      ])
    })
  escrow
    .command("capture <id>")
    .description("write a capture's header and body, joined, as an age file")
    .requiredOption("--data <folder>")
    .requiredOption("--out <file>")
    .action(async (id: string, options: { data: string; out: string }, self: Command) => {
      const { joinAgeFile } = await import("../seal/header.ts")
      const { openObjects } = await import("../sallyport.ts")
      const { readConfig } = await import("../config.ts")
      const { bodyName } = await import("../vault/vault.ts")
      const row = await withLedger(options.data, ledger => ledger.capture(id))
      const body = await (await openObjects(options.data, await readConfig(options.data))).get(bodyName(id))
      if (row === null || body === null)
        throw new Fault("NOT_FOUND", `there is no capture ${id} in ${options.data}`)
      await writeFile(options.out, joinAgeFile(row.ageHeader, body), { flag: "wx", mode: 0o600 })
      const lines = [
        `${options.out}: sealed to ${row.sealedTo}: age -d -i epoch.key ${options.out} > picture`,
      ]
      answer(globalsOf(self), { capture: id, file: options.out, sealed_to: row.sealedTo }, lines)
    })
}

async function withLedger<T>(
  data: string,
  read: (ledger: Awaited<ReturnType<typeof open>>) => Promise<T>,
): Promise<T> {
  const ledger = await open(data)
  try {
    return await read(ledger)
  } finally {
    await ledger.close()
  }
}

async function open(data: string) {
  const { openLedger } = await import("../sallyport.ts")
  const { readConfig } = await import("../config.ts")
  return openLedger(data, await readConfig(data))
}
