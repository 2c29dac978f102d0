import { Fault } from "../fault.ts"
import { newId } from "../ids.ts"
import type { KeyOf } from "../ledger/ledger.ts"
import type { Draft, EntryOf } from "../log/kinds.ts"
import { lookName } from "../log/state.ts"
import { brokenLimit, countedPlates, faceLimits, plateLimits } from "../picture/level.ts"
import { foundIn, withBoxes } from "../vault/findings.ts"
import { chainKeys, recordOf, watchKeys, type Caller } from "./caller.ts"
import { assertAddress } from "./destinations.ts"
import { termsKeys } from "./grants.ts"
import type { House } from "./house.ts"
import { learnModel, rulesKey } from "./models.ts"
import { propose } from "./propose.ts"
import type { Registered } from "./register.ts"

type Proposed = EntryOf<"motion.proposed">

/** What needs two people (NIST AC-3(2)): the first proposes it, and nothing is in effect before the second signs it. */
export async function proposeMotion(
  house: House,
  caller: Caller,
  act: Exclude<Proposed["act"], "enroll">,
): Promise<Registered> {
  const motion = newId("mot")
  const statement = caller.statement as Proposed["statement"]
  if (act === "break-glass") assertReason(caller)
  if (act === "set-boxes") await assertBoxes(house, statement as Boxes)
  const { capture } = statement as { capture?: string }
  if (capture !== undefined && (await house.ledger.capture(capture)) === null)
    throw new Fault("NOT_FOUND", "there is no such capture")
  if (act === "add-destination") assertAddress(caller)
  if (act === "adopt-model") await learnModel(house, (statement as { model: string }).model)
  const subject = newSubject(act)
  const draft: Draft = { kind: "motion.proposed", motion, act, subject, asked: caller.asked, statement }
  const records = [{ kind: "motion", id: motion }, ...(await keysOf(house, { statement, subject }))]
  const { index } = await propose(house, caller, {
    of: "motion",
    draft,
    records,
  })
  return { id: subject ?? motion, entry: index, motion }
}

/** What a motion makes, by its id. */
function newSubject(act: Proposed["act"]): string | null {
  if (act === "break-glass") return newId("cas")
  return act === "add-destination" ? newId("dst") : null
}

type Boxes = Extract<Proposed["statement"], { readonly plates: unknown }>

/** @throws Fault NOT_FOUND, CONFLICT before the examination, INVALID for boxes that would show nothing. */
async function assertBoxes(house: House, { capture, plates, faces }: Boxes): Promise<void> {
  const row = await house.ledger.capture(capture)
  if (row === null) throw new Fault("NOT_FOUND", "there is no such capture")
  const found = foundIn(row)
  const notDone = "No boxes were proposed."
  if (found === null)
    throw new Fault("CONFLICT", "the capture is not examined yet, or has no picture that decodes", {
      notDone,
    })
  const shown = withBoxes(found, { plates, faces })
  const [plate] = plates.flatMap(box => brokenLimit(plateLimits, box, shown) ?? [])
  const [face] = faces.flatMap(box => brokenLimit(faceLimits, box, shown) ?? [])
  const broken = plate ?? face
  if (broken !== undefined)
    throw new Fault("INVALID", `a box would not count: ${broken} (${found.width_px} × ${found.height_px})`, {
      notDone,
    })
  if (countedPlates(shown).length < plates.length)
    throw new Fault("INVALID", "plates together cover at most 35 % of the picture", { notDone })
}

/** @throws Fault INVALID without a reason that says something. */
export function assertReason({ openings }: Pick<Caller, "openings">, field = "reason"): void {
  if ((openings[field]?.value ?? "").trim().length >= 15) return
  throw new Fault("INVALID", `it needs a ${field} of at least 15 characters`, {
    notDone: "Nothing was opened.",
  })
}

