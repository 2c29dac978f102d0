import { dueOf, localDate, type Counting } from "./calendar.ts"
import type { Acknowledgement, ClockFacts } from "./clock-facts.ts"
import type { Pack, Recipient, Rule } from "./clock-pack.ts"
import { forCounsel, keysOf, moments, type Moment, type Party } from "./clock-words.ts"
import { judge, type Condition, type Straddle } from "./conditions.ts"
import { checkTogether, leadersOf, notInForce, ruleOn, type Versions } from "./pack-set.ts"

/** Which rules are applied: those in force on the day on which a clock started, or the newest of each pack, whenever it started. */
export type Law = "then" | "newest"

export interface EvaluateOptions {
  /** The moment of the evaluation: what is later has not happened yet. */
  readonly now_ms: number
  readonly law: Law
}

/** A clock that has a start. Times are RFC 3339 UTC. */
export interface Run {
  readonly started_at: string
  /** `null` where the law fixes no time. */
  readonly due_at: string | null
  /** At 50, 80 and 100 % of the time; empty where no time is fixed. */
  readonly reminders: readonly { readonly percent: 50 | 80 | 100; readonly at: string }[]
  /** Ids of recipients who have confirmed, each with the first time, and of those who have not. */
  readonly confirmed: readonly { readonly receiver: string; readonly at: string }[]
  readonly outstanding: readonly string[]
}

export type Status =
  /** `percent` is whole, rounded down; it and `left_ms` are `null` where no time is fixed. */
  | {
      readonly state: "running"
      readonly run: Run
      readonly percent: number | null
      readonly left_ms: number | null
    }
  /** Every recipient has confirmed, the last of them at `at`. One of both is 0; `null` where no time is fixed. */
  | {
      readonly state: "met"
      readonly run: Run
      readonly at: string
      readonly early_by_ms: number | null
      readonly late_by_ms: number | null
    }
  /** Overdue, and not every recipient has confirmed. */
  | { readonly state: "missed"; readonly run: Run; readonly late_by_ms: number }
  /** A count's bounds lie on both sides of the threshold; `run` is the clock if it is crossed. */
  | { readonly state: "possible"; readonly run: Run; readonly straddles: readonly Straddle[] }
  /** A fact is missing. `earliest_due_at`: were it triggered, and started at once where the start is what the party has yet to judge. */
  | {
      readonly state: "waiting"
      readonly for: readonly string[]
      readonly straddles: readonly Straddle[]
      readonly earliest_due_at: string | null
    }
  | { readonly state: "not_triggered"; readonly because: readonly string[] }

export interface Clock {
  readonly pack: { readonly id: string; readonly version: number; readonly sha256: string }
  readonly rule: Rule
  readonly party: Party
  /** By whose clock days are counted and times are shown. */
  readonly zone: string
  readonly status: Status
  /** `false` where a stricter rule of the same duty runs for the party. */
  readonly leads: boolean
  /** Where rules of one duty differ: which, and what leads. */
  readonly conflict: string | null
  /** What a reader must know of how it was reckoned. */
  readonly notes: readonly string[]
  readonly counsel: typeof forCounsel
}

export interface Evaluation {
  /** RFC 3339 UTC. */
  readonly at: string
  readonly law: Law
  /** One for each rule and each of its parties, in the order of packs and rules. */
  readonly clocks: readonly Clock[]
  /** Acknowledgements that end no clock: no such rule, party or recipient. */
  readonly unmatched: readonly Acknowledgement[]
}

/**
 * How the clocks of all rules stand for all parties. Several versions of a pack may be given; the one in force counts.
 * @throws Fault CLOCK_PACK where two versions of one pack are in force on one day.
 */
