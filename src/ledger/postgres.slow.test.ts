import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { postgresPrograms, startPostgres, type TestPostgres } from "../../test/postgres.ts"
import pg from "pg"
import { ledgerContract, storeOlder } from "./ledger.contract.ts"
import { changing, type Ledger } from "./ledger.ts"
import { openPostgres } from "./postgres.ts"

const skipped = postgresPrograms === null ? " (skipped: no Postgres here)" : ""

describe.skipIf(postgresPrograms === null)(`with a real Postgres${skipped}`, () => {
  let server: TestPostgres
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  ledgerContract("Postgres", async () => openPostgres({ url: await server.newDatabase() }))

  test("a ledger of the first schema counts its permits to people when it is opened", async () => {
    const url = await server.newDatabase()
    const first = await openPostgres({ url })
    await storeOlder(first)
    await first.close()
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query("delete from kysely_migration where name >= '0002'; delete from counters")
    await client.query(
      "alter table captures drop column faces, drop column plates; drop table lane_reports, messages",
    )
    await client.end()
    const now = await openPostgres({ url })
    expect(await now.counter("opened")).toBe(1)
    await now.close()
  })

  test("two servers on one database: 200 increments end at 200, and the head's sizes have no gap", async () => {
    const url = await server.newDatabase()
    const both = await Promise.all([openPostgres({ url }), openPostgres({ url })])
    const sizes: number[] = []
    const step = (ledger: Ledger) =>
      ledger.sequence(async transaction => {
        const { head } = transaction
        await transaction.store(
          changing(
            { ...head, size: head.size + 1 },
            { entries: [{ index: head.size, kind: "x", bytes: Uint8Array.of(1) }] },
          ),
        )
        sizes.push(head.size)
      })
    await Promise.all(Array.from({ length: 200 }, (_, i) => step(both[i % 2]!)))
    expect(sizes.sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i))
    await Promise.all(both.map(ledger => ledger.close()))
  })
})
