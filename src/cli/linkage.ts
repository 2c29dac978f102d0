import type { Command } from "commander"
import { mkdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import type { EstimateMade, LinkageShown } from "../custody/adjudication.ts"
import type { LinkageOpening } from "../custody/linkage.ts"
import { Fault } from "../fault.ts"
import type { Findings } from "../incident/answers.ts"
import { number } from "../incident/scope-words.ts"
import { linkageLimits } from "../log/linkage-kinds.ts"
import { adjudicate, answersIn, type Asking, type Showing } from "./adjudicate.ts"
import { openJournal } from "./answer-journal.ts"
import type { Client } from "./client.ts"
import { contextOf, type Context } from "./context.ts"
import { incidentAt, linkageAt, pathOf } from "./incident-asking.ts"
import { answer, progress, tell } from "./say.ts"
import { Shelf } from "./shelf.ts"
import { silhouetteLines } from "./silhouettes.ts"

/** incident link, linkage, adjudicate, estimate: how many people and vehicles are in what left. */
export function linkageCommands(incident: Command): void {
  incident
    .command("link <id>")
    .description("group the faces and plates of what left, in memory, and draw pairs for people to look at")
    .option("--sample <faces>", "how many faces people look at", "1000")
    .option("--no-wait", "do not wait until the machine is done")
    .action(async (id: string, options: { sample: string; wait: boolean }, self: Command) => {
      await link(await contextOf(self), id, options)
    })
  incident
    .command("linkage <id>")
    .description("how far machine and people are, and what is known by now")
    .action(async (id: string, _options: unknown, self: Command) => {
      const { client, voice } = await contextOf(self)
      const shown = await newestLinkage(client, id)
      answer(voice, shown, linkageLines(shown))
    })
  incident
    .command("adjudicate <id>")
    .description("are these two the same person? one key a pair; silhouettes first")
    .option("--case <case>", "under which you may look at pictures; each look is logged and charged")
    .option("--level <level>", "L1 to L4; of faces L3", "L3")
    .option("--out <folder>", "for pictures, which go when you quit, and answers that wait", "adjudication")
    .option("--answers <file>", "JSON lines or CSV of pair and answer, in place of asking")
    .action(async (id: string, options: AdjudicateOptions, self: Command) => {
      await sit(await contextOf(self), id, options)
    })
  incident
    .command("estimate <id>")
    .description("from the answers so far: how many people, with an interval of 95 %")
    .option(
      "--dependence <how>",
      "tested or measured: two people's errors (docs/scope-people.md)",
      "measured",
    )
    .action(async (id: string, options: { dependence: string }, self: Command) => {
      await estimate(await contextOf(self), id, options)
    })
}

/** @throws Fault NOT_FOUND before one was opened. */
async function newestLinkage(client: Client, id: string): Promise<LinkageShown> {
  const shown = await linkageAt(client, await incidentAt(client, id))
  if (shown !== null) return shown
  throw new Fault("NOT_FOUND", "no linkage of what left was opened yet", {
    next: `sallyport incident link ${id}`,
  })
}

async function link(
  context: Context,
  id: string,
  options: { readonly sample: string; readonly wait: boolean },
): Promise<void> {
  const { client, voice } = context
  if (!/^[1-9]\d{0,5}$/.test(options.sample)) throw new Fault("INVALID", "--sample is a whole number from 1")
  const sample = Number(options.sample)
  const held = await incidentAt(client, id)
  const done = await client.json<LinkageOpening>({
    ...{ method: "POST", path: pathOf(id, "linkages"), statement: { version: held.version, sample } },
  })
  tell(voice, `${done.linkage}  opened, log entry ${done.entry}: ${number(done.images)} images`)
  if (!options.wait) return answer(voice, done, [`sallyport incident linkage ${id} says how far it is`])
  const shown = await untilPlanned(context, id)
  answer(voice, shown, linkageLines(shown))
}

const poll_ms = 500

async function untilPlanned({ client, voice }: Context, id: string): Promise<LinkageShown> {
  for (;;) {
    const shown = await newestLinkage(client, id)
    if (shown.planned !== null) return shown
    const { progress: at } = shown
    if (at === null || at.phase === "failed")
      throw new Fault("CONFLICT", `the run ended without a plan: ${at?.why ?? "the server was restarted"}`, {
        next: `sallyport incident link ${id}: a new run`,
      })
    progress(voice, at.done, at.of, at.phase === "planning" ? "grouping" : "opening")
    await new Promise(resolve => setTimeout(resolve, poll_ms))
  }
}

/** What is known of a linkage, as lines. */
export function linkageLines({ planned, findings, ...of }: LinkageShown): string[] {
  const head = `${of.linkage}  of ${number(of.images)} images, opened ${of.opened_at}`
  if (planned === null) {
    const { progress: at } = of
    const how = at === null ? "this server does not run it" : `${at.phase}, ${at.done} of ${at.of}`
    return [head, `    no plan yet: ${how}${at?.why == null ? "" : `: ${at.why}`}`]
  }
  const { faces, clusters, unclustered, undetermined, gone, unreadable, vehicles } = planned
  const left = [
    ...(unclustered > 0 ? [`${number(unclustered)} faces were not compared (too small, or gone)`] : []),
    ...(undetermined > 0 ? [`in ${number(undetermined)} images nothing looked for faces`] : []),
    ...(gone > 0 ? [`${number(gone)} images open no more`] : []),
    ...(unreadable > 0 ? [`${number(unreadable)} do not decode`] : []),
  ]
  return [
    head,
    `    ${number(faces)} faces, which the machine groups into ${number(clusters)}; that is not the number of people`,
    ...left.map(line => `    ${line}`),
    ...(vehicles === null ? [] : [vehicleLine(vehicles)]),
    ...(planned.searched.of === 0 ? [] : [searchLine(planned.searched)]),
    ...(findings === null ? [] : findingLines(findings, planned.pairs)),
    ...estimateLines(of.estimated),
  ]
}

function vehicleLine(of: NonNullable<NonNullable<LinkageShown["planned"]>["vehicles"]>): string {
  return `    vehicles, by ${number(of.texts)} texts in ${number(of.reads)} reads: likely about ${number(of.point)} (${number(of.low)} to ${number(of.high)}, no interval of 95 %)`
}

function searchLine({ found, of }: NonNullable<LinkageShown["planned"]>["searched"]): string {
  return `    of ${number(of)} pairs known to be one person's the search for likenesses found ${number(found)}; a face that it finds nowhere counts as somebody more`
}

function findingLines(
  { sampled, controls, agreement, open, unresolved }: NonNullable<LinkageShown["findings"]>,
  pairs: number,
): string[] {
  return [
    `    ${number(sampled)} sampled faces are done; ${number(open)} of ${number(pairs)} pairs wait for an answer`,
    ...(unresolved > 0
      ? [`    ${number(unresolved)} of them are in groups that are too large and too mixed to be shown whole`]
      : []),
    ...(controls === null || agreement === null
      ? ["    how known pairs were answered is told once no pair waits, or an interval is in the log"]
      : controlLines({ controls, agreement })),
  ]
}

function controlLines({ controls, agreement }: Pick<Findings, "controls" | "agreement">): string[] {
  const wrong = ({ wrong: count, looks }: typeof controls.foils) => `${number(count)} of ${number(looks)}`
  return [
    `    wrong looks at pairs of known truth: ${wrong(controls.duplicates)} of one person, ${wrong(controls.foils)} of two`,
    agreement.pairs === 0
      ? "    two people have not yet answered the same known pairs"
      : `    two people agreed on ${number(agreement.agreed)} of ${number(agreement.pairs)} known pairs${agreement.kappa === null ? "" : `: kappa ${agreement.kappa.toFixed(2)}`}`,
  ]
}

function estimateLines(of: LinkageShown["estimated"]): string[] {
  if (of === null) return ["    no estimate yet"]
  if (of.interval === null)
    return [
      `    estimate of log entry ${of.entry}: none, as sampled faces or known pairs are too few, too many looks were wrong, or the machine told too few apart`,
    ]
  const { point, low, high } = of.interval
  return [
    `    people among the faces that were compared: about ${number(point)}, ${number(low)} to ${number(high)} (95 %), log entry ${of.entry}`,
  ]
}

interface AdjudicateOptions {
  readonly case?: string
  readonly level: string
  readonly out: string
  readonly answers?: string
}

async function sit(context: Context, id: string, options: AdjudicateOptions): Promise<void> {
  const { client, voice } = context
  const { linkage, planned } = await newestLinkage(client, id)
  const path = `/v1/linkages/${encodeURIComponent(linkage)}`
  const asking: Asking = {
    next: () => client.json({ method: "GET", path: `${path}/pairs` }),
    take: said => client.json({ method: "POST", path: `${path}/answers`, statement: { answers: [...said] } }),
  }
  if (options.answers !== undefined) {
    if (planned === null)
      throw new Fault("CONFLICT", "the machine has not planned the linkage yet; nothing was taken", {
        next: `sallyport incident linkage ${id}`,
      })
    const said = answersIn(await textIn(options.answers), planned.pairs)
    for (let at = 0; at < said.length; at += linkageLimits.answers)
      await asking.take(said.slice(at, at + linkageLimits.answers))
    return answer(voice, { linkage, answers: said.length }, [`${number(said.length)} answers taken`])
  }
  await mkdir(options.out, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new Fault("CONFIG", `${options.out} is no folder, and none can be made; nothing was asked`, {
      cause,
    })
  })
  const journal = await openJournal(join(options.out, `${linkage}.jsonl`), { linkage, by: context.id })
  const shelf = new Shelf(context, { ...options, linkage })
  const showing: Showing = { silhouettes: silhouetteLines, pictures: pair => shelf.show(pair) }
  try {
    const terminal = { input: process.stdin, output: process.stderr }
    const given = await adjudicate({ asking, journal, showing }, terminal)
    answer(voice, { linkage, answers: given }, [`${number(given)} answers taken`])
  } finally {
    shelf.close()
    await journal.close()
  }
}

function textIn(file: string): Promise<string> {
  return readFile(file, "utf8").catch((cause: unknown) => {
    throw new Fault("CONFIG", `${file} cannot be read; nothing was taken`, { cause })
  })
}

async function estimate(
  { client, voice }: Context,
  id: string,
  { dependence }: { readonly dependence: string },
): Promise<void> {
  const { linkage, answered } = await newestLinkage(client, id)
  const path = `/v1/linkages/${encodeURIComponent(linkage)}/estimates`
  const done = await client.json<EstimateMade>({
    ...{ method: "POST", path, statement: { answered, dependence } },
  })
  const shown = await newestLinkage(client, id)
  answer(voice, done, linkageLines(shown))
  if (done.interval === null) return
  tell(voice, `a statement that is written from here on states it: sallyport incident statement ${id} --help`)
}
