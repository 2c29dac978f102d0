import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { recordOf } from "../../src/custody/caller.ts"
import { editGrant, tryTerms } from "../../src/custody/grants.ts"
import { orderStop, proposeMotion } from "../../src/custody/motions.ts"
import { fewestOf, preview } from "../../src/custody/preview.ts"
import { attest, register, suspend } from "../../src/custody/register.ts"
import { deliver, isStanding, release } from "../../src/custody/release.ts"
import { permit } from "../../src/custody/opening.ts"
import { base64 } from "../../src/bytes.ts"
import { newSeed, signerOf, verifyEd25519 } from "../../src/ed25519.ts"
import { defaultPolicy } from "../../src/grant/policy.ts"
import type { Statement } from "../../src/grant/request.ts"
import type { Terms } from "../../src/grant/terms.ts"
import { motionPaths } from "../../src/log/authentic.ts"
import { fsck } from "../../src/log/fsck.ts"
import type { Records } from "../../src/log/state.ts"
import { takeInPlain } from "../flat.ts"
import {
  approve,
  callerOf,
  codeOf,
  grantOf,
  openTestPort,
  releaseCaller,
  revoke,
  second,
  setPolicy,
  takeIn,
  termsOf,
  type Actor,
  type Role,
  type TestPort,
} from "../port.ts"

let port: TestPort
let captures: string[]
const plates = [{ text: "SP7X042", box: { x_px: 20, y_px: 20, width_px: 60, height_px: 20 } }]

beforeAll(async () => {
  // One engineer asks for far more here than he may, so that each rule is met alone: the watch would stop him early.
  port = await openTestPort({ settings: { watch: "observe" } })
  captures = await takeInPlain(port, 12)
})
afterAll(async () => {
  const found = await fsck(port.house.ledger, { origin: port.house.log.origin, verify: verifyEd25519 })
  expect(found.problems).toEqual([])
  await port.close()
})

async function held(grant: string): Promise<Records["grant"]> {
  return (await recordOf(port.house, "grant", grant))!
}

async function edit(grant: string, role: Role, changed: Partial<Terms>, on?: Records["grant"]) {
  const { version, terms, terms_sha256 } = on ?? (await held(grant))
  const statement = { version, terms_sha256, terms: { ...terms, ...changed } }
  const path = `/v1/grants/${grant}/edits`
  return editGrant(port.house, await callerOf(port.house, port.people[role], { path, statement }), grant)
}

async function approveAsIs(grant: string, role: Role): Promise<void> {
  const { terms, version } = await held(grant)
  await approve(port, { grant, role, terms, version })
}

async function take(grant: string, capture: string, role: Role = "engineer") {
  return release(port.house, await releaseCaller(port, { grant, capture, role }))
}

async function propose(
  role: Role,
  act: Parameters<typeof proposeMotion>[2],
  statement: Statement,
): Promise<string> {
  const path = motionPaths[act]
  return (
    await proposeMotion(port.house, await callerOf(port.house, port.people[role], { path, statement }), act)
  ).id
}

function keyOf(person: string, key: string): Statement {
  return { person, key, kind: "ed25519", credential: null }
}

async function stop(role: Role, scope = "vault") {
  const caller = await callerOf(port.house, port.people[role], { path: "/v1/stops", statement: { scope } })
  return orderStop(port.house, caller)
}

