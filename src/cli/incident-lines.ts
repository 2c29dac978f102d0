import { clockWords } from "../incident/clock-say.ts"
import { forCounsel } from "../incident/clock-words.ts"
import type { Clock, Evaluation } from "../incident/clocks.ts"
import type { Gauge } from "../incident/gauges.ts"
import {
  boundsWords,
  causeWords,
  counted,
  countWords,
  discoveredWords,
  number,
  unitWords,
  urgentFirst,
} from "../incident/scope-words.ts"
import { units, type ScopeResult } from "../incident/scope.ts"
import type { IncidentState } from "../log/incidents.ts"
import { table } from "./say.ts"

/** An incident as lines for a terminal: what a custodian reads in the first minute. */

/** The three sets in the seven units. */
export function setLines({ left, refused, takeable }: ScopeResult): string[] {
  const rows = units.map(unit => [
    unitWords[unit],
    ...[left[unit], refused[unit], takeable[unit]].map(countWords),
  ])
  return table(["", "left", "refused, and never left", "can still be taken"], rows)
}

/** Which keys of a breakdown hold most, and how many more there are. */
function partLines(result: ScopeResult): string[] {
  const { port, lane, capture_day, release_day, level, holder } = result.left_by
  const parts = { port, lane, "day of capture": capture_day, "day of release": release_day, level, holder }
  const rows = Object.entries(parts).flatMap(([name, list]) => {
    const most = [...list].sort((a, b) => b.images - a.images).slice(0, mostParts)
    const rest = list.length - most.length
    const more = rest > 0 ? [["", `and ${number(rest)} more`, "", ""]] : []
    return [
      ...most.map((part, i) => [i === 0 ? name : "", part.key, number(part.images), number(part.files)]),
      ...more,
    ]
  })
  return rows.length === 0 ? [] : ["", ...table(["what left, by", "", "images", "files"], rows)]
}

const mostParts = 5

/** What had left by the end of the last days on which anything did. */
function dayLines({ left_series = [] }: ScopeResult): string[] {
  const rows = left_series
    .slice(-mostParts)
    .map(({ day, images, people }) => [day, boundsWords(images), boundsWords(people)])
  const earlier = left_series.length - rows.length
  const more = earlier > 0 ? [[`and ${number(earlier)} days before`, "", ""]] : []
  return rows.length === 0
    ? []
    : ["", ...table(["left by the end of", "images", "people"], [...rows, ...more])]
}

/** A result whole, with what stops more from being taken. */
export function scopeLines(result: ScopeResult, hasParts: boolean): string[] {
  const { query, checkpoint, unknowns, window_30d, engines } = result
  return [
    `released from ${query.from} until ${query.until}; up to log entry ${checkpoint.size - 1}, root ${checkpoint.root.slice(0, 16)}`,
    ...setLines(result),
    ...(hasParts ? [...partLines(result), ...dayLines(result)] : []),
    "",
    `with T1 and T2 30 days nearer to each other ${number(window_30d.narrower)} images left, 30 days further apart ${number(window_30d.wider)}`,
    `counted by ${engines.map(({ name }) => name).join(" and ")}, which agree`,
    "not known:",
    ...unknowns.filter(({ count }) => count !== 0).map(({ sentence }) => `  ${sentence}`),
    ...noneLines(unknowns.filter(({ count }) => count === 0).length),
    ...liveLines(result),
  ]
}

function noneLines(count: number): string[] {
  return count === 0
    ? []
    : [`  ${count} other things that could be unknown were looked for, and there are none (--json)`]
}

/** Under which grants more could leave now, and what stops it. */
export function liveLines({ live_grants, incident }: ScopeResult): string[] {
  if (live_grants.length === 0) return ["no live grant lets them take more"]
  return [
    `${counted(live_grants.length, "live grant lets", "live grants let")} them take more; to stop it: sallyport incident contain ${incident}`,
    ...live_grants.map(
      ({ grant, holder, images_left }) =>
        `  sallyport grant revoke ${grant}   ${counted(images_left, "image", "images")} left, held by ${holder}`,
    ),
  ]
}

/**
 * How what left stands to each number that a law names: since when it is crossed, or could be. @param which  all of them, or those of which
 * something is counted, and in one line the others.
 */
