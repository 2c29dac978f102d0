import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { recordOf } from "../../src/custody/caller.ts"
import { decideGrant, editGrant, requestGrant } from "../../src/custody/grants.ts"
import { historyOf, releasesOf } from "../../src/custody/history.ts"
import { proposeMotion } from "../../src/custody/motions.ts"
import { permit } from "../../src/custody/opening.ts"
import { release } from "../../src/custody/release.ts"
import { register } from "../../src/custody/register.ts"
import { base64 } from "../../src/bytes.ts"
import { newSeed, signerOf, verifyEd25519 } from "../../src/ed25519.ts"
import { Fault } from "../../src/fault.ts"
import type { Office } from "../../src/grant/office.ts"
import type { Statement } from "../../src/grant/request.ts"
import type { Terms } from "../../src/grant/terms.ts"
import { fsck } from "../../src/log/fsck.ts"
import { parseEntry } from "../../src/log/kinds.ts"
import { undoubted } from "../../src/picture/level.ts"
import {
  approve,
  callerOf,
  codeOf,
  examineAs,
  grantOf,
  openTestPort,
  releaseCaller,
  revoke,
  sealAndAdmit,
  second,
  takeIn,
  termsOf,
  type Role,
  type TestPort,
} from "../port.ts"

let port: TestPort
let captures: string[]
let picture: Uint8Array
/** With two faces each. */
let crowded: string[]

beforeAll(async () => {
  port = await openTestPort()
  picture = new Uint8Array(
    await sharp({ create: { width: 120, height: 80, channels: 3, background: "#456" } })
      .jpeg()
      .toBuffer(),
  )
  captures = []
  for (let i = 0; i < 4; i += 1) captures.push((await takeIn(port, { picture })).capture)
  crowded = []
  const faces = [10, 40].map(x_px => ({ x_px, y_px: 10, width_px: 10, height_px: 12 }))
  for (let i = 0; i < 3; i += 1) {
    const { capture } = await sealAndAdmit(port, { picture })
    await examineAs(port, capture, { width_px: 120, height_px: 80, plates: [], faces, doubted: undoubted })
    crowded.push(capture)
  }
})
afterAll(async () => {
  const found = await fsck(port.house.ledger, { origin: port.house.log.origin, verify: verifyEd25519 })
  expect(found.problems).toEqual([])
  await port.close()
})

async function take(grant: string, capture: string) {
  return release(port.house, await releaseCaller(port, { grant, capture }))
}

async function move(role: Role, office: Office, by: { proposer: Role; second: Role }): Promise<void> {
  const statement = { person: port.people[role].person, office }
  const path = "/v1/office-changes"
  const caller = await callerOf(port.house, port.people[by.proposer], { path, statement })
  const { motion } = await proposeMotion(port.house, caller, "change-office")
  await second(port.house, port.people[by.second], motion!)
}

describe("a grant's history", () => {
  test("says who asked, edited, signed, ended it, each with its entry and the terms that it made", async () => {
    const grant = await grantOf(port, { by: [] })
    const held = (await recordOf(port.house, "grant", grant))!
    const terms = { ...held.terms, images: 2, releases: 6 }
    const statement = { version: 1, terms_sha256: held.terms_sha256, terms } as Statement
    const path = `/v1/grants/${grant}/edits`
    await editGrant(port.house, await callerOf(port.house, port.people.cor, { path, statement }), grant)
    await approve(port, { grant, role: "cor", terms, version: 2 })
    await approve(port, { grant, role: "privacy", terms, version: 2 })
    await revoke(port, grant, "analyst")
    const history = await historyOf(port.house, (await recordOf(port.house, "grant", grant))!)
    const { people } = port
    expect(history.map(each => [each.what, each.person, each.version, each.terms?.images ?? null])).toEqual([
      ["requested", people.engineer.person, 1, 3],
      ["edited", people.cor.person, 2, 2],
      ["approved", people.cor.person, 2, null],
      ["approved", people.privacy.person, 2, null],
      ["revoked", people.analyst.person, null, null],
    ])
    for (const { entry, at } of history) {
      const [row] = await port.house.ledger.entries(entry, entry + 1)
      expect(parseEntry(row!.bytes)).toMatchObject({ grant, at })
    }
  })

  test("leads to every release under it, in order, by pages; what was charged and not delivered too", async () => {
    const grant = await grantOf(port)
    const first = await take(grant, captures[0]!)
    const lost = await permit(
      port.house,
      await releaseCaller(port, { grant, capture: captures[1]! }),
      "release",
    )
    const again = await take(grant, captures[0]!)
    const all = await releasesOf(port.house, grant, { limit: 10 })
    expect(all.map(each => [each.permit, each.delivered, each.capture])).toEqual([
      [first.permit, first.delivered, captures[0]],
      [lost.index, null, captures[1]],
      [again.permit, again.delivered, captures[0]],
    ])
    expect(all[0]!.sha256).toMatch(/^[0-9a-f]{64}$/)
    const rest = await releasesOf(port.house, grant, { limit: 10, after: String(first.permit) })
    expect(rest).toEqual(all.slice(1))
  })
})

describe("a budget of people", () => {
  test("faces add up over distinct images; what would pass it is refused, and re-reading is free", async () => {
    const grant = await grantOf(port, { terms: { people: 5 } })
    expect(await codeOf(take(grant, crowded[0]!))).toBe("done")
    expect(await codeOf(take(grant, crowded[1]!))).toBe("done")
    expect(await codeOf(take(grant, crowded[2]!))).toBe("GRANT_PEOPLE")
    expect(await codeOf(take(grant, crowded[0]!))).toBe("done")
  })

  test("an image that no face finder has looked at does not leave under it, and leaves under another grant", async () => {
    const { capture } = await sealAndAdmit(port, { picture })
    await examineAs(port, capture, {
      width_px: 120,
      height_px: 80,
      plates: [],
      faces: null,
      doubted: undoubted,
    })
    const bounded = await grantOf(port, { terms: { people: 5 } })
    expect(await codeOf(take(bounded, capture))).toBe("GRANT_PEOPLE")
    expect(await codeOf(take(await grantOf(port), capture))).toBe("done")
  })
})

