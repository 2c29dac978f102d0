import type { AlertState } from "./alerts.ts"
import { eventNames, type EventName } from "./event-table.ts"
import type { Kind, EntryOf } from "./kinds.ts"
import { reminders } from "./reminders.ts"
import { rootOf } from "./standing.ts"
import type { Effects, State } from "./state.ts"

/** One thing that an entry tells: ids and small numbers, never a plate, a name or an image. */
export interface Told {
  /** Messages about one subject reach a destination in the order of the log. */
  readonly subject: string
  readonly data: Readonly<Record<string, string | number>>
  /** Whose it is, for destinations of vendors; neither: the agency's alone. */
  readonly person?: string
  readonly organization?: string
  /** When it is told, where that is later than the entry. */
  readonly at_ms?: number
  /** For this destination alone, whatever it takes. */
  readonly destination?: string
}

/** What the entry did, for what is told of it. */
export interface Made {
  readonly index: number
  readonly records: Effects["records"]
  readonly state: State
}

type Tells = { readonly [K in Kind]?: (entry: EntryOf<K>, made: Made) => readonly Told[] }

type Refused = EntryOf<"refused">

interface SignedStatement {
  readonly incident: string
  readonly scoped: number
}

/** Refusals with one of these codes, by the person who asked. */
function refusals(codes: readonly string[]): Tells {
  return {
    refused: entry => (codes.includes(entry.code) && entry.person !== null ? [refusal(entry)] : []),
  }
}

/** What asks for images. A mistyped id elsewhere is no probe. */
const openings: readonly Refused["of"][] = ["release", "reveal", "draw"]

function refusal({ code, of, person, grant }: Refused): Told {
  const by = person ?? ""
  return {
    subject: by,
    person: by,
    data: { person: by, act: of, code, ...(grant === null ? {} : { grant }) },
  }
}

/** Openings of which the watch said this, whether it refused them or only observes. */
function watched(verdict: "step-up" | "suspend"): Tells {
  return {
    permit: ({ by, watch }, { state }) => judged(verdict, { person: by?.person ?? null, watch, state }),
    refused: ({ person, watch }, { state }) => judged(verdict, { person, watch, state }),
  }
}

function judged(
  verdict: "step-up" | "suspend",
  of: {
    readonly person: string | null
    readonly watch: Refused["watch"] | undefined
    readonly state: State
  },
): readonly Told[] {
  const { person, watch, state } = of
  if (watch?.verdict !== verdict || person === null) return []
  const { scope, mode, person_micronats: statistic_micronats } = watch
  const root = rootOf(state.record("person", person)?.organization ?? "", state)
  const isPool = watch.about === "organization"
  const subject = isPool ? { subject: root, organization: root } : { subject: person, person }
  const about = watch.about ?? "person"
  return [{ ...subject, data: { person, organization: root, about, scope, mode, statistic_micronats } }]
}

const unknown: readonly string[] = ["GRANT_UNKNOWN", "NOT_FOUND"]

const budgets = [
  ...["GRANT_BUDGET", "GRANT_RELEASES", "GRANT_PEOPLE"],
  ...["BUDGET_PERSON", "BUDGET_ORGANIZATION", "BUDGET_VENDOR", "BUDGET_VAULT"],
]

/** The alerts that this entry opened; what is counted in one that stands is not told again. */
function opened(_: unknown, { records, index }: Made): readonly Told[] {
  return records.flatMap(({ kind, body }) => {
    if (kind !== "alert") return []
    const { alert, what, reader, lane, port, entry } = body as AlertState
    // What is no reader's has an event of its own.
    if (entry !== index || reader === undefined || lane === undefined || port === undefined) return []
    return [{ subject: alert, data: { alert, what, reader, lane, port } }]
  })
}

