import { expect, test } from "vitest"
import { columnsByDay } from "./day-columns.ts"

const part = (key: string, images: number) => ({ key, images, files: images })

test("each day has its column, a day on which nothing left too, whatever the order", () => {
  expect(columnsByDay([part("2026-03-02", 5), part("2026-02-27", 1)], 60)).toEqual([
    { from: "2026-02-27", until: "2026-02-27", images: 1 },
    { from: "2026-02-28", until: "2026-02-28", images: 0 },
    { from: "2026-03-01", until: "2026-03-01", images: 0 },
    { from: "2026-03-02", until: "2026-03-02", images: 5 },
  ])
})

test("where there are more days than columns each column has several, and nothing is lost", () => {
  const days = Array.from({ length: 365 }, (_, n) =>
    part(new Date(Date.UTC(2026, 0, 1 + n)).toISOString().slice(0, 10), n),
  )
  for (const most of [1, 2, 7, 60, 364, 365, 400]) {
    const columns = columnsByDay(days, most)
    expect(columns.length).toBeLessThanOrEqual(most)
    expect(columns.reduce((sum, { images }) => sum + images, 0)).toBe((364 * 365) / 2)
    expect([columns[0]?.from, columns.at(-1)?.until]).toEqual(["2026-01-01", "2026-12-31"])
  }
})

test("no day has no column", () => expect(columnsByDay([], 60)).toEqual([]))
