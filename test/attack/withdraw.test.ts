import { markCommitment } from "../../src/mark/keys.ts"
import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { base64, utf8 } from "../../src/bytes.ts"
import { permit } from "../../src/custody/opening.ts"
import { newSeed, signerOf } from "../../src/ed25519.ts"
import { isAuthentic } from "../../src/log/authentic.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { newId } from "../../src/ids.ts"
import { formatEntry, type Entry } from "../../src/log/kinds.ts"
import { openReceipt } from "../../src/log/receipt.ts"
import { formatCheckpoint, parseCheckpoint } from "../../src/tlog/checkpoint.ts"
import { noteSigner, signNote } from "../../src/tlog/note.ts"
import { formatProof, parseProof } from "../../src/tlog/receipt.ts"
import { bodyName } from "../../src/vault/vault.ts"
import {
  keepingUsage,
  allEntries,
  appendRaw,
  forkReceipt,
  permitDraft,
  writeCapture,
  type PermitDraft,
} from "../forge.ts"
import { platePicture, type PlatePicture } from "../plate-picture.ts"
import {
  codeOf,
  callerOf,
  grantOf,
  openTestPort,
  releaseCaller,
  revoke,
  signed,
  takeIn,
  type TestPort,
} from "../port.ts"

let port: TestPort
let picture: Uint8Array
let plate: PlatePicture["plate"]

beforeAll(async () => {
  port = await openTestPort()
  ;({ picture, plate } = await platePicture())
})
afterAll(() => port.close())

async function capture(): Promise<string> {
  const event = { v: 1, source: "index", file: null, plates: [plate], faces: [] } as const
  return (await takeIn(port, { picture, event })).capture
}

async function permitted(): Promise<{ id: string; grant: string; receipt: string }> {
  const [id, grant] = [await capture(), await grantOf(port)]
  const appended = await permit(port.house, await releaseCaller(port, { grant, capture: id }), "release")
  return { id, grant, receipt: await port.house.log.receipt(appended) }
}

/**
 * The verdict of the vault on a permit that is right but for what `bend` changes.
 * @param isCounted  whether the log leads to the permit, and only the capture contradicts it.
 */
async function bentPermit(
  bend: (draft: PermitDraft, grant: string) => Promise<PermitDraft> | PermitDraft,
  terms?: Parameters<typeof grantOf>[1],
  isCounted = false,
): Promise<string> {
  const [id, grant] = [await capture(), await grantOf(port, terms)]
  const draft = await bend(await permitDraft(port, { grant, capture: id }), grant)
  const withdrawn = async () => {
    const appended = await appendRaw(port, draft)
    return codeOf(port.house.vault.withdraw(id, await port.house.log.receipt(appended)))
  }
  return isCounted ? withdrawn() : keepingUsage(port, withdrawn)
}

test("a permit's receipt opens its capture, and the picture is the one that went in", async () => {
  const { id, receipt } = await permitted()
  const withdrawn = await port.house.vault.withdraw(id, receipt)
  expect(Buffer.from(withdrawn.picture).equals(picture)).toBe(true)
  expect(withdrawn.permit.capture).toBe(id)
  expect(withdrawn.findings?.plates).toHaveLength(1)
})

test("a hand-made permit that is right in everything opens too: the tests below bend one thing of it", async () => {
  expect(await bentPermit(draft => draft)).toBe("done")
})

describe("a receipt that is not this log's opens nothing", () => {
  test("RECEIPT_FORMAT: garbage, a cut file, an empty one", async () => {
    const { id, receipt } = await permitted()
    for (const text of [
      "",
      "garbage",
      receipt.slice(0, receipt.length / 2),
      receipt.replace("extra ", "extra A"),
    ]) {
      expect(await codeOf(port.house.vault.withdraw(id, text))).toBe("RECEIPT_FORMAT")
    }
  })

  test("RECEIPT_CHECKPOINT: signed by another key under the log's name", async () => {
    const { id, receipt } = await permitted()
    const other = signerOf(newSeed())
    const proof = parseProof(receipt)!
    const text = proof.checkpoint.slice(0, proof.checkpoint.indexOf("\n\n") + 1)
    const forged = signNote(text, [noteSigner(port.house.log.origin, other.publicKey, m => other.sign(m))])
    expect(await codeOf(port.house.vault.withdraw(id, formatProof({ ...proof, checkpoint: forged })))).toBe(
      "RECEIPT_CHECKPOINT",
    )
  })

  test("RECEIPT_CHECKPOINT: a larger size in a signed checkpoint", async () => {
    const { id, receipt } = await permitted()
    const proof = parseProof(receipt)!
    const [text, signatures] = proof.checkpoint.split("\n\n") as [string, string]
    const checkpoint = parseCheckpoint(`${text}\n`)!
    const bent = `${formatCheckpoint({ ...checkpoint, size: checkpoint.size + 1 })}\n${signatures}`
    expect(await codeOf(port.house.vault.withdraw(id, formatProof({ ...proof, checkpoint: bent })))).toBe(
      "RECEIPT_CHECKPOINT",
    )
  })

  test("RECEIPT_INCLUSION: another index, a changed hash, another entry", async () => {
    const { id, receipt } = await permitted()
    const proof = parseProof(receipt)!
    const changed = proof.proof.map((hash, i) => (i === 0 ? hash.map(byte => byte ^ 1) : hash))
    const other = utf8(JSON.stringify({ entry: '{"kind":"permit"}' }))
    for (const bent of [
      { ...proof, index: proof.index - 1 },
      { ...proof, proof: changed },
      { ...proof, extra: other },
    ]) {
      expect(await codeOf(port.house.vault.withdraw(id, formatProof(bent)))).toBe("RECEIPT_INCLUSION")
    }
  })
})

