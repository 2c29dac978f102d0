import { createHash } from "node:crypto"
import { base64 } from "../src/bytes.ts"
import { canonical } from "../src/canonical.ts"
import { chanceOf } from "../src/drawing/chance.ts"
import { ScopeRows } from "../src/custody/scope-rows.ts"
import type { ReadLog } from "../src/custody/scope-reading.ts"
import type { BesideRow } from "../src/custody/scope.ts"
import { effectsOf } from "../src/log/effects.ts"
import type { Entry } from "../src/log/kinds.ts"
import { names, Register } from "../src/log/state.ts"
import { Sql } from "../src/scope/sql.ts"
import { examinationCommitment, formatExamination, parseExamination } from "../src/vault/findings.ts"

/**
 * A log that no rule led to: entries at random, unsigned, to hold two engines against each other where a real vault would refuse. Never
 * read through `LogWalk`, which would say so.
 */
export interface MadeLog {
  readonly log: ReadLog
  readonly entries: readonly Entry[]
  readonly beside: ReadonlyMap<string, BesideRow>
  readonly organizations: readonly string[]
  readonly people: readonly string[]
  readonly devices: readonly string[]
  readonly networks: readonly string[]
  readonly traces: readonly string[]
  readonly captures: readonly string[]
}

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

export function madeLog(seed: number, steps: number): MadeLog {
  const chance = chanceOf(seed)
  const upTo = (n: number) => chance.index(n)
  const pick = <T>(list: readonly T[]): T => list[upTo(list.length)]!
  const isOften = (share: number) => chance.happens(share)
  let ids = 0
  const id = (prefix: string) => {
    ids += 1
    const text = [...`${ids}`.padStart(6, "0")].map(digit => alphabet[Number(digit)]).join("")
    return `${prefix}_0${Array.from({ length: 19 }, () => pick([...alphabet])).join("")}${text}`
  }
  const entries: Entry[] = []
  const [register, rows, sql] = [new Register(), new ScopeRows(), new Sql()]
  let at_ms = Date.parse("2026-08-01T00:00:00.000Z")
  const put = (draft: object): number => {
    at_ms += upTo(6 * 3_600_000)
    const entry = { v: 1, at: new Date(at_ms).toISOString(), ...draft } as unknown as Entry
    const index = entries.push(entry) - 1
    register.apply(effectsOf(entry, index, register), index)
    const row = { index, kind: entry.kind, bytes: new TextEncoder().encode(canonical(entry)) }
    rows.take([row])
    sql.take([row])
    return index
  }
  const key = () => base64(new Uint8Array(32).map(() => upTo(256)))
  const asked = (signer: string, device: string | null = null) => {
    return { key: signer, device: device === null ? null : { key: device, signature: "" } }
  }
  const [agency, custodian, root] = [id("org"), id("per"), key()]
  put({
    kind: "genesis",
    origin: "o",
    mode: "x25519",
    escrow_recipient_sha256: "",
    organization: agency,
    organization_name: "A",
    person: custodian,
    office: "custodian",
    key: root,
  })
  const organizations = [agency]
  const people: string[] = []
  const keys = new Map<string, string>()
  const office = new Map<string, string>()
  const enroll = (organization: string, of: string) => {
    const [person, mine] = [id("per"), key()]
    keys.set(person, mine)
    office.set(person, of)
    people.push(person)
    put({
      kind: "person.enrolled",
      person,
      asked: asked(root),
      statement: { organization, office: of, key: mine },
    })
    return person
  }
  const [cor, privacy] = [enroll(agency, "cor"), enroll(agency, "privacy")]
  for (let n = 0; n < 6; n += 1) {
    const organization = id("org")
    const parent = n < 2 ? null : pick(organizations.slice(1))
    put({
      kind: "organization.added",
      organization,
      asked: asked(root),
      statement: { name: `O${n}`, parent },
    })
    organizations.push(organization)
    enroll(organization, "engineer")
    enroll(organization, "engineer")
  }
  const devices = [key(), key()]
  const networks = ["192.0.2.0/24", "198.51.100.0/24"]
  const contracts = organizations.slice(1).map(organization => {
    const contract = id("con")
    const statement = {
      ...{ organization, number: "C", under: null, purposes: ["calibrate-reader"], attestations: [] },
      ...{ ends_at: "2030-01-01T00:00:00Z" },
      devices: isOften(0.5) ? [] : devices,
      networks: isOften(0.5) ? [] : networks,
    }
    put({ kind: "contract.added", contract, asked: asked(root), statement })
    return { contract, organization }
  })
  const lanes = Array.from({ length: 4 }, (_, n) => {
    const [port, lane, reader] = [n === 2 ? id("prt") : "", id("lan"), id("rdr")]
    return { port, lane, reader, sequence: 0 }
  })
  const ports = [id("prt"), id("prt")]
  for (const port of ports)
    put({ kind: "port.added", port, asked: asked(root), statement: { name: port, time_zone: "UTC" } })
  const placed = lanes.map((each, n) => ({ ...each, port: ports[n % 2]! }))
  for (const { port, lane, reader } of placed) {
    put({ kind: "lane.added", lane, asked: asked(root), statement: { port, name: lane } })
    put({
      kind: "reader.enrolled",
      reader,
      asked: asked(root),
      statement: { lane, key: key(), boxes: "trusted", name: reader },
    })
  }
  const captures: string[] = []
  const crossings = Array.from({ length: 80 }, () => id("crs"))
  const beside = new Map<string, BesideRow>()
  const admit = () => {
    const place = pick(placed)
    const capture = id("cap")
    place.sequence += 1 + (isOften(0.1) ? upTo(3) : 0)
    const headerJson = canonical({ crossing: pick(crossings), captured_at: new Date(at_ms).toISOString() })
    const headerSignature = new Uint8Array(64).fill(upTo(256))
    const hour = `${new Date(at_ms - upTo(5) * 86_400_000).toISOString().slice(0, 10)}T${String(upTo(24)).padStart(2, "0")}-06:00`
    const header_sha256 = createHash("sha256").update(headerJson).update(headerSignature).digest("hex")
    const { port, lane, reader, sequence } = place
    put({
      kind: "admitted",
      capture,
      port,
      lane,
      hour,
      captured: pick(["plate", "face", "scene"]),
      reader,
      sequence,
      gap: 0,
      sealed_to: "day/2026-08-01",
      header_sha256,
      body_sha256: "",
      size_bytes: 1,
    })
    captures.push(capture)
    if (isOften(0.9)) beside.set(capture, { headerJson, headerSignature, findingsJson: null })
  }
  const examine = () => {
    const capture = pick(captures)
    const count = upTo(3)
    const plate_digests = [...new Set(Array.from({ length: count }, () => `${pick([...alphabet])}Q==`))]
    const models = { plates: null, faces: null }
    const findingsJson = formatExamination(
      { found: null, quality: null, read: "unread", models, texts: null, sketch_sha256: null, plate_digests },
      new Uint8Array(32).fill(upTo(256)),
    )
    const findings_commitment = examinationCommitment(parseExamination(findingsJson)!)
    const faces = isOften(0.2) ? null : upTo(5)
    put({
      kind: "examined",
      capture,
      permit: 0,
      outcome: "boxes",
      plates: upTo(4),
      faces,
      sealed_to: "e",
      age_header_sha256: "",
      findings_commitment,
    })
    const held = beside.get(capture)
    if (held !== undefined) beside.set(capture, { ...held, findingsJson: isOften(0.9) ? findingsJson : null })
  }
  const grants: { grant: string; holder: string; organization: string }[] = []
  const level = () => pick(["L0", "L1", "L2", "L3", "L4"])
  const approve = (grant: string) => {
    for (const person of [cor, privacy])
      put({
        kind: "grant.approved",
        grant,
        person,
        asked: asked(keys.get(person)!),
        statement: {
          version: register.record("grant", grant)!.version,
          terms_sha256: "",
          decision: "approve",
        },
      })
  }
  const terms = (holder: string, contract: string | null) => ({
    ...{
      for: contract === null ? "reveal" : "release",
      purpose: "calibrate-reader",
      work_order: "W",
      contract,
      holder,
    },
    device: isOften(0.2) ? pick(devices) : null,
    lanes: [...new Set([pick(placed).lane, pick(placed).lane])],
    hours: isOften(0.7) ? { from: 0, until: 24 } : { from: 6, until: 18 },
    dates: isOften(0.7)
      ? { first: "2026-01-01", last: "2027-01-01" }
      : { first: "2026-08-10", last: "2026-08-20" },
    level: level(),
    selection: isOften(0.7) ? "open" : "frozen",
    captures:
      isOften(0.7) || captures.length === 0
        ? null
        : [...new Set([pick(captures), pick(captures), pick(captures)])],
    images: 1 + upTo(20),
    people: isOften(0.8) ? null : upTo(20),
    releases: 1 + upTo(40),
    starts_at: "2026-08-01T00:00:00Z",
    ends_at: isOften(0.8) ? "2029-01-01T00:00:00Z" : "2026-08-15T00:00:00Z",
    destroy_by: "2029-01-01T00:00:00Z",
    comment_commitment: null,
  })
  const grantTo = () => {
    const holder = pick(people)
    const { organization } = register.record("person", holder)!
    const contract = contracts.find(each => each.organization === organization)?.contract ?? null
    const grant = id("grt")
    put({
      kind: "grant.requested",
      grant,
      asked: asked(keys.get(holder)!),
      statement: terms(holder, contract),
    })
    if (isOften(0.9)) approve(grant)
    if (isOften(0.15)) {
      const changed = { version: 1, terms_sha256: "", terms: terms(holder, contract) }
      put({
        kind: "grant.edited",
        grant,
        person: holder,
        asked: asked(keys.get(holder)!),
        statement: changed,
      })
      approve(grant)
    }
    if (isOften(0.1))
      put({
        kind: "grant.revoked",
        grant,
        person: cor,
        asked: asked(keys.get(cor)!),
        statement: { terms_sha256: "" },
      })
    grants.push({ grant, holder, organization })
  }
  const open = () => {
    const { grant, holder: person, organization } = pick(grants)
    const capture = pick(captures)
    const held = register.record("grant", grant)!
    const facts = register.capture(capture)!
    const isNew = register.member(names.released(grant), capture) === 0
    const faces = (isNew ? facts.faces : 0) ?? 0
    const by = {
      ...{ person, organization, grant, purpose: "calibrate-reader", terms_sha256: "" },
      images_after: register.counter(names.images(grant)) + (isNew ? 1 : 0),
      releases_after: register.counter(names.releases(grant)) + 1,
      people_after: held.terms.people === null ? null : register.counter(names.people(grant)) + faces,
      ...{ person_day_after: 0, organization_30d_after: 0, vault_day_after: 0, halves: [] },
      network: isOften(0.5) ? pick(networks) : null,
    }
    const device = isOften(0.5) ? pick(devices) : null
    const { lane, hour, admitted, examined } = facts
    const permit = put({
      kind: "permit",
      for: held.terms.for,
      capture,
      lane,
      hour,
      level: level(),
      admitted,
      examined,
      faces: facts.faces,
      by,
      examiner: null,
      asked: asked(keys.get(person)!, device),
      statement: null,
    })
    if (isOften(0.9))
      put({ kind: "delivered", permit, capture, sha256: `${permit}`, size_bytes: 1, media_type: "image/png" })
  }
  const refuse = () => {
    const { grant, holder: person } = pick(grants)
    const of = pick(["release", "reveal", "draw", "read"])
    const capture = of === "draw" ? null : isOften(0.9) ? pick(captures) : id("cap")
    const list = isOften(0.5) ? null : [pick(captures), id("cap"), pick(captures)]
    const statement = of === "draw" ? { grant, count: list === null ? 5 : null, captures: list } : null
    const device = isOften(0.5) ? pick(devices) : null
    put({
      kind: "refused",
      of,
      code: "GRANT_BUDGET",
      person,
      reader: null,
      grant,
      capture,
      network: isOften(0.5) ? pick(networks) : null,
      asked: asked(keys.get(person)!, device),
      statement,
    })
  }
  const traces: string[] = []
  const trace = () => {
    const one = id("trc")
    put({
      kind: "trace.opened",
      trace: one,
      person: cor,
      asked: asked(keys.get(cor)!),
      statement: { files: ["a", "b", "c"] },
    })
    const verdict = () => {
      const accused = isOften(0.6) ? [...new Set([pick(people), pick(people)])] : []
      const capture = accused.length > 0 || isOften(0.5) ? pick(captures) : null
      const named = accused.map(person => ({ person, permit: 0, by: "mark", log10_bound: -20 }))
      return { verdict: accused.length > 0 ? "accused" : "nobody", capture, people: named, holders: 3 }
    }
    put({ kind: "trace.closed", trace: one, verdicts: [verdict(), verdict(), verdict()] })
    traces.push(one)
  }
  const motion = (act: string, statement: object) => {
    const one = id("mot")
    put({ kind: "motion.proposed", motion: one, act, subject: null, asked: asked(keys.get(cor)!), statement })
    const decision = isOften(0.8) ? "second" : "reject"
    put({
      kind: "motion.seconded",
      motion: one,
      act,
      person: privacy,
      asked: asked(keys.get(privacy)!),
      statement: { motion_sha256: "", decision },
    })
  }
  const box = { x_px: 0, y_px: 0, width_px: 1, height_px: 1 }
  const boxes = () => {
    const list = (n: number) => Array.from({ length: upTo(n) }, () => box)
    motion("set-boxes", { capture: pick(captures), plates: list(3), faces: list(4) })
  }
  const suspend = () => {
    const person = pick(people.slice(2))
    put({ kind: "person.suspended", person, asked: asked(root), statement: { suspended: isOften(0.5) } })
  }
  const stop = () => {
    const scope = pick(ports)
    put({ kind: "stop.ordered", scope, person: cor, asked: asked(keys.get(cor)!), statement: { scope } })
    if (isOften(0.7)) motion("resume", { scope })
  }
  admit()
  grantTo()
  const turns = [
    ...Array.from({ length: 8 }, () => admit),
    ...Array.from({ length: 6 }, () => examine),
    ...Array.from({ length: 14 }, () => open),
    ...Array.from({ length: 6 }, () => refuse),
    ...[grantTo, grantTo, trace, boxes, suspend, stop],
  ]
  for (let step = 0; step < steps; step += 1) pick(turns)()
  trace()
  const log = { register, rows, sql, time_ms: at_ms }
  return { log, entries, beside, organizations, people, devices, networks, traces, captures }
}
