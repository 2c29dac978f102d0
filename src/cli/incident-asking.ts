import type { LinkageShown } from "../custody/adjudication.ts"
import { estimateIn, withEstimate } from "../incident/with-estimate.ts"
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

/** The newest linkage of an incident, or `null`. */
export async function linkageAt(client: Client, { linkage }: IncidentState): Promise<LinkageShown | null> {
  if (linkage === null) return null
  return client.json<LinkageShown>({ method: "GET", path: `/v1/linkages/${encodeURIComponent(linkage)}` })
}

/** The newest result with the estimate of people, as a statement states it. */
export async function statedAt(client: Client, held: IncidentState): Promise<ScopeResult | null> {
  const [result, linkage] = [await resultAt(client, held), await linkageAt(client, held)]
  return result === null || linkage === null ? result : withEstimate(result, estimateIn(linkage, held))
}
