import { localMinute, type Duration } from "./calendar.ts"
import { confidences, elements, findings, keysOf, places, roles, type Confidence } from "./clock-words.ts"
import type { Condition, Limit } from "./conditions.ts"
import type { Clock } from "./clocks.ts"
import type { Confidences } from "./clock-pack.ts"
import type { Gauge } from "./gauges.ts"

/** Sentences of a clock, the same for every door. */

/** A span of time, its two largest units: `18 d 3 h`, `1 h 30 min`, `45 s`, `0 s`. What is less than a second counts as none. */
export function spanWords(span_ms: number): string {
  const whole_s = Math.floor(span_ms / 1000)
  const parts = [
    [Math.floor(whole_s / 86_400), "d"],
    [Math.floor(whole_s / 3600) % 24, "h"],
    [Math.floor(whole_s / 60) % 60, "min"],
    [whole_s % 60, "s"],
  ] as const
  const first = parts.findIndex(([count]) => count > 0)
  if (first < 0) return "0 s"
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ")
}

/** A duration in words: `1 hour`, `5 business days`, or the law's own. */
export function durationWords(duration: Duration): string {
  const some = (count: number, what: string) =>
    `${count.toLocaleString("en-US")} ${what}${count === 1 ? "" : "s"}`
  if ("hours" in duration) return some(duration.hours, "hour")
  if ("calendar_days" in duration) return some(duration.calendar_days, "calendar day")
  return "business_days" in duration ? some(duration.business_days, "business day") : duration.unfixed
}

/** What a clock says now, in one sentence, with times by the clock of its zone. */
export function clockWords({ status, zone }: Clock): string {
  const local = (at: string) => `${localMinute(Date.parse(at), zone)} (${zone})`
  switch (status.state) {
    case "running":
      if (status.run.due_at === null || status.left_ms === null) return "runs, with no fixed time"
      return `due ${local(status.run.due_at)}: ${spanWords(status.left_ms)} left, ${status.percent} % gone`
    case "met": {
      const { early_by_ms, late_by_ms } = status
      if (early_by_ms === null || late_by_ms === null) return `met ${local(status.at)}; no time was fixed`
      const margin = late_by_ms > 0 ? `${spanWords(late_by_ms)} late` : `${spanWords(early_by_ms)} early`
      return `met ${local(status.at)}, ${margin}`
    }
    case "missed":
      return `missed by ${spanWords(status.late_by_ms)}, not confirmed by ${status.run.outstanding.join(", ")}`
    case "possible": {
      const due = status.run.due_at === null ? "with no fixed time" : `due ${local(status.run.due_at)}`
      return `${due} if the threshold is crossed: ${status.straddles.map(each => `${each.sentence} (${each.state})`).join("; ")}`
    }
    case "waiting": {
      const due =
        status.earliest_due_at === null ? "" : `; due ${local(status.earliest_due_at)} at the earliest`
      return `waits for: ${status.for.join("; ")}${due}`
    }
    case "not_triggered":
      return `not triggered, because ${status.because.join("; ")}`
  }
}

/** How a count stands to a threshold, in one sentence. */
export function thresholdWords(gauge: Omit<Gauge, "rules" | "citations">): string {
  const { of, threshold, interval, state, crossed_on, possible_from, missing } = gauge
  const n = (value: number) => value.toLocaleString("en-US")
  const against = `${n(threshold)} ${of}`
  if (interval === null) return `${against}: not known, since ${missing ?? "nobody has counted"}`
  const stands = {
    crossed: `crossed${crossed_on === null ? "" : `, first by the end of ${crossed_on}`}`,
    possible: `possibly crossed${possible_from === null ? "" : `, and not before ${possible_from}`}`,
    unlikely: `unlikely to be crossed${possible_from === null ? "" : `, and not before ${possible_from}`}`,
    not: "not crossed",
    unknown: "not known",
  }[state]
  const { l0, l95, u95, u0 } = interval
  const likely = l95 > l0 || u95 < u0 ? `, likely ${n(Math.floor(l95))} to ${n(Math.ceil(u95))}` : ""
  return `${against}: ${stands} (at least ${n(l0)} and at most ${n(u0)}${likely})`
}

/** A trigger in words, for whoever reads a pack. */
export function conditionWords(condition: Condition): string {
  const several = (all: readonly Condition[], word: string) =>
    all
      .map(each => ("all" in each || "any" in each ? `(${conditionWords(each)})` : conditionWords(each)))
      .join(` ${word} `)
  const limit = (limit: Limit) =>
    "at_least" in limit
      ? `${limit.at_least.toLocaleString("en-US")} or more`
      : `more than ${limit.over.toLocaleString("en-US")}`
  if ("all" in condition) return several(condition.all, "and")
  if ("any" in condition) return several(condition.any, "or")
  if ("not" in condition) return `not (${conditionWords(condition.not)})`
  if ("always" in condition) return "always"
  if ("element" in condition) return elements[condition.element]
  if ("finding" in condition) return findings[condition.finding]
  if ("role" in condition) return `the party is ${roles[condition.role]}`
  if ("encryption" in condition) return "the data were encrypted and the key is safe"
  if ("count" in condition) return `${limit(condition)} ${condition.count}`
  return `${limit(condition)} residents of ${places[condition.residents]}`
}

/** What is known how well: `read in a source: duty, duration; …`, the best first. */
export function knownWords(known: Confidences): string {
  const parts = keysOf(known)
  return keysOf(confidences)
    .map(each => [confidences[each], parts.filter(part => known[part] === each)] as const)
    .filter(([, these]) => these.length > 0)
    .map(([words, these]) => `${these.join(", ")} ${words}`)
    .join("; ")
}

/** The weakest of what a rule is known by. */
export function weakestOf(known: Confidences): Confidence {
  const ranks = keysOf(confidences)
  return Object.values<Confidence>({ ...known }).reduce((a, b) =>
    ranks.indexOf(b) > ranks.indexOf(a) ? b : a,
  )
}
