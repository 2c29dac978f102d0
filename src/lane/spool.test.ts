import { mkdtemp, readdir, readFile, rename, rm, truncate, unlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { armFailpoint } from "../failpoint.ts"
import { signerOf } from "../ed25519.ts"
import { Marks } from "./marks.ts"
import { Spool, type SpoolOptions } from "./spool.ts"
import { identities } from "./taken.ts"

const identify = identities(signerOf(new Uint8Array(32).fill(7)))
let folder: string
let now_ms = 1_800_000_000_000

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-spool-"))
  now_ms = 1_800_000_000_000
})
afterEach(async () => {
  armFailpoint("")
  await rm(folder, { recursive: true, force: true })
})

function open(changed: Partial<SpoolOptions> = {}): Promise<Spool> {
  return Spool.open({
    folder,
    most_bytes: 1_000_000,
    most_files: 1000,
    firstNumber: 1,
    remembered: { most: 1000, least_s: 0 },
    clock: () => now_ms,
    ...changed,
  })
}

/** A body that says which it is, and under which number. */
const body = (name: string) => (sequence: number) => new TextEncoder().encode(`${name} as ${sequence}`)
const put = (spool: Spool, name: string) => spool.put(identify(name), body(name))
const text = async (spool: Spool, sequence: number) => Buffer.from(await spool.read(sequence)).toString()

describe("numbers", () => {
  test("captures get one number after the other, in the order of the calls", async () => {
    const spool = await open()
    const puts = await Promise.all(["a", "b", "c"].map(name => put(spool, name)))
    expect(puts.map(each => each.kind === "spooled" && each.sequence)).toEqual([1, 2, 3])
    expect(await text(spool, 2)).toBe("b as 2")
    await spool.close()
  })

  test("a number stays used when its capture is gone and the spool is empty, over a restart", async () => {
    const spool = await open()
    await put(spool, "a")
    await spool.settle(1)
    await spool.close()
    expect(await readdir(join(folder, "waiting"))).toEqual([])
    const again = await open()
    expect(await put(again, "b")).toEqual({ kind: "spooled", sequence: 2 })
    expect(again.gaps).toEqual([])
    await again.close()
  })

  test("a new spool counts on from the number that it is given", async () => {
    const spool = await open({ firstNumber: 65 })
    expect(await put(spool, "a")).toMatchObject({ sequence: 65 })
    expect(spool.gaps).toEqual([])
    await spool.close()
  })

  test("captures leave in the order of their numbers only", async () => {
    const spool = await open()
    await put(spool, "a")
    await put(spool, "b")
    await expect(spool.settle(2)).rejects.toThrow("in the order of their numbers")
    await expect(put(spool, "c")).rejects.toThrow("in the order of their numbers")
  })
})

describe("what is offered twice", () => {
  test("is taken once, also after a restart, also when its capture was sent", async () => {
    const spool = await open()
    await put(spool, "a")
    expect(await put(spool, "a")).toEqual({ kind: "repeat", sequence: 1 })
    await spool.settle(1)
    await spool.close()
    const again = await open()
    expect(await put(again, "a")).toEqual({ kind: "repeat", sequence: 1 })
    expect(again.files).toBe(0)
    await again.close()
  })

  test("the list of what was taken holds no name", async () => {
    const spool = await open()
    await put(spool, "PLATE-SP7X042.jpg")
    await spool.close()
    for (const name of await readdir(join(folder, "taken")))
      expect((await readFile(join(folder, "taken", name))).includes("SP7X042")).toBe(false)
  })
})

describe("a crash between two writes", () => {
  // A failpoint throws where kill -9 would end the process: the spool stops, and a new one reads what is there.
  const before = ["lane.recorded", "lane.written"]
  const after = ["lane.linked", "lane.flushed"]
  for (const name of before) {
    test(`${name}: the number was not used; the next capture takes it, and the lost one can be offered again`, async () => {
      const spool = await open()
      await put(spool, "a")
      armFailpoint(`${name}:1:fail`)
      await expect(put(spool, "b")).rejects.toThrow(name)
      const again = await open()
      expect(again.gaps).toEqual([])
      expect(await put(again, "c")).toEqual({ kind: "spooled", sequence: 2 })
      expect(await put(again, "b")).toEqual({ kind: "spooled", sequence: 3 })
      await again.close()
      const third = await open()
      expect(await put(third, "c")).toEqual({ kind: "repeat", sequence: 2 })
      expect(await text(third, 2)).toBe("c as 2")
      await third.close()
    })
  }
  for (const name of after) {
    test(`${name}: the number is used by that capture, which waits, and is known when it is offered again`, async () => {
      const spool = await open()
      armFailpoint(`${name}:1:fail`)
      await expect(put(spool, "a")).rejects.toThrow(name)
      const again = await open()
      expect(await put(again, "a")).toEqual({ kind: "repeat", sequence: 1 })
      expect(await put(again, "b")).toEqual({ kind: "spooled", sequence: 2 })
      expect(await text(again, 1)).toBe("a as 1")
      await again.close()
    })
  }

  test("lane.marked: what was proven is removed at the next start, not sent again", async () => {
    const spool = await open()
    await put(spool, "a")
    await put(spool, "b")
    armFailpoint("lane.marked:1:fail")
    await expect(spool.settle(1)).rejects.toThrow("lane.marked")
    const again = await open()
    expect(again.head?.sequence).toBe(2)
    expect(again.gaps).toEqual([])
    await again.close()
  })

  test("lane.set-aside: a refused capture is kept once, and leaves no gap", async () => {
    const spool = await open()
    await put(spool, "a")
    await put(spool, "b")
    armFailpoint("lane.set-aside:1:fail")
    await expect(spool.setAside(1)).rejects.toThrow("lane.set-aside")
    const again = await open()
    expect(again.head?.sequence).toBe(2)
    expect(again.refused.files).toBe(1)
    expect(again.gaps).toEqual([])
    await again.close()
  })
})

