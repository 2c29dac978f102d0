import { sql, type Kysely, type Migration } from "kysely"
import type { MessageRow } from "./ledger.ts"

/** A message, and how its delivery stands. */
export interface MessageTable {
  id: string
  destination: string
  subject: string
  event: string
  entry: number | null
  due_ms: number
  body: string
  state: string
  attempts: number
  next_ms: number
  since_ms: number
  lease: string
  leased_until_ms: number
  settled_ms: number | null
  failed_ms: number | null
  failure: string | null
}

/** Forward only; see `schema.ts`. */
export function makeMessages(text: string, integer: string): Migration["up"] {
  const steps = [
    `create table messages (id ${text} primary key, destination ${text} not null, subject ${text} not null,
       event ${text} not null, entry ${integer}, due_ms ${integer} not null, body ${text} not null,
       state ${text} not null, attempts ${integer} not null, next_ms ${integer} not null, since_ms ${integer} not null, lease ${text} not null,
       leased_until_ms ${integer} not null, settled_ms ${integer}, failed_ms ${integer}, failure ${text})`,
    "create index messages_waiting on messages (destination, subject, id) where state = 'waiting'",
    "create index messages_due on messages (next_ms) where state = 'waiting'",
    "create index messages_destination on messages (destination, id)",
    "create index messages_settled on messages (destination, state, settled_ms)",
    "create index messages_failed on messages (destination, failed_ms) where failed_ms is not null",
  ]
  return async (db: Kysely<unknown>) => {
    for (const step of steps) await sql.raw(step).execute(db)
  }
}

/** What a new message's row has, in the order of `messageValues`. */
export const messageColumns = [
  ...["id", "destination", "subject", "event", "entry", "due_ms", "body"],
  ...["state", "attempts", "next_ms", "since_ms", "lease", "leased_until_ms"],
]

export function messageValues(row: MessageRow): (string | number | null)[] {
  const { id, destination, subject, event, entry, due_ms, body } = row
  return [...[id, destination, subject, event, entry, due_ms, body], ...["waiting", 0, due_ms, due_ms, "", 0]]
}

/** @param places  of the values. */
export function putMessage(places: readonly string[]): string {
  return `insert into messages (${messageColumns.join(", ")}) values (${places.join(", ")}) on conflict (id) do nothing`
}
