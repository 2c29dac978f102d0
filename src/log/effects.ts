import { isApproved, type GrantState } from "../grant/decide.ts"
import { join, levels } from "../grant/level.ts"
import { widens } from "../grant/edit.ts"
import { termsDigest } from "../grant/terms.ts"
import { alerted, gapAlert, watchAlert } from "./alerts.ts"
import { proposedDestination } from "./destinations.ts"
import { incidentAfter, isOfIncident, type IncidentKind } from "./incidents.ts"
import type { Entry, EntryOf } from "./kinds.ts"
import { isOfLinkage, linkageAfter, linkedOriginal, type LinkageKind } from "./linkages.ts"
import { lookOf } from "./lookalike.ts"
import { messagesOf, noticeSeen } from "./messages.ts"
import { muted, unmuted } from "./mutes.ts"
import { enrolled, proposedMotion, reviewed, seconded, stopOf } from "./motions.ts"
import { registered, takenBy } from "./registry.ts"
import { levelAt, mustHold, personsKey, policyOf, record, rootOf, standingGrant } from "./standing.ts"
import { destroyedName, names, permitName, type CaptureFacts, type Effects, type State } from "./state.ts"
import { originalOpened, traced } from "./traces.ts"
import { backTested, keptModel } from "./watch-rules.ts"
import { answeredBy, watchedBy } from "./watching.ts"

type Part = Partial<Effects>

/**
 * What an entry does to the rows. The sequencer applies it in the transaction that stores the entry, the vault to its own
 * memory, `fsck` from entry 0 on: so the ledger is a cache of the log, and nothing else can be in it.
 * @param index  of the entry.
 */
export function effectsOf(entry: Entry, index: number, state: State): Effects {
  const part = anyPart(entry, index, state)
  const total = names.total(entry.kind)
  const counters = [...(part.counters ?? []), { name: total, value: state.counter(total) + 1 }]
  const { records = [], members = [], captures = [] } = part
  const told = messagesOf(entry, { index, records, state })
  return {
    records: [...records, ...told.records],
    counters,
    members: [...members, ...told.members],
    captures,
    messages: told.messages,
  }
}

function anyPart(entry: Entry, index: number, state: State): Part {
  if (entry.kind === "accounting.made") return {}
  if (isOfLinkage(entry)) return linkageAfter(entry, index, state)
  return isOfIncident(entry) ? incidentAfter(entry, index, state) : partOf(entry, index, state)
}

type Common = Exclude<Entry, { kind: IncidentKind | LinkageKind | "accounting.made" }>

function partOf(entry: Common, index: number, state: State): Part {
  switch (entry.kind) {
    case "organization.added":
    case "organization.suspended":
    case "contract.added":
    case "contract.attested":
    case "person.suspended":
    case "port.added":
    case "lane.added":
    case "reader.enrolled":
      return { records: registered(entry, state), members: takenBy(entry) }
    case "genesis":
    case "person.enrolled":
      return entry.kind === "genesis" ? genesis(entry) : enrolled(entry.person, entry.statement, state)
    case "motion.proposed":
    case "motion.seconded":
      return entry.kind === "motion.proposed" ? proposed(entry, index, state) : seconded(entry, index, state)
    case "stop.ordered":
    case "schema.changed":
    case "recipients.signed":
    case "day.destroyed":
    case "epoch.opened":
      return { records: [ownRecord(entry)] }
    case "admitted":
    case "examined":
      return entry.kind === "admitted" ? admitted(entry, index, state) : examined(entry, index, state)
    case "grant.requested":
    case "grant.edited":
    case "grant.approved":
    case "grant.denied":
    case "grant.revoked":
      return { records: [record("grant", entry.grant, grantAfter(entry, index, state))] }
    case "glass.reviewed":
      return reviewed(entry, index, state)
    case "permit":
    case "refused":
    case "watch.answered":
      return watchedPart(entry, index, state)
    case "opening.destroyed":
    case "notice.acknowledged":
    case "delivered":
      return { members: marked(entry, index) }
    case "trace.opened":
    case "trace.closed":
      return traced(entry, index, state)
    case "alert.raised":
    case "alert.acknowledged":
    case "alert.closed":
    case "message.abandoned":
      return alerted(entry, index, state)
    case "message.resent":
    case "destination.tested":
    case "refused.folded":
    case "opening.read":
    case "log.read":
      return {}
    default:
      return { records: ruled(entry, index, state) }
  }
}

function ruled(
  entry: EntryOf<"rule.muted" | "rule.unmuted" | "model.kept" | "watch.backtested">,
  index: number,
  state: State,
): Effects["records"] {
  switch (entry.kind) {
    case "rule.muted":
      return muted(entry, index, state)
    case "rule.unmuted":
      return unmuted(entry, state)
    case "model.kept":
      return keptModel(entry, index)
    case "watch.backtested":
      return backTested(entry, index)
  }
}

