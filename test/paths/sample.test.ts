import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { canonical } from "../../src/canonical.ts"
import { utf8, textOf } from "../../src/bytes.ts"
import { reperform, type Sample } from "../../src/custody/reperform.ts"
import { release } from "../../src/custody/release.ts"
import { verifyEd25519 } from "../../src/ed25519.ts"
import type { Entry } from "../../src/log/kinds.ts"
import { readHead } from "../../src/log/reading.ts"
import { drawn, seedOf } from "../../src/log/sample.ts"
import { parsePolicy } from "../../src/tlog/policy.ts"
import { allEntries } from "../forge.ts"
import { sourceOfEntries } from "../log-source.ts"
import { flatShot } from "../flat.ts"
import { grantOf, openTestPort, releaseCaller, takeIn, type TestPort } from "../port.ts"

let port: TestPort
let entries: readonly Uint8Array[]

beforeAll(async () => {
  port = await openTestPort()
  const shot = await flatShot()
  const grant = await grantOf(port, { terms: { images: 4, releases: 8 } })
  for (let i = 0; i < 4; i += 1) {
    const { capture } = await takeIn(port, shot)
    const caller = await releaseCaller(port, { grant, capture })
    const copy = await release(port.house, caller)
    expect(copy.bytes.length).toBeGreaterThan(0)
  }
  entries = await allEntries(port)
})
afterAll(() => port.close())

async function sampleOf(
  of: readonly Uint8Array[],
  { count = 25, seed }: { count?: number; seed?: string } = {},
): Promise<Sample> {
  const parsed = parsePolicy(port.house.log.policy)
  if (parsed.kind === "refuse") throw new Error(parsed.why)
  const source = await sourceOfEntries(port, of)
  const head = await readHead(source, parsed.policy, verifyEd25519)
  const ask = { source, head, policy: parsed.policy, verify: verifyEd25519, count }
  return reperform({ ...ask, seed: seed ?? seedOf(head) })
}

/** The log with one entry of that kind changed, as the holder of its key would write it. */
function bent<K extends Entry["kind"]>(
  kind: K,
  change: (entry: Extract<Entry, { kind: K }>) => object,
  nth = 0,
): Uint8Array[] {
  let seen = -1
  return entries.map(bytes => {
    const entry = JSON.parse(textOf(bytes)!) as Entry
    if (entry.kind !== kind) return bytes
    if (kind === "permit" && (entry as Extract<Entry, { kind: "permit" }>).by === null) return bytes
    seen += 1
    if (seen !== nth) return bytes
    return utf8(canonical({ ...entry, ...change(entry as Extract<Entry, { kind: K }>) }))
  })
}

describe("which releases are drawn", () => {
  const many = Array.from({ length: 400 }, (_, i) => 7 * i)
  test("the same seed draws the same, another seed others", () => {
    expect(drawn(many, 25, "a")).toEqual(drawn([...many].reverse(), 25, "a"))
    expect(drawn(many, 25, "a")).toHaveLength(25)
    expect(drawn(many, 25, "a")).not.toEqual(drawn(many, 25, "b"))
    expect(drawn(many.slice(0, 3), 25, "a")).toEqual([0, 7, 14])
  })
  test("each is drawn as often as any other", () => {
    const times = new Map<number, number>()
    for (let seed = 0; seed < 2000; seed += 1)
      for (const index of drawn(many.slice(0, 20), 5, String(seed)))
        times.set(index, (times.get(index) ?? 0) + 1)
    // Binomial(2000, 1/4): mean 500, deviation 19.4; five deviations.
    for (const count of times.values()) expect(Math.abs(count - 500)).toBeLessThan(97)
    expect(times.size).toBe(20)
  })
  test("the checkpoint's seed is another with one entry more", () => {
    const root = new Uint8Array(32)
    expect(seedOf({ size: 1, root })).not.toBe(seedOf({ size: 2, root }))
  })
})

describe("a release done again", () => {
  test("every check of a sound log holds, and the approvals are named", async () => {
    const done = await sampleOf(entries)
    expect(done.problems).toEqual([])
    expect(done.deliveries).toBe(4)
    expect(done.releases).toHaveLength(4)
    for (const each of done.releases) {
      expect(each.refusal).toBeNull()
      expect(each.checks.length).toBeGreaterThan(15)
      expect(each.checks.every(({ holds }) => holds)).toBe(true)
      expect(each.approvals.map(({ office }) => office).sort()).toEqual(["cor", "privacy"])
    }
  })
  test("a smaller sample is part of them, by its seed", async () => {
    const two = await sampleOf(entries, { count: 2, seed: "mine" })
    const again = await sampleOf(entries, { count: 2, seed: "mine" })
    expect(two.releases.map(each => each.delivered)).toEqual(again.releases.map(each => each.delivered))
    expect(two.releases).toHaveLength(2)
  })

  const signature = `${"A".repeat(86)}==`
  const others: [string, () => Uint8Array[], string][] = [
    [
      "a permit that nobody signed",
      () => bent("permit", ({ asked }) => ({ asked: { ...asked, signature } })),
      "RECEIPT_REQUEST",
    ],
    [
      "a permit for other terms",
      () => bent("permit", ({ by }) => ({ by: { ...by, terms_sha256: "0".repeat(64) } })),
      "RECEIPT_TERMS",
    ],
    [
      "a permit with another count",
      () => bent("permit", ({ by }) => ({ by: { ...by, images_after: 3 } })),
      "RECEIPT_DECISION",
    ],
    [
      "an approval that was never signed",
      () => bent("grant.approved", ({ asked }) => ({ asked: { ...asked, signature } })),
      "RECEIPT_APPROVAL",
    ],
    [
      "a delivery of another capture",
      () => bent("delivered", () => ({ capture: "cap_01KB0000000000000000000000" })),
      "RECEIPT_CAPTURE",
    ],
  ]
  for (const [what, forged, code] of others)
    test(`${what} fails its release: ${code}`, async () => {
      const done = await sampleOf(forged())
      expect(done.releases.map(({ refusal }) => refusal)).toContain(code)
      const failed = done.releases.find(({ refusal }) => refusal === code)!
      expect(failed.checks.at(-1)!.holds).toBe(false)
    })
  test("a permit that was used twice fails", async () => {
    const twice = entries.find(bytes => textOf(bytes)!.includes('"kind":"delivered"'))!
    const done = await sampleOf([...entries, twice])
    expect(done.releases.map(({ refusal }) => refusal)).toContain("RECEIPT_USED")
  })
})
