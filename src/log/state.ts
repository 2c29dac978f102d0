import { canonical } from "../canonical.ts"
import { assert } from "../fault.ts"
import type { Policy } from "../grant/policy.ts"
import type { ContractState, GrantState, OrganizationState, PersonState } from "../grant/decide.ts"
import type { Office } from "../grant/office.ts"
import type { AlertState } from "./alerts.ts"
import type { DestinationState } from "./destinations.ts"
import type { IncidentState } from "./incidents.ts"
import type { LinkageState } from "./linkages.ts"
import type { MuteState } from "./mutes.ts"
import type { TraceState } from "./traces.ts"
import type { BackTestState, ModelState, RulesState } from "./watch-rules.ts"
import type { EntryOf } from "./kinds.ts"
import type { CaptureRow, Found, KeyOf, MessageRow, RecordRow, Wanted } from "../ledger/ledger.ts"

/** The things whose newest state is kept as records, by kind. */
export interface Records {
  readonly vault: {
    readonly origin: string
    readonly mode: "hybrid" | "x25519"
    readonly organization: string
    readonly escrow_recipient_sha256: string
  }
  readonly organization: OrganizationState & { readonly name: string }
  readonly contract: ContractState & { readonly number: string }
  readonly person: PersonState & { readonly key: string }
  /** By public key in base64: whose it is. */
  readonly key: {
    readonly person: string | null
    readonly reader: string | null
    readonly kind: EntryOfKey
    readonly credential: string | null
  }
  readonly port: { readonly port: string; readonly name: string; readonly time_zone: string }
  readonly lane: { readonly lane: string; readonly port: string; readonly name: string }
  readonly reader: {
    readonly reader: string
    readonly lane: string
    readonly port: string
    readonly key: string
    readonly name: string
    readonly boxes: "trusted" | "none"
    readonly last_sequence: number
    /** The newest day whose key the reader sealed to; empty before its first capture. */
    readonly last_day: string
    /** The time of its newest entry `admitted`; empty before its first capture. */
    readonly last_admitted_at: string
  }
  readonly recipients: {
    readonly list_sha256: string
    readonly first_day: string
    readonly last_day: string
    readonly list_signature: string
    readonly key: string
  }
  readonly day: { readonly day: string }
  readonly epoch: {
    readonly epoch: string
    readonly recipient_sha256: string
    readonly escrow_sha256: string
  }
  readonly grant: GrantState
  readonly policy: Policy
  readonly motion: MotionState
  /** By scope: the vault or a port. */
  readonly stop: { readonly scope: string; readonly isStopped: boolean; readonly person: string }
  /** By person, by the organization at the top of a tree, and of the `vault`: distinct images by UTC day, the newest 30. */
  readonly usage: { readonly days: readonly { readonly date: string; readonly images: number }[] }
  /** Break-glass cases that wait for their review. */
  readonly glass: { readonly open: readonly { readonly grant: string; readonly due_at: string }[] }
  /** By case and capture: until when a second person's signature for one look at L4 holds. */
  readonly look: { readonly person: string; readonly until: string }
  /** Who changed office, and with which entry last: what they approved before it counts no more. */
  readonly moves: { readonly people: readonly { readonly person: string; readonly at: number }[] }
  /** By capture: the boxes that two people set, and with which entry. */
  readonly boxes: SetBoxes & { readonly entry: number }
  readonly alert: AlertState
  readonly trace: TraceState
  readonly incident: IncidentState
  readonly linkage: LinkageState
  /** By `signalName`: the newest alert of that kind about that reader, person, organization or destination. */
  readonly signal: AlertState
  readonly destination: DestinationState
  /** Those that are told, in one record, which every batch loads. */
  readonly destinations: { readonly active: readonly DestinationState[] }
  /** What was told lately of whom (`messages.ts`). */
  readonly recently: { readonly told: readonly { readonly what: string; readonly at_ms: number }[] }
  /** What is not told to whom: those that stand, and those that were over when one was last written. */
  readonly mutes: { readonly mutes: readonly MuteState[] }
  /** By person, and by the organization at the top of a tree: what the watch remembers, as `formatState` writes it. `first`: the entry
   * at which his evidence last rose from nothing; `last`: the newest that was not within a grant. */
  readonly watch: {
    readonly of: "person" | "organization"
    readonly organization: string
    readonly first: number
    readonly last: number | null
    readonly state: string
  }
  /** By digest: models that the log holds. */
  readonly model: ModelState
  /** By the digest of its result: what a model and thresholds would have done. */
  readonly backtest: BackTestState
  /** By which model and thresholds the watch judges; absent before two people said so. */
  readonly rules: RulesState
  /** Which closed list of entry kinds is in force. */
  readonly schema: { readonly schema_sha256: string; readonly release: string }
}

type SetBoxes = Pick<Extract<MotionState["statement"], { readonly plates: unknown }>, "plates" | "faces">

type EntryOfKey = "ed25519" | "passkey" | "subject"