describe("edits", () => {
  test("narrowing keeps the approvals, and the narrower terms are in force", async () => {
    const grant = await grantOf(port)
    await edit(grant, "cor", { images: 1, releases: 3 })
    expect(await held(grant)).toMatchObject({ version: 2, status: "approved" })
    expect(await codeOf(take(grant, captures[0]!))).toBe("done")
    expect(await codeOf(take(grant, captures[1]!))).toBe("GRANT_BUDGET")
  })

  test("infisical#6988, solana#107: widening voids every approval; the old ones do not count again", async () => {
    const grant = await grantOf(port)
    const before = await held(grant)
    await edit(grant, "engineer", { images: 4, releases: 12 })
    expect(await held(grant)).toMatchObject({ version: 2, status: "pending", approvals: [] })
    expect(await codeOf(take(grant, captures[0]!))).toBe("GRANT_PENDING")
    const stale = approve(port, { grant, role: "cor", terms: before.terms, version: 1 })
    expect(await codeOf(stale)).toBe("GRANT_VERSION")
    const bent = approve(port, { grant, role: "cor", terms: before.terms, version: 2 })
    expect(await codeOf(bent)).toBe("APPROVAL_DIGEST")
    await approveAsIs(grant, "cor")
    expect(await codeOf(take(grant, captures[0]!))).toBe("GRANT_PENDING")
    await approveAsIs(grant, "custodian")
    expect(await codeOf(take(grant, captures[0]!))).toBe("done")
  })

  test("only who asked may widen; nobody else's terms are changed by a vendor; the holder stays", async () => {
    const grant = await grantOf(port)
    expect(await codeOf(edit(grant, "cor", { images: 9, releases: 27 }))).toBe("GRANT_WIDER")
    expect(await codeOf(edit(grant, "colleague", { images: 1, releases: 3 }))).toBe("OFFICE")
    const { person } = port.people.colleague
    expect(await codeOf(edit(grant, "engineer", { holder: person }))).toBe("GRANT_TERMS")
    expect(await codeOf(edit(grant, "engineer", {}))).toBe("CONFLICT")
    expect(await codeOf(edit(grant, "engineer", { images: 0 }))).toBe("GRANT_TERMS")
  })

  test("an edit signs the terms in force: two at once, and the second is refused", async () => {
    const grant = await grantOf(port)
    const on = await held(grant)
    const done = await Promise.all([
      codeOf(edit(grant, "engineer", { images: 2, releases: 6 }, on)),
      codeOf(edit(grant, "cor", { images: 1, releases: 3 }, on)),
    ])
    expect(done.sort()).toEqual(["GRANT_VERSION", "done"])
  })

  test("two approvals at the same instant with a widening edit between: none counts for the wider terms", async () => {
    const grant = await grantOf(port, { by: [] })
    const { terms } = await held(grant)
    await Promise.all([
      codeOf(approve(port, { grant, role: "cor", terms })),
      codeOf(edit(grant, "engineer", { images: 5, releases: 15 })),
      codeOf(approve(port, { grant, role: "privacy", terms })),
    ])
    const after = await held(grant)
    for (const approval of after.approvals) expect(approval.version).toBe(after.version)
    expect(after.status).toBe("pending")
  })
})

