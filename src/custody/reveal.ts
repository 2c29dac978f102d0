import { Fault } from "../fault.ts"
import { opens } from "../grant/request.ts"
import type { Caller } from "./caller.ts"
import type { House } from "./house.ts"
import { assertReason } from "./motions.ts"
import { nameOfPerson } from "./person-name.ts"
import { permit } from "./opening.ts"
import { sealedOpening } from "./propose.ts"
import type { Appended } from "../log/sequencer.ts"
import { drawLabel } from "../picture/label.ts"
import { deliver, type Delivery } from "./release.ts"

/**
 * One look by one of the agency's own people: the same door as a release, under a case that two people opened, for a
 * reason that is committed to in the permit and kept apart. One capture at a time; the case's budget is charged.
 */
export async function reveal(house: House, caller: Caller): Promise<Delivery> {
  if (!opens(caller.statement, caller.openings))
    throw new Fault("INVALID", "the reason does not open its commitment")
  assertReason(caller)
  const { reason } = caller.openings
  const openings = reason === undefined ? [] : [sealedOpening(house, { field: "reason", ...reason })]
  const permitted = await permit(house, caller, "reveal", openings)
  return deliver(house, permitted, await drawLabel(await labelOf(house, caller, permitted)))
}

/** Who looked, when, and under which entry: for whoever sees a photograph of his screen. */
async function labelOf(house: House, { person }: Caller, { index, entry }: Appended): Promise<string> {
  const who = (await nameOfPerson(house, person.person)) ?? person.person
  return `${who.slice(0, 36)}  ${entry.at.slice(0, 19)}Z  entry ${index}`
}