export function thresholdLines(thresholds: readonly Gauge[], which: "all" | "counted"): string[] {
  const counted = thresholds.filter(({ interval }) => interval !== null)
  const open = thresholds.filter(({ interval }) => interval === null)
  const shown = which === "all" ? [...counted, ...open] : counted
  const rows = shown.map(({ of, threshold, interval, state, crossed_on, possible_from, citations }) => [
    ...[`${number(threshold)} ${of}`, interval === null ? "not stated" : intervalWords(interval), state],
    ...[crossed_on ?? "-", possible_from ?? "-", citations.join("; ")],
  ])
  const heads = ["threshold", "counted", "state", "crossed on", "possible from", "law"]
  const hidden = open.map(({ of, threshold }) => `${number(threshold)} ${of}`)
  return [
    ...(rows.length === 0 ? [] : table(heads, rows)),
    ...(which === "all" || hidden.length === 0
      ? []
      : [`nobody has stated how it stands to ${hidden.join(", ")}`]),
    ...(thresholds.length === 0 ? [] : [`days are of release, in UTC; every line of law is ${forCounsel}`]),
  ]
}

function intervalWords({ l0, l95, u95, u0 }: NonNullable<Gauge["interval"]>): string {
  const bounds = boundsWords({ at_least: l0, at_most: u0 })
  const isNarrower = l95 > l0 || u95 < u0
  return isNarrower ? `${bounds}; ${number(Math.floor(l95))} to ${number(Math.ceil(u95))}, 95 %` : bounds
}

/** What is known, and who knew it when. */
export function knownLines(held: IncidentState): string[] {
  const { statement, status, version } = held
  const { from, until, discovered } = statement
  return [
    `${held.incident}  ${statement.title}`,
    `status     ${status.toUpperCase()}${held.reported && status !== "reported" ? "; the vendor reported it" : ""}, version ${version}, log entry ${held.stated_entry}`,
    `known by   ${causeWords(statement.cause)}`,
    `released   from ${from ?? "the log's first entry"} until ${until ?? "now: it is not known to be over"}`,
    ...discoveredWords(discovered).map((words, i) => `${i === 0 ? "discovered" : "          "} ${words}`),
    ...(held.closed === null ? [] : [`closed     ${held.closed.outcome}, log entry ${held.closed.entry}`]),
    ...(held.signed === null
      ? []
      : [
          `signed     statement ${held.signed.statement_sha256.slice(0, 16)}, log entry ${held.signed.entry}`,
        ]),
  ]
}

/** The clocks, those that are missed first, then the soonest; one line each. */
export function clockLines(evaluation: Evaluation, held: IncidentState): string[] {
  const { shown, waiting, quiet } = urgentFirst(evaluation)
  const rows = shown.map(clock => [
    ...[clock.status.state, clock.party, `${clock.pack.id}/${clock.rule.id}`],
    `${clockWords(clock)}${clock.leads ? "" : "; a stricter one leads"}`,
  ])
  return [
    ...(rows.length === 0 ? [] : table(["clock", "whose", "rule", ""], rows)),
    `${counted(waiting, "clock waits", "clocks wait")} for facts, ${quiet} are not triggered, and why: sallyport incident clocks ${held.incident} --all`,
  ]
}

/** What to do next, in the order in which it matters. */
export function nextLines(held: IncidentState, result: ScopeResult | null, evaluation: Evaluation): string[] {
  const { incident, status, version, scoped, clocks } = held
  if (status === "closed") return []
  const name = (clock: Clock) => `--clock ${clock.pack.id}/${clock.rule.id} --party ${clock.party}`
  const outstanding = evaluation.clocks.flatMap(clock => {
    const run = clock.status.state === "missed" || clock.status.state === "running" ? clock.status.run : null
    return run === null || !clock.leads
      ? []
      : run.outstanding.map(receiver => `${name(clock)} --receiver ${receiver}`)
  })
  const [first] = outstanding
  return [
    ...(result !== null && result.live_grants.length > 0 ? [`sallyport incident contain ${incident}`] : []),
    ...(scoped?.version === version ? [] : [`sallyport incident scope ${incident}`]),
    ...(clocks?.version === version ? [] : [`sallyport incident clocks ${incident} --start`]),
    ...(first === undefined
      ? []
      : [`sallyport incident ack ${incident} ${first} --reference REFERENCE --at TIME`]),
  ].map((line, i) => `${i === 0 ? "next     " : "         "}  ${line}`)
}
