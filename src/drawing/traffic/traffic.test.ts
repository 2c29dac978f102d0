import { expect, test } from "vitest"
import { honest } from "../../../test/watched.ts"
import { families } from "./attacks.ts"
import { drawHonest, linesOf, usualTraffic, withAttack } from "./traffic.ts"
import { isThere } from "./world.ts"

const base = honest("traffic laws", 75)

for (const family of families)
  test(`the honest traffic of a seed is the same with an attack of ${family} and without, and the attack is there`, () => {
    const attacked = withAttack(base, { family, firstDay: 30, account: "any" })
    const rest = attacked.requests.filter(({ isAttack }) => !isAttack)
    expect(rest).toEqual(base.requests)
    expect(attacked.requests.length).toBeGreaterThan(base.requests.length + 20)
    expect(
      attacked.requests.every((request, i) => i === 0 || attacked.requests[i - 1]!.at_ms <= request.at_ms),
    ).toBe(true)
    const first = attacked.requests.find(({ isAttack }) => isAttack)!
    expect(first.at_ms).toBeGreaterThanOrEqual(base.requests[0]!.at_ms + 29 * 86_400_000)
  })

test("a seed is its traffic, and another seed another", () => {
  const lines = (seed: string) => [...linesOf(honest(seed, 10), "honest")].join("\n")
  expect(lines("a")).toBe(lines("a"))
  expect(lines("a")).not.toBe(lines("b"))
})

test("honest requests stay within their orders but for slips, at about the rate that was asked for", () => {
  for (const slips of [0.003, 0.03]) {
    const { requests, orders } = drawHonest({ seed: "slips", ...usualTraffic, days: 60, slips })
    const wrong = requests.filter(({ why }) => why === "mistake")
    expect(wrong.length / requests.length).toBeGreaterThan(0.7 * slips)
    expect(wrong.length / requests.length).toBeLessThan(1.4 * slips)
    const byNumber = new Map(orders.map(order => [order.wo, order]))
    for (const request of requests) {
      const order = byNumber.get(request.wo!)!
      expect(order.principal).toBe(request.principal)
      expect(request.at_ms).toBeGreaterThanOrEqual(order.open_ms)
      expect(request.at_ms).toBeLessThan(order.close_ms)
      expect(isThere(request.image)).toBe(true)
      if (request.why !== "mistake" && order.manifest.length > 0)
        expect(order.manifest.includes(request.image)).toBe(true)
    }
  }
})

test("twice the rate is about twice the requests; a new purpose changes nothing else", () => {
  const days = 60
  const twice = drawHonest({ seed: "rate", ...usualTraffic, days, rate: 2 })
  const once = drawHonest({ seed: "rate", ...usualTraffic, days })
  expect(twice.requests.length / once.requests.length).toBeGreaterThan(1.6)
  expect(twice.requests.length / once.requests.length).toBeLessThan(2.4)
  const renamed = drawHonest({ seed: "rate", ...usualTraffic, days, purpose: "survey" })
  expect(renamed.requests.some(({ purpose }) => purpose === "survey")).toBe(true)
  expect(renamed.requests.map(each => ({ ...each, purpose: "" }))).toEqual(
    once.requests.map(each => ({ ...each, purpose: "" })),
  )
})

test("twenty days are the first twenty of ninety", () => {
  const upTo = base.requests[0]!.at_ms + 15 * 86_400_000
  const early = (days: number) =>
    honest("cold", days)
      .requests.filter(({ at_ms }) => at_ms < upTo)
      .map(({ image }) => image)
  expect(early(20).length).toBeGreaterThan(1_000)
  expect(early(20)).toEqual(early(45))
})