/** What the entry does, and what the watch remembers of it. */
function watchedPart(
  entry: EntryOf<"permit" | "refused" | "watch.answered">,
  index: number,
  state: State,
): Part {
  if (entry.kind === "watch.answered") return { records: answeredBy(entry, state) }
  const part = entry.kind === "permit" ? permitted(entry, index, state) : alerted(entry, index, state)
  const { records = [], counters = [] } = watchAlert(entry, index, state)
  return {
    ...part,
    records: [...(part.records ?? []), ...watchedBy(entry, index, state), ...records],
    counters: [...(part.counters ?? []), ...counters],
  }
}

function proposed(entry: EntryOf<"motion.proposed">, index: number, state: State): Part {
  const motion = record("motion", entry.motion, proposedMotion(entry, state))
  return { records: [motion, ...proposedDestination(entry, index, state)] }
}

function marked(
  entry: EntryOf<"opening.destroyed" | "notice.acknowledged" | "delivered">,
  index: number,
): Effects["members"] {
  if (entry.kind === "delivered") return left(entry, index)
  return [entry.kind === "opening.destroyed" ? destroyed(entry) : seen(entry)]
}

function seen({ entry }: EntryOf<"notice.acknowledged">): Effects["members"][number] {
  return { set: names.notices, member: permitName(entry), value: noticeSeen }
}

/** By its permit, and by its bytes. */
function left({ permit, sha256 }: EntryOf<"delivered">, index: number): Effects["members"] {
  return [
    { set: names.delivered, member: permitName(permit), value: index },
    { set: names.bytes, member: sha256, value: index },
  ]
}

function grantAfter(
  entry: Parameters<typeof changedGrant>[0] | EntryOf<"grant.requested">,
  index: number,
  state: State,
) {
  return entry.kind === "grant.requested"
    ? requestedGrant(entry, index, state)
    : changedGrant(entry, index, state)
}

/** The one record that such an entry writes. */
function ownRecord(
  entry: EntryOf<"stop.ordered" | "schema.changed" | "recipients.signed" | "day.destroyed" | "epoch.opened">,
): Effects["records"][number] {
  switch (entry.kind) {
    case "stop.ordered":
      return record("stop", entry.scope, stopOf(entry.scope, entry.person, true))
    case "schema.changed":
      return schemaRecord(entry)
    case "recipients.signed":
      return record("recipients", "recipients", { ...entry.statement, key: entry.asked.key })
    case "day.destroyed":
      return record("day", entry.day, { day: entry.day })
    case "epoch.opened": {
      const { epoch, recipient_sha256, escrow_sha256 } = entry
      return record("epoch", epoch, { epoch, recipient_sha256, escrow_sha256 })
    }
  }
}

function destroyed({ statement }: EntryOf<"opening.destroyed">): Effects["members"][number] {
  return { set: names.destroyed, member: destroyedName(statement.entry, statement.field), value: 1 }
}

function schemaRecord({ schema_sha256, release }: EntryOf<"schema.changed">) {
  return record("schema", "schema", { schema_sha256, release })
}

function genesis(entry: EntryOf<"genesis">): Part {
  const { origin, mode, organization, escrow_recipient_sha256, person, office, key } = entry
  const counters = [{ name: names.enrolled(office), value: 1 }]
  const member = `organization/${lookOf(entry.organization_name)}`
  const records = [
    record("vault", "vault", { origin, mode, organization, escrow_recipient_sha256 }),
    record("organization", organization, {
      organization,
      name: entry.organization_name,
      parent: null,
      suspended: false,
    }),
    record("person", person, { person, organization, office, suspended: false, key }),
    record("key", key, personsKey(person)),
  ]
  return { records, counters, members: [{ set: names.taken, member, value: 1 }] }
}

function admitted(entry: EntryOf<"admitted">, index: number, state: State): Part {
  const reader = mustHold(state.record("reader", entry.reader))
  const day = entry.sealed_to.slice("day/".length)
  const facts: CaptureFacts = {
    id: entry.capture,
    port: entry.port,
    lane: entry.lane,
    reader: entry.reader,
    sequence: entry.sequence,
    hour: entry.hour,
    kind: entry.captured,
    sealedTo: entry.sealed_to,
    bodySha256: entry.body_sha256,
    size_bytes: entry.size_bytes,
    admitted: index,
    examined: null,
    plates: null,
    faces: null,
  }
  const seen = {
    ...reader,
    last_sequence: Math.max(reader.last_sequence, entry.sequence),
    last_day: reader.last_day > day ? reader.last_day : day,
    last_admitted_at: entry.at,
  }
  const alert = gapAlert(entry, index, state)
  const hour = names.captures(entry.lane, entry.hour)
  return {
    records: [record("reader", entry.reader, seen), ...(alert.records ?? [])],
    counters: [
      { name: hour, value: state.counter(hour) + 1 },
      { name: names.unexamined, value: state.counter(names.unexamined) + 1 },
      ...(alert.counters ?? []),
    ],
    captures: [facts],
  }
}

