import type { Migration } from "kysely"
import { sql, type Kysely } from "kysely"
import { fillCopies } from "./copies-migration.ts"
import { fillAlerts, fillCounts, fillReaders } from "./lanes-migration.ts"
import { makeMessages, type MessageTable } from "./messages-table.ts"

/** The tables, as both engines have them. Times and sizes are integers; texts sort by their bytes. */
export interface Tables {
  readonly log_head: { id: number; size: number; root: Uint8Array; frontier: Uint8Array; time_ms: number }
  readonly log_entries: { index: number; kind: string; bytes: Uint8Array }
  readonly log_tiles: { level: number; index: number; hashes: Uint8Array }
  readonly records: { kind: string; id: string; version: number; body: string }
  readonly counters: { name: string; value: number }
  readonly members: { set_name: string; member: string; value: number }
  readonly captures: CaptureTable
  readonly openings: { entry: number; field: string; salt: Uint8Array; value: string }
  readonly identities: {
    name: string
    recipient: string
    wrapped: Uint8Array | null
    escrow: Uint8Array | null
  }
  readonly nonces: { nonce: string; expires_ms: number }
  readonly draws: {
    id: string
    person: string
    grant_id: string
    idempotency_key: string
    request_sha256: string
    captures: string
    created_ms: number
  }
  readonly messages: MessageTable
  readonly lane_reports: {
    reader: string
    at_ms: number
    mark_ms: number
    received_ms: number
    sha256: string
    body: string
  }
}

export interface CaptureTable {
  id: string
  port: string
  lane: string
  reader: string
  sequence: number
  captured_ms: number
  hour: string
  kind: string
  crossing: string
  sealed_to: string
  body_sha256: string
  size_bytes: number
  admitted: number
  examined: number | null
  plates: number | null
  faces: number | null
  header_json: string
  header_signature: Uint8Array
  age_header: Uint8Array
  findings_json: string | null
}

export type Engine = "sqlite" | "postgres"

/** Forward only; a step that has run is never changed. The same steps on both engines, in each one's words for types. */
export function migrationsFor(engine: Engine): Record<string, Migration> {
  const bytes = engine === "sqlite" ? "blob" : "bytea"
  const integer = engine === "sqlite" ? "integer" : "bigint"
  const text = engine === "sqlite" ? "text" : 'text collate "C"'
  const steps = [
    `create table log_head (id ${integer} primary key, size ${integer} not null, root ${bytes} not null,
       frontier ${bytes} not null, time_ms ${integer} not null)`,
    `create table log_entries ("index" ${integer} primary key, kind ${text} not null, bytes ${bytes} not null)`,
    `create index log_entries_kind on log_entries (kind, "index")`,
    `create table log_tiles (level ${integer} not null, "index" ${integer} not null, hashes ${bytes} not null,
       primary key (level, "index"))`,
    `create table records (kind ${text} not null, id ${text} not null, version ${integer} not null, body ${text} not null,
       primary key (kind, id))`,
    `create table counters (name ${text} primary key, value ${integer} not null)`,
    `create table members (set_name ${text} not null, member ${text} not null, value ${integer} not null,
       primary key (set_name, member))`,
    `create table captures (id ${text} primary key, port ${text} not null, lane ${text} not null, reader ${text} not null,
       sequence ${integer} not null, captured_ms ${integer} not null, hour ${text} not null, kind ${text} not null,
       crossing ${text} not null, sealed_to ${text} not null, body_sha256 ${text} not null, size_bytes ${integer} not null,
       admitted ${integer} not null, examined ${integer}, header_json ${text} not null, header_signature ${bytes} not null,
       age_header ${bytes} not null, findings_json ${text}, unique (reader, sequence))`,
    `create index captures_time on captures (captured_ms, id)`,
    `create index captures_lane on captures (lane, captured_ms, id)`,
    `create index captures_unexamined on captures (captured_ms, id) where examined is null`,
    `create index captures_sealed_to on captures (sealed_to)`,
    `create table openings (entry ${integer} not null, field ${text} not null, salt ${bytes} not null, value ${text} not null,
       primary key (entry, field))`,
    `create table identities (name ${text} primary key, recipient ${text} not null, wrapped ${bytes}, escrow ${bytes})`,
    `create table nonces (nonce ${text} primary key, expires_ms ${integer} not null)`,
    `create index nonces_expires on nonces (expires_ms)`,
    `create table draws (id ${text} primary key, person ${text} not null, grant_id ${text} not null,
       idempotency_key ${text} not null, request_sha256 ${text} not null, captures ${text} not null,
       created_ms ${integer} not null, unique (person, idempotency_key))`,
  ]
  return {
    "0001-first": {
      up: async (db: Kysely<unknown>) => {
        for (const step of steps) await sql.raw(step).execute(db)
      },
    },
    "0002-opened": { up: openedCount(engine) },
    "0003-faces": { up: running(`alter table captures add column faces ${integer}`) },
    "0004-lanes": { up: lanes(text, integer) },
    "0005-plates": { up: plates(integer) },
    "0006-copies": { up: async (db: Kysely<unknown>) => fillCopies(db as Kysely<Tables>) },
    "0007-messages": { up: makeMessages(text, integer) },
  }
}

/** Permits to people, from before they were counted. */
function openedCount(engine: Engine): Migration["up"] {
  const isOpened =
    engine === "sqlite"
      ? "json_extract(cast(bytes as text), '$.by') is not null"
      : "convert_from(bytes, 'UTF8')::json ->> 'by' is not null"
  return running(
    `insert into counters (name, value) select 'opened', count(*) from log_entries
     where kind = 'permit' and ${isOpened} having count(*) > 0`,
  )
}

function lanes(text: string, integer: string): Migration["up"] {
  return async (db: Kysely<unknown>) => {
    const table = `create table lane_reports (reader ${text} primary key, at_ms ${integer} not null,
      mark_ms ${integer} not null, received_ms ${integer} not null, sha256 ${text} not null, body ${text} not null)`
    await sql.raw(table).execute(db)
    await fillCounts(db as Kysely<Tables>)
    await fillReaders(db as Kysely<Tables>)
    await fillAlerts(db as Kysely<Tables>)
  }
}

function running(statement: string): Migration["up"] {
  return async (db: Kysely<unknown>) => {
    await sql.raw(statement).execute(db)
  }
}

function plates(integer: string): Migration["up"] {
  const steps = [
    `alter table captures add column plates ${integer}`,
    "create index captures_without_plate on captures (captured_ms, id) where plates = 0",
    `insert into counters (name, value) select 'unexamined', count(*) from captures
     where examined is null having count(*) > 0`,
  ]
  return async (db: Kysely<unknown>) => {
    for (const step of steps) await sql.raw(step).execute(db)
  }
}
