import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { canonical } from "../../src/canonical.ts"
import { accountFor, type AccountingAsk } from "../../src/custody/accounting.ts"
import { destroyOpening } from "../../src/custody/openings.ts"
import { release } from "../../src/custody/release.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { fsck } from "../../src/log/fsck.ts"
import { parseEntry } from "../../src/log/kinds.ts"
import { newId } from "../../src/ids.ts"
import { allEntries } from "../forge.ts"
import { flatShot } from "../flat.ts"
import {
  callerOf,
  codeOf,
  grantOf,
  openTestPort,
  releaseCaller,
  sealShot,
  type Role,
  type TestPort,
} from "../port.ts"
import { admit } from "../../src/custody/admit.ts"
import { examine } from "../../src/custody/examine.ts"

let port: TestPort
const crossings = [newId("crs"), newId("crs")]
const captures: string[] = []
let at = ""

beforeAll(async () => {
  port = await openTestPort()
  const shot = await flatShot()
  for (const crossing of [crossings[0]!, crossings[0]!, crossings[1]!]) {
    const { header, bytes } = await sealShot(port, { ...shot, bend: { crossing } })
    await admit(port.house, bytes)
    await examine(port.house, header.capture, { again: false })
    captures.push(header.capture)
    at = header.captured_at
  }
  const grant = await grantOf(port, { terms: { images: 3, releases: 9, work_order: "WO-77" } })
  for (const capture of [captures[0]!, captures[0]!, captures[2]!])
    await release(port.house, await releaseCaller(port, { grant, capture }))
})
afterAll(() => port.close())

const askFor = (changed: Partial<AccountingAsk> = {}): AccountingAsk => ({
  ...{ port: port.reader.port, lane: port.lane, at, within_minutes: 30, crossing: null },
  ...changed,
})

async function account(changed: Partial<AccountingAsk> = {}, role: Role = "privacy", text?: string) {
  const caller = await callerOf(port.house, port.people[role], {
    ...{ path: "/v1/accountings", statement: {} },
    names: { ask: text ?? canonical(askFor(changed)) },
  })
  return accountFor(port.house, caller)
}

describe("the accounting of disclosures", () => {
  test("says what left, when, to whom, why, and which entries say so", async () => {
    const made = await account({ crossing: crossings[0]! })
    expect(made.crossings).toMatchObject([{ crossing: crossings[0], captures: 2, disclosures: 2 }])
    expect(made.disclosures).toHaveLength(2)
    for (const each of made.disclosures) {
      expect(each).toMatchObject({
        ...{
          capture: captures[0],
          nature: "copy",
          level: "L2",
          purpose: "calibrate-reader",
          work_order: "WO-77",
        },
        ...{ organization_name: "Sub", person: port.people.engineer.person, person_name: "Planted engineer" },
        ...{ within_agency: false, visible: "the license plate and what is around it; faces were covered" },
      })
      const entries = await allEntries(port)
      expect(parseEntry(entries[each.permit]!)).toMatchObject({ kind: "permit", capture: captures[0] })
      expect(parseEntry(entries[each.delivered!]!)).toMatchObject({ kind: "delivered", permit: each.permit })
    }
  })
  test("without a crossing it shows all of the window, apart", async () => {
    const made = await account()
    expect(made.crossings.map(each => [each.captures, each.disclosures])).toEqual([
      [2, 2],
      [1, 1],
    ])
  })
  test("another time, lane or crossing has none of it", async () => {
    const later = new Date(Date.parse(at) + 7_200_000).toISOString()
    expect((await account({ at: later })).crossings).toEqual([])
    expect((await account({ crossing: newId("crs") })).disclosures).toEqual([])
    expect(await codeOf(account({ lane: newId("lan") }))).toBe("NOT_FOUND")
    expect(await codeOf(account({ port: newId("prt") }))).toBe("NOT_FOUND")
  })
  test("it is in the log with its counts, and without place or time", async () => {
    const { entry } = await account({ crossing: crossings[1]! })
    const bytes = (await allEntries(port))[entry]!
    expect(parseEntry(bytes)).toMatchObject({
      ...{ kind: "accounting.made", person: port.people.privacy.person, captures: 1, disclosures: 1 },
    })
    const text = Buffer.from(bytes).toString()
    for (const hidden of [crossings[1]!, port.lane, port.reader.port, at]) expect(text).not.toContain(hidden)
    const { problems } = await fsck(port.house.ledger, {
      origin: port.house.log.origin,
      verify: verifyEd25519,
    })
    expect(problems).toEqual([])
  })
  test("nobody but the privacy officer is answered, and the refusal is in the log", async () => {
    for (const role of ["custodian", "cor", "analyst", "auditor", "engineer"] as const) {
      expect(await codeOf(account({}, role)), role).toBe("OFFICE")
      expect(parseEntry((await allEntries(port)).at(-1)!)).toMatchObject({ kind: "refused", code: "OFFICE" })
    }
  })
  test("an ask that is none is refused before anything is looked for", async () => {
    const bad = [
      ...[
        "",
        "{}",
        "[]",
        "x",
        canonical({ ...askFor(), within_minutes: 721 }),
        canonical({ ...askFor(), plate: "A" }),
      ],
      ...[
        canonical({ ...askFor(), at: "yesterday" }),
        ` ${canonical(askFor())}`,
        JSON.stringify(askFor(), null, 1),
      ],
    ]
    for (const text of bad.slice(1)) expect(await codeOf(account({}, "privacy", text)), text).toBe("INVALID")
  })
  test("a destroyed name is gone, and the id stays", async () => {
    const entries = await allEntries(port)
    const entry = entries.findIndex(bytes => {
      const each = parseEntry(bytes)
      return each?.kind === "motion.proposed" && each.subject === port.people.engineer.person
    })
    const statement = { entry, field: "name" }
    const path = "/v1/openings/destruction"
    await destroyOpening(port.house, await callerOf(port.house, port.people.privacy, { path, statement }))
    const [each] = (await account({ crossing: crossings[0]! })).disclosures
    expect(each).toMatchObject({ person: port.people.engineer.person, person_name: null })
  })
})
