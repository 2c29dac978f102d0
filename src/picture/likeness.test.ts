import sharp from "sharp"
import { beforeAll, describe as suite, expect, test } from "vitest"
import { attacks, pixelsOf } from "../../test/attacks.ts"
import { drawOriginals, leaks, type Original } from "../../test/leaks.ts"
import { drawCapture } from "../drawing/capture.ts"
import { composed, identity, scaling, shifting, warpedX, warpedY, type Warp } from "../mark/warp.ts"
import { decodeLeak, lookAtLeak } from "./leak.ts"
import { likenessesTo, type Guess, type Likened, type Way } from "./likeness.ts"
import { closestOf, isOneSure, likelyOf, type Likely } from "./lookup.ts"
import { Originals } from "./originals.ts"
import { undoubted } from "./level.ts"
import { decode, keepRegions, type Pixels } from "./pixels.ts"
import { parseSketch, sketchOf } from "./sketch.ts"

const asIs = (...warps: readonly Warp[]): Way => ({ warps, isMirrored: false })

suite("likenesses", () => {
  let originals: readonly Original[] = []

  beforeAll(async () => {
    originals = await drawOriginals(4, 14)
  })

  const alike = async (leak: Pixels, guess: Guess): Promise<number> =>
    (await likenessesTo(leak, [guess]))[0]?.likeness ?? -1

  test("a leak is most alike its own original, at any size, and less where it lies wrong", async () => {
    const { pixels } = await decodeLeak(await leaks["L4, at quarter size"]!(originals[1]!))
    const warp = scaling(4, 4)
    const told = await likenessesTo(
      pixels,
      originals.map(({ sketch }) => ({ ways: [asIs(warp)], parts: sketch.parts })),
    )
    const likenesses = told.map(each => each?.likeness ?? -1)
    const own = likenesses[1]!
    expect(likenesses.indexOf(Math.max(...likenesses))).toBe(1)
    expect(own).toBeGreaterThan(0.7)
    const { parts } = originals[1]!.sketch
    const off = composed(shifting(160, 90), warp)
    expect(await alike(pixels, { ways: [asIs(off)], parts })).toBeLessThan(0.3)
    expect(await alike(pixels, { ways: [asIs(off, warp)], parts })).toBe(own)
    const mirrored = { ...asIs(warp), isMirrored: true }
    expect(await alike(pixels, { ways: [mirrored], parts })).toBeLessThan(own - 0.2)
    expect(await likenessesTo(pixels, [{ ways: [mirrored, asIs(warp)], parts }])).toMatchObject([
      { likeness: own, lies: [{ isMirrored: false }] },
    ])
  })

  test("tell how a leak lies better than they were told, and how much of it they show", async () => {
    const { pixels } = await decodeLeak(originals[0]!.l4)
    const parts = originals[0]!.sketch.parts.slice(0, 1)
    const near = composed(shifting(9, -6), scaling(1.01, 0.995))
    const [told] = await likenessesTo(pixels, [{ ways: [asIs(near)], parts }])
    for (const [x, y] of [
      [0, 0],
      [1024, 0],
      [0, 768],
      [1024, 768],
    ] as const)
      expect(
        Math.hypot(warpedX(told!.lies[0]!.warp, x, y) - x, warpedY(told!.lies[0]!.warp, x, y) - y),
      ).toBeLessThan(1.5)
    expect(told!.share).toBeGreaterThan(0.98)
    const { region } = originals[0]!
    const [part] = await likenessesTo(pixels, [
      { ways: [asIs(identity)], parts: originals[0]!.sketch.parts.slice(1) },
    ])
    expect(part!.share).toBeCloseTo((region.width_px * region.height_px) / (1024 * 768), 1)
  })

  test("what L2 shows is held against the region's likeness", async () => {
    const { pixels } = await decodeLeak(originals[2]!.l2)
    const { x_px, y_px } = originals[2]!.region
    // What is solid around it was cut off, on whole blocks.
    const warp = shifting(8 * Math.floor(x_px / 8), 8 * Math.floor(y_px / 8))
    const [whole, ...regions] = originals[2]!.sketch.parts
    const of = (parts: Original["sketch"]["parts"]) => alike(pixels, { ways: [asIs(warp)], parts })
    expect(await of(regions)).toBeGreaterThan(0.8)
    expect(await of([whole!])).toBeLessThan(await of(regions))
    expect(await of([whole!, ...regions])).toBe(await of(regions))
  })

  test("a photographed front lies as it is, though its corners tell the perspective as in a mirror alone", async () => {
    const drawn = await drawCapture({ seed: "traced", lane: 1, hour: 11, index: 1 })
    const { parts } = parseSketch(await sketchOf(await decode(drawn.picture), [drawn.plate.box]))!
    const { width_px, height_px, plate } = drawn
    const found = { width_px, height_px, plates: [plate.box], faces: [], doubted: undoubted }
    const { bytes } = await keepRegions(drawn.picture, { level: "L2" }, found, null)
    const file = await attacks["photographed"]!(await pixelsOf(sharp(bytes)), "photographed")
    const { pixels } = await decodeLeak(file)
    // As a look-up told of this photograph.
    const flat = asIs([0.9747, -0.03692, 29.25, 0.06281, 1.009, -45.16, 0, 0])
    const tilted: Warp = [1.114, -0.01882, 27.58, 0.0684, 0.9328, 14.72, 0.0002255, -0.0001443]
    const mirrored = { warps: [tilted], isMirrored: true }
    const [told] = await likenessesTo(pixels, [{ ways: [flat, mirrored], parts }])
    expect(told!.likeness).toBeGreaterThan(0.95)
    expect(told!.lies.map(({ isMirrored }) => isMirrored)).toEqual([false])
  })

  test("the first that are named go on, if they are not far less alike; of others so many as are most alike", async () => {
    const { pixels } = await decodeLeak(await leaks["L4, at quarter size"]!(originals[1]!))
    const [whole] = originals[1]!.sketch.parts
    const { box, likeness } = whole!
    const blurred = new Uint8Array(await sharp(likeness).blur(1.2).jpeg().toBuffer())
    const of = (likeness: Uint8Array): Guess => {
      return { ways: [asIs(scaling(4, 4))], parts: [{ box, likeness }] }
    }
    const alike = Array.from({ length: 6 }, () => of(likeness))
    const named = await likenessesTo(pixels, [of(blurred), ...alike])
    expect(named.filter(each => each !== null)).toHaveLength(4)
    expect(named[0]!.likeness).toBeLessThan(named[1]!.likeness)
    const last = await likenessesTo(pixels, [...alike, of(blurred)])
    expect(last.at(-1)).toBeNull()
    const { parts } = originals[2]!.sketch
    const [other] = await likenessesTo(pixels, [{ ways: [asIs(scaling(4, 4))], parts }, ...alike])
    expect(other).toBeNull()
  })

  test("nothing to hold it against is not alike", async () => {
    const { pixels } = await decodeLeak(originals[0]!.l4)
    expect(await likenessesTo(pixels, [])).toEqual([])
    const { box } = originals[0]!.sketch.parts[0]!
    for (const parts of [[], [{ box, likeness: new Uint8Array(40) }]])
      expect(await likenessesTo(pixels, [{ ways: [asIs(identity)], parts }])).toEqual([null])
  })

  test("of originals that a leak's corners lie on, its own comes first", async () => {
    const index = new Originals()
    originals.forEach(({ sketch }, n) => index.add(String(n), sketch))
    const leak = await decodeLeak(await leaks["L2, JPEG 50 at half size"]!(originals[3]!))
    const likely = await likelyOf(index, lookAtLeak(leak))
    const guesses = likely.map(({ name, ways }) => ({ ways, parts: originals[Number(name)]!.sketch.parts }))
    const told = await likenessesTo(leak.pixels, guesses)
    const close = closestOf(likely.map((each, n) => ({ ...each, isNegative: false, likened: told[n] })))
    expect(close[0]).toMatchObject({ name: "3" })
  })
})

