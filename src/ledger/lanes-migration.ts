import { sql, type Kysely } from "kysely"
import { canonical } from "../canonical.ts"
import { placedId } from "../ids.ts"
import { integerOf, bytesOf } from "./reading.ts"
import type { Tables } from "./schema.ts"

/**
 * What entries lead to since migration 0004, for those that were written before it. A migration never changes, so it says by
 * itself what `log/effects.ts` said then.
 */

/** Captures by lane and hour. */
export async function fillCounts(db: Kysely<Tables>): Promise<void> {
  await sql
    .raw(
      `insert into counters (name, value) select 'captures/' || lane || '/' || hour, count(*) from captures group by lane, hour`,
    )
    .execute(db)
}

/** When each reader's newest capture was admitted. */
export async function fillReaders(db: Kysely<Tables>): Promise<void> {
  const readers = await db.selectFrom("records").selectAll().where("kind", "=", "reader").execute()
  for (const { id, body, version } of readers) {
    const at = await entryAt(db, integerOf(version))
    const last_admitted_at = at?.kind === "admitted" ? at.at : ""
    const grown = canonical({ ...(JSON.parse(body) as object), last_admitted_at })
    await db
      .updateTable("records")
      .set({ body: grown })
      .where("kind", "=", "reader")
      .where("id", "=", id)
      .execute()
  }
}

interface Told {
  readonly kind: string
  readonly at: string
  readonly reader: string
  readonly [field: string]: unknown
}

const page = 1000

/** Gaps and numbers used twice, each one open alert of its reader: nobody could acknowledge one before. */
export async function fillAlerts(db: Kysely<Tables>): Promise<void> {
  const alerts = new Map<string, Record<string, unknown> & { readonly count: number }>()
  for await (const { index, entry } of telling(db)) {
    const isGap = entry.kind === "admitted"
    const what = isGap ? "gap" : "device_replayed"
    const detail = isGap ? { missing: Math.min(Number(entry.gap), 1_000_000) } : { why: "number_used" }
    const { port, lane } = isGap ? entry : await readerOf(db, entry.reader)
    const { at, reader } = entry
    const held = alerts.get(`${reader}/${what}`) ?? {
      ...{ alert: placedId("alt", { at_ms: Date.parse(at), index, nth: 0 }), what, port, lane, reader },
      ...{ count: 0, raised_at: at, entry: index, acknowledged: null },
    }
    const last = { count: held.count + 1, detail, last_at: at, last_entry: index }
    alerts.set(`${reader}/${what}`, { ...held, ...last })
  }
  const rows = [...alerts].flatMap(([name, alert]) => {
    const { alert: id, last_entry } = alert as unknown as { alert: string; last_entry: number }
    const row = { version: last_entry, body: canonical(alert) }
    return [
      { kind: "alert", id, ...row },
      { kind: "signal", id: name, ...row },
    ]
  })
  if (rows.length === 0) return
  for (const row of rows) await db.insertInto("records").values(row).execute()
  await db.insertInto("counters").values({ name: "alerts/open", value: alerts.size }).execute()
}

async function* telling(db: Kysely<Tables>): AsyncGenerator<{ index: number; entry: Told }> {
  for (let after = -1; ;) {
    const rows = await db
      .selectFrom("log_entries")
      .selectAll()
      .where("kind", "in", ["admitted", "refused"])
      .where("index", ">", after)
      .orderBy("index")
      .limit(page)
      .execute()
    for (const row of rows) {
      const entry = entryOf(row.bytes)
      const isReplay = entry.of === "admission" && entry.code === "CAPTURE_SEQUENCE"
      const isTelling = entry.kind === "admitted" ? Number(entry.gap) > 0 : isReplay
      if (isTelling) yield { index: integerOf(row.index), entry }
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < page) return
    after = integerOf(last.index)
  }
}

async function entryAt(db: Kysely<Tables>, index: number): Promise<Told | null> {
  const row = await db.selectFrom("log_entries").selectAll().where("index", "=", index).executeTakeFirst()
  return row === undefined ? null : entryOf(row.bytes)
}

async function readerOf(db: Kysely<Tables>, reader: string): Promise<{ port: string; lane: string }> {
  const query = db.selectFrom("records").select("body").where("kind", "=", "reader").where("id", "=", reader)
  return JSON.parse((await query.executeTakeFirstOrThrow()).body) as { port: string; lane: string }
}

function entryOf(bytes: Uint8Array): Told {
  return JSON.parse(Buffer.from(bytesOf(bytes)).toString("utf8")) as Told
}
