import { Type, type TSchema } from "typebox"
import { offices } from "../grant/office.ts"
import { levels } from "../grant/level.ts"
import { purposes, type Purpose } from "../grant/terms.ts"
import { destinationKinds } from "./destinations.ts"
import { eventNames } from "./event-table.ts"
import { traceLimits } from "./trace-limits.ts"
import { scopes } from "../watch/symbols.ts"

/** The small shapes that entries, statements and HTTP bodies are made of; each with its limit. */

export function id(prefix: string) {
  return Type.String({ pattern: `^${prefix}_[0-7][0-9A-HJKMNP-TV-Z]{25}$` })
}

/** An object that takes these fields and no others. */
export function closed<P extends Record<string, TSchema>>(properties: P) {
  return Type.Object(properties, { additionalProperties: false })
}

export function oneOf<T extends string>(values: readonly T[]) {
  return Type.Unsafe<T>(Type.String({ enum: [...values] }))
}

/** An entry of that kind: what every entry has, and its own closed set of fields. */
export function kind<K extends string, P extends Record<string, TSchema>>(name: K, properties: P) {
  return closed({ v: Type.Literal(1), kind: Type.Literal(name), at: time, ...properties })
}

/** A signed request and what it stated: the author of an entry. */
export function by<S extends TSchema>(statement: S) {
  return { asked, statement }
}

