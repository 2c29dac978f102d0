import { decide, nearest, type Facts, type GrantState } from "../grant/decide.ts"
import { covers, levels } from "../grant/level.ts"
import { contractsFrom, factsFor } from "../log/facts.ts"
import { levelAt, mustHold, rootOf } from "../log/standing.ts"
import { names, type CaptureFacts } from "../log/state.ts"
import { nextTurn } from "../next-turn.ts"
import { isCovered } from "./draw.ts"
import { grantsIn, type Hit } from "./scope-cause.ts"
import type { ReadLog } from "./scope-reading.ts"

/** A grant that stands at the checkpoint, with what it reaches. */
export interface Live {
  readonly grant: string
  readonly holder: string
  readonly images_left: number
  /** Capture ids that its holder would be given one of, were he to ask for it first. */
  readonly captures: readonly string[]
}

/**
 * Grants of the cause under which something could still be taken at the time of the newest entry, by the decision table itself. Budgets
 * that come back by themselves (of the day, of 30 days) are taken as free, and a grant that starts later as begun.
 */
export async function liveGrants(hit: Hit, verified: ReadLog): Promise<Live[]> {
  const live: Live[] = []
  for (const grant of grantsIn(verified))
    if (grant.status === "approved" && hit.grant(grant)) live.push(...(await liveOf(grant, verified)))
  return live.sort((a, b) => (a.grant < b.grant ? -1 : 1))
}

/** Images that are held against a grant in one turn of the event loop: some 10 ms. */
const atOnce = 512

const unused = { person_day: 0, organization_day: 0, organization_30d: 0, vault_day: 0 }

async function liveOf({ grant: id, terms }: GrantState, { register, time_ms }: ReadLog): Promise<Live[]> {
  const person = register.record("person", terms.holder)
  const now_ms = Math.max(time_ms, Date.parse(terms.starts_at))
  const nowhere = { capture: "", lane: "", hour: "", admitted: 0, faces: 0 }
  const standing =
    person === null ? null : factsFor(register, { person, grant: id, capture: nowhere, now_ms })
  if (person === null || standing === null) return []
  const facts: Facts = { ...standing, used: unused, isSeconded: false }
  const ask = askFor(facts, contractsFrom(terms.contract, register))
  const reach = levels.filter(level => level !== "L0" && covers(terms.level, level)).reverse()
  const isReached = (capture: CaptureFacts): boolean => {
    const own = factsOf(facts, capture, register)
    return reach.some(level => decide({ ...ask, level }, own, now_ms) === null)
  }
  // Whether it stands for any image at all, so that a dead grant costs no walk over them.
  const some = { ...standing.capture, lane: terms.lanes[0] ?? "", hour: hourIn(terms), admitted: -1 }
  const any = {
    ...facts,
    held: "L0" as const,
    times: 1,
    capture: { ...some, capture: terms.captures?.[0] ?? "" },
  }
  if (!reach.some(level => decide({ ...ask, level }, any, now_ms) === null)) return []
  const lanes = new Set(terms.lanes)
  const captures: string[] = []
  let looked = 0
  for (const capture of register.captures.values()) {
    if (++looked % atOnce === 0) await nextTurn()
    if (lanes.has(capture.lane) && isCovered(capture, standing.grant) && isReached(capture))
      captures.push(capture.id)
  }
  const images_left = Math.max(0, terms.images - register.counter(names.images(id)))
  return [{ grant: id, holder: terms.holder, images_left, captures }]
}

function hourIn({ dates, hours }: GrantState["terms"]): string {
  return `${dates.first}T${String(hours.from).padStart(2, "0")}`
}

/** From where the grant allows it: its device, or the first that its contracts name. */
function askFor({ grant, person }: Facts, contracts: ReturnType<typeof contractsFrom>) {
  const [device = null] = nearest(contracts.map(each => each.devices))
  const [network = null] = nearest(contracts.map(each => each.networks))
  return {
    for: grant.terms.for,
    person: person.person,
    device: grant.terms.device ?? device,
    network,
  } as const
}

function factsOf(facts: Facts, capture: CaptureFacts, register: ReadLog["register"]): Facts {
  const { grant, person } = facts
  const { id, lane, hour, admitted, faces } = capture
  const root = rootOf(mustHold(person).organization, register)
  const isStopped = facts.isStopped || register.record("stop", capture.port)?.isStopped === true
  return {
    ...facts,
    isStopped,
    capture: { capture: id, lane, hour, admitted, faces },
    times: register.member(names.released(grant.grant), id),
    held: grant.terms.for === "reveal" ? "L0" : levelAt(register.member(names.held(root), id)),
  }
}
