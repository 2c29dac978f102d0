import { Kysely, Migrator, PostgresDialect, sql } from "kysely"
import pg from "pg"
import { failpoint } from "../failpoint.ts"
import { assert, Fault } from "../fault.ts"
import { emptyRoot } from "../tlog/hash.ts"
import type { CaptureRow, Change, Found, Ledger, Sequencing, Wanted } from "./ledger.ts"
import { messageColumns, messageValues, putMessage } from "./messages-table.ts"
import { bytesOf, captureColumns, captureOf, headOf, integerOf, readingOf } from "./reading.ts"
import { migrationsFor, type CaptureTable, type Tables } from "./schema.ts"

/**
 * Opens a ledger on Postgres 15 or newer. Any number of processes may: the head's row lock puts their batches in one line.
 * @throws Fault CONFIG when the server does not wait for the disk (`synchronous_commit`, `fsync`).
 */
export async function openPostgres(options: {
  readonly url: string
  readonly poolSize?: number
}): Promise<Ledger> {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolSize ?? 8,
    connectionTimeoutMillis: 10_000,
  })
  // A connection that breaks is replaced; the query that uses it gets its error. Unheard, the event would end the process.
  pool.on("error", () => undefined)
  pool.on("connect", client => client.on("error", () => undefined))
  await assertDurable(pool)
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  await migrate(db)
  await db
    .insertInto("log_head")
    .values({ id: 1, size: 0, root: Buffer.from(emptyRoot()), frontier: Buffer.alloc(0), time_ms: 0 })
    .onConflict(oc => oc.doNothing())
    .execute()
  return {
    engine: "postgres",
    ...readingOf(db),
    sequence: async work => {
      const client = await pool.connect()
      return transact(client, async () => work(await sequencing(client)))
    },
    view: work =>
      db
        .transaction()
        .setIsolationLevel("repeatable read")
        .setAccessMode("read only")
        .execute(moment => work(readingOf(moment))),
    close: () => db.destroy(),
  }
}

async function assertDurable(pool: pg.Pool): Promise<void> {
  for (const [name, wrong] of [
    ["synchronous_commit", "off"],
    ["fsync", "off"],
  ] as const) {
    const { rows } = await pool.query<Record<string, string>>(`show ${name}`)
    if (rows[0]?.[name] === wrong)
      throw new Fault("CONFIG", `the Postgres server has ${name} = ${wrong}; a commit there is not durable`)
  }
}

/** Two servers may start at once: one migrates, the other waits for the lock. */
async function migrate(db: Kysely<Tables>): Promise<void> {
  await db.connection().execute(async connection => {
    await sql`select pg_advisory_lock(5410)`.execute(connection)
    try {
      const migrator = new Migrator({
        db: connection,
        provider: { getMigrations: () => Promise.resolve(migrationsFor("postgres")) },
      })
      const { error } = await migrator.migrateToLatest()
      if (error !== undefined)
        throw new Fault("INTERNAL", "the ledger's tables could not be made", { cause: error })
    } finally {
      await sql`select pg_advisory_unlock(5410)`.execute(connection)
    }
  })
}

async function transact<T>(client: pg.PoolClient, work: () => Promise<T>): Promise<T> {
  let isCommitting = false
  try {
    await client.query("begin")
    const result = await work()
    failpoint("ledger.before-commit")
    isCommitting = true
    await client.query("commit")
    failpoint("ledger.after-commit")
    client.release()
    return result
  } catch (cause) {
    const isFull = cause instanceof pg.DatabaseError && cause.code === "53100"
    // A connection that broke is thrown away; the server rolls back by itself.
    const isBroken = await client.query("rollback").then(
      () => false,
      () => true,
    )
    client.release(isBroken)
    if (isFull) throw new Fault("STORE_FULL", "the ledger's disk is full; nothing was stored", { cause })
    if (isCommitting)
      throw new Fault(
        "LOG_UNKNOWN_OUTCOME",
        "the commit's answer was lost; whether it was stored is not known",
        { cause },
      )
    throw cause
  }
}

async function sequencing(client: pg.PoolClient): Promise<Sequencing> {
  const { rows } = await client.query<Tables["log_head"]>({
    name: "head",
    text: "select * from log_head where id = 1 for update",
  })
  const [head] = rows
  assert(head !== undefined, "the ledger has a head")
  return {
    head: headOf(head),
    load: wanted => load(client, wanted),
    tiles: async at => {
      const text = `select t.* from unnest($1::bigint[], $2::bigint[]) as j(l, i) join log_tiles t on t.level = j.l and t."index" = j.i`
      const found = await client.query<Tables["log_tiles"]>({
        name: "tiles",
        text,
        values: columnsOf(at, tile => [tile.level, tile.index], 2),
      })
      return found.rows.map(row => ({
        level: integerOf(row.level),
        index: integerOf(row.index),
        hashes: bytesOf(row.hashes),
      }))
    },
    store: change => store(client, change),
  }
}

