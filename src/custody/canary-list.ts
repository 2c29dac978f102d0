import type { GrantState } from "../grant/decide.ts"
import type { CaptureRow } from "../ledger/ledger.ts"
import { isCanary } from "./canaries.ts"
import { recordsOf } from "./caller.ts"
import { isCovered } from "./draw.ts"
import type { House } from "./house.ts"

/** A canary as those who may know see it. */
export interface Canary extends Pick<
  CaptureRow,
  "id" | "lane" | "hour" | "reader" | "sequence" | "admitted"
> {
  readonly captured_at: string
  /** Live grants and cases that came to cover it: for whoever works under one it is retired, and its touch says little. */
  readonly covered_by: readonly string[]
}

const looked = 20_000
const rows_page = 1000

/** Canaries, oldest first, and how many captures were looked at for them; `after`: where to go on. */
export async function canaries(
  house: House,
  of: { readonly lane?: string; readonly limit: number; readonly after?: string },
): Promise<{ readonly canaries: readonly Canary[]; readonly looked: number; readonly after: string | null }> {
  const live = await liveGrants(house, house.log.clock())
  const found: CaptureRow[] = []
  let after = of.after
  for (let seen = 0; ;) {
    const rows = await house.ledger.captures({
      ...{ limit: rows_page, ...(of.lane === undefined ? {} : { lanes: [of.lane] }) },
      ...(after === undefined ? {} : { after }),
    })
    for (const row of rows) {
      if (found.length === of.limit) return { canaries: found.map(shown), looked: seen, after: after ?? null }
      seen += 1
      after = row.id
      if (isCanary(house, row.id)) found.push(row)
    }
    if (rows.length < rows_page) return { canaries: found.map(shown), looked: seen, after: null }
    if (seen >= looked) return { canaries: found.map(shown), looked: seen, after: after ?? null }
  }
  function shown(row: CaptureRow): Canary {
    const { id, lane, hour, reader, sequence, admitted, capturedAt_ms } = row
    const covering = live.filter(({ terms }) => terms.lanes.includes(lane)).filter(each => covers(each, row))
    return {
      ...{ id, lane, hour, reader, sequence, admitted },
      captured_at: new Date(capturedAt_ms).toISOString(),
      covered_by: covering.map(({ grant }) => grant),
    }
  }
}

/** Grants and cases that let something out, now or once they are approved. */
export async function liveGrants(house: House, now_ms: number): Promise<readonly GrantState[]> {
  const live: GrantState[] = []
  for await (const grant of recordsOf(house, "grant")) {
    const isOver = grant.status === "denied" || grant.status === "revoked"
    if (!isOver && now_ms < Date.parse(grant.terms.ends_at)) live.push(grant)
  }
  return live
}

/** Whether a grant lets a capture of this lane through, before its approval as if it were approved now. */
export function covers(grant: GrantState, row: Pick<CaptureRow, "id" | "hour" | "admitted">): boolean {
  const frozen_at = grant.frozen_at < 0 ? Number.MAX_SAFE_INTEGER : grant.frozen_at
  return isCovered(row, { terms: grant.terms, frozen_at })
}
