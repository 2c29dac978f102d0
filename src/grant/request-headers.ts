import { signatureParameters, statementDigest, type Asked, type Statement } from "./request.ts"

/** Header names of the one profile of RFC 9421 that is taken; see docs/formats/request.md. */
export const vaultHeader = "sallyport-vault"
export const statementHeader = "sallyport-statement"
/** A device's second signature: its key and signature in base64, with a dot between. */
export const deviceHeader = "sallyport-device"
/** What a passkey signed around the request: authenticator data and client data in base64url, with a dot between. */
export const passkeyHeader = "sallyport-passkey"

/** The headers of a signed request; the counterpart of `readSignature`. */
export function signatureHeaders(
  asked: Asked,
  vault: string,
  statement: Statement | null,
): Record<string, string> {
  return {
    "signature-input": `sig=${signatureParameters(asked)}`,
    signature: `sig=:${asked.signature}:`,
    [vaultHeader]: vault,
    ...(asked.device === null ? {} : { [deviceHeader]: `${asked.device.key}.${asked.device.signature}` }),
    ...(asked.passkey === null
      ? {}
      : { [passkeyHeader]: `${asked.passkey.authenticator_data}.${asked.passkey.client_data}` }),
    ...(statement === null || asked.content_sha256 === null
      ? {}
      : {
          "content-digest": `sha-256=:${asked.content_sha256}:`,
          [statementHeader]: statementDigest(statement),
        }),
  }
}
