import { Kysely, Migrator, SqliteDialect } from "kysely"
import { assert, Fault } from "../fault.ts"
import { failpoint } from "../failpoint.ts"
import { emptyRoot } from "../tlog/hash.ts"
import { rollback, closeConnection, openConnection, type Connection } from "./connection.ts"
import type { CaptureRow, Change, Ledger, Sequencing, TileRow } from "./ledger.ts"
import { messageColumns, messageValues, putMessage } from "./messages-table.ts"
import { bytesOf, captureColumns, captureOf, headOf, integerOf, readingOf } from "./reading.ts"
import { migrationsFor, type CaptureTable, type Tables } from "./schema.ts"

/**
 * Opens, and makes where it is not there, the embedded ledger: one file, one process. WAL with synchronous=FULL: a commit
 * is on the disk when it returns.
 * @throws Fault LEDGER_IN_USE when another process has it open.
 */
export async function openSqlite({ file }: { readonly file: string }): Promise<Ledger> {
  const connection = openConnection(file)
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: closing(connection) as never }) })
  await migrate(db)
  connection
    .prepare(
      "insert into log_head (id, size, root, frontier, time_ms) values (1, 0, ?, ?, 0) on conflict do nothing",
    )
    .run([Buffer.from(emptyRoot()), Buffer.alloc(0)])
  const hot = hotPath(connection)
  return {
    engine: "sqlite",
    ...readingOf(db),
    // Holding Kysely's one connection keeps every plain read out of the open transaction.
    sequence: work => db.connection().execute(() => transact(connection, () => work(hot()))),
    view: work => db.connection().execute(alone => work(readingOf(alone))),
    close: () => db.destroy(),
  }
}

/** As Kysely's dialect takes it. */
function closing(connection: Connection): Connection {
  return {
    prepare: text => connection.prepare(text),
    exec: text => connection.exec(text),
    close: () => closeConnection(connection),
  }
}

async function migrate(db: Kysely<Tables>): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrationsFor("sqlite")) },
  })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined)
    throw new Fault("INTERNAL", "the ledger's tables could not be made", { cause: error })
}

async function transact<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  connection.exec("begin immediate")
  let isCommitting = false
  try {
    const result = await work()
    failpoint("ledger.before-commit")
    isCommitting = true
    connection.exec("commit")
    failpoint("ledger.after-commit")
    return result
  } catch (cause) {
    const isFull = /full|SQLITE_FULL|no space/i.test(String(cause))
    rollback(connection)
    if (isFull) throw new Fault("STORE_FULL", "the ledger's disk is full; nothing was stored", { cause })
    if (isCommitting)
      throw new Fault("LOG_UNKNOWN_OUTCOME", "the commit failed; whether it was stored is not known", {
        cause,
      })
    throw cause
  }
}

/** The statements of a batch: rows go in and out as JSON arrays, so their number does not depend on the batch's size. */
function hotPath(connection: Connection): () => Sequencing {
  const head = connection.prepare<Tables["log_head"]>("select * from log_head where id = 1")
  const read = {
    records: connection.prepare<Tables["records"]>(
      `select r.* from json_each(?) j join records r on r.kind = j.value ->> 0 and r.id = j.value ->> 1`,
    ),
    counters: connection.prepare<Tables["counters"]>(
      `select c.* from json_each(?) j join counters c on c.name = j.value`,
    ),
    members: connection.prepare<Tables["members"]>(
      `select m.* from json_each(?) j join members m on m.set_name = j.value ->> 0 and m.member = j.value ->> 1`,
    ),
    captures: connection.prepare<CaptureTable>(
      `select c.* from json_each(?) j join captures c on c.id = j.value`,
    ),
    sequences: connection.prepare<CaptureTable>(
      `select c.* from json_each(?) j join captures c on c.reader = j.value ->> 0 and c.sequence = j.value ->> 1`,
    ),
    tiles: connection.prepare<Tables["log_tiles"]>(
      `select t.* from json_each(?) j join log_tiles t on t.level = j.value ->> 0 and t."index" = j.value ->> 1`,
    ),
  }
  const write = writes(connection)
  return () => ({
    head: headOf(first(head.all([]))),
    load: wanted => {
      const captures = new Map<string, CaptureRow>()
      const rows = [
        ...read.captures.all([JSON.stringify(wanted.captures)]),
        ...read.sequences.all([
          JSON.stringify(wanted.sequences.map(({ reader, sequence }) => [reader, sequence])),
        ]),
      ]
      for (const row of rows) captures.set(row.id, captureOf(row))
      const records = read.records.all([JSON.stringify(wanted.records.map(({ kind, id }) => [kind, id]))])
      const counters = read.counters.all([JSON.stringify(wanted.counters)])
      const members = read.members.all([
        JSON.stringify(wanted.members.map(({ set, member }) => [set, member])),
      ])
      return Promise.resolve({
        records: records.map(row => ({ ...row, version: integerOf(row.version) })),
        counters: counters.map(row => ({ name: row.name, value: integerOf(row.value) })),
        members: members.map(row => ({ set: row.set_name, member: row.member, value: integerOf(row.value) })),
        captures: [...captures.values()],
      })
    },
    tiles: at =>
      Promise.resolve(
        read.tiles.all([JSON.stringify(at.map(({ level, index }) => [level, index]))]).map(tileOf),
      ),
    store: change => {
      write(change)
      return Promise.resolve()
    },
  })
}

