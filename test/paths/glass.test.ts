import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { recordOf } from "../../src/custody/caller.ts"
import { editGrant, revokeGrant } from "../../src/custody/grants.ts"
import { noteReading } from "../../src/custody/openings.ts"
import { proposeMotion, reviewGlass } from "../../src/custody/motions.ts"
import { register } from "../../src/custody/register.ts"
import { release } from "../../src/custody/release.ts"
import { reveal } from "../../src/custody/reveal.ts"
import { base64 } from "../../src/bytes.ts"
import { newSeed, signerOf, verifyEd25519, type Signer } from "../../src/ed25519.ts"
import { deviceMessage, signatureBase, type Statement } from "../../src/grant/request.ts"
import type { Terms } from "../../src/grant/terms.ts"
import { fsck } from "../../src/log/fsck.ts"
import { parseEntry } from "../../src/log/kinds.ts"
import { noticeOf } from "../../src/log/notices.ts"
import { takeInPlain } from "../flat.ts"
import {
  approve,
  callerOf,
  codeOf,
  grantOf,
  openTestPort,
  releaseCaller,
  second,
  setPolicy,
  termsOf,
  type Role,
  type TestPort,
} from "../port.ts"

let port: TestPort
let captures: string[]

beforeAll(async () => {
  port = await openTestPort()
  captures = await takeInPlain(port, 4)
})
afterAll(async () => {
  const found = await fsck(port.house.ledger, { origin: port.house.log.origin, verify: verifyEd25519 })
  expect(found.problems).toEqual([])
  await port.close()
})

const minutes_ms = 60_000

function glassTerms(changed: Partial<Terms> = {}): Terms {
  const ends_at = new Date(port.house.log.clock() + 60 * minutes_ms).toISOString()
  const { person: holder } = port.people.analyst
  const images = changed.images ?? 2
  const limits = { images, releases: 3 * images, level: "L2", ends_at } as const
  return termsOf(port, { for: "reveal", purpose: "incident", contract: null, holder, ...limits, ...changed })
}

async function breakGlass(changed: Partial<Terms> = {}, role: Role = "analyst") {
  const names = { reason: "Planted: a child is missing, a car is known" }
  const ask = { path: "/v1/break-glass", statement: { terms: glassTerms(changed) }, names }
  const { id, motion } = await proposeMotion(
    port.house,
    await callerOf(port.house, port.people[role], ask),
    "break-glass",
  )
  return { id, motion: motion! }
}

async function look(grant: string, capture: string) {
  const names = { reason: "Planted: looking for the known car" }
  const statement = { grant, capture, level: "L2" }
  const ask = { path: "/v1/reveals", statement, names }
  return reveal(port.house, await callerOf(port.house, port.people.analyst, ask))
}

async function review(grant: string, role: Role, outcome = "justified") {
  const ask = {
    path: `/v1/grants/${grant}/review`,
    statement: { outcome },
    names: { note: "Planted: it was as it was told" },
  }
  return reviewGlass(port.house, await callerOf(port.house, port.people[role], ask), grant)
}

async function newest(kind: "motion.proposed" | "motion.seconded" | "refused" | "log.read" | "permit") {
  const [row] = await port.house.ledger.newestEntries({ kind, limit: 1 })
  return parseEntry(row!.bytes)!
}

test("a grant that does not exist is refused, and the refusal replays", async () => {
  const grant = "grt_01JDXXXXXXXXXXXXXXXXXXXXXX"
  expect(await codeOf(release(port.house, await releaseCaller(port, { grant, capture: captures[0]! })))).toBe(
    "GRANT_UNKNOWN",
  )
})

