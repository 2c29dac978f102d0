import { confidences, forCounsel, moments, roles } from "../incident/clock-words.ts"
import type { Citation, Pack, Rule } from "../incident/clock-pack.ts"
import type { Clock, Evaluation, Status } from "../incident/clocks.ts"
import type { PackRow } from "../incident/pack-place.ts"
import { clockWords, conditionWords, durationWords, knownWords, weakestOf } from "../incident/clock-say.ts"
import { table } from "./say.ts"

/** Clock packs, and clocks, as lines for a terminal. */

export function packRows(packs: readonly PackRow[]): string[] {
  const heads = ["pack", "version", "in force", "rules", "from", "title", "sha256"]
  const rows = packs.map(
    ({ id, version, effective: { from, until }, rules, file, replaces, title, sha256 }) => [
      ...[id, version, `${from ?? "not stated"}${until === null ? "" : ` to ${until}`}`, rules.length],
      `${file ?? "comes along"}${replaces.map(each => `, in place of version ${each}`).join("")}`,
      ...[title, sha256.slice(0, 16)],
    ],
  )
  return [...table(heads, rows), `every line is ${forCounsel}`]
}

export function packLines(pack: Pack): string[] {
  const calendars = pack.calendars.map(({ id, known, citation, confidence }) => {
    const years = known === null ? "for no year" : `for ${known.from} to ${known.until}`
    return `calendar ${id}: holidays known ${years} (${citation.text}; ${confidences[confidence]})`
  })
  const without = pack.without_clock.flatMap(({ title, citation, confidence, why }) => [
    `no clock: ${title}, ${citationWords(citation)}: ${confidences[confidence]}`,
    ...sourceLines(citation),
    `    ${why}`,
  ])
  return [
    `${pack.id}, version ${pack.version}: ${pack.title}`,
    `sha256 ${pack.sha256}`,
    ...calendars,
    ...pack.rules.flatMap(rule => ["", ...ruleLines(pack, rule)]),
    ...(without.length === 0 ? [] : ["", ...without]),
  ]
}

export function ruleLines(pack: Pack, rule: Rule): string[] {
  const whose = rule.whose.roles.map(role => roles[role]).join(", or ") || "whatever it is before the law"
  const effective = rule.effective ?? pack.effective
  return [
    `${pack.id}/${rule.id}  ${rule.title}`,
    `    source     ${citationWords(rule.citation)}; ${forCounsel}`,
    ...sourceLines(rule.citation),
    `    known      ${knownWords(rule.confidence)}`,
    `    in force   ${effective.from ?? "from when is not stated"}${effective.until === null ? "" : ` to ${effective.until}`}`,
    `    whose      ${rule.whose.parties.join(", ")}: ${whose}`,
    `    trigger    ${conditionWords(rule.trigger)}`,
    `    time       ${durationWords(rule.duration)}, from ${rule.starts}: ${moments[rule.starts]}`,
    `    to         ${rule.recipients.map(({ name, confirmed_by }) => `${name}${confirmed_by === "carrier" ? " (the carrier confirms)" : ""}`).join("; ")}`,
    `    contents   ${rule.contents.join("; ") || "not in our source"}`,
    ...(rule.note === null ? [] : [`    note       ${rule.note}`]),
  ]
}

/** What was read, one a line. */
function sourceLines({ sources = [] }: Citation): string[] {
  return sources.map(
    ({ title, dated, address }) => `    read       ${title}${dated === null ? "" : `, ${dated}`}: ${address}`,
  )
}

function citationWords({ text, read }: Citation): string {
  return `${text}${read === null ? "" : `, read ${read}`}`
}

const order: readonly Status["state"][] = ["missed", "running", "possible", "waiting", "met", "not_triggered"]

/** What was met late stands with what is missed. */
function rankOf({ status }: Clock): number {
  const isLate = status.state === "met" && status.late_by_ms !== null && status.late_by_ms > 0
  return order.indexOf(isLate ? "missed" : status.state)
}

export function evaluationLines(evaluation: Evaluation, which: "all" | "triggered"): string[] {
  const shown = evaluation.clocks
    .filter(({ status }) => which === "all" || status.state !== "not_triggered")
    .sort((a, b) => rankOf(a) - rankOf(b))
  const hidden = evaluation.clocks.length - shown.length
  const law =
    evaluation.law === "newest"
      ? "the newest rules, whenever a clock started"
      : "the rules of when each clock started"
  return [
    `as of ${evaluation.at}, by ${law}; every line is ${forCounsel}`,
    ...shown.flatMap(clockLines),
    ...(hidden === 0 ? [] : [`${hidden} clocks are not triggered: --all says why`]),
    ...evaluation.unmatched.map(
      ({ rule, party, receiver }) =>
        `ends no clock: the acknowledgement of ${receiver} for ${rule} of the ${party}`,
    ),
  ]
}

function clockLines(clock: Clock): string[] {
  const { pack, rule, party, status, leads, conflict, notes } = clock
  const more = [...notes, ...(conflict === null ? [] : [conflict]), ...(leads ? [] : ["does not lead"])]
  return [
    `${status.state.padEnd(13)}  ${party.padEnd(13)}  ${pack.id}/${rule.id}  (${confidences[weakestOf(rule.confidence)]})`,
    `    ${clockWords(clock)}`,
    ...more.map(note => `    ${note}`),
  ]
}
