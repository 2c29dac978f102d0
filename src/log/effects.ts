import { isApproved, type GrantState } from "../grant/decide.ts"
import { join, levels } from "../grant/level.ts"
import { widens } from "../grant/edit.ts"
import { termsDigest } from "../grant/terms.ts"
import { alerted, gapAlert } from "./alerts.ts"
import type { Entry, EntryOf } from "./kinds.ts"
import { lookOf } from "./lookalike.ts"
import { enrolled, proposedMotion, reviewed, seconded, stopOf } from "./motions.ts"
import { levelAt, mustHold, personsKey, policyOf, record, rootOf, standingGrant } from "./standing.ts"
import { destroyedName, names, permitName, type CaptureFacts, type Effects, type State } from "./state.ts"
import { originalOpened, traced } from "./traces.ts"

type Part = Partial<Effects>

/**
 * What an entry does to the rows. The sequencer applies it in the transaction that stores the entry, the vault to its own
 * memory, `fsck` from entry 0 on: so the ledger is a cache of the log, and nothing else can be in it.
 * @param index  of the entry.
 */
export function effectsOf(entry: Entry, index: number, state: State): Effects {
  const part = partOf(entry, index, state)
  const total = names.total(entry.kind)
  const counters = [...(part.counters ?? []), { name: total, value: state.counter(total) + 1 }]
  return { records: part.records ?? [], counters, members: part.members ?? [], captures: part.captures ?? [] }
}

function partOf(entry: Entry, index: number, state: State): Part {
  switch (entry.kind) {
    case "genesis":
      return genesis(entry)
    case "organization.added":
    case "organization.suspended":
    case "contract.added":
    case "contract.attested":
    case "person.suspended":
    case "port.added":
    case "lane.added":
    case "reader.enrolled":
      return { records: registered(entry, state), members: takenBy(entry) }
    case "person.enrolled":
      return enrolled(entry.person, entry.statement, state)
    case "motion.proposed":
      return { records: [record("motion", entry.motion, proposedMotion(entry, state))] }
    case "motion.seconded":
      return seconded(entry, index, state)
    case "stop.ordered":
      return { records: [record("stop", entry.scope, stopOf(entry.scope, entry.person, true))] }
    case "recipients.signed":
      return { records: [record("recipients", "recipients", { ...entry.statement, key: entry.asked.key })] }
    case "day.destroyed":
      return { records: [record("day", entry.day, { day: entry.day })] }
    case "epoch.opened":
      return { records: [epochRecord(entry)] }
    case "admitted":
      return admitted(entry, index, state)
    case "examined":
      return examined(entry, index, state)
    case "grant.requested":
    case "grant.edited":
    case "grant.approved":
    case "grant.denied":
    case "grant.revoked":
      return { records: [record("grant", entry.grant, grantAfter(entry, index, state))] }
    case "glass.reviewed":
      return reviewed(entry, index, state)
    case "permit":
      return permitted(entry, index, state)
    case "opening.destroyed":
      return { members: [destroyed(entry)] }
    case "schema.changed":
      return { records: [schemaRecord(entry)] }
    case "trace.opened":
    case "trace.closed":
      return traced(entry, index, state)
    case "alert.raised":
    case "alert.acknowledged":
    case "refused":
      return alerted(entry, index, state)
    case "refused.folded":
    case "opening.read":
    case "log.read":
      return {}
    case "delivered":
      return { members: left(entry, index) }
  }
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

function epochRecord({ epoch, recipient_sha256, escrow_sha256 }: EntryOf<"epoch.opened">) {
  return record("epoch", epoch, { epoch, recipient_sha256, escrow_sha256 })
}

function destroyed({ statement }: EntryOf<"opening.destroyed">): Effects["members"][number] {
  return { set: names.destroyed, member: destroyedName(statement.entry, statement.field), value: 1 }
}

function schemaRecord({ schema_sha256, release }: EntryOf<"schema.changed">) {
  return record("schema", "schema", { schema_sha256, release })
}

type Registered = Extract<
  Entry,
  {
    readonly kind:
      | "organization.added"
      | "organization.suspended"
      | "contract.added"
      | "contract.attested"
      | "person.suspended"
      | "port.added"
      | "lane.added"
      | "reader.enrolled"
  }
>

/** What a custodian registers or suspends. */
function registered(entry: Registered, state: State): Effects["records"] {
  switch (entry.kind) {
    case "organization.added":
      return [
        record("organization", entry.organization, {
          organization: entry.organization,
          ...entry.statement,
          suspended: false,
        }),
      ]
    case "organization.suspended": {
      const held = mustHold(state.record("organization", entry.organization))
      return [record("organization", entry.organization, { ...held, suspended: entry.statement.suspended })]
    }
    case "contract.added":
      return [record("contract", entry.contract, { contract: entry.contract, ...entry.statement })]
    case "contract.attested": {
      const held = mustHold(state.record("contract", entry.contract))
      const others = held.attestations.filter(shown => shown.name !== entry.statement.name)
      const attestations = [...others, entry.statement]
      return [record("contract", entry.contract, { ...held, attestations })]
    }
    case "person.suspended": {
      const held = mustHold(state.record("person", entry.person))
      return [record("person", entry.person, { ...held, suspended: entry.statement.suspended })]
    }
    case "port.added":
      return [record("port", entry.port, { port: entry.port, ...entry.statement })]
    case "lane.added":
      return [record("lane", entry.lane, { lane: entry.lane, ...entry.statement })]
    case "reader.enrolled":
      return readerRecords(entry, state)
  }
}

/** The name that an entry takes, where names must be told apart: organizations, ports, and the lanes of one port. */
export function takenName(entry: { readonly kind: string }): string | null {
  const { kind, statement } = entry as Extract<
    Entry,
    { kind: "organization.added" | "port.added" | "lane.added" }
  >
  if (kind === "organization.added") return `organization/${lookOf(statement.name)}`
  if (kind === "port.added") return `port/${lookOf(statement.name)}`
  return kind === "lane.added" ? `lane/${statement.port}/${lookOf(statement.name)}` : null
}

function takenBy(entry: Registered): Effects["members"] {
  const member = takenName(entry)
  return member === null ? [] : [{ set: names.taken, member, value: 1 }]
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

function readerRecords({ reader, statement }: EntryOf<"reader.enrolled">, state: State): Effects["records"] {
  const { port } = mustHold(state.record("lane", statement.lane))
  return [
    record("reader", reader, {
      reader,
      port,
      ...statement,
      last_sequence: 0,
      last_day: "",
      last_admitted_at: "",
    }),
    record("key", statement.key, { ...personsKey(null), reader }),
  ]
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
