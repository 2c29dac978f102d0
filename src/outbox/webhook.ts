import { base64, utf8 } from "../bytes.ts"
import type { Signer } from "../ed25519.ts"
import type { Way } from "./parcel.ts"
import { post } from "./post.ts"

/**
 * Standard Webhooks 1.0.0 with the asymmetric signature `v1a`: ed25519 over `id.timestamp.body`. The id is the message's and
 * the same in every attempt; the timestamp is the attempt's, so that a receiver can refuse old ones.
 * Source: standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
 */
export const webhook: Way = {
  batch: 1,
  atOnce: 4,
  send: async ([message], target) => {
    const { settings, destination } = target
    const { id = "", body = "" } = message ?? {}
    const timestamp_s = Math.floor(settings.clock() / 1000)
    const signer = settings.signerFor(destination.destination)
    const headers = {
      "content-type": "application/json",
      "user-agent": `sallyport/${settings.version}`,
      ...webhookHeaders({ id, body, timestamp_s }, signer),
    }
    return post(target, { headers, body })
  },
}

export function webhookHeaders(
  of: { readonly id: string; readonly body: string; readonly timestamp_s: number },
  signer: Signer,
): Readonly<Record<string, string>> {
  const signature = signer.sign(utf8(`${of.id}.${of.timestamp_s}.${of.body}`))
  return {
    "webhook-id": of.id,
    "webhook-timestamp": String(of.timestamp_s),
    "webhook-signature": `v1a,${base64(signature)}`,
  }
}

/** The public key as Standard Webhooks writes it. */
export function webhookKey(signer: Signer): string {
  return `whpk_${base64(signer.publicKey)}`
}
