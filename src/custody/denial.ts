import { Fault, faults, type FaultCode } from "../fault.ts"
import type { Facts } from "../grant/decide.ts"

/** The most-read message of the product: which rule, what was not done, what would work. */
export function denial(
  code: FaultCode,
  told: { readonly facts: Facts | null; readonly entry: number; readonly what: string },
): Fault {
  const { facts, entry, what } = told
  const sentence = facts === null ? `${faults[code][2]}.` : explain(code, facts)
  const next = facts === null ? undefined : wouldWork(code, facts)
  return new Fault(code, sentence, { entry, notDone: what, ...(next === undefined ? {} : { next }) })
}

function explain(code: FaultCode, { grant, images, capture }: Facts): string {
  const { terms } = grant
  switch (code) {
    case "GRANT_BUDGET":
      return `Grant ${grant.grant} has ${terms.images - images} of ${terms.images} distinct images left, at ${terms.level}, until ${terms.ends_at}.`
    case "GRANT_EXPIRED":
      return `Grant ${grant.grant} ended at ${terms.ends_at}.`
    case "GRANT_NOT_STARTED":
      return `Grant ${grant.grant} starts at ${terms.starts_at}.`
    case "GRANT_PENDING":
      return `Grant ${grant.grant} has ${grant.approvals.length} of 2 approvals by people of different offices.`
    case "GRANT_LANE":
      return `Lane ${capture.lane} is outside grant ${grant.grant}, which allows ${terms.lanes.join(", ")}.`
    case "GRANT_LEVEL":
    case "GRANT_LEVEL_SUM":
      return `${faults[code][2]}: grant ${grant.grant} allows ${terms.level}.`
    default:
      return `${faults[code][2]}: ${grant.grant}.`
  }
}

function wouldWork(code: FaultCode, { grant }: Facts): string | undefined {
  switch (code) {
    case "GRANT_BUDGET":
      return `draw again what was drawn before (it is free), or: sallyport grant request … --images N`
    case "GRANT_PENDING":
      return `two people of different offices: sallyport grant approve ${grant.grant}`
    case "GRANT_LEVEL":
    case "GRANT_LEVEL_SUM":
      return `--level ${grant.terms.level}`
    case "GRANT_EXPIRED":
    case "GRANT_REVOKED":
    case "GRANT_DENIED":
      return "sallyport grant request …"
    default:
      return undefined
  }
}
