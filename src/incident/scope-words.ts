import { spanWords } from "./clock-say.ts"
import type { Clock, Evaluation, Status } from "./clocks.ts"
import type { Cause, Count, Unit } from "./scope.ts"

/** A scope and its clocks in a few words, the same at a terminal and at the desk. */

export const number = (value: number) => value.toLocaleString("en-US")

/** So many of them, in words. */
export function counted(count: number, one: string, many: string): string {
  return `${number(count)} ${count === 1 ? one : many}`
}

/** Exact, or both of its bounds; an estimate stands beside them. */
export function countWords({ estimate, ...count }: Count): string {
  const bounds = boundsWords(count)
  if (estimate === undefined) return bounds
  const { point, low, high } = estimate
  return `${bounds}; about ${number(Math.round(point))} (${number(Math.floor(low))} to ${number(Math.ceil(high))})`
}

export function boundsWords({ at_least, at_most }: Pick<Count, "at_least" | "at_most">): string {
  return at_least === at_most ? number(at_least) : `${number(at_least)} to ${number(at_most)}`
}

export const unitWords: Readonly<Record<Unit, string>> = {
  files: "files",
  images: "distinct images",
  merged: "near-duplicates merged",
  crossings: "crossings",
  plates: "plates",
  vehicles: "vehicles",
  people: "people",
}

/** By what an incident is known. */
export function causeWords(cause: Cause): string {
  switch (cause.of) {
    case "organizations":
      return `${cause.organizations.join(", ")}, with all under it`
    case "people":
      return cause.people.join(", ")
    case "devices":
      return `devices ${cause.devices.join(", ")}`
    case "networks":
      return `networks ${cause.networks.join(", ")}`
    case "files":
      return `found files of ${cause.traces.join(", ")}`
  }
}

/** Who discovered it when, the first first, and how much later than he the others did. */
export function discoveredWords(
  discovered: readonly { readonly party: string; readonly at: string }[],
): string[] {
  const sorted = [...discovered].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
  return sorted.map(({ party, at }) => {
    const span_ms = Date.parse(at) - Date.parse(sorted[0]?.at ?? at)
    return `${party} ${at}, ${span_ms === 0 ? "first" : `${spanWords(span_ms)} later`}`
  })
}

const order: readonly Status["state"][] = ["missed", "running", "possible", "met"]

function urgency({ status }: Clock): number {
  const due_at = "run" in status ? status.run.due_at : null
  return due_at === null ? Infinity : Date.parse(due_at)
}

/** Clocks that run, ran or may run: those that are missed first, then the soonest; and how many there are of the others. */
export function urgentFirst({ clocks }: Evaluation): {
  readonly shown: readonly Clock[]
  readonly waiting: number
  readonly quiet: number
} {
  const shown = clocks
    .filter(({ status }) => order.includes(status.state))
    .sort((a, b) => order.indexOf(a.status.state) - order.indexOf(b.status.state) || urgency(a) - urgency(b))
  const waiting = clocks.filter(({ status }) => status.state === "waiting").length
  return { shown, waiting, quiet: clocks.length - shown.length - waiting }
}
