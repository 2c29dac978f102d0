import { extentWords } from "../grant/level.ts"
import { isOfIncident, type IncidentKind } from "../log/incidents.ts"
import type { Entry, EntryOf } from "../log/kinds.ts"
import { isOfLinkage, type LinkageKind } from "../log/linkages.ts"

/** An entry in plain words: what happened, to which ids; never a name. */
export function sentenceOf(entry: Entry): string {
  if (entry.kind === "accounting.made")
    return `somebody is told of ${entry.disclosures} disclosures of ${entry.captures} captures`
  if (isOfLinkage(entry)) return linkageSentence(entry)
  return isOfIncident(entry) ? incidentSentence(entry) : commonSentence(entry)
}

type Common = Exclude<Entry, { kind: IncidentKind | LinkageKind | "accounting.made" }>

function commonSentence(entry: Common): string {
  switch (entry.kind) {
    case "genesis":
    case "organization.added":
    case "contract.added":
    case "contract.attested":
      return contractorSentence(entry)
    case "motion.proposed":
    case "motion.seconded":
    case "stop.ordered":
    case "glass.reviewed":
      return standingSentence(entry)
    case "log.read":
    case "opening.read":
    case "opening.destroyed":
      return readingSentence(entry)
    case "person.enrolled":
    case "organization.suspended":
    case "person.suspended":
      return personSentence(entry)
    case "port.added":
    case "lane.added":
    case "reader.enrolled":
      return entry.kind.replace(".", ` ${entry.statement.name} `)
    case "recipients.signed":
    case "day.destroyed":
    case "epoch.opened":
    case "schema.changed":
      return keySentence(entry)
    case "admitted":
    case "examined":
    case "permit":
      return entry.kind === "permit" ? permitSentence(entry) : captureSentence(entry)
    case "grant.requested":
    case "grant.edited":
    case "grant.approved":
    case "grant.denied":
    case "grant.revoked":
      return grantSentence(entry)
    case "refused":
    case "refused.folded":
      return refusalSentence(entry)
    case "alert.raised":
    case "alert.acknowledged":
    case "alert.closed":
    case "notice.acknowledged":
      return alertSentence(entry)
    case "message.abandoned":
    case "message.resent":
    case "destination.tested":
      return messageSentence(entry)
    case "trace.opened":
    case "trace.closed":
      return tracedSentence(entry)
    case "delivered":
      return `${entry.size_bytes.toLocaleString("en-US")} bytes delivered under permit ${entry.permit}`
    default:
      return ruleSentence(entry)
  }
}

function contractorSentence(
  entry: Extract<Entry, { kind: "genesis" | "organization.added" | "contract.added" | "contract.attested" }>,
): string {
  if (entry.kind === "genesis") return `the vault ${entry.origin} was made`
  if (entry.kind === "organization.added") return `organization ${entry.statement.name} added`
  if (entry.kind === "contract.added") return `contract ${entry.statement.number} added`
  const { name, ends_at } = entry.statement
  return `${entry.contract.slice(-6)} attested: ${name}, until ${ends_at}`
}

function captureSentence(entry: Extract<Entry, { kind: "admitted" | "examined" }>): string {
  const short = entry.capture.slice(-6)
  if (entry.kind === "examined") return `capture ${short} examined: ${entry.outcome}`
  const missing = entry.gap > 0 ? `, ${entry.gap} missing before it` : ""
  return `capture ${short} sealed in, number ${entry.sequence} of its reader${missing}`
}

function refusalSentence(entry: Extract<Entry, { kind: "refused" | "refused.folded" }>): string {
  if (entry.kind === "refused") return `${entry.of} refused: ${entry.code}${watchWord(entry.watch)}`
  return `${entry.count.toLocaleString("en-US")} more requests of ${entry.person.slice(-6)} refused: beyond the rate`
}

/** What the watch made of an opening, where it was not nothing. */
function watchWord(watch: EntryOf<"refused">["watch"]): string {
  if (watch === undefined || watch.verdict === "pass") return ""
  const whose = watch.about === "organization" ? "the organization's people" : "the person"
  const word = watch.verdict === "step-up" ? `asks ${whose} why` : `suspends ${whose}`
  return watch.mode === "observe" ? `; the watch, which only observes: ${word}` : `; the watch ${word}`
}

