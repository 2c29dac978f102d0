import { Command, CommanderError, Option } from "commander"
import { captureCommands } from "./captures.ts"
import { defaultServer } from "./context.ts"
import { demoCommands } from "./demo-command.ts"
import { drawCommand } from "./draw.ts"
import { escrowCommands } from "./escrow.ts"
import { deviceCommands } from "./device.ts"
import { glassCommands } from "./glass.ts"
import { grantCommands } from "./grants.ts"
import { laneCommands } from "./lane.ts"
import { logCommands } from "./log.ts"
import { motionCommands } from "./motions.ts"
import { receiptCommands } from "./receipt.ts"
import { registryCommands } from "./registry.ts"
import { refuse, type Voice } from "./say.ts"
import { statusCommands } from "./status.ts"
import { vaultCommands } from "./vault.ts"
import { witnessCommands } from "./witness.ts"
import { version } from "../version.ts"

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
  const program = new Command("sallyport")
    .description("Custody of plate and face images: sealed at the lane, out only through the log.")
    .version(version)
    .addOption(new Option("--server <url>", "the vault").default(defaultServer).env("SALLYPORT_SERVER"))
    .addOption(new Option("--key <file>", "your key file").env("SALLYPORT_KEY"))
    .addOption(new Option("--device <file>", "this device's key file").env("SALLYPORT_DEVICE"))
    .option("--json", "answer in JSON", false)
    .option("--quiet", "only the answer", false)
    .option("--no-input", "never ask (grant request asks on a terminal for what is missing)")
    .option("--limit <number>", "rows of a list, 1 to 200")
    .option("--since <time>", "RFC 3339")
    .option("--until <time>", "RFC 3339")
    .showHelpAfterError("(sallyport --help lists the commands)")
    .exitOverride()
  vaultCommands(program)
  demoCommands(program)
  statusCommands(program)
  registryCommands(program)
  laneCommands(program)
  captureCommands(program)
  grantCommands(program)
  motionCommands(program)
  glassCommands(program)
  deviceCommands(program)
  drawCommand(program)
  receiptCommands(program)
  logCommands(program)
  escrowCommands(program)
  witnessCommands(program)
  inherit(program)
  return program
}

/** Global options may stand anywhere on the line; errors come back as exit codes everywhere. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command)
    inherit(child)
  }
}
