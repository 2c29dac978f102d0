import { randomBytes } from "node:crypto"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { base64, utf8 } from "../src/bytes.ts"
import { chacha20 } from "../src/chacha20.ts"
import { admit, type Admission } from "../src/custody/admit.ts"
import { recordOf, type Caller } from "../src/custody/caller.ts"
import { examine } from "../src/custody/examine.ts"
import { decideGrant, requestGrant, revokeGrant } from "../src/custody/grants.ts"
import type { House } from "../src/custody/house.ts"
import { proposeMotion, secondMotion } from "../src/custody/motions.ts"
import { draftRecipients, signRecipients } from "../src/custody/recipients.ts"
import { register, type Resource } from "../src/custody/register.ts"
import { newSeed, signerOf, type Signer } from "../src/ed25519.ts"
import { assert, Fault } from "../src/fault.ts"
import type { Office } from "../src/grant/office.ts"
import { commitment, signatureBase, type Asked, type Statement } from "../src/grant/request.ts"
import { defaultPolicy, type Policy } from "../src/grant/policy.ts"
import { termsDigest, type Terms } from "../src/grant/terms.ts"
import { newId } from "../src/ids.ts"
import { initVault, openHouse, type InitOptions, type Opened } from "../src/sallyport.ts"
import { captureHeaderMessage, formatCapture, type CaptureHeader } from "../src/seal/capture.ts"
import { packContents, type ReaderEvent } from "../src/seal/contents.ts"
import { joinAgeFile, wrapFileKey } from "../src/seal/header.ts"
import { sealBody } from "../src/seal/body.ts"
import { formatVkey } from "../src/tlog/note.ts"
import { wanting } from "../src/ledger/ledger.ts"
import type { Draft } from "../src/log/kinds.ts"
import { names } from "../src/log/state.ts"
import type { Findings } from "../src/picture/level.ts"
import { examinationCommitment, formatExamination, parseExamination } from "../src/vault/findings.ts"
import { sha256Hex } from "../src/vault/vault.ts"

/** A person of the test port, who can sign. */
export interface Actor {
  readonly person: string
  readonly signer: Signer
}

/** An actor whose key another process can have too. */
export interface Enrolled extends Actor {
  readonly seed: Uint8Array
}

export interface TestReader {
  readonly reader: string
  readonly lane: string
  readonly port: string
  readonly signer: Signer
  sequence: number
}

export type Role =
  "custodian" | "cor" | "privacy" | "analyst" | "auditor" | "prime" | "engineer" | "colleague"

/** A whole small port on real stores in a temporary folder: an agency, a prime, a subcontractor, people, a lane, a reader. */
export interface TestPort {
  readonly data: string
  opened: Opened
  readonly house: House
  readonly people: Readonly<Record<Role, Enrolled>>
  readonly reader: TestReader
  readonly contract: string
  readonly lane: string
  /** Of the days that the custodian signed, by the key's name: a lane needs no ledger. */
  readonly recipients: ReadonlyMap<string, string>
  /** A clock that tests can move. */
  readonly clock: { offset_ms: number }
  reopen(): Promise<void>
  close(): Promise<void>
}

const offices: Readonly<Record<Exclude<Role, "custodian">, Office>> = {
  cor: "cor",
  privacy: "privacy",
  analyst: "analyst",
  auditor: "auditor",
  prime: "manager",
  engineer: "engineer",
  colleague: "engineer",
}

/** The signed request of an actor, as the door hands it to custody. */
export async function callerOf(
  house: House,
  actor: Actor,
  ask: { path: string; statement: Statement; names?: Record<string, string> },
): Promise<Caller> {
  const salted = Object.entries(ask.names ?? {}).map(([field, value]) => ({
    field,
    value,
    salt: new Uint8Array(randomBytes(32)),
  }))
  const commitments = salted.map(({ field, salt, value }) => [
    `${field}_commitment`,
    commitment(field, salt, value),
  ])
  const statement = { ...ask.statement, ...Object.fromEntries(commitments) }
  const asked = signed(house, actor, { path: ask.path, statement })
  const person = await recordOf(house, "person", actor.person)
  assert(person !== null, "the actor is enrolled")
  const nowhere = { address: null, session: null }
  const openings = Object.fromEntries(
    salted.map(({ field, salt, value }) => [field, { salt: base64(salt), value }]),
  )
  return { person, asked, statement, openings, ...nowhere }
}

