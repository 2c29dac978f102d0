import { Type } from "typebox"
import type { House } from "../custody/house.ts"
import { Fault } from "../fault.ts"
import type { RecordKind, Records } from "../log/state.ts"

/** Query parameters of every list; nothing else is taken. */
export const listQuery = {
  limit: Type.Optional(Type.String({ pattern: "^[0-9]{1,3}$", description: "1 to 200; 50 without it" })),
  cursor: Type.Optional(
    Type.String({ pattern: "^[A-Za-z0-9_-]{1,200}$", description: "next_cursor of the page before" }),
  ),
}

export interface Page<T> {
  readonly object: "list"
  readonly data: readonly T[]
  readonly has_more: boolean
  readonly next_cursor: string | null
}

export interface PageAsked {
  readonly limit: number
  /** The id that the page before ended with. */
  readonly after?: string
}

export function pageAsked(query: unknown): PageAsked {
  const { limit, cursor } = query as { limit?: string; cursor?: string }
  const number = limit === undefined ? 50 : Number(limit)
  if (number < 1 || number > 200) throw new Fault("INVALID", "limit is 1 to 200")
  return cursor === undefined
    ? { limit: number }
    : { limit: number, after: Buffer.from(cursor, "base64url").toString("utf8") }
}

/** @param rows  one more than the limit where there are more. */
export function pageOf<R, T>(
  rows: readonly R[],
  limit: number,
  of: { readonly id: (row: R) => string; readonly show: (row: R) => T },
): Page<T> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const has_more = rows.length > limit
  const next_cursor = has_more && last !== undefined ? Buffer.from(of.id(last)).toString("base64url") : null
  return { object: "list", data: shown.map(of.show), has_more, next_cursor }
}

/** Records of one kind that match, ids ascending after `after`: as many as `limit`, however many others stand between. */
export async function matching<K extends RecordKind>(
  house: House,
  kind: K,
  of: {
    readonly limit: number
    readonly after: string
    readonly matches: (record: Records[K]) => boolean
  },
): Promise<readonly Records[K][]> {
  const found: Records[K][] = []
  for (let after = of.after; ;) {
    const rows = await house.ledger.records(kind, { limit: 1000, after })
    const records = rows.map(row => JSON.parse(row.body) as Records[K])
    found.push(...records.filter(of.matches).slice(0, of.limit - found.length))
    const last = rows.at(-1)
    if (last === undefined || rows.length < 1000 || found.length >= of.limit) return found
    after = last.id
  }
}
