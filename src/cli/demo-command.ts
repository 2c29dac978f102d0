import type { Command } from "commander"
import { Fault } from "../fault.ts"
import { globalsOf } from "./context.ts"

/** demo: a real vault on the embedded stores, with a drawn port of entry. */
export function demoCommands(program: Command): void {
  program
    .command("demo")
    .description("a real vault with a drawn port: captures flow in, one draw is granted, others are refused")
    .option("--pace <pace>", "story, fast, or none: set up and serve", "story")
    .option("--captures <folder>", "take real photographs instead of drawn ones")
    .option("--data <folder>", "the vault's folder; kept, and opened again the next time", "data/demo")
    .option("--listen <address>", "HOST:PORT", "127.0.0.1:7300")
    .action(
      async (options: { pace: string; captures?: string; data: string; listen: string }, self: Command) => {
        const { pace } = options
        if (pace !== "story" && pace !== "fast" && pace !== "none")
          throw new Fault("INVALID", "--pace is story, fast or none")
        const { demo } = await import("./demo.ts")
        await demo({ ...options, pace, voice: globalsOf(self) })
      },
    )
}