describe("selections", () => {
  test("a frozen selection ends at the approval; what comes later is outside", async () => {
    const grant = await grantOf(port, { terms: { selection: "frozen" } })
    const event = { v: 1, source: "index", file: null, plates, faces: [] } as const
    const picture = new Uint8Array(
      await sharp({ create: { width: 120, height: 80, channels: 3, background: "#999" } })
        .jpeg()
        .toBuffer(),
    )
    const { capture } = await takeIn(port, { picture, event })
    expect(await codeOf(take(grant, capture))).toBe("GRANT_SELECTION")
    expect(await codeOf(take(grant, captures[0]!))).toBe("done")
  })

  test("a manifest lets through what it names", async () => {
    const manifest = [captures[2]!, captures[3]!].sort()
    const grant = await grantOf(port, { terms: { captures: manifest, images: 2, releases: 6 } })
    expect(await codeOf(take(grant, captures[4]!))).toBe("GRANT_SELECTION")
    expect(await codeOf(take(grant, captures[2]!))).toBe("done")
  })

  test("the preview counts what would leave, and what a breach would lose", async () => {
    const grant = await grantOf(port, { terms: { images: 5, releases: 15 }, by: [] })
    const shown = await preview(port.house, await held(grant))
    expect(shown.selected).toBeGreaterThanOrEqual(12)
    expect(shown.would_leave).toBe(5)
    expect(shown.by_lane).toEqual([{ lane: port.lane, captures: shown.selected }])
    expect(shown.by_hour.reduce((sum, count) => sum + count, 0)).toBe(shown.selected)
    expect(shown.if_breached.images).toBe(shown.if_breached.held_already + 5)
    expect(JSON.stringify(shown)).not.toContain("SP7X042")
  })

  test("so many images are of no fewer crossings than those with the most pictures", () => {
    expect([[1, 1, 1, 1], [3, 1], [2, 2], [5]].map(sizes => fewestOf(sizes, 3))).toEqual([3, 1, 2, 1])
    expect([fewestOf([], 0), fewestOf([2], 0), fewestOf([2], 5)]).toEqual([0, 0, 1])
  })

  test("a trial names the rule that would refuse, and leaves no entry", async () => {
    const { size } = await port.house.log.head()
    const tryIt = async (changed: Partial<Terms>) => {
      const statement = { ...termsOf(port, changed) } as Statement
      const path = "/v1/grants/trial"
      return tryTerms(port.house, await callerOf(port.house, port.people.engineer, { path, statement }))
    }
    expect(await tryIt({})).toEqual({ refusal: null, why: null, next: null })
    expect((await tryIt({ level: "L4" })).refusal).toBe("GRANT_TERMS")
    expect((await tryIt({ lanes: ["lan_01JDXXXXXXXXXXXXXXXXXXXXXX"] })).refusal).toBe("GRANT_LANE")
    expect((await tryIt({ purpose: "repair-reader" })).refusal).toBe("GRANT_CONTRACT")
    const tooMany = await tryIt({ images: 6000, releases: 6000 })
    expect(tooMany).toMatchObject({ refusal: "BUDGET_ORGANIZATION", next: "--images 5000, or fewer" })
    expect((await port.house.log.head()).size).toBe(size)
  })
})

describe("budgets", () => {
  test("re-reading is free of the distinct budget, and bounded", async () => {
    const grant = await grantOf(port, { terms: { images: 1, releases: 3 } })
    for (let i = 0; i < 3; i += 1) expect(await codeOf(take(grant, captures[0]!))).toBe("done")
    expect(await codeOf(take(grant, captures[0]!))).toBe("GRANT_RELEASES")
  })

  const used = async (user: string) => (await recordOf(port.house, "usage", user))?.days.at(-1)?.images ?? 0

  test("a person's day counts over all his grants", async () => {
    const { person } = port.people.engineer
    await setPolicy(port, { person_day: (await used(person)) + 2 })
    const grants = [await grantOf(port), await grantOf(port), await grantOf(port)]
    const codes = await Promise.all(grants.map(grant => codeOf(take(grant, captures[5]!))))
    expect(codes.sort()).toEqual(["BUDGET_PERSON", "done", "done"])
    await setPolicy(port, {})
  })

  test("colluders: an organization's 30 days are pooled over everyone under its prime", async () => {
    const root = (await recordOf(port.house, "organization", (await engineersOrg()).parent!))!.organization
    await setPolicy(port, { organization_30d: (await used(root)) + 3 })
    const holders: Role[] = ["engineer", "colleague", "prime", "engineer"]
    const codes = []
    for (const [i, role] of holders.entries()) {
      const holder = port.people[role].person
      const grant = await grantOf(port, { terms: { holder, images: 1, releases: 3 }, requester: role })
      codes.push(await codeOf(take(grant, captures[6 + i]!, role)))
    }
    expect(codes).toEqual(["done", "done", "done", "BUDGET_ORGANIZATION"])
    await setPolicy(port, {})
  })

  test("no vendor takes more than half of the vault's day, nor all together more than the whole", async () => {
    const root = (await engineersOrg()).parent!
    const grant = await grantOf(port, { terms: { images: 12, releases: 36 } })
    await setPolicy(port, { vault_day: 2 * (await used(root)) + 2 })
    expect(await codeOf(take(grant, captures[0]!))).toBe("done")
    expect(await codeOf(take(grant, captures[1]!))).toBe("BUDGET_VENDOR")
    await setPolicy(port, { vault_day: 2 * (await used(root)) })
    expect(await codeOf(take(grant, captures[1]!))).toBe("BUDGET_VENDOR")
    expect(await codeOf(take(grant, captures[0]!))).toBe("done")
    await setPolicy(port, {})
  })

  test("the day after, the day's budget is whole again and the 30 days' is not", async () => {
    const { person } = port.people.engineer
    await setPolicy(port, { person_day: await used(person) })
    const grant = await grantOf(port, {
      terms: { ends_at: new Date(Date.now() + 3 * 86_400_000).toISOString() },
    })
    expect(await codeOf(take(grant, captures[0]!))).toBe("BUDGET_PERSON")
    port.clock.offset_ms += 86_400_000
    expect(await codeOf(take(grant, captures[0]!))).toBe("done")
    const root = (await engineersOrg()).parent!
    const days = (await recordOf(port.house, "usage", root))!.days
    expect(days).toHaveLength(2)
    await setPolicy(port, {})
  })

  async function engineersOrg() {
    const { organization } = (await recordOf(port.house, "person", port.people.engineer.person))!
    return (await recordOf(port.house, "organization", organization))!
  }
})

