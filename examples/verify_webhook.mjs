import { createPublicKey, verify } from "node:crypto"

/** Whether a webhook of Sallyport is genuine and young. `key` is what GET /v1/webhook-keys/DESTINATION shows; `body` the bytes as they came. */
export function isGenuine({ headers, body, key, now_s = Date.now() / 1000 }) {
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": given = "" } = headers
  const raw = Buffer.from(key.replace(/^whpk_/, ""), "base64")
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw])
  const signer = createPublicKey({ key: der, format: "der", type: "spki" })
  const signatures = given.split(" ").filter(each => each.startsWith("v1a,"))
  const holds = each =>
    verify(null, Buffer.from(`${id}.${at}.${body}`), signer, Buffer.from(each.slice(4), "base64"))
  return Math.abs(now_s - Number(at)) < 300 && signatures.some(holds)
}