describe("a true receipt of something else opens nothing", () => {
  test("RECEIPT_NOT_PERMIT: a logged refusal also has a true receipt", async () => {
    const id = await capture()
    const appended = await appendRaw(port, {
      kind: "refused",
      of: "release",
      code: "GRANT_BUDGET",
      person: null,
      reader: null,
      grant: null,
      capture: id,
      network: null,
      asked: null,
      statement: null,
    })
    expect(await codeOf(port.house.vault.withdraw(id, await port.house.log.receipt(appended)))).toBe(
      "RECEIPT_NOT_PERMIT",
    )
  })

  test("RECEIPT_CAPTURE: the permit is for another capture", async () => {
    const { receipt } = await permitted()
    expect(await codeOf(port.house.vault.withdraw(await capture(), receipt))).toBe("RECEIPT_CAPTURE")
  })

  test("RECEIPT_AGE: a minute later, and from a clock that went back", async () => {
    const { id, receipt } = await permitted()
    port.clock.offset_ms += 61_000
    expect(await codeOf(port.house.vault.withdraw(id, receipt))).toBe("RECEIPT_AGE")
    port.clock.offset_ms -= 61_000 + 10_000
    expect(await codeOf(port.house.vault.withdraw(id, receipt))).toBe("RECEIPT_AGE")
    port.clock.offset_ms += 10_000
    expect(await codeOf(port.house.vault.withdraw(id, receipt))).toBe("done")
  })

  test("RECEIPT_USED: a second time", async () => {
    const { id, receipt } = await permitted()
    await port.house.vault.withdraw(id, receipt)
    expect(await codeOf(port.house.vault.withdraw(id, receipt))).toBe("RECEIPT_USED")
  })
})

