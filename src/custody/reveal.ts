import { Fault } from "../fault.ts"
import { opens } from "../grant/request.ts"
import type { Caller } from "./caller.ts"
import type { House } from "./house.ts"
import { permit } from "./opening.ts"
import { sealedOpening } from "./propose.ts"
import { deliver, type Delivery } from "./release.ts"

/**
 * One look by one of the agency's own people: the same door as a release, under a case that two people opened, for a
 * reason that is committed to in the permit and kept apart. One capture at a time; the case's budget is charged.
 */
export async function reveal(house: House, caller: Caller): Promise<Delivery> {
  if (!opens(caller.statement, caller.openings))
    throw new Fault("INVALID", "the reason does not open its commitment")
  const reason = caller.openings.reason
  if (reason === undefined || reason.value.trim().length < 15) {
    throw new Fault("INVALID", "a reveal needs a reason of at least 15 characters")
  }
  const permitted = await permit(house, caller, "reveal", [
    sealedOpening(house, { field: "reason", ...reason }),
  ])
  return deliver(house, permitted)
}
