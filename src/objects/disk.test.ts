import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, test } from "vitest"
import { openDisk } from "./disk.ts"
import { objectsContract } from "./objects.contract.ts"

const folder = await mkdtemp(join(tmpdir(), "sallyport-objects-"))
afterAll(() => rm(folder, { recursive: true, force: true }))

objectsContract("disk", () => openDisk({ folder: join(folder, "contract") }))

test("what a crash left beside is removed at the next opening", async () => {
  const own = join(folder, "crashed")
  await openDisk({ folder: own })
  await writeFile(join(own, "tmp", "half"), "half")
  const store = await openDisk({ folder: own })
  expect(await readdir(join(own, "tmp"))).toEqual([])
  expect(await store.putIfAbsent("a", Uint8Array.of(1))).toBe("stored")
  expect(await readdir(join(own, "tmp"))).toEqual([])
})
