import { Type, type Static, type TSchema } from "typebox"
import { Compile } from "typebox/compile"
import { canonical } from "../canonical.ts"
import { sha256 } from "@noble/hashes/sha2.js"
import { hex, textOf, utf8 } from "../bytes.ts"
import { assert } from "../fault.ts"
import { eventNames } from "./event-table.ts"
import { incidentFields, incidentStatements } from "./incident-shapes.ts"
import { linkageKinds } from "./linkage-kinds.ts"
import { ruleKinds } from "./rule-kinds.ts"
import {
  acts,
  alertDetail,
  alertKinds,
  asked,
  by,
  closed,
  count,
  date,
  id,
  index,
  keyName,
  kind,
  traceVerdict,
  label,
  level,
  localHour,
  network,
  nullable,
  stopScope,
  watched,
} from "./shapes.ts"
import { office, oneOf, publicKey, purpose, sha256Base64, sha256Hex, statements, time } from "./shapes.ts"
import { traceLimits } from "./trace-limits.ts"

type RefusedAct =
  | "admission"
  | "registry"
  | "grant"
  | "approval"
  | "draw"
  | "release"
  | "reveal"
  | "examine"
  | "read"
  | "opening"
  | "motion"
  | "stop"
  | "rate"
  | "alert"
  | "trace"
  | "message"
  | "watch"
  | "incident"

