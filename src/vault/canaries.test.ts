import { randomBytes, randomInt } from "node:crypto"
import { describe, expect, test } from "vitest"
import { bitsOf, newId, wholeId } from "../ids.ts"
import { canaryKey } from "./canaries.ts"

const key = canaryKey(randomBytes(32))
const at_ms = Date.parse("2027-03-04T05:06:07.089Z")
const fresh = () => key.idAt(at_ms + randomInt(1_000_000), randomInt(65_536))

describe("a canary is known by its id", () => {
  test("to its key, and to no other", () => {
    const other = canaryKey(randomBytes(32))
    for (let i = 0; i < 200; i += 1) {
      const id = fresh()
      expect(key.marks(id)).toBe(true)
      expect(other.marks(id)).toBe(false)
    }
  })

  test("with any one bit bent it is none", () => {
    const bits = bitsOf(fresh(), "cap")!
    for (let bit = 0n; bit < 128n; bit += 1n) {
      const bent = bits ^ (1n << bit)
      expect(key.marks(wholeId("cap", Number(bent >> 80n), bent & ((1n << 80n) - 1n))), `${bit}`).toBe(false)
    }
  })

  test("an ordinary id is none, nor is what is no id, nor one of another thing", () => {
    for (let i = 0; i < 2000; i += 1) expect(key.marks(newId("cap"))).toBe(false)
    for (const text of ["", "cap_", "cap_!", `grt_${fresh().slice(4)}`, fresh().toLowerCase(), `${fresh()}0`])
      expect(key.marks(text), text).toBe(false)
  })

  test("its id has the form and the time of any other, and bits as even as theirs", () => {
    const count = 4000
    const ones = { canary: new Array<number>(80).fill(0), capture: new Array<number>(80).fill(0) }
    for (let i = 0; i < count; i += 1) {
      const canary = fresh()
      expect(canary).toMatch(/^cap_[0-7][0-9A-HJKMNP-TV-Z]{25}$/)
      for (const [kind, id] of [
        ["canary", canary],
        ["capture", newId("cap")],
      ] as const) {
        const bits = bitsOf(id, "cap")!
        for (let bit = 0; bit < 80; bit += 1) ones[kind][bit]! += Number((bits >> BigInt(bit)) & 1n)
      }
    }
    // Six standard deviations: wrong by chance less than once in 3 million runs.
    const most = 6 * Math.sqrt(count / 4)
    for (const all of Object.values(ones))
      for (const [bit, each] of all.entries())
        expect(Math.abs(each - count / 2), `bit ${bit}`).toBeLessThan(most)
    expect(Number(bitsOf(key.idAt(at_ms, 0), "cap")! >> 80n)).toBe(at_ms)
  })

  test("the commitment names the key", () => {
    const seed = randomBytes(32)
    expect(canaryKey(seed).commitment).toBe(canaryKey(seed).commitment)
    expect(canaryKey(seed).commitment).toMatch(/^[0-9a-f]{64}$/)
    expect(canaryKey(seed).commitment).not.toBe(key.commitment)
  })
})
