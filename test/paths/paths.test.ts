import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { admit } from "../../src/custody/admit.ts"
import { recordOf } from "../../src/custody/caller.ts"
import { planDraw } from "../../src/custody/draw.ts"
import { destroyDays } from "../../src/custody/days.ts"
import { examine } from "../../src/custody/examine.ts"
import { decideGrant } from "../../src/custody/grants.ts"
import { proposeMotion } from "../../src/custody/motions.ts"
import { preview } from "../../src/custody/preview.ts"
import { release } from "../../src/custody/release.ts"
import { reveal } from "../../src/custody/reveal.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { Fault } from "../../src/fault.ts"
import { wide_px } from "../../src/grant/level.ts"
import type { Statement } from "../../src/grant/request.ts"
import type { Terms } from "../../src/grant/terms.ts"
import { fsck } from "../../src/log/fsck.ts"
import { names } from "../../src/log/state.ts"
import { checkReceipt } from "../../src/log/verify.ts"
import { undoubted } from "../../src/picture/level.ts"
import { parsePolicy } from "../../src/tlog/policy.ts"
import { openText } from "../../src/vault/keys.ts"
import { bodyName, sha256Hex } from "../../src/vault/vault.ts"
import {
  second,
  approve,
  callerOf,
  examineAs,
  grantOf,
  openTestPort,
  releaseCaller,
  revoke,
  sealShot,
  takeIn,
  termsOf,
  type TestPort,
} from "../port.ts"
import { platePicture, type PlatePicture } from "../plate-picture.ts"

let port: TestPort
let picture: Uint8Array
let plate: PlatePicture["plate"]

beforeAll(async () => {
  port = await openTestPort()
  ;({ picture, plate } = await platePicture())
})
afterAll(() => port.close())

const shot = () =>
  ({
    picture,
    event: { v: 1, source: "index", file: null, plates: [plate], faces: [] },
  }) as const

async function refusal(work: Promise<unknown>): Promise<{ code: string; entry: number | undefined }> {
  try {
    await work
    return { code: "done", entry: undefined }
  } catch (error) {
    if (error instanceof Fault) return { code: error.code, entry: error.extras.entry }
    throw error
  }
}

async function entryAt(index: number | undefined): Promise<Record<string, unknown>> {
  const [row] = await port.house.log.entries(index!, index! + 1)
  return JSON.parse(Buffer.from(row!.bytes).toString()) as Record<string, unknown>
}

describe("admit", () => {
  test("the same bytes again give the same admission, once in the log", async () => {
    const { bytes } = await sealShot(port, shot())
    const [first, second] = [await admit(port.house, bytes), await admit(port.house, bytes)]
    expect(second.entry).toBe(first.entry)
    expect(second.capture).toBe(first.capture)
  })

  test("an admission proof verifies offline", async () => {
    const { proof } = await admit(port.house, (await sealShot(port, shot())).bytes)
    const parsed = parsePolicy(`log ${port.house.log.vkey}\nquorum none\n`)
    expect(
      parsed.kind === "ok" &&
        checkReceipt({ receipt: proof, policy: parsed.policy, file: null, verify: verifyEd25519 }).refusal,
    ).toBeNull()
  })

  test("a gap in the reader's numbers is admitted and noted", async () => {
    port.reader.sequence += 3
    const { entry } = await admit(port.house, (await sealShot(port, shot())).bytes)
    expect((await entryAt(entry)).gap).toBe(3)
  })

  test("a number seen before with other bytes is refused, and logged", async () => {
    await admit(port.house, (await sealShot(port, shot())).bytes)
    port.reader.sequence -= 1
    const { code, entry } = await refusal(admit(port.house, (await sealShot(port, shot())).bytes))
    expect(code).toBe("CAPTURE_SEQUENCE")
    expect(await entryAt(entry)).toMatchObject({ kind: "refused", of: "admission", code: "CAPTURE_SEQUENCE" })
  })

  const cases: [
    string,
    string,
    boolean,
    (bytes: Uint8Array) => Uint8Array,
    Parameters<typeof sealShot>[1]["bend"],
  ][] = [
    ["a signature that does not hold", "CAPTURE_SIGNATURE", false, bytes => flipInLine(bytes, 3), undefined],
    [
      "a header changed after signing",
      "CAPTURE_SIGNATURE",
      false,
      bytes => replaced(bytes, '"kind":"plate"', '"kind":"scene"'),
      undefined,
    ],
    ["a cut age file", "SEAL_FORMAT", false, bytes => bytes.subarray(0, -10), undefined],
    ["an unknown lane", "CAPTURE_READER", false, bytes => bytes, { lane: "lan_01JDXXXXXXXXXXXXXXXXXXXXXX" }],
    [
      "an unknown reader",
      "CAPTURE_READER",
      false,
      bytes => bytes,
      { reader: "rdr_01JDXXXXXXXXXXXXXXXXXXXXXX" },
    ],
    ["a path for an id", "CAPTURE_HEADER", false, bytes => bytes, { capture: "../../../tmp/x" }],
    ["another vault's", "CAPTURE_HEADER", true, bytes => bytes, { vault: "sallyport.example/other" }],
  ]
  for (const [why, code, isLogged, bend, header] of cases) {
    test(`${why} is refused: ${code}${isLogged ? ", and logged, since the reader signed it" : ""}`, async () => {
      const before = (await port.house.log.head()).size
      const { bytes } = await sealShot(port, { ...shot(), ...(header === undefined ? {} : { bend: header }) })
      const refused = await refusal(admit(port.house, bend(bytes)))
      expect(refused.code).toBe(code)
      expect((await port.house.log.head()).size - before).toBe(isLogged ? 1 : 0)
      if (!header && refused.code !== "done") port.reader.sequence -= 1
      if (header) port.reader.sequence -= 1
    })
  }

  test("captures of another day than the door takes are refused", async () => {
    const captured_at = new Date(port.house.log.clock() - 15 * 86_400_000).toISOString()
    const sealed_to = `day/${captured_at.slice(0, 10)}`
    await port.house.ledger.addIdentity({
      name: sealed_to,
      recipient: (await port.house.ledger.identities())[0]!.recipient,
      wrapped: null,
      escrow: null,
    })
    const { bytes } = await sealShot(port, { ...shot(), bend: { captured_at, sealed_to } })
    expect((await refusal(admit(port.house, bytes))).code).toBe("CAPTURE_DAY")
    port.reader.sequence -= 1
  })
})

