import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from "node:crypto"
import { equal } from "./bytes.ts"

/** The check that pure rooms are given as an argument: RFC 8032 Ed25519, as OpenSSL judges it (no ZIP-215). */
export type VerifyEd25519 = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean

const spkiPrefix = Uint8Array.from(Buffer.from("302a300506032b6570032100", "hex"))
const pkcs8Prefix = Uint8Array.from(Buffer.from("302e020100300506032b657004220420", "hex"))
const known = new Map<string, KeyObject>()

/** A private key that signs. The 32 secret bytes stay inside. */
export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** 64 bytes; the same message always gets the same signature (RFC 8032 §5.1.6). */
  sign(message: Uint8Array): Uint8Array
}

/** The signer of a 32-byte seed (RFC 8032 private key). */
export function signerOf(seed: Uint8Array): Signer {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: "der", type: "pkcs8" })
  const publicKey = rawPublicKey(createPublicKey(key))
  return { publicKey, sign: message => new Uint8Array(sign(null, message, key)) }
}

/** A new seed from the operating system's randomness. */
export function newSeed(): Uint8Array {
  const { privateKey } = generateKeyPairSync("ed25519")
  return new Uint8Array(privateKey.export({ format: "der", type: "pkcs8" }).subarray(pkcs8Prefix.length))
}

/** Whether `signature` is `publicKey`'s over `message`. Keys and signatures of a wrong length are simply not valid. */
export const verifyEd25519: VerifyEd25519 = (publicKey, message, signature) => {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  try {
    return verify(null, message, keyObject(publicKey), signature)
  } catch {
    return false
  }
}

function keyObject(publicKey: Uint8Array): KeyObject {
  const name = Buffer.from(publicKey).toString("base64")
  const held = known.get(name)
  if (held !== undefined) return held
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: "der", type: "spki" })
  if (known.size >= 4096) known.clear()
  known.set(name, key)
  return key
}

function rawPublicKey(key: KeyObject): Uint8Array {
  const der = new Uint8Array(key.export({ format: "der", type: "spki" }))
  if (!equal(der.subarray(0, spkiPrefix.length), spkiPrefix))
    throw new Error("assertion: OpenSSL's SPKI prefix")
  return der.slice(spkiPrefix.length)
}
