import type { IncomingHttpHeaders } from "node:http"
import { createHash } from "node:crypto"
import { Fault } from "../fault.ts"
import { signatureParameters, type Asked } from "../grant/request.ts"
import { deviceHeader, passkeyHeader } from "../grant/request-headers.ts"

const parameters =
  /;created=(\d{1,11});nonce="([A-Za-z0-9_-]{16,64})";keyid="([A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{44})";alg="[a-z0-9-]{7,17}";tag="sallyport"$/
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const

export interface Incoming {
  readonly method: string
  /** Path and query as sent. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** The body's bytes; empty for a request without one. */
  readonly body: Uint8Array
}

/**
 * Reads a signed request's headers. Only the exact form that `signatureHeaders` writes is taken: one way to say a thing.
 * The signature itself is checked by the caller, with the statement.
 * @throws Fault SIGNATURE_MISSING, or SIGNATURE_INVALID with what is wrong.
 */
export function readSignature({ method, url, headers, body }: Incoming): Asked {
  const input = headers["signature-input"]
  const signature = /^sig=:([A-Za-z0-9+/]{86}==):$/.exec(single(headers.signature))?.[1]
  if (input === undefined || headers.signature === undefined)
    throw new Fault("SIGNATURE_MISSING", "sign the request with an enrolled key")
  const match = parameters.exec(single(input))
  const known = methods.find(each => each === method)
  if (match === null || signature === undefined || known === undefined) {
    throw new Fault(
      "SIGNATURE_INVALID",
      "Signature-Input or Signature is not of the form that this vault takes",
    )
  }
  const [, created = "", nonce = "", key = ""] = match
  const at = url.indexOf("?")
  const asked: Asked = {
    method: known,
    path: at < 0 ? url : url.slice(0, at),
    query: at < 0 ? "?" : url.slice(at),
    created: Number(created),
    nonce,
    content_sha256: body.length === 0 ? null : createHash("sha256").update(body).digest("base64"),
    key,
    signature,
    ...beside(headers),
  }
  if (single(input) !== `sig=${signatureParameters(asked)}`)
    throw new Fault("SIGNATURE_INVALID", "the signature covers other parts than it must")
  const digest = asked.content_sha256 === null ? "" : `sha-256=:${asked.content_sha256}:`
  if (single(headers["content-digest"]) !== digest)
    throw new Fault("SIGNATURE_INVALID", "Content-Digest is not that of the body")
  return asked
}

/** The two signatures that may stand beside the first. @throws Fault SIGNATURE_INVALID for a malformed one. */
function beside(headers: IncomingHttpHeaders): Pick<Asked, "device" | "passkey"> {
  const device = /^([A-Za-z0-9+/]{43}=)\.([A-Za-z0-9+/]{86}==)$/.exec(single(headers[deviceHeader]))
  const passkey = /^([A-Za-z0-9_-]{1,1024})\.([A-Za-z0-9_-]{1,2048})$/.exec(single(headers[passkeyHeader]))
  const isOdd =
    (headers[deviceHeader] !== undefined && device === null) ||
    (headers[passkeyHeader] !== undefined && passkey === null)
  if (isOdd)
    throw new Fault("SIGNATURE_INVALID", "the device's or passkey's header is not of the form that is taken")
  return {
    device: device === null ? null : { key: device[1] ?? "", signature: device[2] ?? "" },
    passkey:
      passkey === null ? null : { authenticator_data: passkey[1] ?? "", client_data: passkey[2] ?? "" },
  }
}

function single(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(", ") : (value ?? "")
}