describe("break-glass", () => {
  test("infisical#3878: it works whatever approvals the policy asks for, with two keys and not with one", async () => {
    const approvals = [
      { office: "custodian", people: 1 },
      { office: "cor", people: 2 },
    ] as const
    await setPolicy(port, { approvals })
    const { id, motion } = await breakGlass()
    expect(noticeOf(await newest("motion.proposed"))?.severity).toBe("alarm")
    expect(await codeOf(look(id, captures[0]!))).toBe("GRANT_UNKNOWN")
    expect(await codeOf(second(port.house, port.people.analyst, motion))).toBe("OFFICE")
    await second(port.house, port.people.cor, motion)
    expect(noticeOf(await newest("motion.seconded"))?.severity).toBe("alarm")
    expect(await codeOf(look(id, captures[0]!))).toBe("done")
    expect(await recordOf(port.house, "grant", id)).toMatchObject({
      requester: port.people.analyst.person,
      glass: { second: port.people.cor.person, outcome: null },
    })
    await setPolicy(port, {})
  })

  test("it shortens the wait and nothing else: budget, expiry, edits and stops hold", async () => {
    const { id, motion } = await breakGlass({ images: 1 })
    await second(port.house, port.people.privacy, motion)
    expect(await codeOf(look(id, captures[0]!))).toBe("done")
    expect(await codeOf(look(id, captures[1]!))).toBe("GRANT_BUDGET")
    const { version, terms, terms_sha256 } = (await recordOf(port.house, "grant", id))!
    const wider = { version, terms_sha256, terms: { ...terms, images: 5, releases: 15 } }
    const asked = await callerOf(port.house, port.people.analyst, {
      path: `/v1/grants/${id}/edits`,
      statement: wider,
    })
    expect(await codeOf(editGrant(port.house, asked, id))).toBe("GLASS")
    expect(await codeOf(approve(port, { grant: id, role: "custodian", terms }))).toBe("CONFLICT")
  })

  test("too many images, too long, for a vendor, for another: refused before anybody seconds it", async () => {
    const late = new Date(port.house.log.clock() + 5 * 60 * minutes_ms).toISOString()
    const vendor = { for: "release", contract: port.contract, purpose: "calibrate-reader" } as const
    expect(await codeOf(breakGlass({ images: 11 }))).toBe("GLASS")
    expect(await codeOf(breakGlass({ ends_at: late }))).toBe("GLASS")
    expect(await codeOf(breakGlass({ ...vendor, holder: port.people.engineer.person }))).toBe("GLASS")
    expect(await codeOf(breakGlass({ holder: port.people.privacy.person }))).toBe("GLASS")
    expect(await codeOf(breakGlass({ holder: port.people.engineer.person }, "engineer"))).toBe("OFFICE")
    await setPolicy(port, { glass_images: 0 })
    expect(await codeOf(breakGlass({ images: 1 }))).toBe("GLASS")
    await setPolicy(port, {})
  })

  test("no reason, no break-glass", async () => {
    const ask = { path: "/v1/break-glass", statement: { terms: glassTerms() }, names: { reason: "hurry" } }
    const asked = await callerOf(port.house, port.people.analyst, ask)
    expect(await codeOf(proposeMotion(port.house, asked, "break-glass"))).toBe("INVALID")
  })
})

/** The request as a device signs it beside the person. */
async function fromDevice(grant: string, device: Signer, bend = false) {
  const caller = await releaseCaller(port, { grant, capture: captures[0]! })
  const message = signatureBase(caller.asked, port.house.log.origin, caller.statement)
  const signature = base64(device.sign(bend ? message : deviceMessage(message)))
  const asked = { ...caller.asked, device: { key: base64(device.publicKey), signature } }
  return { ...caller, asked }
}

