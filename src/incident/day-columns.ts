import type { Part } from "./scope.ts"

const day_ms = 86_400_000

/** Some days that follow each other, and the images that were counted on each of them. */
export interface Column {
  /** Its first day, YYYY-MM-DD. */
  readonly from: string
  readonly until: string
  readonly images: number
}

/**
 * Columns of one width for a plot by day, from the first day to the last; a day on which nothing was counted is there with 0.
 * @param parts  by day, in any order; an image that is counted on two days is counted twice in a column that has both.
 * @param most   how many columns there may be, at least 1; where there are more days, each column has several.
 */
export function columnsByDay(parts: readonly Part[], most: number): Column[] {
  const days = parts.map(({ key, images }) => ({ at_ms: Date.parse(`${key}T00:00:00Z`), images }))
  if (days.length === 0) return []
  const first_ms = days.reduce((least, { at_ms }) => Math.min(least, at_ms), Infinity)
  const last_ms = days.reduce((greatest, { at_ms }) => Math.max(greatest, at_ms), -Infinity)
  const width_ms = Math.ceil(((last_ms - first_ms) / day_ms + 1) / most) * day_ms
  const counts = new Array<number>(Math.floor((last_ms - first_ms) / width_ms) + 1).fill(0)
  for (const { at_ms, images } of days) {
    const n = Math.floor((at_ms - first_ms) / width_ms)
    counts[n] = (counts[n] ?? 0) + images
  }
  const date = (at_ms: number) => new Date(at_ms).toISOString().slice(0, 10)
  return counts.map((images, n) => {
    const from_ms = first_ms + n * width_ms
    return { from: date(from_ms), until: date(Math.min(last_ms, from_ms + width_ms - day_ms)), images }
  })
}