/** The closed list of entry kinds. A new kind, or a new field, is a new version of the schema. */
export const kinds = {
  genesis: kind("genesis", {
    origin: label,
    mode: oneOf(["hybrid", "x25519"]),
    escrow_recipient_sha256: sha256Hex,
    /** Of the key that canaries are known by (decision 0019); absent in vaults of before. */
    canary_key_sha256: Type.Optional(sha256Hex),
    organization: id("org"),
    organization_name: label,
    person: id("per"),
    office,
    key: publicKey,
    name_commitment: sha256Base64,
  }),
  "organization.added": kind("organization.added", {
    organization: id("org"),
    ...by(statements.organization),
  }),
  "organization.suspended": kind("organization.suspended", {
    organization: id("org"),
    ...by(statements.suspension),
  }),
  "contract.added": kind("contract.added", { contract: id("con"), ...by(statements.contract) }),
  /** The contractor showed it anew. */
  "contract.attested": kind("contract.attested", { contract: id("con"), ...by(statements.attestation) }),
  /** What one person asks for and another must sign; `subject` is the person that an enrolment makes, the case that a
   * break-glass opens, or the destination that is added. */
  "motion.proposed": kind("motion.proposed", {
    motion: id("mot"),
    act: oneOf(Object.keys(acts) as (keyof typeof acts)[]),
    subject: nullable(Type.String({ pattern: "^(per|cas|dst)_[0-7][0-9A-HJKMNP-TV-Z]{25}$" })),
    ...by(Type.Union(Object.values(acts) as [(typeof acts)[keyof typeof acts]])),
  }),
  "motion.seconded": kind("motion.seconded", {
    motion: id("mot"),
    act: oneOf(Object.keys(acts) as (keyof typeof acts)[]),
    person: id("per"),
    ...by(statements.seconding),
  }),
  /** Nothing leaves the vault, or a port's captures, until two people resume it. */
  "stop.ordered": kind("stop.ordered", { scope: stopScope, person: id("per"), ...by(statements.stop) }),
  "person.enrolled": kind("person.enrolled", { person: id("per"), ...by(statements.person) }),
  "person.suspended": kind("person.suspended", { person: id("per"), ...by(statements.suspension) }),
  "port.added": kind("port.added", { port: id("prt"), ...by(statements.port) }),
  "lane.added": kind("lane.added", { lane: id("lan"), ...by(statements.lane) }),
  "reader.enrolled": kind("reader.enrolled", { reader: id("rdr"), ...by(statements.reader) }),
  "recipients.signed": kind("recipients.signed", by(statements.recipients)),
  "day.destroyed": kind("day.destroyed", { day: date }),
  "epoch.opened": kind("epoch.opened", {
    epoch: keyName,
    recipient_sha256: sha256Hex,
    escrow_sha256: sha256Hex,
  }),
  admitted: kind("admitted", {
    capture: id("cap"),
    port: id("prt"),
    lane: id("lan"),
    hour: localHour,
    captured: oneOf(["plate", "face", "scene"]),
    reader: id("rdr"),
    sequence: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    /** How many numbers are missing before this one. */
    gap: count,
    sealed_to: keyName,
    /** SHA-256 of the signed capture header (canonical JSON) and its signature. */
    header_sha256: sha256Hex,
    body_sha256: sha256Hex,
    size_bytes: count,
  }),
  examined: kind("examined", {
    capture: id("cap"),
    permit: index,
    /** `boxes`: a plate that L2 can show; `none`: no such; `unreadable`: what was sealed is no picture that decodes; `absent`: the
     * reader sent none. */
    outcome: oneOf(["boxes", "none", "unreadable", "absent"]),
    /** How many plates L2 can show, and how many faces were found; `null` where nothing looked for them. */
    plates: count,
    faces: nullable(count),
    sealed_to: keyName,
    age_header_sha256: sha256Hex,
    /** Commitment to the findings; its salt stands in the ledger beside them. */
    findings_commitment: sha256Base64,
  }),
  "grant.requested": kind("grant.requested", {
    grant: Type.String({ pattern: "^(grt|cas)_[0-7][0-9A-HJKMNP-TV-Z]{25}$" }),
    ...by(statements.terms),
  }),
  "grant.edited": kind("grant.edited", { grant: label, person: id("per"), ...by(statements.edit) }),
  "grant.approved": kind("grant.approved", { grant: label, person: id("per"), ...by(statements.approval) }),
  "grant.denied": kind("grant.denied", { grant: label, person: id("per"), ...by(statements.approval) }),
  "grant.revoked": kind("grant.revoked", { grant: label, person: id("per"), ...by(statements.revocation) }),
  /** Somebody who had no part in it judged a break-glass afterwards. */
  "glass.reviewed": kind("glass.reviewed", { grant: id("cas"), person: id("per"), ...by(statements.review) }),
  permit: kind("permit", {
    for: oneOf(["release", "reveal", "examine", "trace", "link"]),
    capture: id("cap"),
    lane: id("lan"),
    hour: localHour,
    level,
    /** As the grant's terms have it. */
    region: Type.Optional(Type.Literal("wide")),
    /** Indexes of the capture's entries that the opening rests on. */
    admitted: index,
    examined: nullable(index),
    /** The faces that the examination found, as its entry says. */
    faces: nullable(count),
    /** Who asked, and under what; `null` when the system examines. */
    by: nullable(
      closed({
        person: id("per"),
        organization: id("org"),
        grant: label,
        purpose,
        terms_sha256: sha256Hex,
        /** Distinct images and releases under the grant, this one included. */
        images_after: count,
        releases_after: count,
        /** Faces in the distinct images; `null` where the terms do not bound them. */
        people_after: nullable(count),
        /** Distinct images over all grants, this one included: of the person and of everyone today (UTC), of the
         * organization's tree in 30 days; 0 for the agency's own. */
        person_day_after: count,
        organization_30d_after: count,
        vault_day_after: count,
        /** The budgets of which this image uses up the first half. */
        halves: Type.Array(oneOf(["grant", "person_day", "organization_30d", "vendor_day", "vault_day"]), {
          maxItems: 5,
        }),
        /** Which of the contract's networks the request came from. */
        network: nullable(network),
      }),
    ),
    /** Name and version of the examiner, `null` for people. */
    examiner: nullable(Type.String({ pattern: "^[a-z0-9-]{1,32}/[0-9]{1,6}$" })),
    /** What the copy will carry for its holder (docs/formats/mark.md); absent where no copy leaves, and in permits of before the mark. */
    mark_sha256: Type.Optional(sha256Hex),
    /** The trace, or the linkage, that the system opens it for. */
    trace: Type.Optional(id("trc")),
    linkage: Type.Optional(id("lnk")),
    /** What the watch made of it; absent where no person asked, and in permits of before the watch. */
    watch: Type.Optional(watched),
    asked: nullable(asked),
    statement: nullable(Type.Union([statements.release, statements.reveal])),
  }),
  refused: kind("refused", {
    of: oneOf([
      ...["admission", "registry", "grant", "approval", "draw", "release", "reveal", "examine"],
      ...["read", "opening", "motion", "stop", "rate", "alert", "trace", "message", "watch", "incident"],
    ] as RefusedAct[]),
    code: Type.String({ pattern: "^[A-Z_]{3,32}$" }),
    person: nullable(id("per")),
    reader: nullable(id("rdr")),
    grant: nullable(label),
    capture: nullable(id("cap")),
    network: nullable(network),
    /** What the watch made of it, where the refusal says something of who asked. */
    watch: Type.Optional(watched),
    asked: nullable(asked),
    /** What was asked, where that is a question to the decision table: a replay must refuse it again. */
    statement: nullable(Type.Union([statements.release, statements.reveal, statements.draw])),
  }),
  /** Who was asked why by the watch said it, with his key or passkey. */
  "watch.answered": kind("watch.answered", { person: id("per"), ...by(statements.answer) }),
  ...ruleKinds,
  ...linkageKinds,
  /** What one person asked beyond the rate within a window, after the first refusal of the window: counted, not listed. */
  "refused.folded": kind("refused.folded", {
    code: oneOf(["RATE"]),
    person: id("per"),
    count: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    first_at: time,
    last_at: time,
    /** h₀ = 32 zero bytes, hₙ = SHA-256(hₙ₋₁ ‖ the n-th request's signature). */
    signatures_sha256: sha256Hex,
  }),
  /** Someone saw an entry with the texts behind its commitments. */
  "opening.read": kind("opening.read", { entry: index, person: id("per"), asked }),
  /** Somebody was told what left of his crossing, and to whom; counts of the captures and disclosures that were listed. */
  "accounting.made": kind("accounting.made", {
    ...{ person: id("per"), captures: count, disclosures: count },
    ...by(statements.accounting),
  }),
  /** Someone looked through the log; a session's request is not kept, since its key is of that browser alone, nor
   * is one about canaries, since it would say which. */
  "log.read": kind("log.read", {
    person: id("per"),
    /** `canaries`: which captures are some, are to be, or were touched. */
    what: oneOf(["entries", "bundles", "check", "canaries"]),
    asked: nullable(asked),
  }),
  /** The text behind a commitment is gone; the entry and every proof stay as they are. */
  "opening.destroyed": kind("opening.destroyed", { person: id("per"), ...by(statements.destruction) }),
  /** From here on entries may be of the closed list with this digest. */
  "schema.changed": kind("schema.changed", { schema_sha256: sha256Hex, release: label }),
  /** What the vault noticed of a reader, or its agent told. Alerts are state: one that is open takes on what comes again. */
  "alert.raised": kind("alert.raised", {
    port: id("prt"),
    lane: id("lan"),
    reader: id("rdr"),
    /** One of each kind at most. */
    signals: Type.Array(
      closed({
        what: oneOf(alertKinds),
        count: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
        detail: alertDetail,
      }),
      { minItems: 1, maxItems: alertKinds.length },
    ),
    /** Which of the agent's events it rests on: of each of its runs the newest. */
    told: Type.Array(
      closed({
        boot: Type.String({ pattern: "^[0-9a-f]{16}$" }),
        n: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
      }),
      { maxItems: 64 },
    ),
  }),
  "alert.acknowledged": kind("alert.acknowledged", {
    alert: id("alt"),
    person: id("per"),
    ...by(statements.acknowledgement),
  }),
  /** A person ends an alert, and says why. */
  "alert.closed": kind("alert.closed", { alert: id("alt"), person: id("per"), ...by(statements.closing) }),
  /** A person saw what somebody was told of that entry. */
  "notice.acknowledged": kind("notice.acknowledged", {
    entry: index,
    person: id("per"),
    ...by(statements.acknowledgement),
  }),
  /** A person asks whether a destination is reached. */
  "destination.tested": kind("destination.tested", {
    destination: id("dst"),
    person: id("per"),
    ...by(statements.test),
  }),
  /** A person has a message sent again. */
  "message.resent": kind("message.resent", {
    message: id("msg"),
    person: id("per"),
    ...by(statements.resending),
  }),
  /** Nobody took a message for three days. */
  "message.abandoned": kind("message.abandoned", {
    message: id("msg"),
    destination: id("dst"),
    event: oneOf(eventNames),
    attempts: count,
  }),
  delivered: kind("delivered", {
    permit: index,
    capture: id("cap"),
    sha256: sha256Hex,
    size_bytes: count,
    media_type: oneOf(["image/png", "image/jpeg"]),
    /** How strongly the copy is marked: pixels that carry the mark, and the ratio of peak to change over them in dB; `null` where
     * no pixel of the picture is shown. Absent in deliveries of before the mark. */
    mark: Type.Optional(nullable(closed({ marked_px: count, psnr_db: count }))),
  }),
  /** Somebody asks whose copies these files are; which ones is fixed before any is looked at. */
  "trace.opened": kind("trace.opened", { trace: id("trc"), person: id("per"), ...by(statements.trace) }),
  /** What was found: for each file, in the order of the statement. */
  "trace.closed": kind("trace.closed", {
    trace: id("trc"),
    verdicts: Type.Array(traceVerdict, { minItems: 1, maxItems: traceLimits.files }),
  }),
  /** By what a breach is known; or a vendor reports his own. */
  "incident.declared": kind("incident.declared", {
    ...incidentFields.declared,
    ...by(incidentStatements.incident),
  }),
  /** All that is believed, anew; what was closed is open again. */
  "incident.amended": kind("incident.amended", {
    ...incidentFields.own,
    ...by(incidentStatements.amendment),
  }),
  /** What left, counted from the entries up to that checkpoint. */
  "incident.scoped": kind("incident.scoped", {
    ...incidentFields.scoped,
    ...by(incidentStatements.reckoning),
  }),
  /** Which duties run, by which packs, for whom, until when; in place of those that ran before. */
  "clocks.started": kind("clocks.started", {
    ...incidentFields.started,
    ...by(incidentStatements.reckoning),
  }),
  "clock.met": kind("clock.met", { ...incidentFields.own, ...by(incidentStatements.meeting) }),
  /** What counsel says of a clock. */
  "clock.signed": kind("clock.signed", { ...incidentFields.own, ...by(incidentStatements.opinion) }),
  "incident.closed": kind("incident.closed", { ...incidentFields.own, ...by(incidentStatements.ending) }),
} as const

