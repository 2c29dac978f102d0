import { expand, extract } from "@noble/hashes/hkdf.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { concat, utf8 } from "../bytes.ts"

/** Suite: KEM MLKEM768-X25519 (0x647a), KDF HKDF-SHA256 (1), AEAD ChaCha20-Poly1305 (3). */
const suite = concat(utf8("HPKE"), Uint8Array.of(0x64, 0x7a, 0, 1, 0, 3))

/**
 * Key and nonce of the first message of HPKE's base mode, without associated data.
 * @param shared  the KEM's shared secret, 32 bytes.
 * Source: RFC 9180 §5.1 (KeySchedule) and §4 (LabeledExtract, LabeledExpand).
 */
export function hpkeBase(
  shared: Uint8Array,
  info: Uint8Array,
): { readonly key: Uint8Array; readonly nonce: Uint8Array } {
  const none = new Uint8Array()
  const context = concat(
    Uint8Array.of(0),
    labeledExtract(none, "psk_id_hash", none),
    labeledExtract(none, "info_hash", info),
  )
  const secret = labeledExtract(shared, "secret", none)
  return {
    key: labeledExpand(secret, "key", { context, size: 32 }),
    nonce: labeledExpand(secret, "base_nonce", { context, size: 12 }),
  }
}

function labeledExtract(salt: Uint8Array, label: string, input: Uint8Array): Uint8Array {
  return extract(sha256, concat(utf8("HPKE-v1"), suite, utf8(label), input), salt)
}

function labeledExpand(
  secret: Uint8Array,
  label: string,
  of: { readonly context: Uint8Array; readonly size: number },
): Uint8Array {
  const size = Uint8Array.of(of.size >> 8, of.size & 255)
  return expand(sha256, secret, concat(size, utf8("HPKE-v1"), suite, utf8(label), of.context), of.size)
}
