import { Fault } from "../fault.ts"
import { judge } from "../log/judge.ts"
import type { Draft, EntryOf } from "../log/kinds.ts"
import type { Appended } from "../log/sequencer.ts"
import { destroyedName, names } from "../log/state.ts"
import { openText } from "../vault/keys.ts"
import { circleOf, type Caller } from "./caller.ts"
import { wanting } from "../ledger/ledger.ts"
import type { House } from "./house.ts"
import { propose } from "./propose.ts"

/** Whoever looks through the log is in it, with what he asked for, before he sees it. */
export async function noteReading(
  house: House,
  caller: Caller,
  what: EntryOf<"log.read">["what"],
): Promise<void> {
  const { person } = caller.person
  const draft: Draft = {
    kind: "log.read",
    person,
    what,
    // What is asked of canaries would say which, and where they are to come.
    asked: caller.session === null && what !== "canaries" ? caller.asked : null,
  }
  await appendJudged(house, caller, { draft, refused: "the log was not shown" })
}

/** The texts behind an entry's commitments, by field. That someone saw them is in the log before he does. */
export async function readOpenings(
  house: House,
  caller: Caller,
  entry: number,
): Promise<Readonly<Record<string, string | null>>> {
  const rows = await house.ledger.openings(entry)
  if (rows.length === 0) return {}
  const { asked, person } = caller
  const draft: Draft = { kind: "opening.read", entry, person: person.person, asked }
  await appendJudged(house, caller, { draft, refused: "the entry's texts were not shown" })
  return Object.fromEntries(rows.map(({ field, value }) => [field, openText(house.keys.root, field, value)]))
}

async function appendJudged(
  house: House,
  caller: Caller,
  { draft, refused }: { readonly draft: Draft; readonly refused: string },
): Promise<void> {
  await house.log.append({
    wanted: wanting({ records: await circleOf(house, caller) }),
    draft: (state, now_ms) => {
      const code = judge(draft, state, now_ms)
      if (code !== null) throw new Fault(code, refused)
      return { entry: draft }
    },
  })
}

/**
 * Destroys the text behind one commitment: the row goes in the transaction of the entry that says so. Every proof stays.
 * @throws Fault NOT_FOUND where no such text is kept.
 */
export async function destroyOpening(house: House, caller: Caller): Promise<Appended> {
  const statement = caller.statement as EntryOf<"opening.destroyed">["statement"]
  const { entry, field } = statement
  const rows = await house.ledger.openings(entry)
  const isDone = (await house.ledger.member(names.destroyed, destroyedName(entry, field))) > 0
  if (!isDone && !rows.some(row => row.field === field))
    throw new Fault("NOT_FOUND", `entry ${entry} keeps no text for ${field}`)
  return propose(house, caller, {
    of: "opening",
    draft: { kind: "opening.destroyed", person: caller.person.person, asked: caller.asked, statement },
    records: [],
    members: [{ set: names.destroyed, member: destroyedName(entry, field) }],
    destroyed: [{ entry, field }],
  })
}
