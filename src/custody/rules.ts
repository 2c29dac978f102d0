import { placedId } from "../ids.ts"
import { defaultPolicy, type Policy } from "../grant/policy.ts"
import { eventNames, eventOf, type EventName } from "../log/event-table.ts"
import { longestMute_ms, type MuteState } from "../log/mutes.ts"
import type { ModelFile } from "../watch/model.ts"
import { recordOf, recordsOf } from "./caller.ts"
import { destinationsOf } from "./destinations.ts"
import type { House } from "./house.ts"
import { rulesInForce } from "./models.ts"
import { mutesOf } from "./mutes.ts"
import { countsFrom, countsOf, type Basis, type Count, type Counted, type WatchRule } from "./rule-counts.ts"
import { lastHeard_ms } from "./silence.ts"

/** A rule that a person can read, with how it stood in the last 30 days. */
export interface ShownRule {
  readonly rule: string
  /** The event that destinations take. */
  readonly event: EventName
  readonly severity: "alarm" | "notice"
  readonly sentence: string
  readonly threshold: string
  /** `quiet`: there was something to look at, and nothing crossed; `no data`: there was not. */
  readonly standing: "fired" | "quiet" | "no data"
  readonly fired: number
  readonly last_at: string | null
  readonly last_entry: number | null
  /** What there was to look at. */
  readonly looked_at: { readonly what: string; readonly count: number }
  /** Whom it tells, when that last worked, and until when it is muted there. */
  readonly told: readonly {
    readonly destination: string
    readonly name: string
    readonly last_delivered_at: string | null
    readonly muted: readonly Pick<MuteState, "mute" | "subject" | "until">[]
  }[]
}

/** What the numbers of rules are, beside the log. */
export interface RuleSettings {
  readonly silentAfter_ms: number
  readonly perSecond: number
}

/** Of an event by its name, or by how it begins; without a line it is something that people sign. */
const bases: readonly (readonly [string, Looked])[] = [
  ["refused.", "asked for"],
  ["budget.", "asked for"],
  ["alert.raised", "readers"],
  ["message.", "destinations"],
  ["log.unwitnessed", "witnesses"],
  ["log.forked", "log"],
]

type Looked = Basis | "readers" | "destinations" | "witnesses" | "log"

const lookedAt: Readonly<Record<Looked, string>> = {
  judged: "requests that the watch judged and held",
  observed: "requests that the watch only observed",
  "asked for": "requests for images",
  signed: "requests that people signed",
  readers: "readers that were heard of",
  destinations: "destinations",
  witnesses: "witnesses",
  log: "entries of the log",
}

interface Facts {
  readonly policy: Policy
  readonly settings: RuleSettings
  readonly thresholds: ModelFile["thresholds"]
}

/** The numbers that an event's rule crosses; without a line it is told of each. */
const thresholds: Readonly<Partial<Record<EventName, (facts: Facts) => string>>> = {
  "refused.budget": ({ policy }) =>
    `the grant's images; ${policy.person_day} a day for a person, ${policy.organization_30d} in 30 days for an organization, ${policy.vault_day} a day for the vault`,
  "refused.rate": ({ settings }) => `${settings.perSecond} requests a second, ten times as many at once`,
  "budget.half": () => "half of any budget",
  "alert.raised": ({ settings }) =>
    `each; a silence of ${Math.round(settings.silentAfter_ms / 60_000)} minutes, a clock off by 5 s`,
  "message.abandoned": () => "3 days",
  "rule.muted": () => `each, of ${longestMute_ms / 86_400_000} days at most`,
}

const nats = (micronats: number) => `${(micronats / 1e6).toFixed(1)} nats`

const watchSentences: Readonly<Record<WatchRule, string>> = {
  "watch.step_up person":
    "What somebody asks for adds up to more like a grab than like work: he is asked why before anything more leaves.",
  "watch.suspended person":
    "After a question it went on adding up, or it is the third within 1,000 images: nothing leaves to him.",
  "watch.step_up organization":
    "What people of one organization ask for adds up: those who add to it are asked why.",
  "watch.suspended organization": "It went on adding up: nothing leaves to the organization.",
}

function watchThreshold(rule: WatchRule, of: ModelFile["thresholds"]): string {
  const { stepUp_micronats, suspend_micronats } = rule.endsWith("person") ? of.person : of.organization
  return nats(rule.startsWith("watch.step_up") ? stepUp_micronats : suspend_micronats)
}

/** Every rule there is: the watch's, then each event that can be told. */
export async function rulesOf(house: House, settings: RuleSettings): Promise<readonly ShownRule[]> {
  const counts = await countsOf(house)
  const told = await telling(house)
  const { thresholds: inForce } = await rulesInForce(house)
  const policy = (await recordOf(house, "policy", "policy")) ?? defaultPolicy
  const facts = { policy, settings, thresholds: inForce }
  const standings = await standingsOf(house, counts, await raisedAlerts(house, 0))
  return standings.map(({ rule, event, standing, count: { count: fired, entry, at }, looked_at }) => {
    const { sentence, threshold } =
      rule in watchSentences
        ? {
            sentence: watchSentences[rule as WatchRule],
            threshold: watchThreshold(rule as WatchRule, inForce),
          }
        : { sentence: eventOf(event).sentence, threshold: thresholds[event]?.(facts) ?? "each" }
    return {
      ...{ rule, event, severity: eventOf(event).severity, sentence, threshold },
      ...{ standing, fired, last_at: at, last_entry: entry, looked_at, told: told(event) },
    }
  })
}

