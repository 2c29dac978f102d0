import { describe, expect, test } from "vitest"
import { amplitudes, biases, biasesOf, chipsOf, weights } from "./code.ts"
import { markCommitment, markKeysOf, type Mac } from "./keys.ts"
import { hmac } from "@noble/hashes/hmac.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { utf8 } from "../bytes.ts"

const key = (seed: number) => new Uint8Array(32).fill(seed)

describe("chips", () => {
  test("a chip's weight has mean 0 and variance 1 under its bias, as the bound's proof needs", () => {
    biases.forEach((p, i) => {
      const [g0, g1] = weights[i]!
      expect((1 - p) * g0 + p * g1).toBeCloseTo(0, 12)
      expect((1 - p) * g0 ** 2 + p * g1 ** 2).toBeCloseTo(1, 12)
    })
  })

  test("both values of a chip are equally far apart at every bias, and what they add has mean 0", () => {
    const gaps = amplitudes.map(([none, one]) => one - none)
    for (const gap of gaps) expect(gap).toBeCloseTo(gaps[0]!, 12)
    biases.forEach((p, i) => expect((1 - p) * amplitudes[i]![0] + p * amplitudes[i]![1]).toBeCloseTo(0, 12))
  })

  test("come as often as their biases say", () => {
    const drawn = biasesOf(key(1), 200_000)
    const chips = chipsOf(key(2), drawn)
    biases.forEach((p, which) => {
      const of = [...chips].filter((_, i) => drawn[i] === which)
      const share = of.reduce((sum, chip) => sum + chip, 0) / of.length
      expect(Math.abs(share - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / of.length))
    })
  })

  test("are the same for the same keys, and others for another holder", () => {
    const drawn = biasesOf(key(1), 10_000)
    expect(chipsOf(key(2), drawn)).toEqual(chipsOf(key(2), drawn))
    const [mine, theirs] = [chipsOf(key(2), drawn), chipsOf(key(3), drawn)]
    const others = mine.reduce((sum, chip, i) => sum + (chip ^ theirs[i]!), 0)
    expect(others).toBeGreaterThan(2500)
  })
})

describe("keys", () => {
  const mac: Mac = text => hmac(sha256, key(9), utf8(text))

  test("an image's biases are the same for everybody, a codeword is one person's for one image", () => {
    const [a, b] = [markKeysOf(mac, "a".repeat(64), "per_1"), markKeysOf(mac, "a".repeat(64), "per_2")]
    expect(a.biases).toEqual(b.biases)
    expect(a.codeword).not.toEqual(b.codeword)
    expect(markKeysOf(mac, "b".repeat(64), "per_1").codeword).not.toEqual(a.codeword)
  })

  test("the commitment binds both keys", () => {
    const keys = markKeysOf(mac, "a".repeat(64), "per_1")
    const bent = (bytes: Uint8Array) => bytes.map((byte, i) => (i === 31 ? byte ^ 1 : byte))
    const all = [keys, { ...keys, biases: bent(keys.biases) }, { ...keys, codeword: bent(keys.codeword) }]
    expect(new Set(all.map(markCommitment)).size).toBe(3)
  })
})
