import type { RecordRow } from "../ledger/ledger.ts"
import type { Records } from "../log/state.ts"
import { mustHold } from "../log/standing.ts"
import { statisticOf } from "../watch/assess.ts"
import type { Model } from "../watch/model.ts"
import { at, parseOrganization, parsePerson, standingOf, type PersonState } from "../watch/state.ts"
import { whyOf } from "../watch/why.ts"
import { recordOf } from "./caller.ts"
import type { House } from "./house.ts"
import { rulesInForce } from "./models.ts"

type Watch = Records["watch"]

/** What the watch holds against a person or an organization: whole micronats, 10⁶ are one nat. */
export interface Suspicion {
  readonly id: string
  readonly of: "person" | "organization"
  /** At the top of the tree. */
  readonly organization: string
  readonly standing: "calm" | "asked" | "answered" | "suspended"
  readonly statistic_micronats: number
  /** At which it asks, and at which it suspends. */
  readonly asks_micronats: number
  readonly suspends_micronats: number
  /** Since when the evidence rose from nothing, with that entry and the newest that was not within a grant; `null` for none. */
  readonly since: string | null
  readonly first: number | null
  readonly last: number | null
  /** One sentence; `null` where there is no evidence, and of organizations. */
  readonly why: string | null
}

export interface SuspectedPerson extends Suspicion {
  readonly rule: string
  /** Distinct images of each of the last 30 days (UTC), the oldest first. */
  readonly days: readonly { readonly date: string; readonly images: number }[]
}

/** Those who have evidence against them, ids ascending; organizations where their people's adds up. */
export async function watchedPeople(
  house: House,
  of: { readonly limit: number; readonly after: string; readonly which: "all" | "evident" },
): Promise<readonly Suspicion[]> {
  const { judging: model } = await rulesInForce(house)
  const found: Suspicion[] = []
  for (let { after } = of; found.length < of.limit;) {
    const rows = await house.ledger.records("watch", { limit: 1000, after })
    const all = rows.map(row => suspicionOf(row, model, house.log.clock()))
    const shown = all.filter(each => of.which === "all" || isEvident(each))
    found.push(...shown.slice(0, of.limit - found.length))
    const last = rows.at(-1)
    if (last === undefined || rows.length < 1000) break
    after = last.id
  }
  return found
}

const isEvident = ({ statistic_micronats, standing }: Suspicion) =>
  statistic_micronats > 0 || standing !== "calm"

function suspicionOf({ id, body }: Pick<RecordRow, "id" | "body">, model: Model, now_ms: number): Suspicion {
  const watch = JSON.parse(body) as Watch
  const { stepUp_micronats, suspend_micronats } = model.file.thresholds[watch.of]
  const limits = { asks_micronats: stepUp_micronats, suspends_micronats: suspend_micronats }
  const { of, organization } = watch
  if (of === "organization") {
    const state = mustHold(parseOrganization(watch.state))
    const statistic_micronats = statisticOf(state)
    const events = { since: null, first: watch.first, last: watch.last, why: null }
    return { id, of, organization, standing: standingOf(state), statistic_micronats, ...limits, ...events }
  }
  const state = mustHold(parsePerson(watch.state))
  const statistic_micronats = statisticOf(state)
  const events = statistic_micronats === 0 ? noEvents : eventsOf(watch, { state, model, now_ms })
  return { id, of, organization, standing: standingOf(state), statistic_micronats, ...limits, ...events }
}

const noEvents = { since: null, first: null, last: null, why: null }

function eventsOf(
  { first, last }: Watch,
  { state, model, now_ms }: { readonly state: PersonState; readonly model: Model; readonly now_ms: number },
): Pick<Suspicion, "since" | "first" | "last" | "why"> {
  const since = new Date(state.cells[at.rose_ms] ?? 0).toISOString()
  return { since, first, last, why: whyOf(model, state, now_ms) }
}

const empty: Watch = { of: "person", organization: "", first: 0, last: null, state: "" }
const days = 30
const day_ms = 86_400_000

/** Everything that the watch holds against one person, whom it may not have met. */
export async function watchedPerson(house: House, person: string): Promise<SuspectedPerson> {
  const now_ms = house.log.clock()
  const watch = (await recordOf(house, "watch", person)) ?? empty
  const { judging: model } = await rulesInForce(house)
  const suspicion = suspicionOf({ id: person, body: JSON.stringify(watch) }, model, now_ms)
  const used = (await recordOf(house, "usage", person))?.days ?? []
  const dates = Array.from({ length: days }, (_, i) => dateOf(now_ms - (days - 1 - i) * day_ms))
  return {
    ...suspicion,
    rule: "evidence for a grab against work, added up over requests, in nats",
    days: dates.map(date => ({ date, images: used.find(day => day.date === date)?.images ?? 0 })),
  }
}

const dateOf = (at_ms: number) => new Date(at_ms).toISOString().slice(0, 10)
