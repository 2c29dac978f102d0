import { sha256 } from "@noble/hashes/sha2.js"
import { base64, concat, fromBase64, textOf, utf8 } from "../bytes.ts"
import { assert } from "../fault.ts"
import type { VerifyEd25519 } from "../ed25519.ts"

/** Signed notes. Source: c2sp.org/signed-note. */

export interface NoteSigner {
  readonly name: string
  readonly keyId: number
  sign(message: Uint8Array): Uint8Array
}

export interface NoteVerifier {
  readonly name: string
  readonly keyId: number
  /** @param message  the note's text with its final line feed. */
  verify(message: Uint8Array, signature: Uint8Array): boolean
  /** Unix seconds that a cosignature states; `null` for a plain signature. */
  timeOf(signature: Uint8Array): number | null
}

export interface Vkey {
  readonly name: string
  readonly keyId: number
  readonly type: number
  readonly publicKey: Uint8Array
}

export interface NoteSignature {
  readonly name: string
  readonly keyId: number
  readonly time_s: number | null
}

export type OpenedNote =
  | {
      readonly kind: "ok"
      /** With its final line feed. */
      readonly text: string
      /** At least one. */
      readonly verified: readonly NoteSignature[]
      /** Signatures of keys that nobody asked for. */
      readonly unknown: readonly Omit<NoteSignature, "time_s">[]
    }
  | { readonly kind: "refuse"; readonly reason: "malformed" | "duplicate" | "signature" | "unsigned" }

const typeEd25519 = 1
const typeCosignature = 4
const maxSignatures = 100
const maxNote_bytes = 1_000_000
const dash = "\u2014"

/** First four bytes of SHA-256(name || LF || type || key), as a number. */
function keyIdOf(name: string, type: number, publicKey: Uint8Array): number {
  return readId(sha256(concat(utf8(`${name}\n`), Uint8Array.of(type), publicKey)))
}

/** A signer of type 01, Ed25519. */
export function noteSigner(
  name: string,
  publicKey: Uint8Array,
  sign: (message: Uint8Array) => Uint8Array,
): NoteSigner {
  assert(isName(name), "a signer's name has no space and no +")
  return { name, keyId: keyIdOf(name, typeEd25519, publicKey), sign }
}

/**
 * A signer of type 04, cosignature/v1: 8 bytes of time, then Ed25519 over the time and the note's text.
 * @param now_s  Unix seconds, over 0. Source: c2sp.org/tlog-cosignature.
 */
export function cosigner(
  name: string,
  publicKey: Uint8Array,
  options: { readonly sign: (message: Uint8Array) => Uint8Array; readonly now_s: () => number },
): NoteSigner {
  assert(isName(name), "a witness's name has no space and no +")
  return {
    name,
    keyId: keyIdOf(name, typeCosignature, publicKey),
    sign: message => {
      const time_s = options.now_s()
      assert(Number.isSafeInteger(time_s) && time_s > 0, "a cosignature says when")
      return concat(writeTime(time_s), options.sign(cosigned(time_s, message)))
    },
  }
}

/** `name+KEYID+base64(type || key)`, for the Ed25519 key of a log or, with cosignature/v1, of a witness. */
export function formatVkey(name: string, publicKey: Uint8Array, of: "log" | "witness" = "log"): string {
  const type = of === "log" ? typeEd25519 : typeCosignature
  const id = keyIdOf(name, type, publicKey).toString(16).padStart(8, "0")
  return `${name}+${id}+${base64(concat(Uint8Array.of(type), publicKey))}`
}

/** The parts of a verification key, or `null` unless its id is that of its name and key. The key may contain `+`. */
export function parseVkey(vkey: string): Vkey | null {
  const [name = "", id = "", ...rest] = vkey.split("+")
  const bytes = fromBase64(rest.join("+"))
  if (!isName(name) || !/^[0-9a-f]{8}$/.test(id) || bytes === null || bytes.length < 2) return null
  const [type = 0] = bytes
  const publicKey = bytes.slice(1)
  const keyId = Number.parseInt(id, 16)
  return keyIdOf(name, type, publicKey) === keyId ? { name, keyId, type, publicKey } : null
}

/** The verifier of a key of type 01 (Ed25519) or 04 (cosignature/v1), or `null` for anything else. */
export function noteVerifier(vkey: string, verifyEd25519: VerifyEd25519): NoteVerifier | null {
  const key = parseVkey(vkey)
  if (key === null || key.publicKey.length !== 32) return null
  const { name, keyId, type, publicKey } = key
  if (type === typeEd25519) {
    return {
      name,
      keyId,
      verify: (message, signature) => verifyEd25519(publicKey, message, signature),
      timeOf: () => null,
    }
  }
  if (type !== typeCosignature) return null
  return {
    name,
    keyId,
    timeOf: timeOfCosignature,
    verify: (message, signature) => {
      const time_s = timeOfCosignature(signature)
      if (time_s === null || time_s === 0) return false
      return verifyEd25519(publicKey, cosigned(time_s, message), signature.subarray(8))
    },
  }
}

