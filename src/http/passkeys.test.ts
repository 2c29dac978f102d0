import { createHash } from "node:crypto"
import { expect, test } from "vitest"
import { utf8 } from "../bytes.ts"
import { toBase64url } from "../grant/passkey.ts"
import type { Asked } from "../grant/request.ts"
import { assertOwnPage } from "./passkeys.ts"
import type { Web } from "./web.ts"

const web: Web = {
  origin: "https://vault.example",
  cookieKey: new Uint8Array(32),
  subjectKey: new Uint8Array(32),
  signIn: null,
}

function askedOn(origin: string, party: string): Asked {
  const data = Buffer.concat([createHash("sha256").update(party).digest(), Buffer.from([5, 0, 0, 0, 0])])
  const words = { type: "webauthn.get", challenge: "AA", origin }
  const passkey = {
    authenticator_data: toBase64url(data),
    client_data: toBase64url(utf8(JSON.stringify(words))),
  }
  return { passkey } as Asked
}

test("a passkey counts on this vault's own page, and on no page that looks like it", () => {
  expect(() => assertOwnPage(askedOn("https://vault.example", "vault.example"), web)).not.toThrow()
  expect(() => assertOwnPage({ passkey: null } as Asked, null)).not.toThrow()
  for (const [origin, party] of [
    ["https://vaultt.example", "vault.example"],
    ["https://vault.example", "vaultt.example"],
    ["http://vault.example", "vault.example"],
    ["https://vault.example:8443", "vault.example"],
  ] as const)
    expect(() => assertOwnPage(askedOn(origin, party), web), origin).toThrow(/another page/)
  expect(() => assertOwnPage(askedOn("https://vault.example", "vault.example"), null)).toThrow(/another page/)
})
