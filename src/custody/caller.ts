import type { Asked, Opening, Statement } from "../grant/request.ts"
import type { KeyOf, Wanted } from "../ledger/ledger.ts"
import { Register, signalName, type Records, type State } from "../log/state.ts"
import type { House } from "./house.ts"

/** A person whose signed request was verified at the door. */
export interface Caller {
  readonly person: Records["person"]
  readonly asked: Asked
  readonly statement: Statement
  readonly openings: Readonly<Record<string, Opening>>
  /** Where the request came from, as far as the server knows. */
  readonly address: string | null
  /** The browser's session that asks, which reads and does nothing else; `null` for a key or passkey. */
  readonly session: string | null
}

/** The newest state of a thing, from the ledger; `null` where there is none. */
export async function recordOf<K extends keyof Records>(
  house: House,
  kind: K,
  id: string,
): Promise<Records[K] | null> {
  const row = await house.ledger.record(kind, id)
  return row === null ? null : (JSON.parse(row.body) as Records[K])
}

/** All records of one kind, ids ascending. */
export async function* recordsOf<K extends keyof Records>(house: House, kind: K): AsyncGenerator<Records[K]> {
  for (let after = ""; ;) {
    const rows = await house.ledger.records(kind, { limit: 1000, after })
    for (const row of rows) yield JSON.parse(row.body) as Records[K]
    const last = rows.at(-1)
    if (last === undefined || rows.length < 1000) return
    after = last.id
  }
}

/** The keys of an organization's record and of all above it. Who is above whom never changes. */
export async function chainKeys(house: House, organization: string): Promise<KeyOf[]> {
  const key = { kind: "organization", id: organization }
  const held = await recordOf(house, "organization", organization)
  return held?.parent == null ? [key] : [key, ...(await chainKeys(house, held.parent))]
}

/** The keys of a person's record and of the organizations above: whose he is, for who hears of it. */
export async function personKeys(house: House, person: string): Promise<KeyOf[]> {
  const held = await recordOf(house, "person", person)
  const key = { kind: "person", id: person }
  return held === null ? [key] : [key, ...(await chainKeys(house, held.organization))]
}

/** The rows of the watch on a person and on the organization at the top of his tree, and those that a suspension writes. */
export async function watchKeys(house: House, person: string): Promise<KeyOf[]> {
  const held = await recordOf(house, "person", person)
  const chain = held === null ? [] : await chainKeys(house, held.organization)
  const root = chain.at(-1)?.id
  return [
    { kind: "person", id: person },
    { kind: "watch", id: person },
    ...chain,
    ...(root === undefined ? [] : [{ kind: "watch", id: root }]),
    ...[person, root ?? person].flatMap(id =>
      (["watch_asked", "watch_suspended"] as const).map(what => ({
        kind: "signal",
        id: signalName(id, what),
      })),
    ),
  ]
}

/** The keys of a contract's record and of those that it rests on. Which rests on which never changes. */
export async function contractKeys(house: House, contract: string): Promise<KeyOf[]> {
  const held = await recordOf(house, "contract", contract)
  const key = { kind: "contract", id: contract }
  return held?.under == null ? [key] : [key, ...(await contractKeys(house, held.under))]
}

/** The lane's record and the stops that could hold it. */
export async function stopKeys(house: House, lane: string): Promise<KeyOf[]> {
  const port = (await recordOf(house, "lane", lane))?.port
  const scopes = ["vault", ...(port === undefined ? [] : [port])]
  return [{ kind: "lane", id: lane }, ...scopes.map(id => ({ kind: "stop", id }))]
}

/**
 * The rows as they are stored, outside of any transaction: for a plan or a preview, which the sequencer's own judgement
 * follows.
 */
export async function stateOf(house: House, wanted: Wanted): Promise<State> {
  const { ledger } = house
  const present = async <T>(rows: readonly Promise<T | null>[]) =>
    (await Promise.all(rows)).filter(row => row !== null)
  return Register.of(wanted, {
    records: await present(wanted.records.map(({ kind, id }) => ledger.record(kind, id))),
    counters: await Promise.all(
      wanted.counters.map(async name => ({ name, value: await ledger.counter(name) })),
    ),
    members: await Promise.all(
      wanted.members.map(async of => ({ ...of, value: await ledger.member(of.set, of.member) })),
    ),
    captures: await present(wanted.captures.map(id => ledger.capture(id))),
  })
}

/** What every entry of this caller reads: the vault's record, the caller's key and person, the organizations above. */
export async function circleOf(house: House, caller: Caller): Promise<KeyOf[]> {
  return [
    { kind: "vault", id: "vault" },
    { kind: "key", id: caller.asked.key },
    { kind: "person", id: caller.person.person },
    ...(await chainKeys(house, caller.person.organization)),
  ]
}
