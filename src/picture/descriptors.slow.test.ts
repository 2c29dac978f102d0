import { expect, test } from "vitest"
import { drawOriginals, indexOf, leaks, placeOf } from "../../test/leaks.ts"

/** `SALLYPORT_LEAKS=all` asks for each of them in both lights: minutes of a core. */
const isWhole = process.env.SALLYPORT_LEAKS === "all"

test.each(isWhole ? [10, 22] : [10])(
  "leaks of a lane's 24 vehicles at %i o'clock lead back to their originals, as docs/formats/descriptors.md has it",
  async hour => {
    const originals = await drawOriginals(24, hour)
    const index = indexOf(originals)
    const asked = originals.map((_, number) => number).filter(number => isWhole || number % 6 === 1)
    for (const [name, leak] of Object.entries(leaks)) {
      const places: number[] = []
      for (const number of asked) places.push(await placeOf(await leak(originals[number]!), number, index))
      const first = places.filter(place => place === 1).length
      const five = places.filter(place => place <= 5).length
      if (isWhole) console.log(`${hour} o'clock, ${name}: ${first} first, ${five} among five`)
      expect([name, first >= 0.75 * asked.length, five]).toEqual([name, true, asked.length])
    }
  },
)