export function evaluate(
  packs: readonly Pack[],
  facts: ClockFacts,
  { now_ms, law }: EvaluateOptions,
): Evaluation {
  const known = asOf(facts, now_ms)
  const clocks = checkTogether(packs, law).flatMap(versions =>
    versions.ruleIds.flatMap(id =>
      partiesOf(versions, id).map(party => clockOf({ versions, id, party, facts: known, now_ms, law })),
    ),
  )
  return {
    at: iso(now_ms),
    law,
    clocks: leadersOf(clocks),
    unmatched: facts.acknowledgements.filter(each => !clocks.some(clock => ends(each, clock))),
  }
}

function ends(each: Acknowledgement, { pack, rule, party }: Pick<Clock, "pack" | "rule" | "party">): boolean {
  return (
    each.rule === rule.id &&
    each.party === party &&
    (each.pack === null || each.pack === pack.id) &&
    rule.recipients.some(({ id }) => id === each.receiver)
  )
}

/** What had happened by a moment. */
function asOf(facts: ClockFacts, now_ms: number): ClockFacts {
  const isPast = (at: string | null | undefined) => at != null && Date.parse(at) <= now_ms
  const parties = Object.fromEntries(
    Object.entries(facts.parties).flatMap(([name, party]) => {
      if (party === undefined) return []
      const past = keysOf(moments).filter(moment => isPast(party.moments[moment]))
      const times = Object.fromEntries(past.map(moment => [moment, party.moments[moment]]))
      return [[name, { ...party, moments: times }]]
    }),
  )
  return { ...facts, parties, acknowledgements: facts.acknowledgements.filter(({ at }) => isPast(at)) }
}

interface Asked {
  readonly versions: Versions
  readonly id: string
  readonly party: Party
  readonly facts: ClockFacts
  readonly now_ms: number
  readonly law: Law
}

function partiesOf({ packs }: Versions, id: string): Party[] {
  const named = packs.flatMap(pack => pack.rules.filter(rule => rule.id === id))
  return [...new Set(named.flatMap(rule => rule.whose.parties))]
}

function clockOf(asked: Asked): Clock {
  const { versions, id, party, facts, now_ms, law } = asked
  const own = facts.parties[party]
  const zoneOf = (rule: Rule) => (rule.zone === "party" ? (own?.zone ?? "UTC") : rule.zone)
  const startOf = (rule: Rule) => timeOf(own?.moments[rule.starts])
  const dayOf = (rule: Rule) =>
    localDate(startOf(rule) ?? timeOf(own?.moments.discovered) ?? now_ms, zoneOf(rule))
  const { pack, rule } = ruleOn(versions, id, dayOf)
  const zone = zoneOf(rule)
  const counting = { zone, calendar: pack.calendars.find(each => each.id === rule.calendar) ?? null }
  const start_ms = startOf(rule)
  const shared = { pack: { id: pack.id, version: pack.version, sha256: pack.sha256 }, rule, party, zone }
  const outOfForce = notInForce(pack, rule, dayOf(rule))
  const status =
    outOfForce === null || law === "newest" || own === undefined
      ? statusOf({ ...shared, facts, now_ms, start_ms, counting })
      : ({ state: "not_triggered", because: [outOfForce] } as const)
  const notes = status.state === "not_triggered" ? [] : notesOf({ pack, rule, start_ms, counting })
  return { ...shared, status, leads: true, conflict: null, notes, counsel: forCounsel }
}

function timeOf(at: string | null | undefined): number | null {
  return at == null ? null : Date.parse(at)
}

interface Judging extends Pick<Clock, "pack" | "rule" | "party"> {
  readonly facts: ClockFacts
  readonly now_ms: number
  readonly start_ms: number | null
  readonly counting: Counting
}

