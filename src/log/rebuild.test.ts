import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { changing, wanting } from "../ledger/ledger.ts"
import { newSeed, signerOf, verifyEd25519 } from "../ed25519.ts"
import type { Ledger } from "../ledger/ledger.ts"
import { openSqlite } from "../ledger/sqlite.ts"
import { fsck } from "./fsck.ts"
import { Log } from "./log.ts"
import { rebuildTiles } from "./rebuild.ts"

let folder: string
let ledger: Ledger
const size = 5000

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sallyport-rebuild-"))
  ledger = await openSqlite({ file: join(folder, "ledger.sqlite") })
  const log = new Log({
    ledger,
    origin: "sallyport.example/rebuild",
    signer: signerOf(newSeed()),
    clock: Date.now,
  })
  const nothing = {
    person: null,
    reader: null,
    grant: null,
    capture: null,
    network: null,
    asked: null,
    statement: null,
  }
  const entry = { kind: "refused", of: "read", code: "OFFICE", ...nothing } as const
  await Promise.all(
    Array.from({ length: size / 2 }, () => log.append({ wanted: wanting({}), draft: () => ({ entry }) })),
  )
  await Promise.all(
    Array.from({ length: size / 2 }, () => log.append({ wanted: wanting({}), draft: () => ({ entry }) })),
  )
})
afterAll(async () => {
  await ledger.close()
  await rm(folder, { recursive: true })
})

const put = (level: number, index: number, hashes: Uint8Array) =>
  ledger.sequence(({ head, store }) => store(changing(head, { tiles: [{ level, index, hashes }] })))
const tileProblems = async () =>
  (await fsck(ledger, { origin: "sallyport.example/rebuild", verify: verifyEd25519 })).problems.filter(each =>
    each.at.startsWith("tile"),
  )

test("tiles that are bent, cut or too long are named, made again from the entries, and the others left alone", async () => {
  expect(await rebuildTiles(ledger)).toEqual({ tiles: 21, written: 0 })
  const whole = (await ledger.tile(0, 3))!.hashes
  for (const [level, index, hashes] of [
    [0, 3, whole.map((byte, i) => (i === 100 ? byte ^ 1 : byte))],
    [0, 19, whole.subarray(0, 32)],
    [1, 0, new Uint8Array(32)],
  ] as const) {
    await put(level, index, hashes)
    expect((await tileProblems()).length).toBeGreaterThan(0)
    expect((await rebuildTiles(ledger)).written).toBeGreaterThan(0)
    expect(await tileProblems()).toEqual([])
  }
})

test("entries that do not lead to the head are nothing to make tiles of", async () => {
  await ledger.sequence(({ head, store }) => store(changing({ ...head, root: new Uint8Array(32) }, {})))
  await expect(rebuildTiles(ledger)).rejects.toMatchObject({ code: "LOG_INVALID" })
})
