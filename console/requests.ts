import { startAuthentication } from "@simplewebauthn/browser"
import { p256 } from "@noble/curves/nist.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { base64, utf8 } from "../src/bytes.ts"
import { challengeOf, fromBase64url, toBase64url } from "../src/grant/passkey.ts"
import { signatureHeaders } from "../src/grant/request-headers.ts"
import { signatureBase, type Asked, type Statement, type Unsigned } from "../src/grant/request.ts"
import type { Problem } from "../src/http/problem.ts"

const page = document.body.dataset

/** The log's origin: a request for this vault is none for another. */
export const vault = page.vault ?? ""
export const hasSignIn = page.signIn === "yes"

/** A refusal in the vault's own words. */
export class Refusal extends Error {
  readonly problem: Partial<Problem>

  constructor(problem: Partial<Problem>) {
    super(problem.detail ?? "the vault does not answer")
    this.problem = problem
  }
}

/** A passkey of the person, as `GET /v1/me` names it. */
export interface Passkey {
  readonly key: string
  readonly credential: string
}

function unsigned(
  of: Pick<Unsigned, "method" | "path" | "key"> & { readonly body: string | null },
): Unsigned {
  const at = of.path.indexOf("?")
  return {
    method: of.method,
    path: at < 0 ? of.path : of.path.slice(0, at),
    query: at < 0 ? "?" : of.path.slice(at),
    created: Math.floor(Date.now() / 1000),
    nonce: toBase64url(crypto.getRandomValues(new Uint8Array(18))),
    content_sha256: of.body === null ? null : base64(sha256(utf8(of.body))),
    key: of.key,
  }
}

/** Reads as the session: signed with the key that this browser made and cannot give away. */
export async function read<T>(path: string): Promise<T> {
  const { privateKey, publicKey } = await sessionKey()
  const request = unsigned({ method: "GET", path, key: publicKey, body: null })
  const message = signatureBase(request, vault, null)
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, message.slice())
  const asked = { ...request, signature: base64(new Uint8Array(signature)), device: null, passkey: null }
  return answerOf<T>(await fetch(path, { headers: signatureHeaders(asked, vault, null) }))
}

/** Acts as the person: the passkey signs exactly this request, after its owner was asked. */
export async function act<T>(path: string, statement: Statement, passkey: Passkey): Promise<T> {
  const body = JSON.stringify(statement)
  const request = unsigned({ method: "POST", path, key: passkey.key, body })
  const message = signatureBase(request, vault, statement)
  const { response } = await startAuthentication({
    optionsJSON: {
      challenge: toBase64url(challengeOf(message)),
      rpId: page.party ?? "",
      allowCredentials: [{ id: passkey.credential, type: "public-key" }],
      userVerification: "required",
      timeout: 120_000,
    },
  })
  const der = fromBase64url(response.signature) ?? new Uint8Array()
  const asked: Asked = {
    ...request,
    signature: base64(p256.Signature.fromBytes(der, "der").toBytes("compact")),
    device: null,
    passkey: { authenticator_data: response.authenticatorData, client_data: response.clientDataJSON },
  }
  const headers = { ...signatureHeaders(asked, vault, statement), "content-type": "application/json" }
  return answerOf<T>(await fetch(path, { method: "POST", headers, body }))
}

/** Asks what anyone may ask. */
export async function open<T>(path: string, body?: unknown): Promise<T> {
  const headers = body === undefined ? {} : { "content-type": "application/json" }
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  return answerOf<T>(await fetch(path, { method: "POST", headers, ...sent }))
}

async function answerOf<T>(response: Response): Promise<T> {
  if (response.ok) return (await response.json()) as T
  throw new Refusal((await response.json().catch(() => ({}))) as Partial<Problem>)
}

interface SessionKey {
  readonly privateKey: CryptoKey
  /** Base64, a compressed point. */
  readonly publicKey: string
}

let held: Promise<SessionKey> | null = null

/** The key of this browser: made once, kept by the browser, and not to be read by any script. */
export function sessionKey(): Promise<SessionKey> {
  return (held ??= madeOrKept())
}

async function madeOrKept(): Promise<SessionKey> {
  const store = await openStore()
  const kept = await done<CryptoKeyPair | undefined>(
    store.transaction("keys").objectStore("keys").get("session"),
  )
  const pair =
    kept ??
    (await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]))
  if (kept === undefined)
    await done(store.transaction("keys", "readwrite").objectStore("keys").put(pair, "session"))
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey))
  return { privateKey: pair.privateKey, publicKey: base64(p256.Point.fromBytes(raw).toBytes(true)) }
}

function openStore(): Promise<IDBDatabase> {
  const opening = indexedDB.open("sallyport", 1)
  opening.onupgradeneeded = () => opening.result.createObjectStore("keys")
  return done(opening)
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error("the browser keeps no keys"))
  })
}
