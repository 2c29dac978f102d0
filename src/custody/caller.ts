import type { Asked, Opening, Statement } from "../grant/request.ts"
import type { KeyOf } from "../ledger/ledger.ts"
import type { Records } from "../log/state.ts"
import type { House } from "./house.ts"

/** A person whose signed request was verified at the door. */
export interface Caller {
  readonly person: Records["person"]
  readonly asked: Asked
  readonly statement: Statement
  readonly openings: Readonly<Record<string, Opening>>
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

/** The keys of an organization's record and of all above it. Who is above whom never changes. */
export async function chainKeys(house: House, organization: string): Promise<KeyOf[]> {
  const key = { kind: "organization", id: organization }
  const held = await recordOf(house, "organization", organization)
  return held?.parent == null ? [key] : [key, ...(await chainKeys(house, held.parent))]
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