describe("a permit in the log that nobody asked for, or nobody approved, opens nothing", () => {
  test("RECEIPT_KEY: signed with a key that is not enrolled", () => {
    const stranger = { signer: signerOf(newSeed()) }
    return expect(
      bentPermit(d => ({
        ...d,
        asked: signed(port.house, stranger, { path: "/v1/releases", statement: d.statement! }),
      })),
    ).resolves.toBe("RECEIPT_KEY")
  })

  test("RECEIPT_KEY: signed by a colleague", () => {
    const { colleague } = port.people
    return expect(
      bentPermit(d => ({
        ...d,
        asked: signed(port.house, colleague, { path: "/v1/releases", statement: d.statement! }),
      })),
    ).resolves.toBe("RECEIPT_KEY")
  })

  test("RECEIPT_REQUEST: the signature is bent", () => {
    return expect(
      bentPermit(d => ({ ...d, asked: { ...d.asked!, signature: base64(new Uint8Array(64)) } })),
    ).resolves.toBe("RECEIPT_REQUEST")
  })

  test("RECEIPT_REQUEST: the person signed for another act", () => {
    const { engineer } = port.people
    return expect(
      bentPermit(d => ({
        ...d,
        asked: signed(port.house, engineer, { path: "/v1/draws", statement: d.statement! }),
      })),
    ).resolves.toBe("RECEIPT_REQUEST")
  })

  test("RECEIPT_REQUEST: the person signed for another capture", async () => {
    const other = await capture()
    expect(await bentPermit(d => ({ ...d, statement: { ...d.statement!, capture: other } }))).toBe(
      "RECEIPT_REQUEST",
    )
  })

  test("the request is six minutes old: the log does not take it, and the vault's own check refuses it", async () => {
    const { engineer } = port.people
    let draft: PermitDraft | null = null
    const old = bentPermit(d => {
      port.clock.offset_ms -= 360_000
      const asked = signed(port.house, engineer, { path: "/v1/releases", statement: d.statement! })
      port.clock.offset_ms += 360_000
      return (draft = { ...d, asked })
    })
    await expect(old).rejects.toMatchObject({ code: "SIGNATURE_STALE" })
    const context = { origin: port.house.log.origin, verify: verifyEd25519 }
    const now_ms = port.house.log.clock()
    expect(isAuthentic(draft!, { ...context, at_ms: now_ms - 360_000 })).toBe(true)
    expect(isAuthentic(draft!, { ...context, at_ms: now_ms })).toBe(false)
  })

  test("RECEIPT_TERMS: other terms than the grant's, or a grant that the log does not hold", async () => {
    expect(await bentPermit(d => ({ ...d, by: { ...d.by!, terms_sha256: "0".repeat(64) } }))).toBe(
      "RECEIPT_TERMS",
    )
    const unknown = newId("grt")
    const { engineer } = port.people
    expect(
      await bentPermit(d => {
        const statement = { ...d.statement!, grant: unknown }
        return {
          ...d,
          by: { ...d.by!, grant: unknown },
          statement,
          asked: signed(port.house, engineer, { path: "/v1/releases", statement }),
        }
      }),
    ).toBe("RECEIPT_TERMS")
  })

  test("RECEIPT_APPROVAL: zero approvals, and one", async () => {
    expect(await bentPermit(d => d, { by: [] })).toBe("RECEIPT_APPROVAL")
    expect(await bentPermit(d => d, { by: ["cor"] })).toBe("RECEIPT_APPROVAL")
  })

  test("RECEIPT_DECISION: over the budget, whatever the ledger's counters say", async () => {
    const grant = await grantOf(port, { terms: { images: 1 } })
    const [first, second] = [await capture(), await capture()]
    await permit(port.house, await releaseCaller(port, { grant, capture: first }), "release")
    const draft = await permitDraft(port, { grant, capture: second })
    const code = await keepingUsage(port, async () => {
      const by = { ...draft.by!, images_after: 1, releases_after: 1 }
      const appended = await appendRaw(port, { ...draft, by })
      return codeOf(port.house.vault.withdraw(second, await port.house.log.receipt(appended)))
    })
    expect(code).toBe("RECEIPT_DECISION")
  })

  test("RECEIPT_DECISION: a level above the grant's, and counts that are not the log's", async () => {
    const { engineer } = port.people
    expect(
      await bentPermit(d => {
        const statement = { ...d.statement!, level: "L4" as const }
        return {
          ...d,
          level: "L4",
          statement,
          asked: signed(port.house, engineer, { path: "/v1/releases", statement }),
        }
      }),
    ).toBe("RECEIPT_DECISION")
    expect(await bentPermit(d => ({ ...d, by: { ...d.by!, releases_after: 7 } }))).toBe("RECEIPT_DECISION")
  })

  test("RECEIPT_DECISION: another region than the grant's, wider or not", async () => {
    expect(await bentPermit(d => ({ ...d, region: "wide" }))).toBe("RECEIPT_DECISION")
    const wide = { terms: { region: "wide" } } as const
    expect(await bentPermit(d => d, wide)).toBe("RECEIPT_DECISION")
    expect(await bentPermit(d => ({ ...d, region: "wide" }), wide, true)).toBe("done")
  })
})

