import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { appendRaw, permitDraft, type PermitDraft } from "../../test/forge.ts"
import { grantOf, openTestPort, takeIn, type TestPort } from "../../test/port.ts"
import { base64, utf8 } from "../bytes.ts"
import { newSeed, signerOf, verifyEd25519 } from "../ed25519.ts"
import { formatVkey, noteSigner, signNote } from "../tlog/note.ts"
import { parsePolicy, type Policy } from "../tlog/policy.ts"
import { formatProof, parseProof } from "../tlog/receipt.ts"
import type { Draft } from "./kinds.ts"
import { checkReceipt, type HeldFile } from "./verify.ts"

/** Receipts that are right but for one thing: each is refused by the check that is there for it. */
let port: TestPort
let policy: Policy
let capture: string
let grant: string
const file: HeldFile = { sha256: "a".repeat(64), size_bytes: 100 }

beforeAll(async () => {
  port = await openTestPort()
  policy = policyOf(`log ${port.house.log.vkey}\nquorum none\n`)
  const picture = new Uint8Array(
    await sharp({ create: { width: 200, height: 100, channels: 3, background: "#321" } })
      .jpeg()
      .toBuffer(),
  )
  capture = (await takeIn(port, { picture })).capture
  grant = await grantOf(port)
})
afterAll(() => port.close())

function policyOf(text: string): Policy {
  const parsed = parsePolicy(text)
  if (parsed.kind !== "ok") throw new Error(parsed.why)
  return parsed.policy
}

type Delivered = Extract<Draft, { kind: "delivered" }>

/** A receipt over a permit and a delivery that the test bends. */
async function receiptOf(
  bend: { permit?: (draft: PermitDraft) => Draft; delivered?: (draft: Delivered) => Draft } = {},
): Promise<string> {
  const draft = await permitDraft(port, { grant, capture })
  const permit = await appendRaw(port, bend.permit?.(draft) ?? draft)
  const plain: Delivered = {
    kind: "delivered",
    permit: permit.index,
    capture,
    media_type: "image/png",
    ...file,
  }
  const delivered = await appendRaw(port, bend.delivered?.(plain) ?? plain)
  return port.house.log.deliveryReceipt(delivered, permit)
}

const refusalOf = (receipt: string, more: Partial<{ policy: Policy; file: HeldFile | null }> = {}) =>
  checkReceipt({ receipt, policy, file, verify: verifyEd25519, ...more }).refusal

test("a receipt that is right in everything is refused by nothing, and says what was checked", async () => {
  const verdict = checkReceipt({ receipt: await receiptOf(), policy, file, verify: verifyEd25519 })
  expect(verdict.refusal).toBeNull()
  expect(verdict.checks.every(check => check.holds)).toBe(true)
  expect(verdict.notChecked.length).toBeGreaterThan(0)
})

describe("the proof", () => {
  const failing = (receipt: string, more: Parameters<typeof refusalOf>[1] = {}) => {
    const { checks, refusal } = checkReceipt({ receipt, policy, file, verify: verifyEd25519, ...more })
    return `${String(refusal)}: ${checks.at(-1)?.name ?? ""}`
  }
  test("no tlog-proof at all", () =>
    expect(failing("garbage")).toBe("RECEIPT_FORMAT: the file is a tlog-proof"))
  test("another log's key", async () => {
    const other = policyOf(
      `log ${formatVkey(port.house.log.origin, signerOf(newSeed()).publicKey)}\nquorum none\n`,
    )
    expect(failing(await receiptOf(), { policy: other })).toBe(
      "RECEIPT_CHECKPOINT: the checkpoint is signed by the log's key",
    )
  })
  test("a checkpoint signed anew by a stranger", async () => {
    const proof = parseProof(await receiptOf())!
    const stranger = signerOf(newSeed())
    const signer = noteSigner(port.house.log.origin, stranger.publicKey, m => stranger.sign(m))
    const checkpoint = signNote(proof.checkpoint.slice(0, proof.checkpoint.indexOf("\n\n") + 1), [signer])
    expect(failing(formatProof({ ...proof, checkpoint }))).toBe(
      "RECEIPT_CHECKPOINT: the checkpoint is signed by the log's key",
    )
  })
  test("no witness where the policy asks for one", async () => {
    const witness = formatVkey("witness.example", signerOf(newSeed()).publicKey)
    const asked = policyOf(`log ${port.house.log.vkey}\nwitness w ${witness}\nquorum w\n`)
    expect(failing(await receiptOf(), { policy: asked })).toBe(
      "RECEIPT_WITNESS: the witnesses that the policy asks for cosigned it",
    )
  })
  test("an entry that is not in the tree", async () => {
    const proof = parseProof(await receiptOf())!
    expect(failing(formatProof({ ...proof, index: proof.index - 1 }))).toBe(
      "RECEIPT_INCLUSION: the entries are in that tree",
    )
  })
  test("a permit that is not in the tree", async () => {
    const proof = parseProof(await receiptOf())!
    const extra = JSON.parse(Buffer.from(proof.extra!).toString()) as { permit: { proof: string[] } }
    extra.permit.proof[0] = base64(new Uint8Array(32))
    expect(failing(formatProof({ ...proof, extra: utf8(JSON.stringify(extra)) }))).toBe(
      "RECEIPT_INCLUSION: the entries are in that tree",
    )
  })
})

