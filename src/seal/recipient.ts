import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from "age-encryption"

/** `hybrid`: ML-KEM-768 with X25519, for faces that are for life; `x25519`: for sites whose `age` program is older than 1.3. */
export type Mode = "hybrid" | "x25519"

/** A new key pair as age writes it: `AGE-SECRET-KEY-PQ-1…` with `age1pq1…`, or `AGE-SECRET-KEY-1…` with `age1…`. */
export async function newIdentity(
  mode: Mode,
): Promise<{ readonly identity: string; readonly recipient: string }> {
  const identity = await (mode === "hybrid" ? generateHybridIdentity() : generateX25519Identity())
  return { identity, recipient: await recipientOf(identity) }
}

/** The recipient of an identity. @throws Error for what is no identity. */
export function recipientOf(identity: string): Promise<string> {
  return identityToRecipient(identity)
}

/** The mode of a recipient by its prefix, or `null`. */
export function modeOf(recipient: string): Mode | null {
  if (recipient.startsWith("age1pq1")) return "hybrid"
  return /^age1[02-9ac-hj-np-z]{58}$/.test(recipient) ? "x25519" : null
}
