import { verifyEd25519 } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import { modeOf } from "../seal/recipient.ts"
import { formatVkey, noteVerifier, openNote } from "../tlog/note.ts"

/** The day's recipient, by `YYYY-MM-DD`. */
export type Recipients = ReadonlyMap<string, string>

/**
 * Reads a signed list of recipients, trusting nobody but the custodian whose key the lane was given.
 * @param custodian  the 32-byte public key.
 * @throws Fault SIGNATURE_INVALID for a list that this custodian did not sign for this vault.
 */
export function readRecipients(list: string, vault: string, custodian: Uint8Array): Recipients {
  const verifier = noteVerifier(formatVkey(`${vault}/custodian`, custodian), verifyEd25519)
  const opened = verifier === null ? null : openNote(list, [verifier])
  if (opened?.kind !== "ok")
    throw new Fault(
      "SIGNATURE_INVALID",
      "the list of recipients is not signed by the custodian whose key this lane holds",
    )
  const [form, origin, ...lines] = opened.text.trimEnd().split("\n")
  const pairs = lines.map(line => /^(\d{4}-\d\d-\d\d) (age1\S+)$/.exec(line))
  const isWhole =
    form === "sallyport-recipients/v1" &&
    origin === vault &&
    pairs.every(pair => modeOf(pair?.[2] ?? "") !== null)
  if (!isWhole)
    throw new Fault("SIGNATURE_INVALID", "the list of recipients is for another vault, or malformed")
  return new Map(pairs.map(pair => [pair?.[1] ?? "", pair?.[2] ?? ""]))
}

/** @throws Fault SEAL_RECIPIENT when the list has no key for that moment's day. */
export function recipientOn(recipients: Recipients, time_ms: number): string {
  const day = new Date(time_ms).toISOString().slice(0, 10)
  const recipient = recipients.get(day)
  if (recipient !== undefined) return recipient
  throw new Fault("SEAL_RECIPIENT", `the custodian has signed no recipient for ${day}; nothing was sealed`, {
    next: "sallyport lane recipients --days 31 --key custodian.key",
  })
}