function personSentence(
  entry: Extract<Entry, { kind: "person.enrolled" | "organization.suspended" | "person.suspended" }>,
): string {
  if (entry.kind === "person.enrolled") return `a person of the office ${entry.statement.office} enrolled`
  const id = entry.kind === "person.suspended" ? entry.person : `organization ${entry.organization}`
  return `${id} ${entry.statement.suspended ? "suspended" : "resumed"}`
}

function ruleSentence(
  entry: Extract<
    Entry,
    { kind: "model.kept" | "watch.backtested" | "rule.muted" | "rule.unmuted" | "watch.answered" }
  >,
): string {
  if (entry.kind === "watch.answered") return `${entry.person.slice(-6)} told the watch why`
  if (entry.kind === "rule.unmuted") return `mute ${entry.mute.slice(-6)} ended before its time`
  if (entry.kind === "rule.muted") {
    const { event, destination, until } = entry.statement
    return `${event} muted for destination ${destination.slice(-6)} until ${until}`
  }
  const model = `model ${entry.model.slice(0, 8)}`
  if (entry.kind === "model.kept") return `${model} of the watch is in the log; it judges nothing yet`
  return `${model} tried over ${entry.requests.toLocaleString("en-US")} requests: it would have asked ${entry.questions} times and suspended ${entry.suspensions}`
}

function permitSentence(permit: EntryOf<"permit">): string {
  const { for: purpose, capture, by, watch } = permit
  const short = capture.slice(-6)
  if (by !== null)
    return `${purpose} of ${short} at ${extentWords(permit)}, image ${by.images_after} of grant ${by.grant.slice(-6)}${watchWord(watch)}`
  const why: Readonly<Record<string, string>> = {
    trace: "to compare a found file with it",
    link: "to tell its faces and reads apart from those of others",
  }
  return `the system may open ${short} ${why[purpose] ?? "to examine it"}`
}

function tracedSentence(entry: Extract<Entry, { kind: "trace.opened" | "trace.closed" }>): string {
  if (entry.kind === "trace.opened")
    return `trace of ${entry.statement.files.length} found ${entry.statement.files.length === 1 ? "file" : "files"} opened`
  const { verdicts } = entry
  const accused = verdicts.filter(each => each.verdict === "accused").length
  return `trace closed: ${accused} of ${verdicts.length} files were made for somebody, who is named`
}

function incidentSentence(entry: Extract<Entry, { kind: IncidentKind }>): string {
  const short = entry.incident.slice(-6)
  switch (entry.kind) {
    case "incident.declared":
      return entry.reported ? `a vendor reports a breach of his own: ${short}` : `incident ${short} declared`
    case "incident.amended":
      return `incident ${short} stated anew, version ${entry.statement.version + 1}`
    case "incident.scoped":
      return `incident ${short} counted: ${entry.left.toLocaleString("en-US")} images left, ${entry.refused.toLocaleString("en-US")} refused, ${entry.takeable.toLocaleString("en-US")} could still be taken`
    case "clocks.started":
      return `incident ${short}: ${entry.clocks.length} clocks run`
    case "clock.met":
      return `incident ${short}: ${entry.statement.rule} for the ${entry.statement.party} is acknowledged`
    case "clock.signed":
      return `incident ${short}: counsel says of ${entry.statement.rule} ${entry.statement.opinion}`
    case "incident.closed":
      return `incident ${short} closed: ${entry.statement.outcome}`
  }
}

function linkageSentence(entry: Extract<Entry, { kind: LinkageKind }>): string {
  const short = `linkage ${entry.linkage.slice(-6)}`
  switch (entry.kind) {
    case "linkage.opened":
      return `${short} of ${entry.images.toLocaleString("en-US")} images opened: whose faces they show is grouped, not asked`
    case "linkage.planned":
      return `${short}: ${entry.clusters.toLocaleString("en-US")} groups of ${entry.faces.toLocaleString("en-US")} faces; ${entry.pairs.toLocaleString("en-US")} pairs are to be looked at`
    case "linkage.answered":
      return `${short}: ${entry.statement.answers.length} pairs answered`
    case "linkage.estimated":
      return entry.interval === null
        ? `${short}: too few answers for an interval`
        : `${short}: ${entry.interval.low.toLocaleString("en-US")} to ${entry.interval.high.toLocaleString("en-US")} people, 95 %`
  }
}