test.each([false, true])("whether it is mirrored (%s) goes by the corners", async isMirrored => {
  const originals = await drawOriginals(3, 10)
  const index = new Originals()
  originals.forEach(({ sketch }, n) => index.add(String(n), sketch))
  const file = isMirrored ? await sharp(originals[1]!.l4).flop().png().toBuffer() : originals[1]!.l4
  const likely = await likelyOf(index, lookAtLeak(await decodeLeak(file)))
  expect(likely[0]!.name).toBe("1")
  expect(likely[0]!.ways[0]!.isMirrored).toBe(isMirrored)
  expect(new Set(likely.map(({ name }) => name)).size).toBe(likely.length)
})

suite("the closest", () => {
  const likely: readonly Likely[] = ["a", "b", "c"].map((name, n) => {
    return { name, votes: 100 - 10 * n, ways: [asIs(identity)] }
  })
  const toldOf = (likeness: number): Likened => {
    return { likeness, share: 1, lies: [{ warp: shifting(likeness, 0), isMirrored: true }] }
  }
  /** As it is held against `a`, `b`, `c`; of which is not named there is nothing to hold it against. */
  const weighed = (told: Readonly<Record<string, Likened | number | null>>, some = likely) =>
    some.map(each => {
      const one = told[each.name]
      return { ...each, isNegative: false, likened: typeof one === "number" ? toldOf(one) : one }
    })
  const named = (...asked: Parameters<typeof weighed>) => closestOf(weighed(...asked)).map(({ name }) => name)

  test("are ordered by likeness, and go on from where it was told", () => {
    expect(named({ a: 0.6, b: 0.64, c: 0.61 })).toEqual(["b", "a", "c"])
    const [first] = closestOf(weighed({ a: 0.6, b: 0.64, c: 0.61 }))
    expect(first!.guesses).toEqual([{ warp: shifting(0.64, 0), isMirrored: true }])
  })

  test("are without those that are far less alike, or as alike in a part of the leak alone", () => {
    expect(named({ a: 0.2, b: 0.8, c: null })).toEqual(["b"])
    expect(named({ a: { ...toldOf(0.9), share: 0.3 }, b: 0.85 }, likely.slice(0, 2))).toEqual(["b"])
  })

  test("are of the leak as it is or of its negative, whichever more speaks for; a sliver of it makes nothing sure", () => {
    const asItIs = weighed({ a: null, b: { ...toldOf(0.5), share: 0.03 }, c: 0.2 })
    expect(isOneSure(asItIs)).toBe(false)
    expect(isOneSure(weighed({ a: null, b: null, c: 0.6 }))).toBe(true)
    const negative = weighed({ a: null, b: 0.95, c: 0.3 }).map(each => ({ ...each, isNegative: true }))
    expect(closestOf([...asItIs, ...negative])).toMatchObject([{ name: "b", isNegative: true }])
    const nothing = weighed({}, likely.slice(0, 1))
    expect(isOneSure(nothing)).toBe(false)
    expect(closestOf([...nothing, ...nothing.map(each => ({ ...each, isNegative: true }))])).toMatchObject([
      { name: "a", isNegative: false },
    ])
  })

  test("are none where all are as unlike as any two pictures", () => {
    expect(named({ a: 0.14, b: 0.1, c: 0.05 })).toEqual([])
    expect(named({ a: 0.16, b: null, c: null })).toEqual(["a"])
  })

  test("begin with what there is no likeness of any more, and leave nothing out for it", () => {
    expect(named({ a: 0.7, c: 0.7 })).toEqual(["b", "a", "c"])
    expect(closestOf(weighed({ a: 0.7, c: 0.7 }))[0]!.guesses).toEqual([])
    expect(named({}, likely.slice(0, 1))).toEqual(["a"])
    expect(named({}, [])).toEqual([])
  })
})
