import fc from "fast-check"
import { expect, test } from "vitest"
import { Dense, ones } from "./dense.ts"
import { Disclosures } from "./disclosures.ts"
import { Postings } from "./postings.ts"

/** Ordinals over four chunks, gathered in some of them so that a chunk becomes bits. */
const size = 4 * 65_536
const ordinals = fc
  .tuple(
    fc.array(fc.nat(size - 1), { maxLength: 200 }),
    fc.array(fc.record({ from: fc.nat(size - 6000), count: fc.nat(6000) }), { maxLength: 2 }),
  )
  .map(([single, runs]) => {
    const all = [
      ...single,
      ...runs.flatMap(({ from, count }) => Array.from({ length: count }, (_, i) => from + i)),
    ]
    return Uint32Array.from(all).sort()
  })

const sorted = (set: ReadonlySet<number>) => [...set].sort((a, b) => a - b)

test("the bits of a word are counted one by one", () => {
  fc.assert(
    fc.property(fc.integer(), word => {
      const text = (word >>> 0).toString(2)
      expect(ones(word)).toBe([...text].filter(bit => bit === "1").length)
    }),
  )
})

test("a union of postings has what a Set of the same ordinals has", () => {
  fc.assert(
    fc.property(fc.array(ordinals, { minLength: 1, maxLength: 5 }), fc.array(fc.nat(4)), (sets, picked) => {
      const postings = Postings.of(sets)
      const into = new Dense(size)
      const expected = new Set<number>()
      for (const n of picked.filter(each => each < sets.length)) {
        postings.addTo(into, n)
        for (const ordinal of sets[n]!) expected.add(ordinal)
      }
      expect([...into.values()]).toEqual(sorted(expected))
      expect(into.count()).toBe(expected.size)
      into.clear()
      expect(into.count()).toBe(0)
    }),
    { numRuns: 40 },
  )
})

test("ranges, what is taken out, and different values of a column are those of a Set", () => {
  const column = Uint32Array.from({ length: size }, (_, i) => (i * 7919) % 1009)
  const marks = new Dense(1009)
  fc.assert(
    fc.property(ordinals, ordinals, fc.nat(size), fc.nat(size), (kept, gone, from, until) => {
      const [set, other] = [new Dense(size), new Dense(size)]
      Postings.of([kept]).addTo(set, 0)
      for (const ordinal of gone) other.add(ordinal)
      const inside = [...new Set(kept)].filter(ordinal => from <= ordinal && ordinal < until)
      expect(set.countBetween(from, until)).toBe(inside.length)
      set.remove(other)
      const left = new Set([...kept].filter(ordinal => !gone.includes(ordinal)))
      expect([...set.values()]).toEqual(sorted(left))
      const values = new Set([...left].map(ordinal => column[ordinal]!).filter(value => value !== 0))
      expect(set.tally(column, marks)).toEqual({ count: left.size, distinct: values.size })
    }),
    { numRuns: 40 },
  )
})

test("roll-ups change no answer: any holders over any days, as rows that are looked at one by one", () => {
  const [holders, days, images] = [5, 100, 3000]
  const row = fc.record({ holder: fc.nat(holders - 1), day: fc.nat(days - 1), ordinal: fc.nat(images - 1) })
  const question = fc.record({
    holders: fc.option(fc.uniqueArray(fc.nat(holders - 1))),
    from: fc.integer({ min: -3, max: days + 3 }),
    length: fc.nat(days + 6),
  })
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 400 }),
      fc.array(question, { minLength: 1, maxLength: 8 }),
      (rows, asked) => {
        const columns = {
          holder: Uint32Array.from(rows, each => each.holder),
          day: Uint16Array.from(rows, each => each.day),
          ordinal: Uint32Array.from(rows, each => each.ordinal),
        }
        const disclosures = new Disclosures(columns, { holders, days, images })
        const whole = { holders: null, from: 0, length: days }
        for (const { holders: some, from, length } of [...asked, whole]) {
          const into = new Dense(images)
          const named = some === null ? null : [...some].sort()
          disclosures.addTo(into, named, from, from + length)
          const expected = rows.filter(
            each =>
              from <= each.day && each.day < from + length && (some === null || some.includes(each.holder)),
          )
          expect([...into.values()]).toEqual(sorted(new Set(expected.map(each => each.ordinal))))
        }
      },
    ),
    { numRuns: 60 },
  )
})

test("rows that lie outside of the extent, or columns of two lengths, are our own fault", () => {
  const extent = { holders: 1, days: 1, images: 1 }
  const one = Uint32Array.of(0)
  expect(() => new Disclosures({ holder: one, day: Uint32Array.of(1), ordinal: one }, extent)).toThrow(
    "extent",
  )
  expect(() => new Disclosures({ holder: one, day: new Uint32Array(), ordinal: one }, extent)).toThrow(
    "one length",
  )
  expect(() => Postings.of([Uint32Array.of(2, 1)])).toThrow("ascend")
})