function messageSentence(
  entry: Extract<Entry, { kind: "message.abandoned" | "message.resent" | "destination.tested" }>,
): string {
  switch (entry.kind) {
    case "message.abandoned":
      return `a message of ${entry.event} to ${entry.destination.slice(-6)} given up after ${entry.attempts} attempts`
    case "message.resent":
      return `message ${entry.message.slice(-6)} sent again`
    case "destination.tested":
      return `destination ${entry.destination.slice(-6)} tested`
  }
}

function alertSentence(
  entry: Extract<
    Entry,
    { kind: "alert.raised" | "alert.acknowledged" | "alert.closed" | "notice.acknowledged" }
  >,
): string {
  if (entry.kind === "notice.acknowledged")
    return `entry ${entry.entry} acknowledged: ${entry.statement.outcome}`
  if (entry.kind === "alert.closed")
    return `alert ${entry.alert.slice(-6)} closed: ${entry.statement.outcome}`
  if (entry.kind === "alert.acknowledged")
    return `alert ${entry.alert.slice(-6)} acknowledged: ${entry.statement.outcome}`
  const all = entry.signals.map(({ what, count }) => (count === 1 ? what : `${what} × ${count}`))
  return `alert about reader ${entry.reader.slice(-6)}: ${all.join(", ")}`
}

function keySentence(
  entry: Extract<Entry, { kind: "recipients.signed" | "day.destroyed" | "epoch.opened" | "schema.changed" }>,
): string {
  if (entry.kind === "schema.changed") return `entries of Sallyport ${entry.release} from here on`
  if (entry.kind === "day.destroyed") return `the key of ${entry.day} destroyed`
  if (entry.kind === "epoch.opened") return `key ${entry.epoch} made`
  return `keys of ${entry.statement.first_day} to ${entry.statement.last_day} signed for the lanes`
}

function readingSentence(
  entry: Extract<Entry, { kind: "log.read" | "opening.read" | "opening.destroyed" }>,
): string {
  switch (entry.kind) {
    case "log.read":
      return `${entry.person.slice(-6)} read the log: ${entry.what}`
    case "opening.read":
      return `${entry.person.slice(-6)} read entry ${entry.entry} with its texts`
    case "opening.destroyed":
      return `the text ${entry.statement.field} of entry ${entry.statement.entry} destroyed`
  }
}

function grantSentence(entry: Extract<Entry, { kind: `grant.${string}` }>): string {
  switch (entry.kind) {
    case "grant.edited":
      return `${entry.grant.slice(-6)} edited: ${entry.statement.terms.images} images at ${extentWords(entry.statement.terms)}`
    case "grant.requested":
      return `${entry.grant.slice(-6)}: ${entry.statement.images} images at ${extentWords(entry.statement)} asked for, to ${entry.statement.purpose}`
    case "grant.approved":
      return `${entry.grant.slice(-6)} approved by one person`
    case "grant.denied":
      return `${entry.grant.slice(-6)} denied`
    case "grant.revoked":
      return `${entry.grant.slice(-6)} revoked`
  }
}

function standingSentence(
  entry: Extract<Entry, { kind: "motion.proposed" | "motion.seconded" | "stop.ordered" | "glass.reviewed" }>,
): string {
  switch (entry.kind) {
    case "motion.proposed":
      return entry.act === "break-glass"
        ? `BREAK-GLASS proposed: ${entry.motion.slice(-6)}; a second key opens it`
        : `${entry.motion.slice(-6)} proposed: ${entry.act}; a second person must sign`
    case "motion.seconded":
      return `${entry.motion.slice(-6)} ${entry.statement.decision === "second" ? "signed by a second person: in effect" : "rejected"}`
    case "glass.reviewed":
      return `break-glass ${entry.grant.slice(-6)} reviewed: ${entry.statement.outcome}`
    case "stop.ordered":
      return `EMERGENCY STOP of ${entry.scope}: nothing leaves until two people resume it`
  }
}
