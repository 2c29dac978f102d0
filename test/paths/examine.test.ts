import { randomBytes } from "node:crypto"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { fromBase64, textOf } from "../../src/bytes.ts"
import { admit } from "../../src/custody/admit.ts"
import { examine } from "../../src/custody/examine.ts"
import { startExaminer } from "../../src/custody/examiner.ts"
import { proposeMotion } from "../../src/custody/motions.ts"
import { permit } from "../../src/custody/opening.ts"
import { release } from "../../src/custody/release.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { fsck } from "../../src/log/fsck.ts"
import { parseEntry } from "../../src/log/kinds.ts"
import { names } from "../../src/log/state.ts"
import type { Box } from "../../src/picture/level.ts"
import { parseSketch } from "../../src/picture/sketch.ts"
import type { ReadEvent } from "../../src/seal/contents.ts"
import type { Read } from "../../src/seal/read.ts"
import { parseExamination, type StoredExamination } from "../../src/vault/findings.ts"
import { besideKey } from "../../src/vault/keys.ts"
import { sha256Hex, sketchName } from "../../src/vault/vault.ts"
import { platePicture, type PlatePicture } from "../plate-picture.ts"
import {
  callerOf,
  codeOf,
  grantOf,
  openTestPort,
  releaseCaller,
  sealAndAdmit,
  sealShot,
  second,
  takeIn,
  type Shot,
  type TestPort,
} from "../port.ts"

let port: TestPort
let drawn: PlatePicture
beforeAll(async () => {
  port = await openTestPort({ settings: { backlog_captures: 100 } })
  drawn = await platePicture()
})
afterAll(async () => {
  const found = await fsck(port.house.ledger, { origin: port.house.log.origin, verify: verifyEd25519 })
  expect(found.problems).toEqual([])
  await port.close()
})

interface Looked {
  readonly id: string
  readonly entry: Record<string, unknown>
  readonly stored: StoredExamination
}

async function looked(shot: Shot): Promise<Looked> {
  const { capture } = await takeIn(port, shot)
  const row = (await port.house.ledger.capture(capture))!
  const [entry] = await port.house.log.entries(row.examined!, row.examined! + 1)
  return {
    id: capture,
    entry: parseEntry(entry!.bytes) as unknown as Record<string, unknown>,
    stored: parseExamination(row.findingsJson!)!,
  }
}

/** What the vault could read of the texts, by the capture's epoch. */
async function textsOf({ id, stored }: Looked): Promise<unknown[]> {
  const row = (await port.house.ledger.capture(id))!
  const key = (await port.house.ledger.identity(row.sealedTo))!
  const identity = port.house.keys.root.unwrap(key.name, key.wrapped!)
  return JSON.parse(textOf(besideKey(identity).open(id, "texts", fromBase64(stored.texts!)!))!) as unknown[]
}

function indexed(boxes: readonly Box[], text = drawn.plate.text): NonNullable<Shot["event"]> {
  return { v: 1, source: "index", file: null, plates: boxes.map(box => ({ text, box })), faces: [] }
}

const passage: Read = {
  ...{ source: "generic", captured_at: "2026-11-24T10:00:00.000Z", clock: "stated", event_id: null },
  ...{ crossing_id: null, camera: null, lane: null, plate: null },
  vehicle: { make: null, model: null, colour: null, type: null, box: null },
  ...{ direction: null, speed: null, pictures: [], doubts: [], other: { fields: {}, left_out: 0 } },
}

function told(plate: Partial<Read>, box: Box | null): ReadEvent {
  const plates = box === null ? [] : [{ text: "SP7X042", box }]
  return {
    v: 2,
    source: "reader",
    file: null,
    role: "scene",
    plates,
    faces: [],
    reads: [{ ...passage, ...plate }],
  }
}

const read: NonNullable<Read["plate"]> = {
  ...{ text: "sp-7x042", normalized: "SP7X042", confidence: 0.9, region: null, box: null, candidates: [] },
}

