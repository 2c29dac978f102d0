import { Fault } from "../fault.ts"
import { durationWords } from "./clock-say.ts"
import type { Duration } from "./calendar.ts"
import type { Effective, Pack, Rule } from "./clock-pack.ts"
import type { Clock, Law } from "./clocks.ts"

/** Packs beside each other: versions of one pack, and rules of one duty. */

/** All versions of one pack, the earliest first. */
export interface Versions {
  readonly packs: readonly Pack[]
  readonly ruleIds: readonly string[]
}

/**
 * Packs by their ids; of each the newest version alone where that law is asked for.
 * @throws Fault CLOCK_PACK where one version stands twice, or two versions of one pack are in force on one day.
 */
export function checkTogether(packs: readonly Pack[], law: Law = "then"): Versions[] {
  const ids = [...new Set(packs.map(({ id }) => id))]
  return ids.map(id => {
    const versions = packs
      .filter(pack => pack.id === id)
      .sort((a, b) => order(a.effective.from).localeCompare(order(b.effective.from)) || a.version - b.version)
    versions.forEach((pack, i) => {
      const before = versions[i - 1]
      if (before === undefined || endOf(before.effective) <= order(pack.effective.from)) return
      throw new Fault(
        "CLOCK_PACK",
        `versions ${before.version} and ${pack.version} of ${id} are both in force on ${pack.effective.from ?? "the first days"}`,
        { next: "give the earlier one an end (effective.until), or leave it out" },
      )
    })
    const counted = law === "then" ? versions : versions.slice(-1)
    return {
      packs: counted,
      ruleIds: [...new Set(counted.flatMap(pack => pack.rules.map(rule => rule.id)))],
    }
  })
}

const order = (from: string | null) => from ?? "0000-00-00"
const endOf = ({ until }: Effective) => until ?? "9999-99-99"

/** @returns why a rule does not hold on a day, or `null`. */
export function notInForce(pack: Pack, rule: Rule, day: string): string | null {
  for (const { from, until } of [pack.effective, rule.effective ?? pack.effective]) {
    if (from !== null && day < from) return `in force from ${from} on, and not on ${day}`
    if (until !== null && day >= until) return `in force until ${until}, and not on ${day}`
  }
  return null
}

/** The rule of the version that is in force, or of the latest version that has it. */
export function ruleOn(
  { packs }: Versions,
  id: string,
  dayOf: (rule: Rule) => string,
): { readonly pack: Pack; readonly rule: Rule } {
  const having = packs.flatMap(pack =>
    pack.rules.filter(rule => rule.id === id).map(rule => ({ pack, rule })),
  )
  const inForce = having.find(({ pack, rule }) => notInForce(pack, rule, dayOf(rule)) === null)
  const found = inForce ?? having.at(-1)
  if (found === undefined) throw new Error(`assertion: a version has the rule ${id}`)
  return found
}

/** Says of each clock whether it leads among those of its duty, and where they differ. What is not triggered differs from nothing. */
export function leadersOf(clocks: readonly Clock[]): Clock[] {
  const mates = new Map<string, Clock[]>()
  for (const clock of clocks)
    for (const key of clock.status.state === "not_triggered" ? [] : keysOf(clock)) {
      const held = mates.get(key)
      if (held === undefined) mates.set(key, [clock])
      else held.push(clock)
    }
  return clocks.map(clock => {
    const all = new Set(keysOf(clock).flatMap(key => mates.get(key) ?? []))
    return all.has(clock) && all.size > 1 ? besides(clock, [...all]) : clock
  })
}

/** Rules are of one duty by its name, or because they have one id. */
function keysOf({ party, rule }: Clock): string[] {
  return [`${party} duty ${rule.duty}`, `${party} rule ${rule.id}`]
}

/** @param all  of its duty, itself among them, in the order of packs and rules: of two due at once the first leads. */
function besides(clock: Clock, all: readonly Clock[]): Clock {
  const [first = clock] = [...all].sort((a, b) => strictnessOf(a) - strictnessOf(b))
  const says = ({ pack, rule }: Clock) => `${pack.id}/${rule.id} says ${durationWords(rule.duration)}`
  const differing = all.filter(
    mate => durationWords(mate.rule.duration) !== durationWords(clock.rule.duration),
  )
  const conflict =
    differing.length === 0
      ? null
      : `rules of one duty differ: ${[clock, ...differing].map(says).join(", ")}; the stricter leads, ${first.pack.id}/${first.rule.id}`
  return { ...clock, leads: first === clock, conflict }
}

/** By when it is due; what is due at no fixed time comes last. */
function strictnessOf({ status, rule }: Clock): number {
  if (status.state === "not_triggered") return Infinity
  const due_at = status.state === "waiting" ? status.earliest_due_at : status.run.due_at
  return due_at === null ? 1e15 + nominal_h(rule.duration) : Date.parse(due_at)
}

function nominal_h(duration: Duration): number {
  if ("hours" in duration) return duration.hours
  if ("calendar_days" in duration) return duration.calendar_days * 24
  return "business_days" in duration ? duration.business_days * 24 : 1e9
}

/** Two rules of one duty that give different times, whoever's clocks they are. */
export interface Conflict {
  readonly duty: string
  readonly rules: readonly { readonly pack: string; readonly rule: string; readonly duration: string }[]
}

/** Which duties different packs time differently, whatever the facts: for whoever puts packs together. */
export function conflictsOf(packs: readonly Pack[]): Conflict[] {
  const all = packs.flatMap(pack => pack.rules.map(rule => ({ pack, rule })))
  const duties = [...new Set(all.map(({ rule }) => rule.duty))]
  return duties.flatMap(duty => {
    const ids = new Set(all.filter(({ rule }) => rule.duty === duty).map(({ rule }) => rule.id))
    const rules = all
      .filter(({ rule }) => rule.duty === duty || ids.has(rule.id))
      .map(({ pack, rule }) => ({ pack: pack.id, rule: rule.id, duration: durationWords(rule.duration) }))
    const differ =
      new Set(rules.map(each => each.duration)).size > 1 && new Set(rules.map(({ pack }) => pack)).size > 1
    return differ ? [{ duty, rules }] : []
  })
}
