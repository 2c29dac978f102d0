import { expect, test } from "vitest"
import { madeLog, type MadeLog } from "../../test/made-log.ts"
import type { Cause } from "../incident/scope.ts"
import type { Windows } from "../scope/figures.ts"
import { countedTwice } from "./scope-engines.ts"

const day_ms = 86_400_000

/** A window of the log in days from its first entry, with halves of days. */
function windowOf({ entries }: MadeLog, from: number, until: number): Windows {
  const first_ms = Date.parse(entries[0]!.at)
  const time = (days: number) => new Date(first_ms + days * day_ms).toISOString()
  const narrower = from + 30 < until - 30 ? { from: time(from + 30), until: time(until - 30) } : null
  return {
    from: time(from),
    until: time(until),
    narrower,
    wider: { from: time(from - 30), until: time(until + 30) },
  }
}

function causesOf({ organizations, people, devices, networks, traces }: MadeLog): Cause[] {
  return [
    { of: "organizations", organizations: organizations.slice(1, 2) },
    { of: "organizations", organizations },
    { of: "people", people: people.slice(2, 6) },
    { of: "devices", devices: devices.slice(0, 1) },
    { of: "networks", networks: networks.slice(0, 1) },
    { of: "files", traces: traces.slice(-1) },
  ]
}

test("both engines give the same integers on logs that no rule led to, for each kind of cause", async () => {
  const seen = { left: 0, refused: 0, takeable: 0, vehicles: 0 }
  for (let seed = 1; seed <= 12; seed += 1) {
    const made = madeLog(seed, 400)
    for (const [nth, cause] of causesOf(made).entries()) {
      const windows = nth % 2 === 0 ? windowOf(made, -5, 400) : windowOf(made, 10.3, 74.6)
      const isCanary = (capture: string) => seed % 3 === 0 && capture.endsWith("7")
      const rows = (ids: readonly string[]) => new Map([...made.beside].filter(([id]) => ids.includes(id)))
      const beside = { rows: (ids: readonly string[]) => Promise.resolve(rows(ids)) }
      const { answer } = await countedTwice(made.log, {
        cause,
        windows,
        isCanary,
        beside: seed % 4 === 0 ? null : beside,
      })
      const { left, refused, takeable } = answer.figures
      seen.left += left.images
      seen.refused += refused.images
      seen.takeable += takeable.images
      seen.vehicles += left.vehicles_delivered
      const { ids } = answer
      const together = new Set([...ids.left, ...ids.refused, ...ids.takeable])
      expect(together.size, `seed ${seed}: sets are disjoint`).toBe(
        ids.left.length + ids.refused.length + ids.takeable.length,
      )
      expect([...together].filter(isCanary)).toEqual([])
      expect(left.images_delivered).toBeLessThanOrEqual(left.images)
      expect(answer.figures.window_30d.narrower).toBeLessThanOrEqual(left.images)
      expect(answer.figures.window_30d.wider).toBeGreaterThanOrEqual(left.images)
    }
  }
  // Logs in which nothing happens would agree too.
  for (const [name, count] of Object.entries(seen)) expect(count, name).toBeGreaterThan(200)
})

test("a row that one of them read otherwise is seen: no figure, and where they differ", async () => {
  const made = madeLog(99, 300)
  const windows = windowOf(made, -1, 400)
  const of = {
    cause: { of: "organizations", organizations: made.organizations } as const,
    windows,
    beside: null,
  }
  const isCanary = () => false
  await countedTwice(made.log, { ...of, isCanary })
  const { permits } = made.log.rows
  const dropped = permits.find(
    ({ capture }) => permits.filter(each => each.capture === capture).length === 1,
  )!
  permits.splice(permits.indexOf(dropped), 1)
  await expect(countedTwice(made.log, { ...of, isCanary })).rejects.toMatchObject({ code: "SCOPE_DIFFERS" })
})