describe("devices and networks", () => {
  test("a stolen key from another device is refused, and told", async () => {
    const [own, thiefs] = [signerOf(newSeed()), signerOf(newSeed())]
    const grant = await grantOf(port, { terms: { device: base64(own.publicKey) } })
    expect(
      await codeOf(release(port.house, await releaseCaller(port, { grant, capture: captures[0]! }))),
    ).toBe("GRANT_DEVICE")
    expect(noticeOf(await newest("refused"))?.severity).toBe("alarm")
    expect(await codeOf(release(port.house, await fromDevice(grant, thiefs)))).toBe("GRANT_DEVICE")
    expect(await codeOf(release(port.house, await fromDevice(grant, own)))).toBe("done")
  })

  test("a contract's networks: from elsewhere nothing, and the permit says which one it was", async () => {
    const { organization } = (await recordOf(port.house, "person", port.people.prime.person))!
    const ends_at = new Date(port.house.log.clock() + 30 * 86_400_000).toISOString()
    const add = async (of: Statement) => {
      const statement = {
        ...{ organization, under: null, purposes: ["calibrate-reader"], ends_at, attestations: [] },
        ...{ devices: [], networks: ["192.0.2.0/24"], ...of },
      }
      const asked = await callerOf(port.house, port.people.custodian, { path: "/v1/contracts", statement })
      return (await register(port.house, asked, "contracts")).id
    }
    const contract = await add({ number: "N-1" })
    const grant = await grantOf(port, { terms: { contract } })
    const caller = await releaseCaller(port, { grant, capture: captures[0]! })
    expect(await codeOf(release(port.house, { ...caller, address: "198.51.100.1" }))).toBe("GRANT_NETWORK")
    const again = await releaseCaller(port, { grant, capture: captures[0]! })
    expect(await codeOf(release(port.house, { ...again, address: "192.0.2.8" }))).toBe("done")
    expect(await newest("permit")).toMatchObject({ by: { network: "192.0.2.0/24" } })
    expect(await codeOf(add({ number: "N-2", under: contract, networks: ["198.51.100.0/24"] }))).toBe(
      "GRANT_CONTRACT",
    )
    expect(await codeOf(add({ number: "N-3", under: contract, networks: [] }))).toBe("done")
    expect(await codeOf(add({ number: "N-4", networks: ["not a network"] }))).toBe("INVALID")
  })
})

describe("what is told, and who looked", () => {
  test("the image that uses up the first half of a budget says so", async () => {
    const grant = await grantOf(port, { terms: { images: 4 } })
    for (const capture of captures.slice(0, 2))
      await release(port.house, await releaseCaller(port, { grant, capture }))
    const entry = await newest("permit")
    expect(entry).toMatchObject({ by: { halves: ["grant"], images_after: 2 } })
    expect(noticeOf(entry)?.sentence).toContain("half is used of: grant")
  })

  test("a reading of the log is in the log, with what was asked", async () => {
    const asked = await callerOf(port.house, port.people.auditor, { path: "/v1/log/entries", statement: {} })
    const message = { ...asked.asked, method: "GET", query: "?kind=permit", content_sha256: null } as const
    const signature = base64(
      port.people.auditor.signer.sign(signatureBase(message, port.house.log.origin, null)),
    )
    await noteReading(port.house, { ...asked, asked: { ...message, signature } }, "entries")
    expect(await newest("log.read")).toMatchObject({
      person: port.people.auditor.person,
      asked: { query: "?kind=permit" },
    })
  })

  test("a name that looks like another's is refused", async () => {
    const add = async (name: string) => {
      const ask = { path: "/v1/orgs", statement: { name, parent: null } }
      return register(port.house, await callerOf(port.house, port.people.custodian, ask), "orgs")
    }
    for (const name of ["Prime", "PRIME", "Рrіmе", "Pri\u200bme", "Agency"])
      expect(await codeOf(add(name)), name).toBe("NAME")
    expect(await codeOf(add("Primer"))).toBe("done")
  })
})

describe("the review", () => {
  test("it is for somebody else, when it is over, once; an overdue one bars the next", async () => {
    const { id, motion } = await breakGlass()
    await second(port.house, port.people.cor, motion)
    expect(await codeOf(review(id, "privacy"))).toBe("CONFLICT")
    const held = (await recordOf(port.house, "grant", id))!
    const statement = { terms_sha256: held.terms_sha256 }
    const path = `/v1/grants/${id}/revocation`
    await revokeGrant(port.house, await callerOf(port.house, port.people.analyst, { path, statement }), id)
    expect(await codeOf(review(id, "cor"))).toBe("APPROVAL_SELF")
    expect(await codeOf(review(id, "auditor"))).toBe("OFFICE")
    port.clock.offset_ms += 80 * 60 * minutes_ms
    expect(await codeOf(breakGlass())).toBe("GLASS_REVIEW")
    for (const each of (await recordOf(port.house, "glass", "glass"))!.open)
      await review(each.grant, "custodian")
    expect((await recordOf(port.house, "grant", id))?.glass?.outcome).toBe("justified")
    expect(await codeOf(review(id, "custodian"))).toBe("CONFLICT")
    expect(await codeOf(breakGlass())).toBe("done")
  })
})
