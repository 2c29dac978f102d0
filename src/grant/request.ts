import { sha256 } from "@noble/hashes/sha2.js"
import { base64, concat, fromBase64, utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { assert } from "../fault.ts"
import { isAsserted, isP256, type Assertion } from "./passkey.ts"

/** A signed request as an entry keeps it: enough to check the signature again, years later, from the log alone. */
export interface Asked {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  /** The absolute path, as sent. */
  readonly path: string
  /** With its question mark; `?` alone when there is none (RFC 9421 §2.2.7). */
  readonly query: string
  /** Unix seconds. */
  readonly created: number
  /** 16 to 64 characters of base64url. */
  readonly nonce: string
  /** Base64 SHA-256 of the body's bytes, or `null` for a request without a body. */
  readonly content_sha256: string | null
  /** Base64 of the public key: 32 bytes Ed25519, or 33 bytes of a compressed P-256 point (a passkey, a session's key). */
  readonly key: string
  /** Base64, 64 bytes. */
  readonly signature: string
  /** The second signature, of the device that the request came from; base64 key and signature, or `null` without one. */
  readonly device: { readonly key: string; readonly signature: string } | null
  /** What a passkey signed around the request; `null` for any other key. */
  readonly passkey: Assertion | null
}

/** A request before anybody signed it. */
export type Unsigned = Omit<Asked, "signature" | "device" | "passkey">

export type Statement = Readonly<Record<string, unknown>>

/** The salted value behind a commitment in a statement. */
export interface Opening {
  /** Base64, 32 bytes. */
  readonly salt: string
  readonly value: string
}

type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean

/** Base64 of the SHA-256 of a statement's canonical JSON. A statement is a request's body without its `openings`. */
export function statementDigest(statement: Statement): string {
  return base64(sha256(utf8(canonical(statement))))
}

/**
 * A salted commitment: base64 SHA-256 over the field's name, the salt and the value, so that an entry can speak of a
 * name or a reason without holding it.
 * @param salt  32 random bytes.
 */
export function commitment(field: string, salt: Uint8Array, value: string): string {
  assert(salt.length === 32, "a salt has 32 bytes")
  return base64(
    sha256(Uint8Array.from([...utf8(`sallyport-commitment/v1\n${field}\n`), ...salt, ...utf8(value)])),
  )
}

/**
 * Whether the openings are exactly those that the statement commits to: each `NAME_commitment` that is not null has its
 * `NAME` opened, and nothing else is.
 */
export function opens(statement: Statement, openings: Readonly<Record<string, Opening>>): boolean {
  const fields = Object.entries(statement).filter(
    ([name, value]) => name.endsWith("_commitment") && value !== null,
  )
  if (fields.length !== Object.keys(openings).length) return false
  return fields.every(([name, value]) => {
    const field = name.slice(0, -"_commitment".length)
    const opening = Object.hasOwn(openings, field) ? openings[field] : undefined
    const salt = opening === undefined ? null : fromBase64(opening.salt)
    return opening !== undefined && salt?.length === 32 && commitment(field, salt, opening.value) === value
  })
}

/**
 * The names and order of what a signature covers. With a body also its digest and that of its statement: the entry keeps
 * the statement, not the body, since the openings beside it may be destroyed.
 */
export function coveredComponents(hasBody: boolean): readonly string[] {
  const always = ["@method", "@path", "@query", "sallyport-vault"]
  return hasBody ? [...always, "content-digest", "sallyport-statement"] : always
}

/**
 * The value of `Signature-Input`'s member (RFC 9421 §2.3), which is also the last line of what is signed.
 * @param keyBase64  the public key: a key is its own id.
 */
export function signatureParameters(asked: Unsigned): string {
  const covered = coveredComponents(asked.content_sha256 !== null)
    .map(name => `"${name}"`)
    .join(" ")
  const alg = asked.key.endsWith("=") ? "ed25519" : "ecdsa-p256-sha256"
  return `(${covered});created=${asked.created};nonce="${asked.nonce}";keyid="${asked.key}";alg="${alg}";tag="sallyport"`
}

/**
 * The signature base of RFC 9421 §2.5 for the one profile that Sallyport takes.
 * @param vault  the origin of the vault's log: a request for one vault is none for another.
 */
export function signatureBase(asked: Unsigned, vault: string, statement: Statement | null): Uint8Array {
  const lines = [
    `"@method": ${asked.method}`,
    `"@path": ${asked.path}`,
    `"@query": ${asked.query}`,
    `"sallyport-vault": ${vault}`,
  ]
  if (asked.content_sha256 !== null) {
    assert(statement !== null, "a request with a body has a statement")
    lines.push(`"content-digest": sha-256=:${asked.content_sha256}:`)
    lines.push(`"sallyport-statement": ${statementDigest(statement)}`)
  }
  return utf8([...lines, `"@signature-params": ${signatureParameters(asked)}`].join("\n"))
}

/** Whether the signature of a request holds for this vault and this statement, under the key that it names. */
export function isSigned(
  asked: Asked,
  vault: string,
  context: { readonly statement: Statement | null; readonly verify: Verify },
): boolean {
  const key = fromBase64(asked.key)
  const signature = fromBase64(asked.signature)
  if (key === null || signature === null) return false
  if ((asked.content_sha256 === null) !== (context.statement === null)) return false
  const message = signatureBase(asked, vault, context.statement)
  if (asked.device !== null && !isDeviceSigned(asked.device, message, context.verify)) return false
  if (asked.passkey !== null) return isAsserted(asked.passkey, { key, message, signature })
  return key.length === 33 ? isP256(key, message, signature) : context.verify(key, message, signature)
}

/**
 * Whether a person's request has the form that his key asks for: an enrolled P-256 key is a passkey's, and counts only with
 * the assertion that its owner was there. A browser's session signs without one, and only reads.
 */
export function hasItsAssertion({ key, passkey }: Pick<Asked, "key" | "passkey">): boolean {
  return key.endsWith("=") === (passkey === null)
}

/** What a device signs: the person's signature base, so both sign one request, under a name of its own. */
export function deviceMessage(message: Uint8Array): Uint8Array {
  return concat(utf8("sallyport-device/v1\n"), message)
}

function isDeviceSigned(
  { key, signature }: NonNullable<Asked["device"]>,
  message: Uint8Array,
  verify: Verify,
): boolean {
  const [keyBytes, signatureBytes] = [fromBase64(key), fromBase64(signature)]
  if (keyBytes === null || signatureBytes === null) return false
  return verify(keyBytes, deviceMessage(message), signatureBytes)
}
