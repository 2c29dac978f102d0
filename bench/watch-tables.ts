import { families } from "../src/drawing/traffic/attacks.ts"
import type { Cost } from "./watch-cost.ts"
import type { AttackRun, HonestRun } from "./watch-runs.ts"
import type { SharedRun } from "./watch-shared.ts"

export interface HonestGroup {
  readonly name: string
  readonly runs: readonly HonestRun[]
}

export interface AttackGroup {
  readonly name: string
  readonly runs: readonly AttackRun[]
}

/** All that one run found. */
export interface Results {
  readonly date: string
  readonly machine: string
  readonly cost: Cost
  readonly attacks: AttackGroup
  readonly honest: HonestGroup
  readonly others: readonly { readonly honest: HonestGroup; readonly attacks: AttackGroup }[]
  readonly shared: readonly SharedRun[]
  /** The usual attacks under a model that learned from the other generator's honest runs too. */
  readonly learned: AttackGroup | null
  readonly marginals: readonly number[]
}

export function tablesOf(results: Results): string {
  return [
    `${results.date}, ${results.machine}.`,
    familyTable(results.attacks, results.learned),
    honestTable(results),
    variantTable(results),
    sharedTable(results),
    costTable(results.cost),
    marginalLine(results),
  ]
    .filter(part => part !== "")
    .join("\n\n")
}

function table(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`
  return [line(headings), line(headings.map(() => "---")), ...rows.map(line)].join("\n")
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? NaN
}

const leaksOf = (runs: readonly AttackRun[]) => runs.map(({ leaked }) => leaked)

const medianOf = (runs: readonly AttackRun[]) => (runs.length === 0 ? "–" : quantile(leaksOf(runs), 0.5))

export function familyTable(attacks: AttackGroup, learned: AttackGroup | null): string {
  const rows = families.map(family => {
    const runs = attacks.runs.filter(each => each.family === family)
    const leaks = leaksOf(runs)
    const hours = runs.flatMap(({ stopped_h }) => (stopped_h === null ? [] : [stopped_h]))
    const also = learned?.runs.filter(each => each.family === family) ?? []
    return [
      family,
      quantile(
        runs.map(({ tried }) => tried),
        0.5,
      ).toLocaleString("en-US"),
      quantile(leaks, 0.5),
      quantile(leaks, 0.95),
      Math.max(...leaks),
      `${runs.filter(({ suspended }) => suspended > 0).length}/${runs.length}`,
      hours.length === 0 ? "–" : quantile(hours, 0.5).toFixed(1),
      runs.filter(({ others }) => others > 0).length,
      medianOf(also),
    ]
  })
  const headings = [
    "family",
    "tried",
    "leaked, median",
    "p95",
    "most",
    "stopped",
    "hours, median",
    "organization stopped with an innocent",
    "median, another model",
  ]
  return `### Images let through before suspension, nothing denied by work orders or budgets\n\n${table(headings, rows)}`
}

/** ln P(X ≤ k) of a Poisson number by its terms. */
function poissonUpTo(count: number, mean: number): number {
  let [term, sum] = [Math.exp(-mean), 0]
  for (let k = 0; k <= count; k += 1) {
    sum += term
    term *= mean / (k + 1)
  }
  return sum
}

/** The exact central 95 % interval of a Poisson mean. Source: Garwood 1936. */
export function poissonInterval(count: number): [low: number, high: number] {
  const solved = (holds: (mean: number) => boolean) => {
    let [low, high] = [0, 10 * count + 20]
    for (let step = 0; step < 80; step += 1) {
      const mean = (low + high) / 2
      if (holds(mean)) low = mean
      else high = mean
    }
    return low
  }
  const high = solved(mean => poissonUpTo(count, mean) > 0.025)
  const low = count === 0 ? 0 : solved(mean => 1 - poissonUpTo(count - 1, mean) < 0.025)
  return [low, high]
}

