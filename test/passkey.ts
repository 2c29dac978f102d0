import { p256 } from "@noble/curves/nist.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { base64, concat, utf8 } from "../src/bytes.ts"
import { challengeOf, toBase64url } from "../src/grant/passkey.ts"
import { signatureBase, type Asked, type Statement, type Unsigned } from "../src/grant/request.ts"

/** The name of a passkey's public key, as it is enrolled. */
export function passkeyName(secret: Uint8Array): string {
  return base64(p256.getPublicKey(secret, true))
}

/** A request as the desk signs it on a page of that origin: an assertion with its user present and verified. */
export function signedByPasskey(
  unsigned: Omit<Unsigned, "key">,
  by: { readonly secret: Uint8Array; readonly origin: string },
  of: { readonly vault: string; readonly statement: Statement | null },
): Asked {
  const request = { ...unsigned, key: passkeyName(by.secret) }
  const challenge = toBase64url(challengeOf(signatureBase(request, of.vault, of.statement)))
  const client = utf8(JSON.stringify({ type: "webauthn.get", challenge, origin: by.origin }))
  const party = sha256(utf8(new URL(by.origin).hostname))
  const data = concat(party, new Uint8Array([0x05, 0, 0, 0, 0]))
  return {
    ...request,
    signature: base64(p256.sign(concat(data, sha256(client)), by.secret)),
    device: null,
    passkey: { authenticator_data: toBase64url(data), client_data: toBase64url(client) },
  }
}
