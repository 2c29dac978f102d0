import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { chacha20 } from "../src/chacha20.ts"
import { main } from "../src/cli/main.ts"
import { initVault, openHouse } from "../src/sallyport.ts"
import { openBody } from "../src/seal/body.ts"
import { splitAgeFile, unwrapHeader } from "../src/seal/header.ts"
import { newIdentity } from "../src/seal/recipient.ts"
import { openTestPort, takeIn } from "./port.ts"

const version = spawnSync("age", ["--version"], { encoding: "utf8" })
const there = version.status === 0
const skipped = there ? "" : " (skipped: no age command here)"

describe.skipIf(!there)(`Debian's age command${skipped}`, () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sallyport-escrow-"))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test("opens a joined capture of an X25519 vault, with the epoch key that escrow gives back", async () => {
    const escrow = await newIdentity("x25519")
    await writeFile(join(folder, "escrow.key"), `${escrow.identity}\n`)
    const port = await openTestPort({ escrowRecipient: escrow.recipient })
    const picture = new Uint8Array(
      await sharp({ create: { width: 200, height: 100, channels: 3, background: "#123" } })
        .jpeg()
        .toBuffer(),
    )
    const { capture } = await takeIn(port, { picture })
    const { sealedTo } = (await port.house.ledger.capture(capture))!
    await port.opened.close()
    expect(
      await main([
        "escrow",
        "key",
        sealedTo,
        "--data",
        port.data,
        "--out",
        join(folder, "epoch.age"),
        "--quiet",
      ]),
    ).toBe(0)
    expect(
      await main([
        "escrow",
        "capture",
        capture,
        "--data",
        port.data,
        "--out",
        join(folder, "capture.age"),
        "--quiet",
      ]),
    ).toBe(0)
    const age = (identity: string, file: string) =>
      spawnSync("age", ["-d", "-i", join(folder, identity), join(folder, file)], { maxBuffer: 1e8 })
    await writeFile(join(folder, "epoch.key"), age("escrow.key", "epoch.age").stdout)
    const opened = age("epoch.key", "capture.age")
    expect(opened.status).toBe(0)
    // The picture comes first, so that any viewer shows it.
    expect(opened.stdout.subarray(0, picture.length).equals(Buffer.from(picture))).toBe(true)
    expect((await sharp(opened.stdout).metadata()).width).toBe(200)
    await rm(port.data, { recursive: true, force: true })
  })

  test("what the age command seals opens here", async () => {
    const { identity, recipient } = await newIdentity("x25519")
    const sealed = spawnSync("age", ["-r", recipient], { input: "from age", maxBuffer: 1e8 })
    const parts = splitAgeFile(sealed.stdout)!
    const key = (await unwrapHeader(parts.header, identity))!
    expect(Buffer.from(openBody(key, parts.body, chacha20)!).toString()).toBe("from age")
  })
})

test("a vault with a lost data folder is none: init refuses where one stands", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-init-"))
  const options = {
    data: folder,
    origin: "sallyport.example/test",
    mode: "x25519",
    agency: "A",
    custodianName: "C",
  } as const
  await initVault(options)
  await expect(initVault(options)).rejects.toMatchObject({ code: "CONFLICT" })
  await rm(join(folder, "config.json"))
  await expect(openHouse({ data: folder })).rejects.toMatchObject({ code: "CONFIG" })
  expect(readFileSync(join(folder, "keys", "log.key"), "utf8")).toHaveLength(45)
  await rm(folder, { recursive: true, force: true })
})
