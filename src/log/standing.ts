import { assert } from "../fault.ts"
import type { GrantState } from "../grant/decide.ts"
import { levels, type Level } from "../grant/level.ts"
import { defaultPolicy, type Policy } from "../grant/policy.ts"
import type { Effects, RecordKind, Records, State } from "./state.ts"

/** What stands, read off a state: who signed, which policy is in force, who is above whom; and how a record is written. */

export function record<K extends RecordKind>(
  kind: K,
  id: string,
  body: Records[K],
): Effects["records"][number] {
  return { kind, id, body }
}

export function mustHold<T>(held: T | null): T {
  assert(held !== null, "an entry changes what an earlier one made")
  return held
}

export function personsKey(
  person: string | null,
  kind: Records["key"]["kind"] = "ed25519",
  credential: string | null = null,
): Records["key"] {
  return { person, reader: null, kind, credential }
}

/** The person whose key signed the request, or `null`. A sign-in at the identity provider signs nothing. */
export function signerOfRequest(key: string, state: State): Records["person"] | null {
  const held = state.record("key", key)
  const person = held === null || held.kind === "subject" ? null : held.person
  return person === null ? null : state.record("person", person)
}

/** The grant with those of its approvals whose signers have not changed their office since. */
export function standingGrant(grant: GrantState, state: State): GrantState {
  const moved = state.record("moves", "moves")?.people ?? []
  const approvals = grant.approvals.filter(
    ({ person, entry }) => !moved.some(each => each.person === person && each.at > entry),
  )
  return approvals.length === grant.approvals.length ? grant : { ...grant, approvals }
}

/** The policy in force. */
export function policyOf(state: State): Policy {
  return state.record("policy", "policy") ?? defaultPolicy
}

/** The level that a member of a `held/` set stands for. */
export function levelAt(value: number): Level {
  return levels[value] ?? "L0"
}

/** The organization at the top of the tree: a prime, or the agency. */
export function rootOf(organization: string, state: State): string {
  const parent = state.record("organization", organization)?.parent ?? null
  return parent === null ? organization : rootOf(parent, state)
}