export type Kind = keyof typeof kinds
export type EntryOf<K extends Kind> = Static<(typeof kinds)[K]>
export type Entry = { [K in Kind]: EntryOf<K> }[Kind]
/** An entry before the sequencer gives it its version and time. */
export type Draft = { [K in Kind]: Omit<EntryOf<K>, "v" | "at"> }[Kind]

/** Names this closed list of kinds: SHA-256 of its JSON Schema in canonical JSON, lowercase hexadecimal. */
export const schemaDigest: string = hex(sha256(utf8(canonical(JSON.parse(JSON.stringify(kinds))))))

export const maxEntry_bytes = 65_535

const validators = new Map<string, ReturnType<typeof Compile>>()

/** Compiled when an entry of that kind is first met: all of them at once cost every process a third of a second at its start. */
function validatorOf(name: string): ReturnType<typeof Compile> | null {
  if (!Object.hasOwn(kinds, name)) return null
  const known = validators.get(name) ?? Compile(kinds[name as Kind] as TSchema)
  validators.set(name, known)
  return known
}

/** The bytes of an entry: canonical JSON in UTF-8. Our own entry that breaks the schema is our own fault. */
export function formatEntry(entry: Entry): Uint8Array {
  assert(validatorOf(entry.kind)?.Check(entry) === true, `an entry ${entry.kind} keeps to its schema`)
  const bytes = utf8(canonical(entry))
  assert(bytes.length <= maxEntry_bytes, "an entry has at most 65,535 bytes")
  return bytes
}

/**
 * The entry of these bytes, or `null` unless they are the canonical JSON of one kind of the closed list.
 * About 20 µs for an entry of 800 bytes.
 */
export function parseEntry(bytes: Uint8Array): Entry | null {
  if (bytes.length > maxEntry_bytes) return null
  const text = textOf(bytes)
  const value = text === null ? null : parseJson(text)
  if (value === null || typeof value !== "object") return null
  const name = (value as { kind?: unknown }).kind
  const validator = typeof name === "string" ? validatorOf(name) : null
  if (validator?.Check(value) !== true) return null
  return canonical(value) === text ? (value as Entry) : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
