import { createHmac, timingSafeEqual } from "node:crypto"
import { hex, utf8 } from "../bytes.ts"
import { bitsOf, wholeId } from "../ids.ts"
import { sha256 } from "@noble/hashes/sha2.js"

/**
 * Tells canaries from captures, for whoever holds the vault's root key. There is no list: a canary is known by its id alone
 * (decision 0019). Of the 80 bits that stand for chance in an id, 16 are chance and 64 are
 * HMAC-SHA256(key, time ‖ chance), cut. Without the key both are the same 80 bits; a capture that is none is taken for one
 * with a probability of 2⁻⁶⁴.
 */
export interface CanaryKey {
  /** Whether this is a canary's id. About 5 µs. */
  marks(capture: string): boolean
  /** An id of a canary. @param at_ms  when it is sealed. @param chance  16 random bits. */
  idAt(at_ms: number, chance: number): string
  /** SHA-256 that the first entry commits to the key with, lowercase hexadecimal: nobody makes a capture a canary afterwards. */
  readonly commitment: string
}

const tag_bits = 64n
const tag_mask = (1n << tag_bits) - 1n

/** @param key  32 bytes, for this alone. */
export function canaryKey(key: Uint8Array): CanaryKey {
  const tagOf = (stamp: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64BE(stamp)
    return createHmac("sha256", key).update(bytes).digest().subarray(0, 8)
  }
  return {
    marks: capture => {
      const bits = bitsOf(capture, "cap")
      if (bits === null) return false
      const tag = Buffer.alloc(8)
      tag.writeBigUInt64BE(bits & tag_mask)
      return timingSafeEqual(tag, tagOf(bits >> tag_bits))
    },
    idAt: (at_ms, chance) => {
      const stamp = (BigInt(at_ms) << 16n) | BigInt(chance)
      return wholeId("cap", at_ms, (BigInt(chance) << tag_bits) | tagOf(stamp).readBigUInt64BE())
    },
    commitment: hex(sha256(Buffer.concat([utf8("sallyport-canary/v1\n"), key]))),
  }
}
