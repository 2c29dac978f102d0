import { recordOf } from "../src/custody/caller.ts"
import { proposeMotion } from "../src/custody/motions.ts"
import { suspend } from "../src/custody/register.ts"
import type { EventName } from "../src/log/event-table.ts"
import type { DestinationKind } from "../src/log/destinations.ts"
import type { OutboxSettings } from "../src/outbox/settings.ts"
import { callerOf, second, type Role, type TestPort } from "./port.ts"

/** What two people say of a destination. */
export interface Destined {
  readonly name: string
  readonly kind: DestinationKind
  readonly address: string
  readonly events: readonly EventName[]
  /** The agency's without it. */
  readonly organization?: string
  readonly rung?: number
}

/** The custodian proposes it. @returns its id and the motion's. */
export async function proposeDestination(
  port: TestPort,
  { name, kind, address, events, organization, rung = 0 }: Destined,
): Promise<{ readonly id: string; readonly motion: string }> {
  const { house, people } = port
  const agency = (await recordOf(house, "person", people.custodian.person))!.organization
  const statement = { name, kind, events: [...events], organization: organization ?? agency, rung }
  const path = "/v1/destinations"
  const caller = await callerOf(house, people.custodian, { path, statement, names: { address } })
  const { id, motion } = await proposeMotion(house, caller, "add-destination")
  return { id, motion: motion! }
}

export async function addDestination(port: TestPort, of: Destined): Promise<string> {
  const { id, motion } = await proposeDestination(port, of)
  await second(port.house, port.people.privacy, motion)
  return id
}

export async function organizationOf(port: TestPort, role: Role): Promise<string> {
  return (await recordOf(port.house, "person", port.people[role].person))!.organization
}

/** Suspends or resumes that person: an entry that tells something. @returns its index. */
export async function suspendPerson(port: TestPort, role: Role, suspended: boolean): Promise<number> {
  const { person } = port.people[role]
  const path = `/v1/people/${person}/suspension`
  const caller = await callerOf(port.house, port.people.privacy, { path, statement: { suspended } })
  return (await suspend(port.house, caller, { kind: "person", id: person })).entry
}

/** The vault's own settings, with loopback allowed for the destinations that are named and little patience. */
export function settingsOf(
  port: TestPort,
  names: readonly string[],
  changed: Partial<OutboxSettings> = {},
): OutboxSettings {
  const networks = Object.fromEntries(names.map(name => [name, ["127.0.0.0/8"]]))
  const pace = { timeout_ms: 1000, retryFirst_ms: 50, retryMost_ms: 200 }
  return { ...port.opened.outbox, networks, ...pace, ...changed }
}
