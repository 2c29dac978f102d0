import { parseEntry } from "../log/kinds.ts"
import { chainKeys, recordOf } from "./caller.ts"
import type { House } from "./house.ts"

/** What one day (UTC) let through to somebody, and refused him. */
export interface AlertDay {
  readonly date: string
  /** Distinct images. */
  readonly let_through: number
  /** Requests for images. */
  readonly refused: number
}

export interface AlertDays {
  /** The last 30, the oldest first. */
  readonly days: readonly AlertDay[]
  /** How many refusals were searched, and whether older ones of these days were left out. */
  readonly searched: number
  readonly is_cut: boolean
}

const days = 30
const day_ms = 86_400_000
const page = 200
const mostSearched = 20_000

const openings: readonly string[] = ["release", "reveal", "draw"]

/** The last 30 days of a person, or of an organization with all under it. Reads at most 20,000 refusals, of whomever. */
export async function lastDays(house: House, about: string): Promise<AlertDays> {
  const now_ms = house.log.clock()
  const dates = Array.from({ length: days }, (_, i) => dateOf(now_ms - (days - 1 - i) * day_ms))
  const used = (await recordOf(house, "usage", about))?.days ?? []
  const { counts, searched, is_cut } = await refusalsOf(house, { about, from: dates[0] ?? "" })
  const let_through = (date: string) => used.find(each => each.date === date)?.images ?? 0
  return {
    days: dates.map(date => ({ date, let_through: let_through(date), refused: counts.get(date) ?? 0 })),
    ...{ searched, is_cut },
  }
}

async function refusalsOf(
  house: House,
  { about, from }: { readonly about: string; readonly from: string },
): Promise<{
  readonly counts: ReadonlyMap<string, number>
  readonly searched: number
  readonly is_cut: boolean
}> {
  const counts = new Map<string, number>()
  const isOf = belonging(house, about)
  let searched = 0
  let before: { before?: number } = {}
  while (searched < mostSearched) {
    const rows = await house.ledger.newestEntries({ kind: "refused", limit: page, ...before })
    for (const { bytes } of rows) {
      const entry = parseEntry(bytes)
      if (entry?.kind !== "refused" || entry.person === null || !openings.includes(entry.of)) continue
      const date = entry.at.slice(0, 10)
      if (date < from) return { counts, searched, is_cut: false }
      if (await isOf(entry.person)) counts.set(date, (counts.get(date) ?? 0) + 1)
    }
    searched += rows.length
    const last = rows.at(-1)
    if (last === undefined || rows.length < page) return { counts, searched, is_cut: false }
    before = { before: last.index }
    await new Promise(resolve => setImmediate(resolve))
  }
  return { counts, searched, is_cut: true }
}

/** Whether a person is who it is about, or under the organization that it is about; each is looked up once. */
function belonging(house: House, about: string): (person: string) => Promise<boolean> {
  const known = new Map<string, boolean>([[about, true]])
  return async person => {
    const held = known.get(person)
    if (held !== undefined) return held
    const organization = about.startsWith("org_")
      ? (await recordOf(house, "person", person))?.organization
      : null
    const chain = organization == null ? [] : await chainKeys(house, organization)
    const is = chain.some(({ id }) => id === about)
    known.set(person, is)
    return is
  }
}

const dateOf = (at_ms: number) => new Date(at_ms).toISOString().slice(0, 10)
