import { beforeAll, describe, expect, test } from "vitest"
import type { ObjectStore } from "./objects.ts"

/** What every object store must do. Names are made anew for each run, so that a bucket may be used again. */
export function objectsContract(name: string, open: () => Promise<ObjectStore>): void {
  describe(`objects on ${name}`, () => {
    let store: ObjectStore
    const prefix = `t${Date.now()}-${process.pid}`
    beforeAll(async () => {
      store = await open()
    })

    test("what is put is got, byte for byte, and is put once", async () => {
      const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251)
      expect(await store.putIfAbsent(`${prefix}/a/one`, bytes)).toBe("stored")
      expect(await store.putIfAbsent(`${prefix}/a/one`, Uint8Array.of(1))).toBe("exists")
      expect(Buffer.from((await store.get(`${prefix}/a/one`))!).equals(Buffer.from(bytes))).toBe(true)
      expect(await store.get(`${prefix}/a/none`)).toBeNull()
    })

    test("an empty object is an object", async () => {
      await store.putIfAbsent(`${prefix}/empty`, new Uint8Array())
      expect(await store.get(`${prefix}/empty`)).toHaveLength(0)
    })

    test("of 16 at once, one stores", async () => {
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, i) => store.putIfAbsent(`${prefix}/race`, Uint8Array.of(i))),
      )
      expect(answers.filter(answer => answer === "stored")).toHaveLength(1)
      expect([...(await store.get(`${prefix}/race`))!]).toEqual([answers.indexOf("stored")])
    })

    test("listed in order, by prefix", async () => {
      for (const each of ["b/2", "b/10", "b1", "a/one/x"])
        await store.putIfAbsent(`${prefix}/l/${each}`, Uint8Array.of(1))
      const names: string[] = []
      for await (const found of store.list(`${prefix}/l/`)) names.push(found.slice(prefix.length + 3))
      expect(names).toEqual(["a/one/x", "b/10", "b/2", "b1"])
      const some: string[] = []
      for await (const found of store.list(`${prefix}/l/b/`)) some.push(found.slice(prefix.length + 3))
      expect(some).toEqual(["b/10", "b/2"])
    })

    test("deleted is gone; deleting again is no error", async () => {
      await store.putIfAbsent(`${prefix}/gone`, Uint8Array.of(1))
      await store.delete(`${prefix}/gone`)
      await store.delete(`${prefix}/gone`)
      expect(await store.get(`${prefix}/gone`)).toBeNull()
    })

    for (const bad of [
      "",
      "/a",
      "../a",
      "a/../b",
      "a//b",
      ".a",
      "a/.b",
      "a b",
      "a\\b",
      "ä",
      "x".repeat(600),
    ]) {
      test(`${JSON.stringify(bad.slice(0, 12))} is no name`, async () => {
        await expect(store.putIfAbsent(bad, Uint8Array.of(1))).rejects.toMatchObject({ code: "INVALID" })
        await expect(store.get(bad)).rejects.toMatchObject({ code: "INVALID" })
      })
    }
  })
}