describe("bounds", () => {
  test("a spool that is full takes nothing, loses nothing, and goes on when there is room", async () => {
    const spool = await open({ most_files: 2 })
    await put(spool, "a")
    await put(spool, "b")
    expect(await put(spool, "c")).toEqual({ kind: "full", why: "files" })
    await spool.settle(1)
    expect(await put(spool, "c")).toEqual({ kind: "spooled", sequence: 3 })
    await spool.close()
  })

  test("the bound in bytes counts captures that were refused and are kept", async () => {
    const spool = await open({ most_bytes: 14 })
    await put(spool, "a")
    await put(spool, "b")
    await spool.setAside(1)
    expect(await put(spool, "c")).toEqual({ kind: "full", why: "bytes" })
    await spool.settle(2)
    expect(await put(spool, "c")).toMatchObject({ kind: "spooled" })
    await spool.close()
  })

  test("pictures that stay in a folder are never forgotten early: full is said instead", async () => {
    const spool = await open({ remembered: { most: 2, least_s: 3600 } })
    await put(spool, "a")
    await spool.close()
    const again = await open({ remembered: { most: 2, least_s: 3600 } })
    await put(again, "b")
    expect(await put(again, "c")).toEqual({ kind: "full", why: "taken" })
    now_ms += 3_601_000
    expect(await put(again, "c")).toEqual({ kind: "spooled", sequence: 3 })
    await again.close()
  })
})

describe("what others do to the folder", () => {
  test("removed captures are a gap that is found at the next start", async () => {
    const spool = await open()
    for (const name of ["a", "b", "c", "d", "e"]) await put(spool, name)
    await spool.close()
    for (const sequence of [2, 3, 5])
      await unlink(join(folder, "waiting", `${sequence}`.padStart(16, "0") + ".capture"))
    await open().then(async again => {
      // The last one's loss shows only if its number was marked; its record alone does not use a number.
      expect(again.gaps).toEqual([{ from: 2, to: 3 }])
      await again.settle(1)
      await again.close()
    })
  })

  test("marks survive a write that was cut, and are refused when both slots are damaged", async () => {
    const file = join(folder, "marks")
    const marks = await Marks.open(file, { numbered: 0, settled: 0 })
    await marks.write({ numbered: 5, settled: 3 })
    await marks.write({ numbered: 6, settled: 4 })
    await marks.close()
    const bytes = await readFile(file)
    // The newest of the two is cut: the one before it holds.
    const newest = bytes.toString("latin1").indexOf("numbered=6") < 512 ? 0 : 512
    await writeFile(
      file,
      Buffer.concat([bytes.subarray(0, newest + 40), Buffer.alloc(20), bytes.subarray(newest + 60)]),
    )
    const again = await Marks.open(file, { numbered: 0, settled: 0 })
    expect(again.held).toMatchObject({ numbered: 5, settled: 3 })
    await again.close()
    await writeFile(file, Buffer.alloc(1024))
    await expect(Marks.open(file, { numbered: 0, settled: 0 })).rejects.toMatchObject({ code: "CONFIG" })
  })

  test("a list of what was taken that is cut keeps what is whole", async () => {
    const spool = await open()
    for (const name of ["a", "b"]) await put(spool, name)
    await spool.close()
    const [name = ""] = await readdir(join(folder, "taken"))
    await truncate(join(folder, "taken", name), 40)
    const again = await open()
    expect(await put(again, "a")).toMatchObject({ kind: "repeat" })
    expect(await put(again, "b")).toMatchObject({ kind: "spooled", sequence: 3 })
    await again.close()
  })

  test("what a crash left beside is removed", async () => {
    await (await open()).close()
    await writeFile(join(folder, "tmp", "1"), "half")
    await (await open()).close()
    expect(await readdir(join(folder, "tmp"))).toEqual([])
  })

  test("a spool whose marks are lost keeps every capture that waits", async () => {
    const spool = await open()
    for (const name of ["a", "b", "c"]) await put(spool, name)
    await spool.settle(1)
    await spool.close()
    await rename(join(folder, "marks"), join(folder, "lost"))
    const again = await open({ firstNumber: 9 })
    expect(again.head?.sequence).toBe(2)
    expect(await put(again, "d")).toMatchObject({ sequence: 9 })
    expect(again.gaps).toEqual([{ from: 4, to: 8 }])
    await again.close()
  })
})
