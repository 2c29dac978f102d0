import type { Entry, EntryOf } from "./kinds.ts"
import { lookOf } from "./lookalike.ts"
import { mustHold, personsKey, record } from "./standing.ts"
import { names, type Effects, type State } from "./state.ts"

type Registered = Extract<
  Entry,
  {
    readonly kind:
      | "organization.added"
      | "organization.suspended"
      | "contract.added"
      | "contract.attested"
      | "person.suspended"
      | "port.added"
      | "lane.added"
      | "reader.enrolled"
  }
>

/** What a custodian registers or suspends. */
export function registered(entry: Registered, state: State): Effects["records"] {
  switch (entry.kind) {
    case "organization.added":
      return [
        record("organization", entry.organization, {
          organization: entry.organization,
          ...entry.statement,
          suspended: false,
        }),
      ]
    case "organization.suspended": {
      const held = mustHold(state.record("organization", entry.organization))
      return [record("organization", entry.organization, { ...held, suspended: entry.statement.suspended })]
    }
    case "contract.added":
      return [record("contract", entry.contract, { contract: entry.contract, ...entry.statement })]
    case "contract.attested": {
      const held = mustHold(state.record("contract", entry.contract))
      const others = held.attestations.filter(shown => shown.name !== entry.statement.name)
      const attestations = [...others, entry.statement]
      return [record("contract", entry.contract, { ...held, attestations })]
    }
    case "person.suspended": {
      const held = mustHold(state.record("person", entry.person))
      return [record("person", entry.person, { ...held, suspended: entry.statement.suspended })]
    }
    case "port.added":
      return [record("port", entry.port, { port: entry.port, ...entry.statement })]
    case "lane.added":
      return [record("lane", entry.lane, { lane: entry.lane, ...entry.statement })]
    case "reader.enrolled":
      return readerRecords(entry, state)
  }
}

/** The name that an entry takes, where names must be told apart: organizations, ports, and the lanes of one port. */
export function takenName(entry: { readonly kind: string }): string | null {
  const { kind, statement } = entry as Extract<
    Entry,
    { kind: "organization.added" | "port.added" | "lane.added" }
  >
  if (kind === "organization.added") return `organization/${lookOf(statement.name)}`
  if (kind === "port.added") return `port/${lookOf(statement.name)}`
  return kind === "lane.added" ? `lane/${statement.port}/${lookOf(statement.name)}` : null
}

export function takenBy(entry: Registered): Effects["members"] {
  const member = takenName(entry)
  return member === null ? [] : [{ set: names.taken, member, value: 1 }]
}

function readerRecords({ reader, statement }: EntryOf<"reader.enrolled">, state: State): Effects["records"] {
  const { port } = mustHold(state.record("lane", statement.lane))
  return [
    record("reader", reader, {
      reader,
      port,
      ...statement,
      last_sequence: 0,
      last_day: "",
      last_admitted_at: "",
    }),
    record("key", statement.key, { ...personsKey(null), reader }),
  ]
}