export function signed(
  house: House,
  actor: Pick<Actor, "signer">,
  ask: { path: string; statement: Statement },
): Asked {
  const unsigned = {
    method: "POST" as const,
    path: ask.path,
    query: "?",
    created: Math.floor(house.log.clock() / 1000),
    nonce: randomBytes(16).toString("base64url"),
    content_sha256: base64(randomBytes(32)),
    key: base64(actor.signer.publicKey),
  }
  const base = signatureBase(unsigned, house.log.origin, ask.statement)
  return { ...unsigned, signature: base64(actor.signer.sign(base)), device: null, passkey: null }
}

async function added(
  house: House,
  custodian: Actor,
  resource: Resource,
  ask: { statement: Statement; names?: Record<string, string> },
): Promise<string> {
  const caller = await callerOf(house, custodian, { path: `/v1/${resource}`, ...ask })
  return (await register(house, caller, resource)).id
}

/** The code that the work is refused with, or `done`. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return "done"
  } catch (error) {
    if (error instanceof Fault) return error.code
    throw error
  }
}

/** Another person signs what one proposed. */
export async function second(
  house: House,
  actor: Actor,
  motion: string,
  decision: "second" | "reject" = "second",
): Promise<void> {
  const held = await recordOf(house, "motion", motion)
  assert(held !== null, "the motion exists")
  const statement = { motion_sha256: held.motion_sha256, decision }
  const path = `/v1/motions/${motion}/second`
  await secondMotion(house, await callerOf(house, actor, { path, statement }), motion)
}

/** Puts a policy in force: the custodian proposes it, the privacy officer signs. */
export async function setPolicy(
  { house, people }: Pick<TestPort, "house" | "people">,
  changed: Partial<Policy>,
): Promise<void> {
  const statement = { ...defaultPolicy, ...changed }
  const caller = await callerOf(house, people.custodian, { path: "/v1/policy", statement })
  await second(house, people.privacy, (await proposeMotion(house, caller, "policy")).id)
}

export function enrolled(person: string, seed: Uint8Array): Enrolled {
  return { person, seed, signer: signerOf(seed) }
}

export async function openTestPort(
  options: {
    settings?: InitOptions["settings"]
    mode?: "hybrid" | "x25519"
    escrowRecipient?: string
    /** Runs between making the vault and opening it. */
    prepare?: (data: string, vkey: string) => Promise<void>
  } = {},
): Promise<TestPort> {
  const data = await mkdtemp(join(tmpdir(), "sallyport-test-"))
  const clock = { offset_ms: 0 }
  const now = () => Date.now() + clock.offset_ms
  const made = await initVault({
    data,
    origin: "sallyport.example/test",
    mode: options.mode ?? "x25519",
    agency: "Agency",
    custodianName: "Planted Custodian",
    ...(options.settings === undefined ? {} : { settings: options.settings }),
    ...(options.escrowRecipient === undefined ? {} : { escrowRecipient: options.escrowRecipient }),
  })
  const seed = Buffer.from(await readFile(join(data, "keys", "log.key"), "utf8"), "base64")
  await options.prepare?.(data, formatVkey("sallyport.example/test", signerOf(seed).publicKey))
  const opened = await openHouse({ data, clock: now })
  const { house } = opened
  const custodian = enrolled(made.person, made.custodianSeed)
  const prime = await added(house, custodian, "orgs", { statement: { name: "Prime", parent: null } })
  const sub = await added(house, custodian, "orgs", { statement: { name: "Sub", parent: prime } })
  const organizationOf = (office: Office) =>
    office === "manager" ? prime : office === "engineer" ? sub : made.organization
  const people: Partial<Record<Role, Enrolled>> = { custodian }
  for (const [role, office] of Object.entries(offices) as [Role, Office][]) {
    const seed = newSeed()
    const key = base64(signerOf(seed).publicKey)
    const statement = { organization: organizationOf(office), office, key }
    const caller = await callerOf(house, custodian, {
      path: "/v1/people",
      statement,
      names: { name: `Planted ${role}` },
    })
    const { id: person, motion } = await register(house, caller, "people")
    if (motion !== undefined && people.cor !== undefined) await second(house, people.cor, motion)
    people[role] = enrolled(person, seed)
  }
  const purposes = ["calibrate-reader", "verify-reads"]
  const noLists = { attestations: [], devices: [], networks: [] }
  const ends_at = new Date(now() + 300 * 86_400_000).toISOString()
  const contract = await added(house, custodian, "contracts", {
    statement: { organization: prime, number: "T-1", under: null, purposes, ends_at, ...noLists },
  })
  const port = await added(house, custodian, "ports", {
    statement: { name: "Port", time_zone: "America/Chicago" },
  })
  const lane = await added(house, custodian, "lanes", { statement: { port, name: "Lane 1" } })
  const signer = signerOf(newSeed())
  const statement = { lane, key: base64(signer.publicKey), boxes: "trusted", name: "Reader 1" }
  const reader = await added(house, custodian, "readers", { statement })
  await signDays(house, custodian, 2)
  const whole: TestPort = {
    data,
    opened,
    get house() {
      return this.opened.house
    },
    people: people as Record<Role, Enrolled>,
    reader: { reader, lane, port, signer, sequence: 0 },
    contract,
    lane,
    recipients: new Map((await house.ledger.identities()).map(key => [key.name, key.recipient])),
    clock,
    async reopen() {
      await this.opened.close()
      this.opened = await openHouse({ data, clock: now })
    },
    async close() {
      await this.opened.close()
      await rm(data, { recursive: true, force: true })
    },
  }
  return whole
}

