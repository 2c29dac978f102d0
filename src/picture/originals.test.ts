import sharp from "sharp"
import { beforeAll, describe as suite, expect, test } from "vitest"
import { drawOriginals, indexOf, leaks, placeOf, type Original } from "../../test/leaks.ts"
import { chanceOf, type Chance } from "../drawing/chance.ts"
import { parseDescriptors, type Descriptor } from "./descriptors.ts"
import { decodeLeak, lookAtLeak } from "./leak.ts"
import { Originals } from "./originals.ts"
import type { Sketch } from "./sketch.ts"

function noise(chance: Chance, count: number): readonly Descriptor[] {
  return Array.from({ length: count }, () => ({
    x_px: chance.index(1024),
    y_px: chance.index(768),
    scale: 2 ** chance.index(4),
    angle: chance.index(256),
    bits: Uint8Array.from({ length: 32 }, () => chance.index(256)),
  }))
}

function sketchWith(descriptors: readonly Descriptor[]): Sketch {
  const [width_px, height_px] = [1024, 768]
  const likeness = new Uint8Array(1)
  const part = { box: { x_px: 0, y_px: 0, width_px, height_px }, descriptors, likeness }
  return { width_px, height_px, parts: [part] }
}

/** As a copy at half size shows them, its corner cut off, each with some bits wrong. */
function leaked(descriptors: readonly Descriptor[], chance: Chance): readonly Descriptor[] {
  return descriptors.map(({ x_px, y_px, scale, angle, bits }) => {
    const wrong = bits.slice()
    for (let n = 0; n < 25; n += 1) {
      const bit = chance.index(256)
      wrong[bit >> 3]! ^= 1 << (bit & 7)
    }
    return { x_px: (x_px - 40) / 2, y_px: (y_px - 24) / 2, scale: scale / 2, angle, bits: wrong }
  })
}

const side_px = 512

test("where more have something in common with a leak than are looked at with all corners, its own comes first", async () => {
  const common = (set: number, one: number) => noise(chanceOf("common", set, one), 45)
  const chance = chanceOf("which")
  const all = Array.from({ length: 150 }, (_, n) => {
    const some = Array.from({ length: 8 }, (_, set) => common(set, chance.index(13)))
    return [...noise(chanceOf("apart", n), 140), ...some.flat()]
  })
  const index = new Originals()
  all.forEach((descriptors, n) => index.add(`original ${n}`, sketchWith(descriptors)))
  for (const n of [3, 141]) {
    const found = await index.find(leaked(all[n]!, chanceOf("leaked", n)), side_px, 100)
    const [first, second] = found
    expect(first!.name).toBe(`original ${n}`)
    expect(first!.agreeing).toBeGreaterThanOrEqual(475)
    expect(second!.agreeing).toBeLessThan(250)
    expect(found.filter(({ agreeing }) => agreeing >= 40)).toHaveLength(60)
  }
})

