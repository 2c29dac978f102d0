import type { ScopeResult } from "../incident/scope.ts"
import type { IncidentState } from "../log/incidents.ts"
import type { Client } from "./client.ts"

export function pathOf(id: string, part = ""): string {
  return `/v1/incidents/${encodeURIComponent(id)}${part === "" ? "" : `/${part}`}`
}

export function incidentAt(client: Client, id: string): Promise<IncidentState> {
  return client.json<IncidentState>({ method: "GET", path: pathOf(id) })
}

/** The newest result, or `null` where nothing was counted yet. */
export async function resultAt(client: Client, held: IncidentState): Promise<ScopeResult | null> {
  if (held.scoped === null) return null
  return client.json<ScopeResult>({ method: "GET", path: pathOf(held.incident, "scope") })
}
