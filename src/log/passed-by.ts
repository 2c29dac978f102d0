import type { Entry, Kind } from "./kinds.ts"

/** Kinds that say nothing of who may do what: whoever follows the log for that alone keeps nothing of them. */
const passedBy: ReadonlySet<Kind> = new Set<Kind>([
  "admitted",
  "examined",
  "refused",
  "refused.folded",
  "opening.read",
  "log.read",
  "accounting.made",
  "opening.destroyed",
  "schema.changed",
  "delivered",
  "recipients.signed",
  "day.destroyed",
  "epoch.opened",
  "alert.raised",
  "alert.acknowledged",
  "alert.closed",
  "notice.acknowledged",
  "message.abandoned",
  "message.resent",
  "destination.tested",
  "rule.muted",
  "rule.unmuted",
])

/** Whether who may do what rests on this entry. A refusal that the watch looked at is evidence, and the next permit rests on it. */
export function saysWhoMay(entry: Entry): boolean {
  return !passedBy.has(entry.kind) || (entry.kind === "refused" && entry.watch !== undefined)
}
