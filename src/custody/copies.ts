import { Fault } from "../fault.ts"
import { parseEntry, type EntryOf, type Kind } from "../log/kinds.ts"
import { names, permitName } from "../log/state.ts"
import type { House } from "./house.ts"

/** Somebody who has a copy of a capture. */
export interface Holder {
  readonly person: string
  readonly organization: string
  /** Of his first copy, and of its delivery where one is known. */
  readonly permit: number
  readonly delivered: number | null
  readonly at: string
  readonly grant: string
  readonly level: string
}

const page = 500

/** Levels that show something of the picture. */
const showing = new Set(["L2", "L3", "L4"])

/**
 * Everybody whom a copy of the capture was made for, by his first permit that shows something.
 * `null` beyond `most` of them.
 */
export async function holdersOf(
  house: House,
  capture: string,
  most: number,
): Promise<readonly Holder[] | null> {
  const people = new Map<string, Holder>()
  const set = names.copies(capture)
  for (let after: string | null = null; ;) {
    const rows = await house.ledger.members({
      ...{ set, limit: page },
      ...(after === null ? {} : { after: { set, member: after } }),
    })
    for (const { member } of rows) {
      const index = Number(member)
      const { by, at, level } = await entryOfKind(house, index, "permit")
      if (by === null || !showing.has(level) || people.has(by.person)) continue
      const delivered = await house.ledger.member(names.delivered, permitName(index))
      people.set(by.person, {
        ...{ person: by.person, organization: by.organization, permit: index, at, grant: by.grant, level },
        delivered: delivered === 0 ? null : delivered,
      })
      if (people.size > most) return null
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < page) return [...people.values()]
    after = last.member
  }
}

/** The entry at `index`. @throws Fault INTERNAL unless it is of that kind. */
export async function entryOfKind<K extends Kind>(house: House, index: number, kind: K): Promise<EntryOf<K>> {
  const [row] = await house.ledger.entries(index, index + 1)
  const entry = row === undefined ? null : parseEntry(row.bytes)
  if (entry?.kind !== kind) throw new Fault("INTERNAL", `entry ${index} is not of kind ${kind}`)
  return entry as EntryOf<K>
}
