import { p256 } from "@noble/curves/nist.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { describe, expect, test } from "vitest"
import { concat, utf8 } from "../bytes.ts"
import { challengeOf, fromBase64url, isAsserted, isP256, toBase64url } from "./passkey.ts"

const secret = new Uint8Array(32).fill(7)
const key = p256.getPublicKey(secret, true)
const message = utf8("what is asked")

interface Said {
  readonly flags?: number
  readonly type?: string
  readonly challenge?: string
  readonly crossOrigin?: boolean
  readonly text?: string
  readonly dataLength?: number
}

/** An assertion as an authenticator makes it (WebAuthn §6.3.3), with whatever is bent before it signs. */
function asserted({
  flags = 0x05,
  type = "webauthn.get",
  challenge,
  crossOrigin,
  text,
  dataLength = 37,
}: Said) {
  const data = concat(sha256(utf8("localhost")), new Uint8Array([flags]), new Uint8Array(4)).slice(
    0,
    dataLength,
  )
  const words = {
    type,
    challenge: challenge ?? toBase64url(challengeOf(message)),
    origin: "http://localhost:7300",
    ...(crossOrigin === undefined ? {} : { crossOrigin }),
  }
  const client = utf8(text ?? JSON.stringify(words))
  const signature = p256.sign(concat(data, sha256(client)), secret)
  return {
    assertion: { authenticator_data: toBase64url(data), client_data: toBase64url(client) },
    of: { key, message, signature },
  }
}

test("a passkey's assertion holds for the request that was its challenge", () => {
  const { assertion, of } = asserted({})
  expect(isAsserted(assertion, of)).toBe(true)
  expect(isAsserted(assertion, { ...of, message: utf8("something else") })).toBe(false)
})

describe("an assertion that is wrong in one thing holds for nothing", () => {
  const bent: readonly [string, Said][] = [
    ["nobody was present", { flags: 0x04 }],
    ["its user was not verified", { flags: 0x01 }],
    ["it makes a passkey instead", { type: "webauthn.create" }],
    ["another challenge", { challenge: toBase64url(challengeOf(utf8("another"))) }],
    ["a challenge with padding", { challenge: `${toBase64url(challengeOf(message))}=` }],
    ["asked for from another site's frame", { crossOrigin: true }],
    ["words that are no JSON", { text: "{" }],
    ["words that are null", { text: "null" }],
    ["words without a challenge", { text: '{"type":"webauthn.get","origin":"o"}' }],
    ["data cut short", { dataLength: 36 }],
  ]
  for (const [why, said] of bent)
    test(why, () => {
      const { assertion, of } = asserted(said)
      expect(isAsserted(assertion, of)).toBe(false)
    })
  test("a signature of another key, a bent one, a bare one over the request", () => {
    const { assertion, of } = asserted({})
    const other = p256.getPublicKey(new Uint8Array(32).fill(8), true)
    expect(isAsserted(assertion, { ...of, key: other })).toBe(false)
    const signature = of.signature.map((byte, i) => (i === 9 ? byte ^ 1 : byte))
    expect(isAsserted(assertion, { ...of, signature })).toBe(false)
    expect(isAsserted(assertion, { ...of, signature: p256.sign(message, secret) })).toBe(false)
  })
})

test("a signature of P-256 holds for its message; what is malformed is simply not valid", () => {
  const signature = p256.sign(message, secret)
  expect(isP256(key, message, signature)).toBe(true)
  expect(isP256(key, utf8("another"), signature)).toBe(false)
  for (const bad of [new Uint8Array(33), new Uint8Array(32), key.slice(1)])
    expect(isP256(bad, message, signature)).toBe(false)
  for (const bad of [new Uint8Array(64), signature.slice(1), new Uint8Array(0)])
    expect(isP256(key, message, bad)).toBe(false)
})

test("base64url has no padding and no other alphabet", () => {
  const bytes = new Uint8Array([251, 255, 190, 1])
  expect(fromBase64url(toBase64url(bytes))).toEqual(bytes)
  for (const bad of ["+/==", "a", "AA=", "A A"]) expect(fromBase64url(bad)).toBeNull()
})
