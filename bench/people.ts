import { readFile, writeFile } from "node:fs/promises"
import { cpus } from "node:os"
import { rateOf } from "../src/reading/score.ts"
import { run, type Case, type Outcome } from "./people-runs.ts"
import { runVehicles } from "./vehicle-runs.ts"
import type { LookModel, MachineErrors } from "./people-incident.ts"

/**
 * Whether the interval of people holds: simulated incidents whose people are known, clustered with errors, sampled and
 * looked at by people who err; and vehicles from misread plates, beside a naive count. Prints two tables; `--docs` writes them into docs/scope-people.md.
 */

const incidents = Number(process.env.SALLYPORT_INCIDENTS ?? 700)
const few = Math.ceil(incidents / 20)
const vehicleIncidents = Math.ceil(incidents / 80)
const bounded = Math.min(incidents, 200)

const machines: readonly MachineErrors[] = [
  { falseBoxes: 0, split: 0.02, merge: 0.002 },
  { falseBoxes: 0, split: 0.06, merge: 0.01 },
  { falseBoxes: 0, split: 0.15, merge: 0.03 },
]
const independent: LookModel = { wrong: 0.02, hardShare: 0 }
const partlyHard: LookModel = { wrong: 0.02, hardShare: 0.25 }

function caseOf(name: string, errors: MachineErrors, more: Partial<Case> = {}): Case {
  return { name, errors, model: independent, needed: 2, dependence: "tested", sampled: 1000, ...more }
}

const percent = (share: number, digits = 1) => `${(100 * share).toFixed(digits)} %`

function rowOf({ name, errors, sampled }: Case, out: Outcome, isMain: boolean): string {
  const { low, high } = rateOf(out.covered, out.incidents)
  return `| ${[
    name,
    `${100 * errors.split} / ${100 * errors.merge}`,
    sampled,
    out.incidents,
    `${percent(out.covered / out.incidents)} (${percent(low, 0)} – ${percent(high, 0)}; below ${out.below}, above ${out.above})`,
    percent(out.half, 2),
    percent(out.bias, 2),
    percent(out.naive),
    `${out.coveredAll} of ${out.incidents}`,
    isMain ? `${out.bounded} of ${bounded}` : "",
  ].join(" | ")} |`
}

const head = [
  "| looks | split / merge % | sampled | incidents | coverage (Wilson 95 %) | half-width | point off | clusters off | all people within | bounds hold |",
  "|---|---|---|---|---|---|---|---|---|---|",
]
const cases = machines.map(errors => ({ of: caseOf("two, 2 % wrong", errors), incidents }))
const others = machines.flatMap(errors => [
  { of: caseOf("two, 2 % wrong", errors, { sampled: 300 }), incidents: few },
  { of: caseOf("two, 2 % wrong", errors, { sampled: 100 }), incidents: few },
  { of: caseOf("two, boxes of nobody in 3 % of crossings", { ...errors, falseBoxes: 0.03 }), incidents: few },
  {
    of: caseOf("two, a quarter of the errors in pairs hard for all", errors, { model: partlyHard }),
    incidents: few,
  },
  {
    of: caseOf("two, the same, both wrong as measured", errors, {
      model: partlyHard,
      dependence: "measured",
    }),
    incidents: few,
  },
  {
    of: caseOf("two, 2 % wrong, both wrong as measured", errors, { dependence: "measured" }),
    incidents: few,
  },
  { of: caseOf("one, 2 % wrong", errors, { needed: 1 }), incidents: few },
])
others.sort((a, b) => (a.of.name + a.of.sampled < b.of.name + b.of.sampled ? -1 : 1))
const people = [...cases, ...others].map(({ of, incidents }, nth) => {
  const isMain = nth < cases.length
  return said(rowOf(of, run(of, incidents, { seed: "people 1", bounded: isMain ? bounded : 0 }), isMain))
})

const vehicleHead = [
  "| characters misread | incidents | pairs: precision | recall | different texts off | point off | L off | U off | L ≤ truth ≤ U | bounds hold | for a clerk |",
  "|---|---|---|---|---|---|---|---|---|---|---|",
]
const vehicles = [0.005, 0.015, 0.03].map(misread => {
  const out = runVehicles({ misread, alike: 0.7, lost: misread / 5 }, vehicleIncidents, "vehicles 1")
  return said(
    `| ${[
      percent(misread),
      out.incidents,
      percent(out.precision),
      percent(out.recall),
      percent(out.naive),
      percent(out.point),
      percent(out.low),
      percent(out.high),
      `${out.between} of ${out.incidents}`,
      `${out.bounded} of ${out.incidents}`,
      Math.round(out.clerical),
    ].join(" | ")} |`,
  )
})

const { user, system } = process.cpuUsage()
const when = new Date().toISOString().slice(0, 10)
const machine = `${when}, ${cpus()[0]?.model ?? ""}, Node ${process.version}, ${((user + system) / 1e6).toFixed(0)} s of one core`
const tables = [machine, [...head, ...people].join("\n"), [...vehicleHead, ...vehicles].join("\n")].join(
  "\n\n",
)
if (process.argv.includes("--docs")) await writeDocs(tables)
else console.log(machine)

function said(row: string): string {
  console.log(row)
  return row
}

async function writeDocs(text: string): Promise<void> {
  const file = new URL("../../docs/scope-people.md", import.meta.url)
  const page = await readFile(file, "utf8")
  const [before, after] = [page.indexOf("<!-- measured -->"), page.indexOf("<!-- /measured -->")]
  if (before < 0 || after < before) throw new Error("docs/scope-people.md has no place for what was measured")
  await writeFile(file, `${page.slice(0, before)}<!-- measured -->\n\n${text}\n\n${page.slice(after)}`)
}
