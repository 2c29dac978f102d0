import type { Command } from "commander"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { Fault } from "../fault.ts"
import { parseModel, type Model } from "../watch/model.ts"
import { globalsOf } from "./context.ts"
import { watchPeopleCommands } from "./watch-people.ts"
import { muteCommands } from "./watch-mutes.ts"
import { watchModelCommands } from "./watch-models.ts"
import { replayFiles, type ReplayFlags } from "./watch-replay.ts"
import { rulesCommand } from "./watch-rules.ts"
import { trainCommand } from "./watch-train.ts"

/** The model that comes with the product, trained on drawn traffic: `npm run model:watch` makes it again. */
export const shippedModel = fileURLToPath(new URL("../../models/watch.json", import.meta.url))

/** watch: ls, show, answer, replay, train, model, backtest, mute, mutes, unmute. */
export function watchCommands(program: Command): void {
  const watch = program
    .command("watch")
    .description("the watch over what people ask for: who stands how, replay a log, learn from one")
  watchPeopleCommands(watch)
  watch
    .command("replay <file...>")
    .description(
      "run logs of requests (.jsonl, .jsonl.gz) through guard and watch; a step-up is taken to be answered",
    )
    .option("--no-hard", "the watch alone: nothing is denied by work orders and budgets")
    .option("--score", "afterwards, hold the outcome against the truth in the log")
    .option(
      "--cloudtrail",
      "the files are CloudTrail's events of an object store, where no work order is known",
    )
    .option("--model <file>", "another model than the one that comes along")
    .action(async (files: string[], flags: ReplayFlags & { readonly model?: string }, self: Command) => {
      const model = await readModel(flags.model ?? shippedModel)
      process.exitCode = await replayFiles(globalsOf(self), { files, flags, model })
    })
  trainCommand(watch)
  watchModelCommands(watch)
  muteCommands(watch)
  rulesCommand(watch)
}

/** @throws Fault WATCH_MODEL for a file that is not there, and for one that is no model. */
export async function readModel(file: string): Promise<Model> {
  let text: string
  try {
    text = await readFile(file, "utf8")
  } catch (cause) {
    throw new Fault("WATCH_MODEL", `${file} cannot be read`, { cause })
  }
  return parseModel(text)
}