function examined(entry: EntryOf<"examined">, index: number, state: State): Part {
  const { capture, sealed_to: sealedTo, plates, faces } = entry
  const held = mustHold(state.capture(capture))
  const waited = held.examined === null ? 1 : 0
  return {
    counters: [{ name: names.unexamined, value: state.counter(names.unexamined) - waited }],
    captures: [{ ...held, sealedTo, plates, faces, examined: index }],
  }
}

function requestedGrant(
  { grant, statement, asked }: EntryOf<"grant.requested">,
  index: number,
  state: State,
): GrantState {
  const requester = mustHold(mustHold(state.record("key", asked.key)).person)
  return {
    grant,
    version: 1,
    terms: statement,
    terms_sha256: termsDigest(statement),
    requester,
    status: "pending",
    approvals: [],
    frozen_at: -1,
    glass: null,
    entries: [index],
  }
}

/** An edit that widens anything voids every approval; one that only narrows keeps them. */
function editedGrant({ statement }: EntryOf<"grant.edited">, held: GrantState): GrantState {
  const { terms } = statement
  const edited = { ...held, version: held.version + 1, terms, terms_sha256: termsDigest(terms) }
  return widens(held.terms, terms) ? { ...edited, status: "pending", approvals: [], frozen_at: -1 } : edited
}

function changedGrant(
  entry: Extract<Entry, { kind: "grant.edited" | "grant.approved" | "grant.denied" | "grant.revoked" }>,
  index: number,
  state: State,
): GrantState {
  const found = standingGrant(mustHold(state.record("grant", entry.grant)), state)
  const held = { ...found, entries: [...found.entries, index] }
  if (entry.kind === "grant.edited") return editedGrant(entry, held)
  if (entry.kind === "grant.denied") return { ...held, status: "denied" }
  if (entry.kind === "grant.revoked") return { ...held, status: "revoked" }
  const { office } = mustHold(state.record("person", entry.person))
  const { version } = entry.statement
  const approved = {
    ...held,
    approvals: [...held.approvals, { person: entry.person, office, version, entry: index }],
  }
  return isApproved(approved, policyOf(state))
    ? { ...approved, status: "approved", frozen_at: index }
    : { ...approved, status: "pending" }
}

function permitted(entry: EntryOf<"permit">, index: number, state: State): Part {
  if (entry.trace !== undefined) return originalOpened(entry.trace, state)
  if (entry.linkage !== undefined) return linkedOriginal(entry.linkage, entry.capture, state)
  if (entry.by === null) {
    const set = names.examinations(mustHold(entry.examiner))
    return { members: [{ set, member: entry.capture, value: state.member(set, entry.capture) + 1 }] }
  }
  const { grant, person, organization, images_after, releases_after, people_after } = entry.by
  const set = names.released(grant)
  const counters = [
    { name: names.images(grant), value: images_after },
    { name: names.releases(grant), value: releases_after },
    { name: names.opened, value: state.counter(names.opened) + 1 },
    ...(people_after === null ? [] : [{ name: names.people(grant), value: people_after }]),
  ]
  const released = [
    { set, member: entry.capture, value: state.member(set, entry.capture) + 1 },
    { set: names.permits(grant), member: permitName(index), value: releases_after },
    { set: names.copies(entry.capture), member: permitName(index), value: 1 },
  ]
  const isNew = state.member(set, entry.capture) === 0
  const users = ["vault", person, ...(entry.for === "reveal" ? [] : [rootOf(organization, state)])]
  const records = isNew ? users.map(user => usedBy(user, entry.at, state)) : []
  if (entry.for === "reveal") return { records, counters, members: released }
  const held = names.held(rootOf(organization, state))
  const together = join(entry.level, levelAt(state.member(held, entry.capture)))
  return {
    records,
    counters,
    members: [...released, { set: held, member: entry.capture, value: levels.indexOf(together) }],
  }
}

const usageDays = 30

/** One image more today. */
function usedBy(user: string, at: string, state: State): Effects["records"][number] {
  const date = at.slice(0, 10)
  const days = state.record("usage", user)?.days ?? []
  const last = days.at(-1)
  const grown =
    last?.date === date
      ? [...days.slice(0, -1), { date, images: last.images + 1 }]
      : [...days, { date, images: 1 }].slice(-usageDays)
  return record("usage", user, { days: grown })
}
