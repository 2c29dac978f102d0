import type { ExpressionBuilder, Kysely, Selectable } from "kysely"
import { assert } from "../fault.ts"
import type { CaptureFilter, CaptureKind, CaptureRow, DrawRow, Head, IdentityRow, Reading } from "./ledger.ts"
import { messageReading } from "./messages.ts"
import type { CaptureTable, Tables } from "./schema.ts"

const maxEntries = 4096

/** Bytes as a driver gives them: a Buffer, or SQLite's ArrayBuffer. */
export function bytesOf(value: Uint8Array | ArrayBuffer): Uint8Array {
  return value instanceof ArrayBuffer
    ? new Uint8Array(value)
    : new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
}

/** An integer as a driver gives it: Postgres sends int8 as text. */
export function integerOf(value: number | string | bigint): number {
  const number = Number(value)
  assert(Number.isSafeInteger(number), "the ledger's integers are safe")
  return number
}

export function headOf(row: Tables["log_head"]): Head {
  return {
    size: integerOf(row.size),
    root: bytesOf(row.root),
    frontier: bytesOf(row.frontier),
    time_ms: integerOf(row.time_ms),
  }
}

export function captureOf(row: Selectable<CaptureTable>): CaptureRow {
  return {
    id: row.id,
    port: row.port,
    lane: row.lane,
    reader: row.reader,
    sequence: integerOf(row.sequence),
    capturedAt_ms: integerOf(row.captured_ms),
    hour: row.hour,
    kind: row.kind as CaptureKind,
    crossing: row.crossing,
    sealedTo: row.sealed_to,
    bodySha256: row.body_sha256,
    size_bytes: integerOf(row.size_bytes),
    admitted: integerOf(row.admitted),
    examined: row.examined === null ? null : integerOf(row.examined),
    plates: row.plates === null ? null : integerOf(row.plates),
    faces: row.faces === null ? null : integerOf(row.faces),
    headerJson: row.header_json,
    headerSignature: bytesOf(row.header_signature),
    ageHeader: bytesOf(row.age_header),
    findingsJson: row.findings_json,
  }
}

export function captureColumns(row: CaptureRow): CaptureTable {
  return {
    id: row.id,
    port: row.port,
    lane: row.lane,
    reader: row.reader,
    sequence: row.sequence,
    captured_ms: row.capturedAt_ms,
    hour: row.hour,
    kind: row.kind,
    crossing: row.crossing,
    sealed_to: row.sealedTo,
    body_sha256: row.bodySha256,
    size_bytes: row.size_bytes,
    admitted: row.admitted,
    examined: row.examined,
    plates: row.plates,
    faces: row.faces,
    header_json: row.headerJson,
    header_signature: row.headerSignature,
    age_header: row.ageHeader,
    findings_json: row.findingsJson,
  }
}

/** Written once for both engines. @param db  sees committed rows only. */
export function readingOf(db: Kysely<Tables>): Reading {
  return {
    ...logReading(db),
    ...rowReading(db),
    ...captureReading(db),
    ...identityReading(db),
    ...drawReading(db),
    ...reportReading(db),
    ...messageReading(db),
  }
}

function logReading(
  db: Kysely<Tables>,
): Pick<Reading, "head" | "entries" | "newestEntries" | "tile" | "openings"> {
  const entryOf = (row: Tables["log_entries"]) => ({
    index: integerOf(row.index),
    kind: row.kind,
    bytes: bytesOf(row.bytes),
  })
  return {
    head: async () =>
      headOf(await db.selectFrom("log_head").selectAll().where("id", "=", 1).executeTakeFirstOrThrow()),
    entries: async (from, until) => {
      assert(until - from <= maxEntries, "entries are read 4,096 at a time")
      const rows = await db
        .selectFrom("log_entries")
        .selectAll()
        .where("index", ">=", from)
        .where("index", "<", until)
        .orderBy("index")
        .execute()
      return rows.map(entryOf)
    },
    newestEntries: async ({ kind, before, limit }) => {
      assert(limit <= 200, "at most 200 entries a page")
      let query = db.selectFrom("log_entries").selectAll().orderBy("index", "desc").limit(limit)
      if (kind !== undefined) query = query.where("kind", "=", kind)
      if (before !== undefined) query = query.where("index", "<", before)
      return (await query.execute()).map(entryOf)
    },
    tile: async (level, index) => {
      const row = await db
        .selectFrom("log_tiles")
        .selectAll()
        .where("level", "=", level)
        .where("index", "=", index)
        .executeTakeFirst()
      return row === undefined ? null : { level, index, hashes: bytesOf(row.hashes) }
    },
    openings: async entry => {
      const rows = await db
        .selectFrom("openings")
        .selectAll()
        .where("entry", "=", entry)
        .orderBy("field")
        .execute()
      return rows.map(row => ({ entry, field: row.field, salt: bytesOf(row.salt), value: row.value }))
    },
  }
}