/** The second person's yes or no. */
export async function secondMotion(house: House, caller: Caller, motion: string): Promise<Registered> {
  const statement = caller.statement as EntryOf<"motion.seconded">["statement"]
  const { asked, person } = caller
  const held = await recordOf(house, "motion", motion)
  const stated = held?.statement as { organization?: string; model?: string } | undefined
  if (stated?.model !== undefined) await learnModel(house, stated.model)
  const records = [
    { kind: "motion", id: motion },
    ...(held === null ? [] : [{ kind: "person", id: held.subject ?? held.proposer }]),
    ...(held === null ? [] : await keysOf(house, held)),
    ...(stated?.organization === undefined ? [] : await chainKeys(house, stated.organization)),
  ]
  const act = held?.act ?? "enroll"
  const draft: Draft = { kind: "motion.seconded", motion, act, person: person.person, asked, statement }
  const { capture } = (held?.statement ?? {}) as { capture?: string }
  const captures = act === "set-boxes" && capture !== undefined ? [capture] : []
  const { index } = await propose(house, caller, { of: "motion", draft, records, captures })
  return { id: motion, entry: index }
}

/** One person stops every release and reveal of the vault or of a port's captures, at once. */
export async function orderStop(house: House, caller: Caller): Promise<Registered> {
  const statement = caller.statement as EntryOf<"stop.ordered">["statement"]
  const { scope } = statement
  const { asked, person } = caller
  const draft: Draft = { kind: "stop.ordered", scope, person: person.person, asked, statement }
  const { index } = await propose(house, caller, {
    of: "stop",
    draft,
    records: await keysOf(house, { statement, subject: null }),
  })
  return { id: scope, entry: index }
}

/** Somebody who had no part in it judges a break-glass that is over. */
export async function reviewGlass(house: House, caller: Caller, grant: string): Promise<Registered> {
  const statement = caller.statement as EntryOf<"glass.reviewed">["statement"]
  const { asked, person } = caller
  const draft: Draft = { kind: "glass.reviewed", grant, person: person.person, asked, statement }
  const records = [
    { kind: "grant", id: grant },
    { kind: "glass", id: "glass" },
  ]
  const { index } = await propose(house, caller, { of: "motion", draft, records, grant })
  return { id: grant, entry: index }
}

type Named =
  | ("person" | "key" | "scope" | "grant" | "capture" | "organization" | "destination")
  | ("incident" | "model" | "backtest")
type Stated = Partial<Record<Named, string>> & {
  readonly terms?: Parameters<typeof termsKeys>[1]
}

/** The rows that a motion or stop reads or makes. */
async function keysOf(
  house: House,
  { statement, subject }: { readonly statement: object; readonly subject: string | null },
): Promise<KeyOf[]> {
  const { person, key, scope, grant, capture, organization, incident, terms } = statement as Stated
  const { model, backtest } = statement as Stated
  const { destination = subject?.startsWith("dst_") === true ? subject : undefined } = statement as Stated
  return [
    ...(terms === undefined ? [] : await termsKeys(house, terms)),
    ...(terms === undefined ? [] : [{ kind: "glass", id: "glass" }]),
    ...(subject === null ? [] : [{ kind: "grant", id: subject }]),
    ...(grant === undefined ? [] : [{ kind: "grant", id: grant }]),
    ...(grant === undefined || capture === undefined ? [] : [{ kind: "look", id: lookName(grant, capture) }]),
    ...(person === undefined ? [] : await watchKeys(house, person)),
    ...(key === undefined ? [] : [{ kind: "key", id: key }]),
    ...(capture === undefined ? [] : [{ kind: "boxes", id: capture }]),
    ...(organization === undefined ? [] : await chainKeys(house, organization)),
    ...(organization === undefined ? [] : [{ kind: "watch", id: organization }]),
    ...(incident === undefined ? [] : [{ kind: "incident", id: incident }]),
    ...(destination === undefined ? [] : [{ kind: "destination", id: destination }]),
    ...(model === undefined ? [] : [{ kind: "model", id: model }, rulesKey]),
    ...(backtest === undefined ? [] : [{ kind: "backtest", id: backtest }]),
    ...(scope === undefined
      ? []
      : [
          { kind: "stop", id: scope },
          { kind: "port", id: scope },
        ]),
  ]
}
