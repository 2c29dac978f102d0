import { p256 } from "@noble/curves/nist.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { base64, concat, equal, fromBase64, textOf } from "../bytes.ts"

/** What an authenticator answered (W3C WebAuthn Level 3, §5.2.2), beside its signature. Both base64url, unpadded. */
export interface Assertion {
  readonly authenticator_data: string
  readonly client_data: string
}

const userPresent = 0x01
const userVerified = 0x04
/** SHA-256 of the relying party's id, a byte of flags, a counter of 4 bytes. */
const leastAuthenticatorData = 37

/** Bytes of unpadded base64url, or `null` for anything else. */
export function fromBase64url(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null
  const standard = text.replaceAll("-", "+").replaceAll("_", "/")
  return fromBase64(standard.padEnd(Math.ceil(text.length / 4) * 4, "="))
}

export function toBase64url(bytes: Uint8Array): string {
  return base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")
}

/** What the browser is given to sign for these bytes: their SHA-256. */
export function challengeOf(message: Uint8Array): Uint8Array {
  return sha256(message)
}

/**
 * Whether a passkey signed this message, with its user present and verified. The origin of the page is the door's to
 * judge (`http/passkeys.ts`): it is a matter of the server's configuration, which the log does not hold.
 * @param key  33 bytes, a compressed P-256 point.
 * @param signature  64 bytes, r ‖ s.
 */
export function isAsserted(
  { authenticator_data, client_data }: Assertion,
  of: { readonly key: Uint8Array; readonly message: Uint8Array; readonly signature: Uint8Array },
): boolean {
  const data = fromBase64url(authenticator_data)
  const client = fromBase64url(client_data)
  const said = client === null ? null : clientDataOf(client)
  if (data === null || client === null || said === null || data.length < leastAuthenticatorData) return false
  const flags = data[32] ?? 0
  const isPerson = (flags & userPresent) !== 0 && (flags & userVerified) !== 0
  const challenge = fromBase64url(said.challenge)
  const isThis = challenge !== null && equal(challenge, challengeOf(of.message))
  if (!isPerson || !isThis || said.type !== "webauthn.get" || said.crossOrigin) return false
  return isP256(of.key, concat(data, sha256(client)), of.signature)
}

/** ECDSA on P-256 with SHA-256; a malformed key or signature is simply not valid. */
export function isP256(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.length !== 33 || signature.length !== 64) return false
  try {
    return p256.verify(signature, message, key, { lowS: false })
  } catch {
    return false
  }
}

export interface ClientData {
  readonly type: string
  readonly challenge: string
  readonly origin: string
  readonly crossOrigin: boolean
}

/** The browser's words, or `null` for bytes that are none. */
export function clientDataOf(bytes: Uint8Array): ClientData | null {
  try {
    const { type, challenge, origin, crossOrigin } = JSON.parse(textOf(bytes) ?? "") as Record<
      string,
      unknown
    >
    if (typeof type !== "string" || typeof challenge !== "string" || typeof origin !== "string") return null
    return { type, challenge, origin, crossOrigin: crossOrigin === true }
  } catch {
    return null
  }
}
