import { utf8 } from "../bytes.ts"
import { canonical } from "../canonical.ts"
import { assert, Fault } from "../fault.ts"
import { newId } from "../ids.ts"
import type { ScopeQuery, ScopeResult } from "../incident/scope.ts"
import type { KeyOf, Wanted } from "../ledger/ledger.ts"
import type { IncidentStatement } from "../log/incident-shapes.ts"
import type { Draft, EntryOf } from "../log/kinds.ts"
import { names, onceName } from "../log/state.ts"
import { sha256Hex } from "../vault/vault.ts"
import type { Caller } from "./caller.ts"
import { isCanary } from "./canaries.ts"
import { entryOfKind } from "./copies.ts"
import type { House } from "./house.ts"
import { assertFacts } from "./incident-clocks.ts"
import {
  assertVersion,
  drafted,
  incidentOf,
  resultName,
  resultOf,
  type IncidentEntry,
} from "./incident-record.ts"
import type { IncidentState } from "../log/incidents.ts"
import { assertReason } from "./motions.ts"
import { isNetwork } from "./networks.ts"
import { propose } from "./propose.ts"
import { houseSources } from "./scope-reading.ts"
import { readAhead, scopeOf, type Scoped } from "./scope.ts"

/**
 * Declares an incident by what is known of it; or, `reported`, a vendor says that his own organization was breached. The same request
 * with the same key is one incident.
 * @param key  the request's Idempotency-Key.
 * @throws Fault IDEMPOTENCY where the key was used for another; of the rule that refuses, which is in the log.
 */
export async function declareIncident(
  house: House,
  caller: Caller,
  { reported, key }: { readonly reported: boolean; readonly key: string },
): Promise<IncidentEntry> {
  const statement = caller.statement as EntryOf<"incident.declared">["statement"]
  assertKnowable(statement)
  const { person } = caller.person
  const once = sha256Hex(utf8(key))
  const earlier = await declaredWith(house, onceName(person, once))
  if (earlier !== null) return sameAs(earlier, { statement, reported })
  const incident = newId("inc")
  const draft: Draft = {
    ...{ kind: "incident.declared", incident, person, reported, once },
    ...{ asked: caller.asked, statement },
  }
  try {
    const { index } = await propose(house, caller, {
      of: "incident",
      draft,
      records: [{ kind: "incident", id: incident }, ...causeKeys(statement)],
      members: [{ set: names.declared, member: onceName(person, once) }],
    })
    void readAhead(houseSources(house))
    return { incident, entry: index }
  } catch (error) {
    // The same request, at the same moment, was there first.
    const other =
      error instanceof Fault && error.code === "CONFLICT"
        ? await declaredWith(house, onceName(person, once))
        : null
    if (other === null) throw error
    return sameAs(other, { statement, reported })
  }
}

async function declaredWith(
  house: House,
  member: string,
): Promise<(EntryOf<"incident.declared"> & { readonly index: number }) | null> {
  const index = await house.ledger.member(names.declared, member)
  return index === 0 ? null : { ...(await entryOfKind(house, index, "incident.declared")), index }
}

/** Each note has its own salt, so it is not compared. */
function sameAs(
  earlier: EntryOf<"incident.declared"> & { readonly index: number },
  { statement, reported }: { readonly statement: IncidentStatement; readonly reported: boolean },
): IncidentEntry {
  const plain = ({ note_commitment, ...rest }: IncidentStatement) =>
    canonical({ ...rest, isNoted: note_commitment !== null })
  if (earlier.reported !== reported || plain(earlier.statement) !== plain(statement))
    throw new Fault("IDEMPOTENCY", "the key was used to declare another incident; take a new one", {
      notDone: "No incident was declared.",
      next: `sallyport incident show ${earlier.incident}`,
    })
  return { incident: earlier.incident, entry: earlier.index, again: true }
}

/** States the whole anew. @throws Fault INCIDENT_VERSION where somebody did so meanwhile. */
export async function amendIncident(house: House, caller: Caller, incident: string): Promise<IncidentEntry> {
  const statement = caller.statement as EntryOf<"incident.amended">["statement"]
  assertKnowable(statement)
  return stated(house, caller, { kind: "incident.amended", incident, statement }, causeKeys(statement))
}

/** One receiver of a notice acknowledged it. */
export function acknowledgeClock(house: House, caller: Caller, incident: string): Promise<IncidentEntry> {
  const statement = caller.statement as EntryOf<"clock.met">["statement"]
  return stated(house, caller, { kind: "clock.met", incident, statement })
}

/** What counsel says of a clock. */
export function signOffClock(house: House, caller: Caller, incident: string): Promise<IncidentEntry> {
  const statement = caller.statement as EntryOf<"clock.signed">["statement"]
  return stated(house, caller, { kind: "clock.signed", incident, statement })
}