export const index = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
export const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
export const sha256Hex = Type.String({ pattern: "^[0-9a-f]{64}$" })
export const sha256Base64 = Type.String({ pattern: "^[A-Za-z0-9+/]{43}=$" })
export const publicKey = Type.String({ pattern: "^[A-Za-z0-9+/]{43}=$" })
/** A person's: Ed25519, or a passkey's P-256 point. */
export const personKey = Type.String({ pattern: "^([A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{44})$" })
export const signature = Type.String({ pattern: "^[A-Za-z0-9+/]{86}==$" })
export const time = Type.String({ pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{3})?Z$" })
export const date = Type.String({ pattern: "^\\d{4}-\\d\\d-\\d\\d$" })
/** A port-local hour with its offset from UTC. */
export const localHour = Type.String({ pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d[+-]\\d\\d:\\d\\d$" })
/** A name of an organization, port or lane: printable, no control characters, no person's name. */
export const label = Type.String({ minLength: 1, maxLength: 80, pattern: "^[^\\u0000-\\u001f\\u007f]+$" })
export const workOrder = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$" })
export const keyName = Type.String({
  pattern: "^(day/\\d{4}-\\d\\d-\\d\\d|epoch/[a-z0-9-]{1,32}/\\d{4}-\\d\\d)$",
})
/** The name of a committed field, without its `_commitment`. */
export const openingField = Type.String({ pattern: "^[a-z]{1,16}$" })
export const office = oneOf(offices)
export const level = oneOf(levels)
export const purpose = oneOf(Object.keys(purposes) as Purpose[])

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const base64url = (most: number) => Type.String({ pattern: `^[A-Za-z0-9_-]{1,${most}}$` })

export const asked = closed({
  method: oneOf(["GET", "POST", "PUT", "PATCH", "DELETE"]),
  path: Type.String({ pattern: "^/[A-Za-z0-9/_.~%:-]{0,255}$" }),
  query: Type.String({ pattern: "^\\?[A-Za-z0-9_.~%:=&+-]{0,511}$" }),
  created: Type.Integer({ minimum: 0, maximum: 99_999_999_999 }),
  nonce: Type.String({ pattern: "^[A-Za-z0-9_-]{16,64}$" }),
  content_sha256: Type.Union([sha256Base64, Type.Null()]),
  key: personKey,
  signature,
  device: nullable(closed({ key: publicKey, signature })),
  passkey: nullable(closed({ authenticator_data: base64url(1024), client_data: base64url(2048) })),
})

export const terms = closed({
  for: oneOf(["release", "reveal"]),
  purpose,
  work_order: workOrder,
  contract: nullable(id("con")),
  holder: id("per"),
  device: nullable(publicKey),
  lanes: Type.Array(id("lan"), { minItems: 1, maxItems: 64 }),
  hours: closed({
    from: Type.Integer({ minimum: 0, maximum: 23 }),
    until: Type.Integer({ minimum: 1, maximum: 24 }),
  }),
  dates: closed({ first: date, last: date }),
  level,
  region: Type.Optional(Type.Literal("wide")),
  selection: oneOf(["frozen", "open"]),
  captures: nullable(Type.Array(id("cap"), { minItems: 1, maxItems: 1000 })),
  images: Type.Integer({ minimum: 1, maximum: 100_000 }),
  people: nullable(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
  releases: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
  starts_at: time,
  ends_at: time,
  destroy_by: time,
  comment_commitment: nullable(sha256Base64),
})

/** What an alert can be about. */
export const alertKinds = [
  "gap",
  "clock_off",
  "reader_silent",
  "device_replayed",
  "usb_connected",
  "enclosure_opened",
  "reader_tampered",
  "spool_full",
  "recipients_out",
  "captures_refused",
  "vault_away",
  "boxes_doubted",
] as const
export type AlertKind = (typeof alertKinds)[number]

const small = (most: number) => Type.Optional(Type.Integer({ minimum: 0, maximum: most }))

/** What an alert tells beside its kind: small numbers and words of this list. A reader's owner chooses none of the words. */
export const alertDetail = closed({
  /** Numbers whose captures are missing. */
  missing: small(1_000_000),
  /** The lane's clock less the vault's. */
  offset_s: Type.Optional(Type.Integer({ minimum: -1_000_000, maximum: 1_000_000 })),
  minutes: small(1_000_000),
  /** Of a USB device. */
  vendor: small(65_535),
  product: small(65_535),
  why: Type.Optional(oneOf(["number_used", "two_agents", "number_went_back"])),
})

export const alertOutcome = oneOf(["expected", "fixed", "escalated"])

const attestation = closed({ name: label, ends_at: time })
const version = Type.Integer({ minimum: 1, maximum: 1000 })
const person = closed({ organization: id("org"), office, key: publicKey, name_commitment: sha256Base64 })
/** The whole vault, or one port. */
export const stopScope = Type.String({ pattern: "^(vault|prt_[0-7][0-9A-HJKMNP-TV-Z]{25})$" })
const budget = Type.Integer({ minimum: 1, maximum: 1_000_000 })

/** An address block, such as 192.0.2.0/24 or 2001:db8::/32. */
export const network = Type.String({ pattern: "^[0-9a-f.:]{2,39}/[0-9]{1,3}$" })

const side = Type.Integer({ minimum: 0, maximum: 65_535 })
const box = closed({ x_px: side, y_px: side, width_px: side, height_px: side })

const micronats = Type.Integer({ minimum: 1, maximum: 100_000_000 })
const limits = closed({ stepUp_micronats: micronats, suspend_micronats: micronats })
/** Where the watch asks and where it suspends, as in a model's file. */
export const thresholds = closed({ person: limits, organization: limits })

/** What needs two people, by its name: the first proposes it, the second signs its digest. */
export const acts = {
  enroll: person,
  policy: closed({
    approvals: Type.Array(closed({ office, people: Type.Integer({ minimum: 1, maximum: 10 }) }), {
      maxItems: 7,
    }),
    person_day: budget,
    organization_30d: budget,
    vault_day: budget,
    glass_images: Type.Integer({ minimum: 0, maximum: 50 }),
  }),
  resume: closed({ scope: stopScope }),
  /** `subject`: a person's sign-in at the agency's identity provider, by its digest; it reads and signs nothing. */
  "add-key": closed({
    person: id("per"),
    key: personKey,
    kind: oneOf(["ed25519", "passkey", "subject"]),
    /** A passkey's credential id, which a browser finds it by. */
    credential: nullable(base64url(512)),
  }),
  "remove-key": closed({ person: id("per"), key: personKey }),
  /** The person moves: keys and id stay, and what he approved in the former office counts no more. */
  "change-office": closed({ person: id("per"), office }),
  /** Opens a case at once. */
  "break-glass": closed({ terms, reason_commitment: sha256Base64 }),
  /** One look at L4. */
  look: closed({ grant: id("cas"), capture: id("cap") }),
  /** Where the plates of a capture are, in place of what its examination found, and faces beside those that it found. */
  "set-boxes": closed({
    capture: id("cap"),
    plates: Type.Array(box, { maxItems: 8 }),
    faces: Type.Array(box, { maxItems: 32 }),
  }),
  /** Who is told of which events, and after which delay (`rungs_ms`). */
  "add-destination": closed({
    name: Type.String({ pattern: "^[a-z0-9][a-z0-9-]{0,31}$" }),
    kind: oneOf(destinationKinds),
    address_commitment: sha256Base64,
    events: Type.Array(oneOf(eventNames), { minItems: 1, maxItems: 128, uniqueItems: true }),
    organization: id("org"),
    rung: Type.Integer({ minimum: 0, maximum: 3 }),
  }),
  "remove-destination": closed({ destination: id("dst") }),
  /** A suspension ends, and what the watch holds against the person or organization begins anew. */
  "lift-person": closed({ person: id("per") }),
  "lift-organization": closed({ organization: id("org") }),
  /** Freezes what an incident's statement and letters say; `scoped` is the entry whose numbers they state. */
  "sign-statement": closed({
    incident: id("inc"),
    scoped: index,
    statement_sha256: sha256Hex,
    letters_sha256: nullable(sha256Hex),
  }),
  /** By which model and thresholds the watch judges from here on; `backtest` is the digest of what they would have done. */
  "adopt-model": closed({ model: sha256Hex, thresholds, backtest: sha256Hex }),
}

export const traceVerdict = closed({
  verdict: oneOf(["accused", "nobody", "unreadable"]),
  /** The original that the file was led back to. */
  capture: nullable(id("cap")),
  /** Whom the copy was made for: several where several put theirs together. */
  people: Type.Array(
    closed({
      person: id("per"),
      /** Of his first copy of that capture. */
      permit: index,
      /** What it rests on: the very bytes of a delivery, the mark of this file, or those of several files together. */
      by: oneOf(["digest", "mark", "pool"]),
      /** Of the probability that somebody who had no part is named so, times everything that was tried; rounded up. */
      log10_bound: Type.Integer({ minimum: -10_000_000, maximum: 0 }),
    }),
    { maxItems: 16 },
  ),
  /** How many people's codewords the file was held against. */
  holders: count,
})

const fingerprint = Type.Integer({ minimum: 0, maximum: 0xffffffff })

/** What the watch was told of an opening beyond what its entry says, and what it said (docs/formats/watch.md). */
export const watched = closed({
  /** SHA-256 of the model's file. */
  model: sha256Hex,
  /** `observe`: nothing is refused for it. */
  mode: oneOf(["on", "observe"]),
  scope: oneOf(scopes.filter(scope => scope !== "unknown")),
  /** Whether the level is above the grant's. */
  other_kind: Type.Boolean(),
  /** Whether it was before 6, after 20 or a weekend on the port's clock. */
  off_hours: Type.Boolean(),
  /** Where and when the capture was taken, and its number there; `null` where there is no such capture. */
  place: nullable(closed({ port: id("prt"), lane: id("lan"), day: date, number: index })),
  /** 32 bits that stand for network and device under a key of the vault's; 0 where it is not known. */
  network: fingerprint,
  device: fingerprint,
  verdict: oneOf(["pass", "step-up", "suspend"]),
  about: nullable(oneOf(["person", "organization"])),
  person_micronats: count,
  organization_micronats: Type.Integer(),
})

/** What a person signs, by the act: the body of the request without its openings. */
export const statements = {
  organization: closed({ name: label, parent: nullable(id("org")) }),
  suspension: closed({ suspended: Type.Boolean() }),
  contract: closed({
    organization: id("org"),
    number: workOrder,
    under: nullable(id("con")),
    purposes: Type.Array(purpose, { minItems: 1, maxItems: 16 }),
    ends_at: time,
    attestations: Type.Array(attestation, { maxItems: 16 }),
    devices: Type.Array(publicKey, { maxItems: 64 }),
    networks: Type.Array(network, { maxItems: 16 }),
  }),
  attestation,
  review: closed({ outcome: oneOf(["justified", "unjustified"]), note_commitment: sha256Base64 }),
  person,
  stop: closed({ scope: stopScope }),
  seconding: closed({ motion_sha256: sha256Hex, decision: oneOf(["second", "reject"]) }),
  port: closed({ name: label, time_zone: Type.String({ pattern: "^[A-Za-z0-9_+/-]{1,64}$" }) }),
  lane: closed({ port: id("prt"), name: label }),
  reader: closed({ lane: id("lan"), key: publicKey, boxes: oneOf(["trusted", "none"]), name: label }),
  recipients: closed({ list_sha256: sha256Hex, first_day: date, last_day: date, list_signature: signature }),
  terms,
  edit: closed({ version, terms_sha256: sha256Hex, terms }),
  approval: closed({ version, terms_sha256: sha256Hex, decision: oneOf(["approve", "deny"]) }),
  acknowledgement: closed({ outcome: alertOutcome, note_commitment: nullable(sha256Base64) }),
  closing: closed({ outcome: alertOutcome, reason_commitment: sha256Base64 }),
  test: closed({ destination: id("dst") }),
  /** An event that a destination is not told of until then. */
  mute: closed({
    event: oneOf(eventNames),
    destination: id("dst"),
    subject: nullable(Type.String({ pattern: "^[a-z]{3}_[0-7][0-9A-HJKMNP-TV-Z]{25}$" })),
    until: time,
    reason_commitment: sha256Base64,
  }),
  unmute: closed({ mute: id("mut") }),
  resending: closed({ message: id("msg") }),
  /** SHA-256 of each found file. What is pooled is all of them. */
  trace: closed({ files: Type.Array(sha256Hex, { minItems: 1, maxItems: traceLimits.files }) }),
  answer: closed({ reason_commitment: sha256Base64 }),
  /** Which crossing somebody asks about stands behind the commitment: in the log it would say when he crossed. */
  accounting: closed({ ask_commitment: sha256Base64 }),
  /** A model's file, gzipped. */
  model: closed({ model: sha256Hex, gzip: Type.String({ pattern: "^[A-Za-z0-9+/]{4,56000}={0,2}$" }) }),
  /** `size`: the log as it stood then; `null`: as it stands. */
  backtest: closed({ model: sha256Hex, thresholds, size: nullable(index) }),
  destruction: closed({ entry: index, field: openingField }),
  revocation: closed({ terms_sha256: sha256Hex }),
  release: closed({ grant: id("grt"), capture: id("cap"), level }),
  reveal: closed({ grant: id("cas"), capture: id("cap"), level, reason_commitment: sha256Base64 }),
  draw: closed({
    grant: id("grt"),
    count: nullable(Type.Integer({ minimum: 1, maximum: 100_000 })),
    captures: nullable(Type.Array(id("cap"), { minItems: 1, maxItems: 1000 })),
  }),
}

export { nullable }
