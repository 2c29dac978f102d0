import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { afterAll, beforeAll, expect, test } from "vitest"
import { postCapture } from "../src/lane/post.ts"
import { grantOf, openTestPort, sealShot, type TestPort } from "./port.ts"
import { clientFor, startServer } from "./server.ts"

/**
 * Plants texts and a pixel pattern, lets a server of its own take in, examine, release and refuse, and searches everything
 * that it left behind. Left out by name: the copy that the holder received, which is meant to show its plate.
 */
const plateText = "PLANTED7Q"
const personName = "Planted engineer"
let port: TestPort
let temporary: string
let output = ""
let picture: Buffer

/** A run of pixels that nothing else has: 64 values from a counter. */
const pattern = Buffer.from(Array.from({ length: 96 }, (_, i) => (i * 37 + 11) % 256))

beforeAll(async () => {
  port = await openTestPort()
  temporary = await mkdtemp(join(tmpdir(), "sallyport-leak-"))
  const pixels = Buffer.alloc(320 * 200 * 3, 90)
  for (let row = 0; row < 200; row += 1) pattern.copy(pixels, row * 320 * 3 + 30)
  picture = await sharp(pixels, { raw: { width: 320, height: 200, channels: 3 } })
    .png()
    .toBuffer()
  const grant = await grantOf(port, { terms: { images: 1 } })
  await port.opened.close()
  const server = await startServer(port.data, { TMPDIR: temporary })
  const box = { x_px: 200, y_px: 100, width_px: 60, height_px: 20 }
  const captures: string[] = []
  for (let i = 0; i < 3; i += 1) {
    const event = {
      v: 1,
      source: "index",
      file: `${plateText}.png`,
      plates: [{ text: plateText, box }],
      faces: [],
    } as const
    captures.push((await postCapture(server.url, (await sealShot(port, { picture, event })).bytes)).capture)
  }
  const engineer = clientFor(port.people.engineer, server.url, "sallyport.example/test")
  for (const capture of captures) {
    const asked = engineer.send({
      method: "POST",
      path: "/v1/releases",
      statement: { grant, capture, level: "L2" },
    })
    await asked.then(response => response.arrayBuffer()).catch(() => undefined)
  }
  await engineer
    .json({ method: "POST", path: "/v1/lanes", statement: { port: "x", name: personName } })
    .catch(() => undefined)
  await server.kill("SIGTERM")
  output = server.output()
})
afterAll(async () => {
  await rm(port.data, { recursive: true, force: true })
  await rm(temporary, { recursive: true, force: true })
})

/** The needle as it might lie about: plain, hex, UTF-16, and base64 at each of the three alignments. */
function formsOf(needle: Buffer): Buffer[] {
  const aligned = [0, 1, 2].map(pad => {
    const text = Buffer.concat([Buffer.alloc(pad), needle]).toString("base64")
    return Buffer.from(text.slice(pad === 0 ? 0 : 4, -4))
  })
  const hex = needle.toString("hex")
  const wide = Buffer.from(needle.toString("latin1"), "utf16le")
  return [needle, Buffer.from(hex), Buffer.from(hex.toUpperCase()), wide, ...aligned]
}

const needles: readonly [string, Buffer][] = [
  ["the plate's text", Buffer.from(plateText)],
  ["a person's name", Buffer.from(personName)],
  ["the pixels", pattern],
]

/** What a haystack holds in the clear: searched as it is, and decoded where it is a picture. */
async function found(haystack: Buffer): Promise<string[]> {
  const hits = needles
    .filter(([, needle]) => formsOf(needle).some(form => haystack.includes(form)))
    .map(([what]) => what)
  const decoded = await sharp(haystack)
    .raw()
    .toBuffer()
    .catch(() => null)
  return decoded?.includes(pattern) === true ? [...hits, "decoded pixels"] : hits
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
}

test("nothing that the server stored, wrote beside, or said holds a plate, a name or a pixel in the clear", async () => {
  const files = [...(await filesIn(port.data)), ...(await filesIn(temporary))]
  expect(files.length).toBeGreaterThan(5)
  for (const file of files) expect(await found(await readFile(file)), file).toEqual([])
  expect(await found(Buffer.from(output))).toEqual([])
})

test("the search finds what is planted for it to find, in every form", async () => {
  const folder = join(temporary, "control")
  await mkdir(folder)
  for (const [i, form] of formsOf(Buffer.from(plateText)).entries()) {
    await writeFile(
      join(folder, `form-${i}`),
      Buffer.concat([Buffer.from("before"), form, Buffer.from("after")]),
    )
  }
  await writeFile(join(folder, "picture"), picture)
  const controls = await filesIn(folder)
  expect(controls).toHaveLength(8)
  for (const file of controls) expect(await found(await readFile(file)), file).not.toEqual([])
  const shifted = Buffer.from(Buffer.from(`x${plateText}yz`).toString("base64"))
  expect(await found(shifted)).toContain("the plate's text")
})
