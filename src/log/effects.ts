import { sha256 } from "@noble/hashes/sha2.js"
import { hex, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { assert } from "../fault.ts"
import { approvalsSuffice, type GrantState } from "../grant/decide.ts"
import { join, levels, type Level } from "../grant/level.ts"
import { widens } from "../grant/edit.ts"
import { defaultPolicy, type Policy } from "../grant/policy.ts"
import { termsDigest } from "../grant/terms.ts"
import type { Entry, EntryOf } from "./kinds.ts"
import {
  destroyedName,
  names,
  type CaptureFacts,
  type Effects,
  type MotionState,
  type RecordKind,
  type Records,
  type State,
} from "./state.ts"

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
      return { records: registered(entry, state) }
    case "person.enrolled":
      return enrolled(entry.person, entry.statement, state)
    case "motion.proposed":
      return { records: [record("motion", entry.motion, proposedMotion(entry, state))] }
    case "motion.seconded":
      return seconded(entry, state)
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
    case "examined": {
      const held = mustHold(state.capture(entry.capture))
      return { captures: [{ ...held, sealedTo: entry.sealed_to, examined: index }] }
    }
    case "grant.requested":
      return { records: [record("grant", entry.grant, requestedGrant(entry, state))] }
    case "grant.edited":
    case "grant.approved":
    case "grant.denied":
    case "grant.revoked":
      return { records: [record("grant", entry.grant, changedGrant(entry, index, state))] }
    case "permit":
      return permitted(entry, state)
    case "opening.destroyed": {
      const member = destroyedName(entry.statement.entry, entry.statement.field)
      return { members: [{ set: names.destroyed, member, value: 1 }] }
    }
    case "schema.changed": {
      const { schema_sha256, release } = entry
      return { records: [record("schema", "schema", { schema_sha256, release })] }
    }
    case "refused":
    case "refused.folded":
    case "opening.read":
    case "delivered":
      return {}
  }
}

