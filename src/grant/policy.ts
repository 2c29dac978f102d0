import { offices, type Office } from "./office.ts"

/** What the agency asks beyond the house's own rules, and its budgets. In force from the entry that two people signed. */
export interface Policy {
  /**
   * People of an office who must approve, each line beside the others (AND), at most 7 lines; two people of different
   * offices are always needed and no policy can ask for less.
   */
  readonly approvals: readonly { readonly office: Office; readonly people: number }[]
  /** Distinct images that one person may take in a UTC day, releases and reveals together. */
  readonly person_day: number
  /** Distinct images that leave to one organization, with all under the same prime, in 30 UTC days. */
  readonly organization_30d: number
  /** Distinct images that leave or are revealed in a UTC day. No one vendor can take more than half of it. */
  readonly vault_day: number
  /** Most images of one break-glass, 0 to 50; 0 allows none. */
  readonly glass_images: number
}

/** In force until two people sign another one. */
export const defaultPolicy: Policy = {
  approvals: [],
  person_day: 500,
  organization_30d: 5000,
  vault_day: 2000,
  glass_images: 10,
}

const most = 1_000_000

/** The rule that a policy breaks, as a sentence that says what would pass, or `null`. An empty or malformed one breaks one. */
export function brokenPolicy(policy: unknown): string | null {
  if (typeof policy !== "object" || policy === null) return "a policy is an object"
  const { approvals, ...budgets } = policy as Partial<Policy>
  if (!Array.isArray(approvals) || approvals.length > offices.length)
    return "approvals is a list of at most 7 offices"
  const named = approvals.map((line: Partial<Policy["approvals"][number]>) => line.office)
  if (new Set(named).size !== named.length) return "approvals names each office once"
  for (const line of approvals as Partial<Policy["approvals"][number]>[]) {
    if (line.office !== "custodian" && line.office !== "cor" && line.office !== "privacy")
      return "approvals come from the offices custodian, cor and privacy"
    if (!isWhole(line.people, 1, 10)) return "people is a whole number from 1 to 10 in each line of approvals"
  }
  for (const name of ["person_day", "organization_30d", "vault_day"] as const)
    if (!isWhole(budgets[name], 1, most)) return `${name} is a whole number from 1 to 1,000,000`
  return isWhole(budgets.glass_images, 0, 50) ? null : "glass_images is a whole number from 0 to 50"
}

function isWhole(value: unknown, least: number, greatest: number): boolean {
  return Number.isInteger(value) && least <= Number(value) && Number(value) <= greatest
}
