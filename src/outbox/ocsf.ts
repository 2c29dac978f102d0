import type { HeldMessage } from "../ledger/ledger.ts"
import { eventOf, type EventName } from "../log/event-table.ts"
import type { OutboxSettings } from "./settings.ts"

/** Class and activity of an event in OCSF 1.8; `type_uid` is class_uid × 100 + activity_id. Source: schema.ocsf.io, 1.8.0. */
interface Mapped {
  readonly class_uid: 2004 | 2005 | 2006 | 3004
  readonly activity_id: number
}

const detection = (activity_id: 1 | 2 | 3): Mapped => ({ class_uid: 2004, activity_id })
/** 1 create, 2 update. */
const incident = (activity_id: 1 | 2): Mapped => ({ class_uid: 2005, activity_id })
const dataSecurity: Mapped = { class_uid: 2006, activity_id: 1 }
/** 1 create, 3 update, 10 activate, 11 deactivate, 12 suspend. */
const entity = (activity_id: 1 | 3 | 10 | 11 | 12): Mapped => ({ class_uid: 3004, activity_id })

const classes: Readonly<Record<EventName, Mapped>> = {
  "alert.raised": detection(1),
  "alert.acknowledged": detection(2),
  "alert.closed": detection(3),
  "refused.budget": dataSecurity,
  "refused.unknown": dataSecurity,
  "refused.identity": dataSecurity,
  "refused.scope": dataSecurity,
  "refused.rate": dataSecurity,
  "watch.step_up": detection(1),
  "watch.suspended": entity(12),
  "canary.touched": detection(1),
  "budget.half": dataSecurity,
  "grant.revoked": entity(11),
  "person.suspended": entity(12),
  "organization.suspended": entity(12),
  "stop.ordered": entity(12),
  "motion.proposed": entity(1),
  "motion.decided": entity(3),
  "glass.broken": entity(10),
  "glass.reviewed": entity(3),
  "destination.tested": detection(1),
  "message.abandoned": detection(1),
  "breach.reported": incident(1),
  "incident.declared": incident(1),
  "clock.due": incident(2),
  "clock.missed": incident(2),
  "statement.signed": incident(2),
  "rule.muted": entity(11),
  "rule.unmuted": entity(10),
  "log.unwitnessed": detection(1),
  "log.forked": detection(1),
}

interface Thin {
  readonly type: EventName
  readonly timestamp: string
  readonly data: Readonly<Record<string, string | number>>
}

/** A message as an OCSF event, in one line of JSON; its uid is the message's id, the same in every attempt. */
export function ocsfOf(message: HeldMessage, { origin, version }: OutboxSettings): string {
  const { type, timestamp, data } = JSON.parse(message.body) as Thin
  const { class_uid, activity_id } = mapped(type, data)
  const { severity, sentence } = eventOf(type)
  const common = {
    ...{ activity_id, category_uid: Math.floor(class_uid / 1000), class_uid },
    type_uid: class_uid * 100 + activity_id,
    time: Date.parse(timestamp),
    severity_id: severity === "alarm" ? 4 : 1,
    message: sentence,
    metadata: {
      ...{ uid: message.id, version: "1.8.0", log_name: origin, original_time: timestamp, event_code: type },
      product: { name: "Sallyport", vendor_name: "Sallyport", version },
    },
    unmapped: data,
  }
  return JSON.stringify({ ...common, ...ownOf(class_uid, { type, subject: message.subject, data }) })
}

/** What was suspended may also have been resumed. */
function mapped(type: EventName, data: Thin["data"]): Mapped {
  return data.suspended === 0 ? entity(10) : classes[type]
}

/** What the class has beside the base event. */
function ownOf(
  class_uid: Mapped["class_uid"],
  of: { readonly type: EventName; readonly subject: string; readonly data: Thin["data"] },
): object {
  const { type, subject, data } = of
  const { person } = data
  const actor = person === undefined ? {} : { actor: { user: { uid: person } } }
  if (class_uid === 3004)
    return { ...actor, status_id: 1, entity: { uid: subject, type: subject.slice(0, 3) } }
  const status_id = type === "alert.closed" ? 4 : type === "alert.acknowledged" ? 2 : 1
  const { severity, sentence } = eventOf(type)
  const finding_info = { uid: subject, title: sentence, types: [type] }
  if (class_uid === 2005)
    return {
      ...{ status_id, is_suspected_breach: true, finding_info_list: [finding_info] },
      assignee_group: { name: "agency" },
    }
  const found = { status_id, is_alert: severity === "alarm", finding_info }
  return class_uid === 2006 ? { ...found, ...actor } : found
}
