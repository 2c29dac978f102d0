import { execFile } from "node:child_process"
import { existsSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs"
import { promisify } from "node:util"
import sharp from "sharp"
import { afterEach, beforeAll, expect, test } from "vitest"
import type { Extent } from "../grant/level.ts"
import { openDecoder, type Decoder, type DecoderOptions } from "./decoder.ts"

const built = new URL("../../dist/picture/", import.meta.url)
const isBuilt = existsSync(new URL("child.js", built))
const isLinux = process.platform === "linux"

const open: Decoder[] = []

function decoder(options: Partial<DecoderOptions> = {}): Decoder {
  const one = openDecoder({ processes: 1, timeout_ms: 20_000, memory_mb: 512, ...options })
  open.push(one)
  return one
}

afterEach(async () => {
  await Promise.all(open.splice(0).map(one => one.close()))
})

/** The processes that this one has started. */
function children(): number[] {
  return readdirSync("/proc/self/task").flatMap(task =>
    readFileSync(`/proc/self/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  )
}

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => "nothing refused",
    error => error.code ?? String(error),
  )
}

const doubted = { plates: [], faces: [] }
const plate = { x_px: 100, y_px: 60, width_px: 40, height_px: 14 }
const found = { width_px: 240, height_px: 160, plates: [plate], faces: null, doubted }
let jpeg: Buffer
let png: Buffer
let bomb: Buffer
beforeAll(async () => {
  const noise = { width: 240, height: 160, channels: 3 as const, background: "#456" }
  const image = sharp({ create: { ...noise, noise: { type: "gaussian", mean: 128, sigma: 40 } } })
  jpeg = await image.clone().jpeg().toBuffer()
  png = await image.clone().png().toBuffer()
  const wide = { width: 16_000, height: 3_000, channels: 3 as const, background: "#000" }
  bomb = await sharp({ create: wide }).png().toBuffer()
})

test.skipIf(!isBuilt).each(["jpeg", "png", "webp"] as const)(
  "a child decodes %s, small and large, and writes no file for it (skipped: dist is not built)",
  async format => {
    const one = decoder({ memory_mb: 1024 })
    for (const width_px of [64, 4000]) {
      const size = { width: width_px, height: 3000, channels: 3 as const, background: "#456" }
      const picture = await sharp({ create: size }).toFormat(format).toBuffer()
      expect(await one.describe(picture)).toEqual({ width_px, height_px: 3000, format })
    }
  },
)

test.skipIf(!isBuilt)("a child gives what the work itself gives (skipped: dist is not built)", async () => {
  const { keepRegions } = await import("./pixels.ts")
  const one = decoder()
  expect(await one.describe(jpeg)).toEqual({ width_px: 240, height_px: 160, format: "jpeg" })
  const looked = { ...found, faces: [] }
  const extents: readonly Extent[] = [
    ...([{ level: "L1" }, { level: "L2" }, { level: "L4" }] as const),
    { level: "L2", region: "wide" },
  ]
  for (const extent of extents) {
    const copy = await one.keepRegions(jpeg, extent, looked, null)
    const own = await keepRegions(jpeg, extent, looked, null)
    expect(Buffer.from(copy.bytes).equals(own.bytes)).toBe(true)
    expect({ ...copy, bytes: null }).toEqual({ ...own, bytes: null })
  }
  expect(await codeOf(one.keepRegions(jpeg, { level: "L0" }, found, null))).toBe("INVALID")
})

test.skipIf(!isBuilt || !isLinux)(
  "a child has no environment of ours, no file and no core of its own",
  async () => {
    process.env.SALLYPORT_CANARY_KEY = "canary-3141"
    const held = openSync(new URL(import.meta.url), "r")
    const one = decoder()
    await one.describe(jpeg)
    const [pid = 0] = children()
    const environment = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").filter(Boolean)
    const names = environment.map(line => line.split("=")[0] ?? "")
    expect(names.filter(name => !/^(PATH|PWD|VIPS_|MALLOC_|NODE_CHANNEL_)/.test(name))).toEqual([])
    const files = readdirSync(`/proc/${pid}/fd`).map(fd => readlinkSync(`/proc/${pid}/fd/${fd}`))
    expect(
      files.filter(file => !/^(\/dev\/null|anon_inode:|pipe:|socket:|\/.*(\[eventfd\]))/.test(file)),
    ).toEqual([])
    expect(files.filter(file => file.startsWith("socket:"))).toHaveLength(1)
    expect(readlinkSync(`/proc/${pid}/cwd`)).toBe("/")
    const limits = readFileSync(`/proc/${pid}/limits`, "utf8")
    expect(limits).toMatch(/Max core file size +0 +0/)
    expect(limits).toMatch(/Max file size +0 +0/)
    // Node 22 and newer map 512 MB that they never touch.
    const limit_bytes = Number(process.versions.node.split(".")[0]) >= 22 ? 1_073_741_824 : 536_870_912
    expect(limits).toMatch(new RegExp(`Max data size +${limit_bytes} +${limit_bytes}`))
    expect(held).toBeGreaterThan(2)
  },
)

test.skipIf(!isBuilt || !isLinux)(
  "where namespaces are to be had, a child sees no network",
  async context => {
    const mayUnshare = await promisify(execFile)("unshare", ["--user", "--net", "true"]).then(
      () => true,
      () => false,
    )
    if (!mayUnshare) context.skip("unshare is not allowed here")
    const one = decoder()
    await one.describe(jpeg)
    const [pid = 0] = children()
    expect(readlinkSync(`/proc/${pid}/ns/net`)).not.toBe(readlinkSync("/proc/self/ns/net"))
  },
)

test.skipIf(!isBuilt || !isLinux)("a picture that outgrows the memory limit is refused, alone", async () => {
  const one = decoder({ memory_mb: 256 })
  const all = await Promise.allSettled([
    one.describe(jpeg),
    one.keepRegions(bomb, { level: "L4" }, null, null),
    one.describe(png),
  ])
  expect(all.map(each => (each.status === "fulfilled" ? "done" : each.reason.code))).toEqual([
    "done",
    "PICTURE",
    "done",
  ])
})

test.skipIf(!isBuilt)("a picture that takes too long is refused, and the next one is served", async () => {
  const one = decoder({ memory_mb: 1024, timeout_ms: 120 })
  await one.describe(jpeg)
  expect(await codeOf(one.keepRegions(bomb, { level: "L4" }, null, null))).toBe("PICTURE")
  expect(await one.describe(png)).toMatchObject({ format: "png" })
})

test.skipIf(!isBuilt || !isLinux)(
  "a child killed while idle, or at work on an innocent picture, costs nobody",
  async () => {
    const one = decoder({ memory_mb: 1024 })
    await one.describe(jpeg)
    const [idle = 0] = children()
    process.kill(idle, "SIGKILL")
    expect(await one.describe(png)).toMatchObject({ format: "png" })
    const working = one.keepRegions(bomb, { level: "L4" }, null, null)
    process.kill(children().find(pid => pid !== idle) ?? 0, "SIGKILL")
    expect(await working).toMatchObject({ width_px: 16_000 })
  },
)

test.skipIf(!isBuilt)("an interrupt that reaches the group does not end a child's work", async () => {
  const one = decoder()
  await one.describe(jpeg)
  for (const pid of isLinux ? children() : []) process.kill(pid, "SIGINT")
  expect(await one.describe(png)).toMatchObject({ format: "png" })
})

test.skipIf(!isBuilt)("the queue has an end", async () => {
  const one = decoder()
  const codes = await Promise.all(Array.from({ length: 70 }, () => codeOf(one.describe(jpeg))))
  expect(codes.filter(code => code === "BUSY")).toHaveLength(70 - 64 - 1)
  expect(codes.filter(code => code === "nothing refused")).toHaveLength(65)
})

test.skipIf(!isBuilt)("closing refuses what is under way as BUSY, never as a bad picture", async () => {
  const one = decoder({ processes: 2 })
  const codes = Promise.all([jpeg, png, jpeg].map(picture => codeOf(one.describe(picture))))
  await one.close()
  expect(await codes).toEqual(["BUSY", "BUSY", "BUSY"])
  expect(await codeOf(one.describe(jpeg))).toBe("BUSY")
  if (isLinux) expect(children()).toEqual([])
})

test("what is too large or of another format never reaches a child", async () => {
  const one = decoder()
  expect(await codeOf(one.describe(Buffer.from("GIF89a")))).toBe("PICTURE")
  expect(await codeOf(one.describe(Buffer.alloc(33 * 1024 * 1024, 0xff)))).toBe("PICTURE_SIZE")
  if (isLinux) expect(children()).toEqual([])
})

test("options out of range are refused", () => {
  expect(() => decoder({ processes: 0 })).toThrow("1 to 16")
  expect(() => decoder({ memory_mb: 64 })).toThrow("256 MB")
})

test.skipIf(!isBuilt)("an idle decoder does not keep its process alive", async () => {
  const script = `
    import { openDecoder } from ${JSON.stringify(new URL("decoder.js", built).href)}
    const decoder = openDecoder({ processes: 1, timeout_ms: 20000, memory_mb: 512 })
    const { format } = await decoder.describe(Buffer.from(process.argv[1], "base64"))
    console.log(format)`
  const run = promisify(execFile)
  const args = ["--input-type=module", "-e", script, jpeg.toString("base64")]
  const { stdout } = await run(process.execPath, args, { timeout: 20_000 })
  expect(stdout).toBe("jpeg\n")
})

test.skipIf(!isBuilt)(
  "200 random mutations of a JPEG and a PNG are served or refused, and nothing breaks",
  async () => {
    const one = decoder({ processes: 2 })
    let state = 20_261_124
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
      return (state >>> 8) % below
    }
    const outcomes = new Set<unknown>()
    for (let i = 0; i < 200; i += 1) {
      const bent = Buffer.from(i % 2 === 0 ? jpeg : png)
      for (let n = 0; n <= random(8); n += 1) bent[8 + random(Math.min(bent.length, 4_000) - 8)] = random(256)
      outcomes.add(await codeOf(one.keepRegions(bent, { level: "L2" }, found, null)))
    }
    expect([...outcomes].sort()).toEqual(
      [...outcomes]
        .filter(code => ["nothing refused", "PICTURE", "PICTURE_SIZE", "INVALID"].includes(String(code)))
        .sort(),
    )
    expect(outcomes).toContain("PICTURE")
    expect(await one.describe(jpeg)).toMatchObject({ format: "jpeg" })
  },
)