/** How one rule stood, of whatever was counted. */
export interface RuleStanding extends Pick<ShownRule, "rule" | "event" | "standing" | "looked_at"> {
  readonly count: Count
}

const watchRules = Object.keys(watchSentences) as WatchRule[]
const toldEvents = eventNames.filter(name => !name.startsWith("watch."))

/** Each rule's name, in the order of `rulesOf`. */
export const ruleNames: readonly string[] = [...watchRules, ...toldEvents]

async function standingsOf(
  house: House,
  counts: (what: Counted) => Count,
  alerts: Count,
): Promise<RuleStanding[]> {
  const look = await lookingAt(house, counts)
  const standing = ({ count }: Count, isData: boolean) =>
    count > 0 ? ("fired" as const) : isData ? ("quiet" as const) : ("no data" as const)
  const watch = watchRules.map((rule): RuleStanding => {
    const event: EventName = rule.startsWith("watch.step_up") ? "watch.step_up" : "watch.suspended"
    const isObserved = look("judged").count === 0 && look("observed").count > 0
    const [looked_at, count] = [look(isObserved ? "observed" : "judged"), counts(rule)]
    return { rule, event, count, looked_at, standing: standing(count, !isObserved && looked_at.count > 0) }
  })
  const others = toldEvents.map((event): RuleStanding => {
    const looked_at = look(bases.find(([name]) => event.startsWith(name))?.[1] ?? "signed")
    const count = event === "alert.raised" ? alerts : countOf(house, event, counts)
    return { rule: event, event, count, looked_at, standing: standing(count, looked_at.count > 0) }
  })
  return [...watch, ...others]
}

/**
 * How each rule stood among the entries from one on.
 * @param from  an entry of the last 30 days.
 * @returns with the entry that the next look is to begin with.
 */
export async function evaluateRules(
  house: House,
  from: number,
): Promise<{ readonly standings: readonly RuleStanding[]; readonly next: number }> {
  const { counts, next } = await countsFrom(house, from)
  return { standings: await standingsOf(house, counts, await raisedAlerts(house, from)), next }
}

/** No entry can say that the log was forked. */
function countOf({ log }: House, event: EventName, counts: (what: Counted) => Count): Count {
  const isForked = event === "log.forked" && log.stopped !== null
  return isForked ? { count: 1, entry: null, at: null } : counts(event)
}

const window_ms = 30 * 86_400_000

/** Readers' alerts of entries from one on, by their own ids, which begin with when they were raised. */
async function raisedAlerts(house: House, from: number): Promise<Count> {
  const from_ms = house.log.clock() - window_ms
  let [count, entry, at] = [0, null as number | null, null as string | null]
  for (let after = placedId("alt", { at_ms: from_ms, index: 0, nth: 0 }); ;) {
    const rows = await house.ledger.records("alert", { limit: 1000, after })
    for (const row of rows) {
      const alert = JSON.parse(row.body) as { reader?: string; entry: number; raised_at: string }
      if (alert.reader === undefined || alert.entry < from) continue
      ;[count, entry, at] = [count + 1, alert.entry, alert.raised_at]
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < 1000) return { count, entry, at }
    after = last.id
  }
}

async function lookingAt(
  house: House,
  counts: (what: Counted) => Count,
): Promise<(what: Looked) => ShownRule["looked_at"]> {
  const from_ms = house.log.clock() - window_ms
  let readers = 0
  for await (const reader of recordsOf(house, "reader"))
    if ((await lastHeard_ms(house, reader)) >= from_ms) readers += 1
  const active = (await recordOf(house, "destinations", "destinations"))?.active.length ?? 0
  const { size } = await house.log.head()
  const witnesses = house.log.witnesses?.presence().length ?? 0
  const beside = { readers, destinations: active, witnesses, log: size }
  return what => ({
    what: lookedAt[what],
    count: what in beside ? beside[what as keyof typeof beside] : counts(what as Basis).count,
  })
}

async function telling(house: House): Promise<(event: EventName) => ShownRule["told"]> {
  const active = await destinationsOf(house, { all: false })
  const mutes = await mutesOf(house)
  return event =>
    active
      .filter(each => each.events.includes(event))
      .map(({ destination, name, backlog }) => ({
        ...{ destination, name },
        last_delivered_at:
          backlog.delivered_ms === null ? null : new Date(backlog.delivered_ms).toISOString(),
        muted: mutes
          .filter(each => each.destination === destination && each.event === event)
          .map(({ mute, subject, until }) => ({ mute, subject, until })),
      }))
}
