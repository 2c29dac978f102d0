import { Option, type Command } from "commander"
import { version } from "../version.ts"
import { defaultServer } from "./context.ts"

/** The options that every command takes, and how the command line says no. */
export function globalOptions(program: Command): Command {
  return program
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
}

/** Global options may stand anywhere on the line; errors come back as exit codes everywhere. */
export function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command)
    inherit(child)
  }
}
