import { Fault, type FaultCode } from "../fault.ts"
import { decide, type Facts, type GrantState } from "../grant/decide.ts"
import { statementDigest } from "../grant/request.ts"
import { newId } from "../ids.ts"
import type { CaptureRow, DrawRow } from "../ledger/ledger.ts"
import type { EntryOf } from "../log/kinds.ts"
import { factsFor } from "../log/facts.ts"
import { names } from "../log/state.ts"
import { isCanary, withTouch } from "./canaries.ts"
import { personKeys, recordOf, stateOf, type Caller } from "./caller.ts"
import { wanting } from "../ledger/ledger.ts"
import { denial } from "./denial.ts"
import type { House } from "./house.ts"
import { askOf, wantedFor } from "./opening.ts"
import { refusedEntry } from "./propose.ts"

type DrawStated = Extract<NonNullable<EntryOf<"refused">["statement"]>, { count: unknown }>

/** Which images a draw will ask for, one signed request each. A plan charges nothing and opens nothing. */
export interface Plan {
  readonly draw: string
  readonly grant: string
  readonly level: string
  readonly captures: readonly string[]
  /** How many fewer there are than were asked for. */
  readonly short: number
}

/**
 * Picks the images of a draw: those asked for, or the oldest that the grant covers and has not released. The same
 * idempotency key gives the same plan, so a broken draw goes on where it stopped.
 * @throws Fault of the decision table, logged, when the grant would refuse every one of them, or the budget is smaller
 *         than what is asked for; IDEMPOTENCY when the key was used for another request.
 */
export async function planDraw(house: House, caller: Caller, idempotencyKey: string): Promise<Plan> {
  const stated = caller.statement as DrawStated
  const requestSha256 = statementDigest(caller.statement)
  const { person } = caller.person
  const grant = await recordOf(house, "grant", stated.grant)
  const held = await house.ledger.draw(person, idempotencyKey)
  if (held !== null && held.requestSha256 !== requestSha256) {
    throw new Fault("IDEMPOTENCY", "the key was used for another draw; take a new one")
  }
  if (held !== null && grant !== null) return planOf(held, grant, stated)
  const code = await refusal(house, caller, { stated, grant })
  if (code !== null || grant === null)
    return deny(house, caller, { stated, code: code ?? "GRANT_UNKNOWN", grant })
  const row: DrawRow = {
    id: newId("drw"),
    person,
    grant: grant.grant,
    idempotencyKey,
    requestSha256,
    captures: stated.captures ?? (await candidates(house, grant, stated.count ?? 0)),
    createdAt_ms: house.log.clock(),
  }
  if (row.captures.length === 0) {
    throw new Fault("NOT_FOUND", `grant ${grant.grant} covers no capture that it has not released`, {
      notDone: "Nothing was released.",
    })
  }
  const stored = (await house.ledger.addDraw(row)) ? row : await house.ledger.draw(person, idempotencyKey)
  return planOf(stored ?? row, grant, stated)
}

function planOf(row: DrawRow, { terms }: GrantState, stated: DrawStated): Plan {
  const short = Math.max(0, (stated.count ?? row.captures.length) - row.captures.length)
  return { draw: row.id, grant: row.grant, level: terms.level, captures: row.captures, short }
}

async function candidates(house: House, of: GrantState, count: number): Promise<string[]> {
  const { grant, terms } = of
  const picked: string[] = []
  let after: { after?: string } = {}
  while (picked.length < count) {
    const page = await house.ledger.captures({
      lanes: terms.lanes,
      examined: true,
      notIn: names.released(grant),
      limit: 500,
      ...after,
    })
    const covered = page.filter(row => isCovered(row, of) && !isCanary(house, row.id))
    picked.push(...covered.slice(0, count - picked.length).map(row => row.id))
    const last = page.at(-1)
    if (last === undefined || page.length < 500) break
    after = { after: last.id }
  }
  return picked
}

/** Whether dates, hours and selection of the grant let the capture through; its lane is asked for. */
export function isCovered(
  { id, hour, admitted }: Pick<CaptureRow, "id" | "hour" | "admitted">,
  { terms, frozen_at }: Pick<GrantState, "terms" | "frozen_at">,
): boolean {
  const { dates, hours, captures, selection } = terms
  const [date, clock] = [hour.slice(0, 10), Number(hour.slice(11, 13))]
  const isTimely = dates.first <= date && date <= dates.last && hours.from <= clock && clock < hours.until
  const isListed = captures === null || captures.includes(id)
  return isTimely && isListed && (selection === "open" || admitted < frozen_at)
}

/** Whether the grant refuses any image at all, or more than it has left. Each image is decided again when it is fetched. */
async function refusal(
  house: House,
  caller: Caller,
  ask: { stated: DrawStated; grant: GrantState | null },
): Promise<FaultCode | null> {
  if (ask.grant === null) return "GRANT_UNKNOWN"
  const facts = await factsOfAny(house, caller, ask.grant)
  if (facts === null) return "GRANT_UNKNOWN"
  const { level } = ask.grant.terms
  const now_ms = house.log.clock()
  const fresh = { ...facts, images: 0, times: 0, held: "L0" as const }
  const asks = askOf(caller, { for: "release", person: caller.person.person, level }, facts)
  const any = decide(asks, fresh, now_ms)
  if (any !== null) return any
  const asked = ask.stated.count ?? 0
  return facts.images + asked > ask.grant.terms.images ? "GRANT_BUDGET" : null
}

/** The facts of an image that the grant covers, whichever it is. */
async function factsOfAny(house: House, caller: Caller, { grant, terms }: GrantState): Promise<Facts | null> {
  const [lane = ""] = terms.lanes
  const [capture = ""] = terms.captures ?? []
  const wanted = await wantedFor(house, caller, { grant, capture, lane })
  return factsFor(await stateOf(house, wanted), {
    person: caller.person,
    grant,
    capture: {
      capture,
      lane,
      hour: `${terms.dates.first}T${String(terms.hours.from).padStart(2, "0")}`,
      admitted: Number.NEGATIVE_INFINITY,
      faces: 0,
    },
    now_ms: house.log.clock(),
  })
}

async function deny(
  house: House,
  caller: Caller,
  why: { stated: DrawStated; code: FaultCode; grant: GrantState | null },
): Promise<never> {
  const { asked, person } = caller
  const refused = {
    of: "draw",
    code: why.code,
    person: person.person,
    grant: why.stated.grant,
    asked,
    statement: why.stated,
  } as const
  const wanted = wanting({ records: await personKeys(house, person.person) })
  const appended = await house.log.append({
    wanted,
    draft: (state, now_ms) => withTouch(house, refusedEntry(refused), { state, now_ms }),
  })
  const facts = why.grant === null ? null : await factsOfAny(house, caller, why.grant)
  throw denial(why.code, { facts, entry: appended.index, what: "Nothing was released." })
}
