import { expect, test } from "vitest"
import { assessAll, honest, newState, outside } from "../../test/watched.ts"
import { withAttack } from "../drawing/traffic/traffic.ts"
import { formatModel, parseModel, unfairContext } from "./model.ts"
import { coursesOf } from "./courses.ts"
import { policy, train, type Course } from "./train.ts"

const of = { trained_at: "2026-11-27", sources: [] }
const clean = honest("training laws", 45)
const courses = coursesOf(clean)

test("the same log gives the same model, byte for byte, whose bets are fair", () => {
  const [one, two] = [
    train(courses, of, "nobody"),
    train(coursesOf(honest("training laws", 45)), of, "nobody"),
  ]
  expect(formatModel(one)).toBe(formatModel(two))
  expect(unfairContext(one)).toBeNull()
  expect(parseModel(formatModel(one)).file).toEqual(one)
  expect(one.provenance.left_out).toEqual([])
})

for (const family of ["slow50", "collude", "drip"] as const)
  test(`an attack of ${family} inside a training log is found, person by person, and can be left out`, () => {
    const poisoned = withAttack(clean, { family, firstDay: 30, account: "any" })
    const attackers = new Set(
      poisoned.requests
        .filter(({ isAttack }) => isAttack)
        .map(({ principal }) => `training laws/${principal}`),
    )
    expect(attackers.size).toBeGreaterThan(0)
    const learned = coursesOf(poisoned)
    expect(() => train(learned, of, "nobody")).toThrow([...attackers][0]!)
    const cleaned = train(learned, of, "who would be suspended")
    expect(new Set(cleaned.provenance.left_out)).toEqual(attackers)
    const innocent = courses.filter(({ person }) => !attackers.has(person))
    const left = train(innocent, of, "nobody")
    // What was taken out leaves the sums of floating point numbers at most.
    for (const [context, row] of cleaned.pool.order.entries())
      for (const [symbol, part] of row.entries())
        expect(Math.abs(part - left.pool.order[context]![symbol]!)).toBeLessThan(4)
  })

/** Of everybody's requests every so many-th is an image outside, and the next one too. */
const poisonedEvery = (every: number): Course[] =>
  courses.map(course => ({
    ...course,
    seen: course.seen.map(({ purpose, observation }, i) => ({
      purpose,
      observation:
        observation.alphabet === "order" && i % every < 4
          ? { ...observation, symbol: 9, before: i % every < 2 ? 1 : 10 }
          : observation,
    })),
  }))

test("a log that was poisoned all through is found, and as far as it is not it is bounded: ten images outside in a row are suspended under any model", () => {
  expect(() => train(poisonedEvery(8), of, "nobody")).toThrow("would suspend")
  const file = train(poisonedEvery(400), of, "nobody")
  expect(file.shares[9]!).toBeGreaterThan(2 * train(courses, of, "nobody").shares[9]!)
  const model = parseModel(formatModel(file))
  for (const purpose of ["calibration", "qa-audit", "never seen"]) {
    const seen = assessAll(
      newState(),
      Array.from({ length: 12 }, (_, nth) => outside(nth, { purpose })),
      model,
    )
    const at = seen.findIndex(({ verdict }) => verdict === "suspend")
    expect(at).toBeGreaterThan(0)
    expect(at).toBeLessThan(10)
  }
})

test("one person's requests weigh as so many at most, however many they are", () => {
  const [first] = courses
  const long = { ...first!, seen: Array.from({ length: 40 }, () => first!.seen).flat() }
  const others = courses.slice(1)
  const row = (given: Course) => train([given, ...others], of, "nobody").pool.order[0]!
  const requests = first!.seen.filter(({ observation }) => observation.alphabet === "order").length
  expect(requests * 40).toBeGreaterThan(3 * policy.personWeight)
  const total = others.reduce<number>(
    (sum, { seen }) => sum + Math.min(policy.personWeight, seen.length),
    policy.personWeight,
  )
  const moved = row(long).reduce((sum, part, symbol) => sum + Math.abs(part - row(first!)[symbol]!), 0)
  expect(moved / 2 ** 20).toBeLessThan((2 * policy.personWeight) / total)
})

test("a log of one organization trains nothing: there is nobody to hold its people against", () => {
  const [first] = courses
  const own = courses.filter(({ organization }) => organization === first!.organization)
  expect(() => train(own, of, "nobody")).toThrow("but one")
})