describe("what an examination finds", () => {
  test("a trusted reader's box where our own finder sees a plate counts, and its text is kept sealed to the epoch", async () => {
    const one = await looked({ picture: drawn.picture, event: indexed([drawn.plate.box]) })
    expect(one.entry).toMatchObject({ outcome: "boxes", plates: 1, faces: 0 })
    expect(one.stored).toMatchObject({ read: "told", models: { faces: expect.stringContaining("sha256:") } })
    expect(one.stored.found!.plates).toHaveLength(1)
    expect(await textsOf(one)).toEqual([
      expect.objectContaining({ by: "reader", text: "SP7X042", normalized: "SP7X042" }),
    ])
    expect(JSON.stringify([one.stored, one.entry])).not.toContain("SP7X042")
  })

  test("a sketch by which a leaked copy is led back to it is stored sealed to the epoch, and bound by its entry", async () => {
    const one = await looked({ picture: drawn.picture, event: indexed([drawn.plate.box]) })
    const sealed = (await port.house.objects.get(sketchName(one.id, one.entry.permit as number)))!
    expect(sha256Hex(sealed)).toBe(one.stored.sketch_sha256)
    const row = (await port.house.ledger.capture(one.id))!
    const key = (await port.house.ledger.identity(row.sealedTo))!
    const beside = besideKey(port.house.keys.root.unwrap(key.name, key.wrapped!))
    const sketch = parseSketch(beside.open(one.id, "sketch", sealed))!
    expect(sketch.parts).toHaveLength(2)
    expect(() => beside.open(one.id, "texts", sealed)).toThrow("wrapped")
    expect(parseSketch(sealed)).toBeNull()
  })

  test("the same plate has the same keyed digest, another plate another", async () => {
    const [a, b, other] = [
      await looked({ picture: drawn.picture, event: indexed([drawn.plate.box]) }),
      await looked({ picture: drawn.picture, event: told({ plate: read }, drawn.plate.box) }),
      await looked({ picture: drawn.picture, event: indexed([drawn.plate.box], "SP1A234") }),
    ]
    expect(a.stored.plate_digests).toHaveLength(1)
    expect(b.stored.plate_digests).toEqual(a.stored.plate_digests)
    expect(other.stored.plate_digests).not.toEqual(a.stored.plate_digests)
  })

  test("without an event, and for a vehicle that its reader did not read, the built-in reader finds and reads", async () => {
    const plain = await looked({ picture: drawn.picture })
    const unread = await looked({ picture: drawn.picture, event: told({}, drawn.plate.box) })
    for (const one of [plain, unread]) {
      expect(one.entry).toMatchObject({ outcome: "boxes", plates: 1 })
      expect(one.stored.read).toMatch(/^(read|unsure)$/)
      expect(await textsOf(one)).toEqual([
        expect.objectContaining({ by: "built-in", normalized: drawn.plate.text }),
      ])
      const { x_px, y_px } = one.stored.found!.plates[0]!
      expect(Math.abs(x_px - drawn.plate.box.x_px)).toBeLessThan(20)
      expect(Math.abs(y_px - drawn.plate.box.y_px)).toBeLessThan(20)
    }
  })

  test("a box elsewhere is doubted: it hides at L3, shows nothing at L2, and the plate is found by ourselves", async () => {
    const lie = { x_px: 10, y_px: 10, width_px: 120, height_px: 40 }
    const one = await looked({ picture: drawn.picture, event: indexed([lie]) })
    expect(one.stored.found!.doubted.plates).toEqual([lie])
    expect(one.stored.found!.plates).toHaveLength(1)
    expect(one.stored.found!.plates[0]!.y_px).toBeGreaterThan(90)
  })

  test("a passage without a picture is a capture too: absent, with its text", async () => {
    const one = await looked({ picture: new Uint8Array(), event: told({ plate: read }, null) })
    expect(one.entry).toMatchObject({ outcome: "absent", plates: 0, faces: null })
    expect(await textsOf(one)).toHaveLength(1)
  })

  test("what does not decode keeps its text all the same", async () => {
    const cut = drawn.picture.subarray(0, 900)
    const one = await looked({ picture: cut, event: indexed([drawn.plate.box]) })
    expect(one.entry).toMatchObject({ outcome: "unreadable", plates: 0 })
    expect(await textsOf(one)).toHaveLength(1)
  })
})

describe("what waits", () => {
  test("is counted, examined oldest first by several, and a picture that takes its child down does not hold up the others", async () => {
    const { house } = port
    const before = await house.ledger.counter(names.unexamined)
    const blank = await sharp({ create: { width: 64, height: 48, channels: 3, background: "#456" } })
      .jpeg()
      .toBuffer()
    const captures = []
    for (let i = 0; i < 5; i += 1)
      captures.push((await sealAndAdmit(port, { picture: i === 1 ? randomBytes(500) : blank })).capture)
    expect(await house.ledger.counter(names.unexamined)).toBe(before + 5)
    const examiner = startExaminer(house, { atOnce: 3, told: () => undefined })
    while ((await house.ledger.counter(names.unexamined)) > before)
      await new Promise(resolve => setTimeout(resolve, 50))
    await examiner.close()
    for (const id of captures) expect((await house.ledger.capture(id))!.examined).not.toBeNull()
  })

  test("beyond the limit lanes are asked to wait, without an entry; what is known is answered", async () => {
    const { house } = port
    const { bytes } = await sealShot(port, { picture: drawn.picture })
    const { size } = await house.log.head()
    const waiting = house.pictures.finders.mostWaiting
    const full = {
      ...house,
      pictures: { ...house.pictures, finders: { ...house.pictures.finders, mostWaiting: 0 } },
    }
    expect(waiting).toBe(100)
    expect(await codeOf(admit(full, bytes))).toBe("BUSY")
    expect((await house.log.head()).size).toBe(size)
    const { capture } = await admit(house, bytes)
    expect((await admit(full, bytes)).capture).toBe(capture)
    await examine(house, capture, { again: false })
  })
})

