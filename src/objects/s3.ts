import { AwsClient } from "aws4fetch"
import { Fault } from "../fault.ts"
import { isObjectName, type ObjectStore } from "./objects.ts"

export interface S3Options {
  /** `https://host`, or http on loopback. */
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  readonly access_key: string
  readonly secret_key: string
}

const timeout_ms = 30_000
const tries = 3
const maxObject_bytes = 64 * 1024 * 1024

/**
 * Objects in one bucket of an S3 store that honours `If-None-Match: *` on PUT (AWS since 2024, Ceph).
 * @throws Fault PLAIN_HTTP for http beyond loopback.
 */
export function openS3({ endpoint, bucket, region, access_key, secret_key }: S3Options): ObjectStore {
  const { protocol, hostname } = new URL(endpoint)
  const isLoopback = ["127.0.0.1", "[::1]", "localhost"].includes(hostname)
  if (protocol !== "https:" && !isLoopback)
    throw new Fault("PLAIN_HTTP", "without TLS the object store must be on loopback")
  const aws = new AwsClient({
    accessKeyId: access_key,
    secretAccessKey: secret_key,
    service: "s3",
    region,
    retries: 0,
  })
  const base = `${endpoint.replace(/\/$/, "")}/${bucket}`
  const send = (url: string, init: RequestInit = {}) =>
    attempt(() => aws.fetch(url, { ...init, signal: AbortSignal.timeout(timeout_ms) }))
  const urlOf = (name: string) => {
    if (!isObjectName(name)) throw new Fault("INVALID", "not the name of an object")
    return `${base}/${name}`
  }
  return {
    putIfAbsent: async (name, bytes) => {
      const response = await send(urlOf(name), {
        method: "PUT",
        body: Buffer.from(bytes),
        headers: { "if-none-match": "*" },
      })
      await response.body?.cancel()
      if (response.status === 412 || response.status === 409) return "exists"
      if (response.status === 507)
        throw new Fault("STORE_FULL", "the object store is full; nothing was stored")
      if (!response.ok) throw new Fault("INTERNAL", `the object store answered ${response.status} to a put`)
      return "stored"
    },
    get: async name => {
      const response = await send(urlOf(name))
      const size_bytes = Number(response.headers.get("content-length") ?? 0)
      if (response.ok && size_bytes <= maxObject_bytes) return new Uint8Array(await response.arrayBuffer())
      await response.body?.cancel()
      if (response.status === 404) return null
      if (response.ok) throw new Fault("TOO_LARGE", "the object is larger than 64 MiB")
      throw new Fault("INTERNAL", `the object store answered ${response.status} to a get`)
    },
    delete: async name => {
      const response = await send(urlOf(name), { method: "DELETE" })
      await response.body?.cancel()
      if (!response.ok && response.status !== 404)
        throw new Fault("INTERNAL", `the object store answered ${response.status} to a delete`)
    },
    list: prefix => list(send, base, prefix),
  }
}

async function* list(
  send: (url: string) => Promise<Response>,
  base: string,
  prefix: string,
): AsyncGenerator<string> {
  for (let token: string | null = ""; token !== null;) {
    const query = new URLSearchParams({
      "list-type": "2",
      prefix,
      ...(token === "" ? {} : { "continuation-token": token }),
    })
    const response = await send(`${base}?${query}`)
    const xml = await response.text()
    if (!response.ok) throw new Fault("INTERNAL", `the object store answered ${response.status} to a list`)
    // Our names hold no character that XML escapes.
    for (const [, name = ""] of xml.matchAll(/<Key>([^<]*)<\/Key>/g)) if (isObjectName(name)) yield name
    const next = /<NextContinuationToken>([^<]*)<\/NextContinuationToken>/.exec(xml)?.[1]
    token = next === undefined ? null : unescapeXml(next)
  }
}

function unescapeXml(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&")
}

/** Tries again, twice, what the store could not answer: put-if-absent, get, delete and list may all be repeated. */
async function attempt(request: () => Promise<Response>): Promise<Response> {
  for (let left = tries - 1; ; left -= 1) {
    const answer = await request().catch((error: unknown) => {
      if (left === 0) throw new Fault("NO_SERVER", "the object store does not answer", { cause: error })
      return null
    })
    if (answer !== null && (answer.status < 500 || answer.status === 507 || left === 0)) return answer
    await answer?.body?.cancel()
    await new Promise(resolve => setTimeout(resolve, 100 * 2 ** (tries - left)))
  }
}
