import Database from "libsql"
import { Fault } from "../fault.ts"

/** The little of libsql's synchronous interface that is used here; parameters go in as one array. */
export interface Statement<R> {
  run(parameters: readonly unknown[]): unknown
  all(parameters: readonly unknown[]): R[]
}
export interface Connection {
  prepare<R = never>(text: string): Statement<R>
  exec(text: string): unknown
  close(): unknown
}

/**
 * Opens, and makes where it is not there, a SQLite file for this process alone. WAL with synchronous=FULL: a commit is on
 * the disk when it returns.
 * @throws Fault LEDGER_IN_USE when another process has it open.
 */
export function openConnection(file: string): Connection {
  try {
    const connection = new Database(file) as unknown as Connection
    connection.exec("pragma busy_timeout = 200; pragma locking_mode = exclusive; pragma journal_mode = wal")
    connection.exec("pragma synchronous = full; pragma secure_delete = on")
    // Takes the exclusive lock now rather than at the first write.
    connection.exec("begin immediate; create table if not exists opened (at integer); commit")
    return connection
  } catch (cause) {
    if (/locked|busy/i.test(String(cause)))
      throw new Fault("LEDGER_IN_USE", `another process has ${file} open`, { cause })
    throw cause
  }
}

export function rollback(connection: Connection): void {
  try {
    connection.exec("rollback")
  } catch {
    // SQLite rolled back by itself, as it does on a full disk.
  }
}

/**
 * libsql keeps a closed file open, and so locked, until its statements are collected; so the locks are given up first.
 * Leaving WAL is the only way to leave the exclusive mode that was entered before it.
 */
export function closeConnection(connection: Connection): void {
  connection.exec("pragma journal_mode = delete; pragma locking_mode = normal")
  connection.prepare("select count(*) from opened").all([])
  connection.close()
}
