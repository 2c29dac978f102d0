import { cpus } from "node:os"
import { rateOf } from "../src/reading/score.ts"
import { run, type Case, type Outcome } from "./people-runs.ts"
import type { LookModel, MachineErrors } from "./people-incident.ts"

/**
 * Whether the interval of people holds: simulated incidents whose people are known, clustered with errors, sampled and
 * looked at by people who err. Prints a table; `--docs` writes it into docs/scope-people.md.
 */

const incidents = Number(process.env.SALLYPORT_INCIDENTS ?? 400)
const few = Math.ceil(incidents / 4)

const machines: readonly MachineErrors[] = [
  { falseBoxes: 0, split: 0.02, merge: 0.002 },
  { falseBoxes: 0, split: 0.06, merge: 0.01 },
  { falseBoxes: 0, split: 0.15, merge: 0.03 },
]
const independent: LookModel = { wrong: 0.02, hardShare: 0 }
const partlyHard: LookModel = { wrong: 0.02, hardShare: 0.25 }

function caseOf(name: string, errors: MachineErrors, more: Partial<Case> = {}): Case {
  return { name, errors, model: independent, needed: 2, sampled: 1000, ...more }
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
    isMain ? `${out.bounded} of ${out.incidents}` : "",
  ].join(" | ")} |`
}

const head = [
  "| looks | split / merge % | sampled | incidents | coverage (Wilson 95 %) | half-width | point off | clusters off | all people within | bounds hold |",
  "|---|---|---|---|---|---|---|---|---|---|",
]
const start_ms = performance.now()
const cases = machines.map(errors => ({ of: caseOf("two, 2 % wrong", errors), incidents }))
const others = machines.flatMap(errors => [
  { of: caseOf("two, 2 % wrong", errors, { sampled: 300 }), incidents: few },
  { of: caseOf("two, 2 % wrong", errors, { sampled: 100 }), incidents: few },
  {
    of: caseOf("two, 2 % wrong, false boxes in 3 % of crossings", { ...errors, falseBoxes: 0.03 }),
    incidents: few,
  },
  { of: caseOf("two, a quarter hard for all", errors, { model: partlyHard }), incidents: few },
  { of: caseOf("one, 2 % wrong", errors, { needed: 1 }), incidents: few },
])
const rows = [...cases, ...others].map(({ of, incidents }, nth) => {
  const isMain = nth < cases.length
  const row = rowOf(of, run(of, incidents, { seed: "people 1", isBounded: isMain }), isMain)
  console.log(row)
  return row
})
const table = [...head, ...rows].join("\n")
console.log(`${table}\n${((performance.now() - start_ms) / 1000).toFixed(0)} s; ${cpus()[0]?.model}`)