describe("examine", () => {
  test("the capture is sealed anew to the epoch, under one permit; a second time is refused", async () => {
    const { capture } = await admit(port.house, (await sealShot(port, shot())).bytes)
    const before = (await port.house.ledger.capture(capture))!
    await examine(port.house, capture, { again: false })
    const after = (await port.house.ledger.capture(capture))!
    expect(before.sealedTo).toMatch(/^day\//)
    expect(after.sealedTo).toMatch(/^epoch\/standard\//)
    expect(after.bodySha256).toBe(before.bodySha256)
    expect(await refusal(examine(port.house, capture, { again: true }))).toMatchObject({ code: "CONFLICT" })
  })

  test("what is no picture is examined as unreadable, and shows nothing", async () => {
    const { capture } = await takeIn(port, { picture: Buffer.from("not a picture at all") })
    const row = (await port.house.ledger.capture(capture))!
    expect(await entryAt(row.examined!)).toMatchObject({ outcome: "unreadable" })
    const grant = await grantOf(port)
    expect((await refusal(release(port.house, await releaseCaller(port, { grant, capture })))).code).toBe(
      "PICTURE",
    )
  })

  test("a decompression bomb takes nothing down", async () => {
    const header = Buffer.from("89504e470d0a1a0a0000000d494844520000ea600000ea6008020000", "hex")
    const { capture } = await takeIn(port, { picture: Buffer.concat([header, Buffer.alloc(64)]) })
    expect(await entryAt((await port.house.ledger.capture(capture))!.examined!)).toMatchObject({
      outcome: "unreadable",
    })
  })

  test("a past day's key is destroyed once all is examined and the reader has reported past it", async () => {
    const old = new Date(port.house.log.clock() - 86_400_000 * 20).toISOString().slice(0, 10)
    await port.house.ledger.addIdentity({
      name: `day/${old}`,
      recipient: "age1x",
      wrapped: Uint8Array.of(1),
      escrow: null,
    })
    expect(await destroyDays(port.house)).toEqual([old])
    expect((await port.house.ledger.identity(`day/${old}`))!.wrapped).toBeNull()
  })
})

describe("release", () => {
  test("outside of what L2 keeps around the plate every pixel is exactly solid, in the plate it is the original's but for the mark; the receipt binds these bytes", async () => {
    const { capture } = await takeIn(port, shot())
    const grant = await grantOf(port)
    const delivery = await release(port.house, await releaseCaller(port, { grant, capture }))
    const copy = await sharp(delivery.bytes).raw().toBuffer()
    const original = await sharp(picture).raw().toBuffer()
    const { x_px, y_px, width_px, height_px } = plate.box
    const within = (x: number, y: number, [sides, up, down]: [number, number, number]) =>
      x >= x_px - sides * width_px &&
      x < x_px + (1 + sides) * width_px &&
      y >= y_px - up * height_px &&
      y < y_px + (1 + down) * height_px
    let [shown, hidden] = [0, 0]
    for (let y = 0; y < 240; y += 1) {
      for (let x = 0; x < 320; x += 1) {
        const at = (y * 320 + x) * 3
        const is = (value: (c: number) => number | undefined) =>
          [0, 1, 2].every(c => copy[at + c] === value(c))
        if (within(x, y, [-0.2, -0.3, -0.3]))
          for (const c of [0, 1, 2]) shown = Math.max(shown, Math.abs(copy[at + c]! - original[at + c]!))
        if (!within(x, y, [1, 1, 2])) hidden += is(() => 128) ? 0 : 1
      }
    }
    // A mark of 42 dB changes a pixel by 2 levels in the mean, and by no more than about ten of that.
    expect({ isMarked: shown > 0 && shown <= 24, hidden }).toEqual({ isMarked: true, hidden: 0 })
    const parsed = parsePolicy(`log ${port.house.log.vkey}\nquorum none\n`)
    const file = { sha256: sha256Hex(delivery.bytes), size_bytes: delivery.bytes.length }
    expect(
      parsed.kind === "ok" &&
        checkReceipt({ receipt: delivery.receipt, policy: parsed.policy, file, verify: verifyEd25519 })
          .refusal,
    ).toBeNull()
  })

  test("a grant with the wide region shows more around the plate, as its preview and its permit say", async () => {
    const size = { width_px: 960, height_px: 720 }
    const around = { left: 320, right: 320, top: 240, bottom: 240, background: "#4d5a66" }
    const large = new Uint8Array(await sharp(picture).extend(around).jpeg().toBuffer())
    const box = { ...plate.box, x_px: plate.box.x_px + 320, y_px: plate.box.y_px + 240 }
    const { capture } = await admit(port.house, (await sealShot(port, { picture: large })).bytes)
    await examineAs(port, capture, { ...size, plates: [box], faces: [], doubted: undoubted })
    const shownBy = async (terms: Partial<Terms>) => {
      const grant = await grantOf(port, { terms: { captures: [capture], images: 1, ...terms } })
      const delivery = await release(port.house, await releaseCaller(port, { grant, capture }))
      const { silhouettes } = await preview(port.house, (await recordOf(port.house, "grant", grant))!)
      const { region } = await entryAt(delivery.permit)
      return { region, keep: silhouettes[0]!.keep, shown: await boxShown(delivery.bytes) }
    }
    const usual = { x_px: 328, y_px: 304, width_px: 276, height_px: 184 }
    expect(await shownBy({})).toEqual({ region: undefined, keep: [usual], shown: usual })
    const wide = await shownBy({ region: "wide" })
    const { x_px, y_px, width_px, height_px } = wide.shown
    expect(wide).toMatchObject({ region: "wide", keep: [wide.shown] })
    expect({ y_px, middle: 2 * x_px + width_px }).toEqual({
      y_px: usual.y_px,
      middle: 2 * box.x_px + box.width_px,
    })
    expect(width_px * height_px).toBeGreaterThanOrEqual(wide_px)
  })

  test("the budget counts distinct images: the same one again is free, the next one is GRANT_BUDGET and logged", async () => {
    const [first, second] = [await takeIn(port, shot()), await takeIn(port, shot())]
    const grant = await grantOf(port, { terms: { images: 1 } })
    const ask = async (capture: string) =>
      refusal(release(port.house, await releaseCaller(port, { grant, capture })))
    expect((await ask(first.capture)).code).toBe("done")
    expect((await ask(first.capture)).code).toBe("done")
    const { code, entry } = await ask(second.capture)
    expect(code).toBe("GRANT_BUDGET")
    expect(await entryAt(entry)).toMatchObject({
      kind: "refused",
      of: "release",
      code: "GRANT_BUDGET",
      capture: second.capture,
    })
    expect(await port.house.ledger.counter(names.images(grant))).toBe(1)
    expect(await port.house.ledger.counter(names.releases(grant))).toBe(2)
  })

  test("zero approvals, one, a denial, a revocation: no bytes, each by its own code", async () => {
    const { capture } = await takeIn(port, shot())
    const codeFor = async (grant: string) =>
      (await refusal(release(port.house, await releaseCaller(port, { grant, capture })))).code
    expect(await codeFor(await grantOf(port, { by: [] }))).toBe("GRANT_PENDING")
    expect(await codeFor(await grantOf(port, { by: ["cor"] }))).toBe("GRANT_PENDING")
    const denied = await grantOf(port, { by: ["cor"] })
    await approve(port, { grant: denied, role: "privacy", terms: (await termsIn(denied))!, decision: "deny" })
    expect(await codeFor(denied)).toBe("GRANT_DENIED")
    const revoked = await grantOf(port)
    await revoke(port, revoked)
    expect(await codeFor(revoked)).toBe("GRANT_REVOKED")
  })

  test("L2 and then L3 of one capture for one tree of organizations is L4, which the grant does not give", async () => {
    const { capture } = await takeIn(port, shot())
    const [plates, colleagues] = [
      await grantOf(port),
      await grantOf(port, { terms: { holder: port.people.colleague.person } }),
    ]
    expect(
      (await refusal(release(port.house, await releaseCaller(port, { grant: plates, capture })))).code,
    ).toBe("done")
    const other = await releaseCaller(port, { grant: colleagues, capture, role: "colleague", level: "L2" })
    expect((await refusal(release(port.house, other))).code).toBe("done")
    const face = await releaseCaller(port, { grant: plates, capture, level: "L3" })
    expect((await refusal(release(port.house, face))).code).toBe("GRANT_LEVEL")
  })

  test("a clock over 5 s behind the log stops what leaves, and nothing else", async () => {
    const { capture } = await takeIn(port, shot())
    const grant = await grantOf(port)
    const caller = await releaseCaller(port, { grant, capture })
    port.clock.offset_ms -= 6000
    expect((await refusal(release(port.house, caller))).code).toBe("LOG_BEHIND")
    port.clock.offset_ms += 6000
    expect((await refusal(release(port.house, await releaseCaller(port, { grant, capture })))).code).toBe(
      "done",
    )
  })
})

/** The smallest box outside of which a copy is solid. */
async function boxShown(copy: Uint8Array) {
  const { data, info } = await sharp(copy).raw().toBuffer({ resolveWithObject: true })
  let [left, top, right, bottom] = [info.width, info.height, 0, 0]
  for (let i = 0; i < data.length; i += 1) {
    if (data[i] === 128) continue
    const [x, y] = [Math.floor(i / 3) % info.width, Math.floor(i / 3 / info.width)]
    ;[left, right, top, bottom] = [
      Math.min(left, x),
      Math.max(right, x),
      Math.min(top, y),
      Math.max(bottom, y),
    ]
  }
  return { x_px: left, y_px: top, width_px: right + 1 - left, height_px: bottom + 1 - top }
}

async function termsIn(grant: string) {
  return (
    JSON.parse((await port.house.ledger.record("grant", grant))!.body) as {
      terms: ReturnType<typeof termsOf>
    }
  ).terms
}

describe("approvals", () => {
  const codeOf = async (grant: string, role: Parameters<typeof approve>[1]["role"]) =>
    (await refusal(approve(port, { grant, role, terms: (await termsIn(grant))! }))).code

  test("holder and requester may not approve, whatever their office", async () => {
    const asked = await grantOf(port, { by: [], requester: "cor" })
    expect(await codeOf(asked, "cor")).toBe("APPROVAL_SELF")
    expect(await codeOf(asked, "engineer")).toBe("OFFICE")
  })
  test("one office does not approve twice; an ended vote takes no more", async () => {
    const grant = await grantOf(port)
    expect(await codeOf(grant, "custodian")).toBe("CONFLICT")
    const pending = await grantOf(port, { by: ["cor"] })
    expect(await codeOf(pending, "cor")).toBe("CONFLICT")
  })
  test("an approval signs the digest of the terms in force", async () => {
    const grant = await grantOf(port, { by: [] })
    const other = { ...(await termsIn(grant))!, images: 4 }
    expect((await refusal(approve(port, { grant, role: "cor", terms: other }))).code).toBe("APPROVAL_DIGEST")
    const caller = await callerOf(port.house, port.people.cor, {
      path: `/v1/grants/${grant}/approvals`,
      statement: { version: 1, terms_sha256: "0".repeat(64), decision: "approve" } as Statement,
    })
    expect((await refusal(decideGrant(port.house, caller, grant))).code).toBe("APPROVAL_DIGEST")
  })
})

describe("draw", () => {
  const draw = async (
    grant: string,
    statement: { count?: number; captures?: string[] },
    key: string,
    role: "engineer" | "colleague" = "engineer",
  ) => {
    const whole = { grant, count: statement.count ?? null, captures: statement.captures ?? null }
    return planDraw(
      port.house,
      await callerOf(port.house, port.people[role], { path: "/v1/draws", statement: whole }),
      key,
    )
  }
  test("more than is left is refused whole, and logged; a colleague is refused; the same key gives the same plan", async () => {
    for (let i = 0; i < 3; i += 1) await takeIn(port, shot())
    const grant = await grantOf(port, { terms: { images: 2 } })
    expect(await refusal(draw(grant, { count: 3 }, "k1"))).toMatchObject({
      code: "GRANT_BUDGET",
      entry: expect.any(Number) as number,
    })
    expect((await refusal(draw(grant, { count: 1 }, "k2", "colleague"))).code).toBe("GRANT_HOLDER")
    const plan = await draw(grant, { count: 2 }, "k3")
    expect(plan.captures).toHaveLength(2)
    expect((await draw(grant, { count: 2 }, "k3")).captures).toEqual(plan.captures)
    expect((await refusal(draw(grant, { count: 1 }, "k3"))).code).toBe("IDEMPOTENCY")
  })
})

describe("reveal", () => {
  const terms = () =>
    ({
      for: "reveal",
      purpose: "audit",
      contract: null,
      holder: port.people.analyst.person,
      level: "L4",
      images: 1,
    }) as const
  const ask = async (grant: string, capture: string, reason: string) =>
    reveal(
      port.house,
      await callerOf(port.house, port.people.analyst, {
        path: "/v1/reveals",
        statement: { grant, capture, level: "L4" },
        names: { reason },
      }),
    )

  test("under a case that two opened, for a reason, the whole frame is shown and the reason is only committed to", async () => {
    const { capture } = await takeIn(port, shot())
    const opened = await grantOf(port, { terms: terms(), requester: "analyst", by: ["custodian", "privacy"] })
    const why = "Planted reason: glare on lane one"
    expect((await refusal(ask(opened, capture, why))).code).toBe("REVEAL_SECOND")
    const look = { grant: opened, capture }
    const asked = await callerOf(port.house, port.people.analyst, { path: "/v1/looks", statement: look })
    const { id: motion } = await proposeMotion(port.house, asked, "look")
    expect((await refusal(second(port.house, port.people.analyst, motion))).code).toBe("OFFICE")
    await second(port.house, port.people.privacy, motion)
    const delivery = await ask(opened, capture, why)
    expect(delivery.mediaType).toBe("image/jpeg")
    const permit = await entryAt(delivery.permit)
    expect(JSON.stringify(permit)).not.toContain("glare")
    const [opening] = await port.house.ledger.openings(delivery.permit)
    expect(openText(port.house.keys.root, "reason", opening!.value)).toBe("Planted reason: glare on lane one")
  })
  test("no reason, a pending case, a used-up case: nothing is shown", async () => {
    const { capture } = await takeIn(port, shot())
    const pending = await grantOf(port, { terms: terms(), requester: "analyst", by: ["privacy"] })
    expect((await refusal(ask(pending, capture, "short"))).code).toBe("INVALID")
    expect((await refusal(ask(pending, capture, "a reason that is long enough"))).code).toBe("GRANT_PENDING")
  })
})

// Last: after all of the above, the ledger must still be what the log says, here and after a restart.
test("the ledger is what the log says, every refusal is refused again, and a restart finds the same", async () => {
  const open = (field: string, sealed: string) => openText(port.house.keys.root, field, sealed)
  const options = { origin: port.house.log.origin, verify: verifyEd25519, openText: open }
  expect((await fsck(port.house.ledger, options)).problems).toEqual([])
  await port.reopen()
  expect(port.opened.fsck.problems).toEqual([])
  expect(port.house.vault.gate.stopped).toBeNull()
  expect(bodyName("cap_01JDXXXXXXXXXXXXXXXXXXXXXX")).toBe("captures/X/cap_01JDXXXXXXXXXXXXXXXXXXXXXX")
})

function flipInLine(bytes: Uint8Array, line: number): Uint8Array {
  const text = Buffer.from(bytes).toString("latin1")
  const start =
    text
      .split("\n")
      .slice(0, line - 1)
      .join("\n").length + 1
  return bytes.map((byte, i) => (i === start ? (byte === 65 ? 66 : 65) : byte))
}

function replaced(bytes: Uint8Array, from: string, to: string): Uint8Array {
  return Buffer.from(Buffer.from(bytes).toString("latin1").replace(from, to), "latin1")
}
