import { planForPack } from "../src/custody/adjudication.ts"
import { declareIncident, scopeIncident } from "../src/custody/incidents.ts"
import { incidentOf, resultOf } from "../src/custody/incident-record.ts"
import { proposeMotion } from "../src/custody/motions.ts"
import { release } from "../src/custody/release.ts"
import { ledgerSource } from "../src/custody/scope-reading.ts"
import { makeStatement, signedFiles, type Made } from "../src/custody/statements.ts"
import { verifyEd25519 } from "../src/ed25519.ts"
import { motionPaths } from "../src/log/authentic.ts"
import { readHead } from "../src/log/reading.ts"
import type { Member, Parts, Stored } from "../src/pack/archive.ts"
import type { Frozen } from "../src/pack/frozen.ts"
import { packMembers } from "../src/pack/make.ts"
import { fileOf } from "../src/pack/manifest.ts"
import { parsePolicy, type Policy } from "../src/tlog/policy.ts"
import { takeInPlain } from "./flat.ts"
import { callerOf, grantOf, releaseCaller, second, type TestPort } from "./port.ts"

/** A breach of a test port: some images left to a subcontractor, who was broken into. */

export const said = {
  contact: "privacy@agency.example",
  check_url: "https://agency.example/notice",
  happened: "A contractor was broken into.",
  doing: null,
} as const

/** Releases of so many images to the engineer, the first of them twice. */
export async function leave(port: TestPort, count: number): Promise<readonly string[]> {
  const captures = await takeInPlain(port, count)
  const grant = await grantOf(port, { terms: { images: count, releases: 2 * count } })
  for (const capture of [captures[0]!, ...captures])
    await release(port.house, await releaseCaller(port, { grant, capture }))
  return captures
}

/** Declares that the engineer's organization was breached, and counts. */
export async function breach(port: TestPort): Promise<string> {
  const { house, people } = port
  const engineer = JSON.parse((await house.ledger.record("person", people.engineer.person))!.body) as {
    organization: string
  }
  const now = new Date(house.log.clock())
  const statement = {
    ...{
      title: "Vendor broken into",
      cause: { of: "organizations", organizations: [engineer.organization] },
    },
    ...{ from: new Date(now.getTime() - 86_400_000).toISOString(), until: null },
    ...{ discovered: [{ party: "agency", at: now.toISOString() }], facts: {}, note_commitment: null },
  }
  const caller = await callerOf(house, people.privacy, { path: "/v1/incidents", statement })
  const { incident } = await declareIncident(house, caller, { reported: false, key: `key-${now.getTime()}` })
  const path = `/v1/incidents/${incident}/scopes`
  await scopeIncident(
    house,
    await callerOf(house, people.privacy, { path, statement: { version: 1 } }),
    incident,
  )
  return incident
}

/** The statement, signed by privacy officer and COR. */
export async function state(port: TestPort, incident: string): Promise<Made> {
  const { house, people } = port
  const made = await makeStatement(house, incident, said)
  const { statement_sha256, letters_sha256, frozen } = made
  const statement = { incident, scoped: frozen.scoped, statement_sha256, letters_sha256 }
  const caller = await callerOf(house, people.privacy, { path: motionPaths["sign-statement"], statement })
  await second(house, people.cor, (await proposeMotion(house, caller, "sign-statement")).motion!)
  return made
}

export function policyOf(port: TestPort): Policy {
  const parsed = parsePolicy(port.house.log.policy)
  if (parsed.kind === "refuse") throw new Error(parsed.why)
  return parsed.policy
}

async function planOf({ house }: TestPort, statement: readonly Member[]): Promise<Uint8Array | null> {
  const frozen = statement.find(({ name }) => name === "frozen.json")
  const { estimated = null } = (
    frozen === undefined ? {} : JSON.parse(new TextDecoder().decode(frozen.bytes))
  ) as Partial<Frozen>
  return estimated === null ? null : planForPack(house, estimated.linkage)
}

export async function packOf(port: TestPort, incident: string, log: "whole" | "none"): Promise<Member[]> {
  const { house } = port
  const source = ledgerSource(house)
  const head = await readHead(source, policyOf(port), verifyEd25519)
  const held = await incidentOf(house, incident)
  const statement = held.signed === null ? [] : await signedFiles(house, held)
  const result = await resultOf(house, held)
  const members: Member[] = []
  const plan = await planOf(port, statement)
  const ask = { source, head, policy: house.log.policy, result, statement, plan, log }
  for await (const member of packMembers(ask)) members.push(member)
  return members
}

/** As members lie in an archive. */
export function storedOf(members: readonly Member[]): readonly Stored[] {
  return members.map(member => ({ ...fileOf(member), read: () => Promise.resolve(member.bytes) }))
}

/** A file that is in memory. */
export function partsOf(bytes: Uint8Array): Parts {
  const read = (at: number, length: number) => Promise.resolve(bytes.subarray(at, at + length))
  return { size_bytes: bytes.length, read }
}
