import { Command, CommanderError } from "commander"
import { accountingCommand } from "./accounting.ts"
import { alertCommands } from "./alerts.ts"
import { canaryCommands } from "./canaries.ts"
import { captureCommands } from "./captures.ts"
import { clockCommands } from "./clocks.ts"
import { demoCommands } from "./demo-command.ts"
import { drawCommand } from "./draw.ts"
import { traceCommand } from "./trace.ts"
import { escrowCommands } from "./escrow.ts"
import { deviceCommands } from "./device.ts"
import { glassCommands } from "./glass.ts"
import { globalOptions, inherit } from "./global-options.ts"
import { grantCommands } from "./grants.ts"
import { incidentCommands } from "./incidents.ts"
import { laneCommands } from "./lane.ts"
import { logCommands } from "./log.ts"
import { motionCommands } from "./motions.ts"
import { outboxCommands } from "./outbox.ts"
import { receiptCommands } from "./receipt.ts"
import { registryCommands } from "./registry.ts"
import { reportCommands } from "./report.ts"
import { refuse, type Voice } from "./say.ts"
import { statusCommands } from "./status.ts"
import { vaultCommands } from "./vault.ts"
import { watchCommands } from "./watch.ts"
import { witnessCommands } from "./witness.ts"

/** The whole command line. @returns the exit code (src/fault.ts has the list). */
export async function main(argv: readonly string[]): Promise<number> {
  const voice: Voice = { json: argv.includes("--json"), quiet: argv.includes("--quiet") }
  process.on("SIGINT", () => {
    if (process.listenerCount("SIGINT") === 1) process.exit(130)
  })
  try {
    await programOf().parseAsync([...argv], { from: "user" })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    return refuse(voice, error)
  }
}

/** The commands with the options that all of them take. */
export function programOf(): Command {
  const program = globalOptions(new Command("sallyport"))
  vaultCommands(program)
  demoCommands(program)
  statusCommands(program)
  registryCommands(program)
  laneCommands(program)
  captureCommands(program)
  accountingCommand(program)
  alertCommands(program)
  outboxCommands(program)
  grantCommands(program)
  motionCommands(program)
  glassCommands(program)
  deviceCommands(program)
  drawCommand(program)
  traceCommand(program)
  incidentCommands(program)
  receiptCommands(program)
  reportCommands(program)
  watchCommands(program)
  canaryCommands(program)
  clockCommands(program)
  logCommands(program)
  escrowCommands(program)
  witnessCommands(program)
  inherit(program)
  return program
}
