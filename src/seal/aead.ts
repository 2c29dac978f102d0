/** ChaCha20-Poly1305, given by the caller: the room itself touches no platform. */
export interface Aead {
  /** @returns ciphertext and 16-byte tag. */
  seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): Uint8Array
  /** @returns the plaintext, or `null` where the tag does not hold. */
  open(key: Uint8Array, nonce: Uint8Array, ciphertext: Uint8Array): Uint8Array | null
}
