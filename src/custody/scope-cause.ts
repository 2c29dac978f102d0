import { Fault } from "../fault.ts"
import { nearest, type GrantState } from "../grant/decide.ts"
import type { Cause } from "../incident/scope.ts"
import { contractsFrom } from "../log/facts.ts"
import type { Records } from "../log/state.ts"
import type { ReadLog } from "./scope-reading.ts"
import type { PermitRow, RefusedRow } from "./scope-rows.ts"

/** Whom an incident is about, as a question to each permit, refusal and grant. */
export interface Hit {
  readonly permit: (row: PermitRow) => boolean
  readonly refused: (row: RefusedRow) => boolean
  readonly grant: (grant: GrantState) => boolean
  /** Of found files: how many there are, how many are of no original here, and how many led to nobody. */
  readonly files: { readonly found: number; readonly foreign: number; readonly nobody: number } | null
}

/** A cause names at most so many. */
const mostNamed = 1000

/**
 * Whom a cause hits, as the log has it at the checkpoint. An organization stands for its tree, suspended ones too; who is above whom
 * never changes in the log, so one that merged is named beside the one that it went to.
 * @throws Fault INVALID for an empty or too long list; NOT_FOUND with the ids that the log does not have; CONFLICT for an open trace.
 */
export function hitOf(cause: Cause, verified: ReadLog): Hit {
  switch (cause.of) {
    case "organizations":
      return organizations(
        named(cause.organizations, id => verified.register.record("organization", id)),
        verified,
      )
    case "people":
      return people(new Set(named(cause.people, id => verified.register.record("person", id)).keys()))
    case "devices":
      return devices(cause.devices, verified)
    case "networks":
      return networks(cause.networks, verified)
    case "files":
      return files(named(cause.traces, id => verified.register.record("trace", id)))
  }
}

/** What the list names, by id. */
function named<T>(ids: readonly string[], find: (id: string) => T | null): ReadonlyMap<string, T> {
  if (ids.length === 0 || ids.length > mostNamed)
    throw new Fault(
      "INVALID",
      `a cause names 1 to ${mostNamed.toLocaleString("en-US")}; this one names ${ids.length}`,
      {
        notDone: "No figure was computed.",
      },
    )
  const found = new Map<string, T>()
  const missing: string[] = []
  for (const id of ids) {
    const one = find(id)
    if (one === null) missing.push(id)
    else found.set(id, one)
  }
  if (missing.length === 0) return found
  throw new Fault(
    "NOT_FOUND",
    `the log has no ${missing.slice(0, 5).join(", ")}${missing.length > 5 ? ", …" : ""}`,
    {
      notDone: "No figure was computed.",
      next: "the ids as the log has them at this checkpoint: sallyport org ls, person ls, contract ls, or trace show",
    },
  )
}

function people(held: ReadonlySet<string>): Hit {
  return {
    permit: ({ person }) => held.has(person),
    refused: ({ person }) => person !== null && held.has(person),
    grant: ({ terms }) => held.has(terms.holder),
    files: null,
  }
}

function organizations(tops: ReadonlyMap<string, Records["organization"]>, { register }: ReadLog): Hit {
  const isBelow = (id: string | null): boolean =>
    id !== null && (tops.has(id) || isBelow(register.record("organization", id)?.parent ?? null))
  const isOf = (person: string) => isBelow(register.record("person", person)?.organization ?? null)
  return {
    permit: ({ organization }) => isBelow(organization),
    refused: ({ person }) => person !== null && isOf(person),
    grant: ({ terms }) => isOf(terms.holder),
    files: null,
  }
}

function recordsIn<K extends keyof Records>({ register }: ReadLog, kind: K): Records[K][] {
  return [...register.records.values()]
    .filter(({ key }) => key.kind === kind)
    .map(({ body }) => body as Records[K])
}

export function grantsIn(verified: ReadLog): GrantState[] {
  return recordsIn(verified, "grant")
}

/** A device is known by a contract that names it, or by a request that it signed. */
function devices(list: readonly string[], verified: ReadLog): Hit {
  const used = new Map<string, Set<string>>()
  for (const { device, person } of verified.rows.permits)
    if (device !== null) used.set(device, (used.get(device) ?? new Set()).add(person))
  const isInContract = new Set(recordsIn(verified, "contract").flatMap(contract => contract.devices))
  const isInTerms = new Set(grantsIn(verified).map(({ terms }) => terms.device))
  const held = new Set(
    named(list, key => (isInContract.has(key) || isInTerms.has(key) || used.has(key) ? key : null)).keys(),
  )
  const theirs = new Set([...held].flatMap(device => [...(used.get(device) ?? [])]))
  return {
    permit: ({ device }) => device !== null && held.has(device),
    refused: ({ device }) => device !== null && held.has(device),
    grant: ({ terms }) => {
      if (terms.device !== null) return held.has(terms.device)
      const allowed = nearest(contractsFrom(terms.contract, verified.register).map(each => each.devices))
      return allowed.length > 0 ? allowed.some(device => held.has(device)) : theirs.has(terms.holder)
    },
    files: null,
  }
}

function networks(list: readonly string[], verified: ReadLog): Hit {
  const contracts = recordsIn(verified, "contract").flatMap(contract => contract.networks)
  const known = new Set([...contracts, ...verified.rows.permits.map(({ network }) => network)])
  const held = new Set(named(list, block => (known.has(block) ? block : null)).keys())
  return {
    permit: ({ network }) => network !== null && held.has(network),
    refused: ({ network }) => network !== null && held.has(network),
    grant: ({ terms }) =>
      nearest(contractsFrom(terms.contract, verified.register).map(each => each.networks)).some(block =>
        held.has(block),
      ),
    files: null,
  }
}

/** Those whose copies the found files are; where a file led to nobody, everybody who had its original. */
function files(traces: ReadonlyMap<string, Records["trace"]>): Hit {
  const verdicts = [...traces.values()].flatMap(trace => {
    if (trace.verdicts !== null) return trace.verdicts
    throw new Fault("CONFLICT", `the trace ${trace.trace} is not closed`, {
      notDone: "No figure was computed.",
      next: `sallyport trace, until it is closed: what it finds is what the scope goes by`,
    })
  })
  const accused = new Set(verdicts.flatMap(verdict => verdict.people.map(({ person }) => person)))
  const led = verdicts.filter(({ capture }) => capture !== null)
  const nobody = led.filter(verdict => verdict.people.length === 0)
  const open = new Set(nobody.map(({ capture }) => capture))
  const { permit, refused, grant } = people(accused)
  return {
    permit: row => permit(row) || open.has(row.capture),
    refused,
    grant,
    files: { found: verdicts.length, foreign: verdicts.length - led.length, nobody: nobody.length },
  }
}
