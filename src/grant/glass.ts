import type { GrantState } from "./decide.ts"
import type { Policy } from "./policy.ts"
import type { Terms } from "./terms.ts"

/**
 * Breaking the glass: a case that two keys open at once, where the policy's approvals cannot be had in time. It shortens the
 * wait and nothing else: budgets, stops, suspensions, levels and the log hold as ever, no copy leaves to a vendor, and it
 * must be reviewed afterwards by somebody who had no part in it.
 */
export interface Glass {
  /** Who signed beside the proposer, who is requester and holder. */
  readonly second: string
  /** RFC 3339 UTC: an unreviewed one bars the next from here on. */
  readonly review_due_at: string
  readonly outcome: "justified" | "unjustified" | null
}

const longest_ms = 4 * 3_600_000
const reviewWithin_ms = 72 * 3_600_000

/** The rule of break-glass that the terms break, as a sentence that says what would pass, or `null`. */
export function brokenGlassRule(terms: Terms, proposer: string, policy: Policy): string | null {
  const lasts_ms = Date.parse(terms.ends_at) - Date.parse(terms.starts_at)
  if (terms.for !== "reveal") return "break-glass is for the agency's own people; no copy leaves to a vendor"
  if (terms.holder !== proposer) return "who breaks the glass holds the case"
  if (terms.images > policy.glass_images)
    return `the policy allows at most ${policy.glass_images} images in one break-glass`
  if (lasts_ms > longest_ms) return "a break-glass lasts at most 4 hours"
  return null
}

/** When the review of a case that ends then is overdue, RFC 3339 UTC. */
export function reviewDueAt(ends_at: string): string {
  return new Date(Date.parse(ends_at) + reviewWithin_ms).toISOString()
}

/** Whether two people stand behind it: the proposer, who holds it, and another. The log holds both signatures. */
export function hasTwoKeys({ requester, glass }: Pick<GrantState, "requester" | "glass">): boolean {
  return glass !== null && glass.second !== requester
}
