import { newId } from "../ids.ts"
import type { KeyOf } from "../ledger/ledger.ts"
import type { Draft, EntryOf } from "../log/kinds.ts"
import { chainKeys, recordOf, type Caller } from "./caller.ts"
import type { House } from "./house.ts"
import { propose } from "./propose.ts"
import type { Registered } from "./register.ts"

type Proposed = EntryOf<"motion.proposed">

/** What needs two people (NIST AC-3(2)): the first proposes it, and nothing is in effect before the second signs it. */
export async function proposeMotion(
  house: House,
  caller: Caller,
  act: Exclude<Proposed["act"], "enroll">,
): Promise<Registered> {
  const motion = newId("mot")
  const statement = caller.statement as Proposed["statement"]
  const draft: Draft = { kind: "motion.proposed", motion, act, subject: null, asked: caller.asked, statement }
  const records = [{ kind: "motion", id: motion }, ...keysOf(statement)]
  const { index } = await propose(house, caller, { of: "motion", draft, records })
  return { id: motion, entry: index, motion }
}

/** The second person's yes or no. */
export async function secondMotion(house: House, caller: Caller, motion: string): Promise<Registered> {
  const statement = caller.statement as EntryOf<"motion.seconded">["statement"]
  const { asked, person } = caller
  const held = await recordOf(house, "motion", motion)
  const stated = held?.statement as { organization?: string } | undefined
  const records = [
    { kind: "motion", id: motion },
    ...(held === null ? [] : [{ kind: "person", id: held.subject ?? held.proposer }]),
    ...(held === null ? [] : keysOf(held.statement)),
    ...(stated?.organization === undefined ? [] : await chainKeys(house, stated.organization)),
  ]
  const draft: Draft = { kind: "motion.seconded", motion, person: person.person, asked, statement }
  const { index } = await propose(house, caller, { of: "motion", draft, records })
  return { id: motion, entry: index }
}

/** One person stops every release and reveal of the vault or of a port's captures, at once. */
export async function orderStop(house: House, caller: Caller): Promise<Registered> {
  const statement = caller.statement as EntryOf<"stop.ordered">["statement"]
  const { scope } = statement
  const { asked, person } = caller
  const draft: Draft = { kind: "stop.ordered", scope, person: person.person, asked, statement }
  const { index } = await propose(house, caller, { of: "stop", draft, records: keysOf(statement) })
  return { id: scope, entry: index }
}

/** The rows that the statement of a motion or stop names. */
function keysOf(statement: object): KeyOf[] {
  const { person, key, scope } = statement as { person?: string; key?: string; scope?: string }
  return [
    ...(person === undefined ? [] : [{ kind: "person", id: person }]),
    ...(key === undefined ? [] : [{ kind: "key", id: key }]),
    ...(scope === undefined
      ? []
      : [
          { kind: "stop", id: scope },
          { kind: "port", id: scope },
        ]),
  ]
}