function writes(connection: Connection): (change: Change) => void {
  const prepare = (text: string) => {
    const statement = connection.prepare(text)
    return {
      run: (parameters: readonly unknown[]) => {
        statement.run(parameters)
        failpoint("ledger.wrote")
      },
    }
  }
  const head = prepare("update log_head set size = ?, root = ?, frontier = ?, time_ms = ? where id = 1")
  const entry = prepare(`insert into log_entries ("index", kind, bytes) values (?, ?, ?)`)
  const tile = prepare(
    `insert into log_tiles (level, "index", hashes) values (?, ?, ?) on conflict (level, "index") do update set hashes = excluded.hashes`,
  )
  const opening = prepare("insert into openings (entry, field, salt, value) values (?, ?, ?, ?)")
  const destroy = prepare("delete from openings where entry = ? and field = ?")
  const record = prepare(
    `insert into records (kind, id, version, body) select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(?) where true
     on conflict (kind, id) do update set version = excluded.version, body = excluded.body`,
  )
  const counter = prepare(
    `insert into counters (name, value) select value ->> 0, value ->> 1 from json_each(?) where true
     on conflict (name) do update set value = excluded.value`,
  )
  const member = prepare(
    `insert into members (set_name, member, value) select value ->> 0, value ->> 1, value ->> 2 from json_each(?) where true
     on conflict (set_name, member) do update set value = excluded.value`,
  )
  const message = prepare(putMessage(messageColumns.map(() => "?")))
  const columns = Object.keys(captureColumns({} as CaptureRow))
  const changed = columns.filter(name => name !== "id").map(name => `${name} = excluded.${name}`)
  const capture = prepare(
    `insert into captures (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})
     on conflict (id) do update set ${changed.join(", ")}`,
  )
  return change => {
    const { size, root, frontier, time_ms } = change.head
    for (const { index, kind, bytes } of change.entries) entry.run([index, kind, Buffer.from(bytes)])
    for (const { level, index, hashes } of change.tiles) tile.run([level, index, Buffer.from(hashes)])
    for (const each of change.openings)
      opening.run([each.entry, each.field, Buffer.from(each.salt), each.value])
    for (const each of change.destroyed) destroy.run([each.entry, each.field])
    for (const row of change.captures) capture.run(Object.values(captureColumns(row)).map(bindable))
    record.run([
      JSON.stringify(change.records.map(({ kind, id, version, body }) => [kind, id, version, body])),
    ])
    counter.run([JSON.stringify(change.counters.map(({ name, value }) => [name, value]))])
    member.run([JSON.stringify(change.members.map(({ set, member: id, value }) => [set, id, value]))])
    for (const row of change.messages) message.run(messageValues(row))
    head.run([size, Buffer.from(root), Buffer.from(frontier), time_ms])
  }
}

function bindable(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value) : value
}

function tileOf({ level, index, hashes }: Tables["log_tiles"]): TileRow {
  return { level: integerOf(level), index: integerOf(index), hashes: bytesOf(hashes) }
}

function first<R>(rows: readonly R[]): R {
  const [row] = rows
  assert(row !== undefined, "the ledger has a head")
  return row
}
