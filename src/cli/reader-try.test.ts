import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, expect, test } from "vitest"
import { drawCapture } from "../drawing/capture.ts"

const program = fileURLToPath(new URL("../../dist/sallyport.js", import.meta.url))
const bin = fileURLToPath(new URL("../../bin/sallyport", import.meta.url))
const isBuilt = existsSync(program)
let folder: string

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

function sallyport(...parameters: string[]): Promise<Ran> {
  return new Promise(resolve => {
    execFile(process.execPath, [bin, "reader", "try", ...parameters], (error, out, err) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err }),
    )
  })
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-try-"))
  const rows = ["file,region,x_px,y_px,width_px,height_px,plate"]
  for (const index of [1, 2]) {
    const { picture, plate } = await drawCapture({ seed: "try", lane: 1, hour: 12, index })
    await writeFile(join(folder, `${index}.jpg`), picture)
    const { x_px, y_px, width_px, height_px } = plate.box
    rows.push(`${index}.jpg,drawn,${x_px},${y_px},${width_px},${height_px},${plate.text}`)
  }
  await writeFile(join(folder, "index.csv"), `${rows.join("\n")}\n`)
  await writeFile(join(folder, "notes.txt"), "no picture")
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test.skipIf(!isBuilt)(
  "a folder is read file by file and scores itself; a file that is no picture is named, and the exit code says so (skipped: dist is not built)",
  async () => {
    const whole = await sallyport(folder)
    expect(whole.code).toBe(0)
    const lines = whole.out.split("\n")
    expect(lines[0]).toMatch(/^file +state +plate +confidence +candidates +box +cpu_ms$/)
    expect(lines.filter(line => /^[12]\.jpg +(read|unsure) /.test(line))).toHaveLength(2)
    expect(whole.out).toMatch(/drawn +2 +2 = 100\.0 % \(34–100\)/)
    expect(whole.err).toContain("left out: notes.txt")
    await writeFile(join(folder, "bent.jpg"), "no picture at all")
    const part = await sallyport(folder, "--json", "--faces", "default", "--region", "us")
    expect(part.code).toBe(10)
    const { files, unread, scores } = JSON.parse(part.out)
    expect(files.map(({ file }: { file: string }) => file)).toEqual(["1.jpg", "2.jpg"])
    for (const key of ["state", "plate", "confidence", "candidates", "box", "cpu_ms", "faces"])
      expect(files[0]).toHaveProperty(key)
    expect(unread).toEqual([{ name: "bent.jpg", why: "the picture is neither JPEG nor PNG nor WebP" }])
    expect(scores).toMatchObject([{ group: "drawn", n: 2, merged: { of: 2 } }])
  },
)

test.skipIf(!isBuilt)("a folder that is not there is refused", async () => {
  expect(await sallyport(join(folder, "none"))).toMatchObject({ code: 6 })
  expect((await sallyport(folder, "--region", "moon")).code).toBe(2)
})