describe("the entries", () => {
  test("an entry of a kind that nobody knows", async () => {
    const { forkReceipt, allEntries } = await import("../../test/forge.ts")
    const receipt = await forkReceipt(port, [...(await allEntries(port)), utf8('{"kind":"future"}')])
    const { refusal, checks } = checkReceipt({ receipt, policy, file, verify: verifyEd25519 })
    expect(`${String(refusal)}: ${checks.at(-1)!.name}`).toBe(
      "RECEIPT_FORMAT: the entries are of known kinds",
    )
  })
  const cases: [string, string, Parameters<typeof receiptOf>[0]][] = [
    ["the entry says that an image was delivered", "RECEIPT_NOT_PERMIT", { delivered: () => refusedDraft() }],
    [
      "its permit is a permit, at the index that it names",
      "RECEIPT_NOT_PERMIT",
      { delivered: d => ({ ...d, permit: d.permit - 1 }) },
    ],
    [
      "its permit is a permit, at the index that it names",
      "RECEIPT_NOT_PERMIT",
      { permit: () => refusedDraft() },
    ],
    [
      "the permit is for a person",
      "RECEIPT_NOT_PERMIT",
      {
        permit: d => ({
          ...d,
          for: "examine",
          by: null,
          asked: null,
          statement: null,
          examiner: "event-boxes/1",
        }),
      },
    ],
    [
      "the permit is for this capture",
      "RECEIPT_CAPTURE",
      { delivered: d => ({ ...d, capture: "cap_01JDXXXXXXXXXXXXXXXXXXXXXX" }) },
    ],
    [
      "the person's signed request holds",
      "RECEIPT_REQUEST",
      { permit: d => ({ ...d, asked: { ...d.asked!, signature: base64(new Uint8Array(64)) } }) },
    ],
    ["the person's signed request holds", "RECEIPT_REQUEST", { permit: d => ({ ...d, level: "L3" }) }],
  ]
  for (const [name, code, bend] of cases) {
    test(`${code}: ${name}`, async () => {
      const verdict = checkReceipt({ receipt: await receiptOf(bend), policy, file, verify: verifyEd25519 })
      expect(verdict.refusal).toBe(code)
      expect(verdict.checks.at(-1)!.name).toBe(name)
    })
  }

  test("RECEIPT_AGE: the delivery is before its permit", async () => {
    const draft = await permitDraft(port, { grant, capture })
    const { size } = await port.house.log.head()
    const delivered = await appendRaw(port, {
      kind: "delivered",
      permit: size + 1,
      capture,
      media_type: "image/png",
      ...file,
    })
    const permit = await appendRaw(port, draft)
    const receipt = await port.house.log.deliveryReceipt(
      { ...delivered, checkpoint: permit.checkpoint, size: permit.size },
      permit,
    )
    expect(refusalOf(receipt)).toBe("RECEIPT_AGE")
  })
})

describe("the file", () => {
  const named = (receipt: string, held: HeldFile | null) =>
    checkReceipt({ receipt, policy, file: held, verify: verifyEd25519 }).checks.at(-1)!.name
  test("another size", async () =>
    expect(named(await receiptOf(), { ...file, size_bytes: 101 })).toBe(
      "the file's size is the delivered one's",
    ))
  test("another digest", async () =>
    expect(named(await receiptOf(), { ...file, sha256: "b".repeat(64) })).toBe(
      "the file's SHA-256 is the delivered one's",
    ))
  test("no file", async () => expect(refusalOf(await receiptOf(), { file: null })).toBe("RECEIPT_FILE"))
})

test("every byte of a receipt counts: flipped, it is refused (all but the line feeds' own neighbours are tried)", async () => {
  const receipt = Buffer.from(await receiptOf())
  for (let at = 0; at < receipt.length; at += 3) {
    const bent = Buffer.from(receipt)
    bent[at]! ^= 1
    expect(refusalOf(bent.toString("utf8")), `byte ${at}`).not.toBeNull()
  }
})

function refusedDraft(): Draft {
  return {
    kind: "refused",
    of: "release",
    code: "GRANT_BUDGET",
    person: null,
    reader: null,
    grant: null,
    capture,
    network: null,
    asked: null,
    statement: null,
  }
}
