import { readFile, writeFile } from "node:fs/promises"
import { cpus } from "node:os"
import { fileURLToPath } from "node:url"
import { families, type Family } from "../src/drawing/traffic/attacks.ts"
import { drawHonest, usualTraffic } from "../src/drawing/traffic/traffic.ts"
import { formatModel, parseModel, type Model } from "../src/watch/model.ts"
import { train } from "../src/watch/train.ts"
import { costOf } from "./watch-cost.ts"
import { familiesPlot, tracePlot } from "./watch-plots.ts"
import { coursesOf } from "../src/watch/courses.ts"
import { attackRuns, honestRun, traceOf, usual, type Variant } from "./watch-runs.ts"
import { hasShared, sharedAttacks, sharedCourses, sharedHonest, sharedRun } from "./watch-shared.ts"
import { familyTable, tablesOf, type AttackGroup, type HonestGroup, type Results } from "./watch-tables.ts"

/**
 * What the watch lets through and whom it troubles, measured on drawn traffic of seeds that no model was trained on; printed as
X
 */

const isGiven = (option: string) => process.argv.includes(option)
const isQuick = isGiven("--quick")
const held = isGiven("--held") ? "held " : ""
const seeds = isQuick
  ? { attacks: 2, honest: 2, honestDays: 90, others: 1 }
  : { attacks: held === "" ? 12 : 10, honest: held === "" ? 24 : 8, honestDays: 120, others: 4 }
const decisions = isQuick ? 200_000 : 1_000_000

const say = (line: string) => process.stderr.write(`${line}\n`)
const numbered = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${held}${name} ${i + 1}`)

const shipped = parseModel(
  await readFile(fileURLToPath(new URL("../../models/watch.json", import.meta.url)), "utf8"),
)

function honestGroup(name: string, count: number, variant: Variant): HonestGroup {
  const runs = numbered("honest", count).map(seed => honestRun(seed, variant))
  say(`honest, ${name}: ${runs.length} seeds`)
  return { name, runs }
}

function attackGroup(name: string, count: number, variant: Variant): AttackGroup {
  const runs = numbered("attack", count).flatMap(seed => attackRuns(seed, variant))
  say(`attacks, ${name}: ${runs.length} runs`)
  return { name, runs }
}

/** What is asked of the watch beyond the usual, each with its honest people and its attacks. */
function variants(model: Model): { name: string; variant: Variant }[] {
  const base = usual(model)
  return [
    { name: "slips 1 %", variant: { ...base, traffic: { slips: 0.01 } } },
    { name: "slips 3 %", variant: { ...base, traffic: { slips: 0.03 } } },
    { name: "first 20 days", variant: { ...base, traffic: { days: 20 }, firstDay: 5 } },
    { name: "a new purpose", variant: { ...base, traffic: { purpose: "aerial-survey" } } },
    { name: "twice the rate", variant: { ...base, traffic: { rate: 2 } } },
    { name: "no work orders known", variant: { ...base, orders: "unknown" } },
  ]
}

/** The same, had it been allowed to learn from the other generator's honest runs too. */
async function withShared(): Promise<Model> {
  const courses = Array.from({ length: 8 }, (_, i) =>
    coursesOf(drawHonest({ seed: `train ${i + 1}`, ...usualTraffic })),
  ).flat()
  for (const name of sharedHonest) courses.push(...(await sharedCourses(name)))
  return parseModel(formatModel(train(courses, { trained_at: "2026-11-27", sources: [] }, "nobody")))
}

async function measured(): Promise<Results> {
  const cost = costOf(shipped, decisions)
  say("cost measured")
  const attacks = attackGroup("usual", seeds.attacks, usual(shipped))
  const honest = honestGroup("usual", seeds.honest, {
    ...usual(shipped),
    traffic: { days: seeds.honestDays },
  })
  const others = (held === "" ? variants(shipped) : []).map(({ name, variant }) => ({
    honest: honestGroup(name, seeds.others, variant),
    attacks: attackGroup(name, Math.min(seeds.others, 3), variant),
  }))
  const shared = []
  const isBeside = held === "" && hasShared()
  const sharedToo = isBeside ? await withShared() : null
  if (isBeside)
    for (const name of [...sharedHonest, ...sharedAttacks]) shared.push(await sharedRun(name, shipped))
  const learned =
    sharedToo === null ? null : attackGroup("shared too", Math.min(4, seeds.attacks), usual(sharedToo))
  const days = drawHonest({ seed: `${held}honest 1`, ...usualTraffic })
  const [cpu] = cpus()
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} cores (${cpu?.model ?? "unknown"}), Node ${process.versions.node}`,
    ...{ cost, attacks, honest, others, shared, learned, marginals: marginalsOf(days.requests) },
  }
}

/** Requests of each day on which a person asked for something. */
function marginalsOf(requests: readonly { readonly principal: number; readonly at_ms: number }[]): number[] {
  const days = new Map<string, number>()
  for (const { principal, at_ms } of requests) {
    const day = `${principal} ${Math.floor(at_ms / 86_400_000)}`
    days.set(day, (days.get(day) ?? 0) + 1)
  }
  return [...days.values()]
}

const docs = new URL("../../docs/", import.meta.url)
const [opening, closing] = ["<!-- measured -->", "<!-- /measured -->"]

async function writeDocs(results: Results): Promise<void> {
  const file = new URL("watch.md", docs)
  const text = await readFile(file, "utf8")
  const [before, after] = [text.indexOf(opening), text.indexOf(closing)]
  if (before < 0 || after < before) throw new Error(`docs/watch.md has no ${opening} … ${closing}`)
  await writeFile(file, `${text.slice(0, before)}${opening}\n\n${tablesOf(results)}\n\n${text.slice(after)}`)
  await writeFile(
    new URL("watch/families.svg", docs),
    familiesPlot(results.attacks.runs, families as readonly Family[]),
  )
  await writeTrace()
}

async function writeTrace(): Promise<void> {
  const base = drawHonest({ seed: "attack 1", ...usualTraffic })
  const lines = [
    { name: "honest, the busiest of its people", points: traceOf(base, usual(shipped), null) },
    { name: "slow50: fifty a day", points: traceOf(base, usual(shipped), "slow50") },
    { name: "target: one to four each third day", points: traceOf(base, usual(shipped), "target") },
  ]
  await writeFile(new URL("watch/statistic.svg", docs), tracePlot(lines))
}

const started = performance.now()
if (isGiven("--trace")) await writeTrace()
else if (isGiven("--busiest")) {
  const { runs } = attackGroup("the busiest account", seeds.attacks, {
    ...usual(shipped),
    account: "busiest",
  })
  process.stdout.write(`${familyTable({ runs, name: "busiest" }, null)}\n`)
} else {
  const results = await measured()
  process.stdout.write(`${tablesOf(results)}\n`)
  if (isGiven("--docs")) await writeDocs(results)
}
say(`${Math.round((performance.now() - started) / 1000)} s`)