describe("boxes that two people set", () => {
  const blankShot = async () => ({
    picture: await sharp({ create: { width: 400, height: 300, channels: 3, background: "#456" } })
      .jpeg()
      .toBuffer(),
  })
  const box = { x_px: 100, y_px: 200, width_px: 80, height_px: 24 }

  async function proposed(
    statement: { capture: string; plates: Box[]; faces: Box[] },
    by = port.people.analyst,
  ) {
    const caller = await callerOf(port.house, by, { path: "/v1/boxes", statement })
    return (await proposeMotion(port.house, caller, "set-boxes")).id
  }

  async function shownAt(capture: string, { x_px, y_px }: Box): Promise<boolean> {
    const grant = await grantOf(port, { terms: { images: 1 } })
    const { bytes } = await release(port.house, await releaseCaller(port, { grant, capture }))
    const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true })
    const at = info.channels * ((y_px + 2) * info.width + x_px + 2)
    return data[at] !== 128
  }

  test("one person's proposal shows nothing; a second office's signature makes them count, in the listing too", async () => {
    const { id, entry } = await looked(await blankShot())
    expect(entry).toMatchObject({ outcome: "none", plates: 0 })
    const without = async () =>
      (await port.house.ledger.captures({ plate: false, limit: 1000 })).some(row => row.id === id)
    expect(await without()).toBe(true)
    const motion = await proposed({ capture: id, plates: [box], faces: [] })
    expect(await shownAt(id, box)).toBe(false)
    await second(port.house, port.people.privacy, motion)
    expect(await without()).toBe(false)
    expect(await shownAt(id, box)).toBe(true)
    expect((await port.house.ledger.capture(id))!.plates).toBe(1)
  })

  test("faces that are set are counted, again only once when they are set anew, and hide at L2", async () => {
    const { id } = await looked(await blankShot())
    const face = { x_px: 120, y_px: 204, width_px: 16, height_px: 20 }
    for (const faces of [[face], [face, { ...face, x_px: 300 }]]) {
      await second(port.house, port.people.privacy, await proposed({ capture: id, plates: [box], faces }))
      expect((await port.house.ledger.capture(id))!.faces).toBe(faces.length)
    }
    expect(await shownAt(id, box)).toBe(true)
    expect(await shownAt(id, face)).toBe(false)
  })

  test("boxes that are set between permit and withdrawal do not count under it: CONFLICT", async () => {
    const { id } = await looked(await blankShot())
    const grant = await grantOf(port, { terms: { images: 1 } })
    const permitted = await permit(port.house, await releaseCaller(port, { grant, capture: id }), "release")
    await second(port.house, port.people.privacy, await proposed({ capture: id, plates: [box], faces: [] }))
    // Another receipt takes the vault's own tree past the motion.
    await looked(await blankShot())
    const receipt = await port.house.log.receipt(permitted)
    expect(await codeOf(port.house.vault.withdraw(id, receipt))).toBe("CONFLICT")
  })

  test("a row that a database administrator writes sets nothing", async () => {
    const { id } = await looked(await blankShot())
    const row = {
      kind: "boxes",
      id,
      version: 1,
      body: JSON.stringify({ entry: 1, faces: [], plates: [box] }),
    }
    await port.house.ledger.sequence(async transaction => {
      await transaction.store({
        ...{ head: transaction.head, entries: [], tiles: [], counters: [], members: [], captures: [] },
        ...{ openings: [], destroyed: [], messages: [], records: [row] },
      })
    })
    expect(await shownAt(id, box)).toBe(false)
    const found = await fsck(port.house.ledger, { origin: port.house.log.origin, verify: verifyEd25519 })
    expect(found.problems).toEqual([expect.objectContaining({ at: expect.stringContaining(id) })])
    // Put right, so that what follows is judged by itself: two people set the same boxes.
    await second(port.house, port.people.privacy, await proposed({ capture: id, plates: [box], faces: [] }))
  })

  test("vendors and auditors propose none; what would show nothing is refused with the reason", async () => {
    const { id } = await looked(await blankShot())
    const ask = { capture: id, plates: [box], faces: [] }
    expect(await codeOf(proposed(ask, port.people.engineer))).toBe("OFFICE")
    expect(await codeOf(proposed(ask, port.people.auditor))).toBe("OFFICE")
    const wide = { x_px: 0, y_px: 0, width_px: 400, height_px: 60 }
    expect(await codeOf(proposed({ ...ask, plates: [wide] }))).toBe("INVALID")
    expect(await codeOf(proposed({ ...ask, capture: "cap_01ARZ3NDEKTSV4RRFFQ69G5FAV" }))).toBe("NOT_FOUND")
    const { capture } = await sealAndAdmit(port, await blankShot())
    expect(await codeOf(proposed({ ...ask, capture }))).toBe("CONFLICT")
    await examine(port.house, capture, { again: false })
  })
})