describe("what the permit rests on must still stand", () => {
  test("GRANT_REVOKED: between permit and withdrawal", async () => {
    const { id, grant, receipt } = await permitted()
    await revoke(port, grant)
    await port.house.vault.gate.start()
    expect(await codeOf(port.house.vault.withdraw(id, receipt))).toBe("GRANT_REVOKED")
  })

  test("RECEIPT_DECISION: the permit names another hour, or another capture's admission", async () => {
    // Of the same day: the watch would refuse another.
    const hour = ({ hour }: PermitDraft) =>
      `${hour.slice(0, 10)}T${hour.slice(11, 13) === "00" ? "01" : "00"}-06:00`
    expect(await bentPermit(d => ({ ...d, hour: hour(d) }), {}, true)).toBe("RECEIPT_DECISION")
    const other = (await port.house.ledger.capture(await capture()))!
    expect(await bentPermit(d => ({ ...d, admitted: other.admitted }), {}, true)).toBe("RECEIPT_DECISION")
  })

  test("LEDGER_DIFFERS: the row names another body than was admitted", async () => {
    const { id, receipt } = await permitted()
    const row = (await port.house.ledger.capture(id))!
    await writeCapture(port, id, { bodySha256: "0".repeat(64) })
    expect(await codeOf(port.house.vault.withdraw(id, receipt))).toBe("LEDGER_DIFFERS")
    await writeCapture(port, id, { bodySha256: row.bodySha256 })
    expect(await codeOf(port.house.vault.withdraw(id, receipt))).toBe("done")
  })

  test("LEDGER_DIFFERS: the row names another examination than the permit, or none", async () => {
    const [{ id, receipt }, other] = [await permitted(), await capture()]
    const row = (await port.house.ledger.capture(id))!
    for (const examined of [null, (await port.house.ledger.capture(other))!.examined]) {
      await writeCapture(port, id, { examined })
      expect(await codeOf(port.house.vault.withdraw(id, receipt))).toBe("LEDGER_DIFFERS")
    }
    await writeCapture(port, id, { examined: row.examined })
  })

  test("LEDGER_DIFFERS: findings that the log does not commit to (a plate box grown to the whole picture)", async () => {
    const { id, receipt } = await permitted()
    const row = (await port.house.ledger.capture(id))!
    await writeCapture(port, id, {
      findingsJson: row.findingsJson!.replace('"height_px":240', '"height_px":241'),
    })
    expect(await codeOf(port.house.vault.withdraw(id, receipt))).toBe("LEDGER_DIFFERS")
    await writeCapture(port, id, { findingsJson: row.findingsJson })
  })

  test("LEDGER_DIFFERS: the permit counts other faces than were found: more people would fit its budget", async () => {
    expect(await bentPermit(d => ({ ...d, faces: 1 }), undefined, true)).toBe("LEDGER_DIFFERS")
  })

  test("LEDGER_DIFFERS: a permit that commits to no mark, or to that of another picture", async () => {
    const withoutMark = ({ mark_sha256: _, ...rest }: PermitDraft): PermitDraft => rest
    expect(await bentPermit(withoutMark, undefined, true)).toBe("LEDGER_DIFFERS")
    const others = (draft: PermitDraft) => {
      const keys = port.house.keys.root.markKeys("0".repeat(64), draft.by!.person)
      return { ...draft, mark_sha256: markCommitment(keys) }
    }
    expect(await bentPermit(others, undefined, true)).toBe("LEDGER_DIFFERS")
  })

  test("VAULT_OBJECT: any byte of the stored body flipped, cut, or the body gone", async () => {
    const { id, grant } = await permitted()
    const folder = join(port.data, "objects")
    const all = await readdir(folder, { recursive: true })
    const file = join(
      folder,
      all.find(name => name.endsWith(bodyName(id)))!,
    )
    const body = await readFile(file)
    for (const at of [0, 16, Math.floor(body.length / 2), body.length - 1]) {
      const bent = Buffer.from(body)
      bent[at]! ^= 1
      await writeFile(file, bent)
      const appended = await permit(port.house, await releaseCaller(port, { grant, capture: id }), "release")
      expect(await codeOf(port.house.vault.withdraw(id, await port.house.log.receipt(appended)))).toBe(
        "VAULT_OBJECT",
      )
    }
    await port.house.objects.delete(bodyName(id))
    const appended = await permit(port.house, await releaseCaller(port, { grant, capture: id }), "release")
    expect(await codeOf(port.house.vault.withdraw(id, await port.house.log.receipt(appended)))).toBe(
      "VAULT_OBJECT",
    )
  })

  test("CAPTURE_PURGED: the key is destroyed", async () => {
    const { id, receipt } = await permitted()
    const row = (await port.house.ledger.capture(id))!
    await writeCapture(port, id, { sealedTo: "epoch/standard/1999-01" })
    expect(await codeOf(port.house.vault.withdraw(id, receipt))).toBe("CAPTURE_PURGED")
    await writeCapture(port, id, { sealedTo: row.sealedTo })
  })
})

// Last: from here on the vault of this port is stopped.
describe("a permit signed in a fork stops the vault for good", () => {
  test("RECEIPT_FORK, then VAULT_STOPPED for everyone, and the log takes no more", async () => {
    const good = await permitted()
    const entries = await allEntries(port)
    const draft = await permitDraft(port, { grant: good.grant, capture: good.id })
    const entry = { v: 1, at: new Date(port.house.log.clock()).toISOString(), ...draft } as Entry
    const fork = await forkReceipt(port, [...entries.slice(0, -1), formatEntry(entry)])
    expect(openReceipt(fork, note => parseCheckpoint(note.slice(0, note.indexOf("\n\n") + 1))!).kind).toBe(
      "ok",
    )
    await port.house.vault.gate.start()
    expect(await codeOf(port.house.vault.withdraw(good.id, fork))).toBe("RECEIPT_FORK")
    expect(await codeOf(port.house.vault.withdraw(good.id, good.receipt))).toBe("VAULT_STOPPED")
    const caller = await callerOf(port.house, port.people.engineer, {
      path: "/v1/releases",
      statement: { grant: good.grant, capture: good.id, level: "L2" },
    })
    expect(await codeOf(permit(port.house, caller, "release"))).toBe("LOG_STOPPED")
  })
})
