import { describe, expect, test } from "vitest"
import { base64, utf8 } from "../bytes.ts"
import { newSeed, signerOf, verifyEd25519 } from "../ed25519.ts"
import { commitment, isSigned, opens, signatureBase, type Asked } from "./request.ts"

const signer = signerOf(newSeed())
const vault = "sallyport.example/test"
const statement = { grant: "grt_1", capture: "cap_1", level: "L2" }
const unsigned = {
  method: "POST" as const,
  path: "/v1/releases",
  query: "?",
  created: 1_700_000_000,
  nonce: "abcdefghijklmnop",
  content_sha256: base64(new Uint8Array(32)),
  key: base64(signer.publicKey),
}
const asked: Asked = {
  ...unsigned,
  signature: base64(signer.sign(signatureBase(unsigned, vault, statement))),
  device: null,
  passkey: null,
}
const context = { statement, verify: verifyEd25519 }

test("the signature base is that of RFC 9421 §2.5: a line a component, the parameters last", () => {
  const { content_sha256: _, ...rest } = unsigned
  const text = new TextDecoder().decode(signatureBase({ ...rest, content_sha256: null }, vault, null))
  expect(text.split("\n")).toEqual([
    '"@method": POST',
    '"@path": /v1/releases',
    '"@query": ?',
    '"sallyport-vault": sallyport.example/test',
    `"@signature-params": ("@method" "@path" "@query" "sallyport-vault");created=1700000000;nonce="abcdefghijklmnop";keyid="${unsigned.key}";alg="ed25519";tag="sallyport"`,
  ])
})

test("a signed request is signed", () => {
  expect(isSigned(asked, vault, context)).toBe(true)
})

describe("a request that is changed in one thing is not", () => {
  const bent: [string, Asked][] = [
    ["method", { ...asked, method: "PUT" }],
    ["path", { ...asked, path: "/v1/reveals" }],
    ["query", { ...asked, query: "?a=1" }],
    ["created", { ...asked, created: asked.created + 1 }],
    ["nonce", { ...asked, nonce: "abcdefghijklmnoq" }],
    ["content", { ...asked, content_sha256: base64(new Uint8Array(32).fill(1)) }],
    ["no content", { ...asked, content_sha256: null }],
    ["key", { ...asked, key: base64(signerOf(newSeed()).publicKey) }],
    ["signature", { ...asked, signature: base64(new Uint8Array(64)) }],
  ]
  for (const [what, changed] of bent) test(what, () => expect(isSigned(changed, vault, context)).toBe(false))
  test("another vault", () => expect(isSigned(asked, "sallyport.example/other", context)).toBe(false))
  test("another statement", () => {
    expect(isSigned(asked, vault, { ...context, statement: { ...statement, level: "L4" } })).toBe(false)
  })
})

describe("openings open exactly the commitments", () => {
  const salt = new Uint8Array(32).fill(7)
  const committed = {
    name_commitment: commitment("name", salt, "value"),
    level: "L2",
    comment_commitment: null,
  }
  const name = { salt: base64(salt), value: "value" }
  test("the right one", () => expect(opens(committed, { name })).toBe(true))
  test("none", () => expect(opens(committed, {})).toBe(false))
  test("another value", () => expect(opens(committed, { name: { ...name, value: "other" } })).toBe(false))
  test("another salt", () =>
    expect(opens(committed, { name: { ...name, salt: base64(new Uint8Array(32)) } })).toBe(false))
  test("a short salt", () =>
    expect(opens(committed, { name: { ...name, salt: base64(utf8("x")) } })).toBe(false))
  test("one too many", () => expect(opens(committed, { name, comment: name })).toBe(false))
  test("another field's", () => expect(opens(committed, { reason: name })).toBe(false))
})
