import { Fault, faults, type FaultCode } from "../fault.ts"
import type { Facts } from "../grant/decide.ts"
import { heldVerdict, type Watched } from "../log/watching.ts"

/** The most-read message of the product: which rule, what was not done, what would work. */
export function denial(
  code: FaultCode,
  told: {
    readonly facts: Facts | null
    readonly entry: number
    readonly what: string
    readonly watch?: Watched | null
  },
): Fault {
  const { facts, entry, what } = told
  const seen = told.watch == null ? null : watchNext(told.watch)
  const why = facts === null ? `${faults[code][2]}.` : explain(code, facts)
  const sentence = seen === null || code in watchSays ? why : `${why} ${watchSays[seen.code]}`
  const next = seen?.next ?? (facts === null ? undefined : wouldWork(code, facts))
  return new Fault(code, sentence, { entry, notDone: what, ...(next === undefined ? {} : { next }) })
}

const watchSays: Readonly<Record<"WATCH_STEP_UP" | "WATCH_SUSPENDED", string>> = {
  WATCH_STEP_UP: "The watch asks who asks for this, and why: it looks more like a grab than like work.",
  WATCH_SUSPENDED: "The watch suspended who asked for this: it looks like a grab.",
}

/** What follows from the watch's verdict, whichever rule refused; `null` where it let the request pass. */
function watchNext(watch: Watched): { readonly code: keyof typeof watchSays; readonly next: string } | null {
  const verdict = heldVerdict(watch)
  if (verdict === "pass") return null
  if (verdict === "step-up")
    return { code: "WATCH_STEP_UP", next: 'sallyport watch answer --reason "…", then the same again' }
  const noun = watch.about === "organization" ? "org" : "person"
  return {
    code: "WATCH_SUSPENDED",
    next: `two people lift it: sallyport ${noun} lift ID, then motion second`,
  }
}

function explain(code: FaultCode, { grant, images, people, capture, used, policy }: Facts): string {
  const { terms } = grant
  switch (code) {
    case "WATCH_STEP_UP":
    case "WATCH_SUSPENDED":
      return watchSays[code]
    case "GRANT_BUDGET":
      return `Grant ${grant.grant} has ${terms.images - images} of ${terms.images} distinct images left, at ${terms.level}, until ${terms.ends_at}.`
    case "GRANT_PEOPLE":
      return capture.faces === null
        ? `Grant ${grant.grant} is for at most ${terms.people ?? 0} people, and no face finder has looked at this capture.`
        : `Grant ${grant.grant} has ${(terms.people ?? 0) - people} of ${terms.people ?? 0} people left; ${capture.faces} faces are in this capture.`
    case "GRANT_RELEASES":
      return `Grant ${grant.grant} was used for all of its ${terms.releases} releases, re-reading included.`
    case "BUDGET_PERSON":
      return `The person took ${used.person_day} of ${policy.person_day} images today (UTC), over all grants.`
    case "BUDGET_ORGANIZATION":
      return `The organization and all under its prime took ${used.organization_30d} of ${policy.organization_30d} images in 30 days.`
    case "BUDGET_VENDOR":
      return `This vendor took ${used.organization_day} images today, half of the vault's ${policy.vault_day}.`
    case "BUDGET_VAULT":
      return `${used.vault_day} of ${policy.vault_day} images left the vault today (UTC).`
    case "GRANT_EXPIRED":
      return `Grant ${grant.grant} ended at ${terms.ends_at}.`
    case "GRANT_NOT_STARTED":
      return `Grant ${grant.grant} starts at ${terms.starts_at}.`
    case "GRANT_PENDING":
      return `Grant ${grant.grant} has ${grant.approvals.length} approvals; it needs two people of different offices${policy.approvals.map(line => `, ${line.people} of ${line.office}`).join("")}.`
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
    case "GRANT_PEOPLE":
      return "a capture with fewer faces, or: sallyport grant request … --people N"
    case "BUDGET_PERSON":
    case "BUDGET_VENDOR":
    case "BUDGET_VAULT":
      return "the same tomorrow (UTC), or two people sign another policy: sallyport policy propose FILE"
    case "BUDGET_ORGANIZATION":
      return "the same when older days have passed, or another policy: sallyport policy propose FILE"
    case "STOPPED":
      return "two people end the stop: sallyport resume, then sallyport motion second MOTION"
    case "ATTESTATION":
      return `the custodian records it anew: sallyport contract attest ${grant.terms.contract ?? ""} NAME=TIME`
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
