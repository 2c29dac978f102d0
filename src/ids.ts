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
  let rest = (BigInt(of.at_ms) << 80n) | (BigInt(of.index) << 16n) | BigInt(of.nth)
  let text = ""
  for (let i = 0; i < 26; i += 1) {
    text = (digits[Number(rest & 31n)] ?? "") + text
    rest >>= 5n
  }
  return `${prefix}_${text}`
}

/** Whether `text` is an id of that kind. */
export function isId(text: string, prefix: IdPrefix): boolean {
  return text.startsWith(`${prefix}_`) && pattern.test(text)
}
