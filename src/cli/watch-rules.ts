import { Option, type Command } from "commander"
import type { ShownRule } from "../custody/rules.ts"
import { contextOf } from "./context.ts"
import { answer } from "./say.ts"

const standings = ["fired", "quiet", "no data"] as const

/** watch rules: each in one sentence with its numbers, and three kinds of quiet apart. */
export function rulesCommand(watch: Command): void {
  watch
    .command("rules")
    .description("each rule in one sentence: its threshold, how often it fired in 30 days, and who is told")
    .addOption(new Option("--standing <standing>", "those alone").choices(standings))
    .action(async ({ standing }: { standing?: string }, self: Command) => {
      const { client, voice } = await contextOf(self)
      const page = await client.json<{ data: ShownRule[] }>({ method: "GET", path: "/v1/watch/rules" })
      const data = page.data.filter(each => standing === undefined || each.standing === standing)
      answer(voice, { ...page, data }, [summary(page.data), ...data.flatMap(linesOf)])
    })
}

function summary(all: readonly ShownRule[]): string {
  const count = (standing: string) => all.filter(each => each.standing === standing).length
  const muted = all.filter(({ told }) => told.some(each => each.muted.length > 0)).length
  const untold = all.filter(each => each.severity === "alarm" && each.told.length === 0).length
  return `${all.length} rules, 30 days: ${count("fired")} fired, ${count("quiet")} quiet, ${count("no data")} without data; ${muted} muted; ${untold} alarms that nobody is told of`
}

function linesOf(rule: ShownRule): string[] {
  const { standing, fired, last_at, last_entry, looked_at, told } = rule
  const last = last_at === null ? "" : `, last ${last_at}, log entry ${last_entry ?? ""}`
  const said = {
    fired: `FIRED ${fired}${last}`,
    quiet: `quiet: nothing crossed among ${looked_at.count} ${looked_at.what}`,
    "no data": `NO DATA: ${looked_at.count} ${looked_at.what}, so nothing could cross`,
  }
  const who = told.map(({ name, last_delivered_at, muted }) => {
    const until = muted.map(
      each => `, muted until ${each.until}${each.subject === null ? "" : ` for ${each.subject}`}`,
    )
    return `${name} (last reached ${last_delivered_at ?? "never"}${until.join("")})`
  })
  return [
    "",
    `${rule.rule}  ${said[standing]}`,
    `  ${rule.sentence}`,
    `  at: ${rule.threshold}`,
    `  told: ${who.length === 0 ? "nobody" : who.join(", ")}`,
  ]
}
