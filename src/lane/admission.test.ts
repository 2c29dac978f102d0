import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { codeOf, openTestPort, sealShot, type TestPort } from "../../test/port.ts"
import { base64, fromBase64, textOf, utf8 } from "../bytes.ts"
import { admit } from "../custody/admit.ts"
import { newSeed, signerOf, verifyEd25519 } from "../ed25519.ts"
import { parseCapture, type ParsedCapture } from "../seal/capture.ts"
import { formatVkey } from "../tlog/note.ts"
import { formatProof, parseProof } from "../tlog/receipt.ts"
import { admissionRefusal } from "./admission.ts"

let port: TestPort
let capture: ParsedCapture
let other: ParsedCapture
let proof: string
let otherProof: string

beforeAll(async () => {
  port = await openTestPort()
  const take = async () => {
    const { bytes } = await sealShot(port, { picture: new Uint8Array([1, 2, 3]) })
    return { capture: parseCapture(bytes), proof: (await admit(port.house, bytes)).proof, bytes }
  }
  const first = await take()
  ;({ capture, proof } = first)
  ;({ capture: other, proof: otherProof } = await take())
})
afterAll(() => port.close())

const judge = (changed: Partial<Parameters<typeof admissionRefusal>[0]> = {}) =>
  admissionRefusal({ proof, capture, logs: [port.house.log.vkey], verify: verifyEd25519, ...changed })

describe("an admission proof", () => {
  test("holds for its capture, under the log's pinned key", () => {
    expect(judge()).toBeNull()
  })

  test("holds again when the same capture was sent twice", async () => {
    const { bytes } = await sealShot(port, { picture: new Uint8Array([4]) })
    await admit(port.house, bytes)
    const second = await admit(port.house, bytes)
    expect(judge({ proof: second.proof, capture: parseCapture(bytes) })).toBeNull()
  })

  test("is none for another capture of the same reader", () => {
    expect(judge({ capture: other })).toBe("entry")
    expect(judge({ proof: otherProof })).toBe("entry")
  })

  test("is none under another log's key of the same name, and none without a key", () => {
    const stranger = formatVkey("sallyport.example/test", signerOf(newSeed()).publicKey)
    expect(judge({ logs: [stranger] })).toBe("checkpoint")
    expect(judge({ logs: [] })).toBe("checkpoint")
  })

  test("is none for a capture of another vault", () => {
    const header = { ...capture.header, vault: "sallyport.example/other" }
    expect(judge({ capture: { ...capture, header } })).toBe("vault")
  })

  test("is none of a refusal, although that entry is in the tree too", async () => {
    const { bytes, header } = await sealShot(port, {
      picture: new Uint8Array([5]),
      bend: { sequence: capture.header.sequence },
    })
    expect(await codeOf(admit(port.house, bytes))).toBe("CAPTURE_SEQUENCE")
    const { size } = await port.house.log.head()
    const refusal = await port.house.log.receiptAt(size - 1)
    expect(textOf(parseProof(refusal)!.extra!)).toContain(header.capture)
    expect(judge({ proof: refusal, capture: parseCapture(bytes) })).toBe("entry")
  })

  test("does not hold with its entry rewritten", () => {
    const parts = parseProof(proof)!
    const bent = utf8(textOf(parts.extra!)!.replace(capture.header.body_sha256, other.header.body_sha256))
    expect(judge({ proof: formatProof({ ...parts, extra: bent }) })).toBe("inclusion")
  })

  test("does not hold with one bit of a hash, of the index or of the signature changed", () => {
    const parts = parseProof(proof)!
    expect(parts.proof.length).toBeGreaterThan(0)
    const flipped = parts.proof[0]!.map((byte, i) => (i === 7 ? byte ^ 1 : byte))
    expect(judge({ proof: formatProof({ ...parts, proof: [flipped, ...parts.proof.slice(1)] }) })).toBe(
      "inclusion",
    )
    expect(judge({ proof: formatProof({ ...parts, index: parts.index - 1 }) })).toBe("inclusion")
    const signature = parts.checkpoint.trimEnd().split(" ").at(-1)!
    const bytes = fromBase64(signature)!.map((byte, i) => (i === 20 ? byte ^ 1 : byte))
    const checkpoint = parts.checkpoint.replace(signature, base64(bytes))
    expect(judge({ proof: formatProof({ ...parts, checkpoint }) })).toBe("checkpoint")
  })

  test("is none in any other form", () => {
    for (const text of ["", "ok", proof.slice(1), formatProof({ ...parseProof(proof)!, extra: null })])
      expect(judge({ proof: text })).toBe("form")
    const extra = utf8("[]")
    expect(judge({ proof: formatProof({ ...parseProof(proof)!, extra }) })).toBe("form")
  })
})
