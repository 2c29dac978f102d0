import { alertTable } from "./alert-table.ts"
import type { Entry, EntryOf } from "./kinds.ts"

/** What somebody must hear of at once; `alarm` is the highest severity. Sentences name ids, never a person. */
export interface Notice {
  readonly severity: "alarm" | "notice"
  readonly sentence: string
}

const short = (id: string) => id.slice(-6)

const alarming: Readonly<Record<string, string>> = {
  GRANT_DEVICE: "images were asked for with a person's key from another device than the grant's",
  CAPTURE_SEQUENCE: "a capture came with a number of its reader that another capture had: a copied device?",
  GRANT_NETWORK: "images were asked for from a network that the contract does not name",
  SESSION_BOUND: "a session's cookie came from another browser than it was begun in",
}

/** What this entry tells, by itself alone, or `null`. */
export function noticeOf(entry: Entry): Notice | null {
  switch (entry.kind) {
    case "stop.ordered":
      return { severity: "alarm", sentence: `emergency stop of ${entry.scope}` }
    case "motion.proposed":
      return entry.act === "break-glass"
        ? { severity: "alarm", sentence: `break-glass: ${entry.subject ?? ""} waits for its second key` }
        : null
    case "motion.seconded":
      return entry.act === "break-glass" && entry.statement.decision === "second"
        ? {
            severity: "alarm",
            sentence: `the glass is broken, under motion ${entry.motion}; a review is due`,
          }
        : null
    case "glass.reviewed":
      return {
        severity: entry.statement.outcome === "unjustified" ? "alarm" : "notice",
        sentence: `break-glass ${entry.grant} was reviewed: ${entry.statement.outcome}`,
      }
    case "refused":
      return watchNotice(entry.watch, entry.person) ?? refusalNotice(entry)
    case "organization.suspended":
    case "person.suspended": {
      const id = entry.kind === "person.suspended" ? entry.person : entry.organization
      return { severity: "notice", sentence: `${id} ${entry.statement.suspended ? "suspended" : "resumed"}` }
    }
    case "admitted":
      return entry.gap === 0
        ? null
        : {
            severity: "alarm",
            sentence: `${entry.gap.toLocaleString("en-US")} captures are missing before number ${entry.sequence} of ${entry.reader}`,
          }
    case "alert.raised":
      return raisedNotice(entry)
    case "watch.answered":
      return { severity: "notice", sentence: `${entry.person} told the watch why` }
    case "rule.muted": {
      const { event, destination, until } = entry.statement
      return { severity: "notice", sentence: `${event} is muted for ${destination} until ${until}` }
    }
    case "message.abandoned":
      return {
        severity: "alarm",
        sentence: `${entry.destination} was not reached for three days: a message of ${entry.event} is given up`,
      }
    case "incident.declared":
      return { severity: "alarm", sentence: declaredSentence(entry) }
    case "permit":
      return watchNotice(entry.watch, entry.by?.person ?? null) ?? halfUsed(entry)
    default:
      return null
  }
}

function declaredSentence({ incident, reported }: EntryOf<"incident.declared">): string {
  return reported ? `a vendor reports a breach of his own: ${incident}` : `incident ${incident} declared`
}

function refusalNotice({ code, person }: EntryOf<"refused">): Notice | null {
  const what = alarming[code]
  if (what === undefined) return null
  return { severity: "alarm", sentence: `${what}${person === null ? "" : ` (${short(person)})`}` }
}

function raisedNotice({ reader, signals }: EntryOf<"alert.raised">): Notice {
  const rules = signals.map(({ what }) => alertTable[what].rule).join(" ")
  return {
    severity: "alarm",
    sentence: `${rules} (reader ${reader}: ${signals.map(({ what }) => what).join(", ")})`,
  }
}

/** What the watch asked or whom it suspended. */
function watchNotice(watch: EntryOf<"permit">["watch"], person: string | null): Notice | null {
  if (watch === undefined || watch.verdict === "pass" || person === null) return null
  const isAsked = watch.verdict === "step-up"
  const whose = watch.about === "organization" ? `the organization of ${person}` : person
  const word = isAsked ? `asks ${person} why` : `suspends ${whose}`
  const only = watch.mode === "observe" ? ", if it did more than observe" : ""
  return {
    severity: "alarm",
    sentence: `the watch ${word}: images ${watch.scope} at ${(watch.person_micronats / 1e6).toFixed(1)} nats${only}`,
  }
}

function halfUsed({ by }: EntryOf<"permit">): Notice | null {
  if (by === null || by.halves.length === 0) return null
  return { severity: "notice", sentence: `half is used of: ${by.halves.join(", ")} (grant ${by.grant})` }
}

/** The kinds that can tell something. */
export const tellingKinds = [
  ...["stop.ordered", "motion.proposed", "motion.seconded", "glass.reviewed", "refused"],
  ...["organization.suspended", "person.suspended", "permit"],
  ...["admitted", "alert.raised", "message.abandoned", "incident.declared", "watch.answered", "rule.muted"],
] as const satisfies readonly Entry["kind"][]