/** The custodian signs the list of the next days' recipients. */
export async function signDays(house: House, custodian: Actor, days: number): Promise<void> {
  const text = await draftRecipients(house, days)
  const lines = text.trim().split("\n").slice(2)
  const statement = {
    list_sha256: sha256Hex(utf8(text)),
    first_day: lines[0]!.slice(0, 10),
    last_day: lines.at(-1)!.slice(0, 10),
    list_signature: base64(custodian.signer.sign(utf8(text))),
  }
  await signRecipients(house, await callerOf(house, custodian, { path: "/v1/recipients", statement }))
}

export interface Shot {
  readonly picture: Uint8Array
  readonly event?: ReaderEvent
  /** What to bend in the header before it is signed. */
  readonly bend?: Partial<CaptureHeader>
}

export const noEvent: ReaderEvent = { v: 1, source: "none", file: null, plates: [], faces: [] }

/** A capture file as a lane would send it. */
export async function sealShot(
  port: TestPort,
  shot: Shot,
): Promise<{ bytes: Uint8Array; header: CaptureHeader }> {
  const { house, reader } = port
  const captured_at = shot.bend?.captured_at ?? new Date(house.log.clock()).toISOString()
  const day = `day/${captured_at.slice(0, 10)}`
  const recipient = port.recipients.get(day) ?? (await house.ledger.identity(day))?.recipient
  assert(recipient !== undefined, "the day has a key")
  const fileKey = new Uint8Array(randomBytes(16))
  const ageHeader = await wrapFileKey(fileKey, recipient)
  const plaintext = packContents({ picture: shot.picture, event: shot.event ?? noEvent })
  const body = sealBody(fileKey, plaintext, { aead: chacha20, nonce: new Uint8Array(randomBytes(16)) })
  reader.sequence += 1
  const header: CaptureHeader = {
    v: 1,
    capture: newId("cap"),
    vault: house.log.origin,
    port: reader.port,
    lane: reader.lane,
    reader: reader.reader,
    sequence: reader.sequence,
    captured_at,
    kind: "plate",
    crossing: newId("crs"),
    sealed_to: day,
    age_header_sha256: sha256Hex(ageHeader),
    body_sha256: sha256Hex(body),
    size_bytes: body.length,
    ...shot.bend,
  }
  const signature = reader.signer.sign(captureHeaderMessage(header))
  return { header, bytes: formatCapture({ header, signature, ageFile: joinAgeFile(ageHeader, body) }) }
}

export async function sealAndAdmit(port: TestPort, shot: Shot): Promise<Admission> {
  return admit(port.house, (await sealShot(port, shot)).bytes)
}

