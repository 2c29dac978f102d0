import { Command, CommanderError } from "commander"
import { agentCommands } from "./agent.ts"
import { globalOptions, inherit } from "./global-options.ts"
import { refuse, type Voice } from "./say.ts"

const agentVerbs = ["watch", "serve", "health"]

/**
 * Where the program starts. A lane's computer is small: the agent's commands load nothing of what a vault or a desk needs,
 * which is most of the program's memory.
 * @returns the exit code (src/fault.ts has the list).
 */
export async function start(argv: readonly string[]): Promise<number> {
  const isAgent = argv.some((word, i) => word === "lane" && agentVerbs.includes(argv[i + 1] ?? ""))
  if (!isAgent) return (await import("./main.ts")).main(argv)
  const voice: Voice = { json: argv.includes("--json"), quiet: argv.includes("--quiet") }
  const program = globalOptions(new Command("sallyport"))
  agentCommands(program.command("lane"))
  inherit(program)
  try {
    await program.parseAsync([...argv], { from: "user" })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    return refuse(voice, error)
  }
}