export async function closeIncident(house: House, caller: Caller, incident: string): Promise<IncidentEntry> {
  assertReason(caller)
  const statement = caller.statement as EntryOf<"incident.closed">["statement"]
  return stated(house, caller, { kind: "incident.closed", incident, statement })
}

type Plain = "incident.amended" | "clock.met" | "clock.signed" | "incident.closed"
type Stated = { [K in Plain]: Pick<EntryOf<K>, "kind" | "incident" | "statement"> }[Plain]

/** An entry that says what its author stated and nothing more. */
async function stated(
  house: House,
  caller: Caller,
  of: Stated,
  records: readonly KeyOf[] = [],
): Promise<IncidentEntry> {
  const draft = { ...of, person: caller.person.person, asked: caller.asked } as Extract<
    Draft,
    { kind: Plain }
  >
  return drafted(house, caller, draft, records)
}

/** What the rules of a cause read. */
function causeKeys({ cause }: IncidentStatement): Wanted["records"] {
  const keys = (kind: string, ids: readonly string[]) => ids.map(id => ({ kind, id }))
  switch (cause.of) {
    case "organizations":
      return keys("organization", cause.organizations)
    case "people":
      return keys("person", cause.people)
    case "files":
      return keys("trace", cause.traces)
    case "devices":
    case "networks":
      return []
  }
}

/** @throws Fault INVALID, CLOCK_FACTS for what no rule of the log could judge. */
function assertKnowable(statement: IncidentStatement): void {
  const { cause } = statement
  const odd = cause.of === "networks" ? cause.networks.find(network => !isNetwork(network)) : undefined
  if (odd !== undefined)
    throw new Fault("INVALID", `${odd} is not a network; one is written 192.0.2.0/24 or 2001:db8::/32`)
  assertFacts(statement)
}

export interface ScopedIncident extends IncidentEntry {
  readonly result: ScopeResult
  readonly query_sha256: string
  readonly result_sha256: string
}

/**
 * Counts what left, was refused and can still be taken, from the verified log up to its newest checkpoint; keeps the result as an
 * object, and says so in the log.
 * @throws Fault of `scopeOf`: no figure is given, and why; INCIDENT_VERSION where the incident was stated anew meanwhile.
 */
export async function scopeIncident(house: House, caller: Caller, incident: string): Promise<ScopedIncident> {
  const statement = caller.statement as EntryOf<"incident.scoped">["statement"]
  const held = await incidentOf(house, incident)
  assertVersion(held, statement.version)
  const query = await queryOf(house, held.statement)
  const { result } = await scopeOf(houseSources(house), {
    ...{ incident, query },
    isCanary: capture => isCanary(house, capture),
  })
  const bytes = utf8(canonical(result))
  const query_sha256 = sha256Hex(utf8(canonical(query)))
  const result_sha256 = sha256Hex(bytes)
  await house.objects.putIfAbsent(resultName(incident, result_sha256), bytes)
  const { size, root } = result.checkpoint
  const [counted] = result.engines
  assert(counted !== undefined, "a result names its engines")
  const entry: Extract<Draft, { kind: "incident.scoped" }> = {
    ...{ kind: "incident.scoped", incident, person: caller.person.person, checkpoint: { size, root } },
    ...{ query_sha256, result_sha256, asked: caller.asked, statement },
    // Both engines agree, or there is no result.
    ...{ left: counted.left, refused: counted.refused, takeable: counted.takeable },
  }
  return { ...(await drafted(house, caller, entry)), result, query_sha256, result_sha256 }
}

export interface ScopedAgain extends Scoped {
  /** The result that the log names. */
  readonly result: ScopeResult
}

/** Reads once more which captures and disclosures the newest result counts. @throws Fault CONFLICT where the log gives others; of `scopeOf`, `resultOf`. */
export async function scopedAgain(house: House, held: IncidentState): Promise<ScopedAgain> {
  const result = await resultOf(house, held)
  const { size, root } = result.checkpoint
  const scoped = await scopeOf(houseSources(house), {
    ...{ incident: held.incident, query: result.query },
    checkpoint: { size, root: new Uint8Array(Buffer.from(root, "hex")) },
    isCanary: capture => isCanary(house, capture),
  })
  if (scoped.result.ids_sha256.left !== result.ids_sha256.left)
    throw new Fault("CONFLICT", "the log gives another set than the result that was signed", {
      next: `sallyport incident scope ${held.incident}`,
    })
  return { ...scoped, result }
}

/** What is not known stands for the widest: from the log's first entry, until now. */
async function queryOf(house: House, { cause, from, until }: IncidentStatement): Promise<ScopeQuery> {
  const genesis = await entryOfKind(house, 0, "genesis")
  return {
    cause,
    from: from ?? genesis.at,
    until: until ?? new Date(house.log.clock() + 1).toISOString(),
  }
}
