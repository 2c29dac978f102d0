import { ulid } from "ulid"

/** What an id names, by its prefix: a ULID follows, so ids sort by the time they were made. */
export type IdPrefix =
  "cap" | "grt" | "cas" | "org" | "con" | "per" | "prt" | "lan" | "rdr" | "drw" | "crs" | "req" | "mot"

const pattern = /^[a-z]{3}_[0-7][0-9A-HJKMNP-TV-Z]{25}$/

/** A new id, such as `cap_01JD…`. */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${ulid()}`
}

/** Whether `text` is an id of that kind. */
export function isId(text: string, prefix: IdPrefix): boolean {
  return text.startsWith(`${prefix}_`) && pattern.test(text)
}