/** From which entries each event follows, and whom it concerns: a line for each of the closed list. */
const tells: Readonly<Record<EventName, Tells>> = {
  "alert.raised": { "alert.raised": opened, admitted: opened, refused: opened },
  "alert.acknowledged": {
    "alert.acknowledged": ({ alert, person }) => [{ subject: alert, data: { alert, person } }],
  },
  "alert.closed": {
    "alert.closed": ({ alert, person, statement }) => [
      { subject: alert, data: { alert, person, outcome: statement.outcome } },
    ],
  },
  "refused.budget": refusals(budgets),
  "refused.unknown": {
    refused: entry =>
      openings.includes(entry.of) && entry.person !== null && unknown.includes(entry.code)
        ? [refusal(entry)]
        : [],
  },
  "refused.identity": refusals(["GRANT_DEVICE", "GRANT_NETWORK", "SESSION_BOUND"]),
  "refused.scope": refusals([
    ...["GRANT_HOLDER", "GRANT_LANE", "GRANT_HOURS", "GRANT_DATES", "GRANT_LEVEL", "GRANT_LEVEL_SUM"],
    ...["GRANT_SELECTION", "GRANT_EXPIRED", "GRANT_REVOKED", "GRANT_CONTRACT", "PERSON_SUSPENDED"],
  ]),
  "refused.rate": refusals(["RATE"]),
  "watch.step_up": watched("step-up"),
  "watch.suspended": watched("suspend"),
  "canary.touched": {},
  "budget.half": {
    permit: ({ by }) =>
      by === null
        ? []
        : by.halves.map(half => ({
            subject: by.grant,
            organization: by.organization,
            data: { grant: by.grant, organization: by.organization, half },
          })),
  },
  "grant.revoked": {
    "grant.revoked": ({ grant }, { state }) => {
      const person = state.record("grant", grant)?.terms.holder
      return [{ subject: grant, data: { grant }, ...(person === undefined ? {} : { person }) }]
    },
  },
  "person.suspended": {
    "person.suspended": ({ person, statement }) => [
      { subject: person, person, data: { person, suspended: Number(statement.suspended) } },
    ],
  },
  "organization.suspended": {
    "organization.suspended": ({ organization, statement }) => [
      {
        subject: organization,
        organization,
        data: { organization, suspended: Number(statement.suspended) },
      },
    ],
  },
  "stop.ordered": { "stop.ordered": ({ scope, person }) => [{ subject: scope, data: { scope, person } }] },
  "motion.proposed": { "motion.proposed": ({ motion, act }) => [{ subject: motion, data: { motion, act } }] },
  "motion.decided": {
    "motion.seconded": ({ motion, act, statement }) => [
      { subject: motion, data: { motion, act, decision: statement.decision } },
    ],
  },
  "glass.broken": {
    "motion.seconded": ({ motion, act, statement }) =>
      act === "break-glass" && statement.decision === "second" ? [{ subject: motion, data: { motion } }] : [],
  },
  "glass.reviewed": {
    "glass.reviewed": ({ grant, statement }) => [
      { subject: grant, data: { case: grant, outcome: statement.outcome } },
    ],
  },
  "destination.tested": {
    "destination.tested": ({ destination, person }) => [
      { subject: destination, destination, data: { destination, person } },
    ],
  },
  "message.abandoned": {
    "message.abandoned": ({ message, destination, event, attempts }) => [
      { subject: destination, data: { message, destination, event, attempts } },
    ],
  },
  "breach.reported": {
    "incident.declared": ({ incident, person, reported }, { state }) => {
      const organization = state.record("person", person)?.organization
      if (!reported || organization === undefined) return []
      return [{ subject: incident, organization, data: { incident, organization, person } }]
    },
  },
  "incident.declared": {
    "incident.declared": ({ incident, person, reported }) =>
      reported ? [] : [{ subject: incident, data: { incident, person } }],
  },
  "clock.due": { "clocks.started": entry => reminders(entry).filter(({ data }) => data.percent < 100) },
  "clock.missed": { "clocks.started": entry => reminders(entry).filter(({ data }) => data.percent >= 100) },
  "statement.signed": {
    "motion.seconded": ({ motion, act, statement }, { state }) => {
      if (act !== "sign-statement" || statement.decision !== "second") return []
      const { incident, scoped } = state.record("motion", motion)?.statement as SignedStatement
      return [{ subject: incident, data: { incident, motion, scoped } }]
    },
  },
  "rule.muted": {
    "rule.muted": ({ mute, person, statement: { event, destination, subject, until } }) => [
      {
        subject: mute,
        data: { mute, person, event, destination, until, ...(subject === null ? {} : { of: subject }) },
      },
    ],
  },
  "rule.unmuted": {
    "rule.unmuted": ({ mute, person }) => [{ subject: mute, data: { mute, person } }],
  },
  "log.unwitnessed": {
    refused: ({ code }) => (code === "LOG_UNWITNESSED" ? [{ subject: "log", data: { code } }] : []),
  },
  "log.forked": {},
}

type Line = readonly [EventName, (entry: never, made: Made) => readonly Told[]]

/** The events that an entry of each kind can be. */
const byKind = new Map<Kind, Line[]>()
for (const name of eventNames)
  for (const [kind, told] of Object.entries(tells[name]) as [Kind, Line[1]][])
    byKind.set(kind, [...(byKind.get(kind) ?? []), [name, told]])

/** Everything that one entry tells, by event. */
export function toldBy<K extends Kind>(
  entry: EntryOf<K> & { readonly kind: K },
  made: Made,
): readonly { readonly name: EventName; readonly told: Told }[] {
  return (byKind.get(entry.kind) ?? []).flatMap(([name, tell]) =>
    tell(entry as never, made).map(told => ({ name, told })),
  )
}

/** Whether an entry of that kind can tell anything at all. */
export function canTell(kind: Kind): boolean {
  return byKind.has(kind)
}