describe("what needs two people", () => {
  test("another policy: not before a second person of another office signs it, and never by its proposer", async () => {
    const motion = await propose("custodian", "policy", { ...defaultPolicy, person_day: 7 })
    expect(await recordOf(port.house, "policy", "policy")).not.toMatchObject({ person_day: 7 })
    expect(await codeOf(second(port.house, port.people.custodian, motion))).toBe("APPROVAL_SELF")
    expect(await codeOf(second(port.house, port.people.auditor, motion))).toBe("OFFICE")
    expect(await codeOf(second(port.house, port.people.engineer, motion))).toBe("OFFICE")
    await second(port.house, port.people.cor, motion, "reject")
    expect(await codeOf(second(port.house, port.people.privacy, motion))).toBe("CONFLICT")
    expect(await recordOf(port.house, "policy", "policy")).not.toMatchObject({ person_day: 7 })
  })

  test("openbao#3666: a policy of nobody, or of half a person, is refused when it is proposed", async () => {
    for (const approvals of [[{ office: "cor", people: 0 }], [{ office: "engineer", people: 1 }]])
      expect(await codeOf(propose("custodian", "policy", { ...defaultPolicy, approvals }))).toBe("POLICY")
  })

  test("AND over offices: a stricter policy holds for what was approved before it, and takes the third signature", async () => {
    const grant = await grantOf(port)
    await setPolicy(port, { approvals: [{ office: "custodian", people: 1 }] })
    expect(await codeOf(take(grant, captures[0]!))).toBe("GRANT_PENDING")
    await approveAsIs(grant, "custodian")
    expect(await codeOf(take(grant, captures[0]!))).toBe("done")
    await setPolicy(port, {})
  })

  test("infisical#6988, #7252: one custodian cannot make himself a second approver", async () => {
    const signer = signerOf(newSeed())
    const { organization } = (await recordOf(port.house, "person", port.people.cor.person))!
    const statement = { organization, office: "privacy", key: base64(signer.publicKey) }
    const names = { name: "Planted Puppet" }
    const caller = await callerOf(port.house, port.people.custodian, { path: "/v1/people", statement, names })
    const { id, motion } = await register(port.house, caller, "people")
    expect(motion).toMatch(/^mot_/)
    expect(await recordOf(port.house, "person", id)).toBeNull()
    expect(await recordOf(port.house, "key", base64(signer.publicKey))).toBeNull()
    expect(await codeOf(second(port.house, port.people.custodian, motion!))).toBe("APPROVAL_SELF")
    await second(port.house, port.people.cor, motion!)
    expect(await recordOf(port.house, "person", id)).toMatchObject({ office: "privacy" })
  })

  test("another key for a person; a key that was taken away never comes back", async () => {
    const { person } = port.people.engineer
    const extra: Actor = { person, signer: signerOf(newSeed()) }
    const key = base64(extra.signer.publicKey)
    const added = await propose("custodian", "add-key", keyOf(person, key))
    expect(await recordOf(port.house, "key", key)).toBeNull()
    await second(port.house, port.people.privacy, added)
    const grant = await grantOf(port)
    const statement = { grant, capture: captures[0]!, level: "L2" }
    const first = await callerOf(port.house, extra, { path: "/v1/releases", statement })
    expect(await codeOf(release(port.house, first))).toBe("done")
    // The door let this request in before the key was taken away.
    const asked = await callerOf(port.house, extra, { path: "/v1/releases", statement })
    await second(port.house, port.people.cor, await propose("custodian", "remove-key", { person, key }))
    expect(await codeOf(release(port.house, asked))).toBe("KEY_UNKNOWN")
    expect(await codeOf(propose("custodian", "add-key", keyOf(person, key)))).toBe("CONFLICT")
    expect(await codeOf(propose("cor", "add-key", keyOf(person, key)))).toBe("OFFICE")
  })

  test("the person concerned does not sign for his own new key", async () => {
    const { person } = port.people.cor
    const key = base64(signerOf(newSeed()).publicKey)
    const motion = await propose("custodian", "add-key", keyOf(person, key))
    expect(await codeOf(second(port.house, port.people.cor, motion))).toBe("APPROVAL_SELF")
    await second(port.house, port.people.privacy, motion)
  })
})

