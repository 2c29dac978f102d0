import { spawn, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { serveWitness } from "../src/cli/witness.ts"
import { wanting } from "../src/ledger/ledger.ts"
import { release } from "../src/custody/release.ts"
import { newSeed, signerOf } from "../src/ed25519.ts"
import { assert } from "../src/fault.ts"
import { openServer, type Server } from "../src/http/server.ts"
import type { Ledger } from "../src/ledger/ledger.ts"
import { openSqlite } from "../src/ledger/sqlite.ts"
import { Log } from "../src/log/log.ts"
import { formatVkey } from "../src/tlog/note.ts"
import { parsePolicy } from "../src/tlog/policy.ts"
import { entriesPath, formatBundle, tilePath } from "../src/tlog/tile.ts"
import { platePicture } from "./plate-picture.ts"
import { grantOf, openTestPort, releaseCaller, takeIn, type TestPort } from "./port.ts"
import { root } from "./tidy.ts"

/** Programs that share no code with us judge what we make. */
const hasGo =
  spawnSync("go", ["version"]).status === 0 && existsSync("/usr/share/gocode/src/golang.org/x/mod/sumdb")
const hasPython = spawnSync("python3", ["--version"]).status === 0

/** An entry that no person authored, as fast as they come. */
function appendPlain(log: Log, i: number) {
  const nothing = { person: null, reader: null, capture: null, network: null, asked: null, statement: null }
  const refused = { kind: "refused", of: "read", code: "OFFICE", grant: `plain-${i}`, ...nothing } as const
  return log.append({ wanted: wanting({}), draft: () => ({ entry: refused }) })
}

/** The log as a folder of tiles (c2sp.org/tlog-tiles). */
async function writeTiles(log: Log, ledger: Ledger, to: string): Promise<void> {
  const note = await log.published()
  const size = Number(note.split("\n")[1])
  const put = async (path: string, bytes: Uint8Array | string) => {
    await mkdir(dirname(join(to, path)), { recursive: true })
    await writeFile(join(to, path), bytes)
  }
  await put("checkpoint", note)
  for (let level = 0, count = size; count > 0; level += 1, count = Math.floor(count / 256))
    for (let index = 0; index * 256 < count; index += 1) {
      const width = Math.min(256, count - index * 256)
      const tile = await ledger.tile(level, index)
      await put(tilePath({ level, index, width }), tile!.hashes.subarray(0, width * 32))
      if (level > 0) continue
      const rows = await ledger.entries(index * 256, index * 256 + width)
      await put(entriesPath(index, width), formatBundle(rows.map(row => row.bytes)))
    }
}

/** `SALLYPORT_ENTRIES=100100` for a longer one; three levels of tiles are met at 66,000. */
const entries = Number(process.env.SALLYPORT_ENTRIES ?? "66100")

let port: TestPort
let server: Server
let folder: string

beforeAll(async () => {
  port = await openTestPort()
  folder = await mkdtemp(join(tmpdir(), "sallyport-independent-"))
  const grant = await grantOf(port)
  for (const [name, text] of [
    ["a", "SP7X042"],
    ["b", "SP2A345"],
  ] as const) {
    const { picture, plate } = await platePicture(text)
    const event = { v: 1, source: "index", file: null, plates: [plate], faces: [] } as const
    const { capture } = await takeIn(port, { picture, event })
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
  const run = (vkey: string, more: readonly string[] = [], url = `${server.url}/log`) =>
    new Promise<{ status: number | null; output: string }>(resolve => {
      const child = spawn("go", ["run", "main.go", "--url", url, "--vkey", vkey, ...more], {
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
  test(`verify ${entries.toLocaleString("en-US")} entries from a folder of tiles, with the cosignatures of two witnesses`, async () => {
    const names = ["ig.example/one", "university.example/two"]
    const witnesses = await Promise.all(
      names.map((name, i) =>
        serveWitness({ data: join(folder, `witness-${i}`), name, listen: "127.0.0.1:0", rate: "1000" }),
      ),
    )
    const keys = witnesses.map(each => /key=(\S+)/.exec(each.firstLine)![1]!)
    const signer = signerOf(newSeed())
    const origin = "sallyport.example/large"
    const vkey = formatVkey(origin, signer.publicKey)
    for (const i of names.keys()) await writeFile(join(folder, `witness-${i}`, "logs"), `${vkey}\n`)
    const lines = names.map((name, i) => `witness ${name} ${keys[i]} ${witnesses[i]!.url}`)
    const parsed = parsePolicy(
      [`log ${vkey}`, ...lines, `group both all ${names.join(" ")}`, "quorum both", ""].join("\n"),
    )
    assert(parsed.kind === "ok", "the policy is one")
    const ledger = await openSqlite({ file: join(folder, "large.sqlite") })
    const memory = { load: () => Promise.resolve(null), save: () => Promise.resolve() }
    const bound = { maxAge_ms: 60_000, maxImages: 50, strict: false }
    const log = new Log({
      ledger,
      origin,
      signer,
      clock: Date.now,
      witnesses: { policy: parsed.policy, bound, memory },
    })
    for (let done = 0; done < entries; done += 2000)
      await Promise.all(
        Array.from({ length: Math.min(2000, entries - done) }, (_, i) => appendPlain(log, done + i)),
      )
    await log.witnesses!.start()
    await log.witnesses!.reach(entries)
    const tiles = join(folder, "large")
    await writeTiles(log, ledger, tiles)
    const more = keys.flatMap(key => ["--witness", key])
    const { status, output } = await run(vkey, more, tiles)
    expect(output).toContain(`inclusion of all ${entries} entries`)
    for (const name of names) expect(output).toContain(`cosigned by ${name}`)
    expect(status, output).toBe(0)
    const other = formatVkey(names[0]!, signer.publicKey, "witness")
    expect((await run(vkey, ["--witness", other], tiles)).status).toBe(1)
    await log.witnesses!.close()
    await ledger.close()
    for (const each of witnesses) await each.close()
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
