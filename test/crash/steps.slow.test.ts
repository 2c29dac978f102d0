import { cp, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { describe, expect, test } from "vitest"
import { verifyEd25519 } from "../../src/ed25519.ts"
import { fsck } from "../../src/log/fsck.ts"
import { openHouse, type Opened } from "../../src/sallyport.ts"
import { postgresPrograms, startPostgres } from "../postgres.ts"
import { openTestPort, takeIn, type TestPort } from "../port.ts"
import { Oracle } from "./oracle.ts"
import { chanceOf, step, type Stepping } from "./steps.ts"

/**
 * Random steps (ask, ask again, request, approve, edit, revoke, suspend, stop, resume, another policy, the clock ahead), eight at a
 * time, then two judges: `fsck`, which replays every verdict from the log alone, and an oracle that only counts.
 * SALLYPORT_STEPS makes it a soak.
 */
const steps = Number(process.env.SALLYPORT_STEPS ?? 10_000)
const seed = Number(process.env.SALLYPORT_SEED ?? 1)
const atOnce = 8

async function stepping(port: TestPort, others: readonly Opened[]): Promise<Stepping> {
  const picture = new Uint8Array(
    await sharp({ create: { width: 64, height: 48, channels: 3, background: "#345" } })
      .jpeg()
      .toBuffer(),
  )
  const captures: string[] = []
  for (let i = 0; i < 24; i += 1) captures.push((await takeIn(port, { picture })).capture)
  const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
  return {
    port,
    houses: [port.house, ...others.map(opened => opened.house)],
    captures,
    dates: { first: day(-1), last: day(1) },
    chance: chanceOf(seed),
    grants: [],
    tally: new Map(),
  }
}

async function run(s: Stepping): Promise<void> {
  for (let done = 0; done < steps; done += atOnce)
    await Promise.all(Array.from({ length: atOnce }, () => step(s)))
}

async function judge(s: Stepping): Promise<void> {
  const { house } = s.port
  const found = await fsck(house.ledger, { origin: house.log.origin, verify: verifyEd25519 })
  expect(found.problems).toEqual([])
  const oracle = new Oracle()
  await oracle.read(house.ledger)
  expect(oracle.broken).toEqual([])
  // The steps must have met the limits, or the judges have seen nothing.
  expect(oracle.permits).toBeGreaterThan(steps / 100)
  const met = [...s.tally.keys()]
  for (const code of [
    "GRANT_BUDGET",
    "GRANT_PENDING",
    "GRANT_REVOKED",
    "BUDGET_PERSON",
    "STOPPED",
    "GRANT_EXPIRED",
  ])
    expect(met, code).toContain(code)
}

test("SQLite, one server, opened again half-way: no budget exceeded, no release outside of live terms", async () => {
  const port = await openTestPort()
  const s = await stepping(port, [])
  await run(s)
  await port.reopen()
  await run({ ...s, houses: [port.house] })
  await judge(s)
  await port.close()
})

const skipped = postgresPrograms === null ? " (skipped: no Postgres here)" : ""

describe.skipIf(postgresPrograms === null)(`three servers on one Postgres ledger${skipped}`, () => {
  test("no budget exceeded, no release outside of live terms", async () => {
    const postgres = await startPostgres()
    const folder = await mkdtemp(join(tmpdir(), "sallyport-steps-"))
    const urlFile = join(folder, "postgres.url")
    await writeFile(urlFile, await postgres.newDatabase())
    const settings = { ledger: { postgres_url_file: urlFile }, objects: { disk: join(folder, "objects") } }
    const port = await openTestPort({ settings })
    const others: Opened[] = []
    for (const name of ["second", "third"]) {
      const data = join(folder, name)
      await cp(port.data, data, { recursive: true })
      others.push(await openHouse({ data, clock: () => Date.now() + port.clock.offset_ms }))
    }
    const s = await stepping(port, others)
    await run(s)
    await judge(s)
    for (const other of others) await other.close()
    await port.close()
    await rm(folder, { recursive: true, force: true })
    await postgres.stop()
  })
})