describe("whoever changes office", () => {
  test("takes his key and id along; what he signed before counts no more, and two must sign that", async () => {
    const grant = await grantOf(port, { by: ["cor", "privacy"] })
    expect(await codeOf(take(grant, captures[0]!))).toBe("done")
    expect(await codeOf(move("cor", "analyst", { proposer: "custodian", second: "cor" }))).toBe(
      "APPROVAL_SELF",
    )
    await move("cor", "analyst", { proposer: "custodian", second: "privacy" })
    expect(await codeOf(take(grant, captures[0]!))).toBe("GRANT_PENDING")
    const { terms } = (await recordOf(port.house, "grant", grant))!
    expect(await codeOf(approve(port, { grant, role: "cor", terms }))).toBe("OFFICE")
    await approve(port, { grant, role: "custodian", terms })
    expect(await codeOf(take(grant, captures[0]!))).toBe("done")
    await move("cor", "cor", { proposer: "custodian", second: "privacy" })
  })

  test("moves neither to a vendor nor to the office that he has", async () => {
    const by = { proposer: "custodian", second: "privacy" } as const
    expect(await codeOf(move("analyst", "engineer", by))).toBe("OFFICE")
    expect(await codeOf(move("analyst", "analyst", by))).toBe("CONFLICT")
  })
})

describe("names and offices", () => {
  test("openbao#3841: an office of that name in another organization is no office of the agency's, and approves nothing", async () => {
    const { organization } = (await recordOf(port.house, "person", port.people.prime.person))!
    for (const office of ["cor", "privacy", "custodian"]) {
      const statement = { organization, office, key: base64(signerOf(newSeed()).publicKey) }
      const names = { name: "Planted Namesake" }
      const path = "/v1/people"
      const caller = await callerOf(port.house, port.people.custodian, { path, statement, names })
      expect(await codeOf(register(port.house, caller, "people")), office).toBe("OFFICE")
    }
    const grant = await grantOf(port, { by: [] })
    const { terms } = (await recordOf(port.house, "grant", grant))!
    expect(await codeOf(approve(port, { grant, role: "prime", terms }))).toBe("OFFICE")
  })
})

describe("a refusal names the rule and what would pass", () => {
  const ask = async (changed: Partial<Terms>) => {
    const statement = { ...termsOf(port, changed) } as Statement
    const caller = await callerOf(port.house, port.people.engineer, { path: "/v1/grants", statement })
    return requestGrant(port.house, caller)
  }
  const cases: readonly [string, () => Partial<Terms>, string, RegExp, string | undefined][] = [
    ["a level over the purpose's", () => ({ level: "L4" }), "GRANT_TERMS", /L2/, undefined],
    ["no images", () => ({ images: 5, releases: 4 }), "GRANT_TERMS", /at least as many as images/, undefined],
    [
      "a lane that does not exist",
      () => ({ lanes: ["lan_01JDXXXXXXXXXXXXXXXXXXXXXX"] }),
      ...(["GRANT_LANE", /lan_01JDXXXXXXXXXXXXXXXXXXXXXX/, "sallyport lane ls"] as const),
    ],
    [
      "a purpose that the contract does not allow",
      () => ({ purpose: "repair-reader" }),
      ...(["GRANT_CONTRACT", /repair-reader/, "--purpose calibrate-reader, or verify-reads"] as const),
    ],
    [
      "more than the policy",
      () => ({ images: 5001, releases: 5001 }),
      ...(["BUDGET_ORGANIZATION", /5001/, "--images 5000, or fewer"] as const),
    ],
    [
      "an agency's own person as holder",
      () => ({ holder: port.people.cor.person }),
      ...(["OFFICE", /vendor/, undefined] as const),
    ],
  ]
  for (const [title, changed, code, says, next] of cases)
    test(title, async () => {
      const refused = await ask(changed()).then(
        () => null,
        (error: unknown) => error,
      )
      expect(refused).toBeInstanceOf(Fault)
      const fault = refused as Fault
      expect(fault.code).toBe(code)
      expect(fault.message).toMatch(says)
      expect(fault.extras.next).toBe(next)
      expect(fault.extras.entry).toBeGreaterThan(0)
    })

  test("an approval of a version that an edit replaced says which is in force, and where to look", async () => {
    const grant = await grantOf(port, { by: [] })
    const held = (await recordOf(port.house, "grant", grant))!
    const edited = { ...held.terms, images: 9, releases: 27 }
    const edit = { version: 1, terms_sha256: held.terms_sha256, terms: edited } as Statement
    const editPath = `/v1/grants/${grant}/edits`
    const editor = await callerOf(port.house, port.people.engineer, { path: editPath, statement: edit })
    await editGrant(port.house, editor, grant)
    const path = `/v1/grants/${grant}/approvals`
    const statement = { version: 1, terms_sha256: held.terms_sha256, decision: "approve" }
    const stale = decideGrant(
      port.house,
      await callerOf(port.house, port.people.cor, { path, statement }),
      grant,
    )
    await expect(stale).rejects.toMatchObject({
      code: "GRANT_VERSION",
      extras: { next: `sallyport grant diff ${grant} 1 2, then the same again` },
    })
  })
})
