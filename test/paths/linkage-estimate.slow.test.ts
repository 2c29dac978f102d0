import { afterAll, beforeAll, expect, test } from "vitest"
import { statedResult } from "../../src/custody/adjudication.ts"
import { standingClocks } from "../../src/custody/incident-clocks.ts"
import { statementPdf } from "../../src/custody/statement-pdf.ts"
import { incidentOf, resultOf } from "../../src/custody/incident-record.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import type { Statement } from "../../src/incident/statement.ts"
import type { Member } from "../../src/pack/archive.ts"
import { planName } from "../../src/pack/estimate-check.ts"
import { fileOf, manifestName } from "../../src/pack/manifest.ts"
import { entriesName } from "../../src/pack/proofs.ts"
import { checkPack } from "../../src/pack/verify.ts"
import { canonical } from "../../src/canonical.ts"
import { breach, packOf, policyOf, state, storedOf } from "../incident.ts"
import {
  answerAll,
  estimateNow,
  leaveAll,
  linked,
  takeInPassages,
  tellApart,
  type Passage,
} from "../linkage.ts"
import { openTestPort, type TestPort } from "../port.ts"

/** What two people who know it say makes a number of people, whatever the machine thought. */

const people = 40
const passages: readonly Passage[] = [
  ...Array.from({ length: 70 }, (_, i) => ({ pictures: [[i % people], [i % people]] })),
  ...Array.from({ length: 52 }, (_, i) => ({ pictures: [[i % people, (i * 7 + 3) % people]] })),
]

let port: TestPort
let incident: string
let linkage: string

beforeAll(async () => {
  port = await openTestPort()
  tellApart(port)
  const { captures, personOf } = await takeInPassages(port, passages)
  await leaveAll(port, captures)
  incident = await breach(port)
  linkage = await linked(port, incident, 120)
  await answerAll(port, { linkage, role: "analyst", personOf })
  await answerAll(port, { linkage, role: "privacy", personOf })
}, 600_000)
afterAll(() => port.close())

const check = async (members: readonly Member[]) =>
  checkPack({
    ...{ members: storedOf(members), policy: policyOf(port), verify: verifyEd25519 },
    ...{ log: null, pdf: statementPdf },
  })

/** The pack with one member changed, under a manifest that names it so. */
function withMember(members: readonly Member[], name: string, bytes: Uint8Array): Member[] {
  const changed = members.map(each => (each.name === name ? { name, bytes } : each)).slice(0, -1)
  const manifest = JSON.parse(new TextDecoder().decode(members.at(-1)!.bytes)) as object
  const text = canonical({ ...manifest, files: changed.map(fileOf) })
  return [...changed, { name: manifestName, bytes: new TextEncoder().encode(text) }]
}

test("the interval holds the number of people; scope, statement and clocks state it, and the pack judges it again", async () => {
  const { interval, findings } = await estimateNow(port, linkage, "measured")
  expect(findings).toMatchObject({ sampled: 120, open: 0, unresolved: 0 })
  expect(findings.controls.duplicates.pairs).toBeGreaterThanOrEqual(50)
  expect(findings.controls.duplicates.wrong).toBe(0)
  expect(findings.controls.foils.wrong).toBe(0)
  expect(interval).not.toBeNull()
  expect(interval!.low).toBeLessThanOrEqual(people)
  expect(interval!.high).toBeGreaterThanOrEqual(people)
  expect(interval!.high).toBeLessThan(80)

  const held = await incidentOf(port.house, incident)
  const stated = await statedResult(port.house, held)
  expect(stated.left.people.estimate).toMatchObject({ point: interval!.point, low: interval!.low })
  expect((await resultOf(port.house, held)).left.people.estimate).toBeUndefined()
  const { thresholds } = await standingClocks(port.house, held)
  const counted = thresholds.find(({ interval: of }) => of !== null)
  expect(counted?.interval).toMatchObject({ l95: stated.left.people.estimate!.low })

  const made = await state(port, incident)
  expect(made.frozen.estimated?.linkage).toBe(linkage)
  const statement = JSON.parse(
    new TextDecoder().decode(made.files.find(({ name }) => name === "statement.json")!.bytes),
  ) as Statement
  expect(statement.references.some(({ text }) => text.includes("best estimate"))).toBe(true)
  for (const log of ["whole", "none"] as const) {
    const verdict = await check(await packOf(port, incident, log))
    expect(verdict.checks.filter(({ why }) => why !== null)).toEqual([])
    expect(verdict.holds).toBe(true)
  }
}, 120_000)

test("a pack whose plan was changed, or that lacks answers, is refused and says which", async () => {
  const members = await packOf(port, incident, "none")
  const plan = members.find(({ name }) => name === planName)!
  const text = new TextDecoder().decode(plan.bytes).replace('"kind":"foil"', '"kind":"outside"')
  const swapped = await check(withMember(members, planName, new TextEncoder().encode(text)))
  expect(swapped.holds).toBe(false)
  expect(swapped.checks.at(-1)).toMatchObject({ member: planName })
  const entries = members.find(({ name }) => name === entriesName(0))!
  const lines = new TextDecoder().decode(entries.bytes).split("\n")
  const fewer = lines.filter(line => !line.includes("linkage.answered")).join("\n")
  const lacking = await check(withMember(members, entriesName(0), new TextEncoder().encode(fewer)))
  expect(lacking.holds).toBe(false)
})