describe("effect at once", () => {
  test("an emergency stop by one; a copy that was permitted before it does not leave; two people resume", async () => {
    const grant = await grantOf(port)
    const permitted = await permit(
      port.house,
      await releaseCaller(port, { grant, capture: captures[0]! }),
      "release",
    )
    expect(await codeOf(stop("engineer"))).toBe("OFFICE")
    await stop("analyst")
    expect(await codeOf(deliver(port.house, permitted, null))).toBe("GRANT_REVOKED")
    expect(await codeOf(take(grant, captures[0]!))).toBe("STOPPED")
    expect(await codeOf(stop("cor"))).toBe("CONFLICT")
    const motion = await propose("cor", "resume", { scope: "vault" })
    expect(await codeOf(take(grant, captures[0]!))).toBe("STOPPED")
    await second(port.house, port.people.privacy, motion)
    expect(await codeOf(take(grant, captures[0]!))).toBe("done")
  })

  test("a stop of one port", async () => {
    const grant = await grantOf(port)
    await stop("privacy", port.reader.port)
    expect(await codeOf(take(grant, captures[0]!))).toBe("STOPPED")
    const motion = await propose("custodian", "resume", { scope: port.reader.port })
    await second(port.house, port.people.cor, motion)
    expect(await codeOf(take(grant, captures[0]!))).toBe("done")
    expect(await codeOf(stop("cor", "prt_01JDXXXXXXXXXXXXXXXXXXXXXX"))).toBe("NOT_FOUND")
  })

  test("revoked, or widened, between permit and copy: the copy does not leave, and the log says it was permitted", async () => {
    for (const end of [
      revoke,
      (_: TestPort, grant: string) => edit(grant, "engineer", { images: 9, releases: 27 }),
    ]) {
      const grant = await grantOf(port)
      const ask = await releaseCaller(port, { grant, capture: captures[0]! })
      const delivery = await take(grant, captures[0]!)
      const permitted = await permit(port.house, ask, "release")
      expect(await isStanding(port.house, delivery)).toBe(true)
      await end(port, grant)
      expect(await isStanding(port.house, delivery)).toBe(false)
      expect(await codeOf(deliver(port.house, permitted, null))).toBe("GRANT_REVOKED")
    }
  })

  test("a grant that ends between permit and copy, or while bytes are on their way, delivers nothing more", async () => {
    const ends_at = new Date(port.house.log.clock() + 20_000).toISOString()
    const grant = await grantOf(port, { terms: { ends_at } })
    const delivery = await take(grant, captures[0]!)
    const ask = await releaseCaller(port, { grant, capture: captures[0]! })
    const permitted = await permit(port.house, ask, "release")
    expect(await isStanding(port.house, delivery)).toBe(true)
    const before = port.clock.offset_ms
    // Young enough for the vault's own gate, and past the grant's end.
    port.clock.offset_ms += 21_000
    expect(await isStanding(port.house, delivery)).toBe(false)
    expect(await codeOf(deliver(port.house, permitted, null))).toBe("GRANT_REVOKED")
    port.clock.offset_ms = before
  })

  test("suspending the prime suspends everyone under it, at once", async () => {
    const grant = await grantOf(port)
    const delivery = await take(grant, captures[0]!)
    const { organization } = (await recordOf(port.house, "person", port.people.prime.person))!
    const set = async (suspended: boolean) => {
      const path = `/v1/orgs/${organization}/suspension`
      const caller = await callerOf(port.house, port.people.analyst, { path, statement: { suspended } })
      await suspend(port.house, caller, { kind: "organization", id: organization })
    }
    await set(true)
    expect(await codeOf(take(grant, captures[0]!))).toBe("GRANT_ORGANIZATION")
    expect(await isStanding(port.house, delivery)).toBe(false)
    await set(false)
    expect(await codeOf(take(grant, captures[0]!))).toBe("done")
  })
})

