import { fromBase64, utf8 } from "../bytes.ts"
import { verifyEd25519 } from "../ed25519.ts"
import { Fault } from "../fault.ts"
import type { IdentityRow } from "../ledger/ledger.ts"
import type { EntryOf } from "../log/kinds.ts"
import { noteSigner, signNote } from "../tlog/note.ts"
import { dayKey } from "../vault/keys.ts"
import { sha256Hex } from "../vault/vault.ts"
import { recordOf, type Caller } from "./caller.ts"
import type { House } from "./house.ts"
import { propose } from "./propose.ts"

const day_ms = 86_400_000
export const maxDays = 62

/** The name under which a custodian signs lists for the lanes of this vault. */
export function custodianName(origin: string): string {
  return `${origin}/custodian`
}

/**
 * Makes the keys of today and the days after, and gives the list for a custodian to sign: a line that names the form, the
 * vault's origin, then a line `YYYY-MM-DD RECIPIENT` for each day.
 * @param days  1 to 62.
 */
export async function draftRecipients(house: House, days: number): Promise<string> {
  if (!Number.isInteger(days) || days < 1 || days > maxDays)
    throw new Fault("INVALID", `days is 1 to ${maxDays}`)
  const dates = Array.from({ length: days }, (_, i) => dateOf(house.log.clock() + i * day_ms))
  const keys: IdentityRow[] = []
  for (const date of dates) keys.push(await dayKey(house.keys, date))
  return listOf(house.log.origin, keys)
}

/** Takes a signed list: the lanes get it from then on. @throws Fault INVALID unless it is a list of this vault's keys. */
export async function signRecipients(house: House, caller: Caller): Promise<{ readonly entry: number }> {
  const statement = caller.statement as EntryOf<"recipients.signed">["statement"]
  const text = await listBetween(house, statement.first_day, statement.last_day)
  if (sha256Hex(utf8(text)) !== statement.list_sha256) {
    throw new Fault("INVALID", "the digest is not that of this vault's list for those days; draft it again")
  }
  const [key, signature] = [fromBase64(caller.asked.key), fromBase64(statement.list_signature)]
  if (key === null || signature === null || !verifyEd25519(key, utf8(text), signature)) {
    throw new Fault("INVALID", "the list's signature does not hold under the caller's key")
  }
  const draft = { kind: "recipients.signed", asked: caller.asked, statement } as const
  const { index } = await propose(house, caller, { of: "registry", draft, records: [] })
  return { entry: index }
}

/** The newest list as a signed note, for the lanes. @throws Fault NOT_FOUND before a custodian signed one. */
export async function recipientsList(house: House): Promise<string> {
  const signed = await recordOf(house, "recipients", "recipients")
  if (signed === null) throw new Fault("NOT_FOUND", "no custodian has signed a list of recipients yet")
  const text = await listBetween(house, signed.first_day, signed.last_day)
  const [key, signature] = [fromBase64(signed.key), fromBase64(signed.list_signature)]
  if (key === null || signature === null)
    throw new Fault("LEDGER_DIFFERS", "the list's signature is malformed")
  return signNote(text, [noteSigner(custodianName(house.log.origin), key, () => signature)])
}

async function listBetween(house: House, first: string, last: string): Promise<string> {
  const rows = await house.ledger.identities()
  const keys = rows.filter(({ name }) => name >= `day/${first}` && name <= `day/${last}`)
  return listOf(
    house.log.origin,
    keys.sort((a, b) => (a.name < b.name ? -1 : 1)),
  )
}

function listOf(origin: string, keys: readonly IdentityRow[]): string {
  const lines = keys.map(key => `${key.name.slice("day/".length)} ${key.recipient}`)
  return `${["sallyport-recipients/v1", origin, ...lines].join("\n")}\n`
}

function dateOf(time_ms: number): string {
  return new Date(time_ms).toISOString().slice(0, 10)
}
