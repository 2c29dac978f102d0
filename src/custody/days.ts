import type { Records } from "../log/state.ts"
import { wanting } from "../ledger/ledger.ts"
import type { House } from "./house.ts"

const day_ms = 86_400_000
const maxLife_days = 14

/**
 * Destroys the key of each past day whose captures are all examined and that every reader has reported past, or that is
 * over 14 days old: recorded traffic and old headers open nothing from then on. The entry comes first.
 * @returns the days destroyed.
 */
export async function destroyDays(house: House): Promise<string[]> {
  const today = new Date(house.log.clock()).toISOString().slice(0, 10)
  const oldest = new Date(house.log.clock() - maxLife_days * day_ms).toISOString().slice(0, 10)
  const rows = await house.ledger.records("reader", { limit: 1000 })
  const readers = rows.map(row => JSON.parse(row.body) as Records["reader"])
  const destroyed: string[] = []
  for (const key of await house.ledger.identities()) {
    const day = key.name.startsWith("day/") && key.wrapped !== null ? key.name.slice("day/".length) : null
    if (day === null || day >= today) continue
    const waiting = await house.ledger.captures({ sealedTo: key.name, examined: false, limit: 1 })
    const isPassed = readers.every(reader => reader.last_day > day)
    if (day >= oldest && (waiting.length > 0 || !isPassed)) continue
    await house.log.append({
      wanted: wanting({ records: [{ kind: "day", id: day }] }),
      draft: () => ({ entry: { kind: "day.destroyed", day } }),
    })
    await house.ledger.destroyIdentity(key.name, { escrowToo: true })
    destroyed.push(day)
  }
  return destroyed
}
