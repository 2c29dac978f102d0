import { ulid } from "ulid"

/** What an id names, by its prefix: a ULID follows, so ids sort by the time they were made. */
export type IdPrefix =
  | "cap"
  | "grt"
  | "cas"
  | "org"
  | "con"
  | "per"
  | "prt"
  | "lan"
  | "rdr"
  | "drw"
  | "crs"
  | "req"
  | "mot"
  | "alt"
  | "trc"
  | "dst"
  | "inc"
  | "lnk"
  | "msg"
  | "mut"

const pattern = /^[a-z]{3}_[0-7][0-9A-HJKMNP-TV-Z]{25}$/

/** A new id, such as `cap_01JD…`. */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${ulid()}`
}

const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

/**
 * The id of what entry `index` made, the same whoever computes it: a ULID of the entry's time, with the index and a number
 * within the entry in place of chance.
 * @param at_ms  0 ≤ at_ms < 2^48. @param nth  0 ≤ nth < 2^16.
 */
export function placedId(prefix: IdPrefix, of: { at_ms: number; index: number; nth: number }): string {
  return wholeId(prefix, of.at_ms, (BigInt(of.index) << 16n) | BigInt(of.nth))
}

/** The id of this time with these 80 bits in place of chance. @param at_ms  0 ≤ at_ms < 2^48. */
export function wholeId(prefix: IdPrefix, at_ms: number, chance: bigint): string {
  let rest = (BigInt(at_ms) << 80n) | chance
  let text = ""
  for (let i = 0; i < 26; i += 1) {
    text = (digits[Number(rest & 31n)] ?? "") + text
    rest >>= 5n
  }
  return `${prefix}_${text}`
}

/** The 128 bits behind an id's prefix: its time in milliseconds (48), and what stands for chance (80); `null` for no id of that kind. */
export function bitsOf(text: string, prefix: IdPrefix): bigint | null {
  if (!isId(text, prefix)) return null
  return [...text.slice(-26)].reduce((bits, digit) => (bits << 5n) | BigInt(digits.indexOf(digit)), 0n)
}

/** Whether `text` is an id of that kind. */
export function isId(text: string, prefix: IdPrefix): boolean {
  return text.startsWith(`${prefix}_`) && pattern.test(text)
}
