import { createCipheriv, createDecipheriv } from "node:crypto"
import type { Aead } from "./seal/aead.ts"

const tag_bytes = 16

/** ChaCha20-Poly1305 (RFC 8439) by OpenSSL, the tag after the ciphertext. */
export const chacha20: Aead = {
  seal(key, nonce, plaintext) {
    const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: tag_bytes })
    const body = cipher.update(plaintext)
    cipher.final()
    return Buffer.concat([body, cipher.getAuthTag()])
  },
  open(key, nonce, ciphertext) {
    if (ciphertext.length < tag_bytes) return null
    const decipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: tag_bytes })
    decipher.setAuthTag(ciphertext.subarray(-tag_bytes))
    const body = decipher.update(ciphertext.subarray(0, -tag_bytes))
    try {
      decipher.final()
      return body
    } catch {
      return null
    }
  },
}
