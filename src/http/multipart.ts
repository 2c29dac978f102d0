import { randomBytes } from "node:crypto"

export interface Part {
  readonly name: string
  readonly filename: string
  readonly type: string
  readonly bytes: Uint8Array
}

/** A multipart/form-data body (RFC 7578) with its content type. Names are ours and need no escaping. */
export function multipart(parts: readonly Part[]): { readonly type: string; readonly body: Buffer } {
  const boundary = `sallyport-${randomBytes(18).toString("hex")}`
  const chunks = parts.flatMap(({ name, filename, type, bytes }) => [
    Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="${name}"; filename="${filename}"\r\ncontent-type: ${type}\r\n\r\n`,
    ),
    bytes,
    Buffer.from("\r\n"),
  ])
  const body = Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)])
  return { type: `multipart/form-data; boundary=${boundary}`, body }
}
