import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { base64 } from "../../src/bytes.ts"
import { canonical } from "../../src/canonical.ts"
import { release } from "../../src/custody/release.ts"
import { newSeed, signerOf, verifyEd25519 } from "../../src/ed25519.ts"
import { fsck } from "../../src/log/fsck.ts"
import { names, type Records } from "../../src/log/state.ts"
import type { Change } from "../../src/ledger/ledger.ts"
import { keepingUsage, writeRows } from "../forge.ts"
import { codeOf, grantOf, openTestPort, releaseCaller, takeIn, type Actor, type TestPort } from "../port.ts"

/** Whoever can write the database: each row that he inserts opens nothing, and fsck names it. */
let port: TestPort
let capture: string
let other: string

beforeAll(async () => {
  port = await openTestPort()
  const picture = new Uint8Array(
    await sharp({ create: { width: 200, height: 100, channels: 3, background: "#321" } })
      .jpeg()
      .toBuffer(),
  )
  capture = (await takeIn(port, { picture })).capture
  other = (await takeIn(port, { picture })).capture
})
afterAll(() => port.close())

async function problems(): Promise<string> {
  const found = await fsck(port.house.ledger, { origin: port.house.log.origin, verify: verifyEd25519 })
  return found.problems.map(({ at, why }) => `${at}: ${why}`).join("\n")
}

async function record<K extends "grant" | "person">(kind: K, id: string): Promise<Records[K]> {
  return JSON.parse((await port.house.ledger.record(kind, id))!.body) as Records[K]
}

/** Writes rows, sees what they open and what fsck says, and writes the old ones back. */
async function tampered(
  change: Partial<Change>,
  undo: Partial<Change>,
  ask: () => Promise<unknown>,
): Promise<{ code: string; found: string }> {
  await writeRows(port, change)
  const found = await problems()
  const code = await keepingUsage(port, () => codeOf(ask()))
  await writeRows(port, undo)
  return { code, found }
}

describe("rows that no entry led to", () => {
  test("approvals: the permit is logged, but the vault finds none in the log", async () => {
    await release(port.house, await releaseCaller(port, { grant: await grantOf(port), capture }))
    const grant = await grantOf(port, { by: [] })
    const held = await record("grant", grant)
    const row = (await port.house.ledger.record("grant", grant))!
    const approvals = [
      { person: port.people.cor.person, office: "cor", version: 1 },
      { person: port.people.privacy.person, office: "privacy", version: 1 },
    ]
    const body = canonical({ ...held, status: "approved", approvals })
    const ask = async () => release(port.house, await releaseCaller(port, { grant, capture }))
    const { code, found } = await tampered({ records: [{ ...row, body }] }, { records: [row] }, ask)
    expect(code).toBe("RECEIPT_APPROVAL")
    expect(found).toContain(`record grant ${grant}`)
  })

  test("a key: the permit is logged, but its key is nobody's in the log", async () => {
    const grant = await grantOf(port)
    const stranger: Actor = { person: port.people.engineer.person, signer: signerOf(newSeed()) }
    const key = base64(stranger.signer.publicKey)
    const row = {
      kind: "key",
      id: key,
      version: 1,
      body: canonical({ person: stranger.person, reader: null }),
    }
    const ask = async () => {
      const engineer = port.people.engineer
      Object.assign(port.people, { engineer: stranger })
      const caller = await releaseCaller(port, { grant, capture }).finally(() =>
        Object.assign(port.people, { engineer }),
      )
      return release(port.house, caller)
    }
    await writeRows(port, { records: [row] })
    expect(await problems()).toContain(`record key ${key}`)
    expect(await keepingUsage(port, () => codeOf(ask()))).toBe("RECEIPT_KEY")
  })

  test("a counter set back: the permit is logged, but the vault counts for itself", async () => {
    const grant = await grantOf(port, { terms: { images: 1 } })
    await release(port.house, await releaseCaller(port, { grant, capture }))
    const name = names.images(grant)
    const ask = async () => release(port.house, await releaseCaller(port, { grant, capture: other }))
    const { code, found } = await tampered({ counters: [{ name, value: 0 }] }, {}, ask)
    expect(code).toBe("RECEIPT_DECISION")
    expect(found).toContain(`counter ${name}`)
  })

  test("a revocation undone: the vault remembers it", async () => {
    const grant = await grantOf(port)
    const row = (await port.house.ledger.record("grant", grant))!
    const { revoke } = await import("../port.ts")
    await revoke(port, grant)
    const after = (await port.house.ledger.record("grant", grant))!
    const ask = async () => release(port.house, await releaseCaller(port, { grant, capture }))
    const { code, found } = await tampered({ records: [row] }, { records: [after] }, ask)
    expect(code).toBe("RECEIPT_DECISION")
    expect(found).toContain(`record grant ${grant}`)
  })

  test("an entry, a tile, an opening changed in place: fsck names each", async () => {
    const { size } = await port.house.log.head()
    const tile = (await port.house.ledger.tile(0, 0))!
    const bent = { ...tile, hashes: tile.hashes.map((byte, i) => (i === 40 ? byte ^ 1 : byte)) }
    await writeRows(port, { tiles: [bent] })
    expect(await problems()).toContain("tile 0/0")
    await writeRows(port, { tiles: [tile] })
    expect(size).toBeGreaterThan(10)
  })
})

test("a row that was inserted stops what leaves at the next start, and is named", async () => {
  await port.reopen()
  expect(port.opened.fsck.problems.map(problem => problem.at).join()).toContain("record key")
})
