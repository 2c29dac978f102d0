import { textOf } from "../bytes.ts"
import { Fault } from "../fault.ts"
import { may } from "../grant/office.ts"
import type { ScopeResult } from "../incident/scope.ts"
import type { KeyOf } from "../ledger/ledger.ts"
import type { IncidentKind, IncidentState } from "../log/incidents.ts"
import type { Draft } from "../log/kinds.ts"
import { sha256Hex } from "../vault/vault.ts"
import { recordOf, type Caller } from "./caller.ts"
import type { House } from "./house.ts"
import { propose } from "./propose.ts"

/** An incident as it is kept: its record, its newest result, and how an entry more is put to it. */

export interface IncidentEntry {
  readonly incident: string
  readonly entry: number
  /** Set where the same request had declared it before. */
  readonly again?: true
}

/** An incident as the log has it. @throws Fault NOT_FOUND */
export async function incidentOf(house: House, incident: string): Promise<IncidentState> {
  const held = await recordOf(house, "incident", incident)
  if (held === null)
    throw new Fault("NOT_FOUND", `there is no incident ${incident}`, { next: "sallyport incident ls" })
  return held
}

/** That a vendor's own report was received, and nothing else of the incident. */
export interface ReceivedReport {
  readonly incident: string
  readonly received_at: string
  /** Index of the entry that says so. */
  readonly entry: number
  /** Its receipt (c2sp.org/tlog-proof), with the report as it was signed. */
  readonly receipt: string
}

/**
 * What a vendor reads of a report of his organization's.
 * @returns `null` for whatever his organization did not report, and whoever may not report.
 */
export async function ownReport(
  house: House,
  { person }: Caller,
  incident: string,
): Promise<ReceivedReport | null> {
  if (!may(person.office, "report")) return null
  const held = await recordOf(house, "incident", incident)
  if (held === null || !held.reported || held.organization !== person.organization) return null
  const { declared_at: received_at, entry } = held
  return { incident, received_at, entry, receipt: await house.log.receiptAt(entry) }
}

/** Puts an entry about an incident that is there into the log. */
export async function drafted(
  house: House,
  caller: Caller,
  draft: Extract<Draft, { kind: IncidentKind }>,
  records: readonly KeyOf[] = [],
): Promise<IncidentEntry> {
  const { incident } = draft
  const key = { kind: "incident", id: incident }
  const { index } = await propose(house, caller, { of: "incident", draft, records: [key, ...records] })
  return { incident, entry: index }
}

/** @throws Fault INCIDENT_VERSION before any work is done. */
export function assertVersion(held: IncidentState, version: number): void {
  if (held.version === version) return
  throw new Fault(
    "INCIDENT_VERSION",
    `version ${held.version} of the incident is in force; this is of version ${version}`,
    {
      next: `sallyport incident show ${held.incident}, then the same again`,
    },
  )
}

/** Where a scope's result is kept. */
export function resultName(incident: string, result_sha256: string): string {
  return `incidents/${incident}/${result_sha256}.json`
}

/** The newest scope's result, held against the digest in the log. @throws Fault NOT_FOUND, VAULT_OBJECT */
export async function resultOf(house: House, { incident, scoped }: IncidentState): Promise<ScopeResult> {
  if (scoped === null)
    throw new Fault("NOT_FOUND", "nothing of the incident was counted yet", {
      next: `sallyport incident scope ${incident}`,
    })
  const bytes = await house.objects.get(resultName(incident, scoped.result_sha256))
  const text = bytes === null || sha256Hex(bytes) !== scoped.result_sha256 ? null : textOf(bytes)
  if (text === null)
    throw new Fault("VAULT_OBJECT", "the stored result is not the one that the log names", {
      next: `sallyport incident scope ${incident}: the same log gives the same result`,
    })
  return JSON.parse(text) as ScopeResult
}