async function load(client: pg.PoolClient, wanted: Wanted): Promise<Found> {
  const query = async <R extends object>(name: string, text: string, values: unknown[]) =>
    (await client.query<R>({ name, text, values })).rows
  const records = await query<Tables["records"]>(
    "records",
    "select r.* from unnest($1::text[], $2::text[]) as j(k, i) join records r on r.kind = j.k and r.id = j.i",
    columnsOf(wanted.records, key => [key.kind, key.id], 2),
  )
  const counters = await query<Tables["counters"]>(
    "counters",
    "select * from counters where name = any($1::text[])",
    [wanted.counters],
  )
  const members = await query<Tables["members"]>(
    "members",
    "select m.* from unnest($1::text[], $2::text[]) as j(s, m) join members m on m.set_name = j.s and m.member = j.m",
    columnsOf(wanted.members, key => [key.set, key.member], 2),
  )
  const captures = await query<CaptureTable>(
    "captures",
    `select * from captures where id = any($1::text[])
     union select c.* from unnest($2::text[], $3::bigint[]) as j(r, s) join captures c on c.reader = j.r and c.sequence = j.s`,
    [wanted.captures, ...columnsOf(wanted.sequences, pair => [pair.reader, pair.sequence], 2)],
  )
  return {
    records: records.map(row => ({ ...row, version: integerOf(row.version) })),
    counters: counters.map(row => ({ name: row.name, value: integerOf(row.value) })),
    members: members.map(row => ({ set: row.set_name, member: row.member, value: integerOf(row.value) })),
    captures: captures.map(captureOf),
  }
}

async function store(client: pg.PoolClient, change: Change): Promise<void> {
  const run = async (name: string, text: string, values: unknown[][]) => {
    if (values[0]?.length === 0) return
    await client.query({ name, text, values })
    failpoint("ledger.wrote")
  }
  await run(
    "put-entries",
    `insert into log_entries ("index", kind, bytes) select * from unnest($1::bigint[], $2::text[], $3::bytea[])`,
    columnsOf(change.entries, row => [row.index, row.kind, Buffer.from(row.bytes)], 3),
  )
  await run(
    "put-tiles",
    `insert into log_tiles (level, "index", hashes) select * from unnest($1::bigint[], $2::bigint[], $3::bytea[])
     on conflict (level, "index") do update set hashes = excluded.hashes`,
    columnsOf(change.tiles, row => [row.level, row.index, Buffer.from(row.hashes)], 3),
  )
  await run(
    "put-records",
    `insert into records (kind, id, version, body) select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[])
     on conflict (kind, id) do update set version = excluded.version, body = excluded.body`,
    columnsOf(change.records, row => [row.kind, row.id, row.version, row.body], 4),
  )
  await run(
    "put-counters",
    `insert into counters (name, value) select * from unnest($1::text[], $2::bigint[])
     on conflict (name) do update set value = excluded.value`,
    columnsOf(change.counters, row => [row.name, row.value], 2),
  )
  await run(
    "put-members",
    `insert into members (set_name, member, value) select * from unnest($1::text[], $2::text[], $3::bigint[])
     on conflict (set_name, member) do update set value = excluded.value`,
    columnsOf(change.members, row => [row.set, row.member, row.value], 3),
  )
  await run(
    "put-openings",
    `insert into openings (entry, field, salt, value) select * from unnest($1::bigint[], $2::text[], $3::bytea[], $4::text[])`,
    columnsOf(change.openings, row => [row.entry, row.field, Buffer.from(row.salt), row.value], 4),
  )
  await run(
    "drop-openings",
    "delete from openings o using unnest($1::bigint[], $2::text[]) as j(e, f) where o.entry = j.e and o.field = j.f",
    columnsOf(change.destroyed, row => [row.entry, row.field], 2),
  )
  for (const row of change.captures) await storeCapture(client, row)
  for (const row of change.messages) {
    await client.query({ name: "put-message", text: messageText, values: messageValues(row) })
    failpoint("ledger.wrote")
  }
  const { size, root, frontier, time_ms } = change.head
  await client.query({
    name: "put-head",
    text: "update log_head set size = $1, root = $2, frontier = $3, time_ms = $4 where id = 1",
    values: [size, Buffer.from(root), Buffer.from(frontier), time_ms],
  })
  failpoint("ledger.wrote")
}

const messageText = putMessage(messageColumns.map((_, i) => `$${i + 1}`))
const captureNames = Object.keys(captureColumns({} as CaptureRow))
const captureText = `insert into captures (${captureNames.join(", ")}) values (${captureNames.map((_, i) => `$${i + 1}`).join(", ")})
  on conflict (id) do update set ${captureNames
    .filter(name => name !== "id")
    .map(name => `${name} = excluded.${name}`)
    .join(", ")}`

async function storeCapture(client: pg.PoolClient, row: CaptureRow): Promise<void> {
  const values = Object.values(captureColumns(row)).map(value =>
    value instanceof Uint8Array ? Buffer.from(value) : value,
  )
  await client.query({ name: "put-capture", text: captureText, values })
}

/** Rows as the arrays of their columns, for `unnest`. */
function columnsOf<T>(rows: readonly T[], row: (item: T) => readonly unknown[], width: number): unknown[][] {
  const all = rows.map(row)
  return Array.from({ length: width }, (_, column) => all.map(values => values[column]))
}
