import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { planDraw } from "../../src/custody/draw.ts"
import { release, type Delivery } from "../../src/custody/release.ts"
import { reveal } from "../../src/custody/reveal.ts"
import { biasesOf, chipsOf } from "../../src/mark/code.ts"
import { weightOf } from "../../src/mark/verdict.ts"
import { compare } from "../../src/picture/compare.ts"
import { decode } from "../../src/picture/pixels.ts"
import { takeInDrawn } from "../drawn.ts"
import { callerOf, grantOf, openTestPort, releaseCaller, type Role, type TestPort } from "../port.ts"

/**
 * Each way that yields bytes of an image yields marked ones: src/http/server.test.ts keeps the census of ways, this file holds
 * what each of them gives against the mark of the one who asked. Named after what was found in others' systems.
 */

let port: TestPort
let captures: readonly string[]
let originals: ReadonlyMap<string, Uint8Array>

beforeAll(async () => {
  port = await openTestPort()
  const drawn = await takeInDrawn(port, { seed: "egress", hour: 12, count: 4 })
  captures = drawn.captures
  originals = new Map(captures.map((capture, i) => [capture, drawn.pictures[i]!]))
}, 120_000)
afterAll(() => port.close())

/** log₁₀ of the bound on these bytes carrying that person's mark by chance. */
async function markOf(delivery: Delivery, role: Role): Promise<number> {
  const { house, people } = port
  const row = (await house.ledger.capture(delivery.capture))!
  const found = compare(
    await decode(originals.get(delivery.capture)!),
    await decode(delivery.bytes),
    [],
    null,
  )
  if (found === null) return 0
  const keys = house.keys.root.markKeys(row.bodySha256, people[role].person)
  const biases = biasesOf(keys.biases, found.plain.length)
  const held = {
    testimony: found,
    codeword: { biases, chips: chipsOf(keys.codeword, biases) },
  }
  return weightOf([held], { originals: 4, holders: 8, files: 1, runs: 1 }).log10_bound
}

async function isMarkedFor(delivery: Delivery, role: Role, other: Role): Promise<void> {
  expect(await markOf(delivery, role)).toBeLessThanOrEqual(-9)
  expect(await markOf(delivery, other)).toBeGreaterThan(-9)
  expect(delivery.mark).not.toBeNull()
}

describe("a release", () => {
  test("nextcloud/server#19349: what is fetched again, or at a lower level, is as marked as what was fetched first", async () => {
    const grant = await grantOf(port)
    for (let again = 0; again < 2; again += 1) {
      const caller = await releaseCaller(port, { grant, capture: captures[0]! })
      await isMarkedFor(await release(port.house, caller), "engineer", "colleague")
    }
    const lower = await releaseCaller(port, { grant, capture: captures[0]!, level: "L1" })
    const silhouette = await release(port.house, lower)
    // No pixel of the picture is in a silhouette, so no mark is, and it says so.
    expect(silhouette.mark).toBeNull()
  })

  test("papermark#1691, richdocuments#5588: every image of a draw is marked, not the first alone", async () => {
    const grant = await grantOf(port, { terms: { images: 10 } })
    const statement = { grant, count: 4, captures: null }
    const caller = await callerOf(port.house, port.people.engineer, { path: "/v1/draws", statement })
    const plan = await planDraw(port.house, caller, "whole")
    expect(plan.captures).toHaveLength(4)
    for (const capture of plan.captures) {
      const delivery = await release(port.house, await releaseCaller(port, { grant, capture }))
      await isMarkedFor(delivery, "engineer", "colleague")
    }
  })

  test("papermark#1781: a part of a draw, and the rest of one that broke off, are marked too", async () => {
    const grant = await grantOf(port, { terms: { images: 10 } })
    const ask = { path: "/v1/draws", statement: { grant, count: 3, captures: null } }
    const caller = () => callerOf(port.house, port.people.engineer, ask)
    const first = await planDraw(port.house, await caller(), "broken")
    const before = await release(
      port.house,
      await releaseCaller(port, { grant, capture: first.captures[0]! }),
    )
    const resumed = await planDraw(port.house, await caller(), "broken")
    expect(resumed.captures).toEqual(first.captures)
    const after = await release(
      port.house,
      await releaseCaller(port, { grant, capture: resumed.captures[2]! }),
    )
    for (const delivery of [before, after]) await isMarkedFor(delivery, "engineer", "colleague")
  })
})

describe("a reveal", () => {
  test("ocis#9273: a look is no way around: it is marked for who looks, and shows his name and the time", async () => {
    const terms = { for: "reveal", purpose: "audit", contract: null, level: "L2", images: 2 } as const
    const holder = port.people.analyst.person
    const grant = await grantOf(port, {
      terms: { ...terms, holder },
      requester: "analyst",
      by: ["custodian", "privacy"],
    })
    const caller = await callerOf(port.house, port.people.analyst, {
      path: "/v1/reveals",
      statement: { grant, capture: captures[1]!, level: "L2" },
      names: { reason: "an audit of lane one" },
    })
    const delivery = await reveal(port.house, caller)
    await isMarkedFor(delivery, "analyst", "engineer")
    const copy = await decode(delivery.bytes)
    const { height_px, width_px } = await decode(originals.get(captures[1]!)!)
    expect(copy.height_px).toBe(height_px + 28)
    const strip = copy.rgb.subarray(3 * width_px * height_px)
    const light = strip.filter(value => value > 200).length / strip.length
    expect([light > 0.02, light < 0.4]).toEqual([true, true])
  })
})