function rate(count: number, vendorDays: number): string {
  const [low, high] = poissonInterval(count)
  const per = (value: number) => ((1e4 * value) / vendorDays).toFixed(2)
  return `${count} = ${per(count)} per 10,000 (${per(low)}–${per(high)})`
}

function summed({ runs }: HonestGroup) {
  const sum = (of: (run: HonestRun) => number) => runs.reduce((all, run) => all + of(run), 0)
  return {
    vendorDays: sum(run => run.vendorDays),
    stepUps: sum(run => run.stepUps),
    suspended: sum(run => run.suspended),
    requests: sum(run => run.requests),
  }
}

function honestRow(group: HonestGroup): string[] {
  const { vendorDays, requests, stepUps, suspended } = summed(group)
  return [
    group.name,
    String(group.runs.length),
    vendorDays.toLocaleString("en-US"),
    requests.toLocaleString("en-US"),
    rate(stepUps, vendorDays),
    rate(suspended, vendorDays),
  ]
}

function honestTable({ honest, others }: Results): string {
  const headings = [
    "traffic",
    "seeds",
    "vendor-days",
    "requests",
    "step-ups per vendor-days (95 %)",
    "people suspended",
  ]
  const rows = [honest, ...others.map(each => each.honest)].map(honestRow)
  return `### Honest people: exact Poisson intervals\n\n${table(headings, rows)}`
}

function variantTable({ attacks, others }: Results): string {
  if (others.length === 0) return ""
  const groups = [attacks, ...others.map(each => each.attacks)]
  const rows = families.map(family => [
    family,
    ...groups.map(group => {
      const leaks = leaksOf(group.runs.filter(each => each.family === family))
      return leaks.length === 0 ? "–" : `${quantile(leaks, 0.5)} / ${Math.max(...leaks)}`
    }),
  ])
  const headings = ["family", ...groups.map(({ name }) => name)]
  return `### What degrades: images let through, median / most\n\n${table(headings, rows)}`
}

function sharedTable({ shared }: Results): string {
  if (shared.length === 0) return ""
  const rows = shared.map(({ name, vendorDays, stepUps, suspended, leaked, caught }) => [
    name,
    vendorDays,
    stepUps,
    suspended,
    name.startsWith("honest") ? "–" : leaked,
    name.startsWith("honest") ? "–" : caught,
  ])
  const headings = [
    "log",
    "vendor-days",
    "honest step-ups",
    "honest people suspended",
    "images leaked",
    "accounts stopped",
  ]
  return `### Another generator's logs, on which nothing of the shipped model was trained\n\n${table(headings, rows)}`
}

function costTable(cost: Cost): string {
  const rows = [
    ["decision, median", `${cost.median_us.toFixed(2)} µs`],
    ["p99", `${cost.p99_us.toFixed(2)} µs`],
    ["p99.9", `${cost.p999_us.toFixed(2)} µs`],
    ["of it reading the clock", `${cost.timer_us.toFixed(2)} µs`],
    ["one person in memory, always", `${cost.person_bytes.toLocaleString("en-US")} bytes`],
    ["one person stored, median and most", `${cost.stored_bytes.median} and ${cost.stored_bytes.most} bytes`],
  ]
  return `### Cost, over ${cost.requests.toLocaleString("en-US")} requests\n\n${table(["what", "measured"], rows)}`
}

function marginalLine({ marginals, shared }: Results): string {
  const line = (values: readonly number[]) =>
    `median ${quantile(values, 0.5)}, p95 ${quantile(values, 0.95)}, p99 ${quantile(values, 0.99)}, most ${Math.max(...values)}`
  const others = shared.filter(({ name }) => name.startsWith("honest"))
  const beside = others.map(({ name, perDay }) => `${name}: ${line(perDay)}`)
  return `Requests of a person's active day, drawn: ${line(marginals)}.${beside.length === 0 ? "" : ` Another generator's: ${beside.join("; ")}.`}`
}
