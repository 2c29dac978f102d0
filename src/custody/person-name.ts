import type { EntryRow } from "../ledger/ledger.ts"
import { parseEntry, type Kind } from "../log/kinds.ts"
import { openText } from "../vault/keys.ts"
import type { House } from "./house.ts"

/** Entries that enrol people. */
const enrolling: readonly Kind[] = ["person.enrolled", "motion.proposed", "genesis"]

const page = 200

/** The name that a person was enrolled under; `null` when it was destroyed. Reads the enrolments, newest first. */
export async function nameOfPerson(house: House, person: string): Promise<string | null> {
  for (const kind of enrolling) {
    for (let before: number | null = null; ;) {
      const rows: readonly EntryRow[] = await house.ledger.newestEntries({
        ...{ kind, limit: page },
        ...(before === null ? {} : { before }),
      })
      for (const row of rows) {
        if (!isOf(row, person)) continue
        const name = (await house.ledger.openings(row.index)).find(({ field }) => field === "name")
        if (name !== undefined) return openText(house.keys.root, "name", name.value)
      }
      const last = rows.at(-1)
      if (last === undefined || rows.length < page) break
      before = last.index
    }
  }
  return null
}

function isOf({ bytes }: EntryRow, person: string): boolean {
  const entry = parseEntry(bytes)
  if (entry?.kind === "motion.proposed") return entry.act === "enroll" && entry.subject === person
  return (entry?.kind === "person.enrolled" || entry?.kind === "genesis") && entry.person === person
}
