import { faults, type FaultCode } from "../fault.ts"
import type { IncidentStatement } from "../log/incident-shapes.ts"
import { isRunning, type IncidentKind, type IncidentState } from "../log/incidents.ts"
import type { Draft } from "../log/kinds.ts"
import type { State } from "../log/state.ts"
import type { Explained } from "./explain.ts"

type IncidentDraft = Extract<Draft, { kind: IncidentKind }>

/** Why an entry about an incident was refused, and what would pass; `null` where the code says all there is. */
export function explainIncident(
  code: FaultCode,
  draft: IncidentDraft,
  of: { readonly state: State; readonly now_ms: number },
): Explained | null {
  const { state, now_ms } = of
  const held = draft.kind === "incident.declared" ? null : state.record("incident", draft.incident)
  if (code === "OFFICE" && draft.kind === "incident.declared")
    return draft.reported
      ? { detail: "A vendor reports; the agency's people declare.", next: "sallyport incident declare" }
      : {
          detail: "The agency's custodian, COR, privacy officer and analysts declare; a vendor reports.",
          next: "sallyport incident report",
        }
  if (code === "INCIDENT_OWN") return { detail: "A vendor reports a breach of his own organization." }
  if (draft.kind === "incident.declared" || draft.kind === "incident.amended")
    return ofStatement(code, draft, { held, now_ms, state })
  return held === null ? null : ofHeld(code, draft, held)
}

function ofStatement(
  code: FaultCode,
  draft: Extract<IncidentDraft, { kind: "incident.declared" | "incident.amended" }>,
  of: { readonly held: IncidentState | null; readonly now_ms: number; readonly state: State },
): Explained | null {
  const { statement } = draft
  if (code === "INCIDENT_WINDOW") return { detail: windowWords(statement, of.now_ms) }
  if (code === "INCIDENT_VERSION" && of.held !== null) return otherVersion(of.held)
  if (code === "INCIDENT_TRACE")
    return {
      detail: "A trace that is not closed says of no file yet whose copy it is.",
      next: "sallyport trace --ls",
    }
  if (code !== "NOT_FOUND") return null
  const unknown = unknownIn(statement, of.state)
  return unknown.length === 0
    ? null
    : { detail: `The log knows no ${unknown.join(", ")}.`, next: "sallyport org ls, person ls, trace --ls" }
}

function windowWords({ from, until, discovered }: IncidentStatement, now_ms: number): string {
  if (from !== null && until !== null && !(Date.parse(from) < Date.parse(until)))
    return `T2 (${until}) is not after T1 (${from}).`
  if (from !== null && !(Date.parse(from) <= now_ms)) return `T1 (${from}) lies ahead, or is no time.`
  const ahead = discovered.find(({ at }) => !(Date.parse(at) <= now_ms))
  if (ahead !== undefined)
    return `The ${ahead.party} cannot have discovered it at ${ahead.at}, which lies ahead.`
  const twice = discovered.find(({ party }, i) => discovered.findIndex(each => each.party === party) !== i)
  return twice === undefined ? `${faults.INCIDENT_WINDOW[2]}.` : `The ${twice.party} discovered it twice.`
}

function unknownIn({ cause }: IncidentStatement, state: State): readonly string[] {
  switch (cause.of) {
    case "organizations":
      return cause.organizations.filter(each => state.record("organization", each) === null)
    case "people":
      return cause.people.filter(each => state.record("person", each) === null)
    case "files":
      return cause.traces.filter(each => state.record("trace", each) === null)
    case "devices":
    case "networks":
      return []
  }
}

function otherVersion({ incident, version }: IncidentState): Explained {
  return {
    detail: `The incident was stated anew meanwhile: version ${version} is in force.`,
    next: `sallyport incident show ${incident}, then the same again`,
  }
}

function ofHeld(code: FaultCode, draft: IncidentDraft, held: IncidentState): Explained | null {
  const { incident, clocks } = held
  if (code === "INCIDENT_VERSION") return otherVersion(held)
  if (code === "INCIDENT_CLOCKS") return unsettled(held)
  if (
    code === "NOT_FOUND" ||
    code === "INCIDENT_WINDOW" ||
    (code === "CONFLICT" && draft.kind === "clock.met")
  )
    return ofClock(code, draft, incident)
  if (code !== "CONFLICT" || held.status !== "closed") return null
  const next = `sallyport incident amend ${incident}: what is stated anew is open again`
  return { detail: `The incident is closed${clocks === null ? "" : ", and its clocks with it"}.`, next }
}

function unsettled({ incident, clocks }: IncidentState): Explained {
  const running = (clocks?.running ?? []).filter(isRunning)
  if (clocks === null)
    return { detail: "Its clocks were never started.", next: `sallyport incident clocks ${incident} --start` }
  return {
    detail: `${running.length} clocks run, ${running[0]?.pack}/${running[0]?.rule} of the ${running[0]?.party} among them.`,
    next: `sallyport incident ack or sign-off for each; --outcome unfounded where nothing had happened`,
  }
}

function ofClock(code: FaultCode, draft: IncidentDraft, incident: string): Explained | null {
  if (draft.kind !== "clock.met" && draft.kind !== "clock.signed") return null
  const { pack, rule, party } = draft.statement
  const clock = `${pack}/${rule} of the ${party}`
  if (code === "CONFLICT") return { detail: `That receiver acknowledged ${clock} before.` }
  if (code === "INCIDENT_WINDOW")
    return { detail: `A notice is not acknowledged before ${clock} started, nor in a time that lies ahead.` }
  return {
    detail: `No clock ${clock} was started, or it has no such receiver.`,
    next: `sallyport incident show ${incident}`,
  }
}