suite("an index of originals", () => {
  const own = Array.from({ length: 60 }, (_, n) => noise(chanceOf("own", n), 100))
  const index = new Originals()
  own.forEach((descriptors, n) => index.add(`original ${n}`, sketchWith(descriptors)))

  test("that is empty gives none, and so does a leak of nothing", async () => {
    expect(await new Originals().find(own[0]!, side_px, 5)).toEqual([])
    expect(await index.find([], side_px, 5)).toEqual([])
    expect(new Originals().size_bytes).toBeGreaterThan(0)
  })

  test.each([0, 30, 59])("leads the leaked original %i back to it, most of whose corners agree", async n => {
    const [first, ...others] = await index.find(leaked(own[n]!, chanceOf("leaked", n)), side_px, 5)
    expect(first!.name).toBe(`original ${n}`)
    expect(first!.agreeing).toBeGreaterThanOrEqual(95)
    expect(first!.votes).toBeGreaterThan(1000)
    for (const other of others) expect(other.agreeing).toBeLessThan(4)
  })

  test("a leak of noise agrees with fewer than four corners of any", async () => {
    for (const seed of [1, 2, 3])
      for (const { agreeing } of await index.find(noise(chanceOf("noise", seed), 600), side_px, 8))
        expect(agreeing).toBeLessThan(4)
  })

  test("says which way round a leak lies, and finds those that lie either way", async () => {
    const [asItIs, mirrored] = [leaked(own[7]!, chanceOf("as it is")), leaked(own[8]!, chanceOf("mirrored"))]
    const found = await index.findEither({ asItIs, mirrored }, side_px, 5)
    const names = found.slice(0, 2).map(({ name, isMirrored }) => ({ name, isMirrored }))
    expect(names).toContainEqual({ name: "original 7", isMirrored: false })
    expect(names).toContainEqual({ name: "original 8", isMirrored: true })
  })

  test("finds a leak of many corners, of which every other votes, and every fourth in a mirror", async () => {
    const grown = new Originals()
    const many = Array.from({ length: 30 }, (_, n) => noise(chanceOf("many", n), 600))
    many.forEach((descriptors, n) => grown.add(`original ${n}`, sketchWith(descriptors)))
    const leak = leaked(many[11]!, chanceOf("many, leaked"))
    for (const ways of [
      { asItIs: leak, mirrored: [] },
      { asItIs: [], mirrored: leak },
    ]) {
      const [first] = await grown.findEither(ways, side_px, 1)
      expect(first).toMatchObject({ name: "original 11", isMirrored: ways.asItIs.length === 0 })
      expect(first!.agreeing).toBeGreaterThan(570)
    }
  })

  test("gives no more than were asked for", async () => {
    const leak = leaked(own.slice(0, 6).flat(), chanceOf("several"))
    expect(await index.find(leak, side_px, 6)).toHaveLength(6)
    expect(await index.find(leak, side_px, 2)).toEqual((await index.find(leak, side_px, 6)).slice(0, 2))
    expect(await index.find(leak, side_px, 0)).toEqual([])
  })

  test("what was added after a look-up is seen by the next, one or many", async () => {
    const grown = new Originals()
    for (let n = 0; n < own.length; n += 1) {
      grown.add(`original ${n}`, sketchWith(own[n]!))
      expect(grown.size).toBe(n + 1)
      if (n % 10 !== 3 && n !== 4) continue
      expect((await grown.find(leaked(own[n]!, chanceOf("late", n)), side_px, 1))[0]?.name).toBe(
        `original ${n}`,
      )
      expect((await grown.find(leaked(own[0]!, chanceOf("early", n)), side_px, 1))[0]?.name).toBe(
        "original 0",
      )
    }
  })
})

test("what all originals share speaks for none of them", async () => {
  const shared = noise(chanceOf("shared"), 200)
  const index = new Originals()
  const own = Array.from({ length: 150 }, (_, n) => noise(chanceOf("beside", n), 30))
  own.forEach((each, n) => index.add(`original ${n}`, sketchWith([...shared, ...each])))
  expect(await index.find(shared, side_px, 5)).toEqual([])
  const leak = leaked([...shared, ...own[77]!], chanceOf("vehicle"))
  const [first, ...others] = await index.find(leak, side_px, 5)
  expect(first!.name).toBe("original 77")
  for (const other of others) expect(other.agreeing).toBeLessThan(first!.agreeing)
})

suite("of 10 drawn captures of one lane", () => {
  let originals: readonly Original[]
  let index: Originals
  beforeAll(async () => {
    originals = await drawOriginals(10, 10)
    index = indexOf(originals)
  })

  test.each(["L2, JPEG 50 at half size", "L2, turned by 5°", "L4, at quarter size"])(
    "%s: two of two lead back",
    async name => {
      const places: number[] = []
      for (const number of [3, 8])
        places.push(await placeOf(await leaks[name]!(originals[number]!), number, index))
      expect(places).toEqual([1, 1])
    },
  )

  test("a mirrored copy leads back when it is asked for mirrored", async () => {
    const file = await sharp(originals[5]!.l4).flop().jpeg({ quality: 60 }).toBuffer()
    const { side_px, descriptors, mirrored } = lookAtLeak(await decodeLeak(file))
    const [asIs] = await index.find(parseDescriptors(descriptors)!, side_px, 1)
    const [turned] = await index.find(parseDescriptors(mirrored)!, side_px, 1)
    expect(turned!.name).toBe("5")
    // A vehicle's front is nearly the same on both sides, and so agrees either way.
    expect(turned!.agreeing).toBeGreaterThan(asIs?.agreeing ?? 0)
  })
})
