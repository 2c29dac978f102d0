import { spawnSync } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, test } from "vitest"
import { closeConnection, openConnection } from "./connection.ts"
import { ledgerContract, storeOlder } from "./ledger.contract.ts"
import { openSqlite } from "./sqlite.ts"

const folder = await mkdtemp(join(tmpdir(), "sallyport-ledger-"))
afterAll(() => rm(folder, { recursive: true, force: true }))

ledgerContract("SQLite", () => openSqlite({ file: join(folder, "contract.sqlite") }))

test("what was stored is there after closing and opening again", async () => {
  const file = join(folder, "again.sqlite")
  const first = await openSqlite({ file })
  expect(await first.useNonce("kept", 1, 0)).toBe(true)
  await first.close()
  const second = await openSqlite({ file })
  expect(await second.useNonce("kept", 1, 0)).toBe(false)
  await second.close()
})

test("a ledger of the first schema counts its permits to people when it is opened", async () => {
  const file = join(folder, "older.sqlite")
  const first = await openSqlite({ file })
  await storeOlder(first)
  await first.close()
  const older = openConnection(file)
  older.exec(
    "delete from kysely_migration where name >= '0002'; delete from counters; drop table lane_reports; drop table messages; alter table captures drop column faces; drop index captures_without_plate; alter table captures drop column plates",
  )
  closeConnection(older)
  const now = await openSqlite({ file })
  expect(await now.counter("opened")).toBe(1)
  await now.close()
})

test("a second process may not open it: LEDGER_IN_USE", async () => {
  const file = join(folder, "held.sqlite")
  const ledger = await openSqlite({ file })
  const script = `import Database from "libsql"; const db = new Database(${JSON.stringify(file)}); db.exec("pragma busy_timeout=100"); try { db.prepare("select * from log_head").all([]); console.log("read") } catch (error) { console.log(error.code) }`
  const other = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    cwd: join(import.meta.dirname, "../.."),
  })
  expect(other.stdout.trim()).toBe("SQLITE_BUSY")
  await ledger.close()
})
