import { Option, type Command } from "commander"
import { readOwnPacks, readPacks, readPackText, shippedPacks } from "../custody/clock-packs.ts"
import { Fault } from "../fault.ts"
import { parseFacts } from "../incident/clock-facts.ts"
import { packProblems, parsePack, type Pack } from "../incident/clock-pack.ts"
import { evaluate, type Law } from "../incident/clocks.ts"
import { gaugesOf } from "../incident/gauges.ts"
import { listed, placed, type ListedPacks, type PlacedPack } from "../incident/pack-place.ts"
import type { Conflict } from "../incident/pack-set.ts"
import { evaluationLines, packLines, packRows, ruleLines } from "./clock-lines.ts"
import { contextOf, globalsOf } from "./context.ts"
import { answer, table, type Voice } from "./say.ts"
import { endOf } from "./times.ts"

interface Source {
  /** A folder in place of the packs that come along. */
  readonly packs?: string
  /** A folder beside them, as a server's `packs` names it. */
  readonly own?: string
  /** Packs beside them. */
  readonly pack?: readonly string[]
}

interface TryOptions extends Source {
  readonly facts: string
  readonly at?: string
  readonly law: Law
  readonly all?: true
}

/** clocks: packs, check, show, try. From files alone: speaks to no vault unless it is asked to. */
export function clockCommands(program: Command): void {
  const clocks = program
    .command("clocks")
    .description(
      "the law's clocks after a breach, from packs of rules; from files alone, for counsel to confirm",
    )
  withSource(clocks.command("packs").description("the packs, where each is from, and where they differ"))
    .option("--online", "those by which the server reckons")
    .action(async (options: Source & { readonly online?: true }, self: Command) => {
      if (options.online !== true) return sayPacks(globalsOf(self), listed(await placedPacks(options)))
      const { client, voice } = await contextOf(self)
      sayPacks(voice, await client.json<ListedPacks>({ method: "GET", path: "/v1/clock-packs" }))
    })
  clocks
    .command("check <file>")
    .description(
      "whether a file is a pack, with the line of each error, and whether it goes with the packs that come along",
    )
    .option("--packs <folder>", "other packs than those that come along")
    .action(async (file: string, options: Source, self: Command) => {
      process.exitCode = await check(globalsOf(self), file, options)
    })
  withSource(clocks.command("show <pack>").description("a pack, or one rule of it: PACK/RULE")).action(
    async (name: string, options: Source, self: Command) =>
      show(globalsOf(self), name, await packsOf(options)),
  )
  withSource(clocks.command("try").description("how every clock stands under facts in a file"))
    .requiredOption("--facts <file>", "what is known, as docs/formats/clock-pack.md has it")
    .option("--at <time>", "RFC 3339 with its offset; what is later has not happened yet", "now")
    .addOption(
      new Option(
        "--law <law>",
        "the rules of the day when a clock started, or the newest whenever it started",
      )
        .choices(["then", "newest"])
        .default("then"),
    )
    .option("--all", "also what is not triggered")
    .action(async (options: TryOptions, self: Command) => {
      await tryFacts(globalsOf(self), options, await packsOf(options))
    })
}

function withSource(command: Command): Command {
  return command
    .option("--packs <folder>", "other packs than those that come along")
    .option("--own <folder>", "a folder of yours beside them, as a server's `packs` names it")
    .option("--pack <file...>", "packs of yours beside them")
}

async function placedPacks({ packs, own, pack = [] }: Source): Promise<PlacedPack[]> {
  const mine = own === undefined ? [] : await readOwnPacks(own)
  for (const file of pack) mine.push({ file, pack: parsePack(await readPackText(file), file) })
  return placed(await readPacks(packs ?? shippedPacks()), mine)
}

async function packsOf(source: Source): Promise<Pack[]> {
  return (await placedPacks(source)).map(({ pack }) => pack)
}

function sayPacks(voice: Voice, { packs, conflicts }: ListedPacks): void {
  answer(voice, { packs, conflicts }, [...packRows(packs), ...conflictLines(conflicts)])
}

function conflictLines(conflicts: readonly Conflict[]): string[] {
  return conflicts.map(({ duty, rules }) => {
    const says = rules.map(({ pack, rule, duration }) => `${pack}/${rule}: ${duration}`)
    return `rules differ on ${duty}: ${says.join(", ")}; both are shown, the stricter leads`
  })
}

/** @returns the exit code: 0, or 2 where the file is no pack. */
async function check(voice: Voice, file: string, { packs }: Source): Promise<number> {
  const text = await readPackText(file)
  const problems = packProblems(text)
  if (problems.length > 0) {
    const lines = problems.map(({ line, path, problem }) => `${file}:${line}  ${path || "/"}  ${problem}`)
    answer(voice, { file, problems }, [...lines, `not a pack: ${problems.length} of its places are wrong`])
    return 2
  }
  const pack = parsePack(text, file)
  const others = (await readPacks(packs ?? shippedPacks())).filter(({ sha256 }) => sha256 !== pack.sha256)
  const together = placed(others, [{ pack, file }])
  const replaces = together.at(-1)?.replaces ?? []
  const conflicts = listed(together).conflicts.filter(({ rules }) =>
    rules.some(each => each.pack === pack.id),
  )
  const { id, version, sha256 } = pack
  answer(voice, { file, problems, pack: id, version, sha256, replaces, conflicts }, [
    `${file} holds: ${id}, version ${version}, ${pack.rules.length} rules, sha256 ${sha256}`,
    ...replaces.map(each => `it takes the place of version ${each}, which comes along`),
    ...conflictLines(conflicts),
  ])
  return 0
}

function show(voice: Voice, name: string, packs: readonly Pack[]): void {
  const [id, ruleId, ...more] = name.split("/")
  const found = packs.filter(pack => pack.id === id)
  const rules = found.flatMap(pack =>
    pack.rules.filter(rule => rule.id === ruleId).map(rule => ({ pack, rule })),
  )
  if (found.length === 0 || more.length > 0 || (ruleId !== undefined && rules.length === 0))
    throw new Fault("NOT_FOUND", `there is no ${ruleId === undefined ? "pack" : "rule"} ${name}`, {
      next: "sallyport clocks packs",
    })
  if (ruleId === undefined) answer(voice, found, found.flatMap(packLines))
  else
    answer(
      voice,
      rules.map(({ pack, rule }) => ({ pack: pack.id, version: pack.version, ...rule })),
      rules.flatMap(({ pack, rule }) => ruleLines(pack, rule)),
    )
}

async function tryFacts(voice: Voice, options: TryOptions, packs: readonly Pack[]): Promise<void> {
  const text = await readPackText(options.facts)
  const facts = parseFacts(text, options.facts)
  const now_ms = Date.parse(endOf(options.at ?? "now", Date.now()))
  const evaluation = evaluate(packs, facts, { now_ms, law: options.law })
  const gauges = gaugesOf(packs, facts)
  const heads = ["threshold", "of", "L0", "L95", "U95", "U0", "state"]
  const rows = gauges.flatMap(({ of, threshold, interval, state }) =>
    interval === null
      ? []
      : [
          [
            threshold,
            of,
            interval.l0,
            Math.round(interval.l95),
            Math.round(interval.u95),
            interval.u0,
            state,
          ],
        ],
  )
  answer(voice, { ...evaluation, gauges }, [
    ...evaluationLines(evaluation, options.all === true ? "all" : "triggered"),
    ...(rows.length === 0 ? [] : ["", ...table(heads, rows)]),
  ])
}
