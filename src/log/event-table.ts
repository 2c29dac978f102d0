/** How one event is told. */
export interface Event {
  readonly severity: "alarm" | "notice"
  /** For a person who gets it as a mail. */
  readonly sentence: string
  /** Whether it goes to the next destinations until a person acknowledges it. */
  readonly waits: boolean
  /** Whether a vendor hears of his own. */
  readonly vendors: boolean
  /** Of one subject at most one message in this time; 0: each. */
  readonly folds_ms: number
  /** Whether one person may mute it for a destination, for a while (`mutes.ts`). */
  readonly mutable: boolean
}

const alarm = { severity: "alarm", waits: true, vendors: false, folds_ms: 0, mutable: false } as const
const notice = { severity: "notice", waits: false, vendors: false, folds_ms: 0, mutable: true } as const
const folded = { folds_ms: 600_000 }

/**
 * The closed list of what is told. A destination names the events that it takes, so a new line tells nobody until two people
 * say who hears of it, and old logs replay as they were. What an event means never changes: another meaning is another line.
 * From which entries each follows stands in `events.ts`.
 */
export const eventTable = {
  "alert.raised": {
    ...{ ...alarm, mutable: true },
    sentence: "A reader or its lane needs a look.",
  },
  "alert.acknowledged": {
    ...notice,
    sentence: "A person took an alert, and says what came of it.",
  },
  "alert.closed": {
    ...notice,
    sentence: "An alert is closed, with its outcome.",
  },
  "refused.budget": {
    ...{ ...alarm, ...folded, vendors: true, mutable: true },
    sentence: "Somebody asked for more images than a budget has left.",
  },
  "refused.unknown": {
    ...{ ...alarm, ...folded, mutable: true },
    sentence: "Somebody asked for a grant or a capture that does not exist.",
  },
  "refused.identity": {
    ...{ ...alarm, ...folded, vendors: true },
    sentence: "A key or session was used from another device, network or browser than its own.",
  },
  "refused.scope": {
    ...{ ...alarm, ...folded, vendors: true, mutable: true },
    sentence: "Somebody asked for images outside of what a grant allows.",
  },
  "refused.rate": {
    ...{ ...alarm, ...folded, vendors: true, mutable: true },
    sentence: "Somebody asks faster than the rate that is answered.",
  },
  "watch.step_up": {
    ...{ ...alarm, ...folded, vendors: true, mutable: true },
    sentence: "Somebody asks for images as a grab does, and must say why before anything more leaves.",
  },
  "watch.suspended": {
    ...{ ...alarm, vendors: true },
    sentence: "The watch suspended somebody: nothing leaves to him until two people lift it.",
  },
  /** No entry may say it: `custody/canaries.ts` tells it beside the log, in the transaction of the entry that it is about. */
  "canary.touched": {
    ...alarm,
    sentence: "Somebody asked for a canary: a picture of no crossing, which no work needs.",
  },
  "budget.half": {
    ...{ ...notice, vendors: true },
    sentence: "Half of a budget is used.",
  },
  "grant.revoked": {
    ...{ ...notice, vendors: true },
    sentence: "A grant is revoked: no image leaves under it any more.",
  },
  "person.suspended": {
    ...{ ...alarm, vendors: true },
    sentence: "A person is suspended, or resumed.",
  },
  "organization.suspended": {
    ...{ ...alarm, vendors: true },
    sentence: "An organization is suspended, or resumed.",
  },
  "stop.ordered": {
    ...alarm,
    sentence: "An emergency stop: nothing leaves until two people resume it.",
  },
  "motion.proposed": {
    ...{ ...notice, mutable: false },
    sentence: "Something waits for a second person's signature.",
  },
  "motion.decided": {
    ...{ ...notice, mutable: false },
    sentence: "A second person signed, or rejected, what was proposed.",
  },
  "glass.broken": {
    ...alarm,
    sentence: "The glass was broken: a case is open with two keys, and its review is due.",
  },
  "glass.reviewed": {
    ...notice,
    sentence: "A break-glass was reviewed.",
  },
  "destination.tested": {
    ...notice,
    sentence: "A test: somebody asked whether this destination is reached.",
  },
  "message.abandoned": {
    ...alarm,
    sentence: "A destination could not be told for three days; the message was given up.",
  },
  "breach.reported": {
    ...{ ...alarm, vendors: true },
    sentence: "A vendor reports that he was breached.",
  },
  "incident.declared": {
    ...alarm,
    sentence: "The agency declares an incident.",
  },
  "clock.due": {
    ...notice,
    sentence: "Half, or four fifths, of the time for a notice is over, and no receiver has acknowledged it.",
  },
  "clock.missed": {
    ...alarm,
    sentence: "The time for a notice is over, and no receiver has acknowledged it.",
  },
  "statement.signed": {
    ...notice,
    sentence: "Two people signed the statement and letters of an incident.",
  },
  "rule.muted": {
    ...{ ...notice, mutable: false },
    sentence: "Somebody muted an event for a destination, for a while.",
  },
  "rule.unmuted": {
    ...{ ...notice, mutable: false },
    sentence: "An event that was muted for a destination is told again before its time.",
  },
  "log.unwitnessed": {
    ...{ ...alarm, ...folded },
    sentence: "The witnesses are behind the log; nothing leaves until they have seen it.",
  },
  /** No entry can say it: the log has stopped. `outbox/log-health.ts` tells it beside the log. */
  "log.forked": {
    ...alarm,
    sentence: "The log was forked or went back: the vault is stopped for good.",
  },
} as const satisfies Record<string, Event>

export type EventName = keyof typeof eventTable
export const eventNames = Object.keys(eventTable) as readonly EventName[]

/** The line of an event, whichever. */
export function eventOf(name: EventName): Event {
  return eventTable[name]
}