function epochRecord({ epoch, recipient_sha256, escrow_sha256 }: EntryOf<"epoch.opened">) {
  return record("epoch", epoch, { epoch, recipient_sha256, escrow_sha256 })
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

function record<K extends RecordKind>(kind: K, id: string, body: Records[K]): Effects["records"][number] {
  return { kind, id, body }
}

function mustHold<T>(held: T | null): T {
  assert(held !== null, "an entry changes what an earlier one made")
  return held
}

function genesis(entry: EntryOf<"genesis">): Part {
  const { origin, mode, organization, escrow_recipient_sha256, person, office, key } = entry
  const counters = [{ name: names.enrolled(office), value: 1 }]
  const records = [
    record("vault", "vault", { origin, mode, organization, escrow_recipient_sha256 }),
    record("organization", organization, {
      organization,
      name: entry.organization_name,
      parent: null,
      suspended: false,
    }),
    record("person", person, { person, organization, office, suspended: false, key }),
    record("key", key, { person, reader: null }),
  ]
  return { records, counters }
}

function enrolled(
  person: string,
  { organization, office, key }: EntryOf<"person.enrolled">["statement"],
  state: State,
): Part {
  const name = names.enrolled(office)
  return {
    records: [
      record("person", person, { person, organization, office, key, suspended: false }),
      record("key", key, { person, reader: null }),
    ],
    counters: [{ name, value: state.counter(name) + 1 }],
  }
}

function proposedMotion(entry: EntryOf<"motion.proposed">, state: State): MotionState {
  const { motion, act, subject, statement, asked, at } = entry
  const { person, office } = mustHold(signerOfRequest(asked.key, state))
  const motion_sha256 = motionDigest(entry)
  return {
    ...{ motion, act, subject, statement, motion_sha256 },
    ...{ proposer: person, office, proposed_at: at, status: "open" },
  }
}

/** The digest that the second person of a motion signs. */
export function motionDigest({
  motion,
  act,
  subject,
  statement,
}: Pick<EntryOf<"motion.proposed">, "motion" | "act" | "subject" | "statement">): string {
  return hex(sha256(utf8(canonical({ motion, act, subject, statement }))))
}

/** What a motion does comes into effect with the second person's signature. */
function seconded({ motion: id, statement }: EntryOf<"motion.seconded">, state: State): Part {
  const motion = mustHold(state.record("motion", id))
  const isCarried = statement.decision === "second"
  const closed = record("motion", id, { ...motion, status: isCarried ? "carried" : "rejected" })
  if (!isCarried) return { records: [closed] }
  const { records = [], counters = [] } = carried(motion, state)
  return { records: [closed, ...records], counters }
}

function stopOf(scope: string, person: string, isStopped: boolean): Records["stop"] {
  return { scope, isStopped, person }
}

function carried({ act, subject, statement, proposer }: MotionState, state: State): Part {
  const stated = statement as never
  switch (act) {
    case "enroll":
      return enrolled(mustHold(subject), stated, state)
    case "policy":
      return { records: [record("policy", "policy", stated)] }
    case "resume": {
      const { scope } = statement as { scope: string }
      return { records: [record("stop", scope, stopOf(scope, proposer, false))] }
    }
    case "add-key":
    case "remove-key": {
      const { person, key } = statement as { person: string; key: string }
      // A key that was taken away keeps its row without an owner, so that it never comes back.
      return { records: [record("key", key, { person: act === "add-key" ? person : null, reader: null })] }
    }
  }
}

/** The person whose key signed the request, or `null`. */
export function signerOfRequest(key: string, state: State): Records["person"] | null {
  const person = state.record("key", key)?.person ?? null
  return person === null ? null : state.record("person", person)
}

function readerRecords({ reader, statement }: EntryOf<"reader.enrolled">, state: State): Effects["records"] {
  const { port } = mustHold(state.record("lane", statement.lane))
  return [
    record("reader", reader, { reader, port, ...statement, last_sequence: 0, last_day: "" }),
    record("key", statement.key, { person: null, reader }),
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
  }
  const seen = {
    ...reader,
    last_sequence: Math.max(reader.last_sequence, entry.sequence),
    last_day: reader.last_day > day ? reader.last_day : day,
  }
  return { records: [record("reader", entry.reader, seen)], captures: [facts] }
}

function requestedGrant({ grant, statement, asked }: EntryOf<"grant.requested">, state: State): GrantState {
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
  const held = mustHold(state.record("grant", entry.grant))
  if (entry.kind === "grant.edited") return editedGrant(entry, held)
  if (entry.kind === "grant.denied") return { ...held, status: "denied" }
  if (entry.kind === "grant.revoked") return { ...held, status: "revoked" }
  const { office } = mustHold(state.record("person", entry.person))
  const { version } = entry.statement
  const approved = { ...held, approvals: [...held.approvals, { person: entry.person, office, version }] }
  return approvalsSuffice(approved, policyOf(state))
    ? { ...approved, status: "approved", frozen_at: index }
    : { ...approved, status: "pending" }
}

function permitted(entry: EntryOf<"permit">, state: State): Part {
  if (entry.by === null) {
    const set = names.examinations(mustHold(entry.examiner))
    return { members: [{ set, member: entry.capture, value: state.member(set, entry.capture) + 1 }] }
  }
  const { grant, person, organization, images_after, releases_after } = entry.by
  const set = names.released(grant)
  const counters = [
    { name: names.images(grant), value: images_after },
    { name: names.releases(grant), value: releases_after },
    { name: names.opened, value: state.counter(names.opened) + 1 },
  ]
  const released = { set, member: entry.capture, value: state.member(set, entry.capture) + 1 }
  const isNew = state.member(set, entry.capture) === 0
  const users = ["vault", person, ...(entry.for === "reveal" ? [] : [rootOf(organization, state)])]
  const records = isNew ? users.map(user => usedBy(user, entry.at, state)) : []
  if (entry.for === "reveal") return { records, counters, members: [released] }
  const held = names.held(rootOf(organization, state))
  const together = join(entry.level, levelAt(state.member(held, entry.capture)))
  return {
    records,
    counters,
    members: [released, { set: held, member: entry.capture, value: levels.indexOf(together) }],
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

/** The policy in force. */
export function policyOf(state: State): Policy {
  return state.record("policy", "policy") ?? defaultPolicy
}

/** The level that a member of a `held/` set stands for. */
export function levelAt(value: number): Level {
  return levels[value] ?? "L0"
}

/** The organization at the top of the tree: a prime, or the agency. */
export function rootOf(organization: string, state: State): string {
  const parent = state.record("organization", organization)?.parent ?? null
  return parent === null ? organization : rootOf(parent, state)
}
