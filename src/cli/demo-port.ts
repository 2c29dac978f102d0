import { createHash } from "node:crypto"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { base64 } from "../bytes.ts"
import { newSeed, signerOf } from "../ed25519.ts"
import type { Office } from "../grant/office.ts"
import type { Statement } from "../grant/request.ts"
import { termsDigest, type Purpose, type Terms } from "../grant/terms.ts"
import { initVault } from "../sallyport.ts"
import { Client } from "./client.ts"
import { readKeyFile, writeKeyFile } from "./keyfile.ts"
import { logKeyOf } from "./log-key.ts"
import { secondMotion } from "./motions.ts"
import { writeEscrow } from "./vault.ts"

/** Fictional, every one of them. The custodian is the vault's first person. */
export const cast: readonly {
  readonly role: string
  readonly office: Office
  readonly name: string
  readonly organization: "agency" | "prime" | "sub"
}[] = [
  { role: "custodian", office: "custodian", name: "Dolores Ibarra", organization: "agency" },
  { role: "cor", office: "cor", name: "Calvin Okafor", organization: "agency" },
  { role: "privacy", office: "privacy", name: "Priya Raman", organization: "agency" },
  { role: "analyst", office: "analyst", name: "Ana Lindqvist", organization: "agency" },
  { role: "auditor", office: "auditor", name: "Ike Brandt", organization: "agency" },
  { role: "prime", office: "manager", name: "Paula Prime", organization: "prime" },
  { role: "engineer", office: "engineer", name: "Evan Vance", organization: "sub" },
  { role: "colleague", office: "engineer", name: "Cole Hart", organization: "sub" },
]

export const origin = "sallyport.example/demo"
const zone = "America/Chicago"
const day_ms = 86_400_000

/** Makes the vault's folder, the custodian's key file and the escrow key. */
export async function makeVault(data: string): Promise<void> {
  const made = await initVault({
    data,
    origin,
    mode: "hybrid",
    agency: "Border Agency (demo)",
    custodianName: "Dolores Ibarra",
    settings: { open_bundles: true, witnesses: "witnesses", witness_strict: true },
  })
  await mkdir(join(data, "people"), { recursive: true, mode: 0o700 })
  await mkdir(join(data, "lanes"), { recursive: true, mode: 0o700 })
  await writeKeyFile(keyOf(data, "custodian"), {
    vault: origin,
    id: made.person,
    notes: {},
    seed: made.custodianSeed,
  })
  if (made.escrowIdentity !== null) await writeEscrow(keyOf(data, "escrow"), made.escrowIdentity)
}

export function keyOf(data: string, role: string): string {
  return join(data, "people", `${role}.key`)
}

/** A client that signs as one of the cast. */
export async function clientOf(data: string, role: string, server: string): Promise<Client> {
  const key = await readKeyFile(keyOf(data, role))
  return new Client({ server, vault: key.vault, signer: key.signer })
}

/** Sets the port up over HTTP, as a custodian would: organizations, people, a contract, four lanes with readers, a grant. */
export async function setUp(data: string, server: string): Promise<void> {
  const custodian = await clientOf(data, "custodian", server)
  const add = async (resource: string, statement: Statement, names?: Record<string, string>) => {
    const path = `/v1/${resource}`
    const { id, motion } = await custodian.json<{ id: string; motion?: string }>({
      method: "POST",
      path,
      statement,
      ...(names === undefined ? {} : { names }),
    })
    if (motion !== undefined) await secondMotion(await clientOf(data, "cor", server), motion, "second")
    return id
  }
  const agency =
    (await custodian.json<{ data: { id: string }[] }>({ method: "GET", path: "/v1/orgs" })).data[0]?.id ?? ""
  const prime = await add("orgs", { name: "Prime U (demo)", parent: null })
  const sub = await add("orgs", { name: "Vendor P (demo)", parent: prime })
  const organizations = { agency, prime, sub }
  for (const { role, office, name, organization } of cast.slice(1)) {
    const seed = newSeed()
    const statement = {
      organization: organizations[organization],
      office,
      key: base64(signerOf(seed).publicKey),
    }
    await writeKeyFile(keyOf(data, role), {
      vault: origin,
      id: await add("people", statement, { name }),
      notes: {},
      seed,
    })
  }
  const purposes: Purpose[] = ["calibrate-reader", "repair-reader", "verify-reads"]
  const ends_at = new Date(Date.now() + 365 * day_ms).toISOString()
  const contract = await add("contracts", {
    ...{ organization: prime, number: "DEMO-17", under: null, purposes, ends_at },
    attestations: [{ name: "background investigations", ends_at }],
    ...{ devices: [], networks: [] },
  })
  const port = await add("ports", { name: "Demo Bridge", time_zone: zone })
  const lanes: string[] = []
  for (const number of [1, 2, 3, 4]) lanes.push(await addLane(data, { custodian, port, number, add }))
  await signDays(custodian, data)
  await grantToEngineer(data, server, { contract, lanes })
  await writeFile(join(data, "policy"), await custodian.text({ method: "GET", path: "/log/policy" }))
}

