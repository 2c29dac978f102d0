import { chacha20poly1305 } from "@noble/ciphers/chacha.js"
import { x25519 } from "@noble/curves/ed25519.js"
import { hkdf } from "@noble/hashes/hkdf.js"
import { hmac } from "@noble/hashes/hmac.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { MLKEM768X25519 } from "@noble/post-quantum/hybrid.js"
import { bech32 } from "@scure/base"
import { Decrypter } from "age-encryption"
import { base64, concat, fromBase64, textOf, utf8 } from "../bytes.ts"
import { assert } from "../fault.ts"
import { hpkeBase } from "./hpke.ts"
import { modeOf, type Mode } from "./recipient.ts"

/**
 * The header of an age file, kept apart from its body. Source: c2sp.org/age.
 * Reading is the library's; writing is here, because a header is written anew for a file key that exists already, which
 * the library does not offer (docs/decisions/0002).
 */

const firstLine = "age-encryption.org/v1"
const hybridLabel = "age-encryption.org/mlkem768x25519"
const x25519Label = "age-encryption.org/v1/X25519"
const maxHeader_bytes = 16_384
/** One stanza of one of the two modes, its body of 32 bytes, and the MAC; base64 without padding, as age writes it. */
const shapes: readonly (readonly [Mode, RegExp])[] = [
  [
    "hybrid",
    /^age-encryption\.org\/v1\n-> mlkem768x25519 ([A-Za-z0-9+/]{1494})\n([A-Za-z0-9+/]{43})\n--- ([A-Za-z0-9+/]{43})\n$/,
  ],
  [
    "x25519",
    /^age-encryption\.org\/v1\n-> X25519 ([A-Za-z0-9+/]{43})\n([A-Za-z0-9+/]{43})\n--- ([A-Za-z0-9+/]{43})\n$/,
  ],
]

/**
 * A whole header with one stanza that wraps `fileKey` for `recipient`.
 * @param fileKey  16 bytes.
 * @throws Error for a recipient that is malformed. Costs about 4 ms in hybrid mode.
 */
export async function wrapFileKey(fileKey: Uint8Array, recipient: string): Promise<Uint8Array> {
  assert(fileKey.length === 16, "a file key has 16 bytes")
  const mode = modeOf(recipient)
  assert(mode !== null, "a recipient is one of the two modes")
  const stanza = mode === "hybrid" ? hybridStanza(fileKey, recipient) : x25519Stanza(fileKey, recipient)
  const unsigned = `${firstLine}\n${stanza}---`
  const mac = hmac(sha256, hkdf(sha256, fileKey, undefined, utf8("header"), 32), utf8(unsigned))
  return Promise.resolve(utf8(`${unsigned} ${unpadded(mac)}\n`))
}

/**
 * The file key of a header, or `null` where the identity does not open it or its MAC does not hold.
 * Costs about 8 ms in hybrid mode, 2 ms in the other; paid once per header.
 */
export async function unwrapHeader(header: Uint8Array, identity: string): Promise<Uint8Array | null> {
  if (parseHeader(header) === null) return null
  const decrypter = new Decrypter()
  decrypter.addIdentity(identity)
  // The library throws for what does not open; that is our answer, not an error.
  return decrypter.decryptHeader(header).catch(() => null)
}

/** The mode of a header, or `null` unless it has exactly one stanza, of one of the two modes, in canonical form. */
export function parseHeader(header: Uint8Array): { readonly mode: Mode } | null {
  const text = header.length > maxHeader_bytes ? null : textOf(header)
  for (const [mode, shape] of shapes) {
    const match = text === null ? null : shape.exec(text)
    if (match?.slice(1).every(encoded => isCanonical(encoded)) === true) return { mode }
  }
  return null
}

/** Header and body of an age file, or `null` where no header of at most 16 KiB ends with its MAC line. */
export function splitAgeFile(
  file: Uint8Array,
): { readonly header: Uint8Array; readonly body: Uint8Array } | null {
  const start = new TextDecoder("latin1").decode(file.subarray(0, maxHeader_bytes))
  const mark = start.indexOf("\n--- ")
  const end = mark < 0 ? -1 : start.indexOf("\n", mark + 1)
  if (end < 0 || !start.startsWith(`${firstLine}\n`)) return null
  return { header: file.subarray(0, end + 1), body: file.subarray(end + 1) }
}

/** An age file, as the `age` command opens it. */
export function joinAgeFile(header: Uint8Array, body: Uint8Array): Uint8Array {
  return concat(header, body)
}

/** Source: c2sp.org/age, "The mlkem768x25519 recipient type"; RFC 9180 base mode with the label as info. */
function hybridStanza(fileKey: Uint8Array, recipient: string): string {
  const publicKey = decodeRecipient(recipient, "age1pq", 1216)
  const { cipherText, sharedSecret } = MLKEM768X25519.encapsulate(publicKey)
  const { key, nonce } = hpkeBase(sharedSecret, utf8(hybridLabel))
  return `-> mlkem768x25519 ${unpadded(cipherText)}\n${unpadded(chacha20poly1305(key, nonce).encrypt(fileKey))}\n`
}

/** Source: c2sp.org/age, "The X25519 recipient type". */
function x25519Stanza(fileKey: Uint8Array, recipient: string): string {
  const publicKey = decodeRecipient(recipient, "age", 32)
  const secret = x25519.utils.randomSecretKey()
  const share = x25519.getPublicKey(secret)
  const salt = concat(share, publicKey)
  const key = hkdf(sha256, x25519.getSharedSecret(secret, publicKey), salt, utf8(x25519Label), 32)
  return `-> X25519 ${unpadded(share)}\n${unpadded(chacha20poly1305(key, new Uint8Array(12)).encrypt(fileKey))}\n`
}

function decodeRecipient(recipient: string, prefix: string, size: number): Uint8Array {
  const decoded = bech32.decode(recipient as `${string}1${string}`, false)
  const key = bech32.fromWords(decoded.words)
  assert(decoded.prefix === prefix && key.length === size, "a recipient decodes to its key")
  return key
}

function unpadded(bytes: Uint8Array): string {
  return base64(bytes).replace(/=+$/, "")
}

function isCanonical(encoded: string): boolean {
  return fromBase64(encoded.padEnd(Math.ceil(encoded.length / 4) * 4, "=")) !== null
}