/** The note with a signature line of each signer. @param text  ends with a line feed. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  return `${text}\n${signatureLines(text, signers)}`
}

/** The signature lines alone, as a witness answers them. @param text  ends with a line feed. */
export function signatureLines(text: string, signers: readonly NoteSigner[]): string {
  assert(text.endsWith("\n") && isPlain(text), "a note's text is lines")
  const message = utf8(text)
  return signers
    .map(({ name, keyId, sign }) => {
      return `${dash} ${name} ${base64(concat(writeId(keyId), sign(message)))}\n`
    })
    .join("")
}

/** A note taken apart, with nothing verified. */
export interface ParsedNote {
  /** With its final line feed. */
  readonly text: string
  readonly signatures: readonly {
    readonly name: string
    readonly keyId: number
    readonly signature: Uint8Array
    /** The line itself, with its line feed. */
    readonly line: string
  }[]
}

/** The parts of a note, or `null`: over 100 signature lines, over 1 MB, control characters and bad base64 are refused. */
export function parseNote(note: string | Uint8Array): ParsedNote | null {
  const whole = typeof note === "string" ? note : textOf(note)
  const at = whole?.lastIndexOf("\n\n") ?? -1
  if (whole === null || whole.length > maxNote_bytes || at < 0 || !whole.endsWith("\n") || !isPlain(whole))
    return null
  const signatures = parseSignatureLines(whole.slice(at + 2))
  return signatures === null ? null : { text: whole.slice(0, at + 1), signatures }
}

/** Signature lines, 1 to 100 of them, each ending with a line feed; `null` for anything else. */
export function parseSignatureLines(text: string): ParsedNote["signatures"] | null {
  if (!text.endsWith("\n")) return null
  const lines = text.slice(0, -1).split("\n")
  if (lines.length > maxSignatures) return null
  const signatures = lines.map(parseSignature)
  return signatures.every(signature => signature !== null) ? signatures : null
}

/**
 * Takes a note apart and checks the signatures of the keys that are asked for. One that fails refuses the whole note.
 * Two signatures of one (name, key id) are refused; so is what `parseNote` refuses.
 */
export function openNote(note: string | Uint8Array, verifiers: readonly NoteVerifier[]): OpenedNote {
  const parsed = parseNote(note)
  if (parsed === null) return { kind: "refuse", reason: "malformed" }
  const message = utf8(parsed.text)
  const [verified, unknown, seen] = [
    [] as NoteSignature[],
    [] as Omit<NoteSignature, "time_s">[],
    new Set<string>(),
  ]
  for (const { name, keyId, signature } of parsed.signatures) {
    if (seen.has(`${keyId} ${name}`)) return { kind: "refuse", reason: "duplicate" }
    seen.add(`${keyId} ${name}`)
    const verifier = verifiers.find(each => each.name === name && each.keyId === keyId)
    if (verifier === undefined) unknown.push({ name, keyId })
    else if (!verifier.verify(message, signature)) return { kind: "refuse", reason: "signature" }
    else verified.push({ name, keyId, time_s: verifier.timeOf(signature) })
  }
  return verified.length === 0
    ? { kind: "refuse", reason: "unsigned" }
    : { kind: "ok", text: parsed.text, verified, unknown }
}

function parseSignature(line: string): ParsedNote["signatures"][number] | null {
  const [mark, name = "", encoded = "", ...rest] = line.split(" ")
  const bytes = fromBase64(encoded)
  if (mark !== dash || rest.length > 0 || !isName(name) || bytes === null || bytes.length < 5) return null
  return { name, keyId: readId(bytes), signature: bytes.subarray(4), line: `${line}\n` }
}

/** What a witness's Ed25519 key signs. */
function cosigned(time_s: number, message: Uint8Array): Uint8Array {
  return concat(utf8(`cosignature/v1\ntime ${time_s}\n`), message)
}

function writeTime(time_s: number): Uint8Array {
  return concat(writeId(Math.floor(time_s / 2 ** 32)), writeId(time_s % 2 ** 32))
}

/** uint64 seconds before the signature; `null` unless it is 72 bytes with a time that a number holds. */
function timeOfCosignature(signature: Uint8Array): number | null {
  if (signature.length !== 72) return null
  const time_s = signature.subarray(0, 8).reduce((time, byte) => time * 256 + byte, 0)
  return Number.isSafeInteger(time_s) ? time_s : null
}

function isName(name: string): boolean {
  return name !== "" && !/[\s+\p{Z}]/u.test(name) && isPlain(name)
}

/** No control character but the line feed, and nothing that UTF-8 cannot hold. */
function isPlain(text: string): boolean {
  return !/[\u0000-\u0009\u000b-\u001f]/.test(text) && !/\p{Cs}/u.test(text)
}

function readId(bytes: Uint8Array): number {
  return bytes.subarray(0, 4).reduce((id, byte) => id * 256 + byte, 0)
}

function writeId(id: number): Uint8Array {
  return Uint8Array.of(id / 2 ** 24, (id / 2 ** 16) % 256, (id / 256) % 256, id % 256)
}
