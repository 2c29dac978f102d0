import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto"
import { base64, fromBase64, utf8 } from "../bytes.ts"
import { signerOf, type Signer } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import type { IdentityRow, Ledger } from "../ledger/ledger.ts"
import { chacha20 } from "../chacha20.ts"
import { markKeysOf, type MarkKeys } from "../mark/keys.ts"
import { joinAgeFile, wrapFileKey } from "../seal/header.ts"
import { sealBody } from "../seal/body.ts"
import { newIdentity, type Mode } from "../seal/recipient.ts"
import { canaryKey, type CanaryKey } from "./canaries.ts"

/** The vault's root key and what it wraps. In a later version it lives in a process of its own. */
export interface RootKey {
  /** AES-256-GCM: nonce (12 bytes), ciphertext, tag (16 bytes); `name` is bound to it. */
  wrap(name: string, identity: string): Uint8Array
  /** @throws Fault SEAL_KEY for bytes that this root key did not wrap under this name. */
  unwrap(name: string, wrapped: Uint8Array): string
  /** 16 bytes, equal for equal texts under one name, and nothing to whoever has not this key (HMAC-SHA256, cut). */
  digest(name: string, text: string): Uint8Array
  /** What copies of one image carry for one holder. @param image  SHA-256 of the sealed body, lowercase hexadecimal. */
  markKeys(image: string, holder: string): MarkKeys
  /** Signs what one destination is sent; another key for each. */
  webhookSigner(destination: string): Signer
  /** What tells canaries from captures. */
  readonly canaries: CanaryKey
}

/** @param key  32 random bytes. */
export function rootKey(key: Uint8Array): RootKey {
  const digestKey = new Uint8Array(hkdfSync("sha256", key, "", "sallyport-digest/v1", 32))
  const markKey = new Uint8Array(hkdfSync("sha256", key, "", "sallyport-mark/v1", 32))
  const markMac = (text: string) =>
    new Uint8Array(createHmac("sha256", markKey).update(text, "utf8").digest())
  return {
    canaries: canaryKey(new Uint8Array(hkdfSync("sha256", key, "", "sallyport-canary/v1", 32))),
    markKeys: (image, holder) => markKeysOf(markMac, image, holder),
    webhookSigner: destination =>
      signerOf(new Uint8Array(hkdfSync("sha256", key, "", `sallyport-webhook/v1/${destination}`, 32))),
    digest: (name, text) =>
      createHmac("sha256", digestKey).update(`${name}\0${text}`, "utf8").digest().subarray(0, 16),
    wrap: (name, identity) => sealed(key, name, utf8(identity)),
    unwrap: (name, wrapped) => Buffer.from(opened(key, name, wrapped)).toString("utf8"),
  }
}

/** A personal text as the ledger keeps it: only the vault's root key opens it. */
export function sealText(root: RootKey, field: string, text: string): string {
  return base64(root.wrap(`opening/${field}`, text))
}

/** The text again, or `null` for what this root key did not seal for this field. */
export function openText(root: RootKey, field: string, sealed: string): string | null {
  const bytes = fromBase64(sealed)
  try {
    return bytes === null ? null : root.unwrap(`opening/${field}`, bytes)
  } catch {
    return null
  }
}

/** Seals and opens what is kept beside a capture; `what` it is, and of which capture, is bound to it. */
export interface BesideKey {
  seal(captureId: string, what: "texts" | "sketch", bytes: Uint8Array): Uint8Array
  /** @throws Fault SEAL_KEY */
  open(captureId: string, what: "texts" | "sketch", bytes: Uint8Array): Uint8Array
}

/**
 * The key of what is kept beside captures, sealed to the key that opens them: who destroys that identity destroys it too.
 * @param identity  an age identity string, of an epoch.
 */
export function besideKey(identity: string): BesideKey {
  const key = new Uint8Array(hkdfSync("sha256", identity, "", "sallyport-beside/v1", 32))
  const nameOf = (captureId: string, what: string) => `${what}/${captureId}`
  return {
    seal: (captureId, what, bytes) => sealed(key, nameOf(captureId, what), bytes),
    open: (captureId, what, bytes) => opened(key, nameOf(captureId, what), bytes),
  }
}

/** AES-256-GCM: nonce (12 bytes), ciphertext, tag (16 bytes). */
function sealed(key: Uint8Array, name: string, bytes: Uint8Array): Uint8Array {
  const nonce = randomBytes(12)
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(utf8(name))
  return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
}

/** What `sealed` sealed under this key and name. @throws Fault SEAL_KEY for anything else. */
function opened(key: Uint8Array, name: string, bytes: Uint8Array): Uint8Array {
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12)).setAAD(utf8(name))
    decipher.setAuthTag(bytes.subarray(-16))
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()])
  } catch (cause) {
    throw new Fault("SEAL_KEY", `the key ${name} was not wrapped by this vault`, { cause })
  }
}

export interface KeyMaker {
  readonly ledger: Ledger
  readonly root: RootKey
  readonly mode: Mode
  /** The agency's offline escrow recipient, an age recipient string. */
  readonly escrowRecipient: string
}

/** The key of a day, to which the lanes seal. It has no escrow: it lives for days, until its captures are examined. */
export async function dayKey(maker: KeyMaker, date: string): Promise<IdentityRow> {
  return keyNamed(maker, `day/${date}`, async () => null)
}

/** The key of a retention class and month, to which examination seals anew; also sealed to escrow. */
export async function epochKey(maker: KeyMaker, retention: string, month: string): Promise<IdentityRow> {
  return keyNamed(maker, `epoch/${retention}/${month}`, identity =>
    sealToEscrow(identity, maker.escrowRecipient),
  )
}

async function keyNamed(
  { ledger, root, mode }: KeyMaker,
  name: string,
  escrowOf: (identity: string) => Promise<Uint8Array | null>,
): Promise<IdentityRow> {
  const held = await ledger.identity(name)
  if (held !== null) return held
  const { identity, recipient } = await newIdentity(mode)
  await ledger.addIdentity({
    name,
    recipient,
    wrapped: root.wrap(name, identity),
    escrow: await escrowOf(identity),
  })
  const stored = await ledger.identity(name)
  if (stored === null) throw new Fault("INTERNAL", `the key ${name} was not stored`)
  return stored
}

/** An age file to the escrow recipient that holds the identity as a line of text, as `age -i` reads it. */
async function sealToEscrow(identity: string, recipient: string): Promise<Uint8Array> {
  const fileKey = randomBytes(16)
  const header = await wrapFileKey(fileKey, recipient)
  return joinAgeFile(
    header,
    sealBody(fileKey, utf8(`${identity}\n`), { aead: chacha20, nonce: randomBytes(16) }),
  )
}
