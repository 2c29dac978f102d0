import { expect, test } from "vitest"
import { drawOriginals, leaks, placesOf } from "../../test/leaks.ts"

/** `SALLYPORT_LEAKS=all` asks for each of them in both lights, as the table in docs/formats/descriptors.md: minutes of a core. */
const isWhole = process.env.SALLYPORT_LEAKS === "all"

test.each(isWhole ? [10, 22] : [10])(
  "leaks of a lane's 24 vehicles at %i o'clock lead back to their originals, as docs/formats/descriptors.md has it",
  async hour => {
    const originals = await drawOriginals(24, hour)
    const asked = originals.map((_, index) => index).filter(index => isWhole || index % 6 === 1)
    const table: Record<string, readonly number[]> = {}
    for (const [name, leak] of Object.entries(leaks)) {
      const counts = [0, 0, 0] as [number, number, number]
      for (const index of asked) {
        const { byVotes, byMatches } = await placesOf(leak, index, originals)
        if (byVotes === 1) counts[0] += 1
        if (byVotes <= 5) counts[1] += 1
        if (byMatches === 1) counts[2] += 1
      }
      table[name] = counts
    }
    if (isWhole) console.log(`${hour} o'clock: first by votes, among five by votes, first by matches`, table)
    for (const [name, [first = 0, five = 0]] of Object.entries(table)) {
      expect([name, first >= 0.75 * asked.length, five]).toEqual([name, true, asked.length])
    }
  },
)