const kindsOfRecords: Readonly<Record<keyof Records, true>> = {
  ...{ vault: true, organization: true, contract: true, person: true, key: true, port: true, lane: true },
  ...{ reader: true, recipients: true, day: true, epoch: true, grant: true, policy: true, motion: true },
  ...{ stop: true, usage: true, glass: true, look: true, moves: true, schema: true },
  ...{ boxes: true, trace: true, watch: true, incident: true, model: true, backtest: true, rules: true },
  ...{ alert: true, signal: true, linkage: true },
  ...{ destination: true, destinations: true, recently: true, mutes: true },
}

/** Every kind of record there is, for whoever must read them all. */
export const recordKinds = Object.keys(kindsOfRecords) as readonly (keyof Records)[]

/** What waits for, or had, a second person. */
export interface MotionState {
  readonly motion: string
  readonly act: EntryOf<"motion.proposed">["act"]
  readonly subject: string | null
  readonly statement: EntryOf<"motion.proposed">["statement"]
  /** Lowercase hexadecimal SHA-256 of motion, act, subject and statement: what the second person signs. */
  readonly motion_sha256: string
  readonly proposer: string
  readonly office: Office
  readonly proposed_at: string
  readonly status: "open" | "carried" | "rejected"
}

export type RecordKind = keyof Records

/** What entries alone say of a capture; the ledger's row has its headers beside it. */
export type CaptureFacts = Pick<
  CaptureRow,
  | "id"
  | "port"
  | "lane"
  | "reader"
  | "sequence"
  | "hour"
  | "kind"
  | "sealedTo"
  | "bodySha256"
  | "size_bytes"
  | "admitted"
  | "examined"
  | "plates"
  | "faces"
>

/** What one entry changes. Whole new values, never differences. */
export interface Effects {
  readonly records: readonly {
    readonly kind: RecordKind
    readonly id: string
    readonly body: Records[RecordKind]
  }[]
  readonly counters: readonly { readonly name: string; readonly value: number }[]
  readonly members: readonly { readonly set: string; readonly member: string; readonly value: number }[]
  readonly captures: readonly CaptureFacts[]
  /** What somebody is to be told. */
  readonly messages: readonly MessageRow[]
}

/** The state that the log's entries lead to, as far as the asker holds it. */
export interface State {
  record<K extends RecordKind>(kind: K, id: string): Records[K] | null
  counter(name: string): number
  member(set: string, member: string): number
  capture(id: string): CaptureFacts | null
  /** The capture that has this number of this reader. */
  captureAt(reader: string, sequence: number): CaptureFacts | null
}

/** Names of counters and sets, in one place. */
export const names = {
  images: (grant: string) => `images/${grant}`,
  releases: (grant: string) => `releases/${grant}`,
  /** Faces in the distinct images of a grant that bounds them. */
  people: (grant: string) => `people/${grant}`,
  total: (kind: string) => `total/${kind}`,
  /** Images that were permitted to people: releases and reveals. */
  opened: "opened",
  /** Captures that wait for their examination. */
  unexamined: "unexamined",
  /** Openings that were destroyed, by `destroyedName`. */
  destroyed: "openings/destroyed",
  released: (grant: string) => `grant/${grant}`,
  /** Permits under the grant by `permitName`, with how many releases there were then: what left, in order. */
  permits: (grant: string) => `permits/${grant}`,
  /** Permits whose copy was delivered, by `permitName`, with the entry that says so. */
  delivered: "delivered",
  /** Deliveries by the SHA-256 of what left, with their entry; of equal bytes the newest. */
  bytes: "delivered/sha256",
  /** Permits for people of one capture, by `permitName`: whose copies there are. */
  copies: (capture: string) => `copies/${capture}`,
  /** How often a found file was traced, by its SHA-256. */
  traced: "traced",
  /** Entries with answers of a linkage, by which of them it is, from 1. */
  answers: (linkage: string) => `answers/${linkage}`,
  /** Captures that were opened for a linkage: each once. */
  linked: (linkage: string) => `linked/${linkage}`,
  /** Declarations by `onceName`, with their entry: the same request again is no second incident. */
  declared: "incidents/declared",
  held: (rootOrganization: string) => `held/${rootOrganization}`,
  /** People enrolled in that office. */
  enrolled: (office: Office) => `enrolled/${office}`,
  examinations: (examiner: string) => `examine/${examiner}`,
  /** Names of organizations, ports, lanes and readers that are taken, as `lookOf` folds them. */
  taken: "names/taken",
  /** Alerts that nobody acknowledged yet. */
  openAlerts: "alerts/open",
  /** Entries that somebody was told of and that wait for a person, or were acknowledged, by `permitName`. */
  notices: "notices",
  /** Events of a reader's agent that alerts rest on: by run of the agent, its newest. */
  told: (reader: string) => `told/${reader}`,
  /** Captures of one lane in one hour of its port. */
  captures: (lane: string, hour: string) => `captures/${lane}/${hour}`,
}

/** The record of the newest alert of one kind about one reader, person, organization or destination. */
export function signalName(about: string, what: AlertState["what"]): string {
  return `${about}/${what}`
}

/** An entry's index as a member of a set that is read in order. */
export function permitName(index: number): string {
  return String(index).padStart(16, "0")
}