function statusOf(judging: Judging): Status {
  const { rule, party, facts, start_ms, counting } = judging
  if (facts.parties[party] === undefined)
    return { state: "not_triggered", because: [`the incident names no ${party}`] }
  const { is, because, missing, straddles } = judge(triggerOf(rule), { facts, party })
  if (is === "no") return { state: "not_triggered", because }
  const run = start_ms === null ? null : runOf(judging, start_ms)
  if (run === null || missing.length > 0) {
    const start = run === null ? [`${rule.starts} of the ${party}: ${moments[rule.starts]}`] : []
    const { discovered } = facts.parties[party].moments
    const from_ms = start_ms ?? (afterDiscovery.includes(rule.starts) ? timeOf(discovered) : null)
    const due_ms = from_ms === null ? null : dueOf(from_ms, rule.duration, counting).due_ms
    const earliest_due_at = due_ms === null ? null : iso(due_ms)
    return { state: "waiting", for: [...new Set([...missing, ...start])], straddles, earliest_due_at }
  }
  if (run.outstanding.length > 0 && straddles.length > 0) return { state: "possible", run, straddles }
  return runningOf(run, judging.now_ms)
}

/** What a party judges once it knows; what others do to it has no earliest time. */
const afterDiscovery: readonly Moment[] = ["determined", "major_concluded"]

/** Who the party must be, and what must have happened. */
function triggerOf({ whose, trigger }: Rule): Condition {
  if (whose.roles.length === 0) return trigger
  return { all: [{ any: whose.roles.map(role => ({ role })) }, trigger] }
}

function runOf({ pack, rule, party, facts, counting }: Judging, start_ms: number): Run {
  const { due_ms } = dueOf(start_ms, rule.duration, counting)
  const confirmed = rule.recipients.flatMap(({ id }) => {
    const times = facts.acknowledgements
      .filter(each => each.receiver === id && ends(each, { pack, rule, party }))
      .map(({ at }) => Date.parse(at))
    return times.length === 0 ? [] : [{ receiver: id, at: iso(Math.min(...times)) }]
  })
  const hasConfirmed = ({ id }: Recipient) => confirmed.some(({ receiver }) => receiver === id)
  return {
    started_at: iso(start_ms),
    due_at: due_ms === null ? null : iso(due_ms),
    reminders:
      due_ms === null
        ? []
        : ([50, 80, 100] as const).map(percent => ({
            percent,
            at: iso(start_ms + Math.floor(((due_ms - start_ms) * percent) / 100)),
          })),
    confirmed,
    outstanding: rule.recipients.filter(each => !hasConfirmed(each)).map(({ id }) => id),
  }
}

function runningOf(run: Run, now_ms: number): Status {
  const due_ms = timeOf(run.due_at)
  if (run.outstanding.length === 0) {
    const at_ms = Math.max(...run.confirmed.map(({ at }) => Date.parse(at)))
    const early_by_ms = due_ms === null ? null : Math.max(0, due_ms - at_ms)
    const late_by_ms = due_ms === null ? null : Math.max(0, at_ms - due_ms)
    return { state: "met", run, at: iso(at_ms), early_by_ms, late_by_ms }
  }
  if (due_ms === null) return { state: "running", run, percent: null, left_ms: null }
  if (now_ms > due_ms) return { state: "missed", run, late_by_ms: now_ms - due_ms }
  const start_ms = Date.parse(run.started_at)
  const percent = Math.floor(((now_ms - start_ms) * 100) / (due_ms - start_ms))
  return { state: "running", run, percent, left_ms: due_ms - now_ms }
}

interface Noting {
  readonly pack: Pack
  readonly rule: Rule
  readonly start_ms: number | null
  readonly counting: Counting
}

function notesOf({ pack, rule, start_ms, counting }: Noting): string[] {
  const notes: string[] = []
  if ("unfixed" in rule.duration) notes.push(`the law fixes no time: ${rule.duration.unfixed}`)
  if (start_ms === null) return notes
  const { unknownYears } = dueOf(start_ms, rule.duration, counting)
  if (unknownYears.length > 0)
    notes.push(
      `holidays of ${rule.calendar} are not known for ${unknownYears.join(" and ")}: counted without any, so this is the earliest due time`,
    )
  const startDay = localDate(start_ms, counting.zone)
  const earlier = notInForce(pack, rule, startDay)
  if (earlier !== null) notes.push(`the newest rule applied to ${startDay}: ${earlier}`)
  return notes
}

function iso(at_ms: number): string {
  return new Date(at_ms).toISOString()
}
