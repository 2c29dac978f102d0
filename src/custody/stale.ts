import type { GrantState } from "../grant/decide.ts"
import { parseEntry } from "../log/kinds.ts"
import { names } from "../log/state.ts"
import type { House } from "./house.ts"

const day_ms = 86_400_000
const unusedFor_days = 2
const waitsFor_days = 7

/** A grant's status, or `expired` once its end has come. */
export function stateNow(grant: GrantState, now_ms: number): GrantState["status"] | "expired" {
  const isLive = grant.status === "approved" || grant.status === "pending"
  return isLive && now_ms >= Date.parse(grant.terms.ends_at) ? "expired" : grant.status
}

/** Why somebody should look at a grant that nobody moves, or `null`: a right that is not used is only a risk. */
export async function stalenessOf(house: House, grant: GrantState): Promise<string | null> {
  const now_ms = house.log.clock()
  const state = stateNow(grant, now_ms)
  const isUnused = state === "approved" && (await house.ledger.counter(names.images(grant.grant))) === 0
  if (state !== "pending" && !isUnused) return null
  // The row's version is the index of the entry that changed it last.
  const { version = 0 } = (await house.ledger.record("grant", grant.grant)) ?? {}
  const [row] = await house.ledger.entries(version, version + 1)
  const entry = row === undefined ? null : parseEntry(row.bytes)
  const idle_days = entry === null ? 0 : Math.floor((now_ms - Date.parse(entry.at)) / day_ms)
  if (idle_days < (isUnused ? unusedFor_days : waitsFor_days)) return null
  return `${isUnused ? "approved and never used" : "asked for and not approved"}, for ${idle_days} days`
}