function rowReading(
  db: Kysely<Tables>,
): Pick<Reading, "record" | "records" | "counter" | "counters" | "member" | "members"> {
  const recordOf = (row: Tables["records"]) => ({ ...row, version: integerOf(row.version) })
  return {
    record: async (kind, id) => {
      const row = await db
        .selectFrom("records")
        .selectAll()
        .where("kind", "=", kind)
        .where("id", "=", id)
        .executeTakeFirst()
      return row === undefined ? null : recordOf(row)
    },
    records: async (kind, { after, limit }) => {
      let query = db.selectFrom("records").selectAll().where("kind", "=", kind).orderBy("id").limit(limit)
      if (after !== undefined) query = query.where("id", ">", after)
      return (await query.execute()).map(recordOf)
    },
    counter: async name => {
      const row = await db.selectFrom("counters").select("value").where("name", "=", name).executeTakeFirst()
      return row === undefined ? 0 : integerOf(row.value)
    },
    counters: async ({ after, limit }) => {
      let query = db.selectFrom("counters").selectAll().orderBy("name").limit(limit)
      if (after !== undefined) query = query.where("name", ">", after)
      return (await query.execute()).map(row => ({ name: row.name, value: integerOf(row.value) }))
    },
    member: async (set, member) => {
      const row = await db
        .selectFrom("members")
        .select("value")
        .where("set_name", "=", set)
        .where("member", "=", member)
        .executeTakeFirst()
      return row === undefined ? 0 : integerOf(row.value)
    },
    members: async ({ set, after, limit }) => {
      let query = db.selectFrom("members").selectAll().orderBy("set_name").orderBy("member").limit(limit)
      if (set !== undefined) query = query.where("set_name", "=", set)
      if (after !== undefined) {
        query = query.where(({ or, and, eb }) =>
          or([
            eb("set_name", ">", after.set),
            and([eb("set_name", "=", after.set), eb("member", ">", after.member)]),
          ]),
        )
      }
      return (await query.execute()).map(row => ({
        set: row.set_name,
        member: row.member,
        value: integerOf(row.value),
      }))
    },
  }
}

function captureReading(db: Kysely<Tables>): Pick<Reading, "capture" | "captures" | "captureCounts"> {
  const one = async (id: string) => {
    const row = await db.selectFrom("captures").selectAll().where("id", "=", id).executeTakeFirst()
    return row === undefined ? null : captureOf(row)
  }
  return {
    capture: one,
    captures: async filter => {
      assert(filter.limit <= 1000, "at most 1,000 captures a page")
      const after = filter.after === undefined ? null : await one(filter.after)
      if (filter.after !== undefined && after === null) return []
      const query = db
        .selectFrom("captures")
        .selectAll()
        .where(eb => eb.and(conditions(eb, filter, after)))
      return (await query.orderBy("captured_ms").orderBy("id").limit(filter.limit).execute()).map(captureOf)
    },
    captureCounts: async () => {
      const rows = await db
        .selectFrom("captures")
        .select(({ fn }) => [
          "lane",
          fn.countAll<number>().as("count"),
          fn.count<number>("examined").as("examined"),
        ])
        .groupBy("lane")
        .orderBy("lane")
        .execute()
      return rows.map(row => ({
        lane: row.lane,
        count: integerOf(row.count),
        examined: integerOf(row.examined),
      }))
    },
  }
}

function conditions(
  eb: ExpressionBuilder<Tables, "captures">,
  filter: CaptureFilter,
  after: CaptureRow | null,
) {
  const { lanes, from_ms, until_ms, examined, plate, face, notIn, sealedTo } = filter
  return [
    ...(lanes === undefined ? [] : [eb("lane", "in", [...lanes])]),
    ...(from_ms === undefined ? [] : [eb("captured_ms", ">=", from_ms)]),
    ...(until_ms === undefined ? [] : [eb("captured_ms", "<", until_ms)]),
    ...(examined === undefined ? [] : [eb("examined", examined ? "is not" : "is", null)]),
    ...(plate === undefined ? [] : [eb("plates", plate ? ">" : "=", 0)]),
    ...(face === undefined ? [] : [eb("faces", face ? ">" : "=", 0)]),
    ...(sealedTo === undefined ? [] : [eb("sealed_to", "=", sealedTo)]),
    ...(notIn === undefined
      ? []
      : [
          eb.not(
            eb.exists(
              eb
                .selectFrom("members")
                .select("member")
                .where("set_name", "=", notIn)
                .whereRef("members.member", "=", "captures.id"),
            ),
          ),
        ]),
    ...(after === null
      ? []
      : [
          eb.or([
            eb("captured_ms", ">", after.capturedAt_ms),
            eb.and([eb("captured_ms", "=", after.capturedAt_ms), eb("id", ">", after.id)]),
          ]),
        ]),
  ]
}

