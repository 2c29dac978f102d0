import { hkdf } from "@noble/hashes/hkdf.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { utf8 } from "../bytes.ts"
import { assert } from "../fault.ts"
import type { Aead } from "./aead.ts"

/** The body of an age file: a nonce, then the STREAM of chunks. Source: c2sp.org/age, "Payload". */

const chunk_bytes = 65_536
const tag_bytes = 16
const nonce_bytes = 16

/**
 * Seals a whole plaintext.
 * @param fileKey  16 bytes.
 * @param options  `nonce`: 16 random bytes, never used before with this file key.
 * @returns nonce and chunks; 16 bytes, and 16 more for each chunk of 64 KiB, longer than the plaintext.
 */
export function sealBody(
  fileKey: Uint8Array,
  plaintext: Uint8Array,
  options: { readonly aead: Aead; readonly nonce: Uint8Array },
): Uint8Array {
  const { aead, nonce } = options
  assert(fileKey.length === 16 && nonce.length === nonce_bytes, "file key and nonce have 16 bytes")
  const key = payloadKey(fileKey, nonce)
  const chunks = Math.max(1, Math.ceil(plaintext.length / chunk_bytes))
  const body = new Uint8Array(nonce_bytes + plaintext.length + chunks * tag_bytes)
  body.set(nonce)
  for (let i = 0; i < chunks; i += 1) {
    const chunk = plaintext.subarray(i * chunk_bytes, (i + 1) * chunk_bytes)
    body.set(
      aead.seal(key, chunkNonce(i, i === chunks - 1), chunk),
      nonce_bytes + i * (chunk_bytes + tag_bytes),
    )
  }
  return body
}

/**
 * Opens a whole body.
 * @returns the plaintext, or `null` for a body that was changed, cut, lengthened, or has an empty last chunk after others.
 */
export function openBody(fileKey: Uint8Array, body: Uint8Array, aead: Aead): Uint8Array | null {
  assert(fileKey.length === 16, "a file key has 16 bytes")
  const sealed = body.length - nonce_bytes
  const chunks = Math.max(1, Math.ceil(sealed / (chunk_bytes + tag_bytes)))
  const size = sealed - chunks * tag_bytes
  if (size < 0 || (chunks > 1 && size <= (chunks - 1) * chunk_bytes)) return null
  const key = payloadKey(fileKey, body.subarray(0, nonce_bytes))
  const plaintext = new Uint8Array(size)
  for (let i = 0; i < chunks; i += 1) {
    const from = nonce_bytes + i * (chunk_bytes + tag_bytes)
    const chunk = aead.open(
      key,
      chunkNonce(i, i === chunks - 1),
      body.subarray(from, from + chunk_bytes + tag_bytes),
    )
    if (chunk === null) return null
    plaintext.set(chunk, i * chunk_bytes)
  }
  return plaintext
}

function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Uint8Array {
  return hkdf(sha256, fileKey, nonce, utf8("payload"), 32)
}

/** An 11-byte big-endian counter and a byte that says whether the chunk is the last. */
function chunkNonce(counter: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setUint32(7, counter)
  nonce[11] = isLast ? 1 : 0
  return nonce
}