/** The record of one look: of this capture under this case. */
export function lookName(grant: string, capture: string): string {
  return `${grant}/${capture}`
}

/** A declaration by who made it and the SHA-256 of his request's Idempotency-Key. */
export function onceName(person: string, once: string): string {
  return `${person}/${once}`
}

/** An opening as a member of the set of those that were destroyed. */
export function destroyedName(entry: number, field: string): string {
  return `${entry}/${field}`
}

/** A state in memory: of a batch (only what was loaded may be read), of the vault, or of the whole log in `fsck`. */
export class Register implements State {
  readonly records = new Map<
    string,
    { readonly key: KeyOf; readonly version: number; readonly body: Records[RecordKind] }
  >()
  readonly counters = new Map<string, number>()
  readonly sets = new Map<string, Map<string, number>>()
  readonly captures = new Map<string, CaptureFacts>()
  readonly messages = new Map<string, MessageRow>()
  readonly #bySequence = new Map<string, string>()
  readonly #known: ReadonlySet<string> | null
  readonly #keeps: (effects: Effects) => Effects

  /** @param known  what may be read; `null`: everything, and what is absent does not exist. */
  constructor(
    known: ReadonlySet<string> | null = null,
    keeps: (effects: Effects) => Effects = effects => effects,
  ) {
    this.#known = known
    this.#keeps = keeps
  }

  /** The state of a batch: the rows that were found among those wanted. */
  static of(wanted: Wanted, found: Found): Register {
    const known = new Set([
      ...wanted.records.map(key => `record ${key.kind} ${key.id}`),
      ...wanted.counters.map(name => `counter ${name}`),
      ...wanted.members.map(member => `member ${member.set} ${member.member}`),
      ...wanted.captures.map(id => `capture ${id}`),
      ...wanted.sequences.map(pair => `sequence ${pair.reader} ${pair.sequence}`),
    ])
    const register = new Register(known)
    for (const row of found.records) register.#put(row)
    for (const row of found.counters) register.counters.set(row.name, row.value)
    for (const row of found.members) register.#set(row.set).set(row.member, row.value)
    for (const row of found.captures) register.#keep(factsOf(row))
    return register
  }

  record<K extends RecordKind>(kind: K, id: string): Records[K] | null {
    this.#mayRead(`record ${kind} ${id}`)
    return (this.records.get(`${kind} ${id}`)?.body as Records[K] | undefined) ?? null
  }

  counter(name: string): number {
    this.#mayRead(`counter ${name}`)
    return this.counters.get(name) ?? 0
  }

  member(set: string, member: string): number {
    this.#mayRead(`member ${set} ${member}`)
    return this.sets.get(set)?.get(member) ?? 0
  }

  capture(id: string): CaptureFacts | null {
    this.#mayRead(`capture ${id}`)
    return this.captures.get(id) ?? null
  }

  captureAt(reader: string, sequence: number): CaptureFacts | null {
    this.#mayRead(`sequence ${reader} ${sequence}`)
    return this.captures.get(this.#bySequence.get(`${reader} ${sequence}`) ?? "") ?? null
  }

  /** Takes on what entry `index` changes. */
  apply(effects: Effects, index: number): void {
    const kept = this.#keeps(effects)
    for (const { kind, id, body } of kept.records) {
      this.records.set(`${kind} ${id}`, { key: { kind, id }, version: index, body })
    }
    for (const { name, value } of kept.counters) this.counters.set(name, value)
    for (const { set, member, value } of kept.members) this.#set(set).set(member, value)
    for (const facts of kept.captures) this.#keep(facts)
    for (const message of kept.messages) this.messages.set(message.id, message)
  }

  #mayRead(what: string): void {
    assert(this.#known === null || this.#known.has(what), `a batch loads what it reads: ${what}`)
  }

  #set(name: string): Map<string, number> {
    const held = this.sets.get(name) ?? new Map<string, number>()
    this.sets.set(name, held)
    return held
  }

  #keep(facts: CaptureFacts): void {
    this.captures.set(facts.id, facts)
    this.#bySequence.set(`${facts.reader} ${facts.sequence}`, facts.id)
  }

  #put(row: RecordRow): void {
    const key = { kind: row.kind, id: row.id }
    this.records.set(`${row.kind} ${row.id}`, {
      key,
      version: row.version,
      body: JSON.parse(row.body) as Records[RecordKind],
    })
  }
}

/** A record as the ledger stores it. */
export function recordRow(kind: string, id: string, state: { version: number; body: unknown }): RecordRow {
  return { kind, id, version: state.version, body: canonical(state.body) }
}

export function factsOf(row: CaptureRow): CaptureFacts {
  const {
    id,
    port,
    lane,
    reader,
    sequence,
    hour,
    kind,
    sealedTo,
    bodySha256,
    size_bytes,
    admitted,
    examined,
    plates,
    faces,
  } = row
  return {
    id,
    port,
    lane,
    reader,
    sequence,
    hour,
    kind,
    sealedTo,
    bodySha256,
    size_bytes,
    admitted,
    examined,
    plates,
    faces,
  }
}
