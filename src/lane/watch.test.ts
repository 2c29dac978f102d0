import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { laneParts, type LaneParts } from "../../test/lane-parts.ts"
import { armFailpoint } from "../failpoint.ts"
import { Watch, type WatchOptions } from "./watch.ts"

let parts: LaneParts
let folder: string
let watch: Watch

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-watched-"))
  parts = await laneParts()
  watch = open()
})
afterEach(async () => {
  armFailpoint("")
  await parts.close()
  await rm(folder, { recursive: true, force: true })
})

function open(changed: Partial<WatchOptions> = {}): Watch {
  const { intake, health, identify } = parts
  return new Watch({
    ...{ folder, after: "keep-list", capturedAt: "mtime", settle_ms: 2000, every_ms: 10 },
    ...{ identify, intake, health, clock: () => parts.clock.now_ms },
    ...changed,
  })
}

async function picture(name: string, bytes = "picture", at_ms = parts.clock.now_ms): Promise<void> {
  await writeFile(join(folder, name), bytes)
  await utimes(join(folder, name), at_ms / 1000, at_ms / 1000)
}

/** Looks, and looks again when what was seen has been the same long enough. */
async function lookTwice(of: Watch = watch): Promise<number> {
  const first = await of.look()
  parts.clock.now_ms += 2000
  return first + (await of.look())
}

describe("a picture", () => {
  test("is taken when it stayed the same for the settling time, and not before", async () => {
    await picture("a.jpg")
    expect(await watch.look()).toBe(0)
    parts.clock.now_ms += 1000
    await picture("a.jpg", "picture that grew")
    expect(await watch.look()).toBe(0)
    parts.clock.now_ms += 1999
    expect(await watch.look()).toBe(0)
    parts.clock.now_ms += 1
    expect(await watch.look()).toBe(1)
    expect(parts.spool.numbered).toBe(1)
  })

  test("that stays is taken once, over restarts too", async () => {
    await picture("a.jpg")
    expect(await lookTwice()).toBe(1)
    expect(await lookTwice()).toBe(0)
    await parts.restart()
    expect(await lookTwice(open())).toBe(0)
    expect(await readdir(folder)).toEqual(["a.jpg"])
    expect(parts.spool.numbered).toBe(1)
  })

  test("that was written anew under its name is another picture", async () => {
    await picture("a.jpg")
    await lookTwice()
    parts.clock.now_ms += 1000
    await picture("a.jpg", "another")
    expect(await lookTwice()).toBe(1)
  })

  test("is removed after it is durable, where that is asked for", async () => {
    await picture("a.jpg")
    expect(await lookTwice(open({ after: "delete" }))).toBe(1)
    expect(await readdir(folder)).toEqual([])
    expect(parts.spool.files).toBe(1)
  })

  test("that was spooled before a crash and not removed is removed, and not sent again", async () => {
    await picture("a.jpg")
    armFailpoint("lane.flushed:1:fail")
    await expect(lookTwice(open({ after: "delete" }))).rejects.toThrow("lane.flushed")
    expect(await readdir(folder)).toEqual(["a.jpg"])
    await parts.restart()
    expect(await lookTwice(open({ after: "delete" }))).toBe(0)
    expect(await readdir(folder)).toEqual([])
    expect(parts.spool.numbered).toBe(1)
  })

  test("goes in the order of its time, then of its name", async () => {
    await picture("c.jpg", "third", parts.clock.now_ms - 1000)
    await picture("a.jpg", "second", parts.clock.now_ms - 5000)
    await picture("b.jpg", "first", parts.clock.now_ms - 9000)
    await lookTwice()
    const order = ["b.jpg", "a.jpg", "c.jpg"].map(name => parts.numberOf(folder, name))
    expect(await Promise.all(order)).toEqual([1, 2, 3])
  })

  test("is left where it is while the spool is full, and taken when there is room", async () => {
    await parts.restart({ most_files: 1 })
    const full = open({ after: "delete" })
    await picture("a.jpg", "1", parts.clock.now_ms - 100)
    await picture("b.jpg", "2")
    expect(await lookTwice(full)).toBe(1)
    expect(await readdir(folder)).toEqual(["b.jpg"])
    expect(parts.health.alarms.has("spool_full")).toBe(true)
    await parts.spool.settle(1)
    expect(await full.look()).toBe(1)
    expect(await readdir(folder)).toEqual([])
    expect(parts.health.alarms.has("spool_full")).toBe(false)
  })

  test("is left where it is when no day's key is left, and that is an alarm", async () => {
    await picture("a.jpg")
    parts.clock.now_ms += 40 * 86_400_000
    const late = open({ after: "delete", capturedAt: "now" })
    expect(await lookTwice(late)).toBe(0)
    parts.recipients.check()
    expect(parts.health.alarms.has("recipients_out")).toBe(true)
    expect(await readdir(folder)).toEqual(["a.jpg"])
  })

  test("too old for the vault, empty or too large is left and counted once; the others go on", async () => {
    await picture("old.jpg", "old", parts.clock.now_ms - 14 * 86_400_000)
    await picture("empty.jpg", "")
    await picture("good.jpg")
    expect(await lookTwice()).toBe(1)
    await lookTwice()
    expect(parts.health.counters.pictures_left).toBe(2)
  })
})

test("a folder that is not there, or an index that is half written, is an alarm that ends by itself", async () => {
  await picture("a.jpg")
  await writeFile(join(folder, "index.csv"), "file,reg")
  expect(await lookTwice()).toBe(0)
  expect(parts.health.alarms.has("folder_unreadable")).toBe(true)
  await writeFile(
    join(folder, "index.csv"),
    "file,region,x_px,y_px,width_px,height_px,plate\na.jpg,eu,1,2,3,4,SP7X042\n",
  )
  expect(await lookTwice()).toBe(1)
  expect(parts.health.alarms.has("folder_unreadable")).toBe(false)
  await rm(folder, { recursive: true })
  await watch.look()
  expect(parts.health.alarms.has("folder_unreadable")).toBe(true)
  await mkdir(folder)
  await watch.look()
  expect(parts.health.alarms.has("folder_unreadable")).toBe(false)
})