function identityReading(
  db: Kysely<Tables>,
): Pick<Reading, "identity" | "identities" | "addIdentity" | "destroyIdentity"> {
  const identityOf = (row: Tables["identities"]): IdentityRow => ({
    name: row.name,
    recipient: row.recipient,
    wrapped: row.wrapped === null ? null : bytesOf(row.wrapped),
    escrow: row.escrow === null ? null : bytesOf(row.escrow),
  })
  return {
    identity: async name => {
      const row = await db.selectFrom("identities").selectAll().where("name", "=", name).executeTakeFirst()
      return row === undefined ? null : identityOf(row)
    },
    identities: async () =>
      (await db.selectFrom("identities").selectAll().orderBy("name").execute()).map(identityOf),
    addIdentity: async row => {
      const values = { ...row, wrapped: bufferOf(row.wrapped), escrow: bufferOf(row.escrow) }
      const result = await db
        .insertInto("identities")
        .values(values)
        .onConflict(oc => oc.column("name").doNothing())
        .executeTakeFirst()
      return integerOf(result.numInsertedOrUpdatedRows ?? 0n) === 1
    },
    destroyIdentity: async (name, { escrowToo }) => {
      await db
        .updateTable("identities")
        .set({ wrapped: null, ...(escrowToo ? { escrow: null } : {}) })
        .where("name", "=", name)
        .execute()
    },
  }
}

function bufferOf(bytes: Uint8Array | null): Uint8Array | null {
  return bytes === null ? null : Buffer.from(bytes)
}

function drawReading(db: Kysely<Tables>): Pick<Reading, "useNonce" | "draw" | "drawById" | "addDraw"> {
  const drawOf = (row: Tables["draws"] | undefined): DrawRow | null => {
    if (row === undefined) return null
    const { id, person, grant_id, idempotency_key, request_sha256, captures, created_ms } = row
    return {
      id,
      person,
      grant: grant_id,
      idempotencyKey: idempotency_key,
      requestSha256: request_sha256,
      captures: JSON.parse(captures) as string[],
      createdAt_ms: integerOf(created_ms),
    }
  }
  let used = 0
  return {
    useNonce: async (nonce, expires_ms, now_ms) => {
      used += 1
      if (used % 256 === 0) await db.deleteFrom("nonces").where("expires_ms", "<", now_ms).execute()
      const query = db
        .insertInto("nonces")
        .values({ nonce, expires_ms })
        .onConflict(oc => oc.column("nonce").doNothing())
      return integerOf((await query.executeTakeFirst()).numInsertedOrUpdatedRows ?? 0n) === 1
    },
    draw: async (person, key) =>
      drawOf(
        await db
          .selectFrom("draws")
          .selectAll()
          .where("person", "=", person)
          .where("idempotency_key", "=", key)
          .executeTakeFirst(),
      ),
    drawById: async id =>
      drawOf(await db.selectFrom("draws").selectAll().where("id", "=", id).executeTakeFirst()),
    addDraw: async row => {
      const values = {
        id: row.id,
        person: row.person,
        grant_id: row.grant,
        idempotency_key: row.idempotencyKey,
        request_sha256: row.requestSha256,
        captures: JSON.stringify(row.captures),
        created_ms: row.createdAt_ms,
      }
      const query = db
        .insertInto("draws")
        .values(values)
        .onConflict(oc => oc.doNothing())
      return integerOf((await query.executeTakeFirst()).numInsertedOrUpdatedRows ?? 0n) === 1
    },
  }
}

function reportReading(db: Kysely<Tables>): Pick<Reading, "laneReport" | "putLaneReport"> {
  return {
    laneReport: async reader => {
      const row = await db
        .selectFrom("lane_reports")
        .selectAll()
        .where("reader", "=", reader)
        .executeTakeFirst()
      if (row === undefined) return null
      const times = [row.at_ms, row.mark_ms, row.received_ms] as const
      const [at_ms, mark_ms, received_ms] = times.map(integerOf) as [number, number, number]
      return { ...row, at_ms, mark_ms, received_ms }
    },
    putLaneReport: async row => {
      const { reader, ...values } = row
      const query = db
        .insertInto("lane_reports")
        .values({ reader, ...values })
        .onConflict(oc =>
          oc.column("reader").doUpdateSet(values).where("lane_reports.mark_ms", "<", row.at_ms),
        )
      return integerOf((await query.executeTakeFirst()).numInsertedOrUpdatedRows ?? 0n) === 1
    },
  }
}
