import { spawn, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { release } from "../src/custody/release.ts"
import { openServer, type Server } from "../src/http/server.ts"
import { grantOf, openTestPort, releaseCaller, takeIn, type TestPort } from "./port.ts"
import { root } from "./tidy.ts"

/** Programs that share no code with us judge what we make. */
const hasGo =
  spawnSync("go", ["version"]).status === 0 && existsSync("/usr/share/gocode/src/golang.org/x/mod/sumdb")
const hasPython = spawnSync("python3", ["--version"]).status === 0

let port: TestPort
let server: Server
let folder: string

beforeAll(async () => {
  port = await openTestPort()
  folder = await mkdtemp(join(tmpdir(), "sallyport-independent-"))
  const plates = [{ text: "SP7X042", box: { x_px: 100, y_px: 90, width_px: 80, height_px: 26 } }]
  const grant = await grantOf(port)
  for (const [name, background] of [
    ["a", "#246"],
    ["b", "#642"],
  ] as const) {
    const flat = sharp({ create: { width: 300, height: 200, channels: 3, background } })
    const picture = new Uint8Array(await flat.jpeg().toBuffer())
    const { capture } = await takeIn(port, {
      picture,
      event: { v: 1, source: "index", file: null, plates, faces: [] },
    })
    const delivery = await release(port.house, await releaseCaller(port, { grant, capture }))
    await writeFile(join(folder, `${name}.png`), delivery.bytes)
    await writeFile(join(folder, `${name}.png.tlog-proof`), delivery.receipt)
  }
  // Enough entries for a full tile and a partial one.
  while ((await port.house.log.head()).size < 270) await grantOf(port)
  await writeFile(join(folder, "policy"), `log ${port.house.log.vkey}\nquorum none\n`)
  const standing = { differences: [] }
  server = await openServer(port.house, {
    host: "127.0.0.1",
    port: 0,
    openBundles: true,
    standing,
    version: "0",
  })
})
afterAll(async () => {
  await server.close()
  await port.close()
  await rm(folder, { recursive: true, force: true })
})

describe.skipIf(!hasGo)(`Go's sumdb/tlog and note${hasGo ? "" : " (skipped: no Go with x/mod here)"}`, () => {
  const run = (vkey: string) =>
    new Promise<{ status: number | null; output: string }>(resolve => {
      const child = spawn("go", ["run", "main.go", "--url", `${server.url}/log`, "--vkey", vkey], {
        cwd: join(root, "examples/verify-log"),
        env: { ...process.env, GO111MODULE: "off", GOPATH: "/usr/share/gocode", GOFLAGS: "" },
      })
      let output = ""
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk: Buffer) => (output += chunk.toString()))
      child.once("exit", status => resolve({ status, output }))
    })
  test("verify checkpoint, tiles, inclusion of every entry, and consistency", async () => {
    const { status, output } = await run(port.house.log.vkey)
    expect(output).toContain(`inclusion of all ${(await port.house.log.head()).size} entries`)
    expect(output).toContain("is a prefix")
    expect(status).toBe(0)
  })
  test("refuse another key", async () => {
    const { status } = await run(
      "sallyport.example/test+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx",
    )
    expect(status).not.toBe(0)
  })
})

describe.skipIf(!hasPython)(
  `the receipt reader in Python${hasPython ? "" : " (skipped: no python3 here)"}`,
  () => {
    const run = (receipt: string, image: string) =>
      spawnSync(
        "python3",
        [
          join(root, "examples/verify_receipt.py"),
          join(folder, receipt),
          join(folder, "policy"),
          join(folder, image),
        ],
        { encoding: "utf8" },
      )
    test("verifies a receipt", () => {
      const { status, stdout } = run("a.png.tlog-proof", "a.png")
      expect(stdout).not.toContain("FAILED")
      expect(status).toBe(0)
    })
    test("refuses another file, and any bent receipt", async () => {
      expect(run("a.png.tlog-proof", "b.png").status).toBe(7)
      const receipt = await readFile(join(folder, "a.png.tlog-proof"))
      for (let at = 5; at < receipt.length; at += Math.ceil(receipt.length / 20)) {
        const bent = Buffer.from(receipt)
        bent[at]! ^= 1
        await writeFile(join(folder, "bent.tlog-proof"), bent)
        expect(run("bent.tlog-proof", "a.png").status, `byte ${at}`).toBe(7)
      }
    })
  },
)