/** An examination that found this, as an examiner of another make would store it: its permit, and what it found. */
export async function examineAs(
  port: Pick<TestPort, "house">,
  capture: string,
  found: Findings,
  plate_digests: readonly string[] = [],
): Promise<void> {
  const { house } = port
  const row = await house.ledger.capture(capture)
  assert(row !== null, "the capture is there")
  const { lane, hour, admitted, sealedTo, ageHeader } = row
  const member = { set: names.examinations("test-boxes/1"), member: capture }
  const system = { by: null, examiner: "test-boxes/1", asked: null, statement: null } as const
  const permit = {
    kind: "permit",
    for: "examine",
    level: "L4",
    examined: null,
    faces: null,
    ...system,
  } as const
  const permitted = await house.log.append({
    wanted: wanting({ captures: [capture], members: [member] }),
    draft: () => ({ entry: { ...permit, capture, lane, hour, admitted } }),
  })
  const unread = {
    quality: null,
    read: "unread",
    texts: null,
    sketch_sha256: null,
  } as const
  const models = { plates: null, faces: null }
  const findingsJson = formatExamination({ found, models, plate_digests, ...unread }, randomBytes(32))
  const stored = parseExamination(findingsJson)
  assert(stored !== null, "findings read back")
  const entry: Draft = {
    kind: "examined",
    capture,
    permit: permitted.index,
    outcome: "boxes",
    plates: found.plates.length,
    faces: found.faces?.length ?? null,
    sealed_to: sealedTo,
    age_header_sha256: sha256Hex(ageHeader),
    findings_commitment: examinationCommitment(stored),
  }
  const draft = () => ({ entry, capture: { ...row, findingsJson } })
  await house.log.append({ wanted: wanting({ captures: [capture] }), draft })
}

/** Seals, admits and examines one picture. */
export async function takeIn(port: TestPort, shot: Shot): Promise<Admission> {
  const admission = await sealAndAdmit(port, shot)
  await examine(port.house, admission.capture, { again: false })
  return admission
}

export function termsOf(
  port: Pick<TestPort, "house" | "contract" | "people" | "lane">,
  changed: Partial<Terms> = {},
): Terms {
  const now_ms = port.house.log.clock()
  const today = new Date(now_ms).toISOString().slice(0, 10)
  const ends_at = changed.ends_at ?? new Date(now_ms + 3_600_000).toISOString()
  // Dates are the port's own, which may be two behind once a test has moved its clock by a day.
  const first = new Date(now_ms - 3 * 86_400_000).toISOString().slice(0, 10)
  return {
    for: "release",
    purpose: "calibrate-reader",
    work_order: "WO-1",
    contract: port.contract,
    holder: port.people.engineer.person,
    device: null,
    lanes: [port.lane],
    hours: { from: 0, until: 24 },
    dates: { first, last: today },
    level: "L2",
    selection: "open",
    captures: null,
    images: 3,
    releases: 3 * (changed.images ?? 3),
    people: null,
    starts_at: new Date(now_ms - 60_000).toISOString(),
    ends_at,
    destroy_by: ends_at,
    comment_commitment: null,
    ...changed,
  }
}

/** A grant that two people of different offices approved; pass `by` for fewer or other approvers. */
export async function grantOf(
  port: TestPort,
  options: { terms?: Partial<Terms>; by?: readonly Role[]; requester?: Role } = {},
): Promise<string> {
  const { house, people } = port
  const terms = termsOf(port, options.terms)
  const statement = { ...terms } as Statement
  const requester = options.requester ?? "engineer"
  const { grant } = await requestGrant(
    house,
    await callerOf(house, people[requester], { path: "/v1/grants", statement }),
  )
  for (const role of options.by ?? ["cor", "privacy"]) await approve(port, { grant, role, terms })
  return grant
}

export async function approve(
  port: TestPort,
  ask: { grant: string; role: Role; terms: Terms; decision?: "approve" | "deny"; version?: number },
): Promise<void> {
  const version = ask.version ?? 1
  const statement = { version, terms_sha256: termsDigest(ask.terms), decision: ask.decision ?? "approve" }
  const path = `/v1/grants/${ask.grant}/approvals`
  await decideGrant(
    port.house,
    await callerOf(port.house, port.people[ask.role], { path, statement }),
    ask.grant,
  )
}

export async function revoke(port: TestPort, grant: string, role: Role = "cor"): Promise<void> {
  const held = await recordOf(port.house, "grant", grant)
  assert(held !== null, "the grant exists")
  const statement = { terms_sha256: held.terms_sha256 }
  const path = `/v1/grants/${grant}/revocation`
  await revokeGrant(port.house, await callerOf(port.house, port.people[role], { path, statement }), grant)
}

export async function releaseCaller(
  port: TestPort,
  ask: { grant: string; capture: string; level?: string; role?: Role },
): Promise<Caller> {
  const statement = { grant: ask.grant, capture: ask.capture, level: ask.level ?? "L2" }
  return callerOf(port.house, port.people[ask.role ?? "engineer"], { path: "/v1/releases", statement })
}
