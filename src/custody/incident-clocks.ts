import { Fault } from "../fault.ts"
import { parseFacts, type ClockFacts } from "../incident/clock-facts.ts"
import { evaluate, type Clock, type Run } from "../incident/clocks.ts"
import { gaugesOf, type Standing } from "../incident/gauges.ts"
import type { ScopeResult } from "../incident/scope.ts"
import { seriesOf } from "../incident/thresholds.ts"
import type { HeldMessage } from "../ledger/ledger.ts"
import { incidentLimits, parties, type IncidentStatement } from "../log/incident-shapes.ts"
import { clockOf, isRunning, type IncidentState } from "../log/incidents.ts"
import type { Draft, EntryOf } from "../log/kinds.ts"
import { statedResult } from "./adjudication.ts"
import { recordOf, type Caller } from "./caller.ts"
import { packsOf } from "./clock-packs.ts"
import type { House } from "./house.ts"
import { assertVersion, drafted, incidentOf, type IncidentEntry } from "./incident-record.ts"

/** The clocks of an incident: from what its statement and scope say, by the packs that come along. */

/** @throws Fault CLOCK_FACTS for a word that the clocks' language does not have, and for times and zones that are none. */
export function assertFacts(statement: IncidentStatement): void {
  factsOf(statement, { counts: {}, acknowledgements: [] })
}

type Counted = Pick<ClockFacts, "counts" | "acknowledgements">

/** Whoever discovered something, or of whom something is stated, is in the chain of notice. */
function factsOf({ facts, discovered }: IncidentStatement, counted: Counted): ClockFacts {
  const named = parties.filter(
    party => facts.parties?.[party] !== undefined || discovered.some(each => each.party === party),
  )
  const chain = named.map(party => {
    const { roles = null, zone = "UTC", moments = {} } = facts.parties?.[party] ?? {}
    const at = discovered.find(each => each.party === party)?.at
    return [party, { roles, zone, moments: at === undefined ? moments : { ...moments, discovered: at } }]
  })
  const { elements = {}, findings = {}, residents = {}, encryption } = facts
  const whole = { v: 1, parties: Object.fromEntries(chain), elements, findings, residents, ...counted }
  return parseFacts(JSON.stringify(encryption === undefined ? whole : { ...whole, encryption }, null, 1))
}

/** Everything that clocks are reckoned from. A scope of an earlier version counts nothing. */
function clockFacts(held: IncidentState, result: ScopeResult | null): ClockFacts {
  const { running = [], earlier = [] } = held.clocks ?? {}
  const acknowledgements = [...running, ...earlier].flatMap(({ pack, rule, party, acknowledged }) =>
    acknowledged.map(({ receiver, reference, acknowledged_at: at }) => ({
      ...{ rule, pack, party, receiver, at, reference },
    })),
  )
  return factsOf(held.statement, { counts: result?.left ?? {}, acknowledgements })
}

/** How every clock stands now, whether it was started or not, and every threshold of the packs. */
export async function standingClocks(house: House, held: IncidentState): Promise<Standing> {
  const isCounted = held.scoped !== null && held.scoped.version === held.version
  const result = isCounted ? await statedResult(house, held) : null
  const facts = clockFacts(held, result)
  const packs = packsOf(house).map(({ pack }) => pack)
  const evaluation = evaluate(packs, facts, { now_ms: house.log.clock(), law: "then" })
  return { ...evaluation, thresholds: gaugesOf(packs, facts, result === null ? {} : seriesOf(result)) }
}

export interface StartedClocks extends IncidentEntry {
  readonly clocks: EntryOf<"clocks.started">["clocks"]
}

/** Starts the clocks that run or may run, in place of those that ran before. @throws Fault INCIDENT_VERSION */
export async function startClocks(house: House, caller: Caller, incident: string): Promise<StartedClocks> {
  const statement = caller.statement as EntryOf<"clocks.started">["statement"]
  const held = await incidentOf(house, incident)
  assertVersion(held, statement.version)
  const evaluation = await standingClocks(house, held)
  const clocks = evaluation.clocks.flatMap(started)
  if (clocks.length > incidentLimits.clocks)
    throw new Fault(
      "CLOCK_PACK",
      `${clocks.length} clocks would run; one entry takes ${incidentLimits.clocks}`,
    )
  const packs = new Map(
    evaluation.clocks.map(({ pack: { id, version, sha256 } }) => [
      `${id} ${version}`,
      { pack: id, version, sha256 },
    ]),
  )
  const draft: Extract<Draft, { kind: "clocks.started" }> = {
    ...{ kind: "clocks.started", incident, person: caller.person.person, asked: caller.asked, statement },
    ...{ packs: [...packs.values()], clocks },
  }
  return { ...(await drafted(house, caller, draft)), clocks }
}

function started({ pack, rule, party, status, leads }: Clock): EntryOf<"clocks.started">["clocks"] {
  const run = runOf(status)
  if (run === null) return []
  const { started_at, due_at } = run
  const receivers = rule.recipients.map(({ id }) => id)
  const possible = status.state === "possible"
  return [{ pack: pack.id, rule: rule.id, party, started_at, due_at, receivers, possible, leads }]
}

function runOf(status: Clock["status"]): Run | null {
  return status.state === "waiting" || status.state === "not_triggered" ? null : status.run
}

/** Whether a reminder of a clock has nothing to remind of any more. */
export async function isClockOver(house: House, { event, body, entry }: HeldMessage): Promise<boolean> {
  if (event !== "clock.due" && event !== "clock.missed") return false
  const { data } = JSON.parse(body) as { data: Parameters<typeof clockOf>[1] & { incident: string } }
  const held = await recordOf(house, "incident", data.incident)
  if (held === null || held.status === "closed" || held.clocks?.entry !== entry) return true
  const clock = clockOf(held, data)
  return clock === null || !isRunning(clock)
}
