import type { Command } from "commander"
import { Fault } from "../fault.ts"
import { contextOf, globalsOf } from "./context.ts"
import { answer } from "./say.ts"
import { version } from "../version.ts"

interface Now {
  readonly origin: string
  readonly admitted: number
  readonly examined: number
  readonly unexamined: number
  readonly oldest_unexamined_at: string | null
  readonly delivered: number
  readonly refused: number
  readonly size: number
  readonly open_alerts: number
  readonly stopped: string | null
}

interface Finding {
  readonly check: string
  readonly holds: boolean
  readonly found: string
}

/** status, doctor, version, completion. */
export function statusCommands(program: Command): void {
  program
    .command("status")
    .description("what the vault holds and has let out")
    .action(async (_options: unknown, self: Command) => {
      const { client, voice } = await contextOf(self)
      const now = await client.json<Now>({ method: "GET", path: "/v1/now" })
      answer(voice, now, [
        `${now.origin}: ${now.stopped === null ? "open" : `STOPPED: ${now.stopped}`}`,
        `${now.admitted} captures sealed in, ${now.examined} examined, ${now.delivered} images delivered, ${now.refused} refusals, ${now.size} log entries`,
        ...waitingOf(now),
        now.open_alerts === 0 ? "no open alert" : `${now.open_alerts} open alerts: sallyport alert ls`,
      ])
      if (now.stopped !== null) process.exitCode = 7
    })
  program
    .command("doctor")
    .description("check this machine and a vault's folder")
    .option("--data <folder>")
    .action(async (options: { data?: string }, self: Command) => {
      const findings = [...machine(), ...(options.data === undefined ? [] : await folder(options.data))]
      answer(
        globalsOf(self),
        { object: "list", data: findings },
        findings.map(({ check, holds, found }) => `${holds ? "OK    " : "WRONG "} ${check}: ${found}`),
      )
      if (findings.some(finding => !finding.holds)) process.exitCode = 7
    })
  program.command("version").action((_options: unknown, self: Command) => {
    answer(globalsOf(self), { version, node: process.version }, [
      `sallyport ${version} on Node ${process.version}`,
    ])
  })
  program
    .command("completion")
    .description('completion for bash: eval "$(sallyport completion)"')
    .action(() => {
      const nouns = program.commands.map(command => command.name())
      const cases = program.commands
        .filter(command => command.commands.length > 0)
        .map(
          command =>
            `    ${command.name()}) words="${command.commands.map(child => child.name()).join(" ")}" ;;`,
        )
      const lines = [
        "_sallyport() {",
        "  local words",
        '  case "${COMP_WORDS[1]}" in',
        ...cases,
        `    *) words="${nouns.join(" ")}" ;;`,
        "  esac",
      ]
      process.stdout.write(
        `${[...lines, '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))', "}", "complete -o default -F _sallyport sallyport"].join("\n")}\n`,
      )
    })
}

function waitingOf({ unexamined, oldest_unexamined_at }: Now): string[] {
  if (unexamined === 0) return []
  return [`${unexamined} wait to be examined, the oldest captured ${oldest_unexamined_at ?? "now"}`]
}

function machine(): Finding[] {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
  return [{ check: "Node", holds: major > 20 || (major === 20 && minor >= 19), found: process.version }]
}

/** Opens the vault as a server would, and recomputes it; refused while a server has it open. */
async function folder(data: string): Promise<Finding[]> {
  const { openHouse } = await import("../sallyport.ts")
  try {
    const opened = await openHouse({ data })
    const { problems, size } = opened.fsck
    const { stopped } = opened.house.vault.gate
    const days = (await opened.house.ledger.identities()).filter(
      key => key.name.startsWith("day/") && key.wrapped !== null,
    )
    const last = days.at(-1)?.name.slice("day/".length) ?? "none"
    await opened.close()
    return [
      {
        check: "log and ledger agree",
        holds: problems.length === 0,
        found: problems.length === 0 ? `${size} entries` : `${problems[0]?.at}: ${problems[0]?.why}`,
      },
      { check: "the vault accepts the log", holds: stopped === null, found: stopped ?? "yes" },
      {
        check: "keys of the coming days",
        holds: last >= new Date(Date.now() + 86_400_000).toISOString().slice(0, 10),
        found: `until ${last}`,
      },
    ]
  } catch (error) {
    if (error instanceof Fault)
      return [{ check: "the vault's folder", holds: false, found: `${error.code}: ${error.message}` }]
    throw error
  }
}
