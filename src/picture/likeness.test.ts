import { beforeAll, describe as suite, expect, test } from "vitest"
import { drawOriginals, leaks, type Original } from "../../test/leaks.ts"
import { identity, scaling, shifting, composed } from "../mark/warp.ts"
import { decodeLeak, lookAtLeak } from "./leak.ts"
import { likenessesTo } from "./likeness.ts"
import { closestOf, likelyOf, warpsOf, type Likely } from "./lookup.ts"
import { Originals } from "./originals.ts"

suite("likenesses", () => {
  let originals: readonly Original[] = []

  beforeAll(async () => {
    originals = await drawOriginals(4, 14)
  })

  test("a leak is most alike its own original, at any size, and less where it lies wrong", async () => {
    const { pixels } = await decodeLeak(await leaks["L4, at quarter size"]!(originals[1]!))
    const warp = scaling(4, 4)
    const told = await likenessesTo(
      pixels,
      originals.map(({ sketch }) => ({ warps: [warp], isMirrored: false, parts: sketch.parts })),
    )
    expect(told.indexOf(Math.max(...told))).toBe(1)
    expect(told[1]).toBeGreaterThan(0.7)
    const { parts } = originals[1]!.sketch
    const off = composed(shifting(160, 90), warp)
    expect((await likenessesTo(pixels, [{ warps: [off], isMirrored: false, parts }]))[0]).toBeLessThan(0.3)
    expect((await likenessesTo(pixels, [{ warps: [off, warp], isMirrored: false, parts }]))[0]).toBe(told[1])
    expect((await likenessesTo(pixels, [{ warps: [warp], isMirrored: true, parts }]))[0]).toBeLessThan(
      told[1]! - 0.2,
    )
  })

  test("what L2 shows is held against the region's likeness", async () => {
    const { pixels } = await decodeLeak(originals[2]!.l2)
    const { x_px, y_px } = originals[2]!.region
    // What is solid around it was cut off, on whole blocks.
    const warp = shifting(8 * Math.floor(x_px / 8), 8 * Math.floor(y_px / 8))
    const [whole, ...regions] = originals[2]!.sketch.parts
    const of = async (parts: Original["sketch"]["parts"]) =>
      (await likenessesTo(pixels, [{ warps: [warp], isMirrored: false, parts }]))[0]!
    expect(await of(regions)).toBeGreaterThan(0.8)
    expect(await of([whole!])).toBeLessThan(await of(regions))
    expect(await of([whole!, ...regions])).toBe(await of(regions))
  })

  test("nothing to hold it against is not alike", async () => {
    const { pixels } = await decodeLeak(originals[0]!.l4)
    expect(await likenessesTo(pixels, [])).toEqual([])
    const { box } = originals[0]!.sketch.parts[0]!
    for (const parts of [[], [{ box, likeness: new Uint8Array(40) }]])
      expect(await likenessesTo(pixels, [{ warps: [identity], isMirrored: false, parts }])).toEqual([-1])
  })

  test("of originals that a leak's corners lie on, its own comes first", async () => {
    const index = new Originals()
    originals.forEach(({ sketch }, n) => index.add(String(n), sketch))
    const leak = await decodeLeak(await leaks["L2, JPEG 50 at half size"]!(originals[3]!))
    const likely = await likelyOf(index, lookAtLeak(leak))
    const guesses = likely.map(each => ({
      ...each,
      warps: warpsOf(each),
      parts: originals[Number(each.name)]!.sketch.parts,
    }))
    expect(closestOf(likely, await likenessesTo(leak.pixels, guesses))[0]).toBe("3")
  })
})

class Asked extends Originals {
  times = 0

  override find(...asked: Parameters<Originals["find"]>) {
    this.times += 1
    return super.find(...asked)
  }
}

test("a leak that is plainly of one original is not looked for in a mirror; one of two that are alike is", async () => {
  const originals = await drawOriginals(2, 10)
  const leak = await decodeLeak(originals[0]!.l4)
  for (const [others, times] of [
    [[], 1],
    [originals, 2],
  ] as const) {
    const index = new Asked()
    index.add("own", originals[0]!.sketch)
    others.forEach(({ sketch }, n) => index.add(`other ${n}`, sketch))
    expect((await likelyOf(index, lookAtLeak(leak)))[0]).toMatchObject({ name: "own", isMirrored: false })
    expect(index.times).toBe(times)
  }
})

suite("the closest", () => {
  const likely: readonly Likely[] = ["a", "b", "c", "b"].map((name, n) => {
    return { name, votes: 100 - 10 * n, agreeing: 20, warp: identity, flat: identity, isMirrored: n === 3 }
  })

  test("are ordered by likeness, each once", () => {
    expect(closestOf(likely, [0.6, 0.64, 0.61, 0.62])).toEqual(["b", "a", "c"])
  })

  test("are without those that are far less alike", () => {
    expect(closestOf(likely, [0.2, 0.8, 0.5, -1])).toEqual(["b"])
  })

  test("begin with what there is no likeness of any more, and leave nothing out for it", () => {
    expect(closestOf(likely, [0.7, null, 0.7, null])).toEqual(["b", "a", "c"])
    expect(closestOf(likely.slice(0, 1), [])).toEqual(["a"])
    expect(closestOf([], [])).toEqual([])
  })
})