describe("contracts", () => {
  const add = async (of: Statement) => {
    const statement = {
      number: "S-1",
      purposes: ["calibrate-reader"],
      attestations: [],
      devices: [],
      networks: [],
      ...of,
    }
    const caller = await callerOf(port.house, port.people.custodian, { path: "/v1/contracts", statement })
    return register(port.house, caller, "contracts")
  }
  const soon = (days: number) => new Date(port.house.log.clock() + days * 86_400_000).toISOString()

  test("a sub's contract only narrows its prime's; an expired attestation suspends, a new one resumes", async () => {
    const { organization } = (await recordOf(port.house, "person", port.people.engineer.person))!
    const under = port.contract
    expect(await codeOf(add({ organization, under, ends_at: soon(400) }))).toBe("GRANT_CONTRACT")
    const wider = add({ organization, under, ends_at: soon(9), purposes: ["repair-reader"] })
    expect(await codeOf(wider)).toBe("GRANT_CONTRACT")
    const attestations = [{ name: "SOC 2", ends_at: soon(-1) }]
    const { id } = await add({ organization, under, ends_at: soon(9), attestations })
    const grant = await grantOf(port, { terms: { contract: id } })
    expect(await codeOf(take(grant, captures[0]!))).toBe("ATTESTATION")
    const statement = { name: "SOC 2", ends_at: soon(5) }
    const path = `/v1/contracts/${id}/attestations`
    await attest(port.house, await callerOf(port.house, port.people.custodian, { path, statement }), id)
    expect(await codeOf(take(grant, captures[0]!))).toBe("done")
  })
})

describe("last, since it moves the clock", () => {
  test("a motion lapses after seven days", async () => {
    const motion = await propose("custodian", "policy", { ...defaultPolicy })
    port.clock.offset_ms += 8 * 86_400_000
    expect(await codeOf(second(port.house, port.people.privacy, motion))).toBe("CONFLICT")
  })
})