interface LaneOptions {
  readonly custodian: Client
  readonly port: string
  readonly number: number
  readonly add: (resource: string, statement: Statement) => Promise<string>
}

async function addLane(data: string, { custodian, port, number, add }: LaneOptions): Promise<string> {
  const { signer } = await readKeyFile(keyOf(data, "custodian"))
  const lane = await add("lanes", { port, name: `Lane ${number}` })
  const seed = newSeed()
  const reader = await add("readers", {
    lane,
    key: base64(signerOf(seed).publicKey),
    boxes: "trusted",
    name: `Reader ${number}-A`,
  })
  const log = await logKeyOf(custodian, origin)
  const notes = { port, lane, custodian: base64(signer.publicKey), log }
  await writeKeyFile(laneKeyOf(data, number), { vault: origin, id: reader, notes, seed })
  return lane
}

export function laneKeyOf(data: string, number: number): string {
  return join(data, "lanes", `lane-${number}.key`)
}

/** The custodian signs the keys of the next month. */
async function signDays(custodian: Client, data: string): Promise<void> {
  const { signer } = await readKeyFile(keyOf(data, "custodian"))
  const text = await custodian.text({ method: "GET", path: "/v1/recipients/draft?days=31" })
  const days = text
    .split("\n")
    .slice(2, -1)
    .map(line => line.slice(0, 10))
  const bytes = Buffer.from(text)
  const statement = {
    list_sha256: createHash("sha256").update(bytes).digest("hex"),
    first_day: days[0] ?? "",
    last_day: days.at(-1) ?? "",
    list_signature: base64(signer.sign(bytes)),
  }
  await custodian.json({ method: "POST", path: "/v1/recipients", statement })
}

/** The engineer asks; the COR and the privacy officer approve: 200 distinct images at L2. */
async function grantToEngineer(
  data: string,
  server: string,
  { contract, lanes }: { contract: string; lanes: string[] },
): Promise<string> {
  const now_ms = Date.now()
  const date = (days: number) => new Date(now_ms + days * day_ms).toISOString().slice(0, 10)
  const terms: Terms = {
    for: "release",
    purpose: "calibrate-reader",
    work_order: "WO-1107",
    contract,
    holder: (await readKeyFile(keyOf(data, "engineer"))).id,
    device: null,
    lanes: [...lanes].sort(),
    hours: { from: 0, until: 24 },
    dates: { first: date(-1), last: date(14) },
    level: "L2",
    region: "wide",
    selection: "open",
    captures: null,
    images: 200,
    releases: 600,
    people: null,
    starts_at: new Date(now_ms - 60_000).toISOString(),
    ends_at: new Date(now_ms + 14 * day_ms).toISOString(),
    destroy_by: new Date(now_ms + 44 * day_ms).toISOString(),
    comment_commitment: null,
  }
  const engineer = await clientOf(data, "engineer", server)
  const { grant } = await engineer.json<{ grant: string }>({
    method: "POST",
    path: "/v1/grants",
    statement: { ...terms },
  })
  for (const role of ["cor", "privacy"]) {
    const approver = await clientOf(data, role, server)
    const statement = { version: 1, terms_sha256: termsDigest(terms), decision: "approve" }
    await approver.json({ method: "POST", path: `/v1/grants/${grant}/approvals`, statement })
  }
  return grant
}
