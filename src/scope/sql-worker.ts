import { parentPort } from "node:worker_threads"
import { assert } from "../fault.ts"
import type { BesideTexts, Windows } from "./figures.ts"
import { Sql, type SqlAsk } from "./sql.ts"

// The thread that sql-thread.ts starts. Whatever is thrown here ends it.

export type SqlCall =
  | { readonly call: "take"; readonly rows: Parameters<Sql["take"]>[0] }
  | { readonly call: "ask"; readonly of: SqlAsk }
  | { readonly call: "beside"; readonly rows: ReadonlyMap<string, BesideTexts> }
  | { readonly call: "answer"; readonly windows: Windows }
  | { readonly call: "close" }

export interface SqlReply {
  readonly value: unknown
}

assert(parentPort !== null, "this is a thread's script")
const port = parentPort
const sql = new Sql()

function done(call: SqlCall): unknown {
  switch (call.call) {
    case "take":
      return sql.take(call.rows)
    case "ask":
      return sql.ask(call.of)
    case "beside":
      return sql.beside(call.rows)
    case "answer":
      return sql.answer(call.windows)
    case "close":
      sql.close()
      port.close()
  }
}

port.on("message", (call: SqlCall) => port.postMessage({ value: done(call) } satisfies SqlReply))
